"""One page of an ordered queryset, and the token that continues it."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from registry_site.core.errors import InvalidParameter
from registry_site.core.pages import Page, decode_token, encode_token
from registry_site.search.keyset import OrderPlan

Row = TypeVar("Row", bound=Model)


def read_page(
    queryset: QuerySet[Row],
    plan: OrderPlan,
    *,
    max_results: int,
    page_token: str | None,
    query: Any,
    most: int,
    read: "Callable[[QuerySet[Row]], list[Row]]" = list,
) -> Page[Row]:
    """At most `max_results` rows in the plan's order, from the place that the token names.

    `query` is any JSON value that tells this search from others: a token continues only the search that it came from.
    `read` runs the query, where something cheaper than rows of the model will do.
    Raises InvalidParameter for a bad token and for `max_results` outside 1 to `most`.
    """
    require_page_size(max_results, most)
    queryset = plan.apply(queryset)
    if (key := decode_token(page_token, query)) is not None:
        queryset = queryset.filter(plan.after(key))
    rows = read(queryset[: max_results + 1])
    if len(rows) <= max_results:
        return Page(rows)
    rows.pop()
    return Page(rows, encode_token(plan.key_of(rows[-1]), query))


def require_page_size(max_results: int, most: int) -> None:
    """Raises InvalidParameter for a page of less than one row, or of more than `most`."""
    if not 1 <= max_results <= most:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied: it must be from 1 to {most}.",
            field="max_results",
        )
