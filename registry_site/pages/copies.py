"""Requests that a version be copied into another model, as pages tell of them."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from registry_site.promotion.rules import OccupantDecision
from registry_site.registry.stages import Stage

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.promotion.models import TransitionRequest
    from registry_site.promotion.standing import Standing


def question_of_copy(asked: "TransitionRequest") -> str:
    """What a request for a copy asks."""
    words = {
        "name": asked.registered_model.name,
        "version": asked.version,
        "other": asked.target_name,
        "stage": asked.to_stage,
    }
    if asked.to_stage == Stage.NONE.value:
        return _("Copy %(name)s version %(version)s into %(other)s?") % words
    return _("Copy %(name)s version %(version)s into %(other)s, in %(stage)s?") % words


def occupants_of_copy(asked: "TransitionRequest", standing: "Standing") -> list[tuple[int, str, str]]:
    """What becomes of the versions of the other model when the copy arrives: version, from, to."""
    if asked.occupant_decision == OccupantDecision.KEEP:
        return []
    moved_to = asked.occupant_to_stage or Stage.ARCHIVED.value
    return [(occupant.version, asked.to_stage, moved_to) for occupant in standing.occupants]


def effect_of_approved_copy(asked: "TransitionRequest", *, gates_pass: bool, others_wait: bool) -> str:
    """What the last approval that is missing does."""
    words = {"version": asked.version, "other": asked.target_name}
    if not gates_pass:
        return _("Version %(version)s is copied into %(other)s as soon as all gates pass.") % words
    if others_wait:
        return _("Version %(version)s is copied into %(other)s when nobody waits for changes any more.") % words
    return _("Version %(version)s is copied into %(other)s at once.") % words


def said_of_approved_copy(asked: "TransitionRequest") -> str:
    """What whoever approved it last is told."""
    return _("Approved. %(other)s has version %(version)s now, in %(stage)s.") % {
        "other": asked.target_name,
        "version": asked.copied_version,
        "stage": asked.to_stage,
    }
