"""Experiments and their runs, as people see them."""

from collections.abc import Mapping

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry_site.accounts.actors import Actor
from registry_site.tracking import services
from registry_site.tracking.models import Run, RunStatus
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import make_experiment, make_run, make_version

PROBE = "<img src=x onerror=alert(1)>"


def run_of(
    actor: Actor,
    name: str,
    *,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Run:
    """A run of the experiment "fraud"."""
    run = make_run(actor, name=name, tags=tags)
    points = [MetricPoint(key, value, timestamp=1) for key, value in (metrics or {}).items()]
    log_batch(actor, run_id=run.run_id, metrics=points, params=list((params or {}).items()))
    return run


def text_of(page: Client, url: str, **headers: str) -> str:
    response = page.get(url, headers=headers)
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


# -- the list ----------------------------------------------------------------------------------------------------------
def test_the_list_shows_each_experiment_with_its_tags_runs_and_owner(maria_page: Client, maria_actor: Actor) -> None:
    make_experiment(maria_actor, "fraud", tags={"team": "risk", "mlflow.note.content": "Cards **stolen** abroad"})
    make_run(maria_actor)
    make_run(maria_actor)
    html = text_of(maria_page, "/experiments")
    assert '<span class="chip-key">team</span><span>risk</span>' in html
    assert "Cards stolen abroad" in html
    assert '<td class="number" data-label="Runs">2</td>' in html
    assert "Maria Lopez" in html
    assert "mlflow.note.content" not in html


def test_words_and_filters_find_experiments(maria_page: Client, maria_actor: Actor) -> None:
    make_experiment(maria_actor, "fraud")
    make_experiment(maria_actor, "churn")
    for typed in ("fra", "name LIKE 'fra%'"):
        html = text_of(maria_page, "/experiments?q=" + typed.replace("%", "%25"))
        assert ">fraud</a>" in html
        assert ">churn</a>" not in html


def test_a_wrong_filter_is_explained_beside_the_box_and_kept(maria_page: Client) -> None:
    response = maria_page.get("/experiments", {"q": "name = fraud"})
    html = response.content.decode()
    assert response.status_code == 422
    assert "Text must stand in quotes" in html
    assert 'value="name = fraud"' in html


def test_htmx_gets_the_list_alone_and_the_problem_out_of_band(maria_page: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "results"}
    part = maria_page.get("/experiments", headers=headers)
    assert "<html" not in part.content.decode()
    assert "HX-Target" in part.headers["Vary"]
    wrong = maria_page.get("/experiments", {"q": "name ="}, headers=headers)
    assert 'id="problem" hx-swap-oob="true"' in wrong.content.decode()
    assert wrong.headers["HX-Reswap"] == "none"
    assert wrong.headers["HX-Push-Url"] == "false"


def test_back_and_boosted_links_get_whole_pages(maria_page: Client) -> None:
    for more in ({"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}):
        html = text_of(maria_page, "/experiments", **{"HX-Request": "true", "HX-Target": "results"}, **more)
        assert "<html" in html


def test_the_list_asks_as_many_questions_for_one_experiment_as_for_ten(maria_page: Client, maria_actor: Actor) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            text_of(maria_page, "/experiments")
        return len(captured)

    make_experiment(maria_actor, "experiment 0", tags={"team": "risk"})
    one = queries()
    for number in range(1, 10):
        make_run(maria_actor, experiment=make_experiment(maria_actor, f"experiment {number}", tags={"team": "risk"}))
    assert queries() == one


def test_the_address_says_only_what_was_chosen(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "tree", metrics={"auc": 0.9, "loss": 0.2})
    url = f"/experiments/{run.experiment_id}"

    def pushed(**query: object) -> str:
        return maria_page.get(url, query, headers={"HX-Request": "true", "HX-Target": "results"}).headers["HX-Push-Url"]

    assert pushed(filter="tree", cols=["", "metrics.auc", "metrics.loss"]) == f"{url}?filter=tree"
    assert pushed(filter="", cols=["", "metrics.auc"]) == f"{url}?cols=&cols=metrics.auc"
    assert pushed(filter="") == url


# -- making, changing, deleting ----------------------------------------------------------------------------------------
def test_maria_makes_an_experiment_and_finds_a_snippet_that_fills_it(maria_page: Client) -> None:
    response = maria_page.post(
        "/experiments/new", {"name": "credit risk", "description": "Who pays back?"}, follow=True
    )
    html = response.content.decode()
    assert "<h1" in html
    assert "Who pays back?" in html
    assert "http://testserver" in html
    assert "credit risk" in html
    assert "No runs yet" in html


def test_a_name_that_is_taken_is_said_in_the_form(maria_page: Client, maria_actor: Actor) -> None:
    make_experiment(maria_actor, "fraud")
    response = maria_page.post(
        "/experiments/new", {"name": "fraud", "description": "mine"}, headers={"HX-Request": "true"}
    )
    html = response.content.decode()
    assert response.status_code == 422
    assert "Experiment(name=fraud) already exists." in html
    assert ">\nmine</textarea>" in html


def test_the_dialog_leads_to_the_new_experiment(maria_page: Client) -> None:
    response = maria_page.post("/experiments/new", {"name": "fraud"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"].startswith("/experiments/")


def test_an_experiment_is_renamed_described_deleted_and_restored(maria_page: Client, maria_actor: Actor) -> None:
    url = f"/experiments/{make_experiment(maria_actor, 'fraud').pk}"
    maria_page.post(f"{url}/edit", {"name": "card fraud", "description": "All *cards*"})
    html = text_of(maria_page, url)
    assert "card fraud" in html
    assert "<em>cards</em>" in html
    maria_page.post(f"{url}/delete")
    assert "Restore" in text_of(maria_page, url)
    assert "card fraud" not in text_of(maria_page, "/experiments")
    assert "card fraud" in text_of(maria_page, "/experiments?view=deleted")
    maria_page.post(f"{url}/restore")
    assert "card fraud" in text_of(maria_page, "/experiments")


# -- the runs table ----------------------------------------------------------------------------------------------------
def test_the_table_has_the_first_metrics_and_params_as_columns(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "tree", metrics={"auc": 0.91234, "loss": 0.2}, params={"depth": "3"})
    html = text_of(maria_page, f"/experiments/{run.experiment_id}")
    assert 'sort=metrics.auc">auc' in html
    assert '<td data-label="auc" class="number"><span class="num" title="0.91234">0.9123</span></td>' in html
    assert '<span class="param" title="3">3</span>' in html


def test_columns_are_chosen_in_the_address(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "tree", metrics={"auc": 0.9, "loss": 0.2}, params={"depth": "3"})
    html = text_of(maria_page, f"/experiments/{run.experiment_id}?cols=&cols=metrics.loss")
    assert 'data-label="loss"' in html
    assert 'data-label="auc"' not in html
    assert 'value="metrics.loss" checked' in html
    assert 'data-label="depth"' not in html


def test_runs_sort_by_attributes_metrics_and_params(maria_page: Client, maria_actor: Actor) -> None:
    low = run_of(maria_actor, "low", metrics={"val/auc score": 0.1}, params={"depth": "9"})
    run_of(maria_actor, "high", metrics={"val/auc score": 0.9}, params={"depth": "1"})

    def order(sort: str) -> list[str]:
        html = maria_page.get(f"/experiments/{low.experiment_id}", {"sort": sort}).content.decode()
        return sorted(("low", "high"), key=lambda name: html.index(f">{name}</a>"))

    assert order("-metrics.val/auc score") == ["high", "low"]
    assert order("metrics.val/auc score") == ["low", "high"]
    assert order("params.depth") == ["high", "low"]
    assert order("-run_name") == ["low", "high"]


@pytest.mark.parametrize(
    "typed",
    ["metrics.auc > 0.5", "tree", "status:running tree", "tag.team:risk", "params.depth = '3'", "user:maria tree"],
)
def test_runs_are_filtered_by_the_language_words_and_terms(maria_page: Client, maria_actor: Actor, typed: str) -> None:
    run = run_of(maria_actor, "tree", metrics={"auc": 0.9}, params={"depth": "3"}, tags={"team": "risk"})
    other = run_of(maria_actor, "forest", metrics={"auc": 0.1})
    services.update_run(maria_actor, run_id=other.run_id, status=RunStatus.FAILED)
    html = maria_page.get(f"/experiments/{run.experiment_id}", {"filter": typed}).content.decode()
    assert ">tree</a>" in html
    assert ">forest</a>" not in html


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("metrics.auc > ", "expected"),
        ("metrics.auc = 'x'", "number"),
        ("wrong:term", "Runs are not found by 'wrong:'. Try status:finished"),
    ],
)
def test_a_wrong_run_filter_is_explained_and_kept(
    maria_page: Client, maria_actor: Actor, typed: str, said: str
) -> None:
    run = run_of(maria_actor, "tree")
    response = maria_page.get(f"/experiments/{run.experiment_id}", {"filter": typed})
    assert response.status_code == 422
    html = response.content.decode().replace("&#x27;", "'").replace("&gt;", ">")
    assert said in html
    assert f'value="{typed}"' in html


def test_words_with_quotes_and_backslashes_find_what_they_say(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "jon's\\best")
    run_of(maria_actor, "other")
    html = maria_page.get(f"/experiments/{run.experiment_id}", {"filter": "jon's"}).content.decode()
    assert "jon&#x27;s\\best" in html
    assert ">other</a>" not in html


def test_a_nested_run_names_its_parent(maria_page: Client, maria_actor: Actor) -> None:
    parent = run_of(maria_actor, "sweep")
    run_of(maria_actor, "trial 1", tags={"mlflow.parentRunId": parent.run_id})
    html = text_of(maria_page, f"/experiments/{parent.experiment_id}")
    assert f'nested in <a href="/runs/{parent.run_id}">sweep</a>' in html
    assert "trial 1" in text_of(maria_page, f"/runs/{parent.run_id}")


def test_a_run_that_became_a_version_links_to_it(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "tree")
    make_version(maria_actor, "churn", run=run)
    assert 'href="/models/churn/versions/1"' in text_of(maria_page, f"/experiments/{run.experiment_id}")


def test_deleted_runs_are_on_the_other_side_of_the_switch(maria_page: Client, maria_actor: Actor) -> None:
    run = run_of(maria_actor, "tree")
    services.delete_run(maria_actor, run_id=run.run_id)
    url = f"/experiments/{run.experiment_id}"
    assert ">tree</a>" not in text_of(maria_page, url)
    assert ">tree</a>" in text_of(maria_page, f"{url}?view=deleted")


def test_pages_of_runs_follow_each_other(maria_page: Client, maria_actor: Actor) -> None:
    runs = [run_of(maria_actor, f"run-{number:02}") for number in range(53)]
    url = f"/experiments/{runs[0].experiment_id}?sort=run_name"
    first = text_of(maria_page, url)
    assert "50 runs" in first
    token = first.split("page_token=")[1].split('"')[0]
    second = text_of(maria_page, f"{url}&page_token={token}")
    assert ">run-52</a>" in second
    assert "3 runs" in second
    assert "First page" in second


def test_names_with_markup_stay_text(maria_page: Client, maria_actor: Actor) -> None:
    experiment = make_experiment(maria_actor, PROBE, tags={"team": PROBE, "mlflow.note.content": PROBE})
    run = make_run(maria_actor, experiment=experiment, name=PROBE, tags={"owner": PROBE})
    log_batch(maria_actor, run_id=run.run_id, params=[("probe", PROBE)], metrics=[MetricPoint("auc", 1.0, 1)])
    for url in ("/experiments", f"/experiments/{experiment.pk}", f"/runs/{run.run_id}", f"/runs/{run.run_id}/metrics"):
        assert "<img src=x" not in text_of(maria_page, url)


def test_the_table_asks_as_many_questions_for_one_run_as_for_ten(maria_page: Client, maria_actor: Actor) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(maria_page, url)
        return len(captured)

    run = run_of(maria_actor, "run 0", metrics={"auc": 0.9}, params={"depth": "3"}, tags={"team": "risk"})
    make_version(maria_actor, "churn", run=run)
    one = queries(f"/experiments/{run.experiment_id}")
    for number in range(1, 10):
        other = run_of(maria_actor, f"run {number}", metrics={"auc": 0.9}, params={"depth": "3"}, tags={"team": "risk"})
        make_version(maria_actor, "churn", run=other)
    assert queries(f"/experiments/{run.experiment_id}") == one


def test_an_unknown_experiment_is_not_found(maria_page: Client) -> None:
    assert maria_page.get("/experiments/987654").status_code == 404


@pytest.mark.parametrize("url", ["/experiments", "/experiments/new", "/experiments/0"])
def test_strangers_are_sent_to_sign_in(stranger_page: Client, url: str) -> None:
    response = stranger_page.get(url)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=")
