"""Mails: from a change in the registry to a mailbox, whatever dies on the way."""

import socket
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail as outgoing
from django.db import transaction
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.models import Activity, OutboxEntry
from registry_site.core.errors import NotFound, PermissionDenied
from registry_site.notifications import queries
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Mail, MailState
from registry_site.notifications.retries import MAX_ATTEMPTS
from registry_site.notifications.sending import LEASE, send_due_mails
from registry_site.promotion.deciding import approve, cancel, reject
from registry_site.promotion.models import TransitionRequest
from registry_site.promotion.services import request_transition
from registry_site.registry.stages import Stage
from registry_site.worker.tasks import send_mails
from tests.bad_servers import Silent
from tests.conftest import FrozenClock
from tests.live import free_port
from tests.mail_server import Mailboxes, mail_server
from tests.make import make_user, make_version

pytestmark = pytest.mark.django_db


def ask(actor: Actor, *, name: str = "churn", comment: str = "AUC is up by 2 points.") -> TransitionRequest:
    """A request for Production of a new version."""
    version = make_version(actor, name)
    return request_transition(actor, name=name, version=version.version, to_stage=Stage.PRODUCTION, comment=comment)


def relay() -> int:
    return outbox.relay(fan_out)


@pytest.fixture
def smtp(settings: Settings) -> Iterator[Mailboxes]:
    """A real SMTP server, which the settings name."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with mail_server() as mailboxes:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", mailboxes.port, 10
        yield mailboxes


# -- who gets what -----------------------------------------------------------------------------------------------------
def test_a_request_is_mailed_to_who_may_decide_and_its_approval_to_who_asked(
    maria_actor: Actor, jon_actor: Actor, eve: User
) -> None:
    ask(maria_actor)
    assert relay() >= 1
    [to_jon] = Mail.objects.all()
    assert to_jon.recipient.username == "jon"
    assert to_jon.subject == "Maria Lopez asks to move churn version 1 to Production"
    assert to_jon.text == (
        "Hello Jon Weber,\n\n"
        "Maria Lopez asks to move churn version 1 from None to Production.\n"
        "Whatever is in Production then is archived.\n\n"
        "Maria Lopez writes:\n\n"
        "AUC is up by 2 points.\n\n"
        "Look at it, and approve or reject it:\n"
        "http://127.0.0.1:5000/models/churn/requests/1\n\n"
        "You are told because you may decide this request. It is churn#1 on http://127.0.0.1:5000.\n"
        "What you are mailed: http://127.0.0.1:5000/settings/notifications\n"
    )
    approve(jon_actor, name="churn", number=1, comment="Well done.")
    relay()
    to_maria = Mail.objects.exclude(pk=to_jon.pk).get()
    assert to_maria.recipient.username == "maria"
    assert to_maria.subject == "Approved: churn version 1 to Production"
    assert "your request to move churn version 1 from None to Production was approved by Jon Weber." in to_maria.text
    assert "Well done." in to_maria.text


def test_a_rejection_is_mailed_with_its_reason(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    reject(jon_actor, name="churn", number=1, comment="The test set leaks.")
    relay()
    [to_maria] = Mail.objects.all()  # the request was decided before Jon could be told of it
    assert to_maria.recipient.username == "maria"
    assert to_maria.subject == "Rejected: churn version 1 to Production"
    assert "The test set leaks." in to_maria.text


def test_nobody_is_mailed_of_their_own_cancellation(maria_actor: Actor, jon: User) -> None:
    ask(maria_actor)
    cancel(maria_actor, name="churn", number=1)
    relay()
    assert not Mail.objects.exists()


def test_people_who_left_or_have_no_address_are_not_mailed(maria_actor: Actor, jon: User, admin: User) -> None:
    User.objects.filter(pk=jon.pk).update(is_active=False)
    User.objects.filter(pk=admin.pk).update(email="")
    ask(maria_actor)
    relay()
    assert not Mail.objects.exists()


def test_to_fan_out_twice_mails_once(maria_actor: Actor, jon: User) -> None:
    ask(maria_actor)
    activity = Activity.objects.get(kind="request.created")
    fan_out([activity])
    fan_out([activity])
    assert Mail.objects.count() == 1


def test_hostile_texts_stay_texts(maria_actor: Actor, jon: User) -> None:
    ask(maria_actor, name='<b>&"churn"', comment='<script>alert("1")</script>\nsecond line')
    relay()
    [to_jon] = Mail.objects.all()
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;<br>second line" in to_jon.html
    assert "<script" not in to_jon.html
    assert "<b>&" not in to_jon.html
    assert '<script>alert("1")</script>\nsecond line' in to_jon.text
    assert "/models/%3Cb%3E%26%22churn%22/requests/1" in to_jon.text


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_mails_nobody(maria_actor: Actor, jon: User) -> None:
    make_version(maria_actor)
    relay()

    @transaction.atomic
    def ask_and_fail() -> None:
        request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_and_fail()
    assert relay() == 0
    assert not Mail.objects.exists()
    assert not OutboxEntry.objects.exists()


# -- by SMTP -----------------------------------------------------------------------------------------------------------
def test_mails_go_out_by_smtp_in_the_thread_of_their_request(
    smtp: Mailboxes, maria_actor: Actor, jon_actor: Actor
) -> None:
    ask(maria_actor)
    relay()
    assert send_due_mails() == 1
    approve(jon_actor, name="churn", number=1)
    relay()
    assert send_due_mails() == 1
    asked, approved = smtp.received
    assert asked["To"] == "jon@example.org"
    assert asked["Subject"] == "Maria Lopez asks to move churn version 1 to Production"
    assert [part.get_content_type() for part in asked.iter_parts()] == ["text/plain", "text/html"]
    assert approved["To"] == "maria@example.org"
    assert asked["References"] == approved["References"] == approved["In-Reply-To"]
    assert asked["Message-ID"] != approved["Message-ID"]
    assert asked["Auto-Submitted"] == "auto-generated"
    assert set(Mail.objects.values_list("state", "attempts")) == {(MailState.SENT, 1)}
    assert send_due_mails() == 0


def test_a_mail_that_is_refused_is_tried_again_ever_later_and_then_given_up(
    smtp: Mailboxes, frozen_clock: FrozenClock, maria_actor: Actor, jon: User
) -> None:
    ask(maria_actor)
    relay()
    smtp.refusals = ["451 try later"] * MAX_ATTEMPTS
    assert send_due_mails() == 0
    mail = Mail.objects.get()
    assert mail.state == MailState.QUEUED
    assert mail.due_at == frozen_clock() + timedelta(seconds=30)
    assert "try later" in mail.error
    assert send_due_mails() == 0
    assert len(smtp.refusals) == MAX_ATTEMPTS - 1  # not before it is due
    for _ in range(MAX_ATTEMPTS - 1):
        frozen_clock.advance(hours=6)
        send_due_mails()
    assert not smtp.refusals
    mail.refresh_from_db()
    assert (mail.state, mail.attempts) == (MailState.FAILED, MAX_ATTEMPTS)
    frozen_clock.advance(days=9)
    assert send_due_mails() == 0
    assert smtp.received == []


def test_one_refused_mail_does_not_hold_up_the_others(
    smtp: Mailboxes, maria_actor: Actor, jon: User, admin: User
) -> None:
    ask(maria_actor)
    relay()
    smtp.refusals = ["550 no such user"]
    assert send_due_mails() == 1
    assert len(smtp.received) == 1


def test_without_a_mail_server_nothing_is_lost_and_one_try_is_enough_to_know(
    smtp: Mailboxes, settings: Settings, frozen_clock: FrozenClock, maria_actor: Actor, jon: User, admin: User
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    ask(maria_actor)
    relay()
    assert send_due_mails() == 0
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 1]
    settings.EMAIL_PORT = port
    frozen_clock.advance(minutes=1)
    assert send_due_mails() == 2


def test_a_mail_server_that_hangs_takes_one_thread_for_a_while_and_the_mail_is_tried_again(
    smtp: Mailboxes, settings: Settings, frozen_clock: FrozenClock, maria_actor: Actor, jon: User, admin: User
) -> None:
    ask(maria_actor)
    relay()
    with Silent() as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = int(silent.host.rpartition(":")[2]), 1
        started = time.monotonic()
        assert send_due_mails() == 0
        assert time.monotonic() - started < 10, "the timeout is one second; the machine may be slow"
    # One mail has waited for the server, and the other one not.
    assert sorted(Mail.objects.values_list("state", "attempts")) == [("queued", 0), ("queued", 1)]
    assert "timed out" in Mail.objects.get(attempts=1).error
    settings.EMAIL_PORT = smtp.port
    frozen_clock.advance(minutes=1)
    assert send_due_mails() == 2


def test_while_one_thread_sends_mails_the_others_have_time_for_something_else(
    monkeypatch: pytest.MonkeyPatch, maria_actor: Actor, jon: User
) -> None:
    ask(maria_actor)
    relay()
    came: list[int] = []
    monkeypatch.setattr(outgoing.EmailMultiAlternatives, "send", lambda mail: came.append(send_mails()))
    assert send_mails() == 1
    assert came == [0]


def test_a_mail_server_whose_name_nobody_knows_is_asked_for_again(
    smtp: Mailboxes, settings: Settings, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock, maria_actor: Actor,
    jon: User,
) -> None:  # fmt: skip
    ask(maria_actor)
    relay()

    def nobody_knows(*question: object, **options: object) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", nobody_knows)
        assert send_due_mails() == 0
    assert "Temporary failure in name resolution" in Mail.objects.get().error
    frozen_clock.advance(minutes=1)
    assert send_due_mails() == 1


def test_a_killed_worker_loses_no_mail(
    smtp: Mailboxes, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, maria_actor: Actor, jon: User
) -> None:
    """The worker dies after its claim and before the server has the mail."""
    ask(maria_actor)
    relay()
    with monkeypatch.context() as patch:

        def die(*arguments: object, **options: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(outgoing.EmailMultiAlternatives, "send", die)
        with pytest.raises(KeyboardInterrupt):
            send_due_mails()
    assert send_due_mails() == 0  # still claimed
    frozen_clock.advance(seconds=LEASE.total_seconds() + 1)
    assert send_due_mails() == 1
    [message] = smtp.received
    assert message["Message-ID"] == f"<mail.{Mail.objects.get().pk}@127.0.0.1>"


def test_a_killed_worker_loses_no_entry_of_the_outbox(frozen_clock: FrozenClock, maria_actor: Actor, jon: User) -> None:
    ask(maria_actor)

    def die(activities: Sequence[Activity]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.relay(die)
    waiting = OutboxEntry.objects.count()
    frozen_clock.advance(seconds=outbox.LEASE.total_seconds() + 1)
    assert relay() == waiting
    assert Mail.objects.count() == 1


def test_an_entry_that_cannot_be_told_of_holds_up_no_other(frozen_clock: FrozenClock, maria_actor: Actor) -> None:
    ask(maria_actor)
    waiting = OutboxEntry.objects.count()
    bad = OutboxEntry.objects.order_by("pk")[1].activity_id

    def stumble(activities: Sequence[Activity]) -> None:
        if any(activity.pk == bad for activity in activities):
            raise ValueError("this one")
        fan_out(activities)

    assert outbox.relay(stumble) == waiting - 1
    assert OutboxEntry.objects.get().activity_id == bad
    assert relay() == 0  # not yet again
    frozen_clock.advance(seconds=outbox.LEASE.total_seconds() + 1)
    assert relay() == 1


# -- into a folder -----------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(settings: Settings) -> Path:
    settings.EMAIL_BACKEND = "registry_site.notifications.mailbox.FolderBackend"
    return Path(settings.PODIUM_MAIL_FOLDER)


def test_without_smtp_mails_are_files_that_administrators_read(
    folder: Path,
    frozen_clock: FrozenClock,
    maria_actor: Actor,
    jon_actor: Actor,
    admin_actor: Actor,
    settings: Settings,
) -> None:
    assert queries.stored_mails(admin_actor) == []
    ask(maria_actor)
    relay()
    send_due_mails()
    frozen_clock.advance(minutes=1)
    approve(jon_actor, name="churn", number=1, comment="Gut gemacht, Zoë.")
    relay()
    send_due_mails()

    files = list(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}

    newest, *older = queries.stored_mails(admin_actor)
    assert newest.subject == "Approved: churn version 1 to Production"
    assert newest.to == "maria@example.org"
    assert newest.at == frozen_clock()
    assert {mail.to for mail in older} == {"jon@example.org", "admin@example.org"}
    assert queries.stored_mails(admin_actor, limit=1) == [newest]
    assert queries.stored_mails(admin_actor, before=newest.name) == older

    read = queries.stored_mail(admin_actor, newest.name)
    assert "Gut gemacht, Zoë." in read.text
    assert "Gut gemacht, Zoë." in read.html


@pytest.mark.parametrize("name", ["../secret_key", "1772452800000-0123abcd.eml", "", "a.eml"])
def test_other_files_are_no_mails(folder: Path, admin_actor: Actor, name: str) -> None:
    folder.mkdir(parents=True)
    (folder.parent / "secret_key").write_text("secret")
    with pytest.raises(NotFound):
        queries.stored_mail(admin_actor, name)


def test_mails_are_shown_to_administrators_alone(folder: Path, maria_actor: Actor) -> None:
    for read in (queries.mails, queries.stored_mails):
        with pytest.raises(PermissionDenied):
            read(maria_actor)
    with pytest.raises(PermissionDenied):
        queries.stored_mail(maria_actor, "1772452800000-0123abcd.eml")


def test_a_folder_that_cannot_be_written_fails_no_more_than_the_mail(
    folder: Path, maria_actor: Actor, jon: User
) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.touch()
    ask(maria_actor)
    relay()
    assert send_due_mails() == 0
    assert Mail.objects.get().error.startswith("FileExistsError")


def test_the_queries_of_mails_filter_by_state(admin_actor: Actor, maria_actor: Actor) -> None:
    make_user("ann")
    ask(maria_actor)
    relay()
    assert [mail.address for mail in queries.mails(admin_actor, state=MailState.QUEUED)] == ["admin@example.org"]
    assert not queries.mails(admin_actor, state=MailState.SENT)
