"""The people of the tests, how they come in, and the world around them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from registry_site.accounts.actors import Actor, person, stranger, system
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from tests.doors import Api
from tests.live import Podium, start_podium
from tests.make import make_user
from tests.tampering import switching_triggers

# The same examples each time, however slow the machine; `--hypothesis-profile default` looks for others.
hypothesis_settings.register_profile("same", deadline=None, derandomize=True)
hypothesis_settings.load_profile("same")


# -- the world ---------------------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def artifact_root(tmp_path: Path, settings: Settings) -> Path:
    """An artifact store and a mail folder of the test's own."""
    settings.PODIUM_MAIL_FOLDER = tmp_path / "mail"
    root = tmp_path / "artifacts"
    settings.PODIUM_ARTIFACT_ROOT = str(root)
    return root


@pytest.fixture(autouse=True)
def _forget_attempts() -> None:
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _history_is_flushed() -> Iterator[None]:
    """Between tests with threads the database is emptied; its triggers, which keep history from that, stand aside."""
    operations = type(connection.ops)
    sql_flush = operations.sql_flush

    def past_the_triggers(*arguments: Any, **options: Any) -> list[str]:
        off, on = switching_triggers()
        return [*off, *sql_flush(*arguments, **options), *on]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", past_the_triggers)
        yield


class FrozenClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> datetime:
        """Move on, by the arguments of `timedelta`; the new moment."""
        self.moment += timedelta(**by)
        return self.moment


@pytest.fixture
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> FrozenClock:
    """Podium's clock stands at noon UTC of 2 March 2026."""
    frozen = FrozenClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    monkeypatch.setattr(clock, "now", frozen)
    return frozen


# -- people ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def maria(db: None) -> User:
    """A data scientist: signed in, with the site's default level, and manager of the models that she makes."""
    return make_user("maria", display_name="Maria Lopez")


@pytest.fixture
def jon(db: None) -> User:
    """A reviewer: may move versions of every model into and out of Production."""
    return make_user("jon", display_name="Jon Weber", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS)


@pytest.fixture
def eve(db: None) -> User:
    """Somebody with an account, and no grant at all."""
    return make_user("eve", display_name="Eve")


@pytest.fixture
def admin(db: None) -> User:
    """The administrator."""
    return make_user("admin", display_name="Ada Min", is_admin=True)


@pytest.fixture
def maria_actor(maria: User) -> Actor:
    return person(maria, Origin.REST)


@pytest.fixture
def jon_actor(jon: User) -> Actor:
    return person(jon, Origin.REST)


@pytest.fixture
def eve_actor(eve: User) -> Actor:
    return person(eve, Origin.REST)


@pytest.fixture
def admin_actor(admin: User) -> Actor:
    return person(admin, Origin.REST)


@pytest.fixture
def stranger_actor() -> Actor:
    return stranger(Origin.REST)


@pytest.fixture
def system_actor() -> Actor:
    return system(Origin.COMMAND)


# -- their ways in -----------------------------------------------------------------------------------------------------
@pytest.fixture
def api(maria: User) -> Api:
    """Maria's client of the JSON doors; `api.as_(jon)` is Jon's."""
    return Api().as_(maria)


@pytest.fixture
def anonymous_api(db: None) -> Api:
    """A stranger's client of the JSON doors."""
    return Api()


@pytest.fixture
def page_client(db: None) -> Callable[[User], Client]:
    """`page_client(maria)` is a browser in which Maria is signed in, without scripts."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def maria_page(maria: User, page_client: Callable[[User], Client]) -> Client:
    """Maria's browser, without scripts."""
    return page_client(maria)


@pytest.fixture
def admin_page(admin: User, page_client: Callable[[User], Client]) -> Client:
    """The administrator's browser, without scripts."""
    return page_client(admin)


@pytest.fixture
def stranger_page(db: None) -> Client:
    """The browser of somebody who is not signed in."""
    return Client()


@pytest.fixture(scope="session")
def podium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    """The whole of Podium, as `manage.py up` starts it: web server, worker, and a database of its own."""
    inside = {"PODIUM_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1:8099"}  # where the client's receiver listens
    with start_podium(tmp_path_factory.mktemp("podium"), **inside) as running:
        yield running
