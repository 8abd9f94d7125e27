"""What the parts above want to hear of, or have a say in, whoever makes the change.

They put themselves into these lists when the application starts. Each is called in the transaction of the change, under
the model's lock.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from registry_site.accounts.actors import Actor, system
from registry_site.registry.locking import lock_model, version_of
from registry_site.registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class AliasMove:
    """Somebody wants an alias to point at `version` and not at `before` any more; None where it is not there."""

    actor: Actor
    model: RegisteredModel
    alias: str
    version: ModelVersion | None
    before: ModelVersion | None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """Somebody wants to make a version of a model: of files that are new here, or as a copy of `origin`."""

    actor: Actor
    model: RegisteredModel
    origin: ModelVersion | None


version_changed: list[Callable[[Actor, ModelVersion], None]] = []
"""Afterwards: tags or description of a version are not what they were, or more is known of its files."""

alias_moves: list[Callable[[AliasMove], None]] = []
"""Before: raise, and the alias stays where it is."""


new_versions: list[Callable[[NewVersion], None]] = []
"""Before: raise, and there is none."""


def ask_about_version(new: NewVersion) -> None:
    for listener in new_versions:
        listener(new)


def tell_version_changed(actor: Actor, version: ModelVersion) -> None:
    for listener in version_changed:
        listener(actor, version)


def tell_inspected(key: int | None) -> None:
    """The files of the version with this key have been read: if there is one, whoever waited for that hears of it. In a
    transaction of its own, as the model comes first in the order of locks."""
    if key is None:
        return
    with transaction.atomic():
        place = ModelVersion.objects.filter(pk=key).values_list("registered_model__name", "version").first()
        model = lock_model(place[0]) if place else None
        version = version_of(model, place[1]) if model and place else None
        if version is not None:
            tell_version_changed(system(), version)


def ask_about_alias(move: AliasMove) -> None:
    for listener in alias_moves:
        listener(move)
