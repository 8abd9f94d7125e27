"""From history to notifications, and to the mails that go out at once."""

from collections.abc import Iterable
from datetime import datetime

from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.notifications import letters
from registry_site.notifications.audience import TOLD, Facts, Way, Why, audience, usual_way
from registry_site.notifications.digests import next_digest
from registry_site.notifications.mentions import mentioned
from registry_site.notifications.models import Following, Mail, MailChoice, Notification
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.rules import RequestState
from registry_site.promotion.services import level_of_request
from registry_site.registry.access import MODELS, people_with_level
from registry_site.registry.models import RegisteredModel


def fan_out(activities: Iterable[Activity]) -> None:
    """Write down whom to tell of these activities, and the mails that go out at once. To do it again changes nothing.

    Belongs into the transaction that takes the activities off the outbox.
    """
    for activity in activities:
        if activity.kind == Kind.USER_INVITED:
            letters.write_invitation(activity)
        elif activity.kind in TOLD and activity.registered_model_id is not None:
            _tell_of(activity, activity.registered_model_id)


def _tell_of(activity: Activity, model_key: int) -> None:
    request = _request_of(activity)
    told = audience(_facts(activity, model_key, request))
    if not told:
        return
    model = RegisteredModel.objects.filter(pk=model_key).first()
    if model is None:  # it was deleted meanwhile, and nothing is left to decide or look at
        return
    people = list(people_with_level(model, Level.CAN_READ).filter(pk__in=told))
    ways = _ways(people)
    now = clock.now()
    Notification.objects.bulk_create(
        [_notification(activity, person, told[person.pk], ways, now) for person in people], ignore_conflicts=True
    )
    Mail.objects.bulk_create(
        [
            letters.letter(activity, model, request, person, told[person.pk])
            for person in people
            if person.email and _way(ways, person, told[person.pk]) is Way.AT_ONCE
        ],
        ignore_conflicts=True,
    )


def _request_of(activity: Activity) -> TransitionRequest | None:
    if activity.request_number is None:
        return None
    return (
        TransitionRequest.objects.select_related("registered_model", "model_version", "requester")
        .filter(registered_model_id=activity.registered_model_id, number=activity.request_number)
        .first()
    )


def _facts(activity: Activity, model_key: int, request: TransitionRequest | None) -> Facts:
    """What the rule needs of the database, and nothing that it does not."""
    kind = Kind(activity.kind)
    reasons = TOLD[kind]
    names = mentioned(activity.comment) if Why.MENTIONED in reasons else ()
    deciders = (
        people_with_level(request.registered_model, level_of_request(request)).values_list("pk", flat=True)
        if request is not None and Why.MAY_DECIDE in reasons
        else ()
    )
    return Facts(
        kind=kind,
        actor_id=activity.actor_id,
        is_of_request=activity.request_number is not None,
        is_open=request is None or request.state == RequestState.PENDING.value,
        requester_id=request.requester_id if request else None,
        decider_ids=list(deciders),
        mentioned_ids=list(User.objects.filter(username__in=names).values_list("pk", flat=True)) if names else (),
        manager_ids=list(MODELS.managers(model_key).values_list("pk", flat=True)) if Why.MANAGES in reasons else (),
        follower_ids=list(Following.objects.filter(registered_model=model_key).values_list("user_id", flat=True)),
    )


Ways = dict[tuple[int, str], Way]


def _ways(people: Iterable[User]) -> Ways:
    chosen = MailChoice.objects.filter(user__in=people).values_list("user_id", "why", "way")
    return {(user, why): Way(way) for user, why, way in chosen}


def _way(ways: Ways, person: User, why: Why) -> Way:
    return ways.get((person.pk, why.value)) or usual_way(why)


def _notification(activity: Activity, person: User, why: Why, ways: Ways, now: datetime) -> Notification:
    is_daily = bool(person.email) and _way(ways, person, why) is Way.DAILY
    return Notification(
        recipient=person,
        activity=activity,
        registered_model_id=activity.registered_model_id,
        why=why.value,
        created_at=now,
        digest_at=next_digest(now, person.time_zone) if is_daily else None,
    )
