"""Many who write history at the same moment: each chain stays one chain, and nobody is told of it."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from registry_site.accounts.actors import Actor
from registry_site.audit.chain import SITE, START
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.audit.record import Subject, record
from registry_site.audit.verify import Verdict, verify
from registry_site.registry.services import create_model, set_model_tag
from registry_site.tracking.services import create_experiment
from tests.make import make_model

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 8
EACH = 6


def at_once(acts: Sequence[Callable[[int], object]]) -> None:
    """Do each of them `EACH` times, all at the same time, in threads with a connection of their own. Any error ends
    the test."""
    start = threading.Barrier(len(acts), timeout=30)

    def repeat(act: Callable[[int], object]) -> None:
        try:
            start.wait()
            for number in range(EACH):
                act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as writers:
        list(writers.map(repeat, acts))


def assert_one_chain(chain: int, length: int) -> None:
    links = list(Activity.objects.filter(chain=chain).order_by("pk").values_list("previous_hash", "hash"))
    assert len(links) == length
    assert [previous for previous, _ in links] == [START, *(digest for _, digest in links[:-1])]


def test_all_write_about_one_model_nobody_else_knew_of(maria_actor: Actor) -> None:
    def write(number: int) -> None:
        with transaction.atomic():  # no row of a model is locked here: the chain itself has to hold
            record(maria_actor, Kind.MODEL_TAG_SET, Subject("model churn", registered_model_id=1), number=number)

    at_once([write] * WRITERS)
    assert_one_chain(1, WRITERS * EACH)
    assert verify() == Verdict(activities=WRITERS * EACH, chains=1)
    assert OutboxEntry.objects.count() == WRITERS * EACH


def test_all_write_about_the_site(maria_actor: Actor) -> None:
    def writer(name: str) -> Callable[[int], object]:
        return lambda number: create_experiment(maria_actor, name=f"{name} {number}")

    at_once([writer(f"experiment {place}") for place in range(WRITERS)])
    assert_one_chain(SITE, WRITERS * EACH)
    assert verify() == Verdict(activities=WRITERS * EACH, chains=1)


def test_each_writes_about_another_model_and_about_one_they_share(maria_actor: Actor) -> None:
    shared = make_model(maria_actor, "shared")

    def writer(place: int) -> Callable[[int], object]:
        def write(number: int) -> None:
            create_model(maria_actor, name=f"model {place} {number}")
            set_model_tag(maria_actor, name=f"model {place} {number}", key="team", value="risk")
            set_model_tag(maria_actor, name="shared", key=f"tag {place}", value=str(number))
            create_experiment(maria_actor, name=f"experiment {place} {number}")

        return write

    at_once([writer(place) for place in range(WRITERS)])
    rounds = WRITERS * EACH
    assert_one_chain(shared.pk, 1 + rounds)
    assert_one_chain(SITE, rounds)
    assert verify() == Verdict(activities=1 + 4 * rounds, chains=2 + rounds)


def test_each_writes_about_a_model_and_about_the_site_in_one_transaction(maria_actor: Actor) -> None:
    def writer(model: int) -> Callable[[int], object]:
        def write(number: int) -> None:
            with transaction.atomic():
                record(maria_actor, Kind.GRANT_SET, Subject("model churn", registered_model_id=model), number=number)
                record(maria_actor, Kind.USER_UPDATED, Subject("user kim"), number=number)

        return write

    at_once([writer(1 + place % 2) for place in range(WRITERS)])
    assert_one_chain(1, WRITERS // 2 * EACH)
    assert_one_chain(2, WRITERS // 2 * EACH)
    assert_one_chain(SITE, WRITERS * EACH)


def test_a_change_that_is_given_up_leaves_no_gap(maria_actor: Actor) -> None:
    def writer(gives_up: bool) -> Callable[[int], object]:
        def write(number: int) -> None:
            with transaction.atomic():
                record(maria_actor, Kind.MODEL_TAG_SET, Subject("model churn", registered_model_id=1), number=number)
                transaction.set_rollback(gives_up)

        return write

    at_once([writer(gives_up=place % 2 == 0) for place in range(WRITERS)])
    assert_one_chain(1, WRITERS // 2 * EACH)
    assert verify().broken is None


def test_history_is_verified_while_it_is_written(maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    found: list[Verdict] = []

    def writer(place: int) -> Callable[[int], object]:
        return lambda number: set_model_tag(maria_actor, name="churn", key=f"tag {place}", value=str(number))

    at_once([*(writer(place) for place in range(WRITERS)), lambda _: found.append(verify())])
    assert [verdict.broken for verdict in found] == [None] * EACH
    assert verify() == Verdict(activities=1 + WRITERS * EACH, chains=1)
