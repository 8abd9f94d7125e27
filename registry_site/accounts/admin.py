"""The governance desk: people, groups and tokens, through the services. Who comes new is invited on the People page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from registry_site.accounts import administration, groups, services
from registry_site.accounts.actors import Actor, person
from registry_site.accounts.models import ApiToken, ProviderIdentity, SignInLink, User
from registry_site.audit.kinds import Origin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.core.errors import PodiumError


def _actor(request: HttpRequest) -> Actor:
    return person(request.user, Origin.ADMIN)


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("username", "display_name", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    search_fields = ("username", "display_name", "email")
    fields = (
        *("username", "display_name", "email", "is_active", "is_superuser", "groups"),
        *("email_confirmed", "time_zone", "last_login", "date_joined"),
    )
    readonly_fields = ("username", "email_confirmed", "time_zone", "last_login", "date_joined")
    filter_horizontal = ("groups",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[Any]", change: bool) -> None:
        actor, changed, username = _actor(request), form.changed_data, obj.username
        if "display_name" in changed or "email" in changed:
            administration.update_user(actor, username=username, display_name=obj.display_name, email=obj.email)
        if "is_superuser" in changed:
            administration.set_admin(actor, username=username, is_admin=obj.is_superuser)
        if "is_active" in changed:
            act = administration.reactivate if obj.is_active else administration.deactivate
            act(actor, username=username)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if "groups" in form.changed_data:
            chosen = [group.name for group in form.cleaned_data["groups"]]
            groups.set_groups(_actor(request), username=form.instance.username, groups=chosen)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        administration.delete_user(_actor(request), username=obj.username)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Who is in a group is said on the People page, and at each person."""

    list_display = ("name",)
    search_fields = ("name",)
    fields = ("name",)

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False  # single sign-on and grants know groups by their names

    def save_model(self, request: HttpRequest, obj: Group, form: "ModelForm[Any]", change: bool) -> None:
        obj.pk = groups.create_group(_actor(request), name=obj.name).pk

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        groups.delete_group(_actor(request), name=obj.name)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            self.delete_model(request, group)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "user", "prefix", "scope", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("scope", "created_at", "revoked_at")
    search_fields = ("name", "prefix", "user__username")
    exclude = ("digest",)
    list_select_related = ("user",)
    actions = ("revoke_chosen",)

    @admin.action(description="Revoke the chosen tokens", permissions=["view"])
    def revoke_chosen(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Each by itself: one that is revoked already stops no other."""
        for token in queryset.select_related("user"):
            try:
                services.revoke_token(_actor(request), token_id=token.pk)
            except PodiumError as error:
                messages.error(request, f"{token}: {error.message}")
            else:
                messages.success(request, f"{token} of {token.user.username} is revoked.")


@admin.register(SignInLink)
class SignInLinkAdmin(ReadOnlyAdmin):
    list_display = ("user", "purpose", "expires_at", "used_at")
    list_filter = ("purpose",)
    search_fields = ("user__username",)
    exclude = ("digest",)
    list_select_related = ("user",)


@admin.register(ProviderIdentity)
class ProviderIdentityAdmin(ReadOnlyAdmin):
    list_display = ("user", "issuer", "subject")
    search_fields = ("user__username", "issuer", "subject")
    list_select_related = ("user",)
