"""Acts the demonstration out, through the services, day by day over the past three months."""

import io
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.db import transaction

from registry_site.accounts import actors
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.services import create_user
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.core.errors import Conflict
from registry_site.promotion.deciding import approve, cancel, reject
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.grants import set_grant
from registry_site.registry.manifests import finalize_logged_model
from registry_site.registry.queries import search_models
from registry_site.registry.services import create_model, create_version, set_alias
from registry_site.tracking.artifact_files import stored_path, write_artifact
from registry_site.tracking.grants import set_grant as set_experiment_grant
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.recording import MetricPoint, log_batch
from registry_site.tracking.services import (
    DatasetUse,
    create_experiment,
    create_run,
    log_inputs,
    log_outputs,
    log_run_model,
    update_run,
)
from registry_site.worker.demo_content import CI, PEOPLE, STORIES, Measure, Step, Story
from registry_site.worker.demo_files import model_files, report_files

SPAN = timedelta(days=88)
EPOCHS = 30
_DECIDE: dict[str, Callable[..., object]] = {"approve": approve, "reject": reject, "cancel": cancel}
_TRIAL_ENDS = ("FINISHED", "FAILED", "FINISHED", "KILLED")


@dataclass(frozen=True, slots=True)
class Made:
    """How much of everything a demonstration made."""

    people: int
    models: int
    versions: int
    runs: int
    requests: int
    files: int


def play(seed: int = 7) -> Made:
    """Fill this instance, all or nothing. The same seed tells the same; only ids differ, and it always ends today.

    Raises Conflict when there are registered models, AlreadyExists when somebody bears a name of the story.
    """
    system = actors.system(Origin.COMMAND)
    if search_models(system, max_results=1).rows:
        raise Conflict("There are registered models already: the demonstration only fills an empty instance.")
    today = clock.now()
    with transaction.atomic(), _time_of_the_story() as travel:
        cast = _Cast(Random(seed))
        travel(today - SPAN - timedelta(days=1))
        cast.arrive(system)
        scenes = [scene for place, story in enumerate(STORIES) for scene in cast.scenes(story, place, today)]
        for moment, act in sorted(scenes, key=lambda scene: scene[0]):
            travel(moment)
            act()
    return Made(len(PEOPLE), len(STORIES), cast.versions, cast.runs, cast.requests, cast.files)


@contextmanager
def _time_of_the_story() -> Iterator[Callable[[datetime], None]]:
    """Within this, Podium's one clock shows the moment last given, so that history spreads over the past."""
    real, moments = clock.now, [clock.now()]
    clock.now = lambda: moments[-1]
    try:
        yield moments.append
    finally:
        clock.now = real


Scene = tuple[datetime, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class _Run:
    """A run, and the last values of its metrics."""

    run_id: str
    artifact_uri: str
    metrics: dict[str, float]


@dataclass(slots=True)
class _Cast:
    """The people of the story, and what they have done so far."""

    random: Random
    people: dict[str, Actor] = field(default_factory=dict)
    experiments: dict[str, int] = field(default_factory=dict)
    newest_request: dict[str, int] = field(default_factory=dict)
    versions: int = 0
    runs: int = 0
    requests: int = 0
    files: int = 0

    def arrive(self, system: Actor) -> None:
        """Make the people, their teams and their levels."""
        for person in PEOPLE:
            # With a mail server, letters to people who do not exist would come back.
            address = "" if settings.EMAIL_HOST else f"{person.username}@example.org"
            user = create_user(
                system,
                username=person.username,
                display_name=person.display_name,
                email=address,
                groups=(person.team,),
            )
            if person.level is not None:
                set_grant(system, name=None, username=person.username, level=person.level)
            self.people[person.username] = actors.person(user, Origin.REST)
        set_experiment_grant(system, experiment_id=None, username=CI, level=Level.CAN_EDIT)

    def scenes(self, story: Story, place: int, today: datetime) -> list[Scene]:
        """When what happens: the model and its runs, versions and requests, from long ago until today."""
        begin = today - SPAN + timedelta(days=place, hours=self.random.randint(0, 8))
        apart = (today - timedelta(days=place % 4 + 1) - begin) / story.versions
        scenes: list[Scene] = [(begin, lambda: self._found(story))]
        for number in range(1, story.versions + 1):
            made = begin + apart * number - timedelta(hours=self.random.randint(3, 9))
            scenes.append((made, self._training(story, number)))
            steps = [step for step in story.steps if step.after == number]
            gap = min(timedelta(hours=31), (today - made) / (len(steps) + 1))
            scenes += [(made + gap * (turn + 1), self._turn(story, step)) for turn, step in enumerate(steps)]
        for trial in range(story.trials):
            moment = begin + (today - begin) * ((trial + 1) / story.trials) - timedelta(minutes=40 + place)
            scenes.append((moment, self._trial(story, trial)))
        scenes.append((today - timedelta(minutes=90 - place), lambda: self._finish(story)))
        return scenes

    # -- what happens --------------------------------------------------------------------------------------------------
    def _found(self, story: Story) -> None:
        owner = self.people[story.owner]
        team = next(person.team for person in PEOPLE if person.username == story.owner)
        description = (
            f"{story.summary}\n\n## Use\n{story.use}\n\n## Limits\n{story.limits}\n\n"
            f"Trained on `{story.dataset}`; questions go to **{owner.display_name}** (team {team})."
        )
        create_model(owner, name=story.name, description=description, tags={"team": team, **story.tags})
        set_grant(owner, name=story.name, group=team, level=Level.CAN_EDIT)
        experiment = create_experiment(
            owner, name=f"{team}/{story.name}", tags={"mlflow.note.content": story.summary, "team": team}
        )
        set_experiment_grant(owner, experiment_id=experiment.pk, group=team, level=Level.CAN_EDIT)
        self.experiments[story.name] = experiment.pk

    def _training(self, story: Story, number: int) -> Callable[[], None]:
        def train() -> None:
            quality = number / story.versions
            who = self.people[CI if number % 3 == 0 else story.owner]
            run = self._run(story, who, f"{story.flavor}-{number:02d}", quality)
            files = model_files(story, self.random, run_id=run.run_id, created=clock.now())
            model_id = self._log_model(story, who, run, files)
            self._upload(who, run.artifact_uri, report_files(story, self.random, run.metrics, 0.7 + 0.25 * quality))
            update_run(who, run_id=run.run_id, status="FINISHED", end_time=clock.now_ms())
            main = story.measures[0]
            create_version(
                self.people[story.owner],
                name=story.name,
                source=f"models:/{model_id}" if model_id else f"runs:/{run.run_id}/model",
                run_id=run.run_id,
                model_id=model_id,
                description=f"`{main.key}` {run.metrics[main.key]:.3g} on `{story.dataset}`.",
                tags={"framework": story.flavor, "validated": "yes" if number % 2 else "no"},
            )
            self.versions += 1

        return train

    def _trial(self, story: Story, trial: int) -> Callable[[], None]:
        def attempt() -> None:
            goes_on = story.images and trial + 1 == story.trials  # the last one, of today
            who = self.people[story.owner]
            quality = self.random.uniform(0.1, 0.8)
            run = self._run(story, who, f"trial-{trial + 1}", quality)
            self._upload(who, run.artifact_uri, {"reports/metrics.json": json.dumps(run.metrics).encode()})
            if not goes_on:
                end = _TRIAL_ENDS[(trial + len(story.name)) % len(_TRIAL_ENDS)]
                update_run(who, run_id=run.run_id, status=end, end_time=clock.now_ms())

        return attempt

    def _turn(self, story: Story, step: Step) -> Callable[[], None]:
        def act() -> None:
            who = self.people[step.person].through(Origin.PAGE)
            if step.verb == "move":
                transition(who, name=story.name, version=step.version, to_stage=step.stage, comment=step.comment)
            elif step.verb == "ask":
                request = request_transition(
                    who, name=story.name, version=step.version, to_stage=step.stage, comment=step.comment
                )
                self.newest_request[story.name] = request.number
                self.requests += 1
            else:
                _DECIDE[step.verb](who, name=story.name, number=self.newest_request[story.name], comment=step.comment)

        return act

    def _finish(self, story: Story) -> None:
        for alias, version in story.aliases.items():
            set_alias(self.people[story.owner], name=story.name, alias=alias, version=version)

    # -- how it is done ------------------------------------------------------------------------------------------------
    def _run(self, story: Story, who: Actor, name: str, quality: float) -> _Run:
        """A run that began a while ago, with what it was given and measured."""
        now = clock.now_ms()
        began = now - self.random.randint(4, 90) * 60_000
        run = create_run(
            who,
            experiment_id=self.experiments[story.name],
            run_name=name,
            start_time=began,
            tags={
                "mlflow.source.name": "train.py",
                "mlflow.source.type": "JOB" if who is self.people[CI] else "LOCAL",
                "mlflow.source.git.commit": f"{self.random.getrandbits(160):040x}",
                "task": story.task,
            },
        )
        self.runs += 1
        curves = {measure.key: self._curve(measure, quality) for measure in story.measures}
        points = [
            MetricPoint(key, value, timestamp=began + (now - began) * (step + 1) // EPOCHS, step=step)
            for key, curve in curves.items()
            for step, value in enumerate(curve)
        ]
        params = [
            ("learning_rate", f"{self.random.choice((0.3, 0.1, 0.03, 0.01))}"),
            ("max_depth", f"{self.random.choice((4, 6, 8))}"),
            ("epochs", f"{EPOCHS}"),
            ("seed", f"{self.random.randint(1, 99)}"),
            ("features", ",".join(name for name, _ in story.inputs)),
        ]
        log_batch(who, run_id=run.run_id, metrics=points, params=params)
        described = {
            "name": story.dataset,
            "digest": f"{zlib.crc32(story.dataset.encode()):08x}",
            "source_type": "local",
            "source": json.dumps({"uri": f"warehouse/{story.dataset}.parquet"}),
            "schema": json.dumps({"mlflow_colspec": [{"type": kind, "name": key} for key, kind in story.inputs]}),
            "profile": json.dumps({"num_rows": 12_000 + 1_000 * len(story.dataset)}),
        }
        log_inputs(who, run_id=run.run_id, datasets=[DatasetUse(described, {"mlflow.data.context": "training"})])
        return _Run(run.run_id, run.artifact_uri, {key: curve[-1] for key, curve in curves.items()})

    def _curve(self, measure: Measure, quality: float) -> list[float]:
        """A value for each epoch, from bad to about what a version of this quality (0 to 1) reaches."""
        reached = measure.first + (measure.last - measure.first) * quality
        bad = reached - (measure.last - measure.first) * 2.5
        noise = abs(measure.last - measure.first) * 0.06
        return [
            round(reached + (bad - reached) * math.exp(-epoch / 6) + self.random.uniform(-noise, noise), 5)
            for epoch in range(EPOCHS)
        ]

    def _log_model(self, story: Story, who: Actor, run: _Run, files: Mapping[str, bytes]) -> str:
        """Log a model as MLflow 3 does, or (with an empty id returned) as MLflow 2 does, into the run's own folder."""
        if not story.as_logged_model:
            self._upload(who, run.artifact_uri, {f"model/{name}": content for name, content in files.items()})
            noted = {
                "artifact_path": "model",
                "run_id": run.run_id,
                "utc_time_created": f"{clock.now():%Y-%m-%d %H:%M:%S.%f}",
                "flavors": {story.flavor: {}, "python_function": {}},
            }
            log_run_model(who, run_id=run.run_id, model_json=json.dumps(noted))
            return ""
        model = create_logged_model(
            who,
            experiment_id=self.experiments[story.name],
            name="model",
            model_type=story.flavor,
            source_run_id=run.run_id,
            params={"features": f"{len(story.inputs)}"},
        )
        self._upload(who, model.artifact_uri, files)
        finalize_logged_model(who, model_id=model.model_id, status="LOGGED_MODEL_READY")
        log_outputs(who, run_id=run.run_id, models={model.model_id: EPOCHS - 1})
        return model.model_id

    def _upload(self, who: Actor, artifact_uri: str, files: Mapping[str, bytes]) -> None:
        root = stored_path(artifact_uri)
        for name, content in files.items():
            write_artifact(who, f"{root}/{name}", io.BytesIO(content), length=len(content))
            self.files += 1
