"""Asking for a promotion and deciding about it, as two people do it."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.promotion.aliases import set_alias_policy
from registry_site.promotion.deciding import approve, cancel, reject, review
from registry_site.promotion.gates import Comparison, Gate, GateType
from registry_site.promotion.models import Review, StagePolicy, TransitionRequest
from registry_site.promotion.rules import Policy, Verdict, WhenOccupied
from registry_site.promotion.services import request_transition, transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import Grant, ModelVersion
from registry_site.registry.services import set_version_tag
from registry_site.registry.stages import Stage
from tests.make import make_version
from tests.pages.registry_flows import HTMX, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]
TWO_APPROVALS = Policy(protected=True, required_approvals=2, when_occupied=WhenOccupied.ASK)
REQUEST = "/models/churn/requests/1"


@pytest.fixture
def jon_page(jon: User, page_client: Pages) -> Client:
    return page_client(jon)


@pytest.fixture(autouse=True)
def two_versions(maria_actor: Actor, jon_actor: Actor) -> None:
    """Maria's model `churn`: version 1 is in Production, version 2 is better."""
    version_with_run(maria_actor, metrics={"auc": 0.912, "loss": 0.3}, params={"depth": "3", "seed": "1"})
    version_with_run(maria_actor, metrics={"auc": 0.929, "loss": 0.3}, params={"depth": "4", "seed": "1"})
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)


def ask(actor: Actor, comment: str = "+1.7 points.") -> TransitionRequest:
    return request_transition(actor, name="churn", version=2, to_stage=Stage.PRODUCTION, comment=comment)


def verdict(word: str, comment: str = "", **more: str) -> tuple[str, dict[str, str]]:
    """Where a review is posted, and what."""
    return f"{REQUEST}/review", {"verdict": word, "comment": comment, **more}


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


# -- asking ------------------------------------------------------------------------------------------------------------
def test_the_form_tells_beforehand_what_it_takes_and_does(eve: User, page_client: Pages) -> None:
    words = get(page_client(eve), "/models/churn/requests/new?version=2&to=production")
    for part in (
        "Request promotion of churn v2",
        "v1 is in Production now, since just now",
        "1 approval needed",
        "May decide: Jon Weber",
        "What becomes of the version there now?",
        "Archive version 1",
        "Create request",
    ):
        assert part in words, part
    assert "yourself" not in words


def test_whoever_may_move_it_directly_is_told_so(maria_page: Client) -> None:
    words = get(maria_page, "/models/churn/requests/new?version=2&to=Production")
    assert "You may also move it to Production yourself, without a review." in words


def test_without_a_version_the_newest_is_meant_and_without_a_stage_production(maria_page: Client) -> None:
    html = html_of(maria_page.get("/models/churn/requests/new"))
    assert '<input type="hidden" name="version" value="2"><input type="hidden" name="to" value="Production">' in html


def test_a_request_is_made_on_a_page_without_scripts(eve: User, page_client: Pages) -> None:
    form = {"version": "2", "to": "Production", "occupant": "move:Staging", "comment": "Half the **size**."}
    answer = page_client(eve).post("/models/churn/requests/new", form, follow=True)
    assert answer.redirect_chain[0][0] == REQUEST
    words = words_of(answer)
    assert "Promote churn version 2 to Production, replacing version 1? #1" in words
    assert "Half the size." in words
    request = TransitionRequest.objects.get()
    assert (request.occupant_decision, request.occupant_to_stage, request.requester_name) == ("move", "Staging", "eve")
    assert Activity.objects.get(kind=Kind.REQUEST_CREATED).origin == Origin.PAGE


def test_a_reason_is_mandatory_and_nothing_typed_is_lost(maria_page: Client) -> None:
    form = {"version": "2", "to": "Production", "occupant": "move:None", "comment": "  "}
    for headers in ({}, HTMX):
        html = html_of(maria_page.post("/models/churn/requests/new", form, headers=headers), 422)
        assert "This field is required." in html
        assert re.findall(r'value="([\w:]+)"[^>]* checked', html) == ["move:None"]
    assert TransitionRequest.objects.count() == 0


def test_a_second_request_for_the_same_move_is_led_to_the_first(
    maria_page: Client, maria_actor: Actor, eve: User, page_client: Pages
) -> None:
    ask(maria_actor)
    words = get(page_client(eve), "/models/churn/requests/new?version=2&to=Production")
    assert "Maria Lopez has asked for this move already in #1. Open it" in words
    assert "Create request" not in words
    form = {"version": "2", "to": "Production", "occupant": "archive", "comment": "me too"}
    page_client(eve).post("/models/churn/requests/new", form)
    assert TransitionRequest.objects.count() == 1


def test_a_stage_that_shares_asks_only_whether_the_others_stay(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    transition(maria_actor, name="churn", version=3, to_stage=Stage.STAGING)
    words = get(maria_page, "/models/churn/requests/new?version=2&to=Staging")
    assert "Leave version 3 where it is Archive version 3" in words


def test_a_policy_that_archives_says_so_and_asks_nothing(maria_page: Client, admin_actor: Actor) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(when_occupied=WhenOccupied.ARCHIVE))
    words = get(maria_page, "/models/churn/requests/new?version=2&to=Production")
    assert "v1 is in Production now, since just now: it will be archived" in words
    assert "What becomes of" not in words


def test_unknown_versions_and_stages_are_refused(maria_page: Client) -> None:
    get(maria_page, "/models/churn/requests/new?version=99", 404)
    assert "Invalid Model Version stage: Live." in get(maria_page, "/models/churn/requests/new?version=2&to=Live", 400)


# -- looking -----------------------------------------------------------------------------------------------------------
def test_the_review_page_lays_the_candidate_beside_the_occupant(jon_page: Client, maria_actor: Actor) -> None:
    set_version_tag(maria_actor, name="churn", version=2, key="validation", value="passed")
    ask(maria_actor)
    words = get(jon_page, REQUEST)
    for part in (
        "Promote churn version 2 to Production, replacing version 1? #1",
        "Pending",
        "Maria Lopez asked just now",
        "+1.7 points.",
        "What changes: v2 against v1",
        "auc 0.9120 0.9290 +0.017",
        "loss 0.3000 0.3000 same",
        "depth 3 4 changed",
        "validation – passed added",
        "1 is the same Name v1 v2 Change seed 1 1 same",
        "Approvals 0 of 1",
        "May decide: Jon Weber Maria Lopez",
        "When approved v2 None Production v1 Production Archived",
        "It waits for 1 approval.",
        "Approve Version 2 moves to Production at once.",
        "Request changes It stays open, and waits until you review again.",
        "Reject It ends here.",
        "Comment only Changes nothing.",
        "Maria Lopez asked in #1 to move version 2 from None to Production",
    ):
        assert part in words, part
    assert "Nobody has said whether more or less is better of auc" in words
    assert "worse" not in words


def test_other_moves_are_asked_in_other_words(maria_page: Client, maria_actor: Actor) -> None:
    for number, (version, stage, question) in enumerate(
        (
            (1, Stage.ARCHIVED, "Archive churn version 1?"),
            (1, Stage.NONE, "Move churn version 1 back to None?"),
            (2, Stage.STAGING, "Promote churn version 2 to Staging?"),
        ),
        1,
    ):
        request_transition(maria_actor, name="churn", version=version, to_stage=stage)
        assert f"{question} #{number}" in get(maria_page, f"/models/churn/requests/{number}")


def test_a_reader_is_told_who_decides_and_gets_no_buttons(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    ask(maria_actor)
    answer = page_client(eve).get(REQUEST)
    assert "and not decide it: that needs CAN_MANAGE_PRODUCTION_VERSIONS." in words_of(answer)
    assert "/review" not in html_of(answer).replace('"/reviews', "")
    assert "/cancel" not in html_of(answer)


def test_comments_never_become_markup(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor, comment=f"{PROBE} [x](javascript:alert(1)) <div hx-get='/x' hx-trigger='load'>")
    html = html_of(jon_page.get(REQUEST))
    assert PROBE not in html
    assert "javascript:" not in html
    assert "hx-trigger='load'" not in html


def test_people_who_are_mentioned_stand_out_and_nobody_else(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor, comment="@jon and @nobody-here, see mail@jon")
    for address in (REQUEST, "/models/churn/activity", "/models/churn/versions/2"):
        html = html_of(jon_page.get(address))
        assert '<p><span class="mention">@jon</span> and @nobody-here, see mail@jon</p>' in html, address


def test_the_evidence_of_a_deleted_version_is_kept(jon_page: Client, maria_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    maria_page.post("/models/churn/versions/2/delete")
    words = get(jon_page, REQUEST)
    assert "Version 2 was deleted. What was known of it when it was judged is kept." in words
    assert "auc 0.9120 0.9290 +0.017" in words
    assert "Superseded" in words
    assert "Submit review" not in words


@pytest.mark.parametrize("address", ["/models/churn/requests/9", "/models/nope/requests/1"])
def test_an_unknown_request_is_a_404(address: str, maria_page: Client) -> None:
    assert "There is no request" in get(maria_page, address, 404)


# -- deciding ----------------------------------------------------------------------------------------------------------
def test_an_approval_moves_the_version_and_the_page_tells_the_whole_story(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    answer = jon_page.post(*verdict("approve", "Load test **ok**."), follow=True)
    assert answer.redirect_chain[0][0] == REQUEST
    assert "Approved. Version 2 is in Production now." in html_of(answer)
    words = words_of(answer)
    assert "Promote churn version 2 to Production, replacing version 1? #1" in words
    assert "What changes: v2 against v1" in words
    assert "By Jon Weber just now" in words
    assert "Approvals 1 of 1 Jon Weber approved just now" in words
    assert "Jon Weber moved version 1 from Production to Archived by request #1" in words
    assert "Submit review" not in words
    assert stages() == ["Archived", "Production"]
    assert Activity.objects.filter(kind=Kind.REVIEW_GIVEN).get().origin == Origin.PAGE


def test_a_rejection_without_a_comment_is_refused_in_place(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    html = html_of(jon_page.post(*verdict("reject", "")), 422)
    assert html.count("Say why: a rejection needs a comment.") == 2, "on top, and at the field"
    answer = jon_page.post(*verdict("reject", "Recall fell."), follow=True)
    assert "The request is rejected." in html_of(answer)
    assert "Jon Weber rejected request #1 just now Recall fell." in words_of(answer)
    assert stages() == ["Production", "None"]


def test_who_comes_too_late_is_told_and_keeps_the_comment(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    cancel(maria_actor, name="churn", number=1)
    html = html_of(jon_page.post(*verdict("approve", "a long text")), 422)
    assert "Request churn#1 is already cancelled by maria; nothing was changed." in html
    assert "What you wrote was not kept" in html
    assert "a long text</pre>" in html
    assert Review.objects.count() == 0


def test_a_protected_stage_shows_who_approved_and_how_many_are_missing(
    jon_page: Client, maria_page: Client, maria_actor: Actor, admin_actor: Actor, admin: User, page_client: Pages
) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=TWO_APPROVALS)
    ask(maria_actor)
    assert "You asked for it yourself, so somebody else has to approve." in get(maria_page, REQUEST)
    told = html_of(maria_page.post(*verdict("approve", "")), 422)
    assert "maria asked for churn#1 and so cannot approve it: somebody else has to." in told
    answer = jon_page.post(*verdict("approve", ""), follow=True)
    assert "Your approval is counted. The request is not decided yet." in html_of(answer)
    assert "Approvals 1 of 2 Jon Weber approved just now" in words_of(answer)
    assert "It waits for 1 approval." in words_of(answer)
    assert "You have approved already" in words_of(answer)
    assert stages() == ["Production", "None"]
    assert "Approve Version 2 moves to Production at once." in get(page_client(admin), REQUEST)
    page_client(admin).post(*verdict("approve", ""))
    assert stages() == ["Archived", "Production"]


def test_whoever_may_not_decide_posts_in_vain(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    ask(maria_actor)
    for word in ("approve", "reject"):
        html = html_of(page_client(eve).post(*verdict(word, "hm")), 422)
        assert "To decide churn#1 one needs CAN_MANAGE_PRODUCTION_VERSIONS, which eve does not have." in html
    html = html_of(page_client(eve).post(f"{REQUEST}/cancel", {"comment": "hm"}), 422)
    assert "This needs CAN_MANAGE on registered model" in html
    assert TransitionRequest.objects.get().state == "pending"


def test_a_request_is_cancelled_by_who_asked_and_by_a_manager_with_a_reason(
    maria_page: Client, maria_actor: Actor, eve_actor: Actor
) -> None:
    ask(maria_actor)
    answer = maria_page.post(f"{REQUEST}/cancel", {"comment": ""}, follow=True)
    assert "The request is cancelled." in html_of(answer)
    ask(eve_actor)
    other = "/models/churn/requests/2/cancel"
    assert "Say why you cancel somebody else&#x27;s request." in html_of(maria_page.post(other, {"comment": ""}), 422)
    maria_page.post(other, {"comment": "not now"})
    assert TransitionRequest.objects.get(number=2).state == "cancelled"


def test_decisions_are_posted_and_need_the_forms_token(jon: User, jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(jon)
    for verb in ("review", "dismiss", "cancel", "comments"):
        assert jon_page.get(f"{REQUEST}/{verb}").status_code == 405
        assert strict.post(f"{REQUEST}/{verb}", {"comment": "x"}).status_code == 403
    assert TransitionRequest.objects.get().state == "pending"


def test_the_review_page_costs_as_much_for_many_reviews_as_for_one(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(True, 9, False, WhenOccupied.ASK))
    ask(maria_actor)
    approve(jon_actor, name="churn", number=1)
    jon_page.get(REQUEST)
    with CaptureQueriesContext(connection) as one:
        jon_page.get(REQUEST)
    approve(admin_actor, name="churn", number=1)
    for number in range(5):
        approve(jon_actor, name="churn", number=1, comment=f"still fine {number}")
    with CaptureQueriesContext(connection) as many:
        jon_page.get(REQUEST)
    assert len(many) == len(one) <= 40


# -- the inbox ---------------------------------------------------------------------------------------------------------
def test_the_inbox_has_what_waits_what_is_mine_and_all(
    jon_page: Client, maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    ask(maria_actor)
    waiting = jon_page.get("/reviews")
    assert "Waiting for me 1" in words_of(waiting)
    assert "churn #1" in words_of(waiting)
    assert '<span class="count count-accent">1</span>' in html_of(waiting)
    assert "Nothing waits for you" in get(maria_page, "/reviews")
    assert "churn #1" in get(maria_page, "/reviews?role=mine")
    assert "You have asked for nothing yet" in get(jon_page, "/reviews?role=mine")
    reject(jon_actor, name="churn", number=1, comment="no")
    assert "Nothing waits for you" in get(jon_page, "/reviews")
    assert "churn #1" in get(jon_page, "/reviews?role=all&state=rejected")
    assert "No request in this state" in get(jon_page, "/reviews?role=all&state=pending")
    assert "churn #1" in get(jon_page, "/reviews?role=all&state=nonsense")


def test_the_inbox_is_paged_and_costs_as_much_for_many_as_for_one(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    jon_page.get("/reviews")
    with CaptureQueriesContext(connection) as one:
        jon_page.get("/reviews")
    for _ in range(27):
        version = make_version(maria_actor)
        request_transition(maria_actor, name="churn", version=version.version, to_stage=Stage.PRODUCTION)
    with CaptureQueriesContext(connection) as many:
        first = jon_page.get("/reviews")
    assert len(many) == len(one) <= 14
    assert "25 requests" in words_of(first)
    second = jon_page.get("/reviews" + first.context["pager"].older)
    assert "3 requests" in words_of(second)


# -- the governance desk -----------------------------------------------------------------------------------------------
@pytest.fixture
def desk(admin: User, page_client: Pages) -> Client:
    """The administrator's browser."""
    return page_client(admin)


def chosen(action: str, comment: str = "") -> dict[str, object]:
    keys = list(TransitionRequest.objects.values_list("pk", flat=True))
    return {"action": action, "_selected_action": keys, "comment": comment}


def test_requests_are_decided_in_the_admin_through_the_same_services(desk: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    answer = desk.post("/admin/promotion/transitionrequest/", chosen("reject_chosen"), follow=True)
    assert "Say why: a rejection needs a comment." in answer.content.decode()
    answer = desk.post("/admin/promotion/transitionrequest/", chosen("approve_chosen", "ok"), follow=True)
    assert "Request churn#1 is approved." in answer.content.decode()
    assert stages() == ["Archived", "Production"]
    assert Activity.objects.get(kind=Kind.REVIEW_GIVEN).origin == Origin.ADMIN
    answer = desk.post("/admin/promotion/transitionrequest/", chosen("approve_chosen"), follow=True)
    assert "already approved by admin; nothing was changed." in answer.content.decode()


def test_no_stage_and_no_request_is_edited_there(desk: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    version, request = ModelVersion.objects.get(version=2), TransitionRequest.objects.get()
    for url in (
        f"/admin/registry/modelversion/{version.pk}/change/",
        f"/admin/promotion/transitionrequest/{request.pk}/change/",
    ):
        assert desk.get(url).status_code == 200
        assert desk.post(url, {"current_stage": "Production", "state": "approved"}).status_code == 403
    assert desk.get("/admin/promotion/transitionrequest/add/").status_code == 403
    assert stages() == ["Production", "None"]


def test_a_policy_is_set_there_and_history_tells(desk: Client) -> None:
    none = {"gates-TOTAL_FORMS": "0", "gates-INITIAL_FORMS": "0"}
    form = {"stage": "Production", "protected": "on", "required_approvals": "2", "when_occupied": "ask"} | none
    assert desk.post("/admin/promotion/stagepolicy/add/", form).status_code == 302
    policy = StagePolicy.objects.get()
    assert (policy.protected, policy.required_approvals, policy.registered_model) == (True, 2, None)
    line = Activity.objects.get(kind=Kind.POLICY_SET)
    assert (line.actor_name, line.origin) == ("admin", Origin.ADMIN)
    changed = {"protected": "on", "required_approvals": "3", "when_occupied": "archive"} | none
    assert desk.post(f"/admin/promotion/stagepolicy/{policy.pk}/change/", changed).status_code == 302
    policy.refresh_from_db()
    assert (policy.stage, policy.required_approvals, policy.when_occupied) == ("Production", 3, "archive")


def test_a_grant_is_given_changed_and_taken_there_and_history_tells(desk: Client) -> None:
    group = Group.objects.create(name="risk-leads")
    assert desk.post("/admin/registry/grant/add/", {"group": group.pk, "level": "2"}).status_code == 302
    grant = Grant.objects.get(group=group)
    assert desk.post(f"/admin/registry/grant/{grant.pk}/change/", {"level": "4"}).status_code == 302
    grant.refresh_from_db()
    assert (grant.group, grant.level) == (group, 4)
    assert desk.post(f"/admin/registry/grant/{grant.pk}/delete/", {"post": "yes"}).status_code == 302
    lines = Activity.objects.filter(kind__in=[Kind.GRANT_SET, Kind.GRANT_REMOVED]).order_by("pk")
    assert [(line.kind, line.data.get("after")) for line in lines] == [
        (Kind.GRANT_SET, "CAN_EDIT"),
        (Kind.GRANT_SET, "CAN_MANAGE_PRODUCTION_VERSIONS"),
        (Kind.GRANT_REMOVED, None),
    ]


def test_a_grant_without_a_holder_is_refused_at_the_form(desk: Client) -> None:
    before = Grant.objects.count()
    assert desk.post("/admin/registry/grant/add/", {"level": "2"}).status_code == 200
    assert Grant.objects.count() == before


@pytest.mark.parametrize(
    "place",
    [
        "registry/registeredmodel",
        "registry/modelversion",
        "registry/tag",
        "registry/alias",
        "registry/grant",
        "promotion/transitionrequest",
        "promotion/review",
        "promotion/stagepolicy",
    ],
)
def test_every_list_of_the_desk_is_searched_and_opens(
    place: str, desk: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    set_version_tag(maria_actor, name="churn", version=1, key="a", value="b")
    ask(maria_actor)
    reject(jon_actor, name="churn", number=1, comment="no")
    assert desk.get(f"/admin/{place}/", {"q": "churn"}).status_code == 200


# -- looking ahead, and passing by -------------------------------------------------------------------------------------
MOVE = "/models/churn/versions/2/transition"
AUC = Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.95)


def test_gates_and_aliases_are_told_before_anybody_asks(eve: User, page_client: Pages, admin_actor: Actor) -> None:
    gates = (AUC, Gate(GateType.CHECK, "ci/test"), Gate(GateType.METRIC, "auc", Comparison.MORE_THAN, 0))
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(True, 2, False, WhenOccupied.ASK, gates=gates))
    set_alias_policy(admin_actor, alias="live", stage=Stage.PRODUCTION, is_mirror=True)
    words = get(page_client(eve), "/models/churn/requests/new?version=2&to=Production")
    for part in (
        "Aliases that move @live v2",
        "Gates now 1 of 3 pass",
        "auc is at least 0.95 0.929 auc is 0.929, against 0.95.",
        "Check ci/test has passed ci/test has not reported yet.",
        "You may ask all the same: the request waits until they pass.",
        "2 approvals needed protected",
    ):
        assert part in words, part


def test_gates_in_the_way_are_shown_where_a_version_is_moved(jon_page: Client, admin_actor: Actor) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(when_occupied=WhenOccupied.ASK, gates=(AUC,)))
    answer = jon_page.get(f"{MOVE}?to=Production")
    assert "Not all gates of Production pass. Make the version pass them, or ask" in words_of(answer)
    assert "Bypass" not in words_of(answer), "for who manages the model"
    assert "Request the move" in words_of(answer)
    form = {"to": "Production", "occupant": "archive", "comment": "", "bypass": "1"}
    told = html_of(jon_page.post(MOVE, form), 422)
    assert stages() == ["Production", "None"]
    assert "Not all gates of Production pass." in told


def test_a_bypass_is_a_step_of_its_own_and_needs_a_reason(maria_page: Client, admin_actor: Actor) -> None:
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(True, 2, False, WhenOccupied.ASK, gates=(AUC,)))
    assert f"{MOVE}?to=Production" in html_of(maria_page.get("/models/churn/versions/2"))
    html = html_of(maria_page.get(f"{MOVE}?to=Production"))
    assert "Production is protected: everybody needs an approved request." in html
    assert f"{MOVE}?to=Production&amp;bypass=1" in html
    assert "Move to Production now" not in html
    words = get(maria_page, f"{MOVE}?to=Production&bypass=1")
    assert "You are about to pass by what Production asks for:" in words
    assert "Production is protected, and 2 approvals are needed" in words
    assert "auc is at least 0.95: auc is 0.929, against 0.95." in words
    form = {"to": "Production", "occupant": "archive", "bypass": "1"}
    assert "This field is required." in html_of(maria_page.post(MOVE, form | {"comment": " "}), 422)
    assert stages() == ["Production", "None"]
    answer = maria_page.post(MOVE, form | {"comment": "The old one answers nonsense."}, follow=True)
    assert "Version 2 is in Production now." in html_of(answer)
    assert stages() == ["Archived", "Production"]
    line = Activity.objects.get(kind=Kind.STAGE_BYPASSED)
    assert (line.comment, line.origin) == ("The old one answers nonsense.", Origin.PAGE)


def test_where_nothing_is_in_the_way_there_is_nothing_to_bypass(maria_page: Client) -> None:
    words = get(maria_page, f"{MOVE}?to=Production&bypass=1")
    assert "Move to Production now" in words
    assert "pass by" not in words


def test_lists_tell_gates_and_approvals_at_a_glance(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    gates = (Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9), Gate(GateType.CHECK, "ci/test"))
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(True, 2, False, WhenOccupied.ASK, gates=gates))
    ask(maria_actor)
    assert "1 of 2 gates 0 of 2 approved" in get(jon_page, "/reviews")
    review(jon_actor, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="Why?")
    words = get(jon_page, "/reviews?role=all")
    assert "changes requested 1 of 2 gates 0 of 2 approved Maria Lopez" in words
    assert "1 of 2 gates" in get(jon_page, "/models/churn/requests")
    reject(jon_actor, name="churn", number=1, comment="no")
    assert "gates" not in get(jon_page, "/reviews?role=all")


def test_gates_in_the_inbox_cost_as_much_for_many_requests_as_for_one(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor
) -> None:
    against = Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.AT_LEAST, 0)
    every = (AUC, against, Gate(GateType.TAG, "owner"), Gate(GateType.SIGNATURE), Gate(GateType.STAGE, "Staging"))
    policy = Policy(True, 2, False, WhenOccupied.ASK, gates=(*every, Gate(GateType.CHECK, "ci")))
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=policy)
    ask(maria_actor)
    jon_page.get("/reviews")
    with CaptureQueriesContext(connection) as one:
        assert "1 of 6 gates" in get(jon_page, "/reviews")
    for name in ("churn", "churn", "fraud", "iris"):
        version = version_with_run(maria_actor, name, metrics={"auc": 0.99})
        request_transition(maria_actor, name=name, version=version.version, to_stage=Stage.PRODUCTION)
    with CaptureQueriesContext(connection) as many:
        words = get(jon_page, "/reviews")
    assert words.count("2 of 6 gates") == 4
    assert len(many) == len(one) <= 32
