"""History: chained, never changed, and readable for those who may."""

import math
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.accounts.administration import set_admin
from registry_site.accounts.services import create_user
from registry_site.audit.chain import SITE, START
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity, ChainHead, OutboxEntry
from registry_site.audit.queries import Wanted
from registry_site.audit.record import Subject, record
from registry_site.audit.verify import Flaw, Verdict, verify
from registry_site.core.errors import InvalidParameter, NotFound, NotSignedIn, PermissionDenied
from registry_site.promotion.deleting import delete_model
from registry_site.promotion.services import transition
from registry_site.registry.history import PER_PAGE_AT_MOST, all_history, export_history, history_of
from registry_site.registry.models import RegisteredModel
from registry_site.registry.services import rename_model, set_model_tag
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.doors import Api
from tests.make import make_model, make_version
from tests.tampering import forge, past_the_triggers

pytestmark = pytest.mark.django_db
EVERYTHING = Wanted()
NOBODYS = 2**40  # a registered model that no test makes
AWKWARD = {
    "text": "Grüße, 東京 \u2028 \U0001f40d \\u0041 'quoted' %s",
    "numbers": [1.0, -0.0, 0.1, 1e-7, 1e23, 1.5e300, 5e-324, 2**63, -(2**70), 3],
    "nested": {"z": None, "a": [True, False, {"": ""}]},
}


@pytest.fixture
def churn(maria_actor: Actor) -> RegisteredModel:
    """Maria's model, with a version, a tag that was set twice, and so four lines of history."""
    make_version(maria_actor, "churn")
    for value in ("risk", "fraud"):
        set_model_tag(maria_actor, name="churn", key="team", value=value)
    return RegisteredModel.objects.get(name="churn")


def lines(chain: int) -> list[Activity]:
    return list(Activity.objects.filter(chain=chain).order_by("pk"))


# -- written -----------------------------------------------------------------------------------------------------------
def test_each_activity_follows_the_one_before_it_of_the_same_model(churn: RegisteredModel, maria_actor: Actor) -> None:
    make_model(maria_actor, "fraud")
    set_model_tag(maria_actor, name="churn", key="team", value="credit")
    told = lines(churn.pk)
    assert [line.kind for line in told] == [Kind.MODEL_CREATED, Kind.VERSION_CREATED, *[Kind.MODEL_TAG_SET] * 3]
    assert [line.previous_hash for line in told] == [START, *(line.hash for line in told[:-1])]
    assert ChainHead.objects.get(pk=churn.pk).hash == told[-1].hash
    assert OutboxEntry.objects.filter(activity__in=told).count() == len(told)


def test_what_is_about_no_model_is_chained_too(churn: RegisteredModel, admin_actor: Actor) -> None:
    create_user(admin_actor, username="kim")
    set_admin(admin_actor, username="kim", is_admin=True)
    told = lines(SITE)
    assert [line.kind for line in told] == [Kind.EXPERIMENT_CREATED, Kind.USER_CREATED, Kind.USER_ADMIN_SET]
    assert [line.previous_hash for line in told] == [START, *(line.hash for line in told[:-1])]
    assert verify() == Verdict(activities=7, chains=2)


def test_whatever_is_recorded_reads_as_it_was_hashed(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    for microseconds in (0, 250_000, 1):
        frozen_clock.advance(microseconds=microseconds)
        with transaction.atomic():
            record(maria_actor, Kind.MODEL_TAG_SET, Subject("model x", NOBODYS), comment="\r\n\t", **AWKWARD)
    assert verify() == Verdict(activities=3, chains=1)
    read = Activity.objects.latest("pk").data
    assert [read["text"], read["nested"]] == [AWKWARD["text"], AWKWARD["nested"]]


def test_what_is_not_json_is_not_recorded(maria_actor: Actor) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), transaction.atomic():
        record(maria_actor, Kind.MODEL_TAG_SET, Subject("model x", NOBODYS), value=math.nan)
    assert not Activity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_history_is_written_in_the_transaction_of_the_change_or_not_at_all(system_actor: Actor) -> None:
    with pytest.raises(RuntimeError, match="belongs into the transaction"):
        record(system_actor, Kind.USER_SIGNED_IN, Subject("user maria"))
    with transaction.atomic():
        record(system_actor, Kind.USER_SIGNED_IN, Subject("user maria"))
        transaction.set_rollback(True)
    assert not Activity.objects.exists()
    assert verify() == Verdict(activities=0, chains=0)


@pytest.fixture
def _no_history(churn: RegisteredModel) -> None:
    """From here on the database takes no activity any more."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_activity RENAME TO out_of_reach")


@pytest.mark.usefixtures("_no_history")
def test_a_change_that_cannot_be_written_down_is_not_made(api: Api, churn: RegisteredModel) -> None:
    answer = api.post("registered-models/set-tag", {"name": "churn", "key": "team", "value": "credit"})
    assert answer.status_code in (500, 503), "SQLite tells a missing table as it tells a busy one"
    assert "audit" not in answer.content.decode()
    assert api.post("registered-models/create", {"name": "fraud"}).status_code == answer.status_code
    assert churn.tags.get(key="team").value == "fraud"
    assert not RegisteredModel.objects.filter(name="fraud").exists()


# -- never changed -----------------------------------------------------------------------------------------------------
CHANGES: dict[str, Callable[[], Any]] = {
    "update": lambda: Activity.objects.update(comment="never happened"),
    "save": lambda: Activity.objects.latest("pk").save(),
    "delete": lambda: Activity.objects.latest("pk").delete(),
    "delete all": lambda: Activity.objects.all().delete(),
    "empty": lambda: connection.cursor().execute(EMPTY[connection.vendor]),
}
EMPTY = {
    "postgresql": "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE audit_activity CASCADE",
    "sqlite": "DELETE FROM audit_activity",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_database_refuses_to_change_history(change: Callable[[], Any], churn: RegisteredModel) -> None:
    before = Activity.objects.count()
    with pytest.raises(DatabaseError, match="history is append-only"), transaction.atomic():
        change()
    assert Activity.objects.count() == before
    assert verify().broken is None


def test_two_activities_never_follow_the_same_one(churn: RegisteredModel) -> None:
    *_, before, last = lines(churn.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        forge(before, key=last.pk + 100, comment="another end")


# -- found out ---------------------------------------------------------------------------------------------------------
TAMPERED = {
    "id": 10_000,
    "at": "2020-01-01 00:00:00",
    "kind": "version.deleted",
    "origin": "admin",
    "actor_id": 10_000,
    "actor_name": "eve",
    "registered_model_id": 10_000,
    "subject": "model fraud",
    "version": 10_000,
    "request_number": 10_000,
    "comment": "never happened",
    "data": '{"key": "team", "before": "risk", "after": "nobody"}',
    "chain": 10_000,
    "hash": "0" * 64,
    "previous_hash": "f" * 64,
}


def test_every_column_can_be_tampered_with_here() -> None:
    assert TAMPERED.keys() == {field.column for field in Activity._meta.concrete_fields}


@pytest.mark.parametrize("column", TAMPERED)
def test_one_changed_value_is_found(column: str, churn: RegisteredModel) -> None:
    changed = lines(churn.pk)[-1]
    OutboxEntry.objects.all().delete()  # else an activity cannot get another id
    with past_the_triggers(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE audit_activity SET {column} = %s WHERE id = %s", [TAMPERED[column], changed.pk])
    broken = verify().broken
    assert broken is not None
    assert broken.flaw is {"chain": Flaw.CUT}.get(column, Flaw.CHANGED)
    assert broken.activity is not None
    assert broken.activity.id == {"id": 10_000, "chain": changed.pk - 1}.get(column, changed.pk)


@pytest.mark.parametrize(
    ("which", "flaw", "where"), [([0], Flaw.MISSING, 1), ([1, 2], Flaw.MISSING, 3), ([3], Flaw.CUT, 2)]
)
def test_a_missing_activity_is_found(which: list[int], flaw: Flaw, where: int, churn: RegisteredModel) -> None:
    told = lines(churn.pk)
    with past_the_triggers():
        Activity.objects.filter(pk__in=[told[number].pk for number in which]).delete()
    broken = verify().broken
    assert broken is not None
    assert (broken.chain, broken.flaw) == (churn.pk, flaw)
    assert broken.activity is not None
    assert broken.activity.id == told[where].pk


def test_a_missing_chain_is_found(churn: RegisteredModel) -> None:
    with past_the_triggers():
        Activity.objects.filter(chain=churn.pk).delete()
    broken = verify().broken
    assert broken is not None
    assert (broken.chain, broken.flaw, broken.activity) == (churn.pk, Flaw.EMPTIED, None)


def test_an_activity_that_was_slipped_in_is_found(churn: RegisteredModel) -> None:
    first, *_, last = lines(churn.pk)
    forge(last, key=last.pk + 100, comment="slipped in behind")
    broken = verify().broken
    assert broken is not None
    assert (broken.flaw, broken.activity and broken.activity.comment) == (Flaw.CUT, "slipped in behind")
    with past_the_triggers():
        Activity.objects.filter(pk=last.pk + 100).delete()
    forge(last, key=-1, comment="slipped in before")
    broken = verify().broken
    assert broken is not None
    assert (broken.flaw, broken.activity and broken.activity.comment) == (Flaw.FORKED, "slipped in before")
    assert first.previous_hash == START


# -- read --------------------------------------------------------------------------------------------------------------
def kinds_of(actor: Actor, wanted: Wanted = EVERYTHING, **more: Any) -> list[str]:
    return [line.kind for line in all_history(actor, wanted, **more).rows]


def test_only_administrators_read_all_of_history(maria_actor: Actor, stranger_actor: Actor) -> None:
    for read in (all_history, export_history):
        with pytest.raises(PermissionDenied):
            read(maria_actor, EVERYTHING)
        with pytest.raises(NotSignedIn):
            read(stranger_actor, EVERYTHING)


def test_history_is_found_by_who_what_where_and_when(
    churn: RegisteredModel, admin_actor: Actor, jon_actor: Actor, frozen_clock: FrozenClock
) -> None:
    noon = frozen_clock.moment
    transition(jon_actor.through(Origin.PAGE), name="churn", version=1, to_stage=Stage.STAGING)
    frozen_clock.advance(hours=1)
    make_model(jon_actor, "fraud")
    moved, made = Kind.VERSION_STAGE_CHANGED, Kind.MODEL_CREATED
    assert kinds_of(admin_actor, Wanted(actor_name="jon")) == [made, moved]
    assert kinds_of(admin_actor, Wanted(kinds=[moved])) == [moved]
    assert kinds_of(admin_actor, Wanted(kinds=[made])) == [made, made]
    assert kinds_of(admin_actor, Wanted(origin=Origin.PAGE)) == [moved]
    assert kinds_of(admin_actor, Wanted(actor_name="jon", since=noon + timedelta(hours=1))) == [made]
    assert kinds_of(admin_actor, Wanted(actor_name="jon", until=noon + timedelta(hours=1))) == [moved]
    assert kinds_of(admin_actor, model="fraud") == [made]
    assert kinds_of(admin_actor, Wanted(actor_name="jon"), model="churn") == [moved]
    assert kinds_of(admin_actor, model="nothing") == []


def test_pages_of_history_follow_each_other_whatever_happens_meanwhile(
    churn: RegisteredModel, admin_actor: Actor, maria_actor: Actor
) -> None:
    whole = [line.pk for line in all_history(admin_actor, EVERYTHING).rows]
    page = all_history(admin_actor, EVERYTHING, max_results=2)
    set_model_tag(maria_actor, name="churn", key="team", value="credit")
    rest = all_history(admin_actor, EVERYTHING, page_token=page.next_page_token)
    assert [line.pk for line in (*page.rows, *rest.rows)] == whole
    assert rest.next_page_token == ""
    for wanted in (Wanted(actor_name="maria"), Wanted(until=page.rows[0].at)):
        with pytest.raises(InvalidParameter, match="belongs to another search"):
            all_history(admin_actor, wanted, page_token=page.next_page_token)


def test_a_page_of_history_is_one_query(churn: RegisteredModel, admin_actor: Actor, maria_actor: Actor) -> None:
    for number in range(20):
        set_model_tag(maria_actor, name="churn", key=f"tag{number}", value="x")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(all_history(admin_actor, Wanted(actor_name="maria"), max_results=10).rows) == 10
    assert len(queries) == 1


def test_an_export_has_all_of_it_once(churn: RegisteredModel, admin_actor: Actor, maria_actor: Actor) -> None:
    with transaction.atomic():
        for number in range(PER_PAGE_AT_MOST):
            record(maria_actor, Kind.USER_UPDATED, Subject("user maria"), number=number)
    whole = list(Activity.objects.order_by("-pk").values_list("pk", flat=True))
    portions = export_history(admin_actor, EVERYTHING)
    seen = [line.pk for line in next(portions)]
    set_model_tag(maria_actor, name="churn", key="team", value="credit")
    assert len(seen) < len(whole), "it comes in portions"
    seen += [line.pk for portion in portions for line in portion]
    assert seen == whole


def test_a_deleted_model_keeps_its_history_for_administrators(
    churn: RegisteredModel, maria_actor: Actor, admin_actor: Actor
) -> None:
    rename_model(maria_actor, name="churn", new_name="churn2")
    delete_model(maria_actor, name="churn2")
    for actor in (maria_actor, admin_actor):
        with pytest.raises(NotFound):
            history_of(actor, "churn2")
    told = [
        Kind.MODEL_DELETED,
        Kind.MODEL_RENAMED,
        Kind.MODEL_TAG_SET,
        Kind.MODEL_TAG_SET,
        Kind.VERSION_CREATED,
        Kind.MODEL_CREATED,
    ]
    assert kinds_of(admin_actor, model="churn2") == told
    assert kinds_of(admin_actor, model="churn") == told, "also under the name that it had before"
    make_model(maria_actor, "churn2")
    assert kinds_of(admin_actor, model="churn2") == [Kind.MODEL_CREATED, *told]
    assert [line.kind for line in history_of(maria_actor, "churn2").rows] == [Kind.MODEL_CREATED], "a model of its own"
    assert verify().broken is None


@pytest.mark.django_db(transaction=True)
def test_history_moves_to_another_database_as_it_is(maria_actor: Actor, tmp_path: Path) -> None:
    make_version(maria_actor, "churn")
    with transaction.atomic():
        record(maria_actor, Kind.MODEL_TAG_SET, Subject("model x", NOBODYS), **AWKWARD)
    before = verify()
    call_command("dumpdata", "audit", output=str(tmp_path / "audit.json"), verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    call_command("loaddata", str(tmp_path / "audit.json"), verbosity=0)
    assert verify() == before == Verdict(activities=4, chains=3)


# -- history that was there before -------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_history_from_before_there_were_chains_is_chained(maria_actor: Actor) -> None:
    make_version(maria_actor, "churn")
    make_model(maria_actor, "fraud")
    with transaction.atomic():
        record(maria_actor, Kind.MODEL_TAG_SET, Subject("model x", NOBODYS), **AWKWARD)
    before = list(Activity.objects.order_by("pk").values())
    try:
        call_command("migrate", "audit", "0002", verbosity=0)
        assert "audit_chainhead" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert list(Activity.objects.order_by("pk").values()) == before
    assert verify() == Verdict(activities=len(before), chains=4)
    set_model_tag(maria_actor, name="fraud", key="team", value="risk")
    assert verify() == Verdict(activities=len(before) + 1, chains=4)
    with pytest.raises(DatabaseError, match="history is append-only"), transaction.atomic():
        Activity.objects.update(comment="never happened")
