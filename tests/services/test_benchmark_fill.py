"""What the benchmarks measure on: their bulk SQL fits the tables as they are."""

import pytest
from django.db import connection

from benchmarks import fill
from benchmarks.sizes import HISTORY, Size, experiment_id, model_name, run_id
from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.registry import queries as registry
from registry_site.registry.access import level_of
from registry_site.tracking import access, histories
from registry_site.tracking import queries as tracking

pytestmark = pytest.mark.django_db


def test_the_bulk_fill_makes_models_and_runs_as_the_services_would(maria_actor: Actor) -> None:
    with connection.cursor() as cursor:
        for statement in fill.podium(Size(models=3, runs=20)):
            cursor.execute(statement)
    model = registry.get_model(maria_actor, model_name(2))
    assert {tag.key: tag.value for tag in model.tags.all()} == {"team": "team-2", "task": "churn"}
    latest = [(one.version, one.current_stage) for one in model.latest_versions]  # type: ignore[attr-defined]
    assert latest == [(5, "None"), (4, "Staging"), (3, "Production"), (2, "Archived")]
    assert registry.get_version_by_alias(maria_actor, model_name(2), "champion").version == 3
    found = registry.search_versions(maria_actor, filter=f"run_id = '{run_id(13)}'").rows
    assert [(one.registered_model.name, one.version) for one in found] == [(model_name(2), 2)]
    assert level_of(maria_actor, model) is access.level_of(maria_actor, experiment_id(1)) is Level.CAN_MANAGE
    run = tracking.get_run(maria_actor, run_id(1))
    assert (run.experiment_id, len(run.latest_metrics.all()), len(run.params.all())) == (experiment_id(1), 6, 5)
    history = histories.metric_history(maria_actor, run_id=run_id(1), key="history").rows
    assert (len(history), history[0].value, history[-1].step) == (HISTORY, 1.0, HISTORY)
