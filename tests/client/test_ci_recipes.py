"""The recipes for CI in the documentation: they listen to what is sent, and their steps do what they say."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from registry_site.webhooks.formats import Format, events_of
from tests.live import ROOT, Podium, start_podium
from tests.receiver import Receiver, receiving

CI = ROOT / "docs" / "ci"
_MAKE_HOOKS = """
import sys
from registry_site.accounts.actors import system
from registry_site.webhooks.formats import Format
from registry_site.webhooks.services import create_webhook, new_secret
create_webhook(system(), name="github", url=sys.argv[1] + "/repos/a/b/dispatches", events=["request.created"],
               format=Format.GITHUB_DISPATCH, secret="github_pat_123")
create_webhook(system(), name="jenkins", url=sys.argv[1] + "/generic-webhook-trigger/invoke",
               events=["request.created"], format=Format.STANDARD, secret=new_secret(Format.STANDARD))
"""


# -- on paper ----------------------------------------------------------------------------------------------------------
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((CI / "github-actions.yml").read_text("utf-8"))
    return found


def jenkins_variables() -> dict[str, str]:
    """The JSON path of each variable."""
    text = (CI / "Jenkinsfile").read_text("utf-8")
    return dict(re.findall(r"\[key: '(\w+)', value: '\$\.([\w.]+)'\]", text))


def test_the_workflow_listens_to_events_that_there_are() -> None:
    wanted = workflow()[True]["repository_dispatch"]["types"]  # YAML reads `on` as true
    possible = {f"podium.{event}" for event in events_of(Format.GITHUB_DISPATCH)}
    assert set(wanted) <= possible
    assert all(each in (CI / "github-actions.yml").read_text("utf-8").split("jobs:")[1] for each in wanted)


def test_no_step_has_what_people_wrote_in_its_script() -> None:
    scripts = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    assert len(scripts) > 6
    assert not [script for script in scripts if "${{" in script]


def test_the_pipeline_listens_to_an_event_that_there_is() -> None:
    [pattern] = re.findall(r"regexpFilterExpression: '([^']+)'", (CI / "Jenkinsfile").read_text("utf-8"))
    assert [event for event in events_of(Format.STANDARD) if re.search(pattern.replace("\\\\", "\\"), event)] == [
        "request.created"
    ]


# -- and done ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Podium]:
    folder = tmp_path_factory.mktemp("ci")
    with start_podium(folder / "data", PODIUM_WEBHOOK_ALLOWED_HOSTS=receiver.host) as running:
        running.create_user("ci", is_admin=True)
        yield running


@pytest.mark.slow
def test_a_request_starts_the_workflow_whose_steps_post_a_check_and_a_deployment(
    site: Podium, receiver: Receiver, tmp_path: Path
) -> None:
    site.python(_MAKE_HOOKS, f"http://{receiver.host}")
    name = 'churn & "co" $(touch pwned)'
    post(site, "registered-models/create", name=name)
    post(site, "model-versions/create", name=name, source="s3://bucket/model")
    answer = api(site, "POST", f"models/{quoted(name)}/requests", version=1, to_stage="Production")
    assert answer.status_code in (200, 201), answer.text
    dispatch, standard = wait_for_two(receiver)
    assert dispatch["event_type"] == "podium.request.created"
    read = {key: at(standard, path) for key, path in jenkins_variables().items()}
    assert read == {"TYPE": "request.created", "MODEL": name, "VERSION": 1, "TO_STAGE": "Production"}

    shutil.copy(CI / "podium.py", tmp_path)
    (tmp_path / "smoke_test.py").write_text("import sys; assert sys.argv[1].startswith('models:/churn')")
    (tmp_path / "deploy.py").write_text("import sys; assert sys.argv[1].startswith('models:/churn')")
    environment = variables(site, dispatch)
    for job in ("check", "deploy"):
        for step in workflow()["jobs"][job]["steps"]:
            if "run" in step and step.get("if") != "failure()":
                subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    assert not (tmp_path / "pwned").exists()
    version = f"models/{quoted(name)}/versions/1"
    [check] = api(site, "GET", f"{version}/checks").json()["checks"]
    assert (check["check"], check["state"]) == ("smoke-test", "passed")
    assert check["link"] == "https://github.com/acme/serving/actions/runs/42"
    [deployment] = api(site, "GET", f"{version}/deployments").json()["deployments"]
    assert (deployment["environment"], deployment["state"]) == ("production", "succeeded")

    refused = subprocess.run(
        ["python3", "podium.py", "check", "smoke-test", "excellent"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "Podium refused it (400)" in refused.stderr


@pytest.mark.slow
def test_a_candidate_that_fails_its_test_gets_a_failed_check_and_one_that_fails_to_deploy_says_so(
    site: Podium, tmp_path: Path
) -> None:
    dispatch = dispatch_about(site, "frail")
    shutil.copy(CI / "podium.py", tmp_path)
    for script in ("smoke_test.py", "deploy.py"):
        (tmp_path / script).write_text("import sys; sys.exit('it is worse')")
    environment = variables(site, dispatch)
    for job in ("check", "deploy"):
        failed = False
        for step in workflow()["jobs"][job]["steps"]:
            if "run" in step and (step.get("if") == "failure()") == failed:
                done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=False)
                failed = failed or done.returncode != 0
        assert failed
    [check] = api(site, "GET", "models/frail/versions/1/checks").json()["checks"]
    assert (check["check"], check["state"], check["summary"]) == ("smoke-test", "failed", "See the log of the run.")
    [deployment] = api(site, "GET", "models/frail/versions/1/deployments").json()["deployments"]
    assert (deployment["environment"], deployment["state"]) == ("production", "failed")


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_the_steps_of_the_pipeline_post_what_came_of_it(outcome: str, site: Podium, tmp_path: Path) -> None:
    name = f"jenkins-{outcome}"
    dispatch_about(site, name)
    text = (CI / "Jenkinsfile").read_text("utf-8")
    steps, after = text.split("  post {")
    [said] = re.findall(rf"{outcome} {{ sh '([^']+)' }}", after)
    commands = re.findall(r"sh '([^']+)'", steps)
    assert len(commands) == 2
    shutil.copy(CI / "podium.py", tmp_path)
    (tmp_path / "smoke_test.py").write_text(f"import sys; sys.exit({outcome == 'failure'})")
    environment = {
        "PATH": os.environ["PATH"],
        "PODIUM_URL": site.url,
        "PODIUM_TOKEN": site.token("ci"),
        "RUN_ID": "jenkins-check-7",
        "RUN_LINK": "https://jenkins.internal/job/check/7/",
        "MODEL": name,
        "VERSION": "1",
    }
    codes = [
        subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, check=False).returncode
        for command in (*commands, said)
    ]
    assert codes == [0, outcome == "failure", 0]
    [check] = api(site, "GET", f"models/{name}/versions/1/checks").json()["checks"]
    assert check["state"] == {"success": "passed", "failure": "failed"}[outcome]
    assert check["link"] == "https://jenkins.internal/job/check/7/"


def dispatch_about(site: Podium, name: str) -> dict[str, Any]:
    """What GitHub would be told of a request for the first version of a new model."""
    post(site, "registered-models/create", name=name)
    post(site, "model-versions/create", name=name, source="s3://bucket/model")
    return {"event_type": "podium.request.created", "client_payload": {"model": name, "version": 1}}


def variables(site: Podium, dispatch: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a step: the workflow's own, with every `${{ … }}` as GitHub would fill it in."""
    contexts = {
        "vars": {"PODIUM_URL": site.url},
        "secrets": {"PODIUM_TOKEN": site.token("ci")},
        "github": {
            "event": dispatch | {"action": dispatch["event_type"]},
            "run_id": 42,
            "run_attempt": 1,
            "server_url": "https://github.com",
            "repository": "acme/serving",
        },
    }
    found = {"PATH": os.environ["PATH"]}
    for key, text in workflow()["env"].items():
        found[key] = re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: str(at(contexts, match[1])), text)
    return found


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[step]
    return value


def wait_for_two(receiver: Receiver) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body of the dispatch, and the standard one."""
    deadline = 100
    while len(receiver.taken) < 2 and deadline:
        deadline -= 1
        time.sleep(0.2)
    bodies = [json.loads(body) for _, body in receiver.taken]
    [dispatch] = [body for body in bodies if "event_type" in body]
    [standard] = [body for body in bodies if "type" in body]
    return dispatch, standard


def post(site: Podium, path: str, **body: object) -> None:
    headers = {"Authorization": f"Bearer {site.token('ci')}"}
    requests.post(f"{site.url}/api/2.0/mlflow/{path}", json=body, headers=headers, timeout=30).raise_for_status()


def api(site: Podium, method: str, path: str, **body: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {site.token('ci')}"}
    address = f"{site.url}/api/v1/{path}"
    return requests.request(method, address, json=body or None, headers=headers, timeout=30)


def quoted(name: str) -> str:
    return requests.utils.quote(name, safe="")
