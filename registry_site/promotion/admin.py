"""The governance desk: requests to decide and policies to set, through the services. No stage is changed by hand."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from registry_site.accounts.actors import Actor, person
from registry_site.audit.kinds import Origin
from registry_site.core.admin import ReadOnlyAdmin
from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.promotion import comments, deciding, setting_policies
from registry_site.promotion.aliases import remove_alias_policy, set_alias_policy
from registry_site.promotion.directions import remove_metric_direction, set_metric_direction
from registry_site.promotion.models import (
    AliasPolicy,
    Check,
    Comment,
    Deployment,
    MetricDirection,
    PolicyGate,
    Review,
    StagePolicy,
    TransitionRequest,
)
from registry_site.promotion.policies import gate_of, policy_of
from registry_site.promotion.queries import get_request
from registry_site.promotion.rules import RequestState
from registry_site.promotion.standing import standing_of
from registry_site.registry.models import STAGE_CHOICES
from registry_site.registry.names import validate_alias
from registry_site.registry.stages import Stage
from registry_site.tracking.rules import validate_key


def _actor(request: HttpRequest) -> Actor:
    return person(request.user, Origin.ADMIN)


class DecisionForm(ActionForm):
    """The choice of an action, and the comment that goes with it."""

    comment = forms.CharField(required=False, label="Comment", help_text="A rejection needs one.")


class ShownInline(admin.TabularInline):  # type: ignore[type-arg]  # as ModelAdmin
    """Rows to read beside what they belong to."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


class ReviewInline(ShownInline):
    model = Review
    fields = ("reviewer_name", "verdict", "comment", "created_at", "dismissed_by_name", "dismissal_reason")


class CommentInline(ShownInline):
    model = Comment
    fields = ("author_name", "text", "created_at", "updated_at")


@admin.register(TransitionRequest)
class TransitionRequestAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "version", "from_stage", "to_stage", "copy_to", "state", "requester_name", "created_at")
    list_filter = ("state", "to_stage", ("copy_to", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("registered_model", "copy_to")
    search_fields = ("registered_model__name", "copy_to__name", "requester_name", "comment")
    date_hierarchy = "created_at"
    inlines = (ReviewInline, CommentInline)
    actions = ("approve_chosen", "reject_chosen")
    action_form = DecisionForm

    @admin.action(description="Approve the chosen requests", permissions=["view"])
    def approve_chosen(self, request: HttpRequest, queryset: QuerySet[TransitionRequest]) -> None:
        self._decide(request, queryset, deciding.approve)

    @admin.action(description="Reject the chosen requests", permissions=["view"])
    def reject_chosen(self, request: HttpRequest, queryset: QuerySet[TransitionRequest]) -> None:
        self._decide(request, queryset, deciding.reject)

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[TransitionRequest],
        service: Callable[..., TransitionRequest],
    ) -> None:
        """Each request by itself: one that is refused says why and stops no other."""
        actor = _actor(request)
        comment = request.POST.get("comment", "")
        for chosen in queryset.order_by("pk"):
            try:
                decided = service(actor, name=chosen.registered_model.name, number=chosen.number, comment=comment)
            except PodiumError as error:
                messages.error(request, error.message)
                continue
            if decided.state == RequestState.PENDING.value:
                messages.warning(
                    request, f"Your approval of {decided} counts. It waits for {_awaited(actor, decided)}."
                )
            else:
                messages.success(request, f"Request {decided} is {decided.state}.")


def _awaited(actor: Actor, request: TransitionRequest) -> str:
    """What an approved request is still pending for."""
    outcome = standing_of(actor, get_request(actor, request.registered_model.name, request.number)).outcome
    missing = [f"{outcome.missing} more approval{'s' if outcome.missing > 1 else ''}"] if outcome.missing else []
    given = request.reviews.filter(reviewer__in=outcome.blocked_by).order_by("reviewer_name")
    changes = [f"the changes that {name} asked for" for name in given.values_list("reviewer_name", flat=True)]
    gates = [f"a gate: {one.gate.sentence} ({one.reason.rstrip('.')})" for one in outcome.gates if not one.passed]
    return "; ".join(missing + changes + gates)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("request", "reviewer_name", "verdict", "created_at")
    list_filter = ("verdict", "created_at")
    list_select_related = ("request__registered_model",)
    search_fields = ("request__registered_model__name", "reviewer_name", "comment")


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    list_display = ("registered_model", "version", "request", "author_name", "text", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("registered_model", "request__registered_model")
    search_fields = ("registered_model__name", "author_name", "text")
    date_hierarchy = "created_at"
    actions = ("take_away",)

    @admin.action(description="Take the chosen comments away", permissions=["view"])
    def take_away(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """History keeps what they said."""
        for chosen in queryset.order_by("pk"):
            comments.delete_comment(_actor(request), comment_id=str(chosen.pk))
            messages.success(request, f"The {chosen} is gone.")


@admin.register(Check)
class CheckAdmin(ReadOnlyAdmin):
    list_display = ("model_version", "name", "state", "summary", "posted_by_name", "updated_at")
    list_filter = ("state", "updated_at")
    list_select_related = ("model_version__registered_model",)
    search_fields = ("model_version__registered_model__name", "name", "external_id", "posted_by_name")
    show_full_result_count = False


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ("model_version", "environment", "state", "description", "posted_by_name", "updated_at")
    list_filter = ("state", "updated_at")
    list_select_related = ("model_version__registered_model",)
    search_fields = ("model_version__registered_model__name", "environment", "external_id", "posted_by_name")
    show_full_result_count = False


# -- policies ----------------------------------------------------------------------------------------------------------
class GateForm(forms.ModelForm):  # type: ignore[type-arg]  # as ModelAdmin
    """A gate. Those of a policy are asked in the order of their places; of two in one place, the upper one first."""

    place = forms.IntegerField(min_value=1, max_value=999, required=False, widget=forms.NumberInput({"size": 3}))
    is_empty = forms.BooleanField(
        label="empty", required=False, help_text="The tag has to be there without a value. Else an empty value is any."
    )

    class Meta:
        model = PolicyGate
        fields = ("type", "key", "comparison", "number", "value")
        widgets = {"value": forms.TextInput}

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if self.instance.pk:
            self.initial.update(place=self.instance.position, is_empty=self.instance.value == "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["value"] = "" if cleaned.get("is_empty") else cleaned.get("value") or None
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
        if not self.errors:
            try:
                gate_of(self.instance)
            except InvalidParameter as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)


class GateInline(admin.TabularInline):  # type: ignore[type-arg]  # as above
    model = PolicyGate
    form = GateForm
    fields = ("place", "type", "key", "comparison", "number", "value", "is_empty")
    extra = 1
    max_num = setting_policies.MOST_GATES


class StagePolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    expires_after_days = forms.IntegerField(
        min_value=1,
        max_value=setting_policies.MOST_DAYS,
        required=False,
        help_text="Pending requests that are older expire. Empty: never.",
    )


@admin.register(StagePolicy)
class StagePolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Which stage of which model a policy is for stays; what it asks for changes."""

    form = StagePolicyForm
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
    inlines = (GateInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: StagePolicy | None = None) -> tuple[str, ...]:
        return ("registered_model", "stage") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False  # a policy is changed; history tells what it was

    def save_model(self, request: HttpRequest, obj: StagePolicy, form: "ModelForm[Any]", change: bool) -> None:
        """A policy is set as a whole, with its gates: see `save_related`."""

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool) -> None:
        (gates,) = formsets
        gates.save(commit=False)  # tells what is deleted, and what Django's own log says
        kept = [one for one in gates.forms if one.has_changed() or one.instance.pk]
        kept = [one for one in kept if one not in gates.deleted_forms]
        kept.sort(key=lambda one: one.cleaned_data.get("place") or setting_policies.MOST_GATES + 1000)
        policy: StagePolicy = form.instance
        saved = setting_policies.set_policy(
            _actor(request),
            stage=Stage(policy.stage),
            policy=replace(policy_of(policy), gates=tuple(gate_of(one.instance) for one in kept)),
            name=_named(policy),
        )
        policy.pk = saved.pk


class AliasPolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    stage = forms.ChoiceField(choices=[choice for choice in STAGE_CHOICES if choice[0] != Stage.NONE.value])

    def clean_alias(self) -> str:
        return _found_good(validate_alias, self.cleaned_data["alias"])


@admin.register(AliasPolicy)
class AliasPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Which alias of which model stands for a stage stays; the stage, and whether the alias follows it, change."""

    form = AliasPolicyForm
    list_display = ("alias", "registered_model", "stage", "is_mirror")
    list_filter = ("stage", "is_mirror")
    list_select_related = ("registered_model",)
    search_fields = ("alias", "registered_model__name")
    autocomplete_fields = ("registered_model",)

    def get_readonly_fields(self, request: HttpRequest, obj: AliasPolicy | None = None) -> tuple[str, ...]:
        return ("registered_model", "alias") if obj else ()

    def save_model(self, request: HttpRequest, obj: AliasPolicy, form: "ModelForm[Any]", change: bool) -> None:
        saved = set_alias_policy(
            _actor(request), alias=obj.alias, stage=Stage(obj.stage), is_mirror=obj.is_mirror, name=_named(obj)
        )
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: AliasPolicy) -> None:
        remove_alias_policy(_actor(request), alias=obj.alias, name=_named(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AliasPolicy]) -> None:
        for policy in queryset.select_related("registered_model"):
            self.delete_model(request, policy)


class MetricDirectionForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    def clean_metric(self) -> str:
        return _found_good(partial(validate_key, what="metric"), self.cleaned_data["metric"])


@admin.register(MetricDirection)
class MetricDirectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Which metric of which model is meant stays; which way is better changes."""

    form = MetricDirectionForm
    list_display = ("metric", "registered_model", "higher_is_better")
    list_filter = ("higher_is_better",)
    list_select_related = ("registered_model",)
    search_fields = ("metric", "registered_model__name")
    autocomplete_fields = ("registered_model",)

    def get_readonly_fields(self, request: HttpRequest, obj: MetricDirection | None = None) -> tuple[str, ...]:
        return ("registered_model", "metric") if obj else ()

    def save_model(self, request: HttpRequest, obj: MetricDirection, form: "ModelForm[Any]", change: bool) -> None:
        saved = set_metric_direction(
            _actor(request), metric=obj.metric, higher_is_better=obj.higher_is_better, name=_named(obj)
        )
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: MetricDirection) -> None:
        remove_metric_direction(_actor(request), metric=obj.metric, name=_named(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MetricDirection]) -> None:
        for direction in queryset.select_related("registered_model"):
            self.delete_model(request, direction)


def _found_good(validate: Callable[[str], str], text: str) -> str:
    try:
        return validate(text)
    except InvalidParameter as error:
        raise ValidationError(error.message) from None


def _named(policy: AliasPolicy | MetricDirection | StagePolicy) -> str | None:
    return policy.registered_model.name if policy.registered_model else None
