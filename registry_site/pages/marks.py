"""Tags and aliases beside a model or version: what is there, and the little forms that change it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.forms import Form

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.models import Alias, Tag

OF_MLFLOW = "mlflow."  # tags that the client keeps for itself


@dataclass(frozen=True, slots=True)
class TagsBox:
    """The tags of something, and where they are set and removed. `form` is None for readers."""

    tags: "Sequence[Tag]"
    set_url: str
    delete_url: str
    form: Form | None


@dataclass(frozen=True, slots=True)
class AliasesBox:
    """The aliases of a model or version. Set on a version's own page, an alias points at that version."""

    aliases: "Sequence[Alias]"
    set_url: str
    delete_url: str
    form: Form | None
    name: str
    next: str
    version: int | None = None


def shown_tags(tags: "Iterable[Tag]") -> "list[Tag]":
    """The tags that people set, by key."""
    return sorted((tag for tag in tags if not tag.key.startswith(OF_MLFLOW)), key=lambda tag: tag.key)


def as_facet(key: str, value: str) -> str:
    """What finds this tag in the search box: tag.team:risk-ml."""
    quoted = f'"{value}"' if not value or set(value) & set(' \t"') else value
    return f"tag.{key}:{quoted}"


def headline_metrics(metrics: Mapping[str, float], *, most: int = 4) -> list[tuple[str, float]]:
    """The first few metrics, those of evaluation before those of training."""
    ordered = sorted(metrics.items(), key=lambda item: (item[0].startswith(("train", "training")), item[0]))
    return ordered[:most]
