"""Registering a model in one go: the version, its alias, and the request to promote it, or none of them."""

from collections.abc import Mapping

from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.promotion.services import request_transition
from registry_site.registry.models import ModelVersion
from registry_site.registry.services import create_model, create_version, set_alias
from registry_site.registry.stages import Stage


@transaction.atomic
def register_version(
    actor: Actor,
    *,
    name: str,
    source: str,
    is_new_model: bool = False,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    alias: str = "",
    promote_to: Stage | None = None,
    reason: str = "",
) -> ModelVersion:
    """The next version of a registered model, which is made first if it is new.

    With `alias` that points at it afterwards, with `promote_to` its promotion is requested for the `reason` given.
    Raises AlreadyExists for a new model whose name is taken, NotFound for an existing one that is not there, and
    whatever the services of each step refuse; then nothing of it is kept.
    """
    if is_new_model:
        create_model(actor, name=name)
    version = create_version(actor, name=name, source=source, description=description, tags=tags)
    if alias:
        set_alias(actor, name=name, alias=alias, version=version.version)
    if promote_to is not None:
        request_transition(actor, name=name, version=version.version, to_stage=promote_to, comment=reason)
    return version
