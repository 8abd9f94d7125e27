"""The demonstration: one command, and the site is alive."""

import re
import struct
from collections import Counter
from datetime import timedelta
from io import StringIO
from pathlib import Path
from random import Random

import pytest
import yaml
from django.core.management import CommandError, call_command

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit.models import Activity
from registry_site.core import clock
from registry_site.promotion.models import TransitionRequest
from registry_site.registry.models import Alias, ModelVersion, RegisteredModel
from registry_site.tracking.models import LoggedModel, Metric, Run
from registry_site.worker.demo_content import PEOPLE, STORIES
from registry_site.worker.demo_files import curve_png, sample_png
from tests.make import make_model

pytestmark = pytest.mark.django_db


def run_demo() -> str:
    """What the command prints."""
    output = StringIO()
    call_command("demo", stdout=output)
    return output.getvalue()


def test_the_demonstration_fills_an_empty_instance(artifact_root: Path) -> None:
    now = clock.now()
    assert re.match(
        r"Made 10 people, 12 models, 40 versions, 60 runs, 24 requests and \d{3} files\.\n"
        r"Look around at http://127\.0\.0\.1:5000\n\Z",
        run_demo(),
    )
    assert RegisteredModel.objects.count() == 12
    assert ModelVersion.objects.count() == 40
    assert Run.objects.count() == 60
    assert {"FINISHED", "FAILED", "RUNNING"} <= set(Run.objects.values_list("status", flat=True))
    assert Metric.objects.count() > 4000
    assert set(ModelVersion.objects.values_list("current_stage", flat=True)) == {
        "None",
        "Staging",
        "Production",
        "Archived",
    }
    states = Counter(TransitionRequest.objects.values_list("state", flat=True))
    assert min(states["pending"], states["approved"]) >= 5
    assert min(states["rejected"], states["cancelled"]) >= 1
    assert Alias.objects.filter(alias="champion").count() >= 8
    assert set(User.objects.values_list("groups__name", flat=True)) >= {person.team for person in PEOPLE}

    # It spreads over the past, in order, and the clock goes on as before.
    times = list(Activity.objects.order_by("pk").values_list("at", flat=True))
    assert times == sorted(times)
    assert times[0] < now - timedelta(days=80)
    assert times[-1] <= now
    assert clock.now() >= now

    # Its files are what they say.
    version = ModelVersion.objects.get(registered_model__name="churn-predictor", version=5)
    folder = artifact_root / version.storage_location.removeprefix("mlflow-artifacts:/").lstrip("/")
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert described["run_id"] == version.run_id
    assert '"name": "tenure_months"' in described["signature"]["inputs"]
    assert (folder.parent / "plots" / "curves" / "roc.png").read_bytes().startswith(b"\x89PNG\r\n")
    fraud = ModelVersion.objects.get(registered_model__name="fraud-detector", version=4)
    logged = LoggedModel.objects.get(model_id=fraud.model_id).artifact_uri
    assert (artifact_root / logged.removeprefix("mlflow-artifacts:/").lstrip("/") / "MLmodel").is_file()

    # A second one is refused.
    with pytest.raises(CommandError, match=r"^There are registered models already: the demonstration only fills"):
        run_demo()


def test_the_demonstration_touches_nothing_where_there_are_models(maria_actor: Actor) -> None:
    make_model(maria_actor, "mine")
    with pytest.raises(CommandError, match="There are registered models already"):
        run_demo()
    assert list(RegisteredModel.objects.values_list("name", flat=True)) == ["mine"]
    assert not User.objects.filter(username="maria.lopez").exists()


def test_the_story_adds_up() -> None:
    assert len(STORIES) == 12
    assert sum(story.versions for story in STORIES) == 40
    assert sum(story.versions + story.trials for story in STORIES) == 60
    assert len({person.team for person in PEOPLE}) >= 5


def test_pictures_are_whole_and_the_same_each_time() -> None:
    picture = curve_png(0.8)
    assert struct.unpack(">II", picture[16:24]) == (360, 240)
    assert picture.endswith(b"IEND\xaeB`\x82")
    assert len(picture) < 10_000
    assert sample_png(Random(1)) == sample_png(Random(1)) != sample_png(Random(2))
