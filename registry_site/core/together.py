"""Asking together: what a page will ask of several tables anyway, in one statement, which the database hears once.

Whoever asks for one of it afterwards finds it remembered (`core.once`), and need not know of the others.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import BooleanField, CharField, DateTimeField, Field, IntegerField, JSONField, TextField

from registry_site.core.once import is_to_be_asked, remembered
from registry_site.core.prepared import Compiled, Question

_ARRAYS = {"postgresql": ("json_build_array", "json_agg"), "sqlite": ("json_array", "json_group_array")}
_EXACT = (IntegerField, CharField, TextField, BooleanField, DateTimeField, JSONField)  # and what inherits from them


def ask_together(*questions: Question[Any]) -> None:
    """Find the answers to these questions, while a page is made that changes nothing; else do nothing.

    Answers come as JSON. Raises TypeError for columns that would not be the same afterwards: fractions, which one
    database rounds.
    """
    new = [question for question in dict.fromkeys(questions) if is_to_be_asked(question)]
    if len(new) < 2:
        return
    row, rows = _ARRAYS[connection.vendor]
    queries: list[str] = []
    answers: list[str] = []
    values: list[Any] = []
    for number, (prepared, given) in enumerate(new):
        columns = {f"c{place}": field for place, field in enumerate(_exact(prepared.compiled))}
        queries.append(f"q{number}({', '.join(columns)}) AS ({prepared.compiled.sql})")
        asked = (f"CAST({name} AS text)" if isinstance(field, JSONField) else name for name, field in columns.items())
        answers.append(f"(SELECT {rows}({row}({', '.join(asked)})) FROM q{number})")
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(queries)} SELECT {', '.join(answers)}", values)
        found = cursor.fetchone()
    for question, answer in zip(new, found, strict=True):
        plain = json.loads(answer) if isinstance(answer, str) else answer or []
        answered = question.prepared.rows(_with_times(question.prepared.compiled, plain))
        remembered(question, partial(list, answered))


def _exact(compiled: Compiled) -> "Sequence[Field[Any, Any]]":
    for field in compiled.fields:
        if not isinstance(field, _EXACT):
            raise TypeError(f"A column of {type(field).__name__} cannot be asked for together with others.")
    return compiled.fields


def _with_times(compiled: Compiled, rows: list[list[Any]]) -> Iterator[list[Any]]:
    """The rows with the times that PostgreSQL has written as text. In SQLite they are text, and the converters know."""
    places = [place for place, field in enumerate(compiled.fields) if isinstance(field, DateTimeField)]
    for row in rows:
        if connection.vendor == "postgresql":
            for place in places:
                row[place] = row[place] and datetime.fromisoformat(row[place])
        yield row
