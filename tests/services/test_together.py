"""Several questions that the database hears once: the same answers as one by one, whatever is in them."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    JSONField,
    TextField,
    Value,
)

from registry_site.accounts.models import User
from registry_site.core import clock
from registry_site.core.once import asking_once
from registry_site.core.prepared import Among, Given, Prepared, Question
from registry_site.core.together import ask_together

pytestmark = pytest.mark.django_db(transaction=True)  # in a transaction nothing is remembered

Queries = Callable[[int], Any]
PEOPLE = Prepared(
    lambda: (
        User.objects.filter(Among("pk")).order_by("-username").values_list("pk", "username", "is_active", "date_joined")
    ),
    lambda *row: row,
)
NAMED = Prepared(
    lambda: User.objects.filter(username=Given("name", CharField())).values_list("username"), lambda name: name
)


@pytest.fixture(autouse=True)
def page() -> Iterator[None]:
    with asking_once():
        yield


@pytest.fixture
def people() -> list[int]:
    return [User.objects.create_user(name).pk for name in ("jon", "maria", "o'\"%s \\ 😀 {}")]


def test_the_answers_are_the_same_as_one_by_one(people: list[int], django_assert_num_queries: Queries) -> None:
    questions: list[Question[Any]] = [
        PEOPLE.question(keys=people),
        NAMED.question(name="o'\"%s \\ 😀 {}"),
        NAMED.question(name="nobody"),
    ]
    with django_assert_num_queries(1):
        ask_together(*questions)
        together = [question.answer() for question in questions]
    with asking_once(), django_assert_num_queries(3):
        assert together == [question.answer() for question in questions]
    assert [name for _, name, *_ in together[0]] == sorted((name for _, name, *_ in together[0]), reverse=True)
    joined = together[0][0][3]
    assert isinstance(joined, datetime)
    assert clock.now() - joined < timedelta(minutes=10)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (2**63 - 1, BigIntegerField()),
        (True, BooleanField()),
        (None, BooleanField()),
        (None, DateTimeField()),
        ("tab\tnew\nline \u2028 'quoted' \"twice\" \\ \x7f", TextField()),
        ({"o'\"\\": [1, 0.1, 1e-300, 2**70, None, True, "\u2028 \x7f 😀"], "z": {}}, JSONField()),
        ([], JSONField()),
        ("[1]", JSONField()),
    ],
)
def test_no_value_is_another_one_afterwards(value: object, field: Any, people: list[int]) -> None:
    rows = Prepared(lambda: User.objects.filter(Among("pk")).values_list(Value(value, field)), lambda one: one)
    ask_together(rows.question(keys=people), NAMED.question(name="jon"))
    assert rows.read(keys=people) == [value] * 3


def test_what_has_been_asked_is_not_asked_again(people: list[int], django_assert_num_queries: Queries) -> None:
    PEOPLE.read(keys=people)
    with django_assert_num_queries(0):
        ask_together(PEOPLE.question(keys=people), PEOPLE.question(keys=people))
    with django_assert_num_queries(1):
        ask_together(PEOPLE.question(keys=people), *(NAMED.question(name=name) for name in ("jon", "maria")))


def test_fractions_are_refused_since_they_would_be_rounded(people: list[int]) -> None:
    rows = Prepared(lambda: User.objects.filter(Among("pk")).values_list(Value(0.1, FloatField())), float)
    with pytest.raises(TypeError, match="FloatField"):
        ask_together(rows.question(keys=people), NAMED.question(name="jon"))


def test_in_a_transaction_nothing_is_asked_before_its_time(django_assert_num_queries: Queries) -> None:
    with transaction.atomic(), django_assert_num_queries(0):
        ask_together(NAMED.question(name="jon"), NAMED.question(name="maria"))
