"""Races about one model through HTTP, against two web processes: one effect, one line of history for it, and whoever
came too late is told why.

`RACE_ROUNDS=50` runs each of them so many times.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.live import Podium, start_podium

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("promotion races")]
ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
RACERS = 32
SECONDS = 120  # more than 32 who wait for one another ever need
_PEOPLE = """
import json, sys
from registry_site.accounts.actors import system
from registry_site.accounts.levels import Level
from registry_site.accounts.scopes import Scope
from registry_site.accounts.services import create_token, create_user
from registry_site.audit.kinds import Origin
from registry_site.registry.models import Grant
made = {}
for name, level in json.loads(sys.argv[1]).items():
    user = create_user(system(Origin.COMMAND), username=name, email=f"{name}@example.org")
    Grant.objects.create(user=user, level=Level[level])
    made[name] = create_token(system(Origin.COMMAND), username=name, scope=Scope.WRITE)
print(json.dumps(made))
"""
_VERIFY = "from registry_site.audit.verify import verify; print(verify().broken)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody was told."""

    status: int
    body: Any

    @property
    def is_done(self) -> bool:
        return self.status in (200, 201)

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class Site:
    """A running Podium and the people in it: Maria, who manages all models, and 32 reviewers."""

    def __init__(self, podium: Podium) -> None:
        self.podium = podium
        levels = {"maria": "CAN_MANAGE"} | {f"jon{one}": "CAN_MANAGE_PRODUCTION_VERSIONS" for one in range(RACERS)}
        self._tokens = json.loads(podium.python(_PEOPLE, json.dumps(levels)))
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=2 * RACERS))
        self._made = 0

    def send(self, who: str, method: str, path: str, **body: Any) -> Answer:
        answer = self._session.request(
            method,
            f"{self.podium.url}/api/{path}",
            json=body if method != "GET" else None,
            params=body if method == "GET" else None,
            headers={"Authorization": f"Bearer {self._tokens[who]}"},
            timeout=SECONDS,
        )
        return Answer(answer.status_code, answer.json() if answer.content else {})

    def do(self, who: str, method: str, path: str, **body: Any) -> Any:
        answer = self.send(who, method, path, **body)
        assert answer.is_done, answer
        return answer.body

    def make(self, versions: int = 1, **policy: Any) -> str:
        """The name of a new model with so many versions; with a policy for Production, if one is given."""
        self._made += 1
        name = f"churn-{self._made}"
        self.do("maria", "POST", "2.0/mlflow/registered-models/create", name=name)
        for _ in range(versions):
            self.do("maria", "POST", "2.0/mlflow/model-versions/create", name=name, source="s3://bucket/churn")
        if policy:
            self.do("maria", "PUT", f"v1/models/{name}/policies/Production", **{"when_occupied": "ask"} | policy)
        return name

    def ask(self, name: str, version: int = 1) -> dict[str, Any]:
        asked: dict[str, Any] = self.do(
            "maria", "POST", f"v1/models/{name}/requests", version=version, to_stage="Production"
        )
        return asked

    def review(self, who: str, name: str, verdict: str = "approve", **more: Any) -> Answer:
        said = {"verdict": verdict, "comment": f"says {who}"} | more
        return self.send(who, "POST", f"v1/models/{name}/requests/1/reviews", **said)

    def request(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.do("maria", "GET", f"v1/models/{name}/requests/1")
        return found

    def in_production(self, name: str, who: str = "maria") -> list[int]:
        query = {"filter": f"name='{name}'", "max_results": 200}
        found = self.do(who, "GET", "2.0/mlflow/model-versions/search", **query).get("model_versions", [])
        return [int(one["version"]) for one in found if one["current_stage"] == "Production"]

    def history(self, name: str) -> list[dict[str, Any]]:
        """What happened to the model, oldest first."""
        lines: list[dict[str, Any]] = []
        token = ""
        while True:
            query = {"max_results": 500} | ({"page_token": token} if token else {})
            page = self.do("maria", "GET", f"v1/models/{name}/activities", **query)
            lines += page["activities"]
            token = page["next_page_token"]
            if not token:
                return lines[::-1]

    def kinds(self, name: str) -> Counter[str]:
        return Counter(line["kind"] for line in self.history(name))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with start_podium(tmp_path_factory.mktemp("races") / "data", "--workers", "2") as running:
        made = Site(running)
        yield made
        assert running.python(_VERIFY).strip() == "None", "every chain of history holds"


def at_once(acts: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Do all of them at the same moment. Nobody is ever told that something broke, or to come back later."""
    start = threading.Barrier(len(acts), timeout=SECONDS)

    def act(do: Callable[[], Answer]) -> Answer:
        start.wait()
        return do()

    with ThreadPoolExecutor(len(acts)) as racers:
        answers = list(racers.map(act, acts))
    for answer in answers:
        assert answer.is_done or 400 <= answer.status < 429, answer
        assert answer.is_done or answer.message, answer
    return answers


def alternating(first: Callable[[int], Answer], second: Callable[[int], Answer]) -> list[Callable[[], Answer]]:
    """For each racer one of the two, in turn."""
    return [lambda place=place: (second if place % 2 else first)(place) for place in range(RACERS)]


def told(answers: Sequence[Answer]) -> set[tuple[int, str]]:
    return {(answer.status, answer.message) for answer in answers if not answer.is_done}


def test_all_move_their_version_to_production_with_archive_and_readers_never_see_two(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(RACERS + 1)
        move = {"name": name, "stage": "Production", "archive_existing_versions": True}
        site.do("maria", "POST", "2.0/mlflow/model-versions/transition-stage", **move, version=str(RACERS + 1))
        is_over = threading.Event()

        def read(name: str = name, is_over: threading.Event = is_over) -> list[list[Any]]:
            seen: list[list[Any]] = []
            while not is_over.is_set():
                seen.append(site.in_production(name))
                found = site.do("maria", "GET", "2.0/mlflow/registered-models/get", name=name)["registered_model"]
                seen.append([one for one in found["latest_versions"] if one["current_stage"] == "Production"])
                asked = {"name": name, "stages": ["Production"]}
                latest = site.do("maria", "POST", "2.0/mlflow/registered-models/get-latest-versions", **asked)
                seen.append(latest["model_versions"])
            return seen

        with ThreadPoolExecutor(2) as readers:
            reading = [readers.submit(read) for _ in range(2)]
            try:
                answers = at_once(
                    [
                        lambda place=place, move=move: site.send(
                            f"jon{place}",
                            "POST",
                            "2.0/mlflow/model-versions/transition-stage",
                            **move,
                            version=str(place + 1),
                        )
                        for place in range(RACERS)
                    ]
                )
            finally:
                is_over.set()
        seen = [one for readings in reading for one in readings.result()]

        assert [answer.status for answer in answers] == [200] * RACERS
        assert {len(one) for one in seen} == {1}, "always exactly one"
        moves = [line for line in site.history(name) if line["kind"] == "version.stage_changed"]
        entered = [line["version"] for line in moves if line["data"]["to_stage"] == "Production"]
        left = [line["version"] for line in moves if line["data"]["to_stage"] == "Archived"]
        assert (sorted(entered), left) == (list(range(1, RACERS + 2)), entered[:-1])
        assert site.in_production(name) == [entered[-1]]


def test_all_move_their_version_to_production_without_a_word_about_the_occupant_and_one_gets_in(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(RACERS)
        answers = at_once(
            [
                lambda place=place, name=name: site.send(
                    f"jon{place}",
                    "POST",
                    "2.0/mlflow/model-versions/transition-stage",
                    name=name,
                    version=str(place + 1),
                    stage="Production",
                    archive_existing_versions=False,
                )
                for place in range(RACERS)
            ]
        )
        (winner,) = (place + 1 for place, answer in enumerate(answers) if answer.is_done)
        assert site.in_production(name) == [winner]
        said = (
            f"{name} version {winner} is in Production, which admits one version. "
            "Archive it with archive_existing_versions=true, or say which stage it moves to."
        )
        assert told(answers) == {(409, said)}
        assert site.kinds(name)["version.stage_changed"] == 1


def test_two_approvals_at_once_of_two_that_are_needed_move_the_version_once(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(protected=True, required_approvals=2)
        site.ask(name)
        people = [f"jon{place // 2}" for place in range(RACERS)]  # everybody comes twice
        answers = at_once([lambda who=who, name=name: site.review(who, name) for who in people])

        request = site.request(name)
        assert (request["state"], site.in_production(name)) == ("approved", [1])
        approvers = request["approvers"]
        assert (len(approvers), len(set(approvers))) == (2, 2), "one person counts once"
        done = [who for who, answer in zip(people, answers, strict=True) if answer.is_done]
        assert set(done) == set(approvers)
        assert told(answers) == {
            (409, f"Request {name}#1 is already approved by {request['decided_by']}; nothing was changed.")
        }
        kinds = site.kinds(name)
        assert kinds["review.given"] == len(done)
        assert (kinds["request.approved"], kinds["version.stage_changed"]) == (1, 1)


def test_approvals_against_rejections_end_in_one_of_them(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(protected=True)
        site.ask(name)
        answers = at_once(
            alternating(
                lambda place, name=name: site.review(f"jon{place}", name),
                lambda place, name=name: site.review(f"jon{place}", name, "reject"),
            )
        )
        _assert_one_decision(site, name, answers, ["approved", "rejected"])


def test_approvals_against_cancellations_end_in_one_of_them(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(protected=True)
        site.ask(name)
        answers = at_once(
            alternating(
                lambda place, name=name: site.review(f"jon{place}", name),
                lambda place, name=name: site.send("maria", "POST", f"v1/models/{name}/requests/1/cancel"),
            )
        )
        _assert_one_decision(site, name, answers, ["approved", "cancelled"])


def _assert_one_decision(site: Site, name: str, answers: Sequence[Answer], states: Sequence[str]) -> None:
    """One of the two kinds of racers won, once."""
    (winner,) = (place for place, answer in enumerate(answers) if answer.is_done)
    request = site.request(name)
    state = states[winner % 2]
    assert request["state"] == state
    assert told(answers) == {
        (409, f"Request {name}#1 is already {state} by {request['decided_by']}; nothing was changed.")
    }
    kinds = site.kinds(name)
    assert [kinds[f"request.{one}"] for one in states] == [one == state for one in states]
    assert kinds["review.given"] == (0 if state == "cancelled" else 1)
    moved = state == "approved"
    assert (kinds["version.stage_changed"], site.in_production(name)) == (moved, [1] if moved else [])


def test_approvals_against_tags_that_make_them_stale_apply_what_was_seen_or_nothing(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(protected=True, required_approvals=2)
        seen = site.ask(name)["evidence_digest"]
        assert site.review("jon31", name, evidence_digest=seen).body["state"] == "pending"
        answers = at_once(
            alternating(
                lambda place, name=name, seen=seen: site.review(f"jon{place}", name, evidence_digest=seen),
                lambda place, name=name: site.send(
                    "maria",
                    "POST",
                    "2.0/mlflow/model-versions/set-tag",
                    name=name,
                    version="1",
                    key=f"tag{place}",
                    value="x",
                ),
            )
        )
        approvals, tags = answers[::2], answers[1::2]
        assert {answer.status for answer in tags} == {200}
        request, lines = site.request(name), site.history(name)
        kinds = [line["kind"] for line in lines]
        first_tag = kinds.index("version.tag_set")
        if request["state"] == "approved":
            assert kinds.index("version.stage_changed") < first_tag, "it was applied before anything had changed"
            assert sum(answer.is_done for answer in approvals) == 1
            assert told(approvals) == {
                (409, f"Request {name}#1 is already approved by {request['decided_by']}; nothing was changed.")
            }
            assert (kinds.count("request.approved"), kinds.count("version.stage_changed")) == (1, 1)
            assert "request.evidence_changed" not in kinds
        else:
            assert request["state"] == "pending"
            assert not any(answer.is_done for answer in approvals)
            start = f"The evidence of {name}#1 has changed: tag tag"
            assert all(answer.status == 409 and answer.message.startswith(start) for answer in approvals)
            assert (kinds.count("request.approved"), kinds.count("version.stage_changed")) == (0, 0)
            (given,) = request["reviews"]
            assert (given["is_stale"], request["standing"]["approvals"]) == (True, 0)
            changes = [line for line in lines if line["kind"] == "request.evidence_changed"]
            assert (len(changes), changes[0]["data"]["stale"]) == (len(tags), ["jon31"])


def test_requests_against_deletes_of_their_version_leave_nothing_pending(site: Site) -> None:
    stages = ("Staging", "Production", "Archived")
    for _ in range(ROUNDS):
        name = site.make(2)
        answers = at_once(
            alternating(
                lambda place, name=name: site.send(
                    f"jon{place}", "POST", f"v1/models/{name}/requests", version=1, to_stage=stages[place // 2 % 3]
                ),
                lambda place, name=name: site.send(
                    "maria", "DELETE", "2.0/mlflow/model-versions/delete", name=name, version="1"
                ),
            )
        )
        asked, deleted = answers[::2], answers[1::2]
        gone = (404, f"Model Version (name={name}, version=1) not found")
        assert sum(answer.is_done for answer in deleted) == 1
        assert told(deleted) == {gone}
        made = [answer.body for answer in asked if answer.is_done]
        assert len({one["to_stage"] for one in made}) == len(made), "at most one for each stage"
        for answer in asked:
            is_second = answer.status == 400 and "already asks to move version 1 to" in answer.message
            assert answer.is_done or is_second or (answer.status, answer.message) == gone, answer
        found = site.do("maria", "GET", "v1/requests", model=name)["requests"]
        assert sorted((one["number"], one["state"]) for one in found) == sorted(
            (one["number"], "superseded") for one in made
        )
        kinds = site.kinds(name)
        assert (kinds["request.created"], kinds["request.superseded"]) == (len(made), len(made))
        assert kinds["version.deleted"] == 1


def test_requests_and_approvals_against_the_delete_of_their_model_leave_nothing(site: Site) -> None:
    for _ in range(ROUNDS):
        name = site.make(RACERS)
        site.ask(name)
        acts = [
            lambda place=place, name=name: site.send(
                f"jon{place}", "POST", f"v1/models/{name}/requests", version=place + 1, to_stage="Production"
            )
            for place in range(1, RACERS // 2)
        ]
        acts += [lambda place=place, name=name: site.review(f"jon{place}", name) for place in range(RACERS // 2)]
        acts += [lambda name=name: site.send("maria", "DELETE", "2.0/mlflow/registered-models/delete", name=name)]
        answers = at_once(acts)

        assert answers[-1].is_done
        possible = {
            (404, f"Model Version (name={name}, version={version}) not found") for version in range(1, RACERS + 1)
        }
        possible |= {(404, f"There is no request {name}#1.")}
        possible |= {
            (409, f"Request {name}#1 is already approved by jon{place}; nothing was changed.")
            for place in range(RACERS)
        }
        assert told(answers) <= possible
        assert site.do("maria", "GET", "v1/requests", model=name)["requests"] == []
        assert site.send("maria", "GET", "2.0/mlflow/registered-models/get", name=name).status == 404
