"""Forms about what it takes to enter a stage."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry_site.core.errors import InvalidParameter
from registry_site.promotion.gates import KEY_LIMIT, VALUE_LIMIT, Comparison, Gate, GateType
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.promotion.setting_policies import MOST_DAYS, MOST_GATES
from registry_site.registry.stages import Stage

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_ANY, _EXACTLY = "any", "exactly"


class PolicyForm(forms.Form):
    """What a policy says, but for its gates."""

    protected = forms.BooleanField(
        label=_("Protected: everybody needs a request that others approve"),
        required=False,
        help_text=_("Otherwise whoever holds the level moves versions without asking. Gates bind either way."),
    )
    required_approvals = forms.IntegerField(label=_("Approvals that a request needs"), min_value=1, max_value=100)
    allow_self_approval = forms.BooleanField(label=_("The requester's own approval counts"), required=False)
    dismiss_stale_approvals = forms.BooleanField(
        label=_("Approvals stop counting when the evidence changes"), required=False
    )
    expires_after_days = forms.IntegerField(
        label=_("Days after which a pending request expires"),
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=_("Empty: never."),
    )
    when_occupied = forms.ChoiceField(
        label=_("When another version is in the stage"),
        widget=forms.RadioSelect,
        choices=[
            (WhenOccupied.ASK.value, _("Whoever moves one in says what becomes of it")),
            (WhenOccupied.ARCHIVE.value, _("It is archived without asking")),
            (WhenOccupied.SHARE.value, _("It stays: the stage admits any number")),
        ],
    )

    @staticmethod
    def initial_of(policy: Policy) -> dict[str, Any]:
        """What the form says of a policy."""
        return {
            "protected": policy.protected,
            "required_approvals": policy.required_approvals,
            "allow_self_approval": policy.allow_self_approval,
            "dismiss_stale_approvals": policy.dismiss_stale_approvals,
            "expires_after_days": policy.expires_after_days,
            "when_occupied": policy.when_occupied.value,
        }

    def policy(self, gates: Iterable[Gate]) -> Policy:
        """What the valid form says, with these gates."""
        said = self.cleaned_data
        return Policy(**(said | {"when_occupied": WhenOccupied(said["when_occupied"]), "gates": tuple(gates)}))


class GateForm(forms.Form):
    """One gate. Which fields count, its type says; the others are not looked at."""

    type = forms.ChoiceField(
        label=_("What it looks at"),
        choices=[
            (GateType.METRIC.value, _("A metric")),
            (GateType.METRIC_AGAINST_OCCUPANT.value, _("A metric, against the version in the stage")),
            (GateType.TAG.value, _("A tag")),
            (GateType.CHECK.value, _("A check of an outside system")),
            (GateType.STAGE.value, _("An earlier stage")),
            (GateType.DESCRIPTION.value, _("Whether it has a description")),
            (GateType.SIGNATURE.value, _("Whether it has a signature")),
            (GateType.SCAN.value, _("What the scan of its files found")),
            (GateType.DIGEST.value, _("Whether its files are as registered")),
        ],
    )
    key = forms.CharField(label=_("Name"), required=False, max_length=KEY_LIMIT, widget=forms.TextInput(attrs=_PLAIN))
    comparison = forms.ChoiceField(
        label=_("Is"),
        required=False,
        choices=[
            (Comparison.AT_LEAST.value, _("at least")),
            (Comparison.MORE_THAN.value, _("more than")),
            (Comparison.AT_MOST.value, _("at most")),
            (Comparison.LESS_THAN.value, _("less than")),
        ],
    )
    number = forms.FloatField(
        label=_("Number"), required=False, widget=forms.TextInput(attrs=_PLAIN | {"inputmode": "text"})
    )
    rule = forms.ChoiceField(
        label=_("Is"), required=False, choices=[(_ANY, _("set, to anything")), (_EXACTLY, _("exactly"))]
    )
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=VALUE_LIMIT,
        strip=False,
        widget=forms.TextInput(attrs=_PLAIN),
    )
    stage = forms.ChoiceField(
        label=_("It is, or was, in"),
        required=False,
        choices=[(stage.value, stage.value) for stage in (Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED, Stage.NONE)],
    )

    @staticmethod
    def initial_of(gate: Gate) -> dict[str, Any]:
        """What the form says of a gate."""
        return {
            "type": gate.type.value,
            "key": "" if gate.type is GateType.STAGE else gate.key,
            "stage": gate.key if gate.type is GateType.STAGE else None,
            "comparison": gate.comparison.value if gate.comparison else None,
            "number": f"{gate.number:g}" if gate.number is not None else "",
            "rule": _ANY if gate.value is None else _EXACTLY,
            "value": gate.value or "",
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if self.errors:
            return said
        try:
            said["gate"] = self._gate(said)
        except InvalidParameter as error:
            field = "stage" if said["type"] == GateType.STAGE and error.field in ("key", "stage") else error.field
            self.add_error(field if field in self.fields else None, error.message)
        return said

    @staticmethod
    def _gate(said: Mapping[str, Any]) -> Gate:
        type_, key = GateType(said["type"]), said["key"].strip()
        match type_:
            case GateType.METRIC:
                return Gate(type_, key, Comparison(said["comparison"] or Comparison.AT_LEAST), said["number"])
            case GateType.METRIC_AGAINST_OCCUPANT:
                number = said["number"] if said["number"] is not None else 0.0
                return Gate(type_, key, Comparison(said["comparison"] or Comparison.AT_LEAST), number)
            case GateType.TAG:
                return Gate(type_, key, value=said["value"] if said["rule"] == _EXACTLY else None)
            case GateType.STAGE:
                return Gate(type_, said["stage"])
            case GateType.CHECK:
                return Gate(type_, key)
            case _:
                return Gate(type_)


def gate_rows(data: Mapping[str, str]) -> list[dict[str, str]]:
    """What was sent of each gate, in their order, as it was written."""
    count = data.get("gates", "")
    number = min(int(count), MOST_GATES + 1) if count.isascii() and count.isdecimal() and len(count) < 5 else 0
    return [{field: data.get(f"gate-{place}-{field}", "") for field in GateForm.base_fields} for place in range(number)]


class AliasPolicyForm(forms.Form):
    """An alias that stands for a stage."""

    alias = forms.CharField(label=_("Alias"), max_length=255, widget=forms.TextInput(attrs=_PLAIN))
    stage = forms.ChoiceField(
        label=_("Stands for"),
        choices=[(stage.value, stage.value) for stage in (Stage.PRODUCTION, Stage.STAGING, Stage.ARCHIVED)],
    )
    is_mirror = forms.BooleanField(
        label=_("It follows the stage by itself"),
        required=False,
        help_text=_("It points at the version that entered last, and to point it at another moves that one."),
    )


class DirectionForm(forms.Form):
    """Which way a metric is the better one."""

    metric = forms.CharField(label=_("Metric"), max_length=KEY_LIMIT, widget=forms.TextInput(attrs=_PLAIN))
    better = forms.ChoiceField(
        label=_("Better is"), choices=[("higher", _("a higher value")), ("lower", _("a lower value"))]
    )
