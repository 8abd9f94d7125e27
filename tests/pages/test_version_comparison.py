"""Versions of a model side by side."""

import csv
import io
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from registry_site.artifacts.store import default_store
from registry_site.promotion.directions import set_metric_direction
from registry_site.promotion.services import request_transition, transition
from registry_site.registry.manifests import work_on_manifests
from registry_site.registry.models import ModelVersion
from registry_site.registry.services import describe_version, set_alias, set_version_tag
from registry_site.registry.stages import Stage
from registry_site.tracking.models import Run
from registry_site.tracking.recording import MetricPoint, log_batch
from tests.make import grant, make_version
from tests.pages.registry_flows import MLMODEL, PROBE, get, html_of, version_with_run, words_of

Pages = Callable[[User], Client]
BOTH = "/models/churn/compare/1...2"
WIDER = MLMODEL.replace('"double", "name": "tenure"', '"double", "name": "tenure"}, {"type": "long", "name": "age"')


@pytest.fixture(autouse=True)
def three_versions(maria_actor: Actor, jon_actor: Actor, admin_actor: Actor) -> None:
    """Version 1 of `churn` is in Production; 2 has a better auc, a worse loss and another signature; 3 has no files."""
    version_with_run(
        maria_actor,
        metrics={"auc": 0.912, "loss": 0.3, "size": 4.0},
        params={"depth": "3", "seed": "1"},
        files={"MLmodel": MLMODEL, "requirements.txt": "scikit-learn==1.8.0\npandas==3.0.1\n", "model.pkl": "x" * 40},
        run_name="small",
    )
    version_with_run(
        maria_actor,
        metrics={"auc": 0.929, "loss": 0.4, "size": 4.0},
        params={"depth": "4", "seed": "1"},
        files={"MLmodel": WIDER, "requirements.txt": "scikit-learn==1.9.1\npandas==3.0.1\n", "model.skops": "y"},
        run_name="large",
    )
    version_with_run(maria_actor, metrics={"auc": 0.912, "extra": 1.0}, params={"seed": "1"}, run_name="odd")
    transition(jon_actor, name="churn", version=1, to_stage=Stage.PRODUCTION)
    set_metric_direction(admin_actor, metric="auc", higher_is_better=True)
    set_metric_direction(admin_actor, metric="loss", higher_is_better=False)
    work_on_manifests()


def lines_of(page: Client, address: str) -> dict[str, dict[str, list[dict[str, object]]]]:
    """The cells of each line, by section and name, as JSON has them."""
    data = page.get(f"{address}{'&' if '?' in address else '?'}format=json").json()
    return {each["key"]: {line["name"]: line["cells"] for line in each["lines"]} for each in data["sections"]}


def test_what_differs_is_told_with_its_direction(maria_page: Client) -> None:
    words = get(maria_page, BOTH)
    for part in (
        "Everything is compared with v1.",
        "Run small large",
        "Metrics 2 of 3 differ",
        "auc 0.9120 0.9290 +0.017 better",
        "loss 0.3000 0.4000 +0.1 worse",
        "Parameters 1 of 2 differs depth 3 4 changed",
        "Signature 1 of 3 differs Breaking",
        "age inputs – long added Breaking",
        "Requirements 1 of 2 differs scikit-learn ==1.8.0 ==1.9.1 changed",
        "Files 4 of 4 differ",
        "model.pkl 40 B, sha256:",
        "removed model.skops – 1 B, sha256:",
        "Lines of requirements.txt v1 → v2",
        "− removed scikit-learn==1.8.0 + added scikit-learn==1.9.1",
    ):
        assert part in words, f"{part!r} in {words}"
    assert "seed" not in words
    assert "seed 1 1" in get(maria_page, f"{BOTH}?show=all")


def test_the_first_one_is_the_baseline_and_can_be_swapped_or_left_out(maria_page: Client) -> None:
    assert "auc 0.9290 0.9120 −0.017 worse" in get(maria_page, "/models/churn/compare/2...1")
    assert 'href="/models/churn/compare/2...1?show=all"' in html_of(maria_page.get(f"{BOTH}?show=all"))
    html = html_of(maria_page.get("/models/churn/compare/1...2...3"))
    for address in ("2...1...3", "3...1...2", "2...3", "1...3", "1...2"):
        assert f'href="/models/churn/compare/{address}"' in html, address
    assert "Leave out" not in html_of(maria_page.get(BOTH))


def test_a_version_is_added_at_the_end(maria_page: Client) -> None:
    assert re.search(r'<option value="3">v3</option>', html_of(maria_page.get(BOTH)))
    asked = {"versions": ["2", "1"], "add": "3", "show": "all"}
    answer = maria_page.get("/models/churn/compare", asked)
    assert answer.headers["Location"] == "/models/churn/compare/2...1...3?show=all"


def test_ticked_versions_stand_with_that_in_production_first(maria_page: Client, jon_actor: Actor) -> None:
    chosen = maria_page.get("/models/churn/compare", {"versions": ["3", "2"]})
    assert chosen.headers["Location"] == "/models/churn/compare/2...3"
    transition(jon_actor, name="churn", version=3, to_stage=Stage.PRODUCTION, archive_existing=True)
    chosen = maria_page.get("/models/churn/compare", {"versions": ["3", "2"]})
    assert chosen.headers["Location"] == "/models/churn/compare/3...2"


def test_stages_and_aliases_lead_to_their_numbers(maria_page: Client, maria_actor: Actor) -> None:
    set_alias(maria_actor, name="churn", alias="challenger", version=2)
    for called in ("Production...@challenger", "production...2", "01...2"):
        answer = maria_page.get(f"/models/churn/compare/{called}?show=all")
        assert answer.headers["Location"] == f"{BOTH}?show=all", called
    assert maria_page.get("/models/churn/compare/1...latest").headers["Location"] == "/models/churn/compare/1...3"


@pytest.mark.parametrize(
    ("versions", "status", "words"),
    [
        ("1", 400, "Choose 2 to 6 versions of churn to compare, not 1."),
        ("1...2...3...4...5...6...7", 400, "Choose 2 to 6 versions of churn to compare, not 7."),
        ("1...2...1", 400, "Version 1 of churn cannot be compared with itself."),
        ("1...production", 302, ""),
        ("1...1", 400, "Version 1 of churn cannot be compared with itself."),
        ("1...9", 404, "churn has no version 9."),
        (f"1...{2**70}", 404, f"churn has no version {2**70}."),
        ("1...", 400, "Choose 2 to 6 versions of churn to compare"),
        ("1...Staging", 404, "churn has no version Staging"),
        ("1...@nobody", 404, "churn has no version @nobody"),
        ("1...2?format=xml", 400, "There is no format 'xml' of this page: json and csv are."),
        ("1...2?diff=model.pkl", 400, "model.pkl is no small text that differs between these versions."),
        ("1...2?diff=../../etc/passwd", 400, "no small text that differs"),
    ],
)
def test_what_cannot_be_compared_is_said_with_the_way_out(
    maria_page: Client, versions: str, status: int, words: str
) -> None:
    answer = maria_page.get(f"/models/churn/compare/{versions}")
    if status == 302:
        answer = maria_page.get(answer.headers["Location"])
        status, words = 400, "Version 1 of churn cannot be compared with itself."
    assert words in words_of(answer, status)
    assert '<a class="btn btn-primary" href="/models/churn">Versions of churn</a>' in html_of(answer, status)


def test_too_few_ticked_are_refused_in_words(maria_page: Client) -> None:
    for asked in ({}, {"versions": ["1"]}, {"versions": ["1", "1"]}, {"versions": ["1"], "add": "1"}):
        answer = maria_page.get("/models/churn/compare", asked)
        assert "Choose 2 to 6 versions of churn to compare, not" in words_of(answer, 400)
    assert "churn has no version 9" in get(maria_page, "/models/churn/compare?versions=9&versions=1", 404)


def test_a_model_that_one_may_not_read_is_not_there(page_client: Pages, eve: User, settings: Settings) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    page = page_client(eve)
    for rest in ("1...2", "1...9", "production...2", "1...2/curve?key=auc"):
        there, nowhere = (
            get(page, f"/models/{name}/compare/{rest}", 404).partition("Request")[0] for name in ("churn", "other")
        )
        assert there.replace("churn", "other") == nowhere


def test_json_and_csv_have_what_the_page_has(maria_page: Client) -> None:
    found = lines_of(maria_page, BOTH)
    auc = found["metrics"]["auc"]
    assert [cell["value"] for cell in auc] == [0.912, 0.929]
    assert auc[1]["difference"] == pytest.approx(0.017)
    assert (auc[0]["change"], auc[1]["change"], auc[1]["verdict"]) == (None, "changed", "better")
    assert "seed" not in found["params"]
    assert "seed" in lines_of(maria_page, f"{BOTH}?show=all")["params"]
    answer = maria_page.get(f"{BOTH}?format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="churn-v1-v2.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    row = next(row for row in rows if row["name"] == "auc")
    assert (row["section"], row["v1"], row["v2"], row["v2 verdict"]) == ("metrics", "0.912", "0.929", "better")
    assert float(row["v2 difference"]) == pytest.approx(0.017)
    assert next(row for row in rows if row["section"] == "requirements")["v2"] == "'==1.9.1"


def test_numbers_within_a_tolerance_count_as_the_same(maria_page: Client, maria_actor: Actor) -> None:
    words = get(maria_page, f"{BOTH}?tolerance=0.02")
    assert "Metrics 1 of 3 differs loss" in words
    assert "auc" not in words.partition("Metrics")[2].partition("Parameters")[0]
    assert "depth 3 4 changed" in words
    assert "auc 0.9120 0.9290 same" in get(maria_page, f"{BOTH}?tolerance=0.02&show=all")
    assert "depth 3 4 changed" not in get(maria_page, f"{BOTH}?tolerance=0.25&show=all"), "params that are numbers, too"
    assert "scikit-learn ==1.8.0" in get(maria_page, f"{BOTH}?tolerance=0.9"), "a release is no number"
    html = html_of(maria_page.get(f"{BOTH}?tolerance=0.02"))
    assert '<input type="hidden" name="tolerance" value="0.02">' in html, "it stays when a version is added"
    assert 'href="/models/churn/compare/2...1?tolerance=0.02"' in html
    assert 'href="?tolerance=0.02&amp;show=all"' in html
    assert "auc" in lines_of(maria_page, f"{BOTH}?tolerance=0.018")["metrics"]
    assert "auc" not in lines_of(maria_page, f"{BOTH}?tolerance=0.0184")["metrics"]
    auc = lines_of(maria_page, f"{BOTH}?tolerance=0.02&show=all")["metrics"]["auc"]
    assert [cell["change"] for cell in auc] == [None, "same"]
    table = maria_page.get(f"{BOTH}?tolerance=0.02&format=csv").content.decode()
    assert '"loss"' in table
    assert '"auc"' not in table


@pytest.mark.parametrize("text", ["-0.1", "1", "nan", "inf", "1e999", "one percent", "\x00", "0,01"])
def test_what_is_no_tolerance_is_said_in_the_page(maria_page: Client, text: str) -> None:
    for address in (BOTH, f"{BOTH}?format=json", f"{BOTH}?format=csv"):
        answer = maria_page.get(address, {"tolerance": text} | dict(parse_qsl(urlsplit(address).query)))
        words = words_of(answer, 400)
        assert "is no tolerance: it is a number from 0 to less than 1, such as 0.01 for one percent." in words
    assert "auc 0.9120 0.9290" in words_of(maria_page.get(BOTH, {"tolerance": text}), 400)


def test_what_a_run_logged_is_hidden_from_those_who_may_not_read_it(
    page_client: Pages, eve: User, settings: Settings
) -> None:
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_READ, ModelVersion.objects.first().registered_model)
    page = page_client(eve)
    words = get(page, BOTH)
    assert "What the runs of" in words
    assert "0.9120" not in words
    assert "small" not in words
    assert "scikit-learn ==1.8.0 ==1.9.1" in words, "files belong to the version"
    text = page.get(f"{BOTH}?show=all&format=json").content.decode()
    assert "0.912" not in text
    assert page.get(f"{BOTH}/curve?key=auc").json() == {"series": []}


def test_curves_of_all_versions_keep_their_colours(maria_page: Client, maria_actor: Actor) -> None:
    for place, version in enumerate(ModelVersion.objects.order_by("version")):
        if place == 1:
            continue
        points = [MetricPoint("val", 1.0 / (step + place + 1), 1000 + step, step) for step in range(5)]
        log_batch(maria_actor, run_id=version.run_id, metrics=points)
    answer = maria_page.get("/models/churn/compare/1...2...3")
    ((key, url),) = answer.context["curves"]
    assert key == "val"
    series = maria_page.get(url).json()["series"]
    assert [(one["name"], one["place"], len(one["points"])) for one in series] == [("v1", 0, 5), ("v3", 2, 5)]
    both = maria_page.get(f"{url}&key=auc").json()["series"]
    assert [one["key"] for one in both] == ["val", "val", "auc", "auc", "auc"]
    assert both[:2] == series


def test_pictures_of_the_same_path_stand_side_by_side(maria_page: Client) -> None:
    for run in Run.objects.order_by("pk")[:2]:
        root = run.artifact_uri.removeprefix("mlflow-artifacts:/")
        for path in ("plots/roc.png", f"plots/{run.run_name}.png", "notes.txt"):
            default_store().write(f"{root}/{path}", io.BytesIO(b"png"), length=3)
    html = html_of(maria_page.get("/models/churn/compare/1...2...3"))
    one, other = Run.objects.order_by("pk")[:2]
    assert f'<img src="/runs/{one.run_id}/files/plots/roc.png?inline=1" alt="plots/roc.png of v1"' in html
    assert f'<img src="/runs/{other.run_id}/files/plots/roc.png?inline=1" alt="plots/roc.png of v2"' in html
    assert "small.png" not in html
    assert html.count('<figcaption class="panel-head">') == 1


def test_lines_of_another_small_file_are_shown_when_asked_for(maria_page: Client) -> None:
    words = get(maria_page, f"{BOTH}?diff=MLmodel")
    assert "Lines of MLmodel" in words
    assert '{"type": "long", "name": "age"' in words
    assert "Lines of requirements.txt" not in words


def test_descriptions_and_tags_are_compared(maria_page: Client, maria_actor: Actor) -> None:
    describe_version(maria_actor, name="churn", version=2, description=f"**Wider** {PROBE}")
    set_version_tag(maria_actor, name="churn", version=2, key=PROBE, value=PROBE)
    html = html_of(maria_page.get(BOTH))
    assert "<strong>Wider</strong>" in html
    assert PROBE not in html
    assert "It has none." in html


def test_a_version_without_files_here_is_compared_as_far_as_it_is_known(maria_page: Client, maria_actor: Actor) -> None:
    make_version(maria_actor)
    ModelVersion.objects.filter(version=4).update(
        run_id="0" * 32, source="s3://elsewhere/model", storage_location="s3://elsewhere/model"
    )
    words = get(maria_page, "/models/churn/compare/1...4")
    assert "What the run of v4 logged is not shown" in words
    assert "Signature, requirements and files of v4 are not known" in words
    assert "removed" not in words, "what is not known is not gone"
    assert "not for you to read, or not known" in get(maria_page, "/models/churn/compare/1...4?show=all")


def test_more_versions_and_rows_cost_no_more_queries(maria_page: Client, maria_actor: Actor) -> None:
    for _ in range(3):
        version_with_run(
            maria_actor,
            metrics={f"m{number}": 1.0 for number in range(30)},
            params={f"p{number}": "1" for number in range(30)},
            files={"MLmodel": MLMODEL, "requirements.txt": "".join(f"p{n}==1\n" for n in range(30))},
        )
    work_on_manifests()
    counts = []
    for versions in ("1...2", "1...2", "1...2...4...5", "1...2...3...4...5...6"):
        with CaptureQueriesContext(connection) as captured:
            assert maria_page.get(f"/models/churn/compare/{versions}").status_code == 200
        counts.append(len(captured))
    assert counts[1] == counts[2] == counts[3] + 1 <= 14, "six leave no choice, which asks nothing"


def test_it_is_one_click_away(maria_page: Client, maria_actor: Actor) -> None:
    link = '<a class="btn" href="/models/churn/compare/1...2">'
    assert link in html_of(maria_page.get("/models/churn/versions/2"))
    assert "Compare with Production" in get(maria_page, "/models/churn/versions/2")
    assert "Compare with" not in get(maria_page, "/models/churn/versions/1"), "no other is in Production or Staging"
    html = html_of(maria_page.get("/models/churn"))
    assert 'action="/models/churn/compare"' in html
    assert html.count('name="versions"') == 3
    request_transition(maria_actor, name="churn", version=2, to_stage=Stage.PRODUCTION)
    html = html_of(maria_page.get("/models/churn/requests/1"))
    assert '<a href="/models/churn/compare/1...2">Open full compare</a>' in html


def test_three_and_more_are_drawn(page_client: Pages, eve: User, maria_page: Client, settings: Settings) -> None:
    assert "Plots" not in get(maria_page, BOTH)
    html = html_of(maria_page.get("/models/churn/compare/1...2...3?x=loss&y=auc"))
    assert "<figcaption>auc over loss</figcaption>" in html
    assert "<title>v2: 0.4000, 0.9290</title>" in html
    assert "<title>v3: auc 0.9120</title>" in html
    assert "has a number called nope" in get(maria_page, "/models/churn/compare/1...2...3?x=nope", 400)
    settings.PODIUM_DEFAULT_LEVEL = "NONE"
    grant(eve, Level.CAN_READ, ModelVersion.objects.first().registered_model)
    assert "Plots" not in get(page_client(eve), "/models/churn/compare/1...2...3")
