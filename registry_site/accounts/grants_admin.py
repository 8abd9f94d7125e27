"""The governance desk's form of a grant, whatever it is on."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from registry_site.accounts.actors import person
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Origin


class GrantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # ModelAdmin is not subscriptable at run time
    """Grants to give and to take back, which goes through the services. Whom a grant is for, and on what, stays; its
    level changes.

    Whoever inherits names the foreign key `place`, the two services, and in `named` how they call the place.
    """

    place: ClassVar[str]
    set_grant: ClassVar[Callable[..., int]]
    remove_grant: ClassVar[Callable[..., None]]
    list_display_links = ("level",)

    def named(self, grant: Any) -> dict[str, Any]:
        """The arguments by which the services know what the grant is on."""
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (self.place, "user", "group") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        actor = person(request.user, Origin.ADMIN)
        obj.pk = type(self).set_grant(actor, level=Level(obj.level), **self.named(obj), **_holder(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        type(self).remove_grant(person(request.user, Origin.ADMIN), **self.named(obj), **_holder(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for grant in queryset:
            self.delete_model(request, grant)


def _holder(grant: Any) -> dict[str, str]:
    return {
        "username": grant.user.username if grant.user else "",
        "group": grant.group.name if grant.group else "",
    }
