"""Single sign-on: a whole Podium beside a provider, and a browser that is sent from one to the other."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.live import ROOT, Podium, start_podium
from tests.provider import CLIENT_SECRET, Provider, running_provider

pytestmark = [pytest.mark.xdist_group("oidc")]

PASSWORD = "correct horse battery staple"
_ANSWER = """
import json, sys
from registry_site.accounts import administration, groups, services
from registry_site.accounts.actors import person, system
from registry_site.accounts.models import User
from registry_site.audit.kinds import Origin
from registry_site.audit.models import Activity
from django.db import connection

def create_group(name):
    groups.create_group(system(), name=name)

def create_user(name):
    services.create_user(system(), username=name, email=f"{name}@example.org")

def deactivate(name):
    administration.deactivate(system(), username=name)

def claim_address(name, email):
    actor = person(User.objects.get(username=name), Origin.PAGE)
    services.update_profile(actor, display_name="", email=email, time_zone="UTC")

def people():
    return {user.username: {
        "email": user.email, "name": user.display_name, "groups": sorted(group.name for group in user.groups.all()),
        "is_admin": user.is_superuser, "has_password": user.has_usable_password(),
        "subjects": [identity.subject for identity in user.identities.all()],
    } for user in User.objects.all()}

def history():
    return [[one.actor_name, one.kind, one.subject] for one in Activity.objects.order_by("pk")]

def rows(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]

for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
"""


class Inside:
    """A process with Django set up on a server's database, which does what it is asked for by name."""

    def __init__(self, site: Podium) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"import django; django.setup(); {_ANSWER}"],
            env=site.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, name: str, *arguments: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podium]:
    """Podium with this provider, where the group `admins` makes administrators."""
    environment = provider.environment() | {"PODIUM_OIDC_ADMIN_GROUP": "admins", "PODIUM_OIDC_NAME": "Example ID"}
    with start_podium(tmp_path_factory.mktemp("oidc") / "data", **environment) as running:
        yield running


@pytest.fixture(scope="module")
def inside(site: Podium) -> Iterator[Inside]:
    asked = Inside(site)
    for name in ("risk", "fraud"):
        asked("create_group", name)
    yield asked
    asked.process.communicate()


@pytest.fixture(autouse=True)
def _as_at_first(provider: Provider) -> None:
    provider.forget()


def come_in(
    site: Podium, browser: requests.Session | None = None, next: str = "/settings/profile"
) -> requests.Response:
    """Press the button on the sign-in page; where one ends up."""
    browser = browser or requests.Session()
    page = browser.get(f"{site.url}/sign-in", params={"next": next}, timeout=30)
    button = re.search(r'href="(/sign-in/provider[^"]*)">Continue with Example ID<', page.text)
    assert button
    return browser.get(site.url + button[1].replace("&amp;", "&"), timeout=30)


# -- coming in ---------------------------------------------------------------------------------------------------------
def test_who_comes_for_the_first_time_gets_an_account(site: Podium, inside: Inside, provider: Provider) -> None:
    provider.person = {
        **{"sub": "u-1", "preferred_username": "nina", "name": "Nina Berg", "email": "nina@example.org"},
        **{"email_verified": True, "groups": ["risk", "somewhere-else"]},
    }
    browser = requests.Session()
    page = come_in(site, browser, next="/settings/profile")
    assert (page.status_code, page.url) == (200, f"{site.url}/settings/profile")
    assert "You are <code>nina</code>" in page.text
    assert inside("people")["nina"] == {
        **{"email": "nina@example.org", "name": "Nina Berg", "groups": ["risk"], "is_admin": False},
        **{"has_password": False, "subjects": ["u-1"]},
    }
    assert inside("history")[-3:] == [
        ["podium", "user.created", "user nina"],
        ["podium", "group.members_set", "group risk"],
        ["nina", "user.signed_in", "user nina"],
    ]


def test_the_way_there_is_as_strict_as_the_protocol_allows(site: Podium, provider: Provider) -> None:
    provider.person = {"sub": "u-strict", "preferred_username": "strict"}
    come_in(site)
    [asked] = provider.asked
    assert asked["redirect_uri"] == f"{site.url}/sign-in/provider/callback"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert len(asked["nonce"]) >= 40
    assert len(asked["state"]) >= 16


def test_the_same_person_is_known_by_the_subject_whatever_else_changes(
    site: Podium, inside: Inside, provider: Provider
) -> None:
    provider.person = {"sub": "u-2", "preferred_username": "omar", "groups": ["risk"]}
    come_in(site)
    provider.person = {"sub": "u-2", "preferred_username": "renamed", "groups": ["fraud"]}
    assert "You are <code>omar</code>" in come_in(site).text
    assert inside("people")["omar"]["groups"] == ["fraud"]
    provider.person = {"sub": "u-2"}
    come_in(site)
    assert inside("people")["omar"]["groups"] == ["fraud"], "the provider did not say"
    provider.person = {"sub": "u-2", "groups": []}
    come_in(site)
    assert inside("people")["omar"]["groups"] == []


def test_the_group_of_administrators_decides_every_time(site: Podium, inside: Inside, provider: Provider) -> None:
    for groups, is_admin in ((["admins"], True), (["risk"], False)):
        provider.person = {"sub": "u-3", "preferred_username": "petra", "groups": groups}
        come_in(site)
        assert inside("people")["petra"]["is_admin"] is is_admin


def test_a_name_that_is_taken_becomes_another_one(site: Podium, inside: Inside, provider: Provider) -> None:
    inside("create_user", "quinn")
    provider.person = {
        "sub": "u-4",
        "preferred_username": "quinn",
        "email": "other@example.org",
        "email_verified": True,
    }
    assert "You are <code>quinn-2</code>" in come_in(site).text
    provider.person = {"sub": "u-5", "preferred_username": "Zoë / Müller <b>"}
    assert "You are <code>Zoë-Müller-b</code>" in come_in(site).text


# -- which account it is -----------------------------------------------------------------------------------------------
def test_an_account_with_the_same_confirmed_address_is_taken_over(
    site: Podium, inside: Inside, provider: Provider
) -> None:
    inside("create_user", "rosa")
    provider.person = {
        "sub": "u-6",
        "preferred_username": "rosa.b",
        "email": "Rosa@example.org",
        "email_verified": True,
    }
    assert "You are <code>rosa</code>" in come_in(site).text
    assert inside("people")["rosa"]["subjects"] == ["u-6"]


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"])
def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    site: Podium, inside: Inside, provider: Provider, verified: object
) -> None:
    if "sven" not in inside("people"):
        inside("create_user", "sven")
    subject = f"u-7-{verified}"
    provider.person = {
        **{"sub": subject, "preferred_username": "sven", "email": "sven@example.org", "email_verified": verified}
    }
    assert "You are <code>sven</code>" not in come_in(site).text
    [stranger] = [person for person in inside("people").values() if person["subjects"] == [subject]]
    assert stranger["email"] == ""


def test_nobody_waits_for_somebody_elses_account_with_their_address(
    site: Podium, inside: Inside, provider: Provider
) -> None:
    inside("create_user", "trudy")
    inside("claim_address", "trudy", "victor@example.org")
    provider.person = {
        "sub": "u-8",
        "preferred_username": "victor",
        "email": "victor@example.org",
        "email_verified": True,
    }
    assert "You are <code>victor</code>" in come_in(site).text
    assert inside("people")["trudy"]["subjects"] == []


def test_who_is_deactivated_stays_out(site: Podium, inside: Inside, provider: Provider) -> None:
    provider.person = {"sub": "u-9", "preferred_username": "uma"}
    come_in(site)
    inside("deactivate", "uma")
    browser = requests.Session()
    page = come_in(site, browser)
    assert page.status_code == 403
    assert "Your account here is deactivated." in page.text
    assert "/sign-in" in browser.get(f"{site.url}/settings/profile", timeout=30).url
    assert [name for name in inside("people") if name.startswith("uma")] == ["uma"]


# -- answers that are not to be believed -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"sub": "somebody-else"},
        {"sub": ""},
    ],
    ids=str,
)
def test_an_answer_with_a_wrong_value_lets_nobody_in(
    site: Podium, inside: Inside, provider: Provider, wrong: dict[str, Any]
) -> None:
    provider.person, provider.wrong = {"sub": "u-10", "preferred_username": "wanda"}, wrong
    assert_refused(site, inside)


def test_an_answer_that_somebody_else_signed_lets_nobody_in(site: Podium, inside: Inside, provider: Provider) -> None:
    provider.person = {"sub": "u-10", "preferred_username": "wanda"}
    provider.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert_refused(site, inside)
    provider.algorithm = "HS256"
    assert_refused(site, inside)


def test_two_answers_about_two_people_let_nobody_in(site: Podium, inside: Inside, provider: Provider) -> None:
    provider.person, provider.userinfo = {"sub": "u-10", "preferred_username": "wanda"}, {"sub": "u-1"}
    assert_refused(site, inside)


def assert_refused(site: Podium, inside: Inside) -> None:
    browser = requests.Session()
    page = come_in(site, browser)
    assert page.status_code == 403
    assert "Signing in by the provider did not work." in page.text
    assert "wanda" not in inside("people")
    assert "/sign-in" in browser.get(f"{site.url}/settings/profile", timeout=30).url


def test_an_answer_to_nobodys_question_lets_nobody_in(site: Podium, provider: Provider) -> None:
    """What an attacker has got from the provider is worth nothing in the browser of somebody else, nor twice."""
    provider.person = {"sub": "u-11", "preferred_username": "xenia"}
    browser = requests.Session()
    start = browser.get(f"{site.url}/sign-in/provider", allow_redirects=False, timeout=30)
    back = browser.get(start.headers["Location"], allow_redirects=False, timeout=30).headers["Location"]
    assert requests.get(back, timeout=30).status_code == 403
    assert requests.get(back.replace("state=", "state=x"), timeout=30).status_code == 403
    assert browser.get(back, timeout=30).status_code == 200
    assert browser.get(back, timeout=30).status_code == 403


def test_who_changes_their_mind_is_back_on_the_sign_in_page(site: Podium, provider: Provider) -> None:
    provider.refuses = "access_denied"
    assert come_in(site).url == f"{site.url}/sign-in"
    provider.refuses = "server_error"
    assert come_in(site).status_code == 403


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example"]
)
def test_one_never_ends_up_on_another_site(site: Podium, provider: Provider, address: str) -> None:
    provider.person = {"sub": "u-12", "preferred_username": "yuri"}
    assert come_in(site, next=address).url == f"{site.url}/"


# -- beside it ---------------------------------------------------------------------------------------------------------
def test_passwords_go_on_working_and_nobody_signs_up_by_themselves(site: Podium) -> None:
    site.create_user("zoe", password=PASSWORD)
    browser = requests.Session()
    page = browser.get(f"{site.url}/sign-in", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"username": "zoe", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert browser.post(f"{site.url}/sign-in", form, timeout=30).url == f"{site.url}/"
    for address in ("accounts/signup/", "signup/", "oidc/oidc/login/", "accounts/login/", "3rdparty/"):
        assert requests.get(f"{site.url}/{address}", timeout=30).status_code == 404


def test_no_secret_of_it_is_in_the_log_or_the_database(site: Podium, inside: Inside, provider: Provider) -> None:
    provider.person = {"sub": "u-13", "preferred_username": "alma"}
    come_in(site)
    assert CLIENT_SECRET not in site.output()
    for table in ("socialaccount_socialtoken", "socialaccount_socialapp", "socialaccount_socialaccount"):
        assert inside("rows", table) == 0


def test_a_provider_that_does_not_answer_is_named_and_asks_for_patience(site: Podium, provider: Provider) -> None:
    provider.is_down = True
    page = come_in(site)
    assert page.status_code == 503
    assert "The single sign-on provider does not answer." in page.text


# -- switching it on ---------------------------------------------------------------------------------------------------
def refusal(tmp_path: Path, **environment: str) -> str:
    """What `manage.py up` says that does not start."""
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", "0", "--data-dir", str(tmp_path / "data")]
    answer = subprocess.run(
        command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.returncode == 1
    return answer.stderr


@pytest.mark.once
def test_without_what_it_needs_the_start_says_how_to_install_it(tmp_path: Path, provider: Provider) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['allauth'] = None\n")
    said = refusal(tmp_path, PYTHONPATH=str(tmp_path), **provider.environment())
    assert said == (
        "Single sign-on is configured by the PODIUM_OIDC variables, and what it needs is not installed: "
        "run pip install 'podium[oidc]' (from a checkout: pip install -e '.[oidc]'), or unset the variables.\n"
    )


@pytest.mark.once
def test_half_a_configuration_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, PODIUM_OIDC_SERVER_URL="https://id.example.org", PODIUM_OIDC_CLIENT_ID="podium")
    assert said == ("Single sign-on is half configured: set PODIUM_OIDC_CLIENT_SECRET too, or none of the three.\n")


@pytest.mark.once
def test_without_a_provider_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    code = (
        "import django; django.setup(); import registry_site.urls, sys; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('allauth', 'jwt', 'oauthlib')])"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "registry_site.settings",
        "PODIUM_DATA_DIR": str(tmp_path),
    }
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_where_the_button_leads_back_to_stands_in_the_address(site: Podium, provider: Provider) -> None:
    page = requests.get(f"{site.url}/sign-in?next=/models%3Fq%3Dchurn%26sort%3Dname", timeout=30).text
    button = re.search(r'href="/sign-in/provider\?([^"]*)"', page)
    assert button
    assert parse_qs(urlsplit("?" + button[1].replace("&amp;", "&")).query) == {"next": ["/models?q=churn&sort=name"]}
