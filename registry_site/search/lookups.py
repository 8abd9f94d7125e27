"""Comparisons that Django has no lookup for: `__like`, `__ilike` and `__ne`, alike on SQLite and PostgreSQL.

In a pattern `%` stands for any text and `_` for one character; nothing escapes them. Missing values meet none
of the three.
"""

import re
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup
from django.db.models.sql.compiler import SQLCompiler


class _Infix(Lookup):
    def written(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, operator: str
    ) -> tuple[str, tuple[Any, ...]]:
        left, left_parameters = self.process_lhs(compiler, connection)
        right, right_parameters = self.process_rhs(compiler, connection)
        return f"{left} {operator.format(right)}", (*left_parameters, *right_parameters)


class NotEqual(_Infix):
    """SQL's own <>, where Django's exclude() would also find the rows without a value."""

    lookup_name = "ne"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return self.written(compiler, connection, "<> {}")


class Like(_Infix):
    """LIKE that tells upper from lower case."""

    lookup_name = "like"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return self.written(compiler, connection, "LIKE {} ESCAPE ''")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        # SQLite's LIKE ignores the case of ASCII letters; its GLOB does not.
        glob = type(self)(self.lhs, as_glob(self.rhs))
        return glob.written(compiler, connection, "GLOB {}")


class ILike(_Infix):
    """LIKE that does not tell upper from lower case, in any script."""

    lookup_name = "ilike"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return self.written(compiler, connection, "ILIKE {} ESCAPE ''")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        if self.rhs.isascii():
            return self.written(compiler, connection, "LIKE {}")
        # SQLite's LIKE folds ASCII only. REGEXP is Python's, by way of Django, and slower.
        regex = type(self)(self.lhs, as_regex(self.rhs))
        return regex.written(compiler, connection, "REGEXP {}")


def as_glob(pattern: str) -> str:
    """The GLOB pattern that matches what a LIKE pattern matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", pattern).replace("%", "*").replace("_", "?")


def as_regex(pattern: str) -> str:
    """The regular expression that matches what an ILIKE pattern matches.

    Atomic groups keep it from trying again what cannot match, so that no pattern takes more than quadratic
    time.
    """
    first, *others = ("".join("." if char == "_" else re.escape(char) for char in part) for part in pattern.split("%"))
    middle = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    return rf"(?is)\A{first}{middle}" + (rf".*{others[-1]}\Z" if others else r"\Z")


for _lookup in (NotEqual, Like, ILike):
    Field.register_lookup(_lookup)
