"""Every service there is, called by people of every level and by a stranger: one table says who may call what.

A function that takes an actor and that the table does not name fails here: give it a row.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import transaction
from pytest_django import Settings

import registry_site
from registry_site.accounts import administration, filters, grants, groups, links
from registry_site.accounts import services as accounts
from registry_site.accounts.actors import Actor, person, stranger, system
from registry_site.accounts.grants import NewGrant
from registry_site.accounts.levels import Level
from registry_site.accounts.models import ApiToken, User
from registry_site.artifacts.archives import Format
from registry_site.audit import outbox
from registry_site.audit.kinds import Origin
from registry_site.core.errors import NotFound, NotSignedIn, PermissionDenied
from registry_site.notifications import services as notifications
from registry_site.notifications.audience import Way, Why
from registry_site.notifications.queries import Mark
from registry_site.promotion import (
    aliases,
    checks,
    comments,
    copying,
    deciding,
    deleting,
    directions,
    preparing,
    registration,
    setting_policies,
)
from registry_site.promotion import services as promotion
from registry_site.promotion.gates import CheckState
from registry_site.promotion.models import Comment
from registry_site.promotion.rules import DeploymentState, Policy, Verdict
from registry_site.registry import archive_links, inspection, manifests
from registry_site.registry import grants as model_grants
from registry_site.registry import services as registry
from registry_site.registry.stages import Stage
from registry_site.tracking import artifact_files, locking, logged_models, recording
from registry_site.tracking import grants as experiment_grants
from registry_site.tracking import services as tracking
from registry_site.tracking.recording import MetricPoint
from registry_site.webhooks import services as webhooks
from registry_site.webhooks.events import Event
from registry_site.webhooks.fan_out import fan_out as tell_webhooks
from registry_site.webhooks.models import Delivery
from tests.levels import (
    ADMINISTRATORS,
    ALL,
    EDIT,
    MANAGE,
    PEOPLE,
    PEOPLE_BY_LEVEL,
    READ,
    STAGING,
    Need,
    make_person,
    outcome_for,
)
from tests.make import PASSWORD, make_token, make_version
from tests.mlflow_api.endpoint_table import fill, filled

pytestmark = pytest.mark.django_db

Row = tuple[Need, Mapping[str, Any]]
EXPERIMENT, RUN, LOGGED = ({name: f"${name}"} for name in ("experiment_id", "run_id", "model_id"))
MODEL, VERSION, REQUEST = {"name": "told"}, {"name": "told", "version": 1}, {"name": "told", "number": 1}
TAG, GRANT = {"key": "a", "value": "b"}, {"username": "eve", "level": Level.CAN_MANAGE}
GRANTS = [NewGrant(Level.CAN_MANAGE, username="eve")]
NOTHING: Mapping[str, Any] = {}
EVE, KIM, RISK, HOOK = {"username": "eve"}, {"username": "kim"}, {"name": "risk"}, {"webhook_id": "$webhook_id"}
NEW_HOOK = {"name": "new", "url": "https://8.8.8.8/", "events": [Event.MODEL_VERSION_CREATED]}
TABLE: Mapping[ModuleType, Mapping[str, Row]] = {
    administration: {
        "confirm_email": (ADMINISTRATORS, EVE | {"email": "eve@example.org"}),
        "deactivate": (ADMINISTRATORS, EVE),
        "delete_user": (ADMINISTRATORS, EVE),
        "reactivate": (ADMINISTRATORS, EVE),
        "set_admin": (ADMINISTRATORS, EVE | {"is_admin": True}),
        "set_password": (ADMINISTRATORS, EVE | {"new": "a goat ate my umbrella"}),
        "update_user": (ADMINISTRATORS, EVE | {"display_name": "E", "email": "e@example.org"}),
        "withdraw_invitation": (ADMINISTRATORS, KIM),
    },
    groups: {
        "create_group": (ADMINISTRATORS, {"name": "new"}),
        "delete_group": (ADMINISTRATORS, RISK),
        "join": (ADMINISTRATORS, RISK | EVE),
        "leave": (ADMINISTRATORS, RISK | EVE),
        "set_groups": (ADMINISTRATORS, EVE | {"groups": ["risk"]}),
        "set_members": (ADMINISTRATORS, RISK | {"usernames": ["eve"]}),
    },
    links: {
        "invite": (ADMINISTRATORS, {"username": "lee", "email": "lee@example.org"}),
        "invite_again": (ADMINISTRATORS, KIM),
        "make_password_link": (ADMINISTRATORS, EVE),
    },
    accounts: {
        "change_password": (PEOPLE, {"current": PASSWORD, "new": "a goat ate my umbrella"}),
        "create_token": (ADMINISTRATORS, EVE),
        "create_user": (ADMINISTRATORS, {"username": "lee"}),
        "record_sign_in": (PEOPLE, NOTHING),
        "revoke_token": (ADMINISTRATORS, {"token_id": "$token_id"}),
        "update_profile": (PEOPLE, {"display_name": "Me", "email": "me@example.org", "time_zone": "UTC"}),
    },
    grants: {
        "suggest_groups": (PEOPLE, {"text": "r"}),
        "suggest_people": (PEOPLE, {"text": "e"}),
    },
    notifications: {
        "mail_password_link": (ALL, {"asked": "eve", "remote_address": "192.0.2.1"}),
        "follow": (READ, MODEL),
        "unfollow": (PEOPLE, MODEL),
        "mark": (PEOPLE, {"mark": Mark.READ}),
        "choose_mails": (PEOPLE, {"ways": {Why.FOLLOWS: Way.NEVER}}),
    },
    filters: {
        "own_filters": (PEOPLE, {"place": "models"}),
        "save_filter": (PEOPLE, {"place": "models", "name": "mine", "query": "q=owner%3Ame"}),
        "delete_filter": (PEOPLE, {"filter_id": 1}),
    },
    archive_links: {
        "sign_archive": (READ, MODEL | {"called": "1", "format": Format.ZIP, "lasts": timedelta(minutes=1)}),
    },
    webhooks: {
        "rotate_secret": (ADMINISTRATORS, HOOK),
        "send_again": (ADMINISTRATORS, {"delivery_id": "$delivery_id"}),
        "create_webhook": (ADMINISTRATORS, NEW_HOOK),
        "delete_webhook": (ADMINISTRATORS, HOOK),
        "try_webhook": (ADMINISTRATORS, HOOK),
        "update_webhook": (ADMINISTRATORS, HOOK | {"name": "renamed"}),
    },
    tracking: {
        "create_experiment": (PEOPLE, {"name": "new"}),
        "rename_experiment": (MANAGE, EXPERIMENT | {"new_name": "mine"}),
        "delete_experiment": (MANAGE, EXPERIMENT),
        "restore_experiment": (MANAGE, {"experiment_id": "$deleted_experiment_id"}),
        "set_experiment_tag": (EDIT, EXPERIMENT | TAG),
        "delete_experiment_tag": (EDIT, EXPERIMENT | {"key": "team"}),
        "create_run": (EDIT, EXPERIMENT),
        "update_run": (EDIT, RUN | {"status": "FINISHED"}),
        "delete_run": (EDIT, RUN),
        "restore_run": (EDIT, {"run_id": "$deleted_run_id"}),
        "set_run_tag": (EDIT, RUN | TAG),
        "delete_run_tag": (EDIT, RUN | {"key": "color"}),
        "log_inputs": (EDIT, RUN | {"model_ids": ["$model_id"]}),
        "log_outputs": (EDIT, RUN | {"models": NOTHING}),
        "log_run_model": (
            EDIT,
            RUN
            | {"model_json": '{"artifact_path": "m", "flavors": {}, "utc_time_created": "now", "run_id": "$run_id"}'},
        ),
    },
    locking: {
        "locked_run": (EDIT, RUN),
        "locked_active_run": (EDIT, RUN),
        "active_experiment": (EDIT, EXPERIMENT),
        "locked_experiment": (READ, EXPERIMENT | {"level": Level.CAN_READ}),
        "locked_active_experiment": (READ, EXPERIMENT | {"level": Level.CAN_READ}),
    },
    recording: {
        "log_metric": (EDIT, RUN | {"metric": MetricPoint("auc", 0.5, 1)}),
        "log_param": (EDIT, RUN | {"key": "trees", "value": "100"}),
        "log_batch": (EDIT, RUN | {"metrics": [MetricPoint("auc", 0.5, 1)], "tags": [("a", "b")]}),
    },
    logged_models: {
        "create_logged_model": (EDIT, EXPERIMENT),
        "finalize_logged_model": (EDIT, LOGGED | {"status": "LOGGED_MODEL_READY"}),
        "delete_logged_model": (EDIT, LOGGED),
        "set_logged_model_tags": (EDIT, LOGGED | {"tags": {"a": "b"}}),
        "add_version_to_logged_model": (READ, LOGGED | VERSION),  # the note beside a version that one may make
        "delete_logged_model_tag": (EDIT, LOGGED | {"key": "color"}),
        "log_logged_model_params": (EDIT, LOGGED | {"params": {"a": "b"}}),
        "get_logged_model": (READ, LOGGED),
    },
    artifact_files: {
        "write_artifact": (EDIT, {"path": "$run_root/a", "stream": BytesIO(), "length": 0}),
        "resolve_artifact": (READ, {"path": "$run_root/model"}),
        "resolve_run_artifact": (READ, RUN | {"path": "model"}),
        "run_artifacts": (READ, RUN),
        "resolve_logged_model_artifact": (READ, LOGGED | {"path": "MLmodel"}),
        "logged_model_artifacts": (READ, LOGGED),
        "folders_in_run": (READ, RUN),
        "folders_with": (READ, RUN | {"folders": ["model"], "name": "MLmodel"}),
        "folders_in_logged_model": (READ, LOGGED),
        "resolve_stored": (READ, {"path": "$run_root/model"}),
        "delete_artifact": (EDIT, {"path": "$run_root/plots"}),  # last: files don't come back
    },
    experiment_grants: {
        "set_grant": (MANAGE, EXPERIMENT | GRANT),
        "set_grants": (MANAGE, EXPERIMENT | {"given": GRANTS, "replace": False}),
        "remove_grant": (MANAGE, EXPERIMENT | {"username": "eve"}),
        "access_list": (READ, EXPERIMENT),
    },
    registry: {
        "create_model": (PEOPLE, {"name": "new"}),
        "describe_model": (EDIT, MODEL | {"description": "mine"}),
        "rename_model": (MANAGE, MODEL | {"new_name": "mine"}),
        "set_model_tag": (EDIT, MODEL | TAG),
        "delete_model_tag": (EDIT, {"name": "churn", "key": "team"}),
        "create_version": (EDIT, MODEL | {"source": "s3://bucket/model"}),
        "describe_version": (EDIT, VERSION | {"description": "mine"}),
        "set_version_tag": (EDIT, VERSION | TAG),
        "delete_version_tag": (EDIT, {"name": "churn", "version": 1, "key": "color"}),
        "set_alias": (EDIT, VERSION | {"alias": "best"}),
        "delete_alias": (EDIT, {"name": "churn", "alias": "champion"}),
    },
    inspection: {
        "files_of": (READ, VERSION),
        "manifest_of": (READ, VERSION),
        "scan_of": (READ, VERSION),
        "ask_for_check": (READ, VERSION),
        "scan_again": (EDIT, VERSION),
    },
    manifests: {"finalize_logged_model": (EDIT, LOGGED | {"status": "LOGGED_MODEL_READY"})},
    model_grants: {
        "set_grant": (MANAGE, MODEL | GRANT),
        "set_grants": (MANAGE, MODEL | {"given": GRANTS, "replace": False}),
        "remove_grant": (MANAGE, MODEL | {"username": "eve"}),
        "access_list": (READ, MODEL),
        "name_of": (READ, {"model_id": "$registered_model_id"}),
    },
    promotion: {
        "transition": (STAGING, VERSION | {"to_stage": Stage.STAGING}),
        "request_transition": (READ, VERSION | {"to_stage": Stage.ARCHIVED}),
        "rollback": (READ, {"name": "spare", "version": 1, "to_stage": Stage.STAGING}),  # for some it asks only
    },
    deciding: {
        "review": (STAGING, REQUEST | {"verdict": Verdict.APPROVE}),
        "dismiss_review": (MANAGE, REQUEST | {"reviewer": "maria", "reason": "no"}),
        "approve": (STAGING, REQUEST),
        "reject": (STAGING, REQUEST | {"comment": "no"}),
        "cancel": (MANAGE, REQUEST | {"comment": "no"}),
    },
    deleting: {"delete_version": (MANAGE, VERSION), "delete_model": (MANAGE, MODEL)},
    preparing: {"lock_version": (READ, VERSION | {"copy_to": "spare"})},
    setting_policies: {
        "set_policy": (MANAGE, MODEL | {"stage": Stage.PRODUCTION, "policy": Policy()}),
        "model_of_policy": (MANAGE, MODEL),
        "remove_policy": (MANAGE, MODEL | {"stage": Stage.ARCHIVED}),
    },
    aliases: {
        "set_alias_policy": (MANAGE, MODEL | {"alias": "champion", "stage": Stage.PRODUCTION}),
        "remove_alias_policy": (MANAGE, MODEL | {"alias": "champion"}),
    },
    directions: {
        "set_metric_direction": (MANAGE, MODEL | {"metric": "auc", "higher_is_better": True}),
        "remove_metric_direction": (MANAGE, MODEL | {"metric": "loss"}),
    },
    copying: {"copy_version": (EDIT, VERSION | {"copy_to": "spare"})},
    checks: {
        "post_check": (EDIT, VERSION | {"check": "ci/test", "state": CheckState.PASSED}),
        "post_deployment": (EDIT, VERSION | {"environment": "eu", "state": DeploymentState.SUCCEEDED}),
        "checks_of": (READ, VERSION),
        "deployments_of": (READ, VERSION),
    },
    comments: {
        "create_comment": (READ, VERSION | {"text": "Hm."}),
        "update_comment": (READ, {"comment_id": "$comment_id", "text": "Ah."}),
        "delete_comment": (READ, {"comment_id": "$comment_id"}),
        "comments_of": (READ, VERSION),
    },
    registration: {"register_version": (EDIT, MODEL | {"source": "s3://bucket/model"})},
}
ON_ALL: Mapping[Callable[..., Any], Mapping[str, Any]] = {  # for administrators, with these arguments
    experiment_grants.set_grant: GRANT | {"experiment_id": None},
    experiment_grants.remove_grant: {"experiment_id": None, "username": "maria"},
    model_grants.set_grant: GRANT | {"name": None},
    model_grants.remove_grant: {"name": None, "username": "maria"},
    setting_policies.set_policy: {"stage": Stage.PRODUCTION, "policy": Policy()},
    aliases.set_alias_policy: {"alias": "champion", "stage": Stage.PRODUCTION},
    directions.set_metric_direction: {"metric": "auc", "higher_is_better": True},
}
MODEL_HOOK = {"webhook_id": "$registry_webhook_id"}
ON_MODEL: Mapping[Callable[..., Any], Mapping[str, Any]] = {  # for those who manage the model that these are about
    webhooks.create_webhook: NEW_HOOK | {"model": "told"},
    webhooks.delete_webhook: MODEL_HOOK,
    webhooks.rotate_secret: MODEL_HOOK,
    webhooks.send_again: {"delivery_id": "$model_delivery_id"},
    webhooks.try_webhook: MODEL_HOOK,
    webhooks.update_webhook: MODEL_HOOK | {"name": "renamed"},
}
PROGRAMS = {"registry_site.artifacts.parquet_reader"}  # run, and never imported
DOORS = {"api", "container", "handlers", "mlflow_api", "pages", "settings", "urls", "worker", "wsgi"}
READING = {
    "access",
    "browsing",
    "compared",
    "evidence",
    "files",
    "finding",
    "histories",
    "history",
    "looking_ahead",
    "queries",
    "standing",
    "rows",
    "sources",
    "version_files",
    "visibility",
}  # see test_foreign_models
NOT_EVEN_THERE = {accounts.revoke_token}  # who may not, is not told whether there is such a thing
INSIDE_OF_SERVICES = {  # who call them in their transaction, with rows that they have asked about
    "accounts.grants": {"give", "grant_to_creator", "take"},
    "accounts.groups": {"groups_named", "put_into"},
    "accounts.services": {"change_user", "give_password"},
    "audit.record": {"record"},
    "promotion.copies": {"copy", "supersede_copies"},
    "promotion.mirrors": {"follow"},
    "promotion.moving": {"clear", "close", "move", "supersede"},
    "promotion.preparing": {"files_for_gates", "files_of", "files_of_request"},
    "promotion.settling": {"lock_request", "refresh", "settle", "settle_version", "try_to_settle"},
    "registry.freezing": {"refuse_frozen"},
    "registry.hooks": {"tell_version_changed"},
    "registry.locking": {"locked_version"},
    "registry.making": {"make_version"},
    "registry.pointing": {"point_alias"},
    "registry.staging": {"set_stage"},
    "tracking.artifact_files": {"resolve_direct_upload"},  # needs a bucket: see test_direct_transfers
    "tracking.logged_models": {"search_logged_models"},  # which finds rows as queries do
    "tracking.services": {"logged_model_keys"},
}
BY_A_SECRET = {  # whoever has it, and what makes it; see test_accounts, test_oidc and test_archives
    "accounts.signed_urls": {"sign"},
    "accounts.links": {
        "accept_invitation",
        "make_sign_in_link",
        "person_of_link",
        "redeem_sign_in_link",
        "reset_password",
    },
    "accounts.single_sign_on": {"sign_in"},
}


def calls() -> Iterator[tuple[Callable[..., Any], Need, Mapping[str, Any]]]:
    for module, rows in TABLE.items():
        for name, (need, arguments) in rows.items():
            yield getattr(module, name), need, arguments
    for function, arguments in ON_ALL.items():
        yield function, ADMINISTRATORS, arguments
    for function, arguments in ON_MODEL.items():
        yield function, MANAGE, arguments


def services() -> Iterator[tuple[str, str]]:
    """Every function below the doors that takes an actor first, as its module and its name."""
    for found in pkgutil.walk_packages(registry_site.__path__, "registry_site."):
        parts = found.name.split(".")
        if parts[1] in DOORS or parts[-1] in READING or "migrations" in parts or found.name in PROGRAMS:
            continue
        module = importlib.import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), "")
            if function.__module__ == found.name and not name.startswith("_") and first == "actor":
                yield ".".join(parts[1:]), name


@pytest.fixture
def names(maria_actor: Actor, eve: User, settings: Settings) -> dict[str, str]:
    """What the rows may name; all of it is Maria's."""
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    found = fill(maria_actor)
    Group.objects.create(name="risk")
    links.invite(system(), username="kim", email="kim@example.org")
    make_token(eve)
    setting_policies.set_policy(maria_actor, **MODEL, stage=Stage.ARCHIVED, policy=Policy())
    aliases.set_alias_policy(maria_actor, **MODEL, alias="champion", stage=Stage.PRODUCTION)
    make_version(maria_actor, "churn")
    while outbox.relay(tell_webhooks):
        pass
    directions.set_metric_direction(maria_actor, **MODEL, metric="loss", higher_is_better=False)
    return found | {
        "token_id": str(ApiToken.objects.get().pk),
        "delivery_id": Delivery.objects.filter(webhook__webhook_id=found["webhook_id"])[0].delivery_id,
        "model_delivery_id": found["delivery_id"],
    }


@pytest.mark.once
def test_every_service_has_a_row() -> None:
    named = {(module.__name__.removeprefix("registry_site."), name) for module, rows in TABLE.items() for name in rows}
    others = {
        (module, name) for found in (INSIDE_OF_SERVICES, BY_A_SECRET) for module in found for name in found[module]
    }
    assert set(services()) == named | others


@pytest.mark.parametrize("name", PEOPLE_BY_LEVEL)
def test_services_do_what_the_table_says(name: str, names: dict[str, str]) -> None:
    user = make_person(name)
    actor = person(user, Origin.PAGE)
    Comment.objects.update(author_id=user.pk)  # a comment is changed by who wrote it alone
    wrong = []
    for function, need, arguments in calls():
        expected, came = outcome_for(user, need), outcome(function, actor, filled(arguments, names))
        if function in NOT_EVEN_THERE:
            expected = expected.replace("forbidden", "hidden")
        if came != expected:
            wrong.append((f"{function.__module__}.{function.__name__}", expected, came))
    assert not wrong


def test_strangers_are_refused_everywhere_and_nothing_changes(names: dict[str, str], artifact_root: Path) -> None:
    before = everything(artifact_root)
    let_in = []
    for function, need, arguments in calls():
        if need is not ALL and outcome(function, stranger(Origin.PAGE), filled(arguments, names)) != "not signed in":
            let_in.append(f"{function.__module__}.{function.__name__}")
    assert not let_in
    assert everything(artifact_root) == before


def outcome(function: Callable[..., Any], actor: Actor, arguments: Mapping[str, Any]) -> str:
    """What came of a call, whose effect is then taken back."""
    try:
        with transaction.atomic():
            function(actor, **arguments)
            transaction.set_rollback(True)
    except NotFound:
        return "hidden"
    except PermissionDenied:
        return "forbidden"
    except NotSignedIn:
        return "not signed in"
    return "done"


def everything(artifact_root: Path) -> list[Any]:
    """All rows of all tables, and all files."""
    rows = [list(model._default_manager.order_by("pk").values()) for model in apps.get_models()]
    return [*rows, sorted(str(path) for path in artifact_root.rglob("*"))]
