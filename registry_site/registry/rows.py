"""Registered models, versions and what hangs on them, read for many at once: rows without models behind them.

A row has the names of the model's columns and relations, so that whoever shows one need not know which it is.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast

from registry_site.core.prepared import Among, Prepared, Question, Rows, attach
from registry_site.registry.models import Alias, Tag


class TagRow(msgspec.Struct, frozen=True):
    """A tag, as it is read."""

    key: str
    value: str


class AliasRow(msgspec.Struct, frozen=True):
    """An alias with the number of the version that it points at, as it is read."""

    alias: str
    version: int

    @property
    def model_version(self) -> "AliasRow":
        """What has the `version`, as in a row of the database."""
        return self


class NamedModel(msgspec.Struct, frozen=True):
    """What a version's row knows of its model."""

    pk: int
    name: str


class VersionRow(msgspec.Struct):
    """A version, as it is read; the fields are `VERSION_COLUMNS`."""

    pk: int
    registered_model_id: int
    version: int
    current_stage: str
    description: str
    source: str
    run_id: str
    run_link: str
    model_id: str
    user_id: str
    creation_timestamp: int
    last_updated_timestamp: int
    model_name: str = ""
    tags: Rows[TagRow] = msgspec.field(default_factory=Rows)
    aliases: Rows[AliasRow] = msgspec.field(default_factory=Rows)

    @property
    def registered_model(self) -> NamedModel:
        """Its model, as far as it was read."""
        return NamedModel(self.registered_model_id, self.model_name)


class ModelRow(msgspec.Struct):
    """A registered model, as it is read; the first fields are `MODEL_COLUMNS`."""

    pk: int
    name: str
    description: str
    creation_timestamp: int
    last_updated_timestamp: int
    tags: Rows[TagRow] = msgspec.field(default_factory=Rows)
    aliases: Rows[AliasRow] = msgspec.field(default_factory=Rows)
    latest_versions: list[VersionRow] = msgspec.field(default_factory=list)


MODEL_COLUMNS = ModelRow.__struct_fields__[:5]
VERSION_COLUMNS = VersionRow.__struct_fields__[:12]


def attach_model_marks(models: Sequence[Any], versions: Sequence[Any]) -> None:
    """Fetch `tags` and `aliases` of each model, and `tags` of each of these versions of theirs, in one query."""
    by_key = {model.pk: model for model in models}
    versions_by_key = {version.pk: version for version in versions}
    marks = _Marks(_OF_MODELS.read(keys=by_key, version_keys=versions_by_key))
    attach(by_key, "tags", marks.tags)
    attach(by_key, "aliases", marks.aliases)
    attach(versions_by_key, "tags", marks.version_tags)


def attach_version_marks(versions: Sequence[Any]) -> None:
    """Fetch `tags` and `aliases` of each version, in one query."""
    if not versions:
        return
    by_key = {version.pk: version for version in versions}
    marks = _Marks(marks_question(versions).answer())
    attach(by_key, "tags", marks.version_tags)
    attach(by_key, "aliases", marks.aliases)


def tags_of(versions: Sequence[Any]) -> dict[int, dict[str, str]]:
    """The tags of each version that has some, by its key: of whatever was read with `attach_version_marks`, the same
    question."""
    found: dict[int, dict[str, str]] = {}
    for owner, tag in _Marks(marks_question(versions).answer()).version_tags if versions else ():
        found.setdefault(owner, {})[tag.key] = tag.value
    return found


def marks_question(versions: Sequence[Any]) -> Question[tuple[str, int, str, str]]:
    """What `attach_version_marks` and `tags_of` ask, for `ask_together`."""
    return _OF_VERSIONS.question(version_keys=[version.pk for version in versions])


class _Marks:
    """Rows of a union of tags and aliases, told apart; each with the key of its owner."""

    def __init__(self, rows: Iterable[tuple[str, int, str, str]]) -> None:
        self.tags: list[tuple[int, TagRow]] = []
        self.version_tags: list[tuple[int, TagRow]] = []
        self.aliases: list[tuple[int, AliasRow]] = []
        for kind, owner, key, value in rows:
            if kind == "alias":
                self.aliases.append((owner, AliasRow(key, int(value))))
            else:
                (self.tags if kind == "tag" else self.version_tags).append((owner, TagRow(key, value)))


def _tags() -> "QuerySet[Tag, Any]":
    return Tag.objects.filter(Among("registered_model_id")).values_list(
        Value("tag"), "registered_model_id", "key", "value"
    )


def _version_tags() -> "QuerySet[Tag, Any]":
    tags = Tag.objects.filter(Among("model_version_id", "version_keys"))
    return tags.values_list(Value("version tag"), "model_version_id", "key", "value")


def _aliases(owner: str, keys: str) -> "QuerySet[Alias, Any]":
    number = Cast("model_version__version", TextField())
    return Alias.objects.filter(Among(owner, keys)).values_list(Value("alias"), owner, "alias", number)


def _row(*values: Any) -> tuple[str, int, str, str]:
    kind, owner, key, value = values
    return kind, owner, key, value


_OF_MODELS = Prepared(
    lambda: _tags().union(_aliases("registered_model_id", "keys"), _version_tags(), all=True),
    _row,
)
_OF_VERSIONS = Prepared(
    lambda: _version_tags().union(_aliases("model_version_id", "version_keys"), all=True),
    _row,
)
