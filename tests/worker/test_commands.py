"""The commands that make people and tokens."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from registry_site.accounts.authentication import actor_from_header
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.scopes import Scope
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from tests.conftest import FrozenClock
from tests.make import make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """What the command prints."""
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def who_has(token: str) -> str:
    return actor_from_header(f"Bearer {token}", origin=Origin.REST, remote_address="127.0.0.1").name


def test_create_user_with_a_token_prints_the_token_and_nothing_else() -> None:
    output = run("create_user", "ci", "--email", "ci@example.org", "--token")
    token = output.strip()
    assert output == f"{token}\n"
    assert who_has(token) == "ci"
    user = User.objects.get(username="ci")
    assert user.email == "ci@example.org"
    assert not user.is_superuser
    assert not user.has_usable_password()


def test_create_user_makes_administrators() -> None:
    assert run("create_user", "ada", "--admin") == "Created ada.\n"
    assert User.objects.get(username="ada").is_superuser


def test_create_token_prints_a_further_one() -> None:
    first = run("create_user", "ci", "--token").strip()
    output = run("create_token", "ci")
    second = output.strip()
    assert output == f"{second}\n"
    assert second != first
    assert who_has(first) == who_has(second) == "ci"


def test_create_token_says_what_for_with_which_scope_and_for_how_long(frozen_clock: FrozenClock) -> None:
    make_user("ada", is_admin=True)
    run("create_token", "ada")
    run("create_token", "ada", "--name", "backup", "--scope", "admin", "--expires", "30")
    run("create_token", "ada", "--scope", "read")
    told = [(token.name, token.scope, token.expires_at) for token in ApiToken.objects.order_by("pk")]
    assert told == [
        ("command line", Scope.WRITE, None),
        ("backup", Scope.ADMIN, clock.now() + timedelta(days=30)),
        ("command line", Scope.READ, None),
    ]


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "soon", "99999999999"])
def test_create_token_refuses_odd_lifetimes(days: str) -> None:
    make_user("maria")
    with pytest.raises(CommandError, match="is no number of days from 1 to 36500"):
        run("create_token", "maria", f"--expires={days}")
    assert not ApiToken.objects.exists()


def test_create_token_gives_nobody_more_than_they_have() -> None:
    make_user("maria")
    with pytest.raises(CommandError, match=r"^The scope 'admin' is for administrators, and maria is none"):
        run("create_token", "maria", "--scope", "admin")
    with pytest.raises(CommandError, match="invalid choice: 'root'"):
        run("create_token", "maria", "--scope", "root")


def test_the_token_of_a_new_user_does_what_the_user_may() -> None:
    run("create_user", "ada", "--admin", "--token")
    run("create_user", "ci", "--token")
    assert dict(ApiToken.objects.values_list("user__username", "scope")) == {"ada": Scope.ADMIN, "ci": Scope.WRITE}


def test_create_link_lets_somebody_in_again_who_has_forgotten_the_password(client: Client) -> None:
    make_user("ada", is_admin=True)
    output = run("create_link", "ada")
    prefix = "http://127.0.0.1:5000/new-password/"
    assert output.startswith(prefix)
    assert output.endswith("\n")
    new = "a goat ate my umbrella"
    client.post(output.strip().removeprefix("http://127.0.0.1:5000"), {"new": new, "again": new})
    assert client.post("/sign-in", {"username": "ada", "password": new}).headers["Location"] == "/"
    with pytest.raises(CommandError, match=r"^User 'nobody' does not exist\.$"):
        run("create_link", "nobody")


def test_create_user_with_a_link_prints_the_link_and_nothing_else(client: Client) -> None:
    output = run("create_user", "ada", "--admin", "--link")
    address = output.removeprefix("http://127.0.0.1:5000").removesuffix("\n")
    assert "For <code>ada</code>." in client.get(address).content.decode()
    with pytest.raises(CommandError, match="not allowed with argument"):
        run("create_user", "bob", "--link", "--token")


def test_a_name_that_is_taken_is_refused() -> None:
    make_user("maria")
    with pytest.raises(CommandError, match=r"^User 'maria' already exists\.$"):
        run("create_user", "maria")


def test_a_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^User 'nobody' does not exist\.$"):
        run("create_token", "nobody")
