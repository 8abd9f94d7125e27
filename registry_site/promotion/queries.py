"""Reading requests: what waits for whom, and what would happen."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import cache, reduce
from operator import or_

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, prefetch_related_objects

from registry_site.accounts.access import SOMEBODY
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.queries import activities_of_model
from registry_site.core.errors import NotFound
from registry_site.core.once import once
from registry_site.core.pages import Page
from registry_site.core.prepared import Among, Prepared, Question
from registry_site.core.together import ask_together
from registry_site.promotion.directions import directions_in_force
from registry_site.promotion.evidence import Content
from registry_site.promotion.facts import Entry, facts_of, facts_questions
from registry_site.promotion.gates import GateResult, GateType, evaluate
from registry_site.promotion.mirrors import alias_policies
from registry_site.promotion.models import AliasPolicy, Comment, Evidence, MetricDirection, Review, TransitionRequest
from registry_site.promotion.policies import PolicySource, policies_in_force, policies_of_requests
from registry_site.promotion.rules import Outcome, Policy, RequestState, decide
from registry_site.promotion.settling import facts_of_reviews
from registry_site.promotion.visibility import visible, visible_comments
from registry_site.registry.access import everywhere, with_level
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_model, get_version
from registry_site.registry.stages import Stage
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

REQUESTS_PER_PAGE_AT_MOST = 500
COUNTED_AT_MOST = 1000
LARGEST_KEY = 2**63 - 1


class Role(StrEnum):
    """Whose requests a list shows."""

    WAITING = "waiting"
    MINE = "mine"
    ALL = "all"


@once
def get_request(actor: Actor, name: str, number: int) -> TransitionRequest:
    """The request with its model, version, requester and reviews. Raises NotFound also where one may not see it."""
    found = _visible(actor).filter(registered_model__name=name, number=number).first()
    if found is None:
        raise NotFound(f"There is no request {name}#{number}.")
    return found


def waiting_for(actor: Actor) -> QuerySet[TransitionRequest]:
    """Pending requests of others that the actor may decide and has not reviewed yet, oldest first."""
    involves_production = (
        Q(to_stage=Stage.PRODUCTION.value)
        | Q(model_version__current_stage=Stage.PRODUCTION.value, copy_to_name="")
        | Q(occupant_to_stage=Stage.PRODUCTION.value)
    )
    for_production = _on_target(actor, Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    for_staging = _on_target(actor, Level.CAN_MANAGE_STAGING_VERSIONS)
    return (
        _visible(actor)
        .filter(
            Q(involves_production, for_production) | Q(~involves_production, for_staging),
            ~Exists(Review.objects.filter(request=OuterRef("pk"), reviewer_id=actor.user_id)),
            state=RequestState.PENDING.value,
        )
        .exclude(requester_id=actor.user_id)
        .order_by("created_at", "pk")
    )


def _on_target(actor: Actor, level: Level) -> Q:
    """The requests for a stage of a model on which the actor has this level. It is asked of each pending request, not
    of each model."""
    here = Q(with_level(actor, level, "registered_model_id"), copy_to_name="")
    return here | Q(with_level(actor, level, "copy_to_id"), copy_to__isnull=False)


def count_waiting_for(actor: Actor) -> int:
    """How many requests wait for the actor: the number in the header of every page. More than 999 count as 1,000."""
    return sum(len(question.answer()) for question in waiting_questions(actor))


def waiting_questions(actor: Actor) -> list[Question[int]]:
    """What `count_waiting_for` asks, for `ask_together`."""
    if actor.user_id is None:
        return []
    keys = _waiting_keys(replace(SOMEBODY, is_admin=actor.is_admin), everywhere(actor))
    return [keys.question(user=actor.user_id)]


@cache
def _waiting_keys(somebody: Actor, _everywhere: Level) -> Prepared[int]:
    """Whose level everywhere is the same are asked about in the same words."""
    return Prepared(lambda: waiting_for(somebody).values_list("pk")[:COUNTED_AT_MOST], int)


def requests_by(actor: Actor) -> QuerySet[TransitionRequest]:
    """The actor's own requests, newest first."""
    return _visible(actor).filter(requester_id=actor.user_id).order_by("-created_at", "-pk")


def all_requests(actor: Actor, *, state: RequestState | None = None) -> QuerySet[TransitionRequest]:
    """Every request that the actor may see, newest first."""
    requests = _visible(actor).order_by("-created_at", "-pk")
    return requests.filter(state=state.value) if state else requests


def browse_requests(
    actor: Actor,
    *,
    role: Role = Role.ALL,
    state: RequestState | None = None,
    name: str | None = None,
    copy_to: str | None = None,
    reviewer: str | None = None,
    with_copies: bool = False,
    max_results: int = 25,
    page_token: str | None = None,
) -> Page[TransitionRequest]:
    """A page of requests: those that wait for the actor (oldest first), the actor's own, or all (newest first).

    Of them those in a state, about the model of a name (and `with_copies` those for copies into it), for copies into
    the one of a name, and those that somebody has reviewed, if that is asked for.
    """
    requests = {Role.WAITING: waiting_for, Role.MINE: requests_by, Role.ALL: all_requests}[role](actor)
    if state is not None:
        requests = requests.filter(state=state.value)
    if name is not None and with_copies:
        model = Subquery(RegisteredModel.objects.filter(name=name).values("pk"))
        requests = requests.filter(Q(registered_model=model) | Q(copy_to=model))
    elif name is not None:
        requests = requests.filter(registered_model__name=name)
    if copy_to is not None:
        requests = requests.filter(copy_to__name=copy_to)
    if reviewer is not None:
        requests = requests.filter(Exists(Review.objects.filter(request=OuterRef("pk"), reviewer_name=reviewer)))
    return read_page(
        requests,
        OrderPlan((Term("id", "id", descending=role is not Role.WAITING, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["requests", actor.user_id, role, state, name, copy_to, reviewer, with_copies],
        most=REQUESTS_PER_PAGE_AT_MOST,
    )


def outcomes_of(requests: Sequence[TransitionRequest]) -> dict[int, Outcome]:
    """What reviews and gates of each request amount to, by its key, in a fixed number of queries; the reviews have been
    prefetched. Whether reviewers still hold their level is not looked at, nor are the gates of decided requests."""
    policies = policies_of_requests(requests)
    gates = _gates_of(requests, policies)
    return {
        request.pk: decide(
            policies[request.pk],
            request.requester_id,
            facts_of_reviews(request, request.reviews.all()),
            gates.get(request.pk, ()),
        )
        for request in requests
    }


def _gates_of(
    requests: Sequence[TransitionRequest], policies: Mapping[int, Policy]
) -> dict[int, tuple[GateResult, ...]]:
    """What becomes of the gates of those of these requests that are pending."""
    for request in requests:
        if request.model_version is not None:
            request.model_version.registered_model = request.registered_model
    asked = [
        (request, Entry(request.model_version, Stage(request.to_stage), gates, request.copy_to))
        for request in requests
        if request.state == RequestState.PENDING.value
        and request.model_version is not None
        and (gates := policies[request.pk].gates)
    ]
    entries = [entry for _, entry in asked]
    signed = [request for request, entry in asked if entry.has(GateType.SIGNATURE)]
    ask_together(*([_files_question(signed)] if signed else []), *facts_questions(entries))
    files = _files_kept(signed)
    return {
        request.pk: evaluate(entry.gates, facts)
        for (request, entry), facts in zip(asked, facts_of(entries, files), strict=True)
    }


def _files_kept(requests: Sequence[TransitionRequest]) -> dict[int, Content]:
    """What the present evidence of these requests says of files, by the keys of their versions."""
    return dict(_files_question(requests).answer()) if requests else {}


def _files_question(requests: Sequence[TransitionRequest]) -> Question[tuple[int, Content]]:
    return _FILES_KEPT.question(keys=[request.pk for request in requests])


_FILES_KEPT: Prepared[tuple[int, Content]] = Prepared(
    lambda: Evidence.objects.filter(Among("request_id"), digest=F("request__evidence_digest")).values_list(
        "request__model_version_id", "content"
    ),
    lambda version, content: (version, json.loads(content)["files"]),
)


def requests_of_model(
    actor: Actor, name: str, *, state: RequestState | None = None, version: int | None = None
) -> QuerySet[TransitionRequest]:
    """The requests of a model, or of one of its versions, newest first."""
    requests = all_requests(actor, state=state).filter(registered_model__name=name)
    return requests if version is None else requests.filter(version=version)


def approvals_of(actor: Actor, versions: Sequence[ModelVersion]) -> list[TransitionRequest]:
    """By which requests these versions of one model came to the stages where they are: of each the last, if there was
    one. Without evidence, with reviews."""
    if not versions:
        return []
    approved = all_requests(actor, state=RequestState.APPROVED)
    last = [approved.filter(model_version=one, to_stage=one.current_stage, copy_to_name="") for one in versions]
    return list(approved.filter(reduce(or_, (Q(pk=Subquery(one.values("pk")[:1])) for one in last))))


def facets_of_models(actor: Actor) -> dict[str, Q]:
    """What models may be found by because of their requests, for `browse_models`: `has:request`, a pending one."""
    pending = TransitionRequest.objects.filter(visible(actor), state=RequestState.PENDING.value)
    return {"has:request": Q(pk__in=pending.values("registered_model"))}


def pending_requests(actor: Actor, models: Sequence[RegisteredModel]) -> dict[int, TransitionRequest]:
    """The newest pending request of each model that has one, by the model's key."""
    pending = TransitionRequest.objects.filter(
        visible(actor), registered_model__in=models, state=RequestState.PENDING.value
    ).select_related("copy_to")
    return {request.registered_model_id: request for request in pending.order_by("created_at", "pk")}


def with_reviews(requests: Sequence[TransitionRequest]) -> Sequence[TransitionRequest]:
    """The requests, with reviews if they were read without."""
    prefetch_related_objects(requests, _REVIEWS)
    return requests


def _visible(actor: Actor) -> QuerySet[TransitionRequest]:
    return (
        TransitionRequest.objects.filter(visible(actor))
        .select_related("registered_model", "model_version", "requester", "copy_to")
        .prefetch_related(_REVIEWS)
    )


_REVIEWS = Prefetch("reviews", Review.objects.select_related("reviewer"))


def timeline_of(
    actor: Actor, name: str, number: int, *, max_results: int = 100, page_token: str | None = None
) -> Page[Activity]:
    """A page of the history of a request, newest first: what was done to it, and what happened to its version while it
    was pending. Raises NotFound."""
    request = get_request(actor, name, number)
    of_version = Q(version=request.version, kind__in=_MEANWHILE, at__gte=request.created_at)
    if request.decided_at is not None:
        of_version &= Q(at__lte=request.decided_at)
    return read_page(
        activities_of_model(request.registered_model_id).filter(Q(request_number=number) | of_version),
        OrderPlan((Term("id", "id", descending=True, nullable=False),)),
        max_results=max_results,
        page_token=page_token,
        query=["timeline", actor.user_id, name, number],
        most=REQUESTS_PER_PAGE_AT_MOST,
    )


_MEANWHILE = (
    Kind.VERSION_DESCRIBED,
    Kind.VERSION_TAG_SET,
    Kind.VERSION_TAG_DELETED,
    Kind.CHECK_POSTED,
    Kind.VERSION_DELETED,
    Kind.STAGE_BYPASSED,
    Kind.VERSION_STAGE_CHANGED,
)


def get_comment(actor: Actor, name: str, number: int, comment_id: int) -> Comment:
    """A comment on a request. Raises NotFound."""
    comments = visible_comments(actor).filter(registered_model__name=name, request__number=number)
    found = comments.filter(pk=min(comment_id, LARGEST_KEY)).first()
    if found is None:
        raise NotFound(f"There is no comment '{comment_id}' on {name}#{number}.", field="id")
    return found


def comments_told(actor: Actor, found: Iterable[Activity]) -> dict[str, Comment]:
    """The comments that these activities tell of, as they are now, by what `comment_id` says; in one query. One that
    was deleted is missing."""
    ids = {str(activity.data["comment_id"]) for activity in found if activity.kind == Kind.COMMENT_CREATED}
    comments = visible_comments(actor).filter(pk__in=ids).select_related("author")
    return {str(one.pk): one for one in comments} if ids else {}


def policies_shown(actor: Actor, name: str | None = None) -> dict[Stage, tuple[Policy, PolicySource]]:
    """The policy of each stage that holds for a model, or without a name for the site, and whose it is. Raises
    NotFound."""
    actor.require_signed_in()
    return policies_in_force(get_model(actor, name) if name is not None else None)


def alias_policies_shown(actor: Actor, name: str | None = None) -> list[AliasPolicy]:
    """The aliases that stand for a stage in a model, or without a name in all, by alias. Raises NotFound."""
    actor.require_signed_in()
    found = alias_policies(get_model(actor, name) if name is not None else None)
    return [row for _, row in sorted(found.items())]


def metric_directions_shown(actor: Actor, name: str | None = None) -> list[MetricDirection]:
    """What is said of a model's metrics, or without a name of those of all, by metric. Raises NotFound."""
    actor.require_signed_in()
    return directions_in_force(get_model(actor, name) if name is not None else None)


def pending_requests_by_version(actor: Actor, versions: Sequence[ModelVersion]) -> dict[int, TransitionRequest]:
    """The newest pending request of each version that has one, for a stage or for a copy, by the version's key."""
    pending = _visible(actor).filter(model_version__in=versions, state=RequestState.PENDING.value)
    pending = pending.prefetch_related(None)
    return {request.model_version_id: request for request in pending.order_by("pk") if request.model_version_id}


def open_requests(actor: Actor, name: str, version: int) -> list[TransitionRequest]:
    """The pending requests that a version move to a stage of its model, oldest first. Raises NotFound where there is no
    such version to see."""
    found = get_version(actor, name, version)
    pending = _visible(actor).filter(model_version=found, copy_to_name="", state=RequestState.PENDING.value)
    return list(pending.order_by("pk"))


def open_request(actor: Actor, name: str, version: int, to_stage: Stage, *, by: str = "") -> TransitionRequest:
    """The pending request of a version for a stage, or that of this requester. Raises NotFound."""
    for request in open_requests(actor, name, version):
        if request.to_stage == to_stage.value and by in ("", request.requester_name):
            return request
    of = f" by {by}" if by else ""
    raise NotFound(f"There is no open request{of} to move {name} version {version} to {to_stage.value}.")
