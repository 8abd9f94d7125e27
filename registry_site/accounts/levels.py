"""What a person may do with a registered model, as an order: each level includes the ones before it."""

from enum import IntEnum


class Level(IntEnum):
    """Databricks' five levels, and NONE for somebody who may not even know that the model is there."""

    NONE = 0
    CAN_READ = 1
    CAN_EDIT = 2
    CAN_MANAGE_STAGING_VERSIONS = 3
    CAN_MANAGE_PRODUCTION_VERSIONS = 4
    CAN_MANAGE = 5


CHOICES = [(level.value, level.name) for level in Level if level is not Level.NONE]
