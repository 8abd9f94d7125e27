"""The governance desk: requests to decide and policies to set, through the services. No stage is changed by hand."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from registry_site.accounts.actors import person
from registry_site.audit.kinds import Origin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.core.errors import PodiumError
from registry_site.promotion import services
from registry_site.promotion.models import Review, StagePolicy, TransitionRequest
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.registry.stages import Stage


class DecisionForm(ActionForm):
    """The choice of an action, and the comment that goes with it."""

    comment = forms.CharField(required=False, label="Comment", help_text="A rejection needs one.")


class ReviewInline(admin.TabularInline):  # type: ignore[type-arg]  # as ModelAdmin
    model = Review
    fields = ("reviewer_name", "verdict", "comment", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(TransitionRequest)
class TransitionRequestAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "version", "from_stage", "to_stage", "state", "requester_name", "created_at")
    list_filter = ("state", "to_stage", "created_at")
    list_select_related = ("registered_model",)
    search_fields = ("registered_model__name", "requester_name", "comment")
    date_hierarchy = "created_at"
    inlines = (ReviewInline,)
    actions = ("approve_chosen", "reject_chosen")
    action_form = DecisionForm

    @admin.action(description="Approve the chosen requests", permissions=["view"])
    def approve_chosen(self, request: HttpRequest, queryset: QuerySet[TransitionRequest]) -> None:
        self._decide(request, queryset, services.approve)

    @admin.action(description="Reject the chosen requests", permissions=["view"])
    def reject_chosen(self, request: HttpRequest, queryset: QuerySet[TransitionRequest]) -> None:
        self._decide(request, queryset, services.reject)

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[TransitionRequest],
        service: Callable[..., TransitionRequest],
    ) -> None:
        """Each request by itself: one that is refused says why and stops no other."""
        actor = person(request.user, Origin.ADMIN)
        comment = request.POST.get("comment", "")
        for chosen in queryset.order_by("pk"):
            try:
                decided = service(actor, name=chosen.registered_model.name, number=chosen.number, comment=comment)
            except PodiumError as error:
                messages.error(request, error.message)
            else:
                messages.success(request, f"Request {decided} is {decided.state}.")


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("request", "reviewer_name", "verdict", "created_at")
    list_filter = ("verdict", "created_at")
    list_select_related = ("request__registered_model",)
    search_fields = ("request__registered_model__name", "reviewer_name", "comment")


@admin.register(StagePolicy)
class StagePolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Which stage of which model a policy is for stays; what it asks for changes."""

    list_display = (
        "stage",
        "registered_model",
        "protected",
        "required_approvals",
        "allow_self_approval",
        "when_occupied",
    )
    list_filter = ("stage", "protected", "when_occupied")
    list_select_related = ("registered_model",)
    search_fields = ("registered_model__name",)
    autocomplete_fields = ("registered_model",)

    def get_readonly_fields(self, request: HttpRequest, obj: StagePolicy | None = None) -> tuple[str, ...]:
        return ("registered_model", "stage") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False  # a policy is changed; history tells what it was

    def save_model(self, request: HttpRequest, obj: StagePolicy, form: "ModelForm[Any]", change: bool) -> None:
        policy = Policy(
            protected=obj.protected,
            required_approvals=obj.required_approvals,
            allow_self_approval=obj.allow_self_approval,
            when_occupied=WhenOccupied(obj.when_occupied),
        )
        saved = services.set_policy(
            person(request.user, Origin.ADMIN),
            stage=Stage(obj.stage),
            policy=policy,
            name=obj.registered_model.name if obj.registered_model else None,
        )
        obj.pk = saved.pk
