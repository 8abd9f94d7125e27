"""Asking once: while a page is made, the same question has the same answer, and the database hears it once.

Only what reads is remembered, for one request that changes nothing; inside of a transaction everything is asked anew.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
Answer = TypeVar("Answer")

_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def asking_once() -> Iterator[None]:
    """What is read by `once` in here is read once for the same arguments."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer that was given to this question before, else that of `ask`. Whoever gets it must not change it."""
    answers = _answers.get()
    if answers is None or connection.in_atomic_block:
        return ask()
    if question not in answers:
        answers[question] = ask()
    answer: Answer = answers[question]
    return answer


def is_to_be_asked(question: Hashable) -> bool:
    """Whether an answer to this question would be remembered, and there is none yet."""
    answers = _answers.get()
    return answers is not None and question not in answers and not connection.in_atomic_block


def once(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """For a function that only reads, with arguments that can be keys."""

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Answer:
        return remembered((function, args, frozenset(kwargs.items())), lambda: function(*args, **kwargs))

    return asked
