"""The four stages and the levels that they ask for. Pure."""

from enum import StrEnum

from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter


class Stage(StrEnum):
    """MLflow's stages, in the spelling that is stored and shown."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


ACTIVE_STAGES = (Stage.STAGING, Stage.PRODUCTION)


def parse_stage(text: str) -> Stage:
    """The stage of that name, in any letter case. Raises InvalidParameter, which lists the four."""
    for stage in Stage:
        if stage.value.lower() == text.strip().lower():
            return stage
    raise InvalidParameter(
        f"Invalid Model Version stage: {text}. Value must be one of None, Staging, Production, Archived.",
        field="stage",
    )


def level_to_move(from_stage: Stage, to_stage: Stage) -> Level:
    """The level that a move needs. To leave Production needs what it needs to enter it."""
    if Stage.PRODUCTION in (from_stage, to_stage):
        return Level.CAN_MANAGE_PRODUCTION_VERSIONS
    return Level.CAN_MANAGE_STAGING_VERSIONS
