"""Who may see and do what with registered models. One resolver, and one filter in SQL that says the same."""

from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.core.errors import NotFound, PermissionDenied
from registry_site.core.prepared import Given, Prepared
from registry_site.core.writing import insert
from registry_site.registry.models import Grant, RegisteredModel


def default_level() -> Level:
    """What every signed-in person may do with any registered model."""
    return Level[settings.PODIUM_DEFAULT_LEVEL]


def reads_everything(actor: Actor) -> bool:
    """Whether the actor may read every registered model. Raises NotSignedIn for a stranger."""
    actor.require_signed_in()
    return actor.is_admin or actor.is_system or default_level() >= Level.CAN_READ


def granted(user_id: Any, level: Level, model_key: str = "pk") -> Q:
    """The rows whose registered model, by its key in this column, is open at this level to a user by some grant.

    `user_id` is a key, or an expression for one.
    """
    grants = _grants_to(user_id).filter(level__gte=level)
    of_model = Exists(grants.filter(registered_model=OuterRef(model_key)))
    return Q(of_model | Exists(grants.filter(registered_model__isnull=True)))


def visible(actor: Actor, model_key: str = "pk") -> Q:
    """The rows whose registered model, by its key in this column, the actor may read."""
    return Q() if reads_everything(actor) else granted(actor.user_id, Level.CAN_READ, model_key)


def _grants_to(user_id: Any) -> QuerySet[Grant]:
    return Grant.objects.filter(Q(user_id=user_id) | Q(group__user=user_id))


_LEVELS = Prepared(
    lambda: (
        _grants_to(Given("user", BigIntegerField()))
        .filter(Q(registered_model=Given("model", BigIntegerField())) | Q(registered_model__isnull=True))
        .values_list("level")
    ),
    int,
)


def level_of(actor: Actor, model: RegisteredModel) -> Level:
    """The actor's level on this model: the greatest of the site's default and every grant that applies."""
    if actor.is_admin or actor.is_system:
        return Level.CAN_MANAGE
    if not actor.is_signed_in:
        return Level.NONE
    highest = max(_LEVELS.read(user=actor.user_id, model=model.pk), default=0)
    return max(default_level(), Level(highest))


def visible_models(actor: Actor) -> QuerySet[RegisteredModel]:
    """The models that the actor may read. Raises NotSignedIn for a stranger."""
    return RegisteredModel.objects.filter(visible(actor))


def models_with_level(actor: Actor, level: Level) -> QuerySet[RegisteredModel]:
    """The models on which the actor has at least this level."""
    models = visible_models(actor)
    if actor.is_admin or actor.is_system or default_level() >= level:
        return models
    return models.filter(granted(actor.user_id, level))


def require(actor: Actor, model: RegisteredModel, level: Level) -> None:
    """Raises NotSignedIn, NotFound for a model that the actor may not even see, PermissionDenied below the level."""
    actor.require_signed_in()
    held = level_of(actor, model)
    if held is Level.NONE:
        raise NotFound(f"Registered Model with name={model.name} not found", field="name")
    if held < level:
        raise PermissionDenied(
            f"This needs {level.name} on registered model '{model.name}', and {actor.name} has {held.name}. "
            "Ask somebody with CAN_MANAGE, or an administrator, for a grant."
        )


def people_with_level(model: RegisteredModel, level: Level) -> QuerySet[User]:
    """Every active person who has at least this level on the model, by name."""
    people = User.objects.filter(is_active=True).order_by("username")
    if default_level() >= level:
        return people
    grants = Grant.objects.filter(Q(registered_model=model) | Q(registered_model__isnull=True), level__gte=level)
    return people.filter(
        Q(is_superuser=True)
        | Exists(grants.filter(user=OuterRef("pk")))
        | Exists(grants.filter(group__user=OuterRef("pk")))
    )


def grant_to_creator(actor: Actor, model: RegisteredModel) -> None:
    """CAN_MANAGE on what one creates. The system needs none."""
    if actor.user_id is not None:
        insert(Grant(registered_model=model, user_id=actor.user_id, level=Level.CAN_MANAGE))
