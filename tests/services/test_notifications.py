"""What people are told on the site and once a day, and what they choose."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.models import Activity
from registry_site.core.errors import NotFound
from registry_site.notifications.audience import Way, Why
from registry_site.notifications.digests import next_digest, write_due_digests
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Following, Mail, Notification
from registry_site.notifications.queries import (
    COUNTED_AT_MOST,
    Box,
    Mark,
    browse_notifications,
    count_unread,
    followed_models,
    get_notification,
    is_following,
    mail_choices,
)
from registry_site.notifications.services import (
    choose_mails,
    follow,
    forget_done_notifications,
    mark,
    unfollow,
    unsubscribe,
)
from registry_site.notifications.unsubscribing import unsubscribe_url
from registry_site.promotion.deciding import approve, cancel, reject
from registry_site.promotion.deleting import delete_model
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.make import grant, make_model, make_version

pytestmark = pytest.mark.django_db


def relay() -> None:
    while outbox.relay(fan_out):
        pass


def ask(actor: Actor, comment: str = "") -> None:
    version = make_version(actor, "churn")
    request_transition(actor, name="churn", version=version.version, to_stage=Stage.PRODUCTION, comment=comment)


def told(actor: Actor, box: Box = Box.INBOX) -> list[tuple[str, str]]:
    """What the actor was told, oldest first, and why."""
    rows = browse_notifications(actor, box=box).rows
    return [(row.activity.kind, row.why) for row in reversed(rows)]


# -- who is told -------------------------------------------------------------------------------------------------------
def test_a_request_is_told_to_who_may_decide_and_its_end_to_who_asked(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    relay()
    assert told(jon_actor) == [("request.created", "may decide")]
    assert told(maria_actor) == []
    approve(jon_actor, name="churn", number=1)
    relay()
    assert told(maria_actor) == [("request.approved", "asked")]
    assert told(jon_actor) == [("request.created", "may decide")]


def test_who_follows_a_model_hears_of_it_on_the_site_and_once_a_day(
    maria_actor: Actor, eve_actor: Actor, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    follow(eve_actor, name="churn")
    follow(eve_actor, name="churn")
    make_version(maria_actor, "churn")
    transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    relay()
    assert told(eve_actor) == [("version.created", "follows"), ("version.stage_changed", "follows")]
    assert not Mail.objects.exists()
    assert write_due_digests() == 0
    frozen_clock.advance(days=1)
    assert write_due_digests() == 1
    assert write_due_digests() == 0
    mail = Mail.objects.get()
    assert mail.recipient.username == "eve"
    assert mail.subject == "What happened to churn"
    assert "- maria registered version 1\n- maria moved version 1 from None to Staging\n" in mail.text
    unfollow(eve_actor, name="churn")
    make_version(maria_actor, "churn")
    relay()
    assert len(told(eve_actor)) == 2


def test_who_is_mentioned_is_told_at_once(maria_actor: Actor, eve: User, eve_actor: Actor, jon: User) -> None:
    ask(maria_actor, "Look at the recall, @eve and @nobody; `@jon` is code.")
    relay()
    assert told(eve_actor) == [("request.created", "mentioned")]
    mail = Mail.objects.get(recipient=eve)
    assert mail.subject == "churn#1: Maria Lopez asked in #1 to move version 1 from None to Production"
    assert "You are told because you are mentioned." in mail.text
    assert "Look at the recall" in mail.html


def test_nobody_is_told_what_they_may_not_read(
    maria_actor: Actor, eve: User, eve_actor: Actor, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_model(maria_actor, "churn")
    with pytest.raises(NotFound):
        follow(eve_actor, name="churn")
    Following.objects.create(user=eve, registered_model_id=Activity.objects.latest("pk").registered_model_id)
    ask(maria_actor, "@eve")
    relay()
    assert not Notification.objects.filter(recipient=eve).exists()
    assert not Mail.objects.filter(recipient=eve).exists()


def test_what_was_told_is_hidden_with_the_model(
    maria_actor: Actor, eve: User, eve_actor: Actor, settings: Settings, frozen_clock: FrozenClock
) -> None:
    make_model(maria_actor, "churn")
    follow(eve_actor, name="churn")
    make_version(maria_actor, "churn")
    relay()
    key = Notification.objects.get().pk
    assert count_unread(eve_actor) == 1
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    assert told(eve_actor) == []
    assert count_unread(eve_actor) == 0
    assert list(followed_models(eve_actor)) == []
    with pytest.raises(NotFound):
        get_notification(eve_actor, key)
    frozen_clock.advance(days=2)
    write_due_digests()
    assert not Mail.objects.exists()
    grant(eve, Level.CAN_READ)
    assert told(eve_actor) == [("version.created", "follows")]


def test_a_deleted_model_takes_what_was_told_of_it_along(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    relay()
    cancel(maria_actor, name="churn", number=1)
    delete_model(maria_actor, name="churn")
    relay()
    assert told(jon_actor) == []


def test_to_fan_out_twice_tells_once(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    activity = Activity.objects.get(kind="request.created")
    fan_out([activity])
    fan_out([activity])
    assert told(jon_actor) == [("request.created", "may decide")]


# -- read and done -----------------------------------------------------------------------------------------------------
@pytest.fixture
def three(maria_actor: Actor, eve_actor: Actor) -> list[int]:
    """The keys of three notifications of Eve's."""
    make_model(maria_actor, "churn")
    follow(eve_actor, name="churn")
    for _ in range(3):
        make_version(maria_actor, "churn")
    relay()
    return list(Notification.objects.order_by("pk").values_list("pk", flat=True))


def test_what_is_read_is_not_counted_and_what_is_done_leaves_the_inbox(three: list[int], eve_actor: Actor) -> None:
    assert count_unread(eve_actor) == 3
    assert mark(eve_actor, mark=Mark.READ, keys=three[:1]) == 1
    assert mark(eve_actor, mark=Mark.DONE, keys=three[1:2]) == 1
    assert count_unread(eve_actor) == 1
    assert [len(told(eve_actor, box)) for box in (Box.INBOX, Box.UNREAD, Box.DONE)] == [2, 1, 1]
    mark(eve_actor, mark=Mark.UNREAD, keys=three[:1])
    mark(eve_actor, mark=Mark.NOT_DONE, keys=three[1:2])
    assert count_unread(eve_actor) == 3
    assert mark(eve_actor, mark=Mark.READ) == 3
    assert mark(eve_actor, mark=Mark.DONE) == 3
    assert [len(told(eve_actor, box)) for box in (Box.INBOX, Box.UNREAD, Box.DONE)] == [0, 0, 3]


def test_nobody_marks_what_others_were_told(three: list[int], jon_actor: Actor, eve_actor: Actor) -> None:
    assert mark(jon_actor, mark=Mark.DONE, keys=three) == 0
    assert mark(jon_actor, mark=Mark.DONE) == 0
    assert count_unread(eve_actor) == 3
    with pytest.raises(NotFound):
        get_notification(jon_actor, three[0])


def test_the_count_stops_where_nobody_counts_any_more(three: list[int], eve: User, eve_actor: Actor) -> None:
    model = Notification.objects.first()
    assert model is not None
    Notification.objects.bulk_create(
        Notification(
            recipient=eve,
            activity_id=10_000 + number,
            registered_model_id=model.registered_model_id,
            why=Why.FOLLOWS.value,
            created_at=model.created_at,
        )
        for number in range(200)
    )
    assert count_unread(eve_actor) == COUNTED_AT_MOST + 1


def test_what_is_done_is_in_no_daily_mail(frozen_clock: FrozenClock, three: list[int], eve_actor: Actor) -> None:
    mark(eve_actor, mark=Mark.DONE, keys=three[:2])
    frozen_clock.advance(days=1)
    write_due_digests()
    assert Mail.objects.get().text.count("- maria registered") == 1


def test_what_is_long_done_is_forgotten(frozen_clock: FrozenClock, three: list[int], eve_actor: Actor) -> None:
    mark(eve_actor, mark=Mark.DONE, keys=three[:1])
    frozen_clock.advance(days=91)
    mark(eve_actor, mark=Mark.DONE, keys=three[1:2])
    assert forget_done_notifications(timedelta(days=90)) == 1
    assert list(Notification.objects.order_by("pk").values_list("pk", flat=True)) == three[1:]


# -- mails -------------------------------------------------------------------------------------------------------------
def test_people_choose_what_is_mailed(maria_actor: Actor, jon: User, jon_actor: Actor, eve_actor: Actor) -> None:
    assert mail_choices(jon_actor)[Why.MAY_DECIDE] is Way.AT_ONCE
    choose_mails(jon_actor, ways={Why.MAY_DECIDE: Way.NEVER, Why.FOLLOWS: Way.AT_ONCE})
    assert mail_choices(jon_actor)[Why.MAY_DECIDE] is Way.NEVER
    assert mail_choices(eve_actor)[Why.MAY_DECIDE] is Way.AT_ONCE
    ask(maria_actor)
    relay()
    follow(jon_actor, name="churn")
    make_version(maria_actor, "churn")
    relay()
    assert told(jon_actor) == [("request.created", "may decide"), ("version.created", "follows")]
    assert {mail.why for mail in Mail.objects.filter(recipient=jon)} == {"follows"}


def test_whoever_holds_a_mail_may_end_mails_of_its_kind(jon: User, jon_actor: Actor) -> None:
    token = unsubscribe_url(jon.pk, Why.MENTIONED).rpartition("/")[2]
    unsubscribe(token=token)
    unsubscribe(token=token)
    assert mail_choices(jon_actor) == {
        **dict.fromkeys(Why, Way.AT_ONCE),
        Why.FOLLOWS: Way.DAILY,
        Why.MENTIONED: Way.NEVER,
    }
    for wrong in ("", "x", token[:-1], token + "x"):
        with pytest.raises(NotFound):
            unsubscribe(token=wrong)


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        (datetime(2026, 11, 20, 7, 59, tzinfo=UTC), "UTC", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        (datetime(2026, 11, 20, 8, tzinfo=UTC), "UTC", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        (datetime(2026, 11, 20, 8, tzinfo=UTC), "America/New_York", datetime(2026, 11, 20, 13, tzinfo=UTC)),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), "Asia/Tokyo", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        # The clocks of Berlin go back in that night: a day of 25 hours.
        (datetime(2026, 10, 24, 7, tzinfo=UTC), "Europe/Berlin", datetime(2026, 10, 25, 7, tzinfo=UTC)),
    ],
)
def test_the_daily_mail_comes_at_eight_where_one_lives(now: datetime, zone: str, then: datetime) -> None:
    assert next_digest(now, zone) == then
    assert next_digest(now, zone) - now <= timedelta(hours=25)


# -- the list ----------------------------------------------------------------------------------------------------------
def test_the_list_takes_as_many_queries_for_fifty_as_for_three(
    three: list[int], maria_actor: Actor, eve_actor: Actor, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(60):
        make_version(maria_actor, "churn")
    relay()
    with django_assert_max_num_queries(2):
        page = browse_notifications(eve_actor)
        assert {row.registered_model.name for row in page.rows if row.registered_model} == {"churn"}
        assert len({row.activity.version for row in page.rows}) == 50
    rest = browse_notifications(eve_actor, page_token=page.next_page_token)
    assert len(rest.rows) == 13
    assert not rest.next_page_token


def test_following_is_of_ones_own(maria_actor: Actor, eve_actor: Actor, jon_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    follow(eve_actor, name="churn")
    assert is_following(eve_actor, "churn")
    assert not is_following(jon_actor, "churn")
    assert [model.name for model in followed_models(eve_actor)] == ["churn"]
    unfollow(jon_actor, name="churn")
    unfollow(jon_actor, name="nothing")
    assert is_following(eve_actor, "churn")


def test_a_rejection_is_told_with_what_was_written(maria_actor: Actor, jon_actor: Actor) -> None:
    ask(maria_actor)
    relay()
    reject(jon_actor, name="churn", number=1, comment="The test set leaks.")
    relay()
    [row] = browse_notifications(maria_actor).rows
    assert (row.activity.kind, row.activity.comment) == ("request.rejected", "The test set leaks.")
