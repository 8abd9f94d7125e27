"""How people come in, and how they go."""

import re

import pytest
from django.test import Client

from registry_site.accounts import services
from registry_site.accounts.actors import Actor, person
from registry_site.accounts.models import User
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.models import Activity
from tests.make import PASSWORD

pytestmark = pytest.mark.django_db


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
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(client: Client, maria: User, address: str) -> None:
    answer = client.post("/sign-in", {"username": "maria", "password": PASSWORD, "next": address})

    assert answer.headers["Location"] == "/"


def test_a_token_of_ones_own_serves_as_the_password_and_nobody_elses_does(
    client: Client, maria: User, jon: User, maria_actor: Actor
) -> None:
    token = services.create_token(maria_actor, username="maria")

    assert client.post("/sign-in", {"username": "jon", "password": token}).status_code == 422
    assert client.post("/sign-in", {"username": "maria", "password": token}).status_code == 302


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
        return "/welcome/" + services.make_sign_in_link(system_actor, username="ada")

    def test_it_signs_in_once_and_asks_for_a_password(self, client: Client, link: str) -> None:
        assert client.post(link).headers["Location"] == "/settings/password"
        assert "Set a password" in client.get("/settings/password").content.decode()

        again = Client().post(link)

        assert again.status_code == 404
        assert "was used already or has expired" in again.content.decode()

    def test_opening_it_does_not_use_it_up_as_mail_scanners_open_links(self, client: Client, link: str) -> None:
        assert "Sign me in" in client.get(link).content.decode()
        assert client.post(link).status_code == 302


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
        page = maria_page.post("/settings/tokens", {"name": "cluster", "days": "90"}).content.decode()
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
