"""What mails say. Each function makes a `Mail` that is not saved yet, or writes it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.template.loader import render_to_string

from registry_site.accounts.links import ASKED_FOR_BY_MAIL_LASTS, LASTS
from registry_site.accounts.models import User
from registry_site.accounts.purposes import LinkPurpose
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.sentences import plain_sentence_of
from registry_site.core import clock
from registry_site.notifications.audience import DECISIONS, Why
from registry_site.notifications.models import Mail
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import OccupantDecision
from registry_site.registry.models import RegisteredModel

LINK = "(the link stands in the mail alone)"  # what the stored text has in its place
_VERBS = {
    Kind.REQUEST_APPROVED: "approved",
    Kind.REQUEST_REJECTED: "rejected",
    Kind.REQUEST_CANCELLED: "cancelled",
    Kind.REQUEST_SUPERSEDED: "closed",
}
_REASONS = {
    Why.ASKED: "you made this request",
    Why.TOOK_PART: "you took part in this request",
    Why.MAY_DECIDE: "you may decide this request",
    Why.WAITS: "this request waits for your review",
    Why.MENTIONED: "you are mentioned",
    Why.MANAGES: "you manage this model",
    Why.FOLLOWS: "you follow this model",
}


# -- about an activity -------------------------------------------------------------------------------------------------
def letter(
    activity: Activity, model: RegisteredModel, request: TransitionRequest | None, person: User, why: Why
) -> Mail:
    """The mail that tells a person of an activity of this model, and of the request that it belongs to, if any."""
    actor = User.objects.filter(pk=activity.actor_id).first() if activity.actor_id else None
    context: dict[str, Any] = {
        "person": str(person),
        "actor": _actor_of(activity, actor),
        "model": model.name,
        "about": model.name,
        "comment": activity.comment,
        "sentence": plain_sentence_of(activity),
        "link": _link(model, version=activity.version),
        "reason": _REASONS[why],
        "site": settings.PODIUM_SITE_URL,
    }
    template, thread = "activity", f"model.{model.pk}"
    subject = "{actor} {sentence} of {model}".format_map(context)
    if request is not None:
        kind = Kind(activity.kind)
        context |= _about_request(activity, model, request) | {"is_own": why is Why.ASKED}
        thread = f"request.{model.pk}.{request.number}"
        subject = "{about}: {actor} {sentence}".format_map(context)
        move = "{model} version {version} to {to_stage}".format_map(context)
        if request.is_copy:
            move = "{model} version {version} into {copy_to}".format_map(context)
        if why is Why.MAY_DECIDE:
            verb = "copy" if request.is_copy else "move"
            template, subject = "request_created", f"{context['actor']} asks to {verb} {move}"
        elif kind is Kind.REQUEST_EXPIRED and why is Why.ASKED:
            template, subject = "request_expired", f"Expired: {move}"
        elif why is Why.ASKED and kind in DECISIONS:
            template, subject = "request_decided", f"{context['verb'].capitalize()}: {move}"
        elif kind is Kind.REQUEST_REMINDED:
            template = "request_reminded"
            subject = f"{'It is up to you' if why is Why.ASKED else 'Still waits for you'}: {move}"
        elif kind is Kind.REQUEST_EVIDENCE_CHANGED:
            template = "evidence_changed"
            whose = "Approvals no longer count" if why is Why.ASKED else "Your approval no longer counts"
            subject = f"{whose}: {move}"
        elif kind is Kind.REVIEW_DISMISSED:
            template, subject = "review_dismissed", f"{context['actor']} dismissed your review: {move}"
        elif kind is Kind.CHECK_POSTED:
            template, subject = "check_failed", f"{activity.data.get('check')} failed: {move}"
    return _mail(person, subject, template, context, activity_id=activity.pk, thread=thread, why=why.value)


def _actor_of(activity: Activity, person: User | None) -> str:
    return str(person or activity.actor_name) if activity.actor_id else "Podium"


def _about_request(activity: Activity, model: RegisteredModel, request: TransitionRequest) -> dict[str, Any]:
    said = activity.data
    asked = {"version": request.version, "to": request.to_stage}
    if request.is_copy:
        asked["copy_to"] = request.target_name
    return {
        "about": f"{model.name}#{request.number}",
        "verb": _VERBS.get(Kind(activity.kind), ""),
        "requester": str(request.requester or request.requester_name),
        "days": said.get("days"),
        "expires_at": request.expires_at,
        "changes": said.get("changes") or (),
        "stale": said.get("stale") or (),
        "check": said.get("check"),
        "summary": said.get("summary"),
        "check_link": said.get("link"),
        "ask_anew": f"{_link(model)}/requests/new?{urlencode(asked)}",
        "version": request.version,
        "from_stage": request.from_stage,
        "to_stage": request.to_stage,
        "copy_to": request.target_name if request.is_copy else "",
        "occupant": _fate_of_occupant(request),
        "link": _link(model, request=request.number),
    }


def _link(model: RegisteredModel, *, request: int | None = None, version: int | None = None) -> str:
    address = f"{settings.PODIUM_SITE_URL}/models/{quote(model.name, safe='')}"
    if request is not None:
        return f"{address}/requests/{request}"
    return address if version is None else f"{address}/versions/{version}"


def _fate_of_occupant(request: TransitionRequest) -> str:
    decision = OccupantDecision(request.occupant_decision)
    if decision is OccupantDecision.ARCHIVE:
        return f"Whatever is in {request.to_stage} then is archived."
    if decision is OccupantDecision.MOVE:
        return f"Whatever is in {request.to_stage} then moves to {request.occupant_to_stage}."
    return ""


def webhook_parked(activity: Activity, model: RegisteredModel | None, person: User) -> Mail:
    """The mail that tells a person that a webhook, of this model or of all, is disabled."""
    context = {
        "person": str(person),
        "name": activity.data["name"],
        "model": model.name if model else "",
        "host": activity.data["host"],
        "reason": activity.comment,
        "link": f"{settings.PODIUM_SITE_URL}/webhooks/{activity.data['webhook_id']}",
        "site": settings.PODIUM_SITE_URL,
    }
    subject = f"The webhook {activity.data['name']} is disabled: it has failed for days"
    return _mail(person, subject, "webhook_parked", context, activity_id=activity.pk)


def digest(person: User, models: Sequence[tuple[RegisteredModel, Sequence[Activity]]]) -> Mail:
    """The mail that tells a person of all these activities of these models."""
    told = [(model.name, _link(model), [_line(activity) for activity in found]) for model, found in models]
    count = sum(len(lines) for _, _, lines in told)
    context = {"person": str(person), "models": told, "count": count, "site": settings.PODIUM_SITE_URL}
    names = ", ".join(name for name, _, _ in told)
    return _mail(person, f"What happened to {names}", "digest", context, why=Why.FOLLOWS.value)


def _line(activity: Activity) -> str:
    return f"{_actor_of(activity, None)} {plain_sentence_of(activity)}"


# -- links that let people in ------------------------------------------------------------------------------------------
def write_invitation(activity: Activity) -> None:
    """Write the mail with which somebody who was invited comes in. To do it again changes nothing."""
    person = User.objects.filter(pk=activity.data.get("user_id"), is_active=True).exclude(email="").first()
    if person is not None:
        inviter = User.objects.filter(pk=activity.actor_id).first() if activity.actor_id else None
        by = str(inviter or activity.actor_name)
        mail = with_link(person, LinkPurpose.INVITATION, f"{by} invites you to Podium", by=by)
        mail.activity_id = activity.pk
        Mail.objects.bulk_create([mail], ignore_conflicts=True)


def with_link(person: User, purpose: LinkPurpose, subject: str, *, by: str = "") -> Mail:
    """A mail that will hold a link with which this person comes in, made when it is sent."""
    lasts = ASKED_FOR_BY_MAIL_LASTS if purpose is LinkPurpose.PASSWORD else LASTS[purpose]
    context = {
        "person": str(person),
        "username": person.username,
        "by": by,
        "link": LINK,
        "hours": lasts // timedelta(hours=1),
        "days": lasts.days,
        "site": settings.PODIUM_SITE_URL,
    }
    return _mail(person, subject, purpose.value, context, link=purpose)


def _mail(person: User, subject: str, template: str, context: Mapping[str, Any], **fields: Any) -> Mail:
    now = clock.now()
    return Mail(
        recipient=person,
        address=person.email,
        subject=subject[:300],
        text=render_to_string(f"mail/{template}.txt", context).strip() + "\n",
        html=render_to_string(f"mail/{template}.html", context),
        created_at=now,
        due_at=now,
        **fields,
    )
