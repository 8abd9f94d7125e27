"""What the models say is what the migrations make."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader


@pytest.mark.django_db
def test_the_migrations_are_complete(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        call_command("makemigrations", check=True, dry_run=True, verbosity=1)
    except SystemExit:
        pytest.fail(f"makemigrations would write:\n{capsys.readouterr().out}")


def test_each_app_of_ours_has_one_initial_migration() -> None:
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("registry_site.")}
    initial = [key for key, each in MigrationLoader(None).disk_migrations.items() if each.initial]
    labels = [label for label, _ in initial if label in ours]
    assert sorted(labels) == sorted(label for label in ours if list(apps.get_app_config(label).get_models()))
