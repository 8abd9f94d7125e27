"""What searches may ask of registered models and their versions."""

from registry_site.search.fields import (
    LISTS,
    NOT_FILTERABLE,
    NUMBER_OPERATORS,
    PRESENCE,
    TEXT_OPERATORS,
    Attribute,
    Collection,
    FieldTable,
    Kind,
)

REGISTERED_MODELS = FieldTable(
    noun="registered models",
    attributes={
        "name": Attribute("name", operators=TEXT_OPERATORS | LISTS),
        "last_updated_timestamp": Attribute(
            "last_updated_timestamp", Kind.TIME, NOT_FILTERABLE, aliases=("timestamp",)
        ),
    },
    collections={
        "tags": Collection(
            "registry.Tag",
            parent="registered_model",
            operators=TEXT_OPERATORS | PRESENCE,
            aliases=("tag",),
            sortable=False,
        ),
    },
)

MODEL_VERSIONS = FieldTable(
    noun="model versions",
    attributes={
        "name": Attribute("registered_model__name", operators=TEXT_OPERATORS | LISTS),
        "run_id": Attribute("run_id", operators=TEXT_OPERATORS | LISTS, sortable=False),
        "source_path": Attribute("source", sortable=False, aliases=("source",)),  # ZenML asks for the source
        "version_number": Attribute("version", Kind.WHOLE, NUMBER_OPERATORS),
        "creation_timestamp": Attribute("creation_timestamp", Kind.TIME, NOT_FILTERABLE),
        "last_updated_timestamp": Attribute("last_updated_timestamp", Kind.TIME, NOT_FILTERABLE),
    },
    collections={
        "tags": Collection(
            "registry.Tag",
            parent="model_version",
            operators=TEXT_OPERATORS | PRESENCE,
            aliases=("tag",),
            sortable=False,
        ),
    },
)
