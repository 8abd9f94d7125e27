"""The commands that make people and tokens."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry_site.accounts.authentication import actor_from_header
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
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


def test_a_name_that_is_taken_is_refused() -> None:
    make_user("maria")
    with pytest.raises(CommandError, match=r"^User 'maria' already exists\.$"):
        run("create_user", "maria")


def test_a_token_for_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^User 'nobody' does not exist\.$"):
        run("create_token", "nobody")
