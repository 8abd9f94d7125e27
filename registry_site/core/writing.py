"""Writing rows by statements whose text is always the same: the ORM writes each anew, at many times the cost."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def insert(row: Model, *, unless_there: bool = False) -> bool:
    """Write a new row and give it its key, as `save(force_insert=True)` does, but without signals and `auto_now`.

    With `unless_there` a row that a unique constraint stands against is not written, and the answer is False. Else
    that raises IntegrityError.
    """
    fields = _fields(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), unless_there), values)
        keys = cursor.fetchall()
    if keys:
        row.pk = keys[0][0]
        row._state.adding, row._state.db = False, "default"
    return bool(keys)


def update(row: Model, *names: str) -> None:
    """Write these fields of a row that is there, as `save(update_fields=names)` does, but without signals."""
    fields = [field for field in _fields(type(row)) if field.name in names]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    assignments = ", ".join(f'"{field.column}" = %s' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{row._meta.db_table}" SET {assignments} WHERE "{row._meta.pk.column}" = %s', [*values, row.pk]
        )


def insert_many(
    model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], on_conflict: str = ""
) -> None:
    """Write rows of plain values, in one statement. `on_conflict` is the clause of that name, without its values."""
    rows = list(rows)
    if not rows:
        return
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    if connection.vendor == "postgresql":
        # A value for each column, not for each cell: the text stays the same, and is prepared once.
        source = f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in _types(model, tuple(columns)))})"
        values: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    else:
        source = f"VALUES {', '.join([_places(len(columns))] * len(rows))}"
        values = [value for row in rows for value in row]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {source} {on_conflict}", values)


@cache
def _fields(model: type[Model]) -> "list[Field[Any, Any]]":
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]


@cache
def _statement(model: type[Model], unless_there: bool) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _fields(model))
    conflict = "ON CONFLICT DO NOTHING " if unless_there else ""
    return (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {_places(len(_fields(model)))} '
        f'{conflict}RETURNING "{model._meta.pk.column}"'
    )


@cache
def _types(model: type[Model], columns: tuple[str, ...]) -> list[str]:
    by_column = {field.column: field for field in _fields(model)}
    return [str(by_column[name].db_type(connection)).partition("(")[0] for name in columns]


def _places(number: int) -> str:
    return f"({', '.join(['%s'] * number)})"
