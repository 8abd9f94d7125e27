"""Who may see and do what with registered models: the rule of `accounts.access`, in the words of the registry."""

from typing import Any

from django.db.models import Q, QuerySet

from registry_site.accounts.access import Resolver
from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import grant_to_creator as grant_thing_to_creator
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.core.errors import NotFound
from registry_site.core.prepared import Question
from registry_site.registry.models import Grant, RegisteredModel

MODELS = Resolver(
    Grant,
    "registered_model",
    called=lambda key: f"registered model '{RegisteredModel.objects.get(pk=key).name}'",
)


def reads_everything(actor: Actor) -> bool:
    """Whether the actor may read every registered model. Raises NotSignedIn for a stranger."""
    return everywhere(actor) >= Level.CAN_READ


def everywhere(actor: Actor) -> Level:
    """The actor's level on every registered model, whatever is granted. Raises NotSignedIn for a stranger."""
    return MODELS.everywhere(actor)


def granted(user_id: Any, level: Level, model_key: str = "pk") -> Q:
    """The rows whose registered model, by its key in this column, is open at this level to a user by some grant.

    `user_id` is a key, or an expression for one.
    """
    return MODELS.granted(user_id, level, model_key)


def visible(actor: Actor, model_key: str = "pk") -> Q:
    """The rows whose registered model, by its key in this column, the actor may read."""
    return MODELS.visible(actor, model_key)


def level_of(actor: Actor, model: RegisteredModel) -> Level:
    """The actor's level on this model; NONE for a stranger."""
    return MODELS.level_of(actor, model.pk)


def level_questions(actor: Actor, model: RegisteredModel) -> list[Question[int]]:
    """What `level_of` asks, for `ask_together`."""
    return MODELS.level_questions(actor, model.pk)


def visible_models(actor: Actor) -> QuerySet[RegisteredModel]:
    """The models that the actor may read. Raises NotSignedIn for a stranger."""
    return RegisteredModel.objects.filter(visible(actor))


def with_level(actor: Actor, level: Level, model_key: str = "pk") -> Q:
    """The rows on whose registered model, by its key in this column, the actor has at least this level."""
    return MODELS.visible(actor, model_key, level)


def require(actor: Actor, model: RegisteredModel, level: Level, *, hidden: NotFound | None = None) -> None:
    """Raises NotSignedIn, `hidden` (by default that there is no such model) for a model that the actor may not even
    see, PermissionDenied below the level."""
    MODELS.require(actor, model.pk, level, hidden=hidden or model_not_found(model.name))


def model_not_found(name: str) -> NotFound:
    """What is said of a model that is not there."""
    return NotFound(f"Registered Model with name={name} not found", field="name")


def people_with_level(model: RegisteredModel, level: Level) -> QuerySet[User]:
    """Every active person who has at least this level on the model, by name."""
    return MODELS.people_with_level(model.pk, level)


def grant_to_creator(actor: Actor, model: RegisteredModel) -> None:
    """CAN_MANAGE on what one creates. The system needs none."""
    grant_thing_to_creator(actor, MODELS, model)
