"""The page of a request: what a reviewer judges, what counts, and what people say to each other about it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.promotion import aliases, comments
from registry_site.promotion.checks import post_check
from registry_site.promotion.deciding import approve, dismiss_review, review
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.models import Comment, Evidence, MetricDirection, Review, TransitionRequest
from registry_site.promotion.rules import Policy, Verdict, WhenOccupied
from registry_site.promotion.services import request_transition, rollback, transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.services import describe_version, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import grant, make_user
from tests.pages.registry_flows import HTMX, MLMODEL, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]
REQUEST = "/models/churn/requests/1"
AUC = Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9)
LOSS = Gate(GateType.METRIC_AGAINST_OCCUPANT, "loss", Comparison.AT_MOST, 0)
OWNER = Gate(GateType.TAG, "owner")
CI = Gate(GateType.CHECK, "ci/test")
TWO = Policy(protected=True, required_approvals=2, when_occupied=WhenOccupied.ASK)
WIDER = MLMODEL.replace('"double", "name": "tenure"', '"double", "name": "tenure"}, {"type": "long", "name": "age"')


@pytest.fixture
def jon_page(jon: User, page_client: Pages) -> Client:
    return page_client(jon)


@pytest.fixture
def kim(db: None) -> User:
    """Another reviewer."""
    return make_user("kim", display_name="Kim Rae", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS)


@pytest.fixture
def kim_actor(kim: User) -> Actor:
    return person(kim, Origin.REST)


@pytest.fixture(autouse=True)
def two_versions(maria_actor: Actor, jon_actor: Actor) -> None:
    """Maria's model `churn`: version 1 is in Production, version 2 is better, and has another signature."""
    version_with_run(
        maria_actor,
        metrics={"auc": 0.912, "loss": 0.3, "size": 4.0},
        params={"depth": "3", "seed": "1"},
        files={"MLmodel": MLMODEL, "requirements.txt": "scikit-learn==1.8.0\npandas==3.0.1\n", "model.pkl": "x" * 40},
    )
    version_with_run(
        maria_actor,
        metrics={"auc": 0.929, "loss": 0.4, "size": 4.0},
        params={"depth": "4", "seed": "1"},
        files={"MLmodel": WIDER, "requirements.txt": "scikit-learn==1.9.1\nscipy<2\npandas==3.0.1\n"},
    )
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)


def ask(actor: Actor, version: int = 2, comment: str = "Half the size.") -> TransitionRequest:
    return request_transition(actor, name="churn", version=version, to_stage=Stage.PRODUCTION, comment=comment)


def set_gates(actor: Actor, *gates: Gate, policy: Policy = TWO) -> None:
    policy = Policy(
        protected=policy.protected,
        required_approvals=policy.required_approvals,
        when_occupied=WhenOccupied.ASK,
        gates=gates,
    )
    set_policy(actor, stage=Stage.PRODUCTION, policy=policy)


def say(page: Client, verdict: str, comment: str = "", **more: str):
    return page.post(f"{REQUEST}/review", {"verdict": verdict, "comment": comment, **more})


def digest_in(html: str) -> str:
    return re.search(r'name="evidence_digest" value="(\w*)"', html)[1]


def stages() -> list[str]:
    return list(ModelVersion.objects.order_by("version").values_list("current_stage", flat=True))


# -- what is judged ----------------------------------------------------------------------------------------------------
def test_the_difference_is_told_in_order_of_what_matters(jon_page: Client, maria_actor: Actor) -> None:
    MetricDirection.objects.create(registered_model=RegisteredModel.objects.get(), metric="auc", higher_is_better=True)
    MetricDirection.objects.create(
        registered_model=RegisteredModel.objects.get(), metric="loss", higher_is_better=False
    )
    set_version_tag(maria_actor, name="churn", version=2, key="ticket", value="RISK-1")
    describe_version(maria_actor, name="churn", version=2, description="**Boosted** trees.")
    ask(maria_actor)
    words = get(jon_page, REQUEST)
    for part in (
        "What changes: v2 against v1",
        "Metrics 1 better, 1 worse",
        "Signature breaking",
        "auc 0.9120 0.9290 +0.017 better",
        "loss 0.3000 0.4000 +0.1 worse",
        "1 metric is the same",
        "Breaking Column v1 v2 Verdict age inputs – long Breaking",
        "depth 3 4 changed",
        "scikit-learn ==1.8.0 ==1.9.1 changed",
        "scipy – <2 added",
        "model.pkl 40 B – removed",
        "ticket – RISK-1 added",
        "Description of v2 Boosted trees.",
    ):
        assert part in words, part
    assert words.index("auc 0.9120") < words.index("age inputs") < words.index("depth 3 4") < words.index("scipy – <2")


def test_without_an_occupant_there_is_what_speaks_for_it(
    jon_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    transition(jon_actor, name="churn", version=1, to_stage=Stage.NONE)
    ask(maria_actor)
    words = get(jon_page, REQUEST)
    assert "What speaks for v2" in words
    assert "Metric v2 auc 0.9290" in words
    assert "Name Value depth 4" in words
    assert "added" not in words


def test_every_gate_says_what_it_asks_what_it_saw_and_where_to_look(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor
) -> None:
    set_gates(admin_actor, AUC, LOSS, OWNER, CI)
    post_check(
        maria_actor, name="churn", version=2, check="ci/test", state=CheckState.PENDING, link="https://ci.example/7"
    )
    ask(maria_actor)
    answer = jon_page.get(REQUEST)
    words = words_of(answer)
    for part in (
        "Gates 1 of 4 pass",
        "auc is at least 0.9 0.929 auc is 0.929, against 0.9.",
        "loss is at most that of the version in the stage 0.4 loss is 0.4, against 0.3 of version 1.",
        "Tag owner is set The version has no tag owner.",
        "Check ci/test has passed pending It is still running. Look at it",
        "It waits for 2 approvals, 2 gates that fail and 1 gate that has still to report.",
    ):
        assert part in words, part
    assert 'href="https://ci.example/7" rel="nofollow noopener"' in html_of(answer)
    assert html_of(answer).count('class="gate-failed"') == 2


def test_what_changed_since_it_was_asked_stands_on_top_and_makes_approvals_stale(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_gates(admin_actor)
    ask(maria_actor)
    approve(jon_actor, name="churn", number=1, comment="Fine.")
    assert "since this was asked" not in get(jon_page, REQUEST)
    set_version_tag(maria_actor, name="churn", version=2, key="team", value="risk")
    answer = jon_page.get(REQUEST)
    words = words_of(answer)
    assert "1 thing has changed since this was asked: tag team is new" in words
    assert "Approvals 0 of 2 Jon Weber approved just now It was given before the evidence changed." in words
    assert "Maria Lopez found the evidence of request #1 changed: tag team is new" in words
    assert "Approvals that no longer count: Jon Weber." in words
    assert re.search(r'class="struck">approved request <a', html_of(answer)), "in the conversation, too"


def test_evidence_of_a_run_that_one_may_not_read_is_not_shown(
    maria_actor: Actor, page_client: Pages, settings: Settings
) -> None:
    ask(maria_actor)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    lee = make_user("lee")
    grant(lee, Level.CAN_READ, RegisteredModel.objects.get())
    words = get(page_client(lee), REQUEST)
    assert "Metrics, parameters and data are those of a run that you may not read." in words
    assert "0.9290" not in words
    assert "scipy – <2 added" in words, "files are the version's"


def test_a_request_from_before_evidence_was_pinned_shows_what_is_known_now(
    jon_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    for version in (2,):
        ask(maria_actor, version)
    Evidence.objects.all().delete()
    TransitionRequest.objects.update(evidence_digest="", occupant_evidence="", occupant_version=None)
    words = get(jon_page, REQUEST)
    assert "as known now: nothing was pinned" in words
    assert "auc 0.9120 0.9290 +0.017" in words
    assert "since this was asked" not in words
    say(jon_page, "approve")
    assert stages() == ["Archived", "Production"]
    Evidence.objects.all().delete()
    TransitionRequest.objects.update(evidence_digest="", occupant_evidence="", occupant_version=None)
    words = get(jon_page, REQUEST)
    assert "What changes: v2 against v1" in words
    assert "replacing version 1?" in words


def test_aliases_that_follow_are_told_beforehand(jon_page: Client, maria_actor: Actor, admin_actor: Actor) -> None:
    aliases.set_alias_policy(admin_actor, alias="champion", stage=Stage.PRODUCTION, is_mirror=True)
    ask(maria_actor)
    words = get(jon_page, REQUEST)
    assert "When approved v2 None Production v1 Production Archived @champion v2" in words


# -- what is decided ---------------------------------------------------------------------------------------------------
def test_a_wish_for_changes_blocks_until_a_manager_dismisses_it_with_a_reason(
    jon_page: Client, maria_page: Client, maria_actor: Actor, kim_actor: Actor
) -> None:
    ask(maria_actor)
    html = html_of(say(jon_page, "request_changes"), 422)
    assert "Say what should change: that needs a comment." in html
    assert re.search(r'value="request_changes"[^>]* checked', html), "the verdict is kept"
    say(jon_page, "request_changes", "Where is the **owner** tag?")
    words = get(maria_page, REQUEST)
    assert "It waits for 1 approval and the changes that Jon Weber asked for." in words
    assert "Jon Weber asked for changes in request #1 just now Where is the owner tag?" in words
    approve(kim_actor, name="churn", number=1)
    assert stages() == ["Production", "None"]
    address = f"{REQUEST}/dismiss"
    refused = html_of(maria_page.post(address, {"reviewer": "jon", "reason": ""}), 422)
    assert "Say why you dismiss somebody else&#x27;s review." in refused
    answer = maria_page.post(address, {"reviewer": "jon", "reason": "It is there."}, follow=True)
    assert "Approved. Version 2 is in Production now." in html_of(answer)
    assert "Dismissed by maria: It is there." in words_of(answer)
    assert "Maria Lopez dismissed the review of request #1 by jon" in words_of(answer)


def test_a_review_is_taken_back_by_who_gave_it_and_others_are_refused(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, page_client: Pages, kim: User
) -> None:
    set_gates(admin_actor)
    ask(maria_actor)
    say(jon_page, "approve")
    assert "Take my review back" in get(jon_page, REQUEST)
    kims = page_client(kim)
    assert "/dismiss" not in html_of(kims.get(REQUEST))
    assert "This needs CAN_MANAGE" in html_of(kims.post(f"{REQUEST}/dismiss", {"reviewer": "jon", "reason": "x"}), 422)
    assert "There is no review of churn#1 by kim to dismiss." in html_of(
        page_client(User.objects.get(username="maria")).post(f"{REQUEST}/dismiss", {"reviewer": "kim", "reason": "x"}),
        422,
    )
    answer = jon_page.post(f"{REQUEST}/dismiss", {"reviewer": "jon"}, follow=True)
    assert "Approvals 0 of 2" in words_of(answer)
    assert "Dismissed by jon." in words_of(answer)


def test_a_verdict_has_to_be_chosen_and_a_comment_changes_nothing(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    assert "Choose a verdict." in html_of(jon_page.post(f"{REQUEST}/review", {"comment": "hm"}), 422)
    assert "Select a valid choice" in html_of(say(jon_page, "merge"), 422)
    answer = jon_page.post(f"{REQUEST}/review", {"verdict": "comment", "comment": "Looking."}, follow=True)
    assert "Jon Weber commented on request #1 just now Looking." in words_of(answer)
    assert "Approvals 0 of 1 Jon Weber commented just now" in words_of(answer)


def test_who_saw_other_evidence_is_shown_the_present_one_and_keeps_what_they_wrote(
    jon_page: Client, maria_actor: Actor
) -> None:
    ask(maria_actor)
    seen = digest_in(html_of(jon_page.get(REQUEST)))
    run_id = ModelVersion.objects.get(version=2).run_id
    log_batch(maria_actor, run_id=run_id, metrics=[MetricPoint("auc", 0.7, 99_999_999_999_999, 9)])
    html = html_of(say(jon_page, "approve", "A long and thoughtful text.", evidence_digest=seen), 422)
    assert (
        "The evidence of churn#1 has changed: metric auc was 0.929 and is 0.7. Look at it again, then decide." in html
    )
    assert "A long and thoughtful text.</textarea>" in html
    assert re.search(r'value="approve"[^>]* checked', html)
    assert ">0.7000<" in html
    assert digest_in(html) not in ("", seen)
    assert stages() == ["Production", "None"]
    assert Review.objects.count() == 0
    say(jon_page, "approve", evidence_digest=digest_in(html))
    assert stages() == ["Archived", "Production"]


def test_what_keeps_an_approved_request_open_is_said(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_gates(admin_actor, CI, policy=Policy())
    ask(maria_actor)
    assert "Approve Version 2 moves to Production as soon as all gates pass." in get(jon_page, REQUEST)
    say(jon_page, "approve")
    assert "It waits for 1 gate that has still to report." in get(jon_page, REQUEST)
    post_check(maria_actor, name="churn", version=2, check="ci/test", state=CheckState.PASSED, summary="312 tests")
    words = get(jon_page, REQUEST)
    assert "Maria Lopez reported that check ci/test has passed on version 2" in words
    assert "Approvals 1 of 1 Jon Weber approved" in words


def test_a_verdict_is_not_struck_because_history_keeps_only_milliseconds(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_gates(admin_actor)
    ask(maria_actor)
    review(jon_actor, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="Whose is it?")
    told = Activity.objects.get(kind=Kind.REVIEW_GIVEN).at
    Review.objects.update(created_at=told + timedelta(microseconds=900))
    assert "There is a later review" not in get(jon_page, REQUEST)
    Review.objects.update(created_at=told + timedelta(milliseconds=20))
    assert "There is a later review" in get(jon_page, REQUEST)


def test_later_words_of_the_same_person_strike_the_earlier_ones(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_gates(admin_actor)
    ask(maria_actor)
    review(jon_actor, name="churn", number=1, verdict=Verdict.REQUEST_CHANGES, comment="No.")
    approve(jon_actor, name="churn", number=1)
    assert "There is a later review by the same person." in get(jon_page, REQUEST)
    dismiss_review(jon_actor, name="churn", number=1, reviewer="jon")
    assert "Dismissed by jon." in get(jon_page, REQUEST)


def test_a_bypass_is_red_and_a_rollback_is_marked(maria_page: Client, maria_actor: Actor, admin_actor: Actor) -> None:
    set_gates(admin_actor, OWNER)
    ask(maria_actor)
    transition(
        maria_actor,
        name="churn",
        version=2,
        to_stage=Stage.PRODUCTION,
        archive_existing=True,
        bypass_reason="Production is down.",
    )
    answer = maria_page.get(REQUEST)
    words = words_of(answer)
    assert "bypassed the policy and moved version 2 from None to Production" in words
    assert "Passed by: Production is protected; Tag owner is set. Production is down." in words
    assert re.search(r'timeline-danger">(?:(?!</li>).)*bypassed the policy', html_of(answer), re.DOTALL)
    rollback(maria_actor, name="churn", version=1, comment="It was better.")
    words = get(maria_page, "/models/churn/requests/2")
    assert "Roll churn back to version 1 in Production? #2" in words
    assert "Pending Rollback" in words
    assert "Maria Lopez asked in #2 to roll Production back to version 1" in words


# -- what is said ------------------------------------------------------------------------------------------------------
def test_people_talk_change_their_words_and_take_them_back(
    jon_page: Client, maria_page: Client, maria_actor: Actor, admin: User, page_client: Pages
) -> None:
    ask(maria_actor)
    answer = jon_page.post(f"{REQUEST}/comments", {"comment": f"Ask **@maria**. {PROBE}"})
    comment = Comment.objects.get()
    assert answer.headers["Location"] == f"{REQUEST}#comment-{comment.pk}"
    html = html_of(jon_page.get(REQUEST))
    assert '<strong><span class="mention">@maria</span></strong>' in html
    assert PROBE not in html
    address = f"{REQUEST}/comments/{comment.pk}"
    assert address in html
    assert address not in html_of(maria_page.get(REQUEST))
    assert "Only jon, who wrote it, may change this comment." in get(maria_page, address, 403)
    assert maria_page.post(address, {"comment": "mine"}).status_code == 403
    assert maria_page.post(f"{address}/delete").status_code == 403
    assert "Ask **@maria**." in html_of(jon_page.get(address))
    assert "This field is required." in html_of(jon_page.post(address, {"comment": " "}, headers=HTMX), 422)
    words = words_of(jon_page.post(address, {"comment": "Ask nobody."}, follow=True))
    assert "Jon Weber commented on request #1 just now Edit Delete Changed later. Ask nobody." in words
    assert "Ask @maria" not in words
    assert f"{address}/delete" in html_of(page_client(admin).get(REQUEST)), "administrators may"
    words = words_of(jon_page.post(f"{address}/delete", follow=True))
    assert "It was deleted later." in words
    assert "Ask nobody." not in words
    assert jon_page.get(address).status_code == 404


def test_a_comment_needs_words_and_a_request_of_its_own(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    assert "This field is required." in html_of(jon_page.post(f"{REQUEST}/comments", {"comment": " "}), 422)
    made = comments.create_comment(maria_actor, name="churn", version=2, text="On the version.")
    assert jon_page.get(f"{REQUEST}/comments/{made.pk}").status_code == 404
    assert jon_page.get(f"{REQUEST}/comments/{10**30}").status_code == 404
    assert jon_page.post("/models/churn/requests/9/comments", {"comment": "x"}).status_code == 404


def test_a_long_story_is_told_page_by_page(jon_page: Client, maria_actor: Actor, admin_actor: Actor) -> None:
    ask(maria_actor)
    for number in range(101):
        comments.create_comment(maria_actor, name="churn", number=1, text=f"Word {number}.")
    answer = jon_page.get(REQUEST)
    words = words_of(answer)
    assert "Word 100." in words
    assert "Word 0." not in words
    assert "Show what happened before" in words
    words = words_of(jon_page.get(REQUEST + answer.context["pager"].older))
    assert "Word 0." in words
    assert words.index("asked in #1") < words.index("Word 0.")


# -- the rest ----------------------------------------------------------------------------------------------------------
def test_the_record_comes_as_one_file(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    address = re.search(r'href="([^"]+/record)" download', html_of(jon_page.get(REQUEST)))[1]
    answer = jon_page.get(address)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="request-1.json"'
    assert answer.json()["evidence"]["metrics"]["auc"] == 0.929


def test_only_the_conditions_are_fetched_again_while_the_page_is_open(jon_page: Client, maria_actor: Actor) -> None:
    ask(maria_actor)
    html = html_of(jon_page.get(REQUEST, headers=HTMX | {"HX-Target": "conditions"}))
    assert html.strip().startswith('<div id="conditions"')
    assert "<textarea" not in html
    assert 'hx-trigger="podium:tick from:document"' in html
    say(jon_page, "approve")
    assert "hx-get" not in html_of(jon_page.get(REQUEST, headers=HTMX | {"HX-Target": "conditions"}))


def test_the_page_costs_as_much_for_a_long_story_as_for_a_short_one(
    jon_page: Client, maria_actor: Actor, admin_actor: Actor, jon_actor: Actor
) -> None:
    set_gates(admin_actor, AUC, LOSS, OWNER, CI)
    ask(maria_actor)
    approve(jon_actor, name="churn", number=1)
    comments.create_comment(maria_actor, name="churn", number=1, text="One.")
    jon_page.get(REQUEST)
    with CaptureQueriesContext(connection) as one:
        jon_page.get(REQUEST)
    approve(admin_actor, name="churn", number=1)
    for number in range(8):
        comments.create_comment(jon_actor, name="churn", number=1, text=f"More {number}.")
    with CaptureQueriesContext(connection) as many:
        jon_page.get(REQUEST)
    assert len(many) == len(one) <= 48
