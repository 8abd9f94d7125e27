"""`manage.py verify_audit`, as an administrator runs it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry_site.accounts.actors import Actor
from registry_site.audit.models import Activity
from registry_site.registry.models import RegisteredModel
from registry_site.registry.services import set_model_tag
from tests.conftest import FrozenClock
from tests.make import make_model, make_version
from tests.tampering import past_the_triggers

pytestmark = pytest.mark.django_db


def verify_audit() -> str:
    """What the command prints."""
    output = StringIO()
    call_command("verify_audit", stdout=output)
    return output.getvalue()


def tamper(activity: Activity, sql: str) -> None:
    with past_the_triggers(), connection.cursor() as cursor:
        cursor.execute(sql, [activity.pk])


def test_it_says_how_much_is_sound(maria_actor: Actor) -> None:
    assert verify_audit() == "0 activities in 0 chains: every one is as it was written.\n"
    make_model(maria_actor, "churn")
    assert verify_audit() == "1 activity in 1 chain: every one is as it was written.\n"
    make_version(maria_actor, "churn")
    assert verify_audit() == "3 activities in 2 chains: every one is as it was written.\n"


def test_it_names_what_was_changed(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    make_model(maria_actor, "churn")
    for value in ("a", "b", "c"):
        set_model_tag(maria_actor, name="churn", key="team", value=value)
    changed = Activity.objects.order_by("pk")[1]
    model = RegisteredModel.objects.get(name="churn").pk
    tamper(changed, "UPDATE audit_activity SET actor_name = 'eve' WHERE id = %s")
    with pytest.raises(CommandError) as told:
        verify_audit()
    assert told.value.returncode == 1
    assert str(told.value) == (
        f"The chain of registered model {model} is broken at activity {changed.pk} "
        "(model.tag_set, 2026-03-02 12:00:00 UTC): it was changed after it was written."
    )


def test_it_names_where_something_is_missing(maria_actor: Actor) -> None:
    make_version(maria_actor, "churn")
    experiment = Activity.objects.get(kind="experiment.created")
    with past_the_triggers():
        experiment.delete()
    with pytest.raises(CommandError, match=r"^The chain of the site is broken: all its activities are missing\.$"):
        verify_audit()
