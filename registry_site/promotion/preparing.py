"""What every change of stages begins with: files are read before anything is locked, as a store may be far away; then
the model is locked, and the version found."""

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.promotion.evidence import Files
from registry_site.promotion.gates import GateType
from registry_site.promotion.models import PolicyGate, TransitionRequest
from registry_site.promotion.rules import RequestState
from registry_site.promotion.settling import read_both
from registry_site.promotion.visibility import visible
from registry_site.registry import access
from registry_site.registry.locking import lock_models, locked_version, version_of
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage

COMMENT_LIMIT = 65_535


def lock_version(
    actor: Actor, name: str, version: int, *, copy_to: str = ""
) -> tuple[ModelVersion, RegisteredModel | None]:
    """A version that the actor may read, its model locked, and with it the model that it is to be copied into, if it
    is. Raises NotFound for what they may not read, InvalidParameter for a copy that makes no sense."""
    if not copy_to:
        return locked_version(actor, name, version, Level.CAN_READ), None
    actor.require_signed_in()
    hidden = NotFound(f"Model Version (name={name}, version={version}) not found", field="version")
    keys = RegisteredModel.objects.filter(name__in=[name, copy_to]).values_list("pk", flat=True)
    locked = {model.name: model for model in lock_models(keys).values()}
    if name not in locked:
        raise hidden
    access.require(actor, locked[name], Level.CAN_READ, hidden=hidden)
    found = version_of(locked[name], version)
    if found is None:
        raise hidden
    no_target = NotFound(f"Registered Model with name={copy_to} not found", field="copy_to")
    home = locked.get(copy_to)
    if home is None:
        raise no_target
    access.require(actor, home, Level.CAN_READ, hidden=no_target)
    if home.pk == found.registered_model_id:
        raise InvalidParameter(
            f"A version of {name} is copied into another model; in its own it moves to a stage.", field="copy_to"
        )
    if home.is_prompt or found.registered_model.is_prompt:
        raise InvalidParameter("Prompts are not copied into other models, nor models into prompts.", field="copy_to")
    return found, home


def files_of(actor: Actor, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Files | None:
    """What the files of a version say, and of the one in the stage, read before anything is locked; None where the
    actor sees no such version."""
    found = ModelVersion.objects.filter(
        access.visible(actor, "registered_model_id"), registered_model__name=name, version=version
    ).first()
    home = access.visible_models(actor).filter(name=copy_to).first() if copy_to else None
    return read_both(found, to_stage, home) if found else None


def files_for_gates(actor: Actor, name: str, version: int, to_stage: Stage, copy_to: str = "") -> Files | None:
    """As `files_of`, if some gate of this stage, or of that which copies begin in, looks at files."""
    stages = [to_stage.value, *([Stage.NONE.value] if copy_to else [])]
    asked = PolicyGate.objects.filter(policy__stage__in=stages, type=GateType.SIGNATURE.value)
    return files_of(actor, name, version, to_stage, copy_to) if asked.exists() else None


def files_of_request(actor: Actor, name: str, number: int) -> Files | None:
    """As `files_of`, of a pending request."""
    found = TransitionRequest.objects.filter(
        visible(actor),
        registered_model__name=name,
        number=number,
        state=RequestState.PENDING.value,
    ).select_related("model_version", "copy_to")
    request = found.first()
    if request is None or request.model_version is None:
        return None
    return read_both(request.model_version, Stage(request.to_stage), request.copy_to)


def validate_comment(comment: str) -> None:
    if len(comment) > COMMENT_LIMIT:
        raise InvalidParameter(f"A comment has {COMMENT_LIMIT} characters at most.", field="comment")


def archives_nothing(to_stage: Stage) -> InvalidParameter:
    return InvalidParameter(
        f"archive_existing_versions only goes with Staging and Production, not with {to_stage.value}.",
        field="archive_existing_versions",
    )
