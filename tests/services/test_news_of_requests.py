"""What people hear of a request while it waits and when it ends by itself: on the site, and by mail in its thread."""

import pytest

from registry_site.accounts.actors import Actor, person
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.audit.kinds import Origin
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Mail, Notification
from registry_site.promotion import upkeep
from registry_site.promotion.checks import post_check
from registry_site.promotion.comments import create_comment, update_comment
from registry_site.promotion.deciding import dismiss_review, review
from registry_site.promotion.gates import CheckState, Gate, GateType
from registry_site.promotion.rules import Policy, Verdict
from registry_site.promotion.services import request_transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import RegisteredModel
from registry_site.registry.services import set_version_tag
from registry_site.registry.stages import Stage
from tests.conftest import FrozenClock
from tests.make import make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim_actor(db: None) -> Actor:
    """Another reviewer."""
    return person(make_user("kim", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS), Origin.REST)


@pytest.fixture(autouse=True)
def asked(frozen_clock: FrozenClock, maria_actor: Actor, jon: User, admin_actor: Actor) -> None:
    """Maria asks for Production, which takes two approvals and a check; whoever may decide has heard of it."""
    gates = (Gate(GateType.CHECK, "ci/test"),)
    policy = Policy(protected=True, required_approvals=2, expires_after_days=7, gates=gates)
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=policy)
    make_version(maria_actor, "churn")
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    relay()
    Notification.objects.all().delete()
    Mail.objects.all().delete()


def relay() -> None:
    while outbox.relay(fan_out):
        pass


def give(actor: Actor, verdict: Verdict = Verdict.APPROVE, comment: str = "") -> None:
    review(actor, name="churn", number=1, verdict=verdict, comment=comment)


def told(kind: str) -> dict[str, str]:
    """Who was told of activities of this kind, and why; but for the administrator, who may decide everything."""
    relay()
    rows = Notification.objects.filter(activity__kind=kind).exclude(recipient__username="admin")
    return dict(rows.values_list("recipient__username", "why"))


def mail_to(name: str, subject: str) -> Mail:
    """The mail to that person with that subject, which is in the thread of the request and leads to it."""
    mail = Mail.objects.get(recipient__username=name, subject=subject)
    assert mail.thread == f"request.{RegisteredModel.objects.get().pk}.1"
    assert "http://127.0.0.1:5000/models/churn/requests/1\n" in mail.text
    assert 'href="http://127.0.0.1:5000/models/churn/requests/1"' in mail.html
    return mail


def remind_the_next_day(frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(days=1)
    assert upkeep.remind_due() == 1
    relay()


# -- reminders and expiry ----------------------------------------------------------------------------------------------
def test_whoever_may_decide_is_reminded_every_day(frozen_clock: FrozenClock, kim_actor: Actor) -> None:
    remind_the_next_day(frozen_clock)
    assert told("request.reminded") == {"jon": "waits", "kim": "waits"}
    mail = mail_to("jon", "Still waits for you: churn version 1 to Production")
    assert mail.text == (
        "Hello Jon Weber,\n\n"
        "the request of Maria Lopez to move churn version 1 from None to Production has waited for a day.\n"
        "It waits for your review:\n"
        "http://127.0.0.1:5000/models/churn/requests/1\n\n"
        "It expires on 9 March 2026.\n\n"
        "You are told because this request waits for your review. It is churn#1 on http://127.0.0.1:5000.\n"
        "What you are mailed: http://127.0.0.1:5000/settings/notifications\n"
    )
    remind_the_next_day(frozen_clock)
    second = Mail.objects.filter(recipient__username="jon").latest("pk")
    assert "has waited for 2 days." in second.text


def test_until_they_have_decided_and_then_it_is_up_to_who_asked(
    frozen_clock: FrozenClock, jon_actor: Actor, kim_actor: Actor
) -> None:
    give(jon_actor)
    remind_the_next_day(frozen_clock)
    assert told("request.reminded") == {"kim": "waits"}
    give(kim_actor)  # and now the check alone is missing
    remind_the_next_day(frozen_clock)
    assert told("request.reminded") == {"kim": "waits", "maria": "asked"}
    mail = mail_to("maria", "It is up to you: churn version 1 to Production")
    assert "your request to move churn version 1 from None to Production has waited for 2 days." in mail.text
    assert "It waits for what was asked of you, or for gates that do not pass yet:" in mail.text


def test_a_wish_for_changes_is_a_verdict_until_there_is_something_new(
    frozen_clock: FrozenClock, maria_actor: Actor, jon_actor: Actor
) -> None:
    give(jon_actor, Verdict.REQUEST_CHANGES, "Name the data set.")
    remind_the_next_day(frozen_clock)
    assert told("request.reminded") == {"maria": "asked"}
    set_version_tag(maria_actor, name="churn", version=1, key="data", value="spring")
    remind_the_next_day(frozen_clock)
    assert told("request.reminded") == {"maria": "asked", "jon": "waits"}


def test_a_request_that_expires_is_told_to_who_asked_with_the_way_to_ask_anew(frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(days=7)
    assert upkeep.expire_due() == 1
    assert told("request.expired") == {"maria": "asked"}
    mail = mail_to("maria", "Expired: churn version 1 to Production")
    assert "has expired: nobody decided it within 7 days.\nNothing was moved." in mail.text
    assert "http://127.0.0.1:5000/models/churn/requests/new?version=1&to=Production" in mail.text
    assert "writes:" not in mail.html


# -- reviews that no longer count --------------------------------------------------------------------------------------
def test_whose_approval_goes_stale_is_told_what_has_changed(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, admin_actor: Actor
) -> None:
    give(jon_actor)
    give(kim_actor, Verdict.COMMENT, "Which data?")
    relay()
    set_version_tag(admin_actor, name="churn", version=1, key="data", value="spring")
    assert told("request.evidence_changed") == {"maria": "asked", "jon": "took part"}
    mail = mail_to("jon", "Your approval no longer counts: churn version 1 to Production")
    assert "\n- tag data" in mail.text
    assert "<li>tag data" in mail.html
    assert "Look at it again, and approve or reject it:" in mail.text
    mail = mail_to("maria", "Approvals no longer count: churn version 1 to Production")
    assert "These approvals of your request no longer count: jon." in mail.text
    set_version_tag(admin_actor, name="churn", version=1, key="data", value="summer")
    relay()
    assert Notification.objects.filter(activity__kind="request.evidence_changed").count() == 2  # nothing left to lose


def test_whose_review_is_dismissed_is_told_why(jon_actor: Actor, admin_actor: Actor) -> None:
    give(jon_actor, Verdict.REQUEST_CHANGES, "Name the data set.")
    dismiss_review(admin_actor, name="churn", number=1, reviewer="jon", reason="It stands in the card.")
    assert told("review.dismissed") == {"jon": "took part"}
    mail = mail_to("jon", "Ada Min dismissed your review: churn version 1 to Production")
    assert "Ada Min writes:\n\nIt stands in the card.\n" in mail.text
    assert "It stands in the card." in mail.html


def test_nobody_is_told_that_they_dismissed_their_own_review(jon_actor: Actor) -> None:
    give(jon_actor)
    dismiss_review(jon_actor, name="churn", number=1, reviewer="jon")
    assert told("review.dismissed") == {}


# -- checks ------------------------------------------------------------------------------------------------------------
def test_who_asked_is_told_of_a_check_that_fails(maria_actor: Actor, jon_actor: Actor, admin_actor: Actor) -> None:
    def post(state: CheckState, run: str, summary: str = "", link: str = "") -> None:
        post_check(
            admin_actor,
            name="churn",
            version=1,
            check="ci/test",
            state=state,
            external_id=run,
            summary=summary,
            link=link,
        )

    post(CheckState.PENDING, "1")
    post(CheckState.FAILED, "1", "3 of 80 tests failed.", "https://ci.example/1")
    post(CheckState.PASSED, "2")
    assert told("check.posted") == {"maria": "asked"}
    assert Notification.objects.count() == 1
    mail = mail_to("maria", "ci/test failed: churn version 1 to Production")
    assert (
        "the check ci/test of churn version 1 failed, while your request to move it to Production waits." in mail.text
    )
    assert "\n3 of 80 tests failed.\n\nWhat it says: https://ci.example/1\n" in mail.text
    assert '<a href="https://ci.example/1">' in mail.html


def test_a_check_of_a_version_that_nobody_asks_for_is_told_to_nobody(maria_actor: Actor, admin_actor: Actor) -> None:
    make_version(maria_actor, "churn")
    post_check(admin_actor, name="churn", version=2, check="ci/test", state=CheckState.FAILED)
    assert told("check.posted") == {}


def test_who_asked_for_two_stages_is_told_once(maria_actor: Actor, admin_actor: Actor) -> None:
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    post_check(admin_actor, name="churn", version=1, check="ci/test", state=CheckState.FAILED)
    assert told("check.posted") == {"maria": "asked"}
    assert Mail.objects.filter(subject__startswith="ci/test failed").count() == 1


# -- comments ----------------------------------------------------------------------------------------------------------
def test_a_comment_is_told_to_whoever_took_part_and_mentions_reach_others(
    maria_actor: Actor, jon_actor: Actor, kim_actor: Actor, eve_actor: Actor
) -> None:
    give(jon_actor, Verdict.REQUEST_CHANGES, "Name the data set.")
    create_comment(eve_actor, name="churn", number=1, text="I know it.")
    create_comment(maria_actor, name="churn", number=1, text="It is the spring's. @kim, is that right?")
    relay()
    of_maria = Notification.objects.filter(activity__kind="comment.created", activity__actor_name="maria")
    assert dict(of_maria.values_list("recipient__username", "why")) == {
        "jon": "took part",
        "eve": "took part",
        "kim": "mentioned",
    }
    mail = mail_to("kim", "churn#1: Maria Lopez commented on request #1")
    assert "It is the spring's. @kim, is that right?" in mail.text


def test_a_review_mentions_people_too_even_when_it_is_the_last_one_or_a_late_one(
    jon_actor: Actor, kim_actor: Actor, eve: User
) -> None:
    give(jon_actor, comment="@eve, have a look.")
    give(kim_actor, Verdict.REJECT, "@eve was right.")
    relay()
    assert list(
        Notification.objects.filter(recipient=eve).order_by("pk").values_list("activity__kind", "activity__comment")
    ) == [("review.given", "@eve, have a look."), ("review.given", "@eve was right.")]
    assert told("request.rejected") == {"maria": "asked"}


def test_who_is_mentioned_only_by_a_change_of_a_comment_is_told_then(
    maria_actor: Actor, jon_actor: Actor, eve: User, jon: User
) -> None:
    comment = create_comment(maria_actor, name="churn", number=1, text="Is it good, @jon?")
    relay()
    update_comment(maria_actor, comment_id=str(comment.pk), text="Is it good, @jon or @eve?")
    assert told("comment.updated") == {"eve": "mentioned"}
    assert told("comment.created") == {"jon": "mentioned"}
