"""Two administrators who take each other's power at the same moment: one of them keeps it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.administration import delete_user, set_admin
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.core.errors import Conflict
from tests.make import make_user

ROUNDS = 5


def demote(actor: Actor, username: str) -> None:
    set_admin(actor, username=username, is_admin=False)


def remove(actor: Actor, username: str) -> None:
    delete_user(actor, username=username)


def attempt(start: threading.Barrier, take_away: Callable[[Actor, str], None], actor: Actor, username: str) -> str:
    try:
        start.wait()
        take_away(actor, username)
    except Conflict:
        return "refused"
    finally:
        connection.close()
    return "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take_away", [demote, remove])
def test_there_is_always_an_administrator(take_away: Callable[[Actor, str], None]) -> None:
    for _ in range(ROUNDS):
        User.objects.all().delete()
        ada, bob = (person(make_user(name, is_admin=True), Origin.REST) for name in ("ada", "bob"))
        start = threading.Barrier(2, timeout=30)
        with ThreadPoolExecutor(2) as racers:
            acts = [racers.submit(attempt, start, take_away, *pair) for pair in ((ada, "bob"), (bob, "ada"))]
        assert sorted(act.result() for act in acts) == ["done", "refused"]
        assert User.objects.filter(is_superuser=True).count() == 1
