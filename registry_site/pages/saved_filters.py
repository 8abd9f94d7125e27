"""Saved filters as lists show them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry_site.accounts.filters import own_filters
from registry_site.pages.middleware import PageRequest

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.accounts.models import SavedFilter

NOT_SAVED = ("page_token", "format")


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """A person's filters of one list, and the present query, empty where nothing is filtered."""

    place: str
    query: str
    filters: "list[SavedFilter]"

    @property
    def is_saved(self) -> bool:
        """Whether the present query is one of them."""
        return any(each.query == self.query for each in self.filters)


def saved_filters(request: PageRequest, place: str) -> SavedFilters:
    """What the list at this place shows of them."""
    query = request.GET.copy()
    for name in [name for name, values in query.lists() if name in NOT_SAVED or not any(values)]:
        del query[name]
    return SavedFilters(place, query.urlencode(), own_filters(request.actor, place))
