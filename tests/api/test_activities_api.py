"""The native API: history."""

from registry_site.accounts.actors import Actor
from registry_site.accounts.models import User
from registry_site.promotion.deleting import delete_model
from registry_site.registry.services import describe_model, set_alias
from tests.api.test_people_api import problem
from tests.doors import Api
from tests.make import make_model, make_version


def test_the_history_of_a_model_in_pages(api: Api, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    for text in ("one", "two", "three"):
        describe_model(maria_actor, name="churn", description=text)
    first = api.get("/api/v1/models/churn/activities", {"max_results": 3}).json()
    assert [one["kind"] for one in first["activities"]] == ["model.described"] * 3
    assert first["activities"][0]["data"] == {"before": "two", "after": "three"}
    assert first["activities"][0]["previous_hash"] == first["activities"][1]["hash"]
    rest = api.get("/api/v1/models/churn/activities", {"max_results": 3, "page_token": first["next_page_token"]}).json()
    assert [one["kind"] for one in rest["activities"]] == ["model.created"]
    assert rest["next_page_token"] == ""


def test_that_of_a_version_or_of_some_kinds_only(api: Api, maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    make_version(maria_actor, "churn")
    make_version(maria_actor, "churn")
    set_alias(maria_actor, name="churn", alias="champion", version=1)
    path = "/api/v1/models/churn/activities"
    of_version = api.get(path, {"version": 1}).json()["activities"]
    assert [one["kind"] for one in of_version] == ["alias.set", "version.created"]
    of_kind = api.get(path, {"kind": "version.created"}).json()["activities"]
    assert [one["version"] for one in of_kind] == [2, 1]


def test_all_of_history_is_for_administrators_and_outlives_models(
    api: Api, maria_actor: Actor, admin: User, jon: User
) -> None:
    make_model(maria_actor, "churn")
    delete_model(maria_actor, name="churn")
    assert problem(api.get("/api/v1/activities"))[:2] == (403, "PERMISSION_DENIED")
    found = api.as_(admin).get("/api/v1/activities", {"model": "churn"}).json()["activities"]
    assert [one["kind"] for one in found] == ["model.deleted", "model.created"]
    assert {one["actor"] for one in found} == {"maria"}


def test_what_is_not_there_or_odd_is_said(api: Api, maria: User, admin: User) -> None:
    assert problem(api.get("/api/v1/models/nothing/activities")) == (404, "RESOURCE_DOES_NOT_EXIST", "name")
    for query, field in (
        ({"kind": "model.painted"}, "kind"),
        ({"since": "yesterday"}, "since"),
        ({"max_results": 501}, "max_results"),
        ({"page_token": "nonsense"}, "page_token"),
        ({"origin": "moon"}, "origin"),
    ):
        assert problem(api.as_(admin).get("/api/v1/activities", query)) == (400, "INVALID_PARAMETER_VALUE", field)
