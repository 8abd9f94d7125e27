"""The same question while a page is made: asked once; in a transaction, or outside of a page, as often as it comes."""

from unittest.mock import patch

import pytest
from django.db import connection

from registry_site.core.once import asking_once, once

asked: list[tuple[object, ...]] = []


@once
def answer(*question: object, of: str = "") -> object:
    asked.append((*question, of))
    return len(asked)


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


def test_a_question_is_asked_once_for_each_of_its_arguments() -> None:
    with asking_once():
        assert answer("level", 1) == answer("level", 1)
        assert answer("level", 2) != answer("level", 1)
        assert answer("level", 1, of="maria") != answer("level", 1, of="jon")
    assert asked == [("level", 1, ""), ("level", 2, ""), ("level", 1, "maria"), ("level", 1, "jon")]


def test_no_answer_is_kept_for_the_next_page() -> None:
    with asking_once():
        answer("level")
    with asking_once():
        answer("level")
    assert len(asked) == 2


def test_outside_of_a_page_every_question_is_asked() -> None:
    answer("level")
    answer("level")
    assert len(asked) == 2


def test_what_fails_is_asked_again() -> None:
    @once
    def fails() -> None:
        asked.append(())
        raise LookupError

    with asking_once():
        for _ in range(2):
            with pytest.raises(LookupError):
                fails()
    assert len(asked) == 2


def test_a_transaction_asks_anew() -> None:
    with asking_once():
        answer("level")
        with patch.object(connection, "in_atomic_block", True):
            answer("level")
        answer("level")
    assert len(asked) == 2
