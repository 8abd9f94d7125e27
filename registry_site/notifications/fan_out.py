"""From history to notifications, and to the mails that go out at once."""

from collections.abc import Iterable
from datetime import datetime

from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.notifications import letters
from registry_site.notifications.audience import TAKES_REVIEWS_AWAY, TOLD, Facts, Way, Why, audience, usual_way
from registry_site.notifications.digests import next_digest
from registry_site.notifications.models import Following, Mail, MailChoice, Notification
from registry_site.promotion.gates import CheckState
from registry_site.promotion.mentions import mentions
from registry_site.promotion.models import Comment, TransitionRequest
from registry_site.promotion.policies import policy_of_request
from registry_site.promotion.rules import RequestState, Verdict, decide
from registry_site.promotion.settling import deciders_of, review_facts
from registry_site.registry.access import MODELS, people_with_level
from registry_site.registry.models import RegisteredModel


def fan_out(activities: Iterable[Activity]) -> None:
    """Write down whom to tell of these activities, and the mails that go out at once. To do it again changes nothing.

    Belongs into the transaction that takes the activities off the outbox.
    """
    for activity in activities:
        if activity.kind == Kind.USER_INVITED:
            letters.write_invitation(activity)
        elif activity.kind == Kind.WEBHOOK_PARKED:
            _tell_of_parked(activity)
        elif activity.kind in TOLD and activity.registered_model_id is not None:
            for request in _requests_of(activity):
                _tell_of(activity, activity.registered_model_id, request)


def _tell_of(activity: Activity, model_key: int, request: TransitionRequest | None) -> None:
    told = audience(_facts(activity, model_key, request))
    if not told:
        return
    model = RegisteredModel.objects.filter(pk=model_key).first()
    if model is None:  # it was deleted meanwhile, and nothing is left to decide or look at
        return
    readers = people_with_level(model, Level.CAN_READ).filter(pk__in=told)
    if request is not None and request.copy_to is not None:  # who may not see that model, is not told of the request
        readers = readers.filter(pk__in=people_with_level(request.copy_to, Level.CAN_READ).values("pk"))
    elif request is not None and request.is_copy:  # it is gone, and its name is for whoever asked alone
        readers = readers.filter(transition_requests=request)
    people = list(readers)
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


def _tell_of_parked(activity: Activity) -> None:
    """Tell whoever made the webhook, if they may still manage it; else all who may."""
    model = None
    managers = User.objects.filter(is_superuser=True, is_active=True)
    if activity.registered_model_id is not None:
        model = RegisteredModel.objects.filter(pk=activity.registered_model_id).first()
        if model is None:  # it was deleted meanwhile, and the webhook with it
            return
        managers = people_with_level(model, Level.CAN_MANAGE)
    people = list((managers.filter(pk=activity.data.get("owner_id")) or managers).order_by("pk"))
    now = clock.now()
    Notification.objects.bulk_create(
        [_notification(activity, person, Why.MANAGES, {}, now) for person in people], ignore_conflicts=True
    )
    Mail.objects.bulk_create(
        [letters.webhook_parked(activity, model, person) for person in people if person.email], ignore_conflicts=True
    )


def _requests_of(activity: Activity) -> list[TransitionRequest | None]:
    """The request that an activity is a step of, or None; of a check, the pending requests of its version."""
    related = TransitionRequest.objects.select_related("registered_model", "model_version", "requester", "copy_to")
    of_model = related.filter(registered_model_id=activity.registered_model_id)
    if activity.kind == Kind.CHECK_POSTED and activity.version is not None:
        return list(of_model.filter(version=activity.version, state=RequestState.PENDING.value).order_by("-number"))
    if activity.request_number is None:
        return [None]
    return [of_model.filter(number=activity.request_number).first()]


def _facts(activity: Activity, model_key: int, request: TransitionRequest | None) -> Facts:
    """What the rule needs of the database, and nothing that it does not."""
    kind = Kind(activity.kind)
    reasons = TOLD[kind]
    names = _newly_mentioned(activity) if Why.MENTIONED in reasons else ()
    deciders = _deciders(request) if request and Why.MAY_DECIDE in reasons else ()
    undecided, is_up_to_requester = _waited_for(request) if request and Why.WAITS in reasons else ((), False)
    return Facts(
        kind=kind,
        actor_id=activity.actor_id,
        is_of_request=activity.request_number is not None,
        is_open=request is None or request.state == RequestState.PENDING.value,
        has_failed=activity.data.get("state") == CheckState.FAILED.value,
        is_up_to_requester=is_up_to_requester,
        requester_id=request.requester_id if request else None,
        participant_ids=_participants(request) if request and kind is Kind.COMMENT_CREATED else (),
        affected_ids=_affected(activity, request) if request and kind in TAKES_REVIEWS_AWAY else (),
        decider_ids=deciders,
        undecided_ids=undecided,
        mentioned_ids=list(User.objects.filter(username__in=names).values_list("pk", flat=True)) if names else (),
        manager_ids=list(MODELS.managers(model_key).values_list("pk", flat=True)) if Why.MANAGES in reasons else (),
        follower_ids=list(Following.objects.filter(registered_model=model_key).values_list("user_id", flat=True)),
    )


def _newly_mentioned(activity: Activity) -> list[str]:
    """The user names in its comment, without those who were in it before it was changed."""
    before = activity.data.get("before") if activity.kind == Kind.COMMENT_UPDATED else ""
    known = mentions(str(before or ""))
    return [name for name in mentions(activity.comment) if name not in known]


def _deciders(request: TransitionRequest) -> list[int]:
    return list(deciders_of(request).values_list("pk", flat=True))


def _waited_for(request: TransitionRequest) -> tuple[list[int], bool]:
    """Whose verdict a pending request waits for, and whether it waits for its requester."""
    policy = policy_of_request(request)
    facts = review_facts(request, list(request.reviews.all()))
    outcome = decide(policy, request.requester_id, facts)
    if not outcome.missing:
        return [], True
    decided = {
        fact.reviewer_id
        for fact in facts
        if fact.verdict is not Verdict.COMMENT
        and not fact.is_dismissed
        and not (fact.is_stale and (policy.dismiss_stale_approvals or fact.verdict is not Verdict.APPROVE))
    }
    return [person for person in _deciders(request) if person not in decided], bool(outcome.blocked_by)


def _participants(request: TransitionRequest) -> list[int]:
    """Who has reviewed or commented on it."""
    reviewers = request.reviews.exclude(reviewer=None).values_list("reviewer_id", flat=True)
    authors = Comment.objects.filter(request=request).exclude(author=None).values_list("author_id", flat=True)
    return [*reviewers, *authors]


def _affected(activity: Activity, request: TransitionRequest) -> list[int]:
    """Whose reviews no longer count by this activity."""
    said = activity.data
    names = said.get("stale", ()) if activity.kind == Kind.REQUEST_EVIDENCE_CHANGED else [said.get("reviewer")]
    found = request.reviews.filter(reviewer_name__in=names).exclude(reviewer=None)
    return list(found.values_list("reviewer_id", flat=True))


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
