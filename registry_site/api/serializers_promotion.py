"""What this door is told about requests, policies, checks and deployments."""

from typing import Any

from rest_framework import serializers

from registry_site.api.views import PageArguments
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.preparing import COMMENT_LIMIT
from registry_site.promotion.queries import Role
from registry_site.promotion.rules import DeploymentState, OccupantDecision, Policy, RequestState, Verdict, WhenOccupied
from registry_site.registry.stages import Stage


def _words(words: Any) -> list[str]:
    return [word.value for word in words]


STAGES = _words(Stage)


def _text(**more: Any) -> serializers.CharField:
    return serializers.CharField(default="", allow_blank=True, max_length=COMMENT_LIMIT, **more)


class RequestsArguments(PageArguments):
    """Which requests."""

    role = serializers.ChoiceField(
        choices=_words(Role), default=Role.ALL.value, help_text="`waiting` for you, or yours"
    )
    state = serializers.ChoiceField(choices=_words(RequestState), required=False)
    model = serializers.CharField(required=False)
    copy_to = serializers.CharField(required=False, help_text="the registered model that copies are asked for into")
    reviewer = serializers.CharField(required=False, help_text="the user name of somebody who has reviewed it")


class NewRequestSerializer(serializers.Serializer[Any]):
    """A move that is asked for, or with `copy_to` a copy into another model."""

    version = serializers.IntegerField(min_value=1)
    to_stage = serializers.ChoiceField(
        choices=STAGES, required=False, help_text="of a copy the stage that it comes into, `None` if not given"
    )
    comment = _text()
    occupant_decision = serializers.ChoiceField(choices=_words(OccupantDecision), required=False)
    occupant_to_stage = serializers.ChoiceField(choices=STAGES, required=False)
    copy_to = serializers.CharField(default="", allow_blank=True, help_text="the registered model to copy it into")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["copy_to"] and "to_stage" not in attrs:
            raise serializers.ValidationError({"to_stage": ["This field is required."]})
        return {"to_stage": Stage.NONE.value} | attrs


class CopySerializer(serializers.Serializer[Any]):
    """A copy that is made at once."""

    copy_to = serializers.CharField(help_text="the registered model to copy it into")
    to_stage = serializers.ChoiceField(choices=STAGES, default=Stage.NONE.value)
    archive_existing = serializers.BooleanField(default=False)
    occupant_to_stage = serializers.ChoiceField(choices=STAGES, required=False)
    comment = _text()
    bypass_reason = _text(help_text="why whoever manages that model passes by protection and gates")


class ReviewSerializer(serializers.Serializer[Any]):
    """A verdict."""

    verdict = serializers.ChoiceField(choices=_words(Verdict))
    comment = _text(help_text="all but an approval need one")
    evidence_digest = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="of the evidence that was looked at"
    )


class DismissalSerializer(serializers.Serializer[Any]):
    """Why a verdict is to count no longer."""

    reason = _text(help_text="needed for somebody else's review")


class CommentSerializer(serializers.Serializer[Any]):
    """A comment, or a reason."""

    comment = _text()


class MoveSerializer(serializers.Serializer[Any]):
    """A move that is made at once."""

    to_stage = serializers.ChoiceField(choices=STAGES)
    archive_existing = serializers.BooleanField(default=False)
    occupant_to_stage = serializers.ChoiceField(choices=STAGES, required=False)
    comment = _text()
    bypass_reason = _text(help_text="why whoever manages the model passes by protection and gates")


class RollbackSerializer(serializers.Serializer[Any]):
    """A rollback."""

    to_stage = serializers.ChoiceField(choices=STAGES, default=Stage.PRODUCTION.value)
    comment = _text()


class GateSerializer(serializers.Serializer[Any]):
    """A gate."""

    type = serializers.ChoiceField(choices=_words(GateType))
    key = serializers.CharField(default="", allow_blank=True, help_text="a metric, a tag, a stage or a check")
    comparison = serializers.ChoiceField(choices=_words(Comparison), default="", allow_blank=True)
    number = serializers.FloatField(default=None, allow_null=True, help_text="a limit, or the distance to the occupant")
    value = serializers.CharField(default=None, allow_null=True, allow_blank=True, trim_whitespace=False)


class PolicySerializer(serializers.Serializer[Any]):
    """What it takes to enter a stage. What is left out is as it is by default."""

    protected = serializers.BooleanField(default=False)
    required_approvals = serializers.IntegerField(min_value=1, max_value=100, default=1)
    allow_self_approval = serializers.BooleanField(default=False)
    when_occupied = serializers.ChoiceField(choices=_words(WhenOccupied), default=WhenOccupied.SHARE.value)
    dismiss_stale_approvals = serializers.BooleanField(default=True)
    expires_after_days = serializers.IntegerField(min_value=1, max_value=3650, default=None, allow_null=True)
    gates = GateSerializer(many=True, default=list)


class AliasPolicySerializer(serializers.Serializer[Any]):
    """What an alias stands for."""

    stage = serializers.ChoiceField(choices=[word for word in STAGES if word != Stage.NONE.value])
    is_mirror = serializers.BooleanField(default=False, help_text="it follows the stage, and to set it moves a version")


class MetricDirectionSerializer(serializers.Serializer[Any]):
    """Which way is better."""

    higher_is_better = serializers.BooleanField()


class DryRunSerializer(serializers.Serializer[Any]):
    """Gates to try; those of the present policy if there are none given."""

    gates = GateSerializer(many=True, default=None, allow_null=True)


class NewCheckSerializer(serializers.Serializer[Any]):
    """A result. The same `external_id` is the same run, told again."""

    check = serializers.CharField(max_length=250)
    state = serializers.ChoiceField(choices=_words(CheckState))
    external_id = serializers.CharField(default="", allow_blank=True, max_length=250)
    summary = _text()
    link = serializers.CharField(default="", allow_blank=True, max_length=2000)


class NewDeploymentSerializer(serializers.Serializer[Any]):
    """What became of a deployment. The same `external_id` is the same run, told again."""

    environment = serializers.CharField(max_length=250)
    state = serializers.ChoiceField(choices=_words(DeploymentState))
    external_id = serializers.CharField(default="", allow_blank=True, max_length=250)
    description = _text()
    link = serializers.CharField(default="", allow_blank=True, max_length=2000)


def gate_of(given: dict[str, Any]) -> Gate:
    """The gate that was given. Raises InvalidParameter for one that makes no sense."""
    return Gate(
        type=GateType(given["type"]),
        key=given["key"],
        comparison=Comparison(given["comparison"]) if given["comparison"] else None,
        number=given["number"],
        value=given["value"],
    )


def policy_of(given: dict[str, Any]) -> Policy:
    """The policy that was given. Raises InvalidParameter."""
    return Policy(
        protected=given["protected"],
        required_approvals=given["required_approvals"],
        allow_self_approval=given["allow_self_approval"],
        when_occupied=WhenOccupied(given["when_occupied"]),
        dismiss_stale_approvals=given["dismiss_stale_approvals"],
        expires_after_days=given["expires_after_days"],
        gates=tuple(gate_of(gate) for gate in given["gates"]),
    )


def stage_of(given: dict[str, Any], field: str) -> Stage | None:
    """The stage of that field, if it was given."""
    return Stage(given[field]) if given.get(field) else None
