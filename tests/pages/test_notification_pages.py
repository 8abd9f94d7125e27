"""The bell, the list of notifications, following, and choosing mails."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.audit import outbox
from registry_site.notifications.audience import Way, Why
from registry_site.notifications.fan_out import fan_out
from registry_site.notifications.models import Following, MailChoice, Notification
from registry_site.notifications.services import follow
from registry_site.notifications.unsubscribing import unsubscribe_url
from registry_site.promotion.services import request_transition
from registry_site.registry.stages import Stage
from registry_site.webhooks.deliveries import deliver_due
from registry_site.webhooks.fan_out import fan_out as tell_webhooks
from registry_site.webhooks.services import create_webhook, delete_webhook
from tests.conftest import FrozenClock
from tests.live import free_port
from tests.make import make_model, make_version

pytestmark = pytest.mark.django_db

Pages = Callable[[User], Client]
LIST = "/notifications"
PART = {"HX-Request": "true", "HX-Target": "results"}


@pytest.fixture
def asked(maria_actor: Actor, jon: User) -> Notification:
    """Jon is told that Maria asks for something."""
    make_version(maria_actor, "churn")
    comment = "Better & faster <b>by far</b>"
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.PRODUCTION, comment=comment)
    while outbox.relay(fan_out):
        pass
    return Notification.objects.get(recipient=jon)


def text_of(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_bell_counts_what_is_unread_on_every_page(asked: Notification, jon: User, page_client: Pages) -> None:
    page = page_client(jon)
    assert 'aria-label="1 unread notification"' in text_of(page, "/models")
    bell = text_of(page, "/notifications/unread")
    assert bell.startswith('<a class="btn-icon bell" id="bell"')
    assert "<html" not in bell
    page.post(LIST, {"read": "all"})
    assert 'aria-label="0 unread notifications"' in text_of(page, "/notifications/unread")


def test_jon_reads_what_is_asked_of_him_and_goes_there(asked: Notification, jon: User, page_client: Pages) -> None:
    page = page_client(jon)
    html = text_of(page)
    assert "asked in #1 to move version 1 from" in html
    assert "Better &amp; faster &lt;b&gt;by far&lt;/b&gt;" in html
    assert "You may decide" in html
    answer = page.get(f"/notifications/{asked.pk}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/models/churn/requests/1")
    asked.refresh_from_db()
    assert asked.read_at is not None


def test_what_is_done_moves_to_the_other_tab_and_back(asked: Notification, jon: User, page_client: Pages) -> None:
    page = page_client(jon)
    done = page.post(LIST, {"done": str(asked.pk)}, headers=PART)
    assert done.status_code == 200
    assert done.headers["HX-Trigger-After-Settle"] == "podium:tick"
    assert "Nothing to tell" in done.content.decode()
    assert "<html" not in done.content.decode()
    assert f'value="{asked.pk}"' in text_of(page, f"{LIST}?box=done")
    back = page.post(f"{LIST}?box=done", {"not done": "ticked", "key": [str(asked.pk)]})
    assert (back.status_code, back.headers["Location"]) == (302, f"{LIST}?box=done")
    assert f'value="{asked.pk}"' in text_of(page)
    assert f'value="{asked.pk}"' not in text_of(page, f"{LIST}?why=mentioned")


@pytest.mark.parametrize("data", [{}, {"done": "x"}, {"done": "-1"}, {"read": "9" * 30}, {"shred": "all"}])
def test_an_odd_wish_is_refused_and_changes_nothing(
    data: dict[str, str], asked: Notification, jon: User, page_client: Pages
) -> None:
    assert page_client(jon).post(LIST, data).status_code == 400
    asked.refresh_from_db()
    assert (asked.read_at, asked.done_at) == (None, None)


def test_others_cannot_open_or_mark_it(asked: Notification, eve: User, page_client: Pages) -> None:
    page = page_client(eve)
    assert page.get(f"/notifications/{asked.pk}").status_code == 404
    assert page.post(LIST, {"done": str(asked.pk)}).status_code == 302
    asked.refresh_from_db()
    assert asked.done_at is None


def test_eve_follows_a_model_and_no_more(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    make_model(maria_actor, "churn")
    page = page_client(eve)
    assert 'value="follow"' in text_of(page, "/models/churn")
    answer = page.post("/models/churn/follow", {"deed": "follow", "next": "/models/churn/activity"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/models/churn/activity")
    assert 'value="unfollow"' in text_of(page, "/models/churn")
    assert '<a href="/models/churn">churn</a>' in text_of(page, "/settings/notifications")
    page.post("/models/churn/follow", {"deed": "unfollow", "next": "https://evil.example/"})
    assert not Following.objects.exists()
    assert page.post("/models/nothing/follow", {"deed": "follow"}).status_code == 404


def test_eve_chooses_her_mails(eve: User, page_client: Pages) -> None:
    page = page_client(eve)
    chosen = {
        "asked": "daily",
        "took_part": "at once",
        "may_decide": "never",
        "waits": "daily",
        "mentioned": "at once",
        "manages": "daily",
        "follows": "never",
    }
    assert page.post("/settings/notifications", chosen).status_code == 302
    assert dict(MailChoice.objects.values_list("why", "way")) == {
        why.replace("_", " "): way for why, way in chosen.items()
    }
    assert '<option value="never" selected>' in text_of(page, "/settings/notifications")
    refused = page.post("/settings/notifications", chosen | {"asked": "by pigeon"})
    assert refused.status_code == 422
    assert MailChoice.objects.get(why=Why.ASKED.value).way == Way.DAILY.value


def test_a_mail_program_unsubscribes_with_one_click_and_a_person_is_asked_first(
    eve: User, stranger_page: Client
) -> None:
    address = "/" + unsubscribe_url(eve.pk, Why.FOLLOWS).partition("://")[2].partition("/")[2]
    assert "No more of these mails?" in text_of(stranger_page, address)
    assert not MailChoice.objects.exists()
    program = Client(enforce_csrf_checks=True)
    answer = program.post(address, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert MailChoice.objects.get().way == Way.NEVER.value
    assert stranger_page.get(address + "x").status_code == 404


def test_a_list_for_who_was_told_nothing_says_what_will_come(eve: User, page_client: Pages) -> None:
    page = page_client(eve)
    assert "Nothing to tell" in text_of(page)
    assert "You have read everything" in text_of(page, f"{LIST}?box=unread")
    assert "Nothing is done yet" in text_of(page, f"{LIST}?box=done")


def test_the_page_of_a_notification_leads_to_the_version(maria_actor: Actor, eve: User, page_client: Pages) -> None:
    make_model(maria_actor, "churn")
    follow(Actor(eve.pk, "eve", maria_actor.origin), name="churn")
    make_version(maria_actor, "churn")
    outbox.relay(fan_out)
    answer = page_client(eve).get(f"/notifications/{Notification.objects.get().pk}")
    assert answer.headers["Location"] == "/models/churn/versions/1"


def test_the_notification_of_a_parked_webhook_leads_to_its_page(
    admin: User, admin_actor: Actor, page_client: Pages, settings: Settings, frozen_clock: FrozenClock
) -> None:
    settings.PODIUM_WEBHOOK_ALLOWED_HOSTS = [gone := f"127.0.0.1:{free_port()}"]
    hook = create_webhook(admin_actor, name="ci", url=f"http://{gone}/", events=["registered_model.created"])
    make_model(admin_actor, "churn")
    outbox.relay(fan_out, tell_webhooks)
    for _ in range(12):  # until it is given up
        deliver_due()
        frozen_clock.advance(hours=24, seconds=1)
    outbox.relay(fan_out, tell_webhooks)
    page = page_client(admin)
    html = text_of(page)
    assert '<span class="strong">ci</span>: Podium disabled the webhook, which had only failed for days' in html
    assert "You manage it" in html
    leads = page.get(f"/notifications/{Notification.objects.get().pk}")
    assert (leads.status_code, leads.headers["Location"]) == (302, f"/webhooks/{hook.webhook_id}")
    assert page.get(leads.headers["Location"]).status_code == 200
    delete_webhook(admin_actor, webhook_id=hook.webhook_id)
    assert page.get(leads.headers["Location"]).status_code == 404
