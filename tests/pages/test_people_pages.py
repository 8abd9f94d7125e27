"""The people and groups of a Podium, as an administrator looks after them in a browser without scripts, and the
governance desk."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import Settings

from registry_site.accounts import links
from registry_site.accounts.actors import Actor
from registry_site.accounts.models import ApiToken, User
from registry_site.audit.models import Activity
from registry_site.notifications.models import Mail
from tests.make import make_token

pytestmark = pytest.mark.django_db

NEW = "a goat ate my umbrella"


@pytest.fixture
def risk() -> Group:
    return Group.objects.create(name="risk")


def history() -> list[tuple[str, str, str]]:
    return list(Activity.objects.order_by("pk").values_list("kind", "subject", "origin"))


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


# -- the list ----------------------------------------------------------------------------------------------------------
def test_everybody_is_listed_with_state_and_groups(
    admin_page: Client, maria: User, eve: User, system_actor: Actor, risk: Group
) -> None:
    maria.groups.add(risk)
    links.invite(system_actor, username="kim", email="kim@example.org")
    User.objects.filter(pk=eve.pk).update(is_active=False)
    page = text_of(admin_page.get("/people"))
    for row in (
        r"admin Ada Min admin@example.org Active administrator –",
        r"eve Eve eve@example.org Deactivated – never",
        r"kim kim@example.org Invited – never",
        r"maria Maria Lopez maria@example.org Active risk never",
    ):
        assert row in page, page
    assert "Everybody 4 Active 2 Invited 1 Deactivated 1" in page


def test_people_are_found_by_words_and_state(admin_page: Client, maria: User, jon: User) -> None:
    page = admin_page.get("/people?q=lopez").content.decode()
    assert "/people/person/maria" in page
    assert "/people/person/jon" not in page
    assert "Nobody like that" in admin_page.get("/people?q=lopez&state=invited").content.decode()
    part = admin_page.get("/people?q=lopez", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "/people/person/maria" in part


def test_the_page_is_for_administrators(maria_page: Client, jon: User, risk: Group) -> None:
    for address in ("/people", "/people/invite", "/people/groups", f"/people/groups/{risk.pk}", "/people/person/jon"):
        assert maria_page.get(address).status_code == 403
    deeds = ("deactivate", "make-admin", "link", "invite", "withdraw", "groups", "details")
    for deed in deeds:
        assert maria_page.post("/people/person/jon", {"deed": deed}).status_code == 403
    assert "/people" not in maria_page.get("/").content.decode()
    assert history() == []


# -- inviting ----------------------------------------------------------------------------------------------------------
def test_an_invitation_shows_its_link_once_and_the_link_works(admin_page: Client, risk: Group) -> None:
    shown = admin_page.post(
        "/people/invite", {"username": "kim", "email": "kim@example.org", "is_admin": "on", "groups": ["risk"]}
    ).content.decode()
    found = re.search(r"http://127\.0\.0\.1:5000(/invitation/podium_[\w-]{43})", shown)
    assert found
    assert "hand this link over yourself" in shown
    assert found[1] not in admin_page.get("/people/person/kim").content.decode()
    browser = Client()
    browser.post(found[1], {"display_name": "Kim Lee", "new": NEW, "again": NEW})
    assert "/people/person/kim" in browser.get("/people").content.decode(), "as the administrator that she is"
    assert [group.name for group in User.objects.get(username="kim").groups.all()] == ["risk"]


def test_with_a_mail_server_the_page_says_that_a_mail_is_on_its_way(admin_page: Client, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    shown = admin_page.post("/people/invite", {"username": "kim", "email": "kim@example.org"})
    assert "A mail with another link is on its way." in shown.content.decode()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"username": "maria", "email": "m@example.org"}, "User &#x27;maria&#x27; already exists."),
        ({"username": "a b", "email": "m@example.org"}, "Invalid user name"),
        ({"username": "kim", "email": "nowhere"}, "Enter a valid email address."),
        ({"username": "kim", "email": ""}, "This field is required."),
        ({"username": "kim", "email": "k@example.org", "groups": ["nothing"]}, "is not one of the available choices"),
    ],
)
def test_what_is_wrong_with_an_invitation_stands_beside_its_field(
    admin_page: Client, maria: User, risk: Group, form: dict[str, Any], said: str
) -> None:
    answer = admin_page.post("/people/invite", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert User.objects.count() == 2


def test_an_invitation_is_repeated_or_withdrawn(admin_page: Client, system_actor: Actor) -> None:
    _, first = links.invite(system_actor, username="kim", email="kim@example.org")
    assert "/invitation/podium_" in admin_page.post("/people/person/kim", {"deed": "invite"}).content.decode()
    admin_page.post("/people/person/kim", {"deed": "withdraw"})
    assert not User.objects.filter(username="kim").exists()
    assert Client().get(f"/invitation/{first}").status_code == 404


def test_who_has_accepted_meanwhile_is_not_removed_with_the_invitation(admin_page: Client, maria: User) -> None:
    answer = admin_page.post("/people/person/maria", {"deed": "withdraw"})
    assert answer.status_code == 409
    assert "maria has no invitation any more: deactivate the account instead." in answer.content.decode()
    assert User.objects.filter(username="maria").exists()


# -- one of them -------------------------------------------------------------------------------------------------------
def test_an_account_is_changed_shut_and_opened(admin_page: Client, maria: User, risk: Group) -> None:
    address = "/people/person/maria"
    deeds: list[tuple[dict[str, Any], str]] = [
        ({"deed": "details", "display_name": "Maria L.", "email": "m@example.org"}, "The account is changed."),
        ({"deed": "groups", "groups": ["risk"]}, "The groups are set."),
        ({"deed": "make-admin"}, "They are an administrator now."),
        ({"deed": "take-admin"}, "They are no administrator any more."),
        ({"deed": "deactivate"}, "They are shut out: their sessions and tokens have ended."),
        ({"deed": "reactivate"}, "They may come in again."),
    ]
    for form, said in deeds:
        assert said in admin_page.post(address, form, follow=True).content.decode()
    assert history() == [
        ("user.updated", "user maria", "page"),
        ("group.members_set", "group risk", "page"),
        ("user.admin_set", "user maria", "page"),
        ("user.admin_set", "user maria", "page"),
        ("user.deactivated", "user maria", "page"),
        ("user.reactivated", "user maria", "page"),
    ]
    maria.refresh_from_db()
    assert (maria.display_name, maria.email, maria.is_active, maria.is_superuser) == (
        "Maria L.", "m@example.org", True, False
    )  # fmt: skip


def test_a_password_link_is_shown_once_and_never_mailed(admin_page: Client, maria: User) -> None:
    shown = admin_page.post("/people/person/maria", {"deed": "link"}).content.decode()
    found = re.search(r"http://127\.0\.0\.1:5000(/new-password/podium_[\w-]{43})", shown)
    assert found
    assert Client().post(found[1], {"new": NEW, "again": NEW}).status_code == 302
    assert Client().post("/sign-in", {"username": "maria", "password": NEW}).headers["Location"] == "/"
    assert not Mail.objects.exists()


def test_an_address_is_confirmed_as_it_was_seen(admin_page: Client, maria: User, settings: Settings) -> None:
    address, button = "/people/person/maria", "Confirm the address"
    assert button not in admin_page.get(address).content.decode()
    settings.PODIUM_OIDC = True
    assert button in admin_page.get(address).content.decode()
    assert admin_page.post(address, {"deed": "confirm", "email": "another@example.org"}).status_code == 409
    admin_page.post(address, {"deed": "confirm", "email": maria.email})
    maria.refresh_from_db()
    assert maria.email_confirmed
    assert button not in admin_page.get(address).content.decode()
    assert history() == [("user.updated", "user maria", "page")]


def test_one_does_not_shut_oneself_out(admin_page: Client, admin: User) -> None:
    assert "Deactivate the account" not in admin_page.get("/people/person/admin").content.decode()
    answer = admin_page.post("/people/person/admin", {"deed": "deactivate"})
    assert answer.status_code == 400
    assert "You cannot deactivate yourself" in answer.content.decode()
    answer = admin_page.post("/people/person/admin", {"deed": "take-admin"})
    assert answer.status_code == 409
    assert "is the only administrator" in answer.content.decode()
    assert admin_page.get("/people").status_code == 200


def test_tokens_of_somebody_are_seen_and_ended_but_not_read(admin_page: Client, maria: User) -> None:
    text = make_token(maria)
    page = admin_page.get("/people/person/maria").content.decode()
    assert text[:12] in page
    assert text not in page
    token = ApiToken.objects.get()
    answer = admin_page.post(f"/settings/tokens/{token.pk}/revoke", {"next": "/people/person/maria"})
    assert answer.headers["Location"] == "/people/person/maria"
    assert "They have none." in admin_page.get("/people/person/maria").content.decode()


@pytest.mark.parametrize("deed", ["", "explode", "DEACTIVATE"])
def test_a_form_that_says_nothing_known_does_nothing(admin_page: Client, maria: User, deed: str) -> None:
    assert admin_page.post("/people/person/maria", {"deed": deed}).status_code == 400
    assert history() == []


def test_somebody_unknown_is_not_there(admin_page: Client) -> None:
    answer = admin_page.get("/people/person/nobody")
    assert answer.status_code == 404
    assert "User &#x27;nobody&#x27; does not exist." in answer.content.decode()


# -- groups ------------------------------------------------------------------------------------------------------------
def test_a_group_is_made_filled_and_deleted(admin_page: Client, maria: User) -> None:
    made = admin_page.post("/people/groups", {"name": "risk"})
    address = made.headers["Location"]
    assert (
        "maria is in the group now."
        in admin_page.post(address, {"deed": "join", "username": "maria"}, follow=True).content.decode()
    )
    assert ">risk</a></th><td>1</td>" in admin_page.get("/people/groups").content.decode()
    assert (
        "maria is out of the group."
        in admin_page.post(address, {"deed": "leave", "username": "maria"}, follow=True).content.decode()
    )
    assert admin_page.post(address, {"deed": "delete", "typed": "Risk"}).status_code == 422
    assert admin_page.post(address, {"deed": "delete", "typed": "risk"}).headers["Location"] == "/people/groups"
    assert [kind for kind, _, _ in history()] == [
        "group.created", "group.members_set", "group.members_set", "group.deleted"
    ]  # fmt: skip


def test_what_is_wrong_with_a_group_stands_beside_its_field(admin_page: Client, risk: Group) -> None:
    taken = admin_page.post("/people/groups", {"name": "risk"})
    assert taken.status_code == 422
    assert "Group &#x27;risk&#x27; already exists." in taken.content.decode()
    unknown = admin_page.post(f"/people/groups/{risk.pk}", {"deed": "join", "username": "nobody"})
    assert unknown.status_code == 422
    assert "User &#x27;nobody&#x27; does not exist." in unknown.content.decode()
    assert admin_page.get("/people/groups/4711").status_code == 404


# -- the governance desk -----------------------------------------------------------------------------------------------
class TestGovernanceDesk:
    def test_strangers_sign_in_where_everybody_does_and_come_back(self, client: Client, admin: User) -> None:
        asked = client.get("/admin/accounts/user/", follow=True)
        assert asked.redirect_chain[-1][0] == "/sign-in?next=/admin/accounts/user/"

    def test_others_are_told_so_and_are_not_sent_in_circles(self, maria_page: Client) -> None:
        answer = maria_page.get("/admin/", follow=True)
        assert answer.status_code == 403
        assert "Only administrators may do this." in answer.content.decode()

    def test_in_open_mode_it_is_closed(self, client: Client, admin: User, settings: Settings) -> None:
        settings.PODIUM_OPEN = True
        answer = client.get("/admin/", follow=True)
        assert answer.status_code == 403
        assert "the governance desk is closed" in answer.content.decode()

    def test_only_what_goes_through_services_is_there(self, admin_page: Client) -> None:
        page = admin_page.get("/admin/").content.decode()
        assert "/admin/accounts/user/" in page
        assert "/admin/auth/group/" in page
        assert "/admin/auth/permission/" not in page
        assert "/admin/accounts/user/add/" not in page

    def test_people_are_changed_through_the_services(self, admin_page: Client, maria: User, risk: Group) -> None:
        form = {"display_name": "Maria L.", "email": maria.email, "is_superuser": "on", "groups": [risk.pk]}
        answer = admin_page.post(f"/admin/accounts/user/{maria.pk}/change/", form)
        assert answer.status_code == 302, text_of(answer)
        assert history() == [
            ("user.updated", "user maria", "admin"),
            ("user.admin_set", "user maria", "admin"),
            ("user.deactivated", "user maria", "admin"),
            ("group.members_set", "group risk", "admin"),
        ]
        maria.refresh_from_db()
        assert (maria.display_name, maria.is_active, maria.is_staff, maria.is_superuser) == (
            "Maria L.", False, True, True
        )  # fmt: skip

    def test_what_the_services_refuse_changes_nothing(self, admin_page: Client, admin: User) -> None:
        form = {"display_name": "", "email": "", "is_superuser": "on"}
        answer = admin_page.post(f"/admin/accounts/user/{admin.pk}/change/", form)
        assert answer.status_code == 400
        admin.refresh_from_db()
        assert (admin.is_active, admin.display_name) == (True, "Ada Min")
        assert history() == []

    def test_people_and_groups_are_deleted_through_the_services(
        self, admin_page: Client, maria: User, jon: User, risk: Group
    ) -> None:
        admin_page.post(f"/admin/accounts/user/{maria.pk}/delete/", {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [jon.pk], "post": "yes"}
        admin_page.post("/admin/accounts/user/", chosen)
        admin_page.post(f"/admin/auth/group/{risk.pk}/delete/", {"post": "yes"})
        admin_page.post("/admin/auth/group/add/", {"name": "fraud"})
        assert history() == [
            ("user.deleted", "user maria", "admin"),
            ("user.deleted", "user jon", "admin"),
            ("group.deleted", "group risk", "admin"),
            ("group.created", "group fraud", "admin"),
        ]
        assert User.objects.count() == 1
        assert [group.name for group in Group.objects.all()] == ["fraud"]

    def test_tokens_are_revoked_there_and_not_changed(self, admin_page: Client, maria: User) -> None:
        make_token(maria)
        token = ApiToken.objects.get()
        assert admin_page.post(f"/admin/accounts/apitoken/{token.pk}/change/", {"scope": 3}).status_code == 403
        chosen = {"action": "revoke_chosen", "_selected_action": [token.pk]}
        answer = admin_page.post("/admin/accounts/apitoken/", chosen, follow=True)
        assert "of maria is revoked." in answer.content.decode()
        token.refresh_from_db()
        assert token.revoked_at is not None
        assert history() == [("token.revoked", "token test of maria", "admin")]
