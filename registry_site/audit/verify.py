"""Reading all of history again, to see whether it is still what was written."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, Subquery

from registry_site.audit.chain import SITE, START, Stored, chain_of, link
from registry_site.audit.models import Activity, ChainHead

AT_ONCE = 2000


class Flaw(StrEnum):
    """What can be wrong with a chain, at the activity where it shows."""

    CHANGED = "it was changed after it was written"
    MISSING = "the activity before it is missing"
    FORKED = "it follows another activity than the one before it"
    CUT = "it is not the last one that was written: what came after it is missing"
    EMPTIED = "all its activities are missing"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link of a chain that does not hold; no activity where none is left."""

    chain: int
    flaw: Flaw
    activity: Stored | None = None

    def __str__(self) -> str:
        chain = "The chain of the site" if self.chain == SITE else f"The chain of registered model {self.chain}"
        if self.activity is None:
            return f"{chain} is broken: {self.flaw}."
        one = self.activity
        return f"{chain} is broken at activity {one.id} ({one.kind}, {one.at:%Y-%m-%d %H:%M:%S} UTC): {self.flaw}."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much of history was read, and what was found wrong first."""

    activities: int
    chains: int
    broken: Broken | None = None


def verify() -> Verdict:
    """Follow every chain from its start to its end, up to the first link that does not hold.

    However long history is, little of it is in memory at a time, and nobody who writes has to wait.
    """
    activities = chains = 0
    before: _Link | None = None
    for one in _links():
        if before is not None and before.chain != one.chain:
            if before.hash != before.end:
                return Verdict(activities, chains, before.broken(Flaw.CUT))
            before = None
        activities += 1
        chains += before is None
        if one.hash != link(one.stored, one.previous_hash) or one.chain != chain_of(one.stored.registered_model_id):
            return Verdict(activities, chains, one.broken(Flaw.CHANGED))
        if one.previous_hash != (before.hash if before else START):
            return Verdict(activities, chains, one.broken(Flaw.FORKED if one.follows_something() else Flaw.MISSING))
        before = one
    if before is not None and before.hash != before.end:
        return Verdict(activities, chains, before.broken(Flaw.CUT))
    emptied = ChainHead.objects.filter(~Exists(Activity.objects.filter(chain=OuterRef("pk")))).order_by("pk").first()
    return Verdict(activities, chains, Broken(emptied.chain, Flaw.EMPTIED) if emptied else None)


@dataclass(frozen=True, slots=True)
class _Link:
    stored: Stored
    chain: int
    previous_hash: str
    hash: str
    end: str | None  # of its chain

    def broken(self, flaw: Flaw) -> Broken:
        return Broken(self.chain, flaw, self.stored)

    def follows_something(self) -> bool:
        there = Activity.objects.filter(chain=self.chain, hash=self.previous_hash)
        return self.previous_hash == START or there.exists()


def _links() -> Iterator[_Link]:
    """Chain after chain, in one statement: an activity that is written meanwhile is seen with the end that it made, or
    not at all."""
    end = ChainHead.objects.filter(pk=OuterRef("chain")).values("hash")
    rows = Activity.objects.order_by("chain", "id").values_list(
        *Stored._fields, "chain", "previous_hash", "hash", Subquery(end)
    )
    for row in rows.iterator(chunk_size=AT_ONCE):
        yield _Link(Stored(*row[:-4]), *row[-4:])
