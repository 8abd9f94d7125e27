"""Forms about moving versions between stages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from registry_site.promotion.preparing import COMMENT_LIMIT
from registry_site.promotion.rules import OccupantDecision, Policy, Verdict, WhenOccupied
from registry_site.registry.stages import ACTIVE_STAGES, Stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.looking_ahead import Preflight
    from registry_site.registry.models import ModelVersion


class MoveForm(forms.Form):
    """A move into a stage: what becomes of the versions there (asked only if there are some), and why."""

    occupant = forms.ChoiceField(label=_("What becomes of the version there now?"), widget=forms.RadioSelect)
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        max_length=COMMENT_LIMIT,
        help_text=_("Kept in the history. Markdown is possible."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: object, preflight: "Preflight", **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = occupant_choices(preflight.policy, preflight.to_stage, preflight.occupants)
        if choices:
            field = self.fields["occupant"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
            field.initial = choices[0][0]
        else:
            del self.fields["occupant"]

    @property
    def decision(self) -> tuple[OccupantDecision | None, Stage | None]:
        """What the form says of the occupants, and the stage that they move to; nothing where it did not ask."""
        chosen: str = self.cleaned_data.get("occupant", "")
        if not chosen:
            return None, None
        word, _separator, stage = chosen.partition(":")
        return OccupantDecision(word), Stage(stage) if stage else None


class RequestForm(MoveForm):
    """A move that somebody else decides: they need to be told why."""

    comment = forms.CharField(
        label=_("Reason"),
        max_length=COMMENT_LIMIT,
        help_text=_("What makes it ready? Whoever decides reads this first. Markdown is possible."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class RollbackForm(forms.Form):
    """Why an earlier occupant of a stage is brought back."""

    comment = forms.CharField(
        label=_("Reason"),
        max_length=COMMENT_LIMIT,
        help_text=_("What is wrong with the present one? Kept in the history. Markdown is possible."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class BypassForm(MoveForm):
    """A move past what is in its way: whoever answers for the model is told why."""

    comment = forms.CharField(
        label=_("Why can it not wait?"),
        max_length=COMMENT_LIMIT,
        help_text=_("Kept in the history, in red, and mailed to everybody who manages the model."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ReviewForm(forms.Form):
    """A verdict on a request; `evidence_digest` is of what the page showed."""

    verdict = forms.ChoiceField(
        label=_("Your verdict"),
        choices=[(each.value, each.value) for each in Verdict],
        error_messages={"required": _("Choose a verdict.")},
        widget=forms.RadioSelect,
    )
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        max_length=COMMENT_LIMIT,
        help_text=_("An approval may go without words. Markdown is possible; @name tells that person."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    evidence_digest = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class DismissForm(forms.Form):
    """Why a review is to count no longer."""

    reviewer = forms.CharField(max_length=150, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why?"), required=False, max_length=COMMENT_LIMIT, widget=forms.Textarea(attrs={"rows": 2})
    )


class CommentForm(forms.Form):
    """Something to say."""

    comment = forms.CharField(
        label=_("Comment"),
        max_length=COMMENT_LIMIT,
        help_text=_("Markdown is possible; @name tells that person."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CancelForm(forms.Form):
    """Why a request is withdrawn."""

    comment = forms.CharField(
        label=_("Why?"), required=False, max_length=COMMENT_LIMIT, widget=forms.Textarea(attrs={"rows": 2})
    )


def occupant_choices(policy: Policy, to_stage: Stage, occupants: "Sequence[ModelVersion]") -> list[tuple[str, str]]:
    """What may become of the versions in the stage, as (value, words), the usual choice first; empty: no question."""
    if not occupants or to_stage not in ACTIVE_STAGES:
        return []
    who = ngettext("version %(numbers)s", "versions %(numbers)s", len(occupants)) % {
        "numbers": ", ".join(str(occupant.version) for occupant in occupants[:5])
    }
    archive = (OccupantDecision.ARCHIVE.value, gettext("Archive %(who)s") % {"who": who})
    keep = (OccupantDecision.KEEP.value, gettext("Leave %(who)s where it is") % {"who": who})
    moves = [
        (
            f"{OccupantDecision.MOVE.value}:{stage.value}",
            gettext("Move %(who)s to %(stage)s") % {"who": who, "stage": stage.value},
        )
        for stage in (Stage.STAGING, Stage.NONE)
        if stage is not to_stage
    ]
    match policy.when_occupied:
        case WhenOccupied.ARCHIVE:
            return []
        case WhenOccupied.ASK:
            return [archive, *moves]
        case WhenOccupied.SHARE:
            return [keep, archive]
