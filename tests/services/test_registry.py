"""Registered models, versions, tags, aliases and grants: what is written, what is refused, and in which words."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models.functions import Left
from pytest_django import Settings

from registry_site.accounts.access import Source
from registry_site.accounts.actors import Actor
from registry_site.accounts.grants import NewGrant
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.artifacts.store import default_store
from registry_site.audit.kinds import Kind
from registry_site.audit.models import Activity
from registry_site.core.errors import (
    AlreadyExists,
    Conflict,
    InvalidParameter,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    PodiumError,
)
from registry_site.promotion.deleting import delete_model
from registry_site.promotion.services import transition
from registry_site.registry import browsing, queries, services
from registry_site.registry.access import level_of, people_with_level
from registry_site.registry.evidence import evidence_of, run_names
from registry_site.registry.files import mlmodel_of, requirements_of
from registry_site.registry.grants import access_list, remove_grant, set_grant, set_grants
from registry_site.registry.history import display_names, history_of, recent_moves
from registry_site.registry.models import START_OF_VALUE, Grant, ModelVersion, RegisteredModel, Tag
from registry_site.registry.stages import Stage
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import grant, make_experiment, make_model, make_run, make_version

MLMODEL = """
flavors:
  python_function: {loader_module: mlflow.sklearn, env: {virtualenv: python_env.yaml}}
  sklearn: {sklearn_version: 1.9.1, serialization_format: skops}
signature:
  inputs: '[{"type": "double", "name": "tenure", "required": true}]'
"""


def refusal(error: type[PodiumError], act: Callable[[], object]) -> str:
    """What the actor is told."""
    with pytest.raises(error) as told:
        act()
    return told.value.message


def names(page: object) -> list[str]:
    return [model.name for model in page.rows]


def last_line() -> Activity:
    return Activity.objects.latest("pk")


# -- models ------------------------------------------------------------------------------------------------------------
def test_who_makes_a_model_owns_and_manages_it(maria_actor: Actor, maria: User) -> None:
    model = services.create_model(maria_actor, name="churn", description="Who leaves?", tags={"team": "growth"})
    assert (model.owner, level_of(maria_actor, model)) == (maria, Level.CAN_MANAGE)
    assert (last_line().kind, last_line().subject, last_line().data["tags"]) == (
        Kind.MODEL_CREATED,
        "model churn",
        {"team": "growth"},
    )


@pytest.mark.parametrize("name", ["churn", "price elasticity (EU)", "модель", "a.b-c_d", "100% <b>", "x" * 256])
def test_a_name_may_hold_anything_but_slashes_and_colons(name: str, maria_actor: Actor) -> None:
    services.create_model(maria_actor, name=name)
    assert queries.get_model(maria_actor, name).name == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Registered model name cannot be empty."),
        ("  ", "Registered model name cannot be empty."),
        ("a/b", "Invalid registered model name 'a/b': names must not contain '/' or ':', nor be '.' or '..'."),
        ("a:b", "Invalid registered model name 'a:b': names must not contain '/' or ':', nor be '.' or '..'."),
        ("..", "Invalid registered model name '..': names must not contain '/' or ':', nor be '.' or '..'."),
        ("x" * 257, "Invalid registered model name: it has 257 characters and may have 256."),
        ("a\nb", "Invalid registered model name: it must not hold control characters."),
    ],
)
def test_odd_names_are_refused(name: str, told: str, maria_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: services.create_model(maria_actor, name=name)) == told


def test_a_name_is_taken_once(maria_actor: Actor, eve_actor: Actor) -> None:
    services.create_model(maria_actor, name="churn")
    assert refusal(AlreadyExists, lambda: services.create_model(eve_actor, name="churn")) == (
        "Registered Model (name=churn) already exists."
    )
    assert Activity.objects.count() == 1


def test_a_stranger_makes_nothing(stranger_actor: Actor, db: None) -> None:
    with pytest.raises(NotSignedIn):
        services.create_model(stranger_actor, name="churn")


def test_a_description_is_replaced_and_history_keeps_both(maria_actor: Actor, eve_actor: Actor) -> None:
    services.create_model(maria_actor, name="churn", description="old")
    services.describe_model(maria_actor, name="churn", description="new")
    assert (last_line().data["before"], last_line().data["after"]) == ("old", "new")
    assert refusal(PermissionDenied, lambda: services.describe_model(eve_actor, name="churn", description="mine")) == (
        "This needs CAN_EDIT on registered model 'churn', and eve has CAN_READ. Ask maria or an administrator for a "
        "grant."
    )
    assert (
        refusal(InvalidParameter, lambda: services.describe_model(maria_actor, name="churn", description="x" * 262_145))
        == "The description has 262145 characters and may have 262144."
    )


def test_the_same_description_again_is_no_history(maria_actor: Actor) -> None:
    services.create_model(maria_actor, name="churn", description="old")
    services.describe_model(maria_actor, name="churn", description="old")
    assert Activity.objects.count() == 1


def test_a_renamed_model_keeps_all_it_has(maria_actor: Actor) -> None:
    make_version(maria_actor, "churn", tags={"quality": "good"})
    services.set_alias(maria_actor, name="churn", alias="champion", version=1)
    services.rename_model(maria_actor, name="churn", new_name="churn-2")
    found = queries.get_version_by_alias(maria_actor, "churn-2", "champion")
    assert (found.version, [tag.value for tag in found.tags.all()]) == (1, ["good"])
    assert refusal(NotFound, lambda: queries.get_model(maria_actor, "churn")) == (
        "Registered Model with name=churn not found"
    )


def test_a_rename_onto_another_model_is_refused(maria_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    make_model(maria_actor, "fraud")
    assert refusal(AlreadyExists, lambda: services.rename_model(maria_actor, name="churn", new_name="fraud")) == (
        "Registered Model (name=fraud) already exists."
    )


def test_renaming_needs_to_manage(maria_actor: Actor, jon_actor: Actor) -> None:
    make_model(maria_actor, "churn")
    with pytest.raises(PermissionDenied):
        services.rename_model(jon_actor, name="churn", new_name="mine")


# -- versions ----------------------------------------------------------------------------------------------------------
def test_versions_are_numbered_from_one_and_know_their_run_and_maker(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    first, second = make_version(maria_actor, run=run), make_version(maria_actor, run=run)
    assert (first.version, second.version) == (1, 2)
    assert (first.current_stage, first.run_id, first.user_id) == ("None", run.run_id, "maria")


def test_a_version_needs_a_source_that_this_server_knows(maria_actor: Actor) -> None:
    make_model(maria_actor)
    for source in ("file:///etc", "/etc/passwd", "http://10.0.0.1/x", "runs:/0123/../../x", "runs:/%2e%2e/x"):
        told = refusal(
            InvalidParameter, lambda source=source: services.create_version(maria_actor, name="churn", source=source)
        )
        assert told.startswith(f"Invalid model version source: '{source}'.")
    assert ModelVersion.objects.count() == 0


def test_registering_a_version_needs_to_edit_the_model(maria_actor: Actor, eve_actor: Actor) -> None:
    run = make_run(maria_actor)
    make_model(maria_actor)
    with pytest.raises(PermissionDenied):
        services.create_version(eve_actor, name="churn", source=f"runs:/{run.run_id}/model")


# -- tags and aliases --------------------------------------------------------------------------------------------------
def test_a_tag_has_one_value_and_the_last_one_counts(maria_actor: Actor) -> None:
    make_version(maria_actor)
    for value in ("a", "b"):
        services.set_model_tag(maria_actor, name="churn", key="team", value=value)
        services.set_version_tag(maria_actor, name="churn", version=1, key="quality", value=value)
    assert [tag.value for tag in queries.get_model(maria_actor, "churn").tags.all()] == ["b"]
    assert [tag.value for tag in queries.get_version(maria_actor, "churn", 1).tags.all()] == ["b"]
    assert (last_line().data["before"], last_line().data["after"]) == ("a", "b")


def test_removing_what_is_not_there_is_no_error_and_no_history(maria_actor: Actor) -> None:
    make_version(maria_actor)
    lines = Activity.objects.count()
    services.delete_model_tag(maria_actor, name="churn", key="x")
    services.delete_version_tag(maria_actor, name="churn", version=1, key="x")
    services.delete_alias(maria_actor, name="churn", alias="x")
    assert Activity.objects.count() == lines


def test_an_alias_points_at_one_version_and_moves(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    make_version(maria_actor, run=run)
    make_version(maria_actor, run=run)
    services.set_alias(maria_actor, name="churn", alias="champion", version=1)
    services.set_alias(maria_actor, name="churn", alias="champion", version=2)
    assert queries.get_version_by_alias(maria_actor, "churn", "champion").version == 2
    assert (last_line().data["before"], last_line().data["after"]) == (1, 2)
    services.delete_alias(maria_actor, name="churn", alias="champion")
    assert (
        refusal(InvalidParameter, lambda: queries.get_version_by_alias(maria_actor, "churn", "champion"))
        == "Registered model alias champion not found."
    )


@pytest.mark.parametrize(
    ("alias", "told"),
    [
        ("latest", "'latest' alias name (case insensitive) is reserved."),
        ("LATEST", "'latest' alias name (case insensitive) is reserved."),
        ("v7", "Version alias name 'v7' is reserved."),
        ("", "Invalid alias name: ''. An alias has 1 to 255 letters, digits, underscores and dashes."),
        ("a b", "Invalid alias name: 'a b'. An alias has 1 to 255 letters, digits, underscores and dashes."),
    ],
)
def test_odd_aliases_are_refused(alias: str, told: str, maria_actor: Actor) -> None:
    make_version(maria_actor)
    assert (
        refusal(InvalidParameter, lambda: services.set_alias(maria_actor, name="churn", alias=alias, version=1)) == told
    )


# -- grants ------------------------------------------------------------------------------------------------------------
def test_a_manager_gives_and_takes_a_level_and_history_tells(maria_actor: Actor, eve_actor: Actor) -> None:
    model = make_model(maria_actor)
    set_grant(maria_actor, name="churn", username="eve", level=Level.CAN_EDIT)
    assert level_of(eve_actor, model) is Level.CAN_EDIT
    set_grant(maria_actor, name="churn", username="eve", level=Level.CAN_MANAGE_STAGING_VERSIONS)
    assert (last_line().kind, last_line().data) == (
        Kind.GRANT_SET,
        {"username": "eve", "group": "", "before": "CAN_EDIT", "after": "CAN_MANAGE_STAGING_VERSIONS"},
    )
    remove_grant(maria_actor, name="churn", username="eve")
    assert level_of(eve_actor, model) is Level.CAN_READ
    assert (last_line().kind, last_line().data["before"]) == (Kind.GRANT_REMOVED, "CAN_MANAGE_STAGING_VERSIONS")


def test_a_group_holds_a_level_for_its_members(maria_actor: Actor, eve_actor: Actor, eve: User) -> None:
    model = make_model(maria_actor)
    eve.groups.add(Group.objects.create(name="risk-leads"))
    set_grant(maria_actor, name="churn", group="risk-leads", level=Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    assert level_of(eve_actor, model) is Level.CAN_MANAGE_PRODUCTION_VERSIONS
    holders = people_with_level(model, Level.CAN_MANAGE_PRODUCTION_VERSIONS)
    assert [user.username for user in holders] == ["eve", "maria"]


def test_the_greatest_grant_counts(maria_actor: Actor, eve_actor: Actor, eve: User) -> None:
    model = make_model(maria_actor)
    grant(eve, Level.CAN_EDIT)
    grant(eve, Level.CAN_READ, model)
    assert level_of(eve_actor, model) is Level.CAN_EDIT


def test_grants_on_all_models_are_the_administrators(maria_actor: Actor, admin_actor: Actor, eve: User) -> None:
    assert (
        refusal(PermissionDenied, lambda: set_grant(maria_actor, name=None, username="eve", level=Level.CAN_MANAGE))
        == "Only administrators may do this."
    )
    set_grant(admin_actor, name=None, username="eve", level=Level.CAN_EDIT)
    assert last_line().subject == "all registered models"


def test_nobody_gives_what_they_do_not_manage(maria_actor: Actor, jon_actor: Actor) -> None:
    make_model(maria_actor)
    with pytest.raises(PermissionDenied):
        set_grant(jon_actor, name="churn", username="jon", level=Level.CAN_MANAGE)


def test_the_last_manager_of_a_model_neither_leaves_nor_steps_down(
    maria_actor: Actor, eve: User, admin_actor: Actor
) -> None:
    make_model(maria_actor)
    told = (
        "After this nobody would have CAN_MANAGE on model churn. Give it to somebody else first, or ask an "
        "administrator."
    )
    acts: list[Callable[[], object]] = [
        lambda: remove_grant(maria_actor, name="churn", username="maria"),
        lambda: set_grant(maria_actor, name="churn", username="maria", level=Level.CAN_EDIT),
        lambda: set_grants(maria_actor, name="churn", given=[NewGrant(Level.CAN_EDIT, "eve")], replace=True),
    ]
    for act in acts:
        assert refusal(Conflict, act) == told
    assert list(Grant.objects.values_list("user__username", "level")) == [("maria", Level.CAN_MANAGE)]
    grant(eve, Level.CAN_MANAGE)  # on all models is enough
    acts[0]()
    set_grants(admin_actor, name="churn", given=[], replace=True)
    assert not Grant.objects.filter(registered_model__isnull=False).exists()


def test_several_levels_are_given_at_once_or_none_of_them(maria_actor: Actor, eve: User, jon: User) -> None:
    make_model(maria_actor)
    Group.objects.create(name="risk")

    def held() -> set[tuple[str | None, str | None, int]]:
        grants = Grant.objects.filter(registered_model__isnull=False)
        return set(grants.values_list("user__username", "group__name", "level"))

    given = [NewGrant(Level.CAN_EDIT, "eve"), NewGrant(Level.CAN_READ, group="risk")]
    wrong = [NewGrant(Level.CAN_EDIT, "jon"), NewGrant(Level.CAN_EDIT, "nobody")]
    assert refusal(NotFound, lambda: set_grants(maria_actor, name="churn", given=wrong)) == (
        "User 'nobody' does not exist."
    )
    assert held() == {("maria", None, 5)}
    set_grants(maria_actor, name="churn", given=given)
    assert held() == {("maria", None, 5), ("eve", None, 2), (None, "risk", 1)}
    set_grants(maria_actor, name="churn", given=[NewGrant(Level.CAN_MANAGE, "maria")], replace=True)
    assert held() == {("maria", None, 5)}
    kinds = Activity.objects.filter(kind__in=[Kind.GRANT_SET, Kind.GRANT_REMOVED]).values_list("kind", flat=True)
    assert list(kinds.order_by("pk")) == [Kind.GRANT_SET] * 2 + [Kind.GRANT_REMOVED] * 2


def test_who_may_do_what_is_shown_with_where_it_comes_from(
    maria_actor: Actor, jon: User, eve: User, admin: User, eve_actor: Actor, settings: Settings
) -> None:
    make_model(maria_actor)
    group = Group.objects.create(name="risk")
    group.user_set.add(eve, jon)
    set_grant(maria_actor, name="churn", group="risk", level=Level.CAN_EDIT)
    shown = access_list(eve_actor, "churn")
    assert (shown.everybody, shown.own) == (Level.CAN_READ, Level.CAN_EDIT)
    assert [(one.username or one.group, one.level, one.source, one.people) for one in shown.holders] == [
        ("maria", Level.CAN_MANAGE, Source.OWN, 0),
        ("risk", Level.CAN_EDIT, Source.OWN, 2),
        ("jon", Level.CAN_MANAGE_PRODUCTION_VERSIONS, Source.ALL, 0),
        ("admin", Level.CAN_MANAGE, Source.ADMINISTRATOR, 0),
    ]
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    group.user_set.clear()
    assert refusal(NotFound, lambda: access_list(eve_actor, "churn")) == "Registered Model with name=churn not found"


def test_a_name_that_is_used_again_brings_no_grant_along(
    maria_actor: Actor, jon_actor: Actor, eve: User, eve_actor: Actor
) -> None:
    grant(eve, Level.CAN_EDIT, make_model(maria_actor))
    services.rename_model(maria_actor, name="churn", new_name="leavers")
    assert level_of(eve_actor, RegisteredModel.objects.get(name="leavers")) is Level.CAN_EDIT
    assert level_of(eve_actor, services.create_model(jon_actor, name="churn")) is Level.CAN_READ
    told = refusal(AlreadyExists, lambda: services.rename_model(maria_actor, name="leavers", new_name="churn"))
    assert told == "Registered Model (name=churn) already exists."
    delete_model(maria_actor, name="leavers")
    assert level_of(eve_actor, services.create_model(jon_actor, name="leavers")) is Level.CAN_READ


def test_a_grant_has_one_holder_who_exists_and_a_level(maria_actor: Actor) -> None:
    make_model(maria_actor)

    def give(level: Level = Level.CAN_EDIT, **holder: str) -> Callable[[], object]:
        return lambda: set_grant(maria_actor, name="churn", level=level, **holder)

    assert refusal(InvalidParameter, give()) == "A grant is for one person or for one group."
    assert refusal(InvalidParameter, give(username="a", group="b")) == "A grant is for one person or for one group."
    assert refusal(NotFound, give(username="nobody")) == "User 'nobody' does not exist."
    assert refusal(NotFound, give(group="nobodies")) == "Group 'nobodies' does not exist."
    assert refusal(InvalidParameter, give(Level.NONE, username="maria")) == (
        "NONE is no level to give: remove the grant instead."
    )
    assert Grant.objects.count() == 1, "Maria's own"


# -- finding -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def three_models(maria_actor: Actor, jon_actor: Actor) -> None:
    make_version(maria_actor, "churn-eu")
    make_model(maria_actor, "churn-us", tags={"team": "growth"})
    make_version(jon_actor, "fraud", run=make_run(jon_actor, experiment=make_experiment(jon_actor, "payments")))
    services.set_model_tag(jon_actor, name="fraud", key="team", value="risk ml")
    services.set_alias(jon_actor, name="fraud", alias="champion", version=1)
    transition(jon_actor, name="fraud", version=1, to_stage=Stage.PRODUCTION)


@pytest.mark.usefixtures("three_models")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["churn-eu", "churn-us", "fraud"]),
        ("CHURN", ["churn-eu", "churn-us"]),
        ("churn eu", ["churn-eu"]),
        ("name ILIKE '%CHURN%'", ["churn-eu", "churn-us"]),
        ("tags.team = 'growth'", ["churn-us"]),
        ("stage:production", ["fraud"]),
        ("stage:staging", []),
        ("alias:champion", ["fraud"]),
        ("owner:me", ["churn-eu", "churn-us"]),
        ("owner:jon", ["fraud"]),
        ('tag.team:"risk ml"', ["fraud"]),
        ("churn owner:me tag.team:growth", ["churn-us"]),
        ("nothing", []),
    ],
)
def test_what_people_type_finds(typed: str, found: list[str], maria_actor: Actor) -> None:
    assert names(browsing.browse_models(maria_actor, text=typed)) == found


def test_an_unknown_term_names_those_that_there_are(maria_actor: Actor) -> None:
    assert refusal(InvalidParameter, lambda: browsing.browse_models(maria_actor, text="state:production")) == (
        "'state:production' is not known here. Try stage:production, alias:champion, owner:me, no:owner, has:request, "
        "has:finding or tag.team:risk-ml."
    )


@pytest.mark.usefixtures("three_models")
def test_pages_follow_one_another_in_both_orders(maria_actor: Actor) -> None:
    alphabet = ["churn-eu", "churn-us", "fraud"]
    for order, expected in (("name ASC", alphabet), ("name DESC", alphabet[::-1])):
        seen: list[str] = []
        token: str | None = None
        for _ in expected:
            page = browsing.browse_models(maria_actor, order_by=[order], max_results=1, page_token=token)
            seen += names(page)
            token = page.next_page_token
        assert (seen, token) == (expected, "")


def test_a_model_that_one_may_not_read_is_nowhere(
    maria_actor: Actor, eve_actor: Actor, eve: User, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    make_version(maria_actor, "churn")
    make_model(maria_actor, "fraud")
    grant(eve, Level.CAN_READ, RegisteredModel.objects.get(name="fraud"))
    assert names(browsing.browse_models(eve_actor)) == ["fraud"]
    assert [model.name for model in browsing.suggest_models(eve_actor, "")] == ["fraud"]
    assert queries.search_versions(eve_actor).rows == []
    assert recent_moves(eve_actor, Stage.NONE) == []
    for ask in (
        lambda: queries.get_model(eve_actor, "churn"),
        lambda: queries.get_version(eve_actor, "churn", 1),
        lambda: history_of(eve_actor, "churn"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_the_newest_version_of_each_stage_is_at_hand(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    for _ in range(3):
        make_version(maria_actor, run=run)
    transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING)
    transition(maria_actor, name="churn", version=2, to_stage=Stage.STAGING)
    latest = queries.get_model(maria_actor, "churn").latest_versions
    assert [(one.version, one.current_stage) for one in latest] == [(3, "None"), (2, "Staging")]
    newest = queries.newest_in_stage(maria_actor, "churn", Stage.STAGING)
    assert newest is not None
    assert newest.version == 2
    assert queries.newest_in_stage(maria_actor, "churn", Stage.PRODUCTION) is None


@pytest.mark.parametrize("statement", range(4))
def test_production_is_never_found_empty_while_one_version_takes_the_place_of_another(
    statement: int, maria_actor: Actor, jon_actor: Actor
) -> None:
    for _ in range(2):
        make_version(maria_actor, "churn")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    newcomers = iter([2, 1, 2])

    def stages_seen(read: Callable[[], list[ModelVersion]]) -> list[str]:
        """What a reader finds when somebody moves a version right before one of its statements."""
        count = iter(range(1000))

        def move_before_one(execute: Callable[..., Any], *statement_and_more: Any) -> Any:
            if next(count) == statement:
                moved = {"name": "churn", "version": next(newcomers), "to_stage": Stage.PRODUCTION}
                transition(jon_actor, **moved, archive_existing=True)
            return execute(*statement_and_more)

        with connection.execute_wrapper(move_before_one):
            return sorted(one.current_stage for one in read())

    one_of_each = (["None", "Production"], ["Archived", "Production"])
    assert stages_seen(lambda: queries.get_model(jon_actor, "churn").latest_versions) in one_of_each
    assert stages_seen(lambda: queries.search_models(jon_actor).rows[0].latest_versions) in one_of_each
    assert stages_seen(lambda: queries.latest_versions(jon_actor, "churn", [Stage.PRODUCTION])) == ["Production"]


# -- history and evidence ----------------------------------------------------------------------------------------------
def test_history_is_read_newest_first_by_pages_for_a_model_or_a_version(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    make_version(maria_actor, run=run)
    make_version(maria_actor, run=run)
    services.set_version_tag(maria_actor, name="churn", version=1, key="a", value="b")
    page = history_of(maria_actor, "churn", max_results=3)
    assert [line.kind for line in page.rows] == [Kind.VERSION_TAG_SET, Kind.VERSION_CREATED, Kind.VERSION_CREATED]
    rest = history_of(maria_actor, "churn", max_results=3, page_token=page.next_page_token)
    assert [line.kind for line in rest.rows] == [Kind.MODEL_CREATED]
    own = history_of(maria_actor, "churn", version=1)
    assert [line.kind for line in own.rows] == [Kind.VERSION_TAG_SET, Kind.VERSION_CREATED]
    assert display_names(own.rows) == {"maria": "Maria Lopez"}


def test_recent_moves_call_a_model_by_its_present_name(maria_actor: Actor, jon_actor: Actor) -> None:
    make_version(maria_actor)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    transition(jon_actor, name="churn", version=1, to_stage=Stage.ARCHIVED)
    services.rename_model(maria_actor, name="churn", new_name="churn-2")
    (only,) = recent_moves(jon_actor, Stage.PRODUCTION)
    assert (only.model_name, only.activity.version, only.activity.actor_name) == ("churn-2", 1, "jon")


def test_evidence_is_the_metrics_and_params_of_the_run(maria_actor: Actor) -> None:
    run = make_run(maria_actor, name="gbm")
    log_batch(
        maria_actor,
        run_id=run.run_id,
        metrics=[MetricPoint("loss", 0.3, 1), MetricPoint("auc", 0.9, 1)],
        params=[("depth", "3")],
    )
    version = make_version(maria_actor, run=run)
    (evidence,) = evidence_of(maria_actor, [version])
    assert (evidence.run, evidence.logged_model) == (run, None)
    assert (list(evidence.metrics.items()), evidence.params) == ([("auc", 0.9), ("loss", 0.3)], {"depth": "3"})
    assert run_names(maria_actor, [version]) == {run.run_id: "gbm"}


def test_evidence_costs_the_same_for_one_version_as_for_many(
    maria_actor: Actor, django_assert_num_queries: Callable[[int], object]
) -> None:
    versions = [make_version(maria_actor, run=make_run(maria_actor)) for _ in range(5)]
    for some in (versions[:1], versions):
        with django_assert_num_queries(4):
            evidence_of(maria_actor, some)


def test_the_mlmodel_and_requirements_beside_it_are_read(maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    version = make_version(maria_actor, run=run)
    assert (mlmodel_of(maria_actor, version), requirements_of(maria_actor, version)) == (None, [])
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/") + "/model"
    for name, text in (("MLmodel", MLMODEL), ("requirements.txt", "# made by MLflow\nmlflow==3.17.2\n\nnumpy<3\n")):
        default_store().write(f"{root}/{name}", io.BytesIO(text.encode()), length=len(text))
    mlmodel = mlmodel_of(maria_actor, version)
    assert mlmodel is not None
    assert [(one.name, one.version) for one in mlmodel.flavors] == [("python_function", None), ("sklearn", "1.9.1")]
    assert mlmodel.signature is not None
    assert [(one.name, one.type) for one in mlmodel.signature.inputs] == [("tenure", "double")]
    assert requirements_of(maria_actor, version) == ["mlflow==3.17.2", "numpy<3"]


@pytest.mark.parametrize("text", ["", "just words", "flavors: !!python/object:os.system {}", "a: [" * 200])
def test_a_broken_mlmodel_is_as_good_as_none(text: str, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    version = make_version(maria_actor, run=run)
    root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
    default_store().write(f"{root}/model/MLmodel", io.BytesIO(text.encode()), length=len(text))
    assert mlmodel_of(maria_actor, version) is None


def test_postgresql_finds_parts_of_names_by_an_index_where_it_has_the_extension(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has such an index")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
        has_extension = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'model_name_parts'")
        assert cursor.fetchone() == has_extension


def test_postgresql_knows_how_many_models_have_a_tag(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL counts the values of each key")
    models = RegisteredModel.objects.bulk_create(
        RegisteredModel(name=f"model {number}", creation_timestamp=0, last_updated_timestamp=0) for number in range(500)
    )
    Tag.objects.bulk_create(Tag(registered_model=model, key="team", value="risk") for model in models[:250])
    Tag.objects.bulk_create(
        Tag(registered_model=model, key=f"key {place}", value=f"value {place}")
        for model in models
        for place in range(9)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registry_tag")
    of_risk = Tag.objects.alias(start=Left("value", START_OF_VALUE)).filter(key="team", start="risk")
    (plan,) = json.loads(of_risk.explain(format="json"))
    assert 150 < plan["Plan"]["Plan Rows"] < 350
