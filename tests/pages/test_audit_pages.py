"""The audit log and the history of a model, as people read them, and as files."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.administration import set_admin
from registry_site.accounts.models import User
from registry_site.accounts.services import create_user
from registry_site.audit.chain import START, Stored, link
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.audit.record import Subject, record
from registry_site.promotion.deleting import delete_model
from registry_site.promotion.services import transition
from registry_site.registry.services import rename_model, set_alias, set_model_tag
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.make import make_model, make_user, make_version
from tests.pages.registry_flows import HTMX, PROBE, get, html_of, words_of
from tests.tampering import past_the_triggers

FORMULAS = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "\rx")


def table(answer: Any) -> list[dict[str, str]]:
    """The rows of a CSV answer, as a spreadsheet reads them."""
    text = body(answer).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def body(answer: Any) -> bytes:
    assert isinstance(answer, StreamingHttpResponse), answer.content[:500]
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def tell(actor: Actor, kind: Kind, *, comment: str = "", subject: str = "x", **data: Any) -> None:
    with transaction.atomic():
        record(actor, kind, Subject(subject), comment=comment, **data)


# -- the audit log -----------------------------------------------------------------------------------------------------
def test_the_log_tells_who_did_what_newest_first(
    admin_page: Client, maria_actor: Actor, jon_actor: Actor, admin_actor: Actor
) -> None:
    make_version(maria_actor)
    set_model_tag(maria_actor, name="churn", key="team", value=PROBE)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, comment="Shadow run is fine.")
    create_user(admin_actor, username="kim")
    set_admin(admin_actor, username="kim", is_admin=True)
    answer = admin_page.get("/audit")
    words = words_of(answer)
    told = [
        "Ada Min made an administrator user kim rest",
        "Ada Min created the account user kim rest",
        "Jon Weber moved version 1 from None to Production Shadow run is fine. churn rest",
        f"Maria Lopez set the tag team {PROBE} churn rest",
        "Maria Lopez registered version 1 churn rest",
        "Maria Lopez created the experiment fraud rest",
        "Maria Lopez registered the model churn rest",
    ]
    places = [words.index(sentence) for sentence in told]
    assert places == sorted(places)
    html = html_of(answer)
    assert PROBE not in html
    assert '<a href="/models/churn/versions/1">version 1</a>' in html
    assert Activity.objects.latest("pk").hash in html
    assert words.endswith("7 activities")


def test_only_administrators_see_it_and_the_way_to_it(admin_page: Client, maria_page: Client) -> None:
    for address in ("/audit", "/audit.csv", "/audit.jsonl", "/audit?since=nonsense"):
        assert "Only administrators may do this." in get(maria_page, address, 403)
    assert 'href="/audit"' not in html_of(maria_page.get("/models"))
    assert 'href="/audit"' in html_of(admin_page.get("/models"))


def test_the_filter_is_in_the_address(
    admin_page: Client, maria_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    frozen_clock.advance(days=1)
    make_model(jon_actor, "fraud")
    set_model_tag(jon_actor, name="fraud", key="team", value="risk")
    churn, fraud, tag = ("registered the model churn", "registered the model fraud", "set the tag team")
    for query, there in {
        "": {churn, fraud, tag},
        "who=maria": {churn},
        "who=jon&kind=model.created": {fraud},
        "kind=model": {churn, fraud, tag},
        "kind=version": set(),
        "model=fraud": {fraud, tag},
        "origin=rest": {churn, fraud, tag},
        "origin=page": set(),
        "until=2026-03-02": {churn},
        "since=2026-03-03": {fraud, tag},
        "since=2026-03-02&until=2026-03-03&kind=model.tag_set": {tag},
    }.items():
        words = get(admin_page, f"/audit?{query}")
        assert {sentence for sentence in (churn, fraud, tag) if sentence in words} == there, query
        assert ("Nothing like that has happened" in words) is not there, query
    html = html_of(admin_page.get("/audit?who=maria&since=2026-03-02"))
    assert 'value="maria"' in html
    assert 'value="2026-03-02"' in html
    assert 'href="/audit.csv?who=maria&amp;since=2026-03-02"' in html


def test_a_day_is_a_day_where_the_reader_lives(
    page_client: Callable[[User], Client], maria_actor: Actor, frozen_clock: FrozenClock
) -> None:
    tokyo = make_user("kei", is_admin=True)
    User.objects.filter(pk=tokyo.pk).update(time_zone="Asia/Tokyo")
    page = page_client(User.objects.get(pk=tokyo.pk))
    frozen_clock.advance(hours=4)  # 16:00 UTC is 01:00 of the next day there
    make_model(maria_actor, "churn")
    assert "registered the model" in get(page, "/audit?since=2026-03-03&until=2026-03-03")
    assert "registered the model" not in get(page, "/audit?until=2026-03-02")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=nonsense", "First day: Enter a valid date."),
        ("until=0001-01-01", "Last day: Ensure this value is greater than or equal to 1970-01-02."),
        ("until=9999-12-31", "Last day: Ensure this value is less than or equal to 2999-12-31."),
        ("kind=nothing", "Kind: Select a valid choice."),
        ("origin=nowhere", "Made from: Select a valid choice."),
        ("who=" + "x" * 151, "User name: Ensure this value has at most 150 characters"),
        ("model=%00", "Registered model: Null characters are not allowed."),
        ("page_token=x", "Invalid page token"),
    ],
)
def test_what_cannot_be_asked_is_told(query: str, said: str, admin_page: Client) -> None:
    assert said in get(admin_page, f"/audit?{query}", 400)
    if "page_token" not in query:
        assert said in get(admin_page, f"/audit.csv?{query}", 400)
        part = admin_page.get(f"/audit?{query}", headers=HTMX)
        assert said in words_of(part, 422)
        assert "<html" not in html_of(part, 422)


def test_the_log_is_paged_and_costs_as_much_for_many_as_for_few(admin_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_page.get("/audit?who=maria").status_code == 200
        return len(captured)

    cost()  # the session is read once and cached
    few = cost()
    for number in range(60):
        make_model(maria_actor, f"model {number}")
    assert cost() == few
    first = admin_page.get("/audit?who=maria")
    assert first.context["pager"].older.startswith("?who=maria&page_token=")
    second = admin_page.get("/audit" + first.context["pager"].older)
    assert len(first.context["rows"]) == 50
    assert [row.about for row in second.context["rows"]] == [
        *(f"model {number}" for number in range(9, -1, -1)),
        "churn",
    ]
    assert "<html" not in html_of(admin_page.get("/audit?who=maria", headers=HTMX))


def test_the_history_of_a_deleted_model_stays(admin_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    rename_model(maria_actor, name="churn", new_name="leavers")
    delete_model(maria_actor, name="leavers")
    answer = admin_page.get("/audit?model=leavers")
    words = words_of(answer)
    assert "Maria Lopez deleted the model model leavers rest" in words
    assert "Maria Lopez renamed the model from churn to leavers model leavers rest" in words
    assert "Maria Lopez registered version 1 model churn version 1 rest" in words
    assert "/models/leavers" not in html_of(answer), "no link leads to what is not there"


def test_every_kind_is_told_in_words(admin_page: Client, admin_actor: Actor) -> None:
    for kind in Kind:
        tell(admin_actor, kind, subject="the thing")
    words = get(admin_page, "/audit") + get(admin_page, "/audit" + admin_page.get("/audit").context["pager"].older)
    for kind in Kind:
        assert f"{kind} the thing" not in words
    with past_the_triggers():
        Activity.objects.filter(pk=Activity.objects.latest("pk").pk).update(kind="later.invented")
    assert "later.invented the thing" in get(admin_page, "/audit")


# -- as files ----------------------------------------------------------------------------------------------------------
def test_the_table_has_all_that_matches_for_a_spreadsheet(
    admin_page: Client, maria_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    make_version(maria_actor)
    make_model(jon_actor, "fraud")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.STAGING, comment='Grüße, "Eve";\nok')
    answer = admin_page.get("/audit.csv?who=jon")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="podium-audit-2026-03-02.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    raw = body(answer)
    assert raw.startswith(b'\xef\xbb\xbf"id","at","who","kind",')
    moved, made = csv.DictReader(StringIO(raw.decode("utf-8-sig"), newline=""))
    assert moved | {"id": "", "data": ""} == {
        "id": "",
        "at": "2026-03-02T12:00:00.000000+00:00",
        "who": "jon",
        "kind": "version.stage_changed",
        "subject": "model churn version 1",
        "version": "1",
        "request": "",
        "from": "None",
        "to": "Staging",
        "comment": 'Grüße, "Eve";\nok',
        "origin": "rest",
        "data": "",
    }
    assert json.loads(moved["data"])["to_stage"] == "Staging"
    assert (made["kind"], made["subject"]) == ("model.created", "model fraud")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, admin_page: Client, maria: User, maria_actor: Actor) -> None:
    User.objects.filter(pk=maria.pk).update(username=text)
    tell(
        Actor(maria.pk, text, maria_actor.origin),
        Kind.MODEL_TAG_SET,
        subject=text,
        comment=text,
        before=text,
        after=text,
    )
    (row,) = table(admin_page.get("/audit.csv"))
    for column in ("who", "subject", "from", "to", "comment"):
        assert row[column] == f"'{text}", column
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_the_json_lines_have_all_that_is_hashed(admin_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor, description="\u2028 日本\nx")
    answer = admin_page.get("/audit.jsonl?model=churn")
    assert answer.headers["Content-Disposition"].endswith('.jsonl"')
    newest, oldest = [json.loads(line) for line in body(answer).decode().splitlines()]
    assert (newest["kind"], oldest["kind"]) == ("version.created", "model.created")
    assert (oldest["previous_hash"], newest["previous_hash"]) == (START, oldest["hash"])
    stored = Activity.objects.get(pk=newest["id"])
    assert newest["at"] == stored.at.isoformat(timespec="microseconds")
    from_file = {name: newest[name] for name in Stored._fields} | {"at": stored.at}
    assert link(Stored(**from_file), newest["previous_hash"]) == newest["hash"], "the file can be verified by itself"


# -- the history of a model --------------------------------------------------------------------------------------------
def test_the_history_of_a_model_is_narrowed_to_a_kind_and_a_version(
    maria_page: Client, maria_actor: Actor, jon_actor: Actor
) -> None:
    for _ in range(2):
        make_version(maria_actor)
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    transition(jon_actor, name="churn", version=2, to_stage=Stage.STAGING)
    everything = get(maria_page, "/models/churn/activity")
    registered, pointed, moved = "registered version 1", "pointed @champion at version 1", "moved version 2 from None"
    for sentence in (registered, pointed, moved):
        assert sentence in everything
    stages = get(maria_page, "/models/churn/activity?kind=stages")
    assert moved in stages
    assert registered not in stages
    assert pointed not in stages
    marks = get(maria_page, "/models/churn/activity?kind=marks&version=1")
    assert pointed in marks
    assert moved not in marks
    assert registered not in marks
    assert "Nothing of this kind has happened yet" in get(maria_page, "/models/churn/activity?kind=comments")
    html = html_of(maria_page.get("/models/churn/activity?kind=marks&version=1"))
    assert 'href="?kind=marks"' in html, "the version can be taken out again"
    for odd in ("kind=nothing", "version=x", "version=9" + "9" * 30, "version=-1"):
        assert registered in get(maria_page, f"/models/churn/activity?{odd}")


def test_what_changed_is_told_with_what_was_there_before(maria_page: Client, maria_actor: Actor) -> None:
    for _ in range(2):
        make_version(maria_actor)
    for value in ("risk", "fraud"):
        set_model_tag(maria_actor, name="churn", key="team", value=value)
    for version in (1, 2):
        set_alias(maria_actor, name="churn", alias="champion", version=version)
    words = get(maria_page, "/models/churn/activity")
    assert "set the tag team risk just now" in words
    assert "set the tag team fraud , which was risk just now" in words
    assert "pointed @champion at version 1 just now" in words
    assert "pointed @champion at version 2, away from version 1 just now" in words


def test_a_moment_tells_the_exact_time_when_it_is_pointed_at(
    maria_page: Client, maria_actor: Actor, frozen_clock: FrozenClock
) -> None:
    frozen_clock.moment -= timedelta(days=400)
    make_model(maria_actor, "churn")
    html = html_of(maria_page.get("/models/churn/activity"))
    assert 'title="2025-01-26 12:00:00 UTC">2025-01-26</time>' in html


def test_a_long_history_of_a_version_has_a_page_of_its_own(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    address = 'href="/models/churn/activity?version=1"'
    assert address not in html_of(maria_page.get("/models/churn/versions/1"))
    for number in range(21):
        set_alias(maria_actor, name="churn", alias=f"a{number}", version=1)
    assert address in html_of(maria_page.get("/models/churn/versions/1"))
    assert "registered version 1" in get(maria_page, "/models/churn/activity?version=1")


# -- the desk of the administrators ------------------------------------------------------------------------------------
def test_the_administration_shows_the_hash_and_changes_nothing(admin_page: Client, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    line = Activity.objects.get()
    listed, shown = admin_page.get("/admin/audit/activity/"), admin_page.get(f"/admin/audit/activity/{line.pk}/change/")
    assert line.hash[:12] in html_of(listed)
    assert line.hash in html_of(shown)
    assert 'name="_save"' not in html_of(shown)
    for tail in ("add/", f"{line.pk}/delete/"):
        assert admin_page.post(f"/admin/audit/activity/{tail}", {"post": "yes"}).status_code == 403
    admin_page.post(f"/admin/audit/activity/{line.pk}/change/", {"comment": "never happened"})
    action = {"action": "delete_selected", "_selected_action": [str(line.pk)], "post": "yes"}
    admin_page.post("/admin/audit/activity/", action)
    assert Activity.objects.get().comment == ""
