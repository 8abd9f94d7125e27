"""Copying versions into other models without asking anybody, and models that take versions in no other way than asked.

What is asked for is a request like any other: see `services.request_transition`.
"""

from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.audit.kinds import Kind
from registry_site.audit.record import record
from registry_site.core.errors import Conflict, InvalidParameter, PermissionDenied
from registry_site.promotion.copies import copy
from registry_site.promotion.evidence import Files
from registry_site.promotion.gates import shortfall
from registry_site.promotion.moving import Why, gate_results, others_in
from registry_site.promotion.policies import admits_only_copies, policy_for, policy_of_copy
from registry_site.promotion.preparing import files_for_gates, lock_version, validate_comment
from registry_site.promotion.rules import Policy, WhenOccupied, level_to_decide
from registry_site.promotion.services import require_arrival, validate_way_out
from registry_site.registry import access, subjects
from registry_site.registry.hooks import NewVersion
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage


def copy_version(
    actor: Actor,
    *,
    name: str,
    version: int,
    copy_to: str,
    to_stage: Stage = Stage.NONE,
    archive_existing: bool = False,
    occupant_to: Stage | None = None,
    comment: str = "",
    bypass_reason: str = "",
) -> ModelVersion:
    """The next version of the model `copy_to`, as a copy of this one, at once.

    Needs CAN_EDIT there, and for a stage what moving a version there takes; into a protected stage, and where the model
    protects the stage None that versions begin in, it is refused. The gates must pass. With a `bypass_reason`, whoever
    manages that model passes by protection and gates. Raises PermissionDenied (with the address where the copy can be
    requested), Conflict (naming the gates in the way, or the occupant and both ways out), NotFound, InvalidParameter.
    """
    files = files_for_gates(actor, name, version, to_stage, copy_to)
    with transaction.atomic():
        found, home = lock_version(actor, name, version, copy_to=copy_to)
        if home is None:
            raise InvalidParameter("Say which model the version is copied into.", field="copy_to")
        moved_to = Stage.ARCHIVED if archive_existing else occupant_to
        return _copy(actor, found, home, to_stage, moved_to, comment, bypass_reason, files)


def _copy(
    actor: Actor,
    found: ModelVersion,
    home: RegisteredModel,
    to_stage: Stage,
    moved_to: Stage | None,
    comment: str,
    bypass_reason: str,
    files: Files | None,
) -> ModelVersion:
    validate_comment(comment)
    validate_comment(bypass_reason)
    require_arrival(to_stage)
    if moved_to is not None:
        validate_way_out(to_stage, moved_to)
    policy = policy_of_copy(home, to_stage)
    bypassed = _require_direct_copy(actor, found, home, to_stage, policy, moved_to, bypass_reason, files)
    occupants = others_in(found, to_stage, home)
    if occupants and moved_to is None and policy.when_occupied is WhenOccupied.ASK:
        raise Conflict(
            f"{occupants[0].registered_model.name} version {occupants[0].version} is in {to_stage.value}, which admits "
            "one version. Archive it with archive_existing, or say in occupant_to_stage which stage it moves to.",
            field="archive_existing",
        )
    made = copy(actor, found, home, to_stage, policy, moved_to, Why(comment))
    if bypassed:
        record(
            actor,
            Kind.STAGE_BYPASSED,
            subjects.of_version(made),
            comment=bypass_reason,
            from_stage=Stage.NONE.value,
            to_stage=to_stage.value,
            bypassed=bypassed,
            is_copy=True,
        )
    return made


def _require_direct_copy(
    actor: Actor,
    version: ModelVersion,
    home: RegisteredModel,
    to_stage: Stage,
    policy: Policy,
    occupant_to: Stage | None,
    bypass_reason: str,
    files: Files | None,
) -> list[str]:
    """What is bypassed, in words; nothing of the kind where nothing was in the way."""
    needed = level_to_copy(to_stage, occupant_to)
    held = access.level_of(actor, home)
    called = f"{version.registered_model.name} version {version.version}"
    into = f"into {to_stage.value} of {home.name}"
    where = f"Request the copy at {copy_request_url(version, home.name, to_stage)}"
    if held < needed:
        raise PermissionDenied(
            f"Copying {called} {into} needs {needed.name} on {home.name}, which {actor.name} does not have. {where}"
        )
    may_bypass = bool(bypass_reason.strip()) and held >= Level.CAN_MANAGE
    if bypass_reason.strip() and not may_bypass:
        raise PermissionDenied(f"To bypass what {home.name} asks for needs {Level.CAN_MANAGE.name} on it. {where}")
    in_the_way = []
    if policy.protected:
        if not may_bypass:
            raise PermissionDenied(f"Copying {called} {into} needs an approved request: that is protected. {where}")
        in_the_way.append(f"{to_stage.value} of {home.name} is protected")
    results = gate_results(version, to_stage, policy, (files or {}).get(version.pk), home)
    if missed := shortfall(results):
        if not may_bypass:
            raise Conflict(f"{called} does not pass the gates of {to_stage.value} of {home.name}: {missed}.")
        in_the_way += [result.gate.sentence for result in results if not result.passed]
    return in_the_way


def level_to_copy(to_stage: Stage, occupant_to: Stage | None = None) -> Level:
    """The level on the other model that copying a version into it takes: to make a version, and to move it there."""
    return Level.CAN_EDIT if to_stage is Stage.NONE else level_to_decide(Stage.NONE, to_stage, occupant_to)


def copy_request_url(version: ModelVersion, copy_to: str, to_stage: Stage = Stage.NONE) -> str:
    """Where a person opens a request for this copy."""
    arguments = urlencode({"version": version.version, "to": to_stage.value, "copy_to": copy_to})
    return f"{settings.PODIUM_SITE_URL}/models/{quote(version.registered_model.name)}/requests/new?{arguments}"


def guard_arrivals(new: NewVersion) -> None:
    """Refuse a version that is to come into a model past the approval that it takes: as a copy of another model's
    version where the stage None is protected, and in any other way where the model itself protects it.

    Raises PermissionDenied, for managers and administrators too.
    """
    is_copy = new.origin is not None and new.origin.registered_model_id != new.model.pk
    if is_copy:
        if not policy_for(new.model, Stage.NONE).protected:
            return
    elif not admits_only_copies(new.model):
        return
    if new.origin is not None and is_copy:
        way = f"Request the copy at {copy_request_url(new.origin, new.model.name)}"
    else:
        way = (
            "Register the model under another name, and ask there that the version be copied: "
            f"POST {settings.PODIUM_SITE_URL}/api/v1/models/NAME/requests with copy_to={new.model.name}."
        )
    raise PermissionDenied(f"New versions come into {new.model.name} by an approved copy alone. {way}")
