"""Addresses that are signed for one person's right to read one thing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from registry_site.accounts.actors import Actor
from registry_site.accounts.authentication import actor_from_header
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.scopes import Scope
from registry_site.accounts.signed_urls import actor_of_signature, sign
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotFound, NotSignedIn, PermissionDenied
from registry_site.core.logs import without_secrets
from tests.conftest import FrozenClock
from tests.make import make_token

HOUR = timedelta(hours=1)
GONE = r"^This address has expired, or was not made here\. Ask for a new one\.$"


def read(text: str, *what: str) -> Actor:
    return actor_of_signature(text, *what, origin=Origin.REST)


def test_who_has_it_reads_in_that_persons_name_and_cannot_write(maria_actor: Actor) -> None:
    reader = read(sign(maria_actor, "archive", "churn", lasts=HOUR).text, "archive", "churn")
    assert (reader.user_id, reader.name) == (maria_actor.user_id, "maria")
    with pytest.raises(PermissionDenied):
        reader.require_write()


def test_it_opens_nothing_else(maria_actor: Actor) -> None:
    text = sign(maria_actor, "archive", "churn", lasts=HOUR).text
    for what in (("archive", "fraud"), ("file", "churn"), ("archive",), ("archive", "churn", "")):
        with pytest.raises(NotFound, match=GONE):
            read(text, *what)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "x", "podium_", "podium_" + "x" * 80, "ü" * 60, "podium_:" + "x" * 43])
def test_what_was_not_made_here_opens_nothing(text: str) -> None:
    with pytest.raises(NotFound, match=GONE):
        read(text, "archive")


def test_a_changed_one_opens_nothing(maria_actor: Actor, admin_actor: Actor) -> None:
    mine, other = (sign(actor, "archive", lasts=HOUR).text for actor in (maria_actor, admin_actor))
    for text in (other[:-43] + mine[-43:], mine[:-1] + ("A" if mine[-1] != "A" else "B"), mine.swapcase()):
        with pytest.raises(NotFound, match=GONE):
            read(text, "archive")


def test_it_expires(maria_actor: Actor, frozen_clock: FrozenClock) -> None:
    signed = sign(maria_actor, "archive", lasts=HOUR)
    frozen_clock.advance(minutes=59)
    assert read(signed.text, "archive").until == signed.expires_at
    frozen_clock.advance(minutes=1)
    with pytest.raises(NotFound, match=GONE):
        read(signed.text, "archive")


def test_it_expires_with_the_token_that_asked_for_it(
    maria: User, maria_actor: Actor, frozen_clock: FrozenClock
) -> None:
    token = make_token(maria)
    ends = frozen_clock.moment + timedelta(minutes=10)
    ApiToken.objects.update(expires_at=ends)
    by_token = actor_from_header(f"Bearer {token}", origin=Origin.REST)
    assert sign(by_token, "archive", lasts=HOUR).expires_at == ends


def test_it_ends_with_the_account(maria: User, maria_actor: Actor) -> None:
    text = sign(maria_actor, "archive", lasts=HOUR).text
    User.objects.update(is_active=False)
    with pytest.raises(NotFound, match=GONE):
        read(text, "archive")


def test_it_reaches_no_further_than_the_token_that_asked(admin_actor: Actor) -> None:
    held_back = replace(admin_actor, scope=Scope.READ, is_admin=False, is_held_back=True)
    as_reader = read(sign(held_back, "archive", lasts=HOUR).text, "archive")
    assert (as_reader.is_admin, as_reader.is_held_back) == (False, True)
    assert read(sign(admin_actor, "archive", lasts=HOUR).text, "archive").is_admin


def test_nobody_signs_nothing(stranger_actor: Actor, system_actor: Actor) -> None:
    for actor in (stranger_actor, system_actor):
        with pytest.raises(NotSignedIn):
            sign(actor, "archive", lasts=HOUR)


def test_logs_leave_it_out(maria_actor: Actor) -> None:
    text = sign(maria_actor, "archive", lasts=HOUR).text
    assert without_secrets(f"GET /models/churn/1/archive.zip?signature={text}").endswith("signature=podium_…")
