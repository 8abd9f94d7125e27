"""Register Model: from a run to a version, in one form."""

import io
from typing import Any

import pytest
from django.test import Client

from registry_site.accounts.actors import Actor
from registry_site.core.errors import AlreadyExists
from registry_site.promotion.queries import requests_of_model
from registry_site.promotion.registration import register_version
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.queries import get_version, get_version_by_alias
from registry_site.registry.stages import Stage
from registry_site.tracking import rules, services
from registry_site.tracking.artifact_files import write_artifact
from registry_site.tracking.logged_models import create_logged_model
from registry_site.tracking.models import Run
from tests.make import make_model, make_run

HTMX = {"HX-Request": "true", "HX-Target": "dialog-content"}


@pytest.fixture
def run(maria_actor: Actor) -> Run:
    """A run with a model in its folder `model`."""
    run = make_run(maria_actor, name="gbm")
    text = b"flavors:\n  sklearn: {sklearn_version: 1.8.0}\n"
    write_artifact(
        maria_actor, f"{rules.storage_path(run.artifact_uri, '')}/model/MLmodel", io.BytesIO(text), length=None
    )
    return run


def filled(**changes: Any) -> dict[str, Any]:
    """The form as Maria fills it in, with changes."""
    return {"path": "model", "target": "existing", "existing": "churn"} | changes


def url_of(run: Run) -> str:
    return f"/runs/{run.run_id}/register?path=model"


def test_the_dialog_and_the_page_are_the_same_form(maria_page: Client, run: Run) -> None:
    page = maria_page.get(url_of(run)).content.decode()
    dialog = maria_page.get(url_of(run), headers=HTMX).content.decode()
    assert "<html" in page
    assert "<html" not in dialog
    assert '<h2 id="dialog-title">Register model</h2>' in dialog
    for html in (page, dialog):
        assert f"runs:/{run.run_id}/model" in html
        assert 'data-combobox-url="/suggest/models?q="' in html


def test_an_existing_model_gets_its_next_version(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    make_model(maria_actor, "churn")
    response = maria_page.post(url_of(run), filled(description="Twice as **fast**"), headers=HTMX)
    assert response.headers["HX-Redirect"] == "/models/churn/versions/1"
    version = get_version(maria_actor, "churn", 1)
    assert version.source == f"runs:/{run.run_id}/model"
    assert version.run_id == run.run_id
    assert version.description == "Twice as **fast**"


def test_without_scripts_the_answer_is_a_redirect_with_a_message(
    maria_page: Client, maria_actor: Actor, run: Run
) -> None:
    make_model(maria_actor, "churn")
    response = maria_page.post(url_of(run), filled(), follow=True)
    assert response.redirect_chain == [("/models/churn/versions/1", 302)]
    assert "churn version 1 is registered." in response.content.decode()


def test_everything_at_once_for_a_new_model(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    maria_page.post(
        url_of(run),
        filled(
            target="new",
            new_name="churn / π".replace("/", "-"),
            tag_key=["team", "", "tier"],
            tag_value=["risk", "", "1"],
            alias="champion",
            promote_to="Production",
            reason="It beats the old one.",
        ),
    )
    version = get_version_by_alias(maria_actor, "churn - π", "champion")
    assert {tag.key: tag.value for tag in version.tags.all()} == {"team": "risk", "tier": "1"}
    request = requests_of_model(maria_actor, "churn - π").get()
    assert (request.to_stage, request.comment) == ("Production", "It beats the old one.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"existing": ""}, "Choose a registered model, or make a new one."),
        ({"existing": "no such model"}, "Registered Model with name=no such model not found"),
        ({"target": "new", "new_name": ""}, "Name the new model."),
        ({"target": "new", "new_name": "a/b"}, "names must not contain"),
        ({"target": "new", "new_name": "churn"}, "Registered Model (name=churn) already exists."),
        ({"alias": "v7"}, "Version alias name 'v7' is reserved."),
        ({"alias": "not an alias"}, "Invalid alias name"),
        ({"promote_to": "Production"}, "Say why it should be promoted"),
        ({"tag_key": [""], "tag_value": ["lonely"]}, "A tag has a value and no key."),
        ({"path": "elsewhere"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_in_the_form_and_nothing_is_kept(
    maria_page: Client, maria_actor: Actor, run: Run, changes: dict[str, Any], said: str
) -> None:
    make_model(maria_actor, "churn")
    form = filled(description="My words", reason="") | changes
    response = maria_page.post(url_of(run), form, headers=HTMX)
    html = response.content.decode().replace("&#x27;", "'")
    assert response.status_code == 422
    assert said in html
    assert "My words</textarea>" in html
    assert not ModelVersion.objects.exists()
    assert RegisteredModel.objects.count() == 1


def test_a_bad_alias_takes_the_new_model_back_too(maria_actor: Actor, run: Run) -> None:
    make_model(maria_actor, "churn")
    with pytest.raises(AlreadyExists):
        register_version(maria_actor, name="churn", source=f"runs:/{run.run_id}/model", is_new_model=True)
    register_version(
        maria_actor, name="churn", source=f"runs:/{run.run_id}/model", promote_to=Stage.STAGING, reason="try it"
    )
    assert requests_of_model(maria_actor, "churn").count() == 1


def test_eve_may_not_add_versions_to_marias_model(maria_actor: Actor, eve: Any, page_client: Any, run: Run) -> None:
    make_model(maria_actor, "churn")
    response = page_client(eve).post(url_of(run), filled(), headers=HTMX)
    assert response.status_code == 422
    assert "needs CAN_EDIT on registered model" in response.content.decode()


def test_a_run_with_several_models_offers_a_choice(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    for name in ("small", "large"):
        model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name=name, source_run_id=run.run_id)
        services.log_outputs(maria_actor, run_id=run.run_id, models={model.model_id: 0})
    html = maria_page.get(f"/runs/{run.run_id}/register").content.decode()
    assert '<option value="large"' in html
    assert '<option value="small"' in html
    make_model(maria_actor, "churn")
    maria_page.post(f"/runs/{run.run_id}/register", filled(path="small"))
    assert get_version(maria_actor, "churn", 1).source == f"runs:/{run.run_id}/small"


def test_a_run_without_a_model_says_so(maria_page: Client, maria_actor: Actor) -> None:
    run = make_run(maria_actor)
    assert "No model here" in maria_page.get(f"/runs/{run.run_id}/register").content.decode()


def test_a_logged_model_is_registered_by_its_own_uri(maria_page: Client, maria_actor: Actor, run: Run) -> None:
    make_model(maria_actor, "churn")
    model = create_logged_model(maria_actor, experiment_id=run.experiment_id, name="scorer", source_run_id=run.run_id)
    maria_page.post(f"/logged-models/{model.model_id}/register", filled(path="scorer"))
    version = get_version(maria_actor, "churn", 1)
    assert version.source == f"models:/{model.model_id}"
    assert version.model_id == model.model_id
    assert 'href="/models/churn/versions/1"' in maria_page.get(f"/logged-models/{model.model_id}").content.decode()
