"""Who may see and do what with registered models. One resolver, and one filter in SQL that says the same."""

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.core.errors import NotFound, PermissionDenied
from registry_site.registry.models import Grant, RegisteredModel


def default_level() -> Level:
    """What every signed-in person may do with any registered model."""
    return Level[settings.PODIUM_DEFAULT_LEVEL]


def _grants_to(actor: Actor) -> QuerySet[Grant]:
    return Grant.objects.filter(Q(user_id=actor.user_id) | Q(group__user=actor.user_id))


def level_of(actor: Actor, model: RegisteredModel) -> Level:
    """The actor's level on this model: the greatest of the site's default and every grant that applies."""
    if actor.is_admin or actor.is_system:
        return Level.CAN_MANAGE
    if not actor.is_signed_in:
        return Level.NONE
    granted = _grants_to(actor).filter(Q(registered_model=model) | Q(registered_model__isnull=True))
    highest = granted.aggregate(highest=Max("level"))["highest"]
    return max(default_level(), Level(highest or 0))


def visible_models(actor: Actor) -> QuerySet[RegisteredModel]:
    """The models that the actor may read. Raises NotSignedIn for a stranger."""
    actor.require_signed_in()
    if actor.is_admin or actor.is_system or default_level() >= Level.CAN_READ:
        return RegisteredModel.objects.all()
    grants = _grants_to(actor).filter(level__gte=Level.CAN_READ)
    return RegisteredModel.objects.filter(
        Exists(grants.filter(registered_model=OuterRef("pk"))) | Exists(grants.filter(registered_model__isnull=True))
    )


def models_with_level(actor: Actor, level: Level) -> QuerySet[RegisteredModel]:
    """The models on which the actor has at least this level."""
    visible = visible_models(actor)
    if actor.is_admin or actor.is_system or default_level() >= level:
        return visible
    grants = _grants_to(actor).filter(level__gte=level)
    return visible.filter(
        Exists(grants.filter(registered_model=OuterRef("pk"))) | Exists(grants.filter(registered_model__isnull=True))
    )


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
        Grant.objects.create(registered_model=model, user_id=actor.user_id, level=Level.CAN_MANAGE)
