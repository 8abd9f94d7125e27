"""Making what a test starts from.

People and their tokens come without history, so that the history in a test is what the test did. Everything else is
made by the services, as the actor given.
"""

from collections.abc import Mapping, Sequence

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.scopes import Scope
from registry_site.accounts.tokens import digest, new_token, shown_prefix
from registry_site.core import clock
from registry_site.registry.models import Grant, ModelVersion, RegisteredModel
from registry_site.registry.services import create_model, create_version
from registry_site.tracking.models import Experiment, ExperimentGrant, Run
from registry_site.tracking.recording import MetricPoint, log_batch
from registry_site.tracking.services import create_experiment, create_run

PASSWORD = "correct horse battery staple"


def make_user(
    username: str,
    *,
    display_name: str = "",
    level: Level | None = None,
    model: RegisteredModel | None = None,
    is_admin: bool = False,
) -> User:
    """A person with an address and `PASSWORD`; with a level, on one model or on all, if one is given."""
    user = User.objects.create_user(
        username,
        email=f"{username}@example.org",
        password=PASSWORD,
        display_name=display_name,
        is_staff=is_admin,
        is_superuser=is_admin,
    )
    if level is not None:
        grant(user, level, model)
    return user


def grant(user: User, level: Level, model: RegisteredModel | None = None) -> None:
    """Give that person this level, on one model or on all."""
    Grant.objects.update_or_create(user=user, registered_model=model, defaults={"level": level})


def grant_on_experiments(user: User, level: Level, experiment: Experiment | None = None) -> None:
    """Give that person this level, on one experiment or on all."""
    ExperimentGrant.objects.update_or_create(user=user, experiment=experiment, defaults={"level": level})


def make_token(user: User, scope: Scope = Scope.ADMIN) -> str:
    """A token of that person, as text, with which they may do all that they may, unless a scope says less."""
    text = new_token()
    ApiToken.objects.create(
        user=user, name="test", prefix=shown_prefix(text), digest=digest(text), scope=scope, created_at=clock.now()
    )
    return text


def make_experiment(actor: Actor, name: str = "fraud", *, tags: Mapping[str, str] | None = None) -> Experiment:
    """An experiment; the one of that name if it is there already."""
    return Experiment.objects.filter(name=name).first() or create_experiment(actor, name=name, tags=tags)


def make_run(
    actor: Actor,
    *,
    experiment: Experiment | None = None,
    name: str = "",
    tags: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, Sequence[float]] | None = None,
) -> Run:
    """A running run, in the experiment "fraud" if none is given. `metrics` are histories, a step for each value."""
    experiment = experiment or make_experiment(actor)
    now = clock.now_ms()
    run = create_run(actor, experiment_id=experiment.pk, run_name=name, start_time=now, tags=tags)
    points = [
        MetricPoint(key, value, now + step, step)
        for key, values in (metrics or {}).items()
        for step, value in enumerate(values)
    ]
    if points or params:
        log_batch(actor, run_id=run.run_id, metrics=points, params=list((params or {}).items()))
    return run


def make_model(
    actor: Actor, name: str = "churn", *, description: str = "", tags: Mapping[str, str] | None = None
) -> RegisteredModel:
    """A registered model; the one of that name if it is there already."""
    return RegisteredModel.objects.filter(name=name).first() or create_model(
        actor, name=name, description=description, tags=tags
    )


def make_version(
    actor: Actor,
    name: str = "churn",
    *,
    run: Run | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelVersion:
    """The next version of a registered model, which is made if it is missing; from the folder `model` of a run."""
    make_model(actor, name)
    run = run or make_run(actor)
    return create_version(
        actor,
        name=name,
        source=f"runs:/{run.run_id}/model",
        run_id=run.run_id,
        description=description,
        tags=tags,
    )
