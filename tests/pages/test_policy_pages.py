"""Setting what it takes to enter a stage, and seeing beforehand which versions would pass."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.promotion.gates import Comparison, Gate, GateType
from registry_site.promotion.models import AliasPolicy, MetricDirection, StagePolicy
from registry_site.promotion.policies import policy_of
from registry_site.promotion.rules import Policy, WhenOccupied
from registry_site.promotion.setting_policies import MOST_GATES, set_policy
from registry_site.registry.services import set_version_tag
from registry_site.registry.stages import Stage
from tests.pages.registry_flows import HTMX, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]
EDITOR = "/models/churn/policies/Production"
SITE = "/govern/policies/Production"
AUC = Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.9)
OWNER = Gate(GateType.TAG, "owner")


@pytest.fixture(autouse=True)
def two_versions(maria_actor: Actor) -> None:
    """Maria's model `churn`: the first version is good, the second is better."""
    version_with_run(maria_actor, metrics={"auc": 0.85})
    version_with_run(maria_actor, metrics={"auc": 0.93})


@pytest.fixture
def desk(admin: User, page_client: Pages) -> Client:
    """The administrator's browser."""
    return page_client(admin)


def sent(deed: str, *gates: dict[str, str], **more: str) -> dict[str, str]:
    """The editor's form with these gates."""
    form = {"deed": deed, "required_approvals": "2", "when_occupied": "ask", "gates": str(len(gates))}
    for number, gate in enumerate(gates):
        form |= {f"gate-{number}-{field}": value for field, value in gate.items()}
    return form | more


AUC_ROW = {"type": "metric", "key": "auc", "comparison": ">=", "number": "0.9"}
OWNER_ROW = {"type": "tag", "key": "owner", "rule": "any"}
CI_ROW = {"type": "check", "key": "ci/test"}


def stored() -> Policy:
    return policy_of(StagePolicy.objects.get())


def mark_in(html: str) -> str:
    return re.search(r'name="tried" value="(\w+)"', html)[1]


def types_in(html: str) -> list[str]:
    """The types of the gates in the editor, in their order."""
    rows = re.findall(r'<select name="gate-\d+-type".*?</select>', html, re.DOTALL)
    return [found[1] if (found := re.search(r'value="(\w+)" selected', row)) else "" for row in rows]


# -- reading -----------------------------------------------------------------------------------------------------------
def test_everybody_reads_what_it_takes_and_whose_policy_it_is(
    eve: User, page_client: Pages, admin_actor: Actor, maria_actor: Actor
) -> None:
    set_policy(admin_actor, stage=Stage.STAGING, policy=Policy(gates=(OWNER,)))
    policy = Policy(protected=True, required_approvals=2, expires_after_days=7, gates=(AUC,))
    set_policy(maria_actor, stage=Stage.PRODUCTION, policy=policy, name="churn")
    answer = page_client(eve).get("/models/churn/settings")
    words = words_of(answer)
    assert "Production 2 approvals Requests expire after 7 days Any number of versions auc is at least 0.9" in words
    assert "Staging Whoever holds the level; others ask Any number of versions Tag owner is set The site's" in words
    assert "Archived Whoever holds the level; others ask Any number of versions None Built in" in words
    assert "/policies/" not in html_of(answer)
    assert page_client(eve).get(EDITOR).status_code == 403
    assert page_client(eve).post(EDITOR, sent("save")).status_code == 403
    assert page_client(eve).get("/govern/policies").status_code == 403
    assert page_client(eve).get(SITE).status_code == 403


def test_a_stage_that_is_none_is_refused(maria_page: Client) -> None:
    assert "Invalid Model Version stage: Live." in get(maria_page, "/models/churn/policies/Live", 400)


# -- gates, row by row -------------------------------------------------------------------------------------------------
def test_gates_are_added_moved_and_removed_and_nothing_is_saved(maria_page: Client) -> None:
    html = html_of(maria_page.post(EDITOR, sent("add", AUC_ROW, OWNER_ROW, protected="on", expires_after_days="x")))
    assert types_in(html)[:2] == ["metric", "tag"]
    assert html.count('class="gate-row"') == 3
    assert 'value="x"' in html, "what is wrong is kept as well"
    assert re.search(r'name="protected"[^>]* checked', html)
    assert types_in(html_of(maria_page.post(EDITOR, sent("down:0", AUC_ROW, OWNER_ROW, CI_ROW)))) == [
        "tag",
        "metric",
        "check",
    ]
    assert types_in(html_of(maria_page.post(EDITOR, sent("up:2", AUC_ROW, OWNER_ROW, CI_ROW)))) == [
        "metric",
        "check",
        "tag",
    ]
    assert types_in(html_of(maria_page.post(EDITOR, sent("drop:1", AUC_ROW, OWNER_ROW, CI_ROW)))) == ["metric", "check"]
    for odd in ("up:0", "down:2", "drop:9", "drop:x", "up:-1"):
        html = html_of(maria_page.post(EDITOR, sent(odd, AUC_ROW, OWNER_ROW, CI_ROW)))
        assert types_in(html) == ["metric", "tag", "check"], odd
    assert StagePolicy.objects.count() == 0


def test_with_scripts_only_the_form_comes_back(maria_page: Client) -> None:
    html = html_of(maria_page.post(EDITOR, sent("add"), headers=HTMX))
    assert html.strip().startswith('<form class="policy-editor"')


def test_there_are_never_too_many_gates(maria_page: Client) -> None:
    many = [AUC_ROW] * (MOST_GATES + 30)
    html = html_of(maria_page.post(EDITOR, sent("add", *many)))
    assert html.count('class="gate-row"') <= MOST_GATES + 1
    tried = html_of(maria_page.post(EDITOR, sent("try", *many)))
    refused = html_of(maria_page.post(EDITOR, sent("save", *many, tried=mark_in(tried))), 422)
    assert f"A policy has {MOST_GATES} gates at most." in refused
    assert StagePolicy.objects.count() == 0


def test_a_gate_that_makes_no_sense_is_refused_where_it_stands(maria_page: Client) -> None:
    wrong = [AUC_ROW | {"key": ""}, AUC_ROW | {"number": "much"}, {"type": "magic"}, AUC_ROW | {"number": ""}]
    html = html_of(maria_page.post(EDITOR, sent("save", *wrong, required_approvals="0")), 422)
    for part in (
        "Gate 1, Name: Say which metric the gate looks at.",
        "Gate 2, Number: Enter a number.",
        "Gate 3, What it looks at: Select a valid choice. magic is not one of the available choices.",
        "Gate 4, Number: Say what number auc is compared with.",
        "Approvals that a request needs: Ensure this value is greater than or equal to 1.",
    ):
        assert part in html, part
    assert StagePolicy.objects.count() == 0


# -- trying and saving -------------------------------------------------------------------------------------------------
def test_new_gates_are_tried_on_the_present_versions_before_they_are_saved(maria_page: Client) -> None:
    form = sent(
        "save", AUC_ROW, OWNER_ROW | {"rule": "exactly", "value": ""}, protected="on", dismiss_stale_approvals="on"
    )
    answer = maria_page.post(EDITOR, form)
    words = words_of(answer)
    assert "See below what these gates say of the present versions, then save." in words
    assert "0 of 2 versions of churn would pass" in words
    assert "v1 None would not auc is at least 0.9 (auc is 0.85, against 0.9); Tag owner is" in words
    assert StagePolicy.objects.count() == 0
    other = form | {"gate-0-number": "0.5", "tried": mark_in(html_of(answer))}
    assert "See below" in words_of(maria_page.post(EDITOR, other)), "these gates nobody has seen"
    answer = maria_page.post(EDITOR, form | {"tried": mark_in(html_of(answer))}, follow=True)
    assert "The policy for Production is saved." in html_of(answer)
    assert stored() == Policy(
        protected=True,
        required_approvals=2,
        when_occupied=WhenOccupied.ASK,
        gates=(AUC, Gate(GateType.TAG, "owner", value="")),
    )
    line = Activity.objects.get(kind=Kind.POLICY_SET)
    assert (line.actor_name, line.origin) == ("maria", Origin.PAGE)
    html = html_of(maria_page.get(EDITOR))
    assert types_in(html) == ["metric", "tag"]
    assert re.search(r'<option value="exactly" selected>', html)


def test_it_says_which_versions_would_pass(maria_page: Client, maria_actor: Actor) -> None:
    set_version_tag(maria_actor, name="churn", version=2, key="owner", value="risk")
    words = words_of(maria_page.post(EDITOR, sent("try", AUC_ROW, OWNER_ROW)))
    assert "1 of 2 versions of churn would pass" in words
    assert "v2 None would pass v1 None would not" in words
    assert StagePolicy.objects.count() == 0


def test_what_has_no_new_gates_is_saved_at_once(maria_page: Client, maria_actor: Actor) -> None:
    maria_page.post(EDITOR, sent("save", required_approvals="3", protected="on"))
    assert (stored().protected, stored().required_approvals, stored().dismiss_stale_approvals) == (True, 3, False)
    set_policy(maria_actor, stage=Stage.PRODUCTION, policy=Policy(gates=(AUC,)), name="churn")
    maria_page.post(EDITOR, sent("save", AUC_ROW, expires_after_days="9"))
    assert (stored().expires_after_days, stored().gates) == (9, (AUC,))


def test_every_type_of_gate_is_written_and_read_again(maria_page: Client) -> None:
    rows = [
        AUC_ROW,
        {"type": "metric_against_occupant", "key": "auc", "comparison": ">", "number": ""},
        OWNER_ROW | {"value": "left from before"},
        CI_ROW,
        {"type": "stage", "stage": "Staging", "key": "ignored"},
        *({"type": word} for word in ("description", "signature", "scan", "digest")),
    ]
    answer = maria_page.post(EDITOR, sent("save", *rows))
    maria_page.post(EDITOR, sent("save", *rows, tried=mark_in(html_of(answer))))
    assert stored().gates == (
        AUC,
        Gate(GateType.METRIC_AGAINST_OCCUPANT, "auc", Comparison.MORE_THAN, 0),
        OWNER,
        Gate(GateType.CHECK, "ci/test"),
        Gate(GateType.STAGE, "Staging"),
        *map(Gate, (GateType.DESCRIPTION, GateType.SIGNATURE, GateType.SCAN, GateType.DIGEST)),
    )
    assert types_in(html_of(maria_page.get(EDITOR))) == [gate.type.value for gate in stored().gates]


def test_the_sites_policy_holds_again_when_that_is_wanted(maria_page: Client, maria_actor: Actor) -> None:
    assert "Use the site's policy again" not in get(maria_page, EDITOR)
    set_policy(maria_actor, stage=Stage.PRODUCTION, policy=Policy(protected=True), name="churn")
    assert "Now: This model's own Use the site's policy again" in get(maria_page, EDITOR)
    answer = maria_page.post(EDITOR, {"deed": "remove"}, follow=True)
    assert "The site&#x27;s policy for Production holds again." in html_of(answer)
    assert StagePolicy.objects.count() == 0
    assert maria_page.post(EDITOR, {"deed": "remove"}).status_code == 404


def test_the_site_is_tried_on_a_model_of_ones_choice(desk: Client, maria_actor: Actor) -> None:
    words = words_of(desk.post(SITE, sent("try", AUC_ROW, on="churn")))
    assert "1 of 2 versions of churn would pass" in words
    html = html_of(desk.post(SITE, sent("try", AUC_ROW, on=PROBE)))
    assert "Name another model to try it on, or none." in html
    assert PROBE not in html
    assert 'name="on" value="churn"' in html_of(desk.get(SITE)), "the one that changed last"
    desk.post(SITE, sent("save", AUC_ROW, on=""))
    assert StagePolicy.objects.get().registered_model is None
    assert stored().gates == (AUC,)
    assert "Production Whoever holds the level; others ask Asks about the version there auc" in get(
        desk, "/govern/policies"
    )


def test_the_editor_costs_as_much_for_many_gates_and_versions_as_for_few(
    maria_page: Client, maria_actor: Actor
) -> None:
    maria_page.post(EDITOR, sent("try", AUC_ROW, OWNER_ROW))
    with CaptureQueriesContext(connection) as few:
        maria_page.post(EDITOR, sent("try", AUC_ROW, OWNER_ROW))
    for _ in range(4):
        version_with_run(maria_actor, metrics={"auc": 0.85})
    with CaptureQueriesContext(connection) as many:
        maria_page.post(EDITOR, sent("try", *[AUC_ROW, OWNER_ROW] * 5))
    assert len(many) == len(few) <= 30


# -- aliases and metrics -----------------------------------------------------------------------------------------------
def test_aliases_stand_for_stages_in_a_model_and_on_the_site(
    maria_page: Client, desk: Client, eve: User, page_client: Pages
) -> None:
    desk.post("/govern/policies", {"deed": "stand", "alias": "live", "stage": "Production", "is_mirror": "on"})
    answer = maria_page.post(
        "/models/churn/settings", {"deed": "stand", "alias": "champion", "stage": "Staging"}, follow=True
    )
    assert "@champion stands for Staging now." in html_of(answer)
    words = words_of(answer)
    assert "@champion Staging Only what may be in the stage may be called so. Remove @champion" in words
    assert "@live Production It follows the stage by itself. The site's" in words
    refused = html_of(
        maria_page.post("/models/churn/settings", {"deed": "stand", "alias": "v7", "stage": "Staging"}), 422
    )
    assert "There is a problem" in refused
    assert page_client(eve).post("/models/churn/settings", {"deed": "unstand", "alias": "champion"}).status_code == 403
    maria_page.post("/models/churn/settings", {"deed": "unstand", "alias": "champion"})
    desk.post("/govern/policies", {"deed": "unstand", "alias": "live"})
    assert AliasPolicy.objects.count() == 0
    assert "None: whoever may edit the model points any alias at any version." in get(desk, "/govern/policies")


def test_it_is_said_which_way_metrics_are_better(maria_page: Client, eve: User, page_client: Pages) -> None:
    settings = "/models/churn/settings"
    answer = maria_page.post(settings, {"deed": "direct", "metric": "loss", "better": "lower"}, follow=True)
    assert "loss: lower is better" in words_of(answer)
    assert "said that less of the metric loss is better" in get(maria_page, "/models/churn/activity")
    assert "This field is required." in html_of(maria_page.post(settings, {"deed": "direct", "better": "lower"}), 422)
    posted = {"deed": "direct", "metric": "auc", "better": "higher"}
    assert "This needs CAN_MANAGE" in words_of(page_client(eve).post(settings, posted), 403)
    maria_page.post(settings, {"deed": "undirect", "metric": "loss"})
    assert MetricDirection.objects.count() == 0
    assert maria_page.post(settings, {"deed": "undirect", "metric": "loss"}).status_code == 404
