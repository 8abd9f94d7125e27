"""Two versions side by side, as the pages show them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry_site.pages.marks import shown_tags
from registry_site.promotion.comparison import Change, Row, compare

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry.evidence import Evidence
    from registry_site.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Differences:
    """What a version has and another has not, or has otherwise. Without the other, only what there is."""

    metrics: list[Row]
    params: list[Row]
    tags: list[Row]

    @property
    def changed_params(self) -> list[Row]:
        return [row for row in self.params if row.change is not Change.SAME]

    @property
    def changed_tags(self) -> list[Row]:
        return [row for row in self.tags if row.change is not Change.SAME]

    @property
    def same_params(self) -> int:
        return len(self.params) - len(self.changed_params)


def differences(baseline: "Evidence | None", candidate: "Evidence") -> Differences:
    """How the candidate differs from the baseline."""
    return Differences(
        metrics=compare(baseline.metrics if baseline else {}, candidate.metrics),
        params=compare(baseline.params if baseline else {}, candidate.params),
        tags=compare(_tags(baseline.version) if baseline else {}, _tags(candidate.version)),
    )


def _tags(version: "ModelVersion") -> Mapping[str, str]:
    return {tag.key: tag.value for tag in shown_tags(version.tags.all())}
