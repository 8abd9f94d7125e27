"""Where a pending request stands, and applying it in the moment in which nothing is in its way any more.

Whatever may change that (a review, a check, a tag, a dismissal, the worker's round) ends here, under the locks of
the model and of the request, in its own transaction: the request is approved *and* the stage has changed, or neither.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet, Subquery

from registry_site.accounts.actors import Actor, person, system
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core import clock
from registry_site.core.errors import Conflict, NotFound, PodiumError
from registry_site.core.once import once
from registry_site.promotion.copies import copy
from registry_site.promotion.differences import EvidenceChange, changes, is_no_reason_to_ask_again, only_confirms
from registry_site.promotion.evidence import NOT_READ, Content, Files, digest_of, evidence_of, read_files, text_of
from registry_site.promotion.models import Evidence, Review, TransitionRequest
from registry_site.promotion.moving import Why, close, gate_results, move, others_in
from registry_site.promotion.policies import policy_of_request
from registry_site.promotion.rules import (
    OccupantDecision,
    Outcome,
    Policy,
    RequestState,
    ReviewFact,
    Verdict,
    WhenOccupied,
    decide,
    level_to_decide,
)
from registry_site.promotion.subjects import of_request
from registry_site.registry import access
from registry_site.registry.locking import lock_model, lock_models
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import ACTIVE_STAGES, Stage

SETTLED_EVERY = timedelta(minutes=1)  # a run may log another metric, and tells nobody
_CHANGES_TOLD = 100


# -- locking -----------------------------------------------------------------------------------------------------------
def lock_request(actor: Actor, name: str, number: int) -> TransitionRequest:
    """A pending request, locked after its model, or, of a copy, after both. Raises NotFound, and Conflict for one that
    is decided."""
    actor.require_signed_in()
    hidden = NotFound(f"There is no request {name}#{number}.")
    found = TransitionRequest.objects.filter(registered_model__name=name, number=number)
    key, copy_to = found.values_list("registered_model_id", "copy_to_id").first() or (None, None)
    target = None
    if key is not None and copy_to is not None:
        locked = lock_models([key, copy_to])
        model, target = locked.get(key), locked.get(copy_to)
        if model is None or target is None or model.name != name:
            raise hidden
        access.require(actor, target, Level.CAN_READ, hidden=hidden)
    else:
        model = lock_model(name)
    if model is None:
        raise hidden
    access.require(actor, model, Level.CAN_READ, hidden=hidden)
    request = TransitionRequest.objects.select_for_update().filter(registered_model=model, number=number).first()
    if request is None:
        raise hidden
    request.registered_model = model
    if target is not None:
        request.copy_to = target
    if request.state != RequestState.PENDING.value:
        by = f" by {request.decided_by_name}" if request.decided_by_name else ""
        raise Conflict(f"Request {request} is already {request.state}{by}; nothing was changed.")
    if request.expires_at is not None and request.expires_at <= clock.now():
        raise Conflict(f"Request {request} expired on {request.expires_at:%d %B %Y}; ask anew. Nothing was changed.")
    return request


def version_of_request(request: TransitionRequest) -> ModelVersion:
    """The version that a pending request is about, which knows its model."""
    version = request.model_version
    if version is None:  # deleting a version supersedes its pending requests, so this is a broken database
        raise Conflict(f"The version of {request} no longer exists.")
    version.registered_model = request.registered_model
    return version


# -- evidence ----------------------------------------------------------------------------------------------------------
def occupant_for(version: ModelVersion, to_stage: Stage, home: RegisteredModel | None = None) -> ModelVersion | None:
    """The version that a candidate for a stage is compared with: the newest one there, else the one in Production. None
    on the way out, and where there is none. `home` is the model that it is to be copied into, if it is another one; the
    newest version there is better than none."""
    others = ModelVersion.objects.filter(registered_model=home or version.registered_model_id).exclude(pk=version.pk)
    others = others.select_related("registered_model").order_by("-version")
    if to_stage not in ACTIVE_STAGES and home is None:
        return None
    found = others.filter(current_stage=to_stage.value).first() if to_stage in ACTIVE_STAGES else None
    found = found or others.filter(current_stage=Stage.PRODUCTION.value).first()
    return found or (others.first() if home is not None else None)


def read_both(version: ModelVersion, to_stage: Stage, home: RegisteredModel | None = None) -> Files:
    """What the files of a candidate and of the version beside it say. Belongs before the transaction."""
    occupant = occupant_for(version, to_stage, home)
    return {one.pk: read_files(one) for one in (version, occupant) if one is not None}


def pin(request: TransitionRequest, files: Files) -> None:
    """Pin the evidence of a new request, and of the occupant beside it. Not saved yet."""
    version = version_of_request(request)
    occupant = occupant_for(version, Stage(request.to_stage), request.copy_to)
    candidate, *others = evidence_of([version, occupant] if occupant else [version], files)
    request.evidence_digest = _keep(request, candidate)
    request.occupant_version = occupant.version if occupant else None
    request.occupant_evidence = text_of(others[0]) if others else ""


def present_evidence(request: TransitionRequest) -> Content:
    """The evidence that is looked at now; of a decided request, that which was looked at last."""
    rows = evidence_kept(request.pk, request.evidence_digest)
    row = next((row for row in rows if row.digest == request.evidence_digest), None)
    found: Content = json.loads(row.content) if row else {}
    return found


@once
def evidence_kept(request: int, digest: str) -> list[Evidence]:
    """The evidence that a request was made with, and that of this digest, oldest first; of some requests it is one."""
    rows = Evidence.objects.filter(request=request)
    first = rows.order_by("pk").values("pk")[:1]
    return list(rows.filter(Q(digest=digest) | Q(pk=Subquery(first))).order_by("pk"))


def occupant_evidence(request: TransitionRequest) -> Content | None:
    """That of the occupant beside it."""
    found: Content | None = json.loads(request.occupant_evidence) if request.occupant_evidence else None
    return found


def refresh(actor: Actor, request: TransitionRequest, policy: Policy, files: Files | None = None) -> None:
    """Take the evidence of a pending request anew. What has changed is written down, and makes earlier approvals stale;
    `actor` is who changed it. What only confirms it does neither. A new occupant is compared with from now on.

    Of files that are not among `files`, or could not be read, what was read last counts.
    """
    before, beside = present_evidence(request), occupant_evidence(request)
    version = version_of_request(request)
    occupant = occupant_for(version, Stage(request.to_stage), request.copy_to)
    known = {version.pk: before.get("files", NOT_READ)}
    if occupant is not None and beside is not None and beside["version"] == occupant.version:
        known[occupant.pk] = beside["files"]
    known |= {key: said for key, said in (files or {}).items() if said["read"]}
    candidate, *others = evidence_of([version, occupant] if occupant else [version], known)
    other = text_of(others[0]) if others else ""
    if other != request.occupant_evidence:
        request.occupant_version, request.occupant_evidence = occupant.version if occupant else None, other
        request.save(update_fields=["occupant_version", "occupant_evidence"])
    if digest_of(text_of(candidate)) != request.evidence_digest:
        _change(actor, request, policy, before, candidate)


def _change(actor: Actor, request: TransitionRequest, policy: Policy, before: Content, after: Content) -> None:
    found = changes(before, after)
    old, request.evidence_digest = request.evidence_digest, _keep(request, after)
    request.save(update_fields=["evidence_digest"])
    if not old:  # a request from before evidence was kept
        request.reviews.update(evidence_digest=request.evidence_digest)
        return
    if only_confirms(found):
        request.reviews.filter(evidence_digest=old).update(evidence_digest=request.evidence_digest)
        return
    approvals = request.reviews.filter(verdict=Verdict.APPROVE.value, evidence_digest=old, dismissed_at__isnull=True)
    if is_no_reason_to_ask_again(found, policy.gates):
        approvals.update(evidence_digest=request.evidence_digest)
        stale: list[str] = []
    else:
        stale = list(approvals.order_by("pk").values_list("reviewer_name", flat=True))
    record(
        actor,
        Kind.REQUEST_EVIDENCE_CHANGED,
        of_request(request),
        before=old,
        after=request.evidence_digest,
        changes=list(dict.fromkeys(change.public_sentence for change in found))[:_CHANGES_TOLD],
        stale=stale if policy.dismiss_stale_approvals else [],
    )


def changes_since(request: TransitionRequest, digest: str) -> list[EvidenceChange] | None:
    """What has changed since somebody saw the evidence with this digest; None where nobody can have."""
    row = Evidence.objects.filter(request=request, digest=digest).first()
    return changes(json.loads(row.content), present_evidence(request)) if row else None


def _keep(request: TransitionRequest, content: Content) -> str:
    text = text_of(content)
    digest = digest_of(text)
    Evidence.objects.get_or_create(request=request, digest=digest, defaults={"content": text, "taken_at": clock.now()})
    return digest


# -- where it stands ---------------------------------------------------------------------------------------------------
def review_facts(request: TransitionRequest, reviews: Sequence[Review]) -> list[ReviewFact]:
    """What the rules need to know of these reviews of a request."""
    ids = {review.reviewer_id for review in reviews if review.reviewer_id is not None}
    able = set(deciders_of(request).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return facts_of_reviews(request, reviews, able)


def facts_of_reviews(
    request: TransitionRequest, reviews: Iterable[Review], able: Collection[int | None] | None = None
) -> list[ReviewFact]:
    """As `review_facts`, where it is known which of the reviewers may still decide, by their keys; or where that is not
    asked."""
    return [
        ReviewFact(
            review.reviewer_id,
            Verdict(review.verdict),
            is_stale=review.evidence_digest != request.evidence_digest,
            is_dismissed=review.dismissed_at is not None,
            may_decide=able is None or review.reviewer_id in able,
        )
        for review in reviews
    ]


def deciders_of(request: TransitionRequest) -> QuerySet[User]:
    """Everybody who may decide a request, by name; of a copy they have to be able to see where it comes from, too."""
    people = access.people_with_level(request.target, level_of_request(request))
    if not request.is_copy:
        return people
    return people.filter(pk__in=access.people_with_level(request.registered_model, Level.CAN_READ).values("pk"))


def level_of_request(request: TransitionRequest) -> Level:
    """The level that deciding this request takes, on the model whose stage is entered. A copy moves no version of the
    model that it is made from."""
    from_stage = Stage(request.model_version.current_stage if request.model_version else request.from_stage)
    if request.is_copy:
        from_stage = Stage.NONE
    occupant_to = Stage(request.occupant_to_stage) if request.occupant_to_stage else None
    return level_to_decide(from_stage, Stage(request.to_stage), occupant_to)


def outcome_of(request: TransitionRequest, policy: Policy) -> Outcome:
    """What the reviews and gates of a pending request amount to now."""
    results = gate_results(
        version_of_request(request),
        Stage(request.to_stage),
        policy,
        present_evidence(request).get("files"),
        request.copy_to,
    )
    return decide(policy, request.requester_id, review_facts(request, list(request.reviews.all())), results)


# -- and that it is done -----------------------------------------------------------------------------------------------
def settle(actor: Actor, request: TransitionRequest, policy: Policy | None = None) -> bool:
    """Apply a pending request if nothing is in its way; whether it was. In history its approvers did that, however it
    came about.

    Raises what moving raises.
    """
    policy = policy or policy_of_request(request)
    outcome = outcome_of(request, policy)
    if outcome.state is not RequestState.APPROVED:
        return False
    _require_decision(request, policy)
    counted = _counted(request, policy)
    request.approvers = [review.reviewer_name for review in counted]
    last = counted[-1]
    who = actor
    if last.reviewer is not None and last.reviewer_id != actor.user_id:
        who = person(last.reviewer, actor.origin)
    close(who, request, RequestState.APPROVED, Kind.REQUEST_APPROVED, last.comment)
    moved_to = {
        OccupantDecision.ARCHIVE: Stage.ARCHIVED,
        OccupantDecision.MOVE: Stage(request.occupant_to_stage) if request.occupant_to_stage else None,
        OccupantDecision.KEEP: None,
    }[OccupantDecision(request.occupant_decision)]
    why = Why(last.comment, request.number, request.is_rollback)
    version, to_stage = version_of_request(request), Stage(request.to_stage)
    if request.copy_to is not None:
        request.copied_version = copy(who, version, request.copy_to, to_stage, policy, moved_to, why).version
        request.save(update_fields=["copied_version"])
    else:
        move(who, version, to_stage, policy, moved_to, why)
    return True


def _require_decision(request: TransitionRequest, policy: Policy) -> None:
    """What stands in a stage that asks goes nowhere without a word about it: the stage may have been shared when the
    request was made."""
    others = others_in(version_of_request(request), Stage(request.to_stage), request.copy_to)
    if others and policy.when_occupied is WhenOccupied.ASK and request.occupant_decision == OccupantDecision.KEEP:
        raise Conflict(
            f"{others[0]} is in {request.to_stage}, which admits one version by now, and {request} leaves it there. "
            "Cancel the request, and ask anew with a word about the occupant.",
            field="occupant_decision",
        )


def _counted(request: TransitionRequest, policy: Policy) -> list[Review]:
    """The approvals that count, oldest first."""
    reviews = list(request.reviews.select_related("reviewer").order_by("created_at", "pk"))
    facts = review_facts(request, reviews)
    return [
        review
        for review, fact in zip(reviews, facts, strict=True)
        if decide(policy, request.requester_id, [fact]).approvals
    ]


def settle_version(actor: Actor, version: ModelVersion, *, changed_by: Actor | None = None) -> None:
    """Something about a version has changed: look at its pending requests again, under the model's lock.

    `changed_by` is who changed its evidence, if that is not the actor. A request that cannot be applied, because its
    occupant cannot go where it should, stays pending: whoever changed something else is not refused for that. One for a
    copy is applied right after this transaction, as it takes the lock of the other model too, in their order.
    """
    pending = version.transition_requests.select_for_update().filter(state=RequestState.PENDING.value)
    for request in list(pending.order_by("pk")):
        request.registered_model = version.registered_model
        request.model_version = version
        if request.expires_at is not None and request.expires_at <= clock.now():
            continue
        if request.is_copy:
            refresh(changed_by or actor, request, policy_of_request(request))
            TransitionRequest.objects.filter(pk=request.pk).update(settle_at=clock.now())
            again = partial(settle_request, request.registered_model.name, request.number, None)
            transaction.on_commit(again, robust=True)
        else:
            try_to_settle(actor, request, None, changed_by or actor)


def settle_request(name: str, number: int, files: Files | None) -> bool:
    """Look at a pending request again, as the worker does; whether it was applied."""
    with transaction.atomic():
        try:
            request = lock_request(system(), name, number)
        except (NotFound, Conflict):
            return False
        return try_to_settle(system(), request, files, system())


def try_to_settle(actor: Actor, request: TransitionRequest, files: Files | None, changed_by: Actor) -> bool:
    """Look at a request again, its evidence included; whether it was applied. One that cannot be stays pending."""
    policy = policy_of_request(request)
    refresh(changed_by, request, policy, files)
    try:
        with transaction.atomic():
            return settle(actor, request, policy)
    except PodiumError:
        return False
