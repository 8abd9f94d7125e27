"""What a person may do with a registered model or an experiment, as an order: each level includes the ones before it.
Pure."""

from collections.abc import Sequence
from enum import IntEnum

from registry_site.core.errors import InvalidParameter


class Level(IntEnum):
    """Databricks' five levels, and NONE for somebody who may not even know that the thing is there."""

    NONE = 0
    CAN_READ = 1
    CAN_EDIT = 2
    CAN_MANAGE_STAGING_VERSIONS = 3
    CAN_MANAGE_PRODUCTION_VERSIONS = 4
    CAN_MANAGE = 5


MODEL_LEVELS = tuple(level for level in Level if level is not Level.NONE)
EXPERIMENT_LEVELS = (Level.CAN_READ, Level.CAN_EDIT, Level.CAN_MANAGE)
CHOICES = [(level.value, level.name) for level in MODEL_LEVELS]


def parse_level(text: str, levels: Sequence[Level]) -> Level:
    """The one of these levels that is called so. Raises InvalidParameter."""
    for level in levels:
        if level.name == text:
            return level
    raise InvalidParameter(
        f"Invalid level '{text[:40]}': it is one of {', '.join(level.name for level in levels)}.",
        field="permission_level",
    )
