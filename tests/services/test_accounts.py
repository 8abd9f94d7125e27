"""People: how they are let in, shut out, and put into groups; and that no secret is kept."""

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Group
from django.core import mail as outgoing
from django.test import Client
from pytest_django import Settings

from registry_site.accounts import administration, groups, links, queries, services
from registry_site.accounts.actors import Actor, person, stranger
from registry_site.accounts.authentication import actor_from_header
from registry_site.accounts.models import ApiToken, SignInLink, User
from registry_site.accounts.passwords import check_credentials
from registry_site.accounts.purposes import LinkPurpose
from registry_site.accounts.queries import PersonState
from registry_site.accounts.scopes import Scope
from registry_site.audit import outbox
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.core.errors import (
    AlreadyExists,
    Conflict,
    InvalidParameter,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    PodiumError,
    TooManyAttempts,
)
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.letters import LINK
from registry_site.notifications.models import Mail, MailState, PasswordWish
from registry_site.notifications.sending import PASSWORD_MAILS_AN_HOUR, send_due_mails
from registry_site.notifications.services import mail_password_link
from registry_site.registry.models import Grant
from tests.conftest import FrozenClock
from tests.make import PASSWORD, make_token, make_user

pytestmark = pytest.mark.django_db

NEW = "a goat ate my umbrella"
VISITOR = stranger(Origin.PAGE)
SECRET = re.compile(r"podium_[\w-]{43}")


def history() -> list[tuple[str, str, str]]:
    return list(Activity.objects.order_by("pk").values_list("actor_name", "kind", "subject"))


@pytest.fixture
def mailbox(settings: Settings) -> list[Any]:
    """The mails that were sent."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outgoing.outbox = []
    return outgoing.outbox


def deliver() -> None:
    """What the worker does every few seconds."""
    outbox.relay(fan_out)
    send_due_mails()


def secret_in(message: Any, page: str) -> str:
    """The secret of the link in a mail, which leads to this page."""
    found = re.search(rf"http://127\.0\.0\.1:5000/{page}/({SECRET.pattern})", message.body)
    assert found, message.body
    assert f"/{page}/{found[1]}" in message.alternatives[0][0]
    return found[1]


# -- invitations -------------------------------------------------------------------------------------------------------
class TestInvitation:
    @pytest.fixture
    def secret(self, admin_actor: Actor) -> str:
        groups.create_group(admin_actor, name="risk")
        return links.invite(admin_actor, username="kim", email="kim@example.org", groups=("risk",))[1]

    def test_who_is_invited_comes_in_with_a_name_and_a_password(self, secret: str) -> None:
        kim = links.accept_invitation(VISITOR, secret=secret, display_name="Kim Lee", password=NEW)
        assert (kim.display_name, kim.is_superuser, kim.email_confirmed) == ("Kim Lee", False, True)
        assert [group.name for group in kim.groups.all()] == ["risk"]
        assert check_credentials("kim", NEW, remote_address="") == kim
        assert history() == [
            ("admin", "group.created", "group risk"),
            ("admin", "user.invited", "user kim"),
            ("kim", "user.updated", "user kim"),
            ("kim", "password.changed", "user kim"),
            ("kim", "user.signed_in", "user kim"),
        ]

    def test_the_link_works_once_and_for_a_week(self, secret: str, frozen_clock: FrozenClock) -> None:
        links.accept_invitation(VISITOR, secret=secret, display_name="Kim", password=NEW)
        with pytest.raises(NotFound, match=r"^This invitation was used already or has expired\. Ask an administrator"):
            links.accept_invitation(VISITOR, secret=secret, display_name="Eve", password="another long secret")

    def test_it_expires(self, admin_actor: Actor, frozen_clock: FrozenClock) -> None:
        _, secret = links.invite(admin_actor, username="kim", email="kim@example.org")
        frozen_clock.advance(days=7)
        with pytest.raises(NotFound, match="has expired"):
            links.person_of_link(VISITOR, secret=secret, purpose=LinkPurpose.INVITATION)

    def test_a_weak_password_leaves_the_link_as_it_was(self, secret: str) -> None:
        for weak in ("short", "kim@example.org", "podium_is_a_long_one"):
            with pytest.raises(InvalidParameter):
                links.accept_invitation(VISITOR, secret=secret, display_name="Kim", password=weak)
        assert links.accept_invitation(VISITOR, secret=secret, display_name="Kim", password=NEW)

    def test_it_is_mailed_with_a_link_of_its_own_and_either_of_them_ends_both(
        self, secret: str, mailbox: list[Any]
    ) -> None:
        deliver()
        [message] = mailbox
        assert (message.to, message.subject) == (["kim@example.org"], "Ada Min invites you to Podium")
        mailed = secret_in(message, "invitation")
        assert mailed != secret
        links.accept_invitation(VISITOR, secret=mailed, display_name="Kim", password=NEW)
        with pytest.raises(NotFound):
            links.accept_invitation(VISITOR, secret=secret, display_name="Kim", password=NEW)

    def test_to_be_told_twice_mails_once(self, secret: str, mailbox: list[Any]) -> None:
        fan_out(Activity.objects.all())
        deliver()
        assert len(mailbox) == 1

    def test_the_mail_is_not_sent_when_it_has_become_pointless(self, secret: str, mailbox: list[Any]) -> None:
        links.accept_invitation(VISITOR, secret=secret, display_name="Kim", password=NEW)
        deliver()
        assert mailbox == []
        assert Mail.objects.get().state == MailState.FAILED

    def test_an_invitation_can_be_repeated_until_it_is_accepted(
        self, secret: str, admin_actor: Actor, mailbox: list[Any]
    ) -> None:
        again = links.invite_again(admin_actor, username="kim")
        deliver()
        assert len(mailbox) == 2
        links.accept_invitation(VISITOR, secret=again, display_name="Kim", password=NEW)
        with pytest.raises(Conflict, match="has no invitation to accept"):
            links.invite_again(admin_actor, username="kim")

    @pytest.mark.parametrize(
        ("wanted", "error"),
        [
            ({"username": "maria"}, AlreadyExists),
            ({"username": "a b"}, InvalidParameter),
            ({"email": ""}, InvalidParameter),
            ({"email": "nowhere"}, InvalidParameter),
            ({"email": f"{'x' * 250}@example.org"}, InvalidParameter),
            ({"groups": ("nothing",)}, NotFound),
        ],
    )
    def test_an_odd_invitation_leaves_nothing(
        self, wanted: dict[str, Any], error: type[PodiumError], admin_actor: Actor, maria: User
    ) -> None:
        with pytest.raises(error):
            links.invite(admin_actor, **({"username": "kim", "email": "kim@example.org"} | wanted))
        assert User.objects.count() == 2
        assert SignInLink.objects.count() == 0
        assert history() == []


# -- forgotten passwords -----------------------------------------------------------------------------------------------
class TestForgottenPassword:
    def ask(self, asked: str = "maria", remote_address: str = "10.0.0.1") -> None:
        mail_password_link(VISITOR, asked=asked, remote_address=remote_address)

    @pytest.mark.parametrize("asked", ["maria", "maria@example.org", "Maria@Example.org"])
    def test_a_mail_has_a_link_that_sets_another_password_once(
        self, asked: str, maria: User, mailbox: list[Any]
    ) -> None:
        self.ask(asked)
        deliver()
        [message] = mailbox
        assert message.to == ["maria@example.org"]
        secret = secret_in(message, "new-password")
        links.reset_password(VISITOR, secret=secret, password=NEW)
        assert check_credentials("maria", NEW, remote_address="") == maria
        assert check_credentials("maria", PASSWORD, remote_address="") is None
        with pytest.raises(NotFound, match=r"^This password link was used already or has expired\."):
            links.reset_password(VISITOR, secret=secret, password="another long secret")

    def test_sessions_end_with_it_and_tokens_stay(self, maria: User, admin_actor: Actor) -> None:
        browser = Client()
        browser.force_login(maria)
        token = make_token(maria)
        links.reset_password(VISITOR, secret=links.make_password_link(admin_actor, username="maria"), password=NEW)
        assert browser.get("/settings/profile").status_code == 302
        assert actor_from_header(f"Bearer {token}", origin=Origin.REST).name == "maria"

    def test_the_link_lasts_an_hour_from_when_the_mail_is_sent(
        self, maria: User, mailbox: list[Any], frozen_clock: FrozenClock
    ) -> None:
        self.ask()
        frozen_clock.advance(hours=5)
        deliver()
        secret = secret_in(mailbox[0], "new-password")
        frozen_clock.advance(minutes=59)
        assert links.person_of_link(VISITOR, secret=secret, purpose=LinkPurpose.PASSWORD) == maria
        frozen_clock.advance(minutes=1)
        with pytest.raises(NotFound, match="has expired"):
            links.reset_password(VISITOR, secret=secret, password=NEW)

    def test_a_newer_link_ends_with_the_one_that_is_used(self, maria: User, mailbox: list[Any]) -> None:
        self.ask()
        deliver()
        self.ask()
        deliver()
        first, second = (secret_in(message, "new-password") for message in mailbox)
        links.reset_password(VISITOR, secret=first, password=NEW)
        with pytest.raises(NotFound):
            links.reset_password(VISITOR, secret=second, password=NEW)

    def test_a_link_ends_with_another_password_and_with_another_address(
        self, maria: User, maria_actor: Actor, admin_actor: Actor
    ) -> None:
        first = links.make_password_link(admin_actor, username="maria")
        services.change_password(maria_actor, current=PASSWORD, new=NEW)
        second = links.make_password_link(admin_actor, username="maria")
        services.update_profile(maria_actor, display_name="", email="m@example.org", time_zone="UTC")
        for secret in (first, second):
            with pytest.raises(NotFound):
                links.person_of_link(VISITOR, secret=secret, purpose=LinkPurpose.PASSWORD)

    def test_a_mail_that_waits_does_not_go_to_an_address_of_before(
        self, maria: User, maria_actor: Actor, mailbox: list[Any], settings: Settings, frozen_clock: FrozenClock
    ) -> None:
        self.ask()
        settings.EMAIL_BACKEND = "no.such.backend"
        deliver()
        services.update_profile(maria_actor, display_name="", email="m@example.org", time_zone="UTC")
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        frozen_clock.advance(hours=1)
        deliver()
        assert mailbox == []
        assert Mail.objects.get().state == MailState.FAILED

    def test_an_invitation_stays_when_its_address_is_corrected(self, admin_actor: Actor, mailbox: list[Any]) -> None:
        links.invite(admin_actor, username="kim", email="kin@example.org")
        administration.update_user(admin_actor, username="kim", display_name="", email="kim@example.org")
        links.invite_again(admin_actor, username="kim")
        deliver()
        assert [message.to for message in mailbox] == [["kim@example.org"]] * 2

    def test_a_link_for_one_thing_does_nothing_else(self, maria: User, admin_actor: Actor) -> None:
        secret = links.make_password_link(admin_actor, username="maria")
        for use in (
            lambda: links.redeem_sign_in_link(VISITOR, secret=secret),
            lambda: links.accept_invitation(VISITOR, secret=secret, display_name="Eve", password=NEW),
        ):
            with pytest.raises(NotFound):
                use()

    def test_for_a_stranger_the_same_is_done_as_for_anybody(
        self, maria: User, mailbox: list[Any], django_assert_num_queries: Any
    ) -> None:
        for asked in ("maria", "nobody", "nobody@example.org"):
            with django_assert_num_queries(1):
                self.ask(asked)
        assert PasswordWish.objects.count() == 3
        deliver()
        assert len(mailbox) == 1
        assert PasswordWish.objects.count() == 0

    def test_nobody_is_mailed_who_is_shut_out_has_no_address_or_comes_in_by_single_sign_on(
        self, mailbox: list[Any]
    ) -> None:
        User.objects.filter(pk=make_user("gone").pk).update(is_active=False)
        User.objects.filter(pk=make_user("mute").pk).update(email="")
        make_user("sam").identities.create(issuer="https://id.example.org", subject="1")
        for asked in ("gone", "mute", "sam", "sam@example.org"):
            self.ask(asked)
        deliver()
        assert mailbox == []

    def test_whoever_asks_again_and_again_has_to_wait(self, maria: User) -> None:
        for _ in range(10):
            self.ask("nobody")
        with pytest.raises(TooManyAttempts):
            self.ask("maria")
        self.ask("maria", remote_address="10.0.0.2")

    def test_nobody_is_flooded_with_mails(self, maria: User, mailbox: list[Any], frozen_clock: FrozenClock) -> None:
        for number in range(PASSWORD_MAILS_AN_HOUR + 2):
            self.ask(remote_address=f"10.0.0.{number}")
        deliver()
        assert len(mailbox) == PASSWORD_MAILS_AN_HOUR
        frozen_clock.advance(minutes=61)
        self.ask()
        deliver()
        assert len(mailbox) == PASSWORD_MAILS_AN_HOUR + 1

    def test_the_link_leads_to_the_configured_site(self, maria: User, mailbox: list[Any], settings: Settings) -> None:
        settings.PODIUM_SITE_URL = "https://podium.example.org"
        self.ask()
        deliver()
        assert "https://podium.example.org/new-password/podium_" in mailbox[0].body


# -- shutting out and letting in ---------------------------------------------------------------------------------------
class TestDeactivation:
    def test_everything_of_theirs_ends_at_once(self, admin_actor: Actor, maria: User) -> None:
        browser = Client()
        browser.force_login(maria)
        token = make_token(maria)
        secret = links.make_password_link(admin_actor, username="maria")
        administration.deactivate(admin_actor, username="maria")
        assert browser.get("/settings/profile").status_code == 302
        with pytest.raises(NotSignedIn):
            actor_from_header(f"Bearer {token}", origin=Origin.REST)
        assert check_credentials("maria", PASSWORD, remote_address="") is None
        with pytest.raises(NotFound):
            links.reset_password(VISITOR, secret=secret, password=NEW)
        with pytest.raises(NotFound):
            links.make_password_link(admin_actor, username="maria")
        assert history()[-1] == ("admin", "user.deactivated", "user maria")

    def test_who_is_let_in_again_has_the_old_password_and_no_old_session_or_token(
        self, admin_actor: Actor, maria: User
    ) -> None:
        browser = Client()
        browser.force_login(maria)
        token = make_token(maria)
        administration.deactivate(admin_actor, username="maria")
        administration.reactivate(admin_actor, username="maria")
        administration.reactivate(admin_actor, username="maria")
        assert browser.get("/settings/profile").status_code == 302
        with pytest.raises(NotSignedIn):
            actor_from_header(f"Bearer {token}", origin=Origin.REST)
        assert check_credentials("maria", PASSWORD, remote_address="") == maria
        assert [kind for _, kind, _ in history()] == ["user.deactivated", "user.reactivated"]
        browser.force_login(User.objects.get(pk=maria.pk))
        assert browser.get("/settings/profile").status_code == 200

    def test_grants_and_what_they_made_stay(self, admin_actor: Actor, jon: User) -> None:
        administration.deactivate(admin_actor, username="jon")
        assert Grant.objects.filter(user=jon).count() == 1

    def test_nobody_shuts_themselves_out_and_the_last_administrator_stays(
        self, admin_actor: Actor, system_actor: Actor
    ) -> None:
        with pytest.raises(InvalidParameter, match="You cannot deactivate yourself"):
            administration.deactivate(admin_actor, username="admin")
        with pytest.raises(Conflict, match="is the only administrator"):
            administration.deactivate(system_actor, username="admin")
        assert User.objects.get().is_active

    def test_it_is_for_administrators(self, maria_actor: Actor, jon: User) -> None:
        for service in (administration.deactivate, administration.reactivate):
            with pytest.raises(PermissionDenied):
                service(maria_actor, username="jon")
            with pytest.raises(NotSignedIn):
                service(VISITOR, username="jon")


# -- changing people ---------------------------------------------------------------------------------------------------
def test_history_names_what_was_changed_and_not_the_values(admin_actor: Actor, maria: User) -> None:
    administration.update_user(admin_actor, username="maria", display_name="Maria L.", email="m@example.org")
    administration.update_user(admin_actor, username="maria", display_name="Maria L.", email="m@example.org")
    [activity] = Activity.objects.all()
    assert (activity.kind, activity.data) == (Kind.USER_UPDATED, {"changed": ["display_name", "email"]})


def test_an_address_is_confirmed_when_an_administrator_gives_it_and_not_when_one_says_it_oneself(
    admin_actor: Actor, maria: User, maria_actor: Actor
) -> None:
    administration.update_user(admin_actor, username="maria", display_name="", email="m@example.org")
    assert User.objects.get(pk=maria.pk).email_confirmed
    services.update_profile(maria_actor, display_name="", email="jon@example.org", time_zone="UTC")
    assert not User.objects.get(pk=maria.pk).email_confirmed


def test_a_password_that_looks_like_a_token_is_refused(maria_actor: Actor) -> None:
    with pytest.raises(InvalidParameter, match=r"^A password does not begin with podium_"):
        services.change_password(maria_actor, current=PASSWORD, new="podium_is_a_long_password")


# -- groups ------------------------------------------------------------------------------------------------------------
class TestGroups:
    @pytest.fixture(autouse=True)
    def _groups(self, system_actor: Actor, maria: User, jon: User) -> None:
        for name in ("risk", "fraud"):
            groups.create_group(system_actor, name=name)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        rows = Activity.objects.filter(kind=Kind.GROUP_MEMBERS_SET).order_by("pk")
        return [(row.subject, row.data) for row in rows]

    def test_people_join_and_leave(self, admin_actor: Actor, maria: User) -> None:
        groups.set_members(admin_actor, name="risk", usernames=["maria", "jon"])
        groups.leave(admin_actor, name="risk", username="jon")
        groups.join(admin_actor, name="risk", username="maria")
        groups.set_groups(admin_actor, username="maria", groups=["fraud"])
        assert [group.name for group in maria.groups.all()] == ["fraud"]
        assert self.told() == [
            ("group risk", {"joined": ["jon", "maria"], "left": []}),
            ("group risk", {"joined": [], "left": ["jon"]}),
            ("group fraud", {"joined": ["maria"], "left": []}),
            ("group risk", {"joined": [], "left": ["maria"]}),
        ]

    def test_a_group_that_is_deleted_takes_its_grants_along_and_history_says_who_was_in_it(
        self, admin_actor: Actor, maria: User
    ) -> None:
        groups.join(admin_actor, name="risk", username="maria")
        Grant.objects.create(group=Group.objects.get(name="risk"), level=3)
        groups.delete_group(admin_actor, name="risk")
        assert not Grant.objects.filter(group__isnull=False).exists()
        last = Activity.objects.latest("pk")
        assert (last.kind, last.subject, last.data) == (Kind.GROUP_DELETED, "group risk", {"members": ["maria"]})
        assert User.objects.filter(pk=maria.pk).exists()

    @pytest.mark.parametrize("name", ["", " ", "\t", "a\nb", "x" * 151, "a\0b"])
    def test_odd_names_are_refused(self, name: str, admin_actor: Actor) -> None:
        with pytest.raises(InvalidParameter):
            groups.create_group(admin_actor, name=name)

    def test_names_are_unique_and_may_hold_anything_else(self, admin_actor: Actor) -> None:
        assert groups.create_group(admin_actor, name=" /teams/Größe 1 ").name == "/teams/Größe 1"
        with pytest.raises(AlreadyExists, match=r"^Group 'risk' already exists\.$"):
            groups.create_group(admin_actor, name="risk")

    def test_unknown_people_and_groups_are_named(self, admin_actor: Actor) -> None:
        with pytest.raises(NotFound, match=r"^User 'nobody' does not exist\.$"):
            groups.set_members(admin_actor, name="risk", usernames=["maria", "nobody"])
        with pytest.raises(NotFound, match=r"^Group 'nothing' does not exist\.$"):
            groups.join(admin_actor, name="nothing", username="maria")
        assert self.told() == []

    def test_they_are_for_administrators(self, maria_actor: Actor) -> None:
        for deed in (
            lambda: groups.create_group(maria_actor, name="mine"),
            lambda: groups.delete_group(maria_actor, name="risk"),
            lambda: groups.set_members(maria_actor, name="risk", usernames=["maria"]),
            lambda: groups.join(maria_actor, name="risk", username="maria"),
            lambda: groups.leave(maria_actor, name="risk", username="maria"),
            lambda: groups.set_groups(maria_actor, username="maria", groups=["risk"]),
        ):
            with pytest.raises(PermissionDenied):
                deed()


# -- finding people ----------------------------------------------------------------------------------------------------
def test_people_are_found_by_words_and_state(admin_actor: Actor, maria: User, jon: User, eve: User) -> None:
    links.invite(admin_actor, username="kim", email="kim@example.org")
    administration.deactivate(admin_actor, username="eve")

    def found(**wanted: Any) -> list[str]:
        return [user.username for user in queries.browse_people(admin_actor, **wanted).rows]

    assert found() == ["admin", "eve", "jon", "kim", "maria"]
    assert found(words="lopez") == found(words="mar EXAMPLE") == ["maria"]
    assert found(state=PersonState.INVITED) == ["kim"]
    assert found(state=PersonState.DEACTIVATED) == ["eve"]
    assert found(state=PersonState.ACTIVE) == ["admin", "jon", "maria"]
    assert queries.count_people(admin_actor) == {"active": 3, "invited": 1, "deactivated": 1}


def test_many_people_come_in_pages(admin_actor: Actor, django_assert_num_queries: Any) -> None:
    User.objects.bulk_create(User(username=f"zz{number:03d}") for number in range(120))
    seen, token = [], ""
    while True:
        with django_assert_num_queries(2):
            page = queries.browse_people(admin_actor, words="zz", page_token=token)
        seen += [user.username for user in page.rows]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"zz{number:03d}" for number in range(120)]


# -- signing in --------------------------------------------------------------------------------------------------------
class Counting(MD5PasswordHasher):
    """A hasher that counts how often it has been at work."""

    algorithm = "counting"
    rounds = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).rounds += 1
        return super().encode(password, salt)


def test_a_password_takes_as_long_to_be_refused_for_nobody_as_for_anybody(maria: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.services.test_accounts.Counting"]
    maria.set_password(PASSWORD)
    maria.save()
    locked = make_user("locked")
    locked.set_unusable_password()
    locked.save()
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    costs = {}
    for name in ("maria", "nobody", "locked", "gone"):
        Counting.rounds = 0
        assert check_credentials(name, "wrong", remote_address="") is None
        costs[name] = Counting.rounds
    assert set(costs.values()) == {1}


# -- tokens ------------------------------------------------------------------------------------------------------------
def test_a_token_is_for_writing_unless_it_says_otherwise(maria_actor: Actor, admin_actor: Actor) -> None:
    services.create_token(maria_actor, username="maria")
    assert ApiToken.objects.get().scope == Scope.WRITE
    with pytest.raises(InvalidParameter, match=r"^The scope 'admin' is for administrators, and maria is none"):
        services.create_token(admin_actor, username="maria", scope=Scope.ADMIN)
    assert services.create_token(admin_actor, username="admin", scope=Scope.ADMIN)
    assert Activity.objects.latest("pk").data["scope"] == "admin"


def test_an_upgrade_keeps_what_tokens_could_do(maria: User, admin: User) -> None:
    for user in (maria, admin):
        make_token(user, Scope.WRITE)
    migration = import_module("registry_site.accounts.migrations.0002_people_and_scopes")
    migration.keep_what_tokens_could_do(apps, None)
    assert dict(ApiToken.objects.values_list("user__username", "scope")) == {"maria": Scope.WRITE, "admin": Scope.ADMIN}


# -- no secret is kept -------------------------------------------------------------------------------------------------
def test_a_mailed_link_stands_in_the_mail_alone(
    admin_actor: Actor, maria: User, mailbox: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    links.invite(admin_actor, username="kim", email="kim@example.org")
    mail_password_link(VISITOR, asked="maria", remote_address="")
    outbox.relay(fan_out)
    send_due_mails()
    assert len(mailbox) == 2
    assert all(SECRET.search(message.body) for message in mailbox)
    stored = [f"{mail.subject}{mail.text}{mail.html}{mail.error}" for mail in Mail.objects.all()]
    assert all(LINK in text and not SECRET.search(text) for text in stored)
    assert not SECRET.search(caplog.text)


def test_actors_of_people_who_sign_in_have_no_scope(maria: User) -> None:
    assert person(maria, Origin.PAGE).scope is None


def test_a_session_from_before_an_upgrade_still_counts(maria: User) -> None:
    """What a session holds is what Django's own would, until sessions are ended for the first time."""
    browser = Client()
    browser.force_login(maria)
    session = browser.session
    assert re.fullmatch(r"[0-9a-f]{64}", session["_auth_user_hash"])


def test_a_link_that_is_sent_again_after_a_failure_is_another_one(
    maria: User, mailbox: list[Any], frozen_clock: FrozenClock, settings: Settings
) -> None:
    mail_password_link(VISITOR, asked="maria", remote_address="")
    settings.EMAIL_BACKEND = "no.such.backend"
    deliver()
    assert Mail.objects.get().state == MailState.QUEUED
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    frozen_clock.advance(hours=1)
    deliver()
    assert links.reset_password(VISITOR, secret=secret_in(mailbox[0], "new-password"), password=NEW) == maria
