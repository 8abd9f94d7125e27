"""How people come in, and how they go."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from registry_site.accounts import links, services
from registry_site.accounts.actors import Actor, person
from registry_site.accounts.models import ApiToken, User
from registry_site.accounts.scopes import Scope
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from registry_site.notifications.models import Mail
from registry_site.notifications.sending import send_due_mails
from tests.make import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "a goat ate my umbrella"


def test_a_stranger_who_opens_a_page_signs_in_and_comes_back_to_it(client: Client, maria: User) -> None:
    asked = client.get("/settings/profile")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/sign-in?next=/settings/profile"

    answer = client.post(asked.headers["Location"], {"username": "maria", "password": PASSWORD})

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/settings/profile"
    assert client.get("/settings/profile").status_code == 200
    assert Activity.objects.filter(kind=Kind.USER_SIGNED_IN, actor_name="maria").count() == 1


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper()])
def test_a_wrong_password_is_refused_in_the_same_words_as_an_unknown_name(
    client: Client, maria: User, password: str
) -> None:
    for name in ("maria", "nobody"):
        answer = client.post("/sign-in", {"username": name, "password": password or " "})
        assert answer.status_code == 422
        assert "User name and password do not go together." in answer.content.decode()


def test_whoever_guesses_has_to_wait(client: Client, maria: User) -> None:
    for _ in range(10):
        client.post("/sign-in", {"username": "maria", "password": "guess"})

    answer = client.post("/sign-in", {"username": "maria", "password": PASSWORD})

    assert answer.status_code == 429
    assert "Too many failed attempts to sign in." in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "/\t/evil.example",
        "http:///evil.example",
    ],
)
def test_signing_in_never_leads_to_another_site(client: Client, maria: User, address: str) -> None:
    answer = client.post("/sign-in", {"username": "maria", "password": PASSWORD, "next": address})

    assert answer.headers["Location"] == "/"


def test_a_token_is_no_password_here_as_pages_let_people_do_more_than_it_may(
    client: Client, maria: User, maria_actor: Actor
) -> None:
    token = services.create_token(maria_actor, username="maria", scope=Scope.READ)

    assert client.post("/sign-in", {"username": "maria", "password": token}).status_code == 422


def test_the_session_of_before_is_not_the_one_of_after(client: Client, maria: User) -> None:
    client.get("/sign-in")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = str(planted)

    client.post("/sign-in", {"username": "maria", "password": PASSWORD})

    assert client.session.session_key != planted
    assert Client(headers={"Cookie": f"sessionid={planted}"}).get("/settings/profile").status_code == 302


def test_a_cookie_is_worth_nothing_after_signing_out(maria_page: Client) -> None:
    kept = maria_page.cookies["sessionid"].value
    maria_page.post("/sign-out")

    assert Client(headers={"Cookie": f"sessionid={kept}"}).get("/settings/profile").status_code == 302


def test_a_deactivated_person_is_out_at_once(client: Client, maria: User) -> None:
    client.force_login(maria)
    assert client.get("/settings/profile").status_code == 200

    User.objects.filter(pk=maria.pk).update(is_active=False)

    assert client.get("/settings/profile").status_code == 302


def test_signing_out_ends_the_session_and_only_by_a_form(maria_page: Client) -> None:
    assert maria_page.get("/sign-out").status_code == 405
    assert maria_page.post("/sign-out").headers["Location"] == "/sign-in"
    assert maria_page.get("/settings/profile").status_code == 302


class TestWelcomeLink:
    @pytest.fixture
    def link(self, system_actor: Actor) -> str:
        services.create_user(system_actor, username="ada", is_admin=True)
        return "/welcome/" + links.make_sign_in_link(system_actor, username="ada")

    def test_it_signs_in_once_and_asks_for_a_password(self, client: Client, link: str) -> None:
        assert client.post(link).headers["Location"] == "/settings/password"
        assert "Set a password" in client.get("/settings/password").content.decode()

        again = Client().post(link)

        assert again.status_code == 404
        assert "was used already or has expired" in again.content.decode()

    def test_opening_it_does_not_use_it_up_as_mail_scanners_open_links(self, client: Client, link: str) -> None:
        assert "Sign me in" in client.get(link).content.decode()
        assert client.post(link).status_code == 302


class TestInvitation:
    @pytest.fixture
    def link(self, system_actor: Actor) -> str:
        _, secret = links.invite(system_actor, username="kim", email="kim@example.org")
        return f"/invitation/{secret}"

    def test_who_opens_it_says_their_name_sets_a_password_and_is_in(self, client: Client, link: str) -> None:
        assert "Your user name is <code>kim</code>." in client.get(link).content.decode()

        answer = client.post(link, {"display_name": "Kim Lee", "new": NEW, "again": NEW})

        assert answer.headers["Location"] == "/"
        assert 'value="Kim Lee"' in client.get("/settings/profile").content.decode()
        again = Client().get(link)
        assert again.status_code == 404
        assert "This invitation was used already or has expired." in again.content.decode()

    @pytest.mark.parametrize(
        ("new", "again", "said"),
        [
            ("short", "short", "at least 12 characters"),
            (NEW, "another one", "The two new passwords are not the same."),
            ("kim@example.org", "kim@example.org", "too similar to the email"),
        ],
    )
    def test_what_is_wrong_stands_beside_its_field_and_the_link_still_works(
        self, client: Client, link: str, new: str, again: str, said: str
    ) -> None:
        answer = client.post(link, {"display_name": "Kim", "new": new, "again": again})

        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert client.post(link, {"display_name": "Kim", "new": NEW, "again": NEW}).status_code == 302


class TestForgottenPassword:
    def test_the_answer_is_the_same_whoever_it_is(self, client: Client, maria: User, settings: Settings) -> None:
        settings.EMAIL_HOST = "mail.example.org"
        answers = {
            re.sub(r'name="csrfmiddlewaretoken".*?>|X-CSRFToken.*?}|<code>.*?</code>', "", answer.content.decode())
            for answer in [
                client.post("/forgotten-password", {"asked": asked}) for asked in ("maria", "nobody", "a@b.c")
            ]
        }
        assert len(answers) == 1
        assert "If there is such an account and a mail address for it" in answers.pop()

    def test_whoever_asks_again_and_again_has_to_wait(self, client: Client) -> None:
        statuses = [client.post("/forgotten-password", {"asked": "maria"}).status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]

    def test_the_link_sets_a_password_and_ends_sessions(
        self, client: Client, maria: User, maria_page: Client, system_actor: Actor
    ) -> None:
        link = f"/new-password/{links.make_password_link(system_actor, username='maria')}"
        assert "<code>maria</code>" in client.get(link).content.decode()

        assert client.post(link, {"new": NEW, "again": NEW}).headers["Location"] == "/sign-in"

        assert "Your password is set: sign in with it." in client.get("/sign-in").content.decode()
        assert maria_page.get("/settings/profile").status_code == 302
        assert client.post("/sign-in", {"username": "maria", "password": NEW}).status_code == 302
        assert client.get(link).status_code == 404

    def test_without_a_mail_server_people_are_sent_to_an_administrator(self, client: Client) -> None:
        assert "No mail server is configured here." in client.get("/forgotten-password").content.decode()
        assert "forgotten-password" not in client.get("/sign-in").content.decode()

    def test_a_strange_host_is_refused_and_stands_in_no_link(self, client: Client, maria: User) -> None:
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
            client.post("/forgotten-password", {"asked": "maria"}, headers=headers)
        send_due_mails()
        assert not Mail.objects.filter(html__contains="evil").exists()
        assert Mail.objects.count() == 1, "the first was refused, the second had no effect"


class TestPassword:
    def test_the_present_one_is_asked_for(self, maria_page: Client) -> None:
        form = {"current": "not it", "new": "a longer secret 1", "again": "a longer secret 1"}

        assert "That is not your present password." in maria_page.post("/settings/password", form).content.decode()
        assert maria_page.post("/settings/password", form | {"current": PASSWORD}).status_code == 302
        assert maria_page.get("/settings/profile").status_code == 200

    def test_other_sessions_end_with_it(self, maria: User, maria_page: Client) -> None:
        other = Client()
        other.force_login(maria)

        form = {"current": PASSWORD, "new": "a longer secret 1", "again": "a longer secret 1"}
        maria_page.post("/settings/password", form)

        assert other.get("/settings/profile").status_code == 302

    def test_a_short_one_is_refused(self, maria_page: Client) -> None:
        answer = maria_page.post("/settings/password", {"current": PASSWORD, "new": "short", "again": "short"})

        assert answer.status_code == 422
        assert "at least 12 characters" in answer.content.decode()


class TestTokens:
    def test_a_token_is_shown_once_and_works(self, maria_page: Client, client: Client) -> None:
        page = maria_page.post("/settings/tokens", {"name": "cluster", "scope": "write", "days": "90"}).content.decode()
        found = re.search(r"podium_[\w-]{43}", page)
        assert found

        answer = client.post(
            "/api/2.0/mlflow/experiments/search",
            {"max_results": 1},
            content_type="application/json",
            headers={"Authorization": f"Bearer {found[0]}"},
        )

        assert answer.status_code == 200
        assert found[0] not in maria_page.get("/settings/tokens").content.decode()

    def test_it_has_the_scope_and_the_life_that_were_chosen(self, maria: User, maria_page: Client) -> None:
        for scope, days in (("read", "7"), ("write", "30"), ("write", "365"), ("read", "")):
            maria_page.post("/settings/tokens", {"name": f"{scope} {days}", "scope": scope, "days": days})

        made = {token.name: token for token in ApiToken.objects.order_by("pk")}
        assert [(name, token.scope) for name, token in made.items()] == [
            ("read 7", Scope.READ),
            ("write 30", Scope.WRITE),
            ("write 365", Scope.WRITE),
            ("read", Scope.READ),
        ]
        lives = [
            token.expires_at and round((token.expires_at - token.created_at).total_seconds() / 86400)
            for token in made.values()
        ]
        assert lives == [7, 30, 365, None]

    def test_the_scope_of_administrators_is_offered_to_administrators(
        self, maria_page: Client, admin: User, page_client: Callable[[User], Client]
    ) -> None:
        wanted = {"name": "x", "scope": "admin", "days": "7"}
        assert 'value="admin"' not in maria_page.get("/settings/tokens").content.decode()
        assert maria_page.post("/settings/tokens", wanted).status_code == 422
        browser = page_client(admin)
        assert 'value="admin"' in browser.get("/settings/tokens").content.decode()
        assert browser.post("/settings/tokens", wanted).status_code == 200

    def test_a_revoked_token_is_refused_at_once(self, maria: User, maria_page: Client, client: Client) -> None:
        token = services.create_token(person(maria, Origin.PAGE), username="maria", name="old laptop")
        header = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/2.0/mlflow/registered-models/search", headers=header).status_code == 200

        maria_page.post(f"/settings/tokens/{maria.api_tokens.get().pk}/revoke")

        assert client.get("/api/2.0/mlflow/registered-models/search", headers=header).status_code == 401

    def test_nobody_revokes_the_token_of_somebody_else(self, maria: User, eve: User) -> None:
        services.create_token(person(maria, Origin.PAGE), username="maria")
        eves = Client()
        eves.force_login(eve)

        assert eves.post(f"/settings/tokens/{maria.api_tokens.get().pk}/revoke").status_code == 404
        assert maria.api_tokens.filter(revoked_at=None).count() == 1


def test_the_theme_is_remembered_and_rendered_by_the_server(maria_page: Client) -> None:
    maria_page.post("/theme", {"theme": "dark", "next": "/settings/profile"})

    assert '<html lang="en" dir="ltr" data-theme="dark">' in maria_page.get("/settings/profile").content.decode()


def test_an_unknown_time_zone_is_refused_beside_its_field(maria_page: Client) -> None:
    answer = maria_page.post("/settings/profile", {"display_name": "M", "email": "", "time_zone": "Mars/Phobos"})

    assert answer.status_code == 422
    assert "Mars/Phobos is not one of the available choices" in answer.content.decode()


def test_only_administrators_read_the_mail(maria_page: Client, admin: User) -> None:
    assert maria_page.get("/govern/mail").status_code == 403
    administrators = Client()
    administrators.force_login(admin)
    assert "No mail yet" in administrators.get("/govern/mail").content.decode()


def test_the_log_tells_of_wrong_passwords_and_never_what_was_typed(
    client: Client, maria: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/sign-in", {"username": "maria", "password": "a wrong guess"})
    client.post("/sign-in", {"username": PASSWORD, "password": "x"})

    told = [record.getMessage() for record in caplog.records if record.name == "registry_site.accounts.passwords"]
    assert told == ["A wrong password for maria, from 127.0.0.1.", "A wrong password for nobody, from 127.0.0.1."]
