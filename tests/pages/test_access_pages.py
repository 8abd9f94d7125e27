"""The Access tab of registered models and experiments, and the desk's form of a grant."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.registry.models import Grant
from registry_site.tracking.models import ExperimentGrant
from registry_site.tracking.services import delete_experiment
from tests.make import grant, grant_on_experiments, make_experiment, make_model, make_run

pytestmark = pytest.mark.django_db

Pages = Callable[[User], Client]
PROBE = "<img src=x onerror=alert(1)>"


@pytest.fixture(params=["model", "experiment"])
def tab(request: pytest.FixtureRequest, maria_actor: Actor) -> str:
    """The address of the tab, on a model or an experiment of Maria's."""
    if request.param == "model":
        return f"/models/{make_model(maria_actor)}/access"
    return f"/experiments/{make_experiment(maria_actor).pk}/access"


def held(tab: str) -> set[tuple[str | None, str | None, int]]:
    """What is granted on the thing itself."""
    grants = (
        Grant.objects.filter(registered_model__isnull=False)
        if tab.startswith("/models")
        else ExperimentGrant.objects.filter(experiment__isnull=False)
    )
    return set(grants.values_list("user__username", "group__name", "level"))


def rows(html: str) -> list[str]:
    """The texts of the table's rows."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    texts = [" ".join(_without_tags(row).split()) for row in body.split("<tr>")[1:]]
    return [text.strip() for text in texts]


def _without_tags(html: str) -> str:
    return "".join(part.partition(">")[2] for part in f">{html}".split("<"))


def test_readers_see_who_may_do_what_and_where_it_comes_from(
    tab: str, eve: User, jon: User, admin: User, page_client: Pages
) -> None:
    grant_on_experiments(jon, Level.CAN_MANAGE)
    grant(jon, Level.CAN_MANAGE)
    html = page_client(eve).get(tab).content.decode()
    kind = "models" if "models" in tab else "experiments"
    assert rows(html) == [
        "Everybody who is signed in CAN_READ the site",
        "MMaria Lopezmaria CAN_MANAGE granted here",
        f"JJon Weberjon CAN_MANAGE on all {kind}",
        "AAda Minadmin CAN_MANAGE administrator",
    ]
    assert "Yours is <strong>CAN_READ</strong>" in html
    assert "<select" not in html
    assert "example.org" not in html, "nobody's address"


def test_a_manager_gives_changes_and_takes_levels_without_scripts(tab: str, eve: User, maria_page: Client) -> None:
    Group.objects.create(name="risk").user_set.add(eve)
    given = maria_page.post(tab, {"deed": "give", "username": "eve", "level": "CAN_READ"}, follow=True)
    assert "eve has CAN_READ now." in given.content.decode()
    maria_page.post(tab, {"deed": "give", "group": "risk", "level": "CAN_EDIT"})
    assert held(tab) == {("maria", None, 5), ("eve", None, 1), (None, "risk", 2)}
    html = maria_page.get(tab).content.decode()
    assert 'aria-label="Level of risk"' in html
    assert "1 person" in html
    maria_page.post(tab, {"deed": "give", "username": "eve", "group": "", "level": "CAN_EDIT"})
    taken = maria_page.post(tab, {"deed": "take", "username": "", "group": "risk"}, follow=True)
    assert "The level is taken from risk." in taken.content.decode()
    assert held(tab) == {("maria", None, 5), ("eve", None, 2)}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"username": "nobody", "level": "CAN_READ"}, "Person: User &#x27;nobody&#x27; does not exist."),
        ({"group": "nobody", "level": "CAN_READ"}, "or group: Group &#x27;nobody&#x27; does not exist."),
        ({"level": "CAN_READ"}, "Person: Name one person, or one group."),
        ({"username": "eve", "group": "risk", "level": "CAN_READ"}, "Person: Name one person, or one group."),
        ({"username": "eve", "level": "NONE"}, "Select a valid choice. NONE is not one of the available choices."),
        (
            {"username": PROBE, "level": "CAN_READ"},
            "User &#x27;&lt;img src=x onerror=alert(1)&gt;&#x27; does not exist.",
        ),
        ({"username": "maria", "level": "CAN_READ"}, "After this nobody would have CAN_MANAGE on"),
        ({"username": "maria", "deed": "take"}, "After this nobody would have CAN_MANAGE on"),
    ],
)
def test_what_cannot_be_done_is_said_beside_the_form(
    sent: dict[str, str], told: str, tab: str, eve: User, maria_page: Client
) -> None:
    Group.objects.create(name="risk")
    answer = maria_page.post(tab, {"deed": "give"} | sent)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert held(tab) == {("maria", None, 5)}


@pytest.mark.parametrize("deed", ["give", "take"])
def test_who_does_not_manage_it_is_refused(deed: str, tab: str, eve: User, page_client: Pages) -> None:
    sent = {"deed": deed, "username": "eve", "level": "CAN_MANAGE"}
    answer = page_client(eve).post(tab, sent)
    assert answer.status_code == 403
    assert "Ask maria or an administrator for a grant." in answer.content.decode()
    assert held(tab) == {("maria", None, 5)}


def test_people_and_groups_are_suggested_by_name_and_never_by_address(
    eve: User, maria_page: Client, stranger_page: Client
) -> None:
    Group.objects.create(name="risk-leads")
    User.objects.create_user("gone", display_name="Eve Gone", is_active=False)
    assert maria_page.get("/suggest/people?q=ev").json() == {"items": [{"value": "eve", "label": "eve", "hint": "Eve"}]}
    assert maria_page.get("/suggest/people?q=lopez").json()["items"][0]["value"] == "maria"
    assert maria_page.get("/suggest/people?q=example.org").json() == {"items": []}
    assert maria_page.get("/suggest/people?q=%00").status_code == 200
    assert maria_page.get("/suggest/groups?q=leads risk").json() == {
        "items": [{"value": "risk-leads", "label": "risk-leads"}]
    }
    assert stranger_page.get("/suggest/people?q=ev").status_code == 302


def test_only_who_may_changes_an_experiment_is_offered_to(
    maria_actor: Actor, maria_page: Client, eve: User, page_client: Pages
) -> None:
    run = make_run(maria_actor)
    experiment = run.experiment
    address, edit = f"/experiments/{experiment.pk}", "Edit name and description"

    def offered(page: Client, place: str) -> set[str]:
        html = page.get(place).content.decode()
        return {word for word in (edit, "Delete experiment", "Delete run", "Restore") if word in html}

    assert offered(maria_page, address) == {edit, "Delete experiment"}
    eves = page_client(eve)
    assert offered(eves, address) == offered(eves, f"/runs/{run.run_id}") == set()
    grant_on_experiments(eve, Level.CAN_EDIT, experiment)
    assert offered(eves, address) == {edit}
    assert offered(eves, f"/runs/{run.run_id}") == {edit, "Delete run"}
    delete_experiment(maria_actor, experiment_id=experiment.pk)
    assert offered(eves, address) == set()
    assert offered(maria_page, address) == {"Restore"}


def test_an_editor_describes_an_experiment_and_does_not_rename_it(
    maria_actor: Actor, eve: User, page_client: Pages
) -> None:
    experiment = make_experiment(maria_actor)
    grant_on_experiments(eve, Level.CAN_EDIT, experiment)
    page, address = page_client(eve), f"/experiments/{experiment.pk}/edit"
    shown = page.get(address).content.decode()
    assert "readonly" in shown
    assert "Another name needs CAN_MANAGE on the experiment." in shown
    assert page.post(address, {"name": "fraud", "description": "Cards"}).status_code == 302
    assert experiment.tags.get().value == "Cards"
    refused = page.post(address, {"name": "mine", "description": "Cards"})
    assert refused.status_code == 422
    assert "This needs CAN_MANAGE on experiment &#x27;fraud&#x27;" in refused.content.decode()


# -- the governance desk -----------------------------------------------------------------------------------------------
def test_levels_on_experiments_are_given_changed_and_taken_at_the_desk(
    maria_actor: Actor, admin: User, page_client: Pages
) -> None:
    desk, group = page_client(admin), Group.objects.create(name="risk")
    experiment = make_experiment(maria_actor)
    place = "/admin/tracking/experimentgrant"
    for chosen in ("", experiment.pk):
        sent = {"experiment": chosen, "group": group.pk, "level": "1"}
        assert desk.post(f"{place}/add/", sent).status_code == 302
    made = ExperimentGrant.objects.get(experiment=experiment, group=group)
    assert desk.post(f"{place}/{made.pk}/change/", {"level": "5"}).status_code == 302
    assert ExperimentGrant.objects.get(pk=made.pk).level == Level.CAN_MANAGE
    assert desk.post(f"{place}/{made.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(ExperimentGrant.objects.filter(group=group).values_list("experiment", flat=True)) == [None]
    assert desk.get(f"{place}/", {"q": "risk"}).status_code == 200
    assert desk.post(f"{place}/add/", {"group": group.pk, "level": "3"}).status_code == 200, "no level of experiments"
