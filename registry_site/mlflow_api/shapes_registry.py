"""Registered models and versions as MLflow's clients see them. Pure: rows in, messages out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api.structs.base import Tag, TagArgument
from registry_site.mlflow_api.structs.model_versions import ModelVersion
from registry_site.mlflow_api.structs.registered_models import Alias, RegisteredModel

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.registry import models
    from registry_site.registry.rows import ModelRow, TagRow, VersionRow

STATUS_READY = "READY"  # a version is complete when it is there
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")


def registered_model(model: "models.RegisteredModel | ModelRow") -> RegisteredModel:
    """A model whose tags, aliases (with their versions) and latest versions were fetched."""
    latest: Sequence[models.ModelVersion | VersionRow]
    latest = model.latest_versions  # type: ignore[union-attr]  # attached by the query
    return RegisteredModel(
        name=model.name,
        creation_timestamp=model.creation_timestamp,
        last_updated_timestamp=model.last_updated_timestamp,
        description=model.description,
        latest_versions=[model_version(version, name=model.name) for version in latest],
        tags=tags(model.tags.all()),
        aliases=sorted(
            (Alias(alias=held.alias, version=str(held.model_version.version)) for held in model.aliases.all()),
            key=lambda held: held.alias,
        ),
    )


def new_registered_model(model: "models.RegisteredModel", given: Mapping[str, str]) -> RegisteredModel:
    """A model that was just made with these tags, and has nothing else yet."""
    return RegisteredModel(
        name=model.name,
        creation_timestamp=model.creation_timestamp,
        last_updated_timestamp=model.last_updated_timestamp,
        description=model.description,
        tags=given_tags(given),
    )


def model_version(
    version: "models.ModelVersion | VersionRow",
    *,
    name: str,
    aliases: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
) -> ModelVersion:
    """A version of the model of that name, with these aliases. Its tags are `given`, or else were fetched."""
    return ModelVersion(
        name=name,
        version=str(version.version),
        creation_timestamp=version.creation_timestamp,
        last_updated_timestamp=version.last_updated_timestamp,
        current_stage=version.current_stage,
        source=version.source,
        status=STATUS_READY,
        run_id=version.run_id,
        run_link=version.run_link,
        description=version.description,
        user_id=version.user_id,
        model_id=version.model_id,
        tags=tags(version.tags.all()) if given is None else given_tags(given),
        aliases=list(aliases),
    )


def full_version(version: "models.ModelVersion") -> ModelVersion:
    """A version whose model, tags and aliases were fetched."""
    aliases = sorted(held.alias for held in version.aliases.all())
    return model_version(version, name=version.registered_model.name, aliases=aliases)


def tags(rows: Iterable["models.Tag | TagRow"]) -> list[Tag]:
    """Tags as they are sent: by key, since a database may return them in any order."""
    return [Tag(key=row.key, value=row.value) for row in sorted(rows, key=lambda row: row.key)]


def given_tags(given: Mapping[str, str]) -> list[Tag]:
    """Tags that came with the call, in the same order."""
    return [Tag(key=key, value=given[key]) for key in sorted(given)]


def by_key(arguments: Iterable[TagArgument]) -> dict[str, str]:
    """Tags that were sent; the last value of a key counts."""
    return {tag.key: tag.value for tag in arguments}


def version_number(version: str | int) -> int:
    """The number of a version that came as text or as a number. Raises InvalidParameter."""
    if isinstance(version, int):
        if abs(version) < 2**63:
            return version
    elif _INTEGER.match(version):
        return int(version)
    raise InvalidParameter(f"Parameter 'version' must be an integer, got '{str(version)[:40]}'.", field="version")
