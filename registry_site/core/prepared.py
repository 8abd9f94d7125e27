"""Queries of the hottest paths: compiled by the ORM once, and from then on only run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, BooleanField, Expression, F, Field, Func, Model, QuerySet

from registry_site.core.once import remembered

Row = TypeVar("Row")
Instance = TypeVar("Instance", bound=Model)


class Given(Expression):
    """A value of a prepared query that is given when it runs. `field` is what it is compared with."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]

    def bound(self, value: Any) -> Any:
        """The value as the database takes it."""
        return value


class GivenKeys(Given):
    """Keys, as one value."""

    def bound(self, value: Any) -> Any:
        # As text, since psycopg writes arrays one element at a time, in Python.
        keys = ",".join(map(str, value))
        return f"{{{keys}}}" if connection.vendor == "postgresql" else f"[{keys}]"


class Among(Func):
    """A condition: the column is one of the keys that are given when the query runs, however many they are."""

    output_field = BooleanField()
    template = "%(expressions)s)"
    arg_joiner = " = ANY("

    def __init__(self, column: str, name: str = "keys", **options: Any) -> None:
        super().__init__(F(column), GivenKeys(name, BigIntegerField()), **options)

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        joiner, template = " IN (SELECT value FROM json_each(", "%(expressions)s))"
        return self.as_sql(compiler, connection, arg_joiner=joiner, template=template, **options)


_Converters = dict[int, tuple[list[Callable[..., Any]], Any]]


class Compiled(NamedTuple):
    """A query as the database takes it. Of its parameters those that are `Given` have no value yet. The converters are
    for the columns of these places; the fields tell what is in each column."""

    sql: str
    params: Sequence[Any]
    converters: _Converters
    fields: "Sequence[Field[Any, Any]]"


class Prepared(Generic[Row]):
    """A query whose text never changes. Compiling costs more than the database's answer to a look-up by key.

    `build` makes the queryset, with `Given` in the place of values, by `values_list`. `read` gives the rows, as the
    queryset itself would, to `make`, which is called with the columns of each.
    """

    def __init__(self, build: "Callable[[], QuerySet[Any, Any]]", make: Callable[..., Row]) -> None:
        self._build = build
        self._make = make
        self._compiled: dict[str, Compiled] = {}

    def read(self, **given: Any) -> list[Row]:
        """The rows for these values."""
        return self.question(**given).answer()

    def question(self, **given: Any) -> "Question[Row]":
        """What `read` asks for these values."""
        params = self.compiled.params
        return Question(self, tuple(one.bound(given[one.name]) if isinstance(one, Given) else one for one in params))

    @property
    def compiled(self) -> Compiled:
        """The query in the words of the database that is connected."""
        return self._compiled.get(connection.vendor) or self._compile()

    def rows(self, found: Iterable[Sequence[Any]]) -> list[Row]:
        """What the database has answered, as `read` gives it."""
        if converters := self.compiled.converters:
            found = [_converted(row, converters) for row in found]
        return [self._make(*row) for row in found]

    def first(self, **given: Any) -> Row | None:
        """The first row for these values, if there is any."""
        return next(iter(self.read(**given)), None)

    def _compile(self) -> Compiled:
        compiler = self._build().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        fields = [column.output_field for column in columns]
        compiled = Compiled(sql, params, compiler.get_converters(columns), fields)
        self._compiled[connection.vendor] = compiled
        return compiled


class Question(NamedTuple, Generic[Row]):
    """A prepared query and the values that it is asked for: what its answer is remembered by."""

    prepared: Prepared[Row]
    values: tuple[Any, ...]

    def answer(self) -> list[Row]:
        """The rows."""
        return [*remembered(self, self._ask)]

    def _ask(self) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(self.prepared.compiled.sql, self.values)
            return self.prepared.rows(cursor.fetchall())


def _converted(row: Sequence[Any], converters: _Converters) -> list[Any]:
    values = list(row)
    for place, (functions, expression) in converters.items():
        for function in functions:
            values[place] = function(values[place], expression, connection)
    return values


def fetch(queryset: "QuerySet[Any, Any]", make: Callable[..., Row]) -> list[Row]:
    """What `make` makes of each row of a queryset by `values_list`: for many rows, at half the cost of iterating."""
    return Prepared(lambda: queryset, make).read()


@cache
def columns_of(model: type[Model], prefix: str = "") -> tuple[str, ...]:
    """The columns of which `instance_of` makes an instance, as `values_list` wants them."""
    return tuple(prefix + field.attname for field in model._meta.concrete_fields)


def instance_of(model: type[Instance]) -> Callable[..., Instance]:
    """Makes an instance of the model out of `columns_of` it."""
    names = columns_of(model)
    return lambda *values: model.from_db("default", names, values)


class Rows(list[Row]):
    """Rows that hang on another one. Like a manager of Django's, it answers `all()`."""

    def all(self) -> "Rows[Row]":
        """The rows themselves."""
        return self


def attach(owners: Mapping[Any, Any], relation: str, rows: Iterable[tuple[Any, Any]]) -> None:
    """Give every owner, by its key, its rows of `(key, row)`: what `owner.relation.all()` answers from now on.

    Like `prefetch_related`, but owners and rows may be anything, and `all()` is a plain list: a queryset for each owner
    would cost more than the rows.
    """
    lists: dict[Any, Rows[Any]] = {key: Rows() for key in owners}
    for key, row in rows:
        lists[key].append(row)
    for key, owner in owners.items():
        if isinstance(owner, Model):
            cache: dict[str, Any] = owner.__dict__.setdefault("_prefetched_objects_cache", {})
            cache[relation] = lists[key]
        else:
            setattr(owner, relation, lists[key])
