"""Pages that ask the database for several things at once: in few statements the same page as with one after another."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.promotion.aliases import set_alias_policy
from registry_site.promotion.checks import post_check, post_deployment
from registry_site.promotion.copying import copy_version
from registry_site.promotion.deciding import approve
from registry_site.promotion.directions import set_metric_direction
from registry_site.promotion.gates import CheckState, Comparison, Gate, GateType
from registry_site.promotion.rules import DeploymentState, Policy
from registry_site.promotion.services import request_transition, transition
from registry_site.promotion.setting_policies import set_policy
from registry_site.registry.models import RegisteredModel
from registry_site.registry.services import create_model, describe_version, set_alias, set_version_tag
from registry_site.registry.stages import Stage
from tests.make import grant, grant_on_experiments, make_user
from tests.pages.registry_flows import MLMODEL, html_of, version_with_run, words_of

pytestmark = pytest.mark.django_db(transaction=True)  # in a transaction every question is asked

GATES = (
    Gate(GateType.METRIC, "auc", Comparison.AT_LEAST, 0.1 + 0.2),
    Gate(GateType.METRIC_AGAINST_OCCUPANT, "loss", Comparison.AT_MOST, 0),
    Gate(GateType.SIGNATURE),
    Gate(GateType.TAG, "owner"),
    Gate(GateType.CHECK, "ci/test"),
)
MOST = {
    "/models/churn": 15,
    "/models/churn/requests": 15,
    "/models/churn/versions/1": 15,
    "/models/churn/versions/2": 18,
    "/models/churn/requests/1": 15,
    "/models/churn/requests/2": 15,
    "/models/churn/requests/new?version=2": 15,
    "/models/churn/versions/2/transition?to=Production": 15,
}


@pytest.fixture
def churn(maria_actor: Actor, jon_actor: Actor, admin_actor: Actor) -> RegisteredModel:
    """Version 1 is in Production by an approved request, version 2 waits for one with gates, and all else is there."""
    for auc, loss in ((0.912, 0.3), (0.929, 0.4)):
        files = {"MLmodel": MLMODEL, "requirements.txt": "scikit-learn==1.9.1\n"}
        version_with_run(maria_actor, metrics={"auc": auc, "loss": loss}, params={"depth": "3"}, files=files)
    set_metric_direction(admin_actor, metric="loss", higher_is_better=False)
    request_transition(maria_actor, name="churn", version=1, to_stage=Stage.STAGING, comment="First")
    approve(jon_actor, name="churn", number=1, comment="Yes.")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    set_policy(admin_actor, stage=Stage.PRODUCTION, policy=Policy(protected=True, required_approvals=2, gates=GATES))
    set_alias_policy(admin_actor, alias="live", stage=Stage.PRODUCTION, is_mirror=True)
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION, comment="Half the size.")
    about = {"name": "churn", "version": 2}
    set_version_tag(maria_actor, **about, key="owner", value="o'\"\\ 😀")
    set_alias(maria_actor, name="churn", alias="challenger", version=2)
    describe_version(maria_actor, **about, description="Trained on **May**.")
    post_check(jon_actor, **about, check="ci/test", state=CheckState.FAILED, summary="214 of 312", link="")
    post_deployment(jon_actor, **about, environment="eu-west", state=DeploymentState.SUCCEEDED)
    create_model(admin_actor, name="churn-eu")
    copy_version(admin_actor, name="churn", version=2, copy_to="churn-eu")
    return RegisteredModel.objects.get(name="churn")


@pytest.mark.parametrize("reads", ["everything", "what is granted"])
@pytest.mark.parametrize("url", MOST)
def test_the_page_takes_few_statements_and_is_the_same_as_with_many(
    url: str, reads: str, churn: RegisteredModel, page_client: Callable[[User], Client], settings: Settings
) -> None:
    eve = make_user("eve", level=None if reads == "what is granted" else Level.CAN_READ)
    if reads == "what is granted":
        settings.PODIUM_DEFAULT_LEVEL = "NONE"
        grant(eve, Level.CAN_MANAGE_PRODUCTION_VERSIONS, churn)
        grant_on_experiments(eve, Level.CAN_READ)
    page = page_client(eve)
    html_of(page.get(url))
    with CaptureQueriesContext(connection) as few:
        together = words_of(page.get(url))
    with patch.object(connection, "in_atomic_block", True), CaptureQueriesContext(connection) as many:
        one_by_one = words_of(page.get(url))
    assert together == one_by_one
    assert len(few) <= MOST[url] < len(many)
