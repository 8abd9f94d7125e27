"""Events reach a receiver, each with an id of its own, whatever is killed on the way, and whatever the broker does.

`KILL_TEST_EVENTS=1000` is the full number, with a broker that is gone for a minute; without it a smaller one shows the
same in less time, and without RabbitMQ, which takes longer to start than all of that.
"""

import json
import os
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest
import requests

from registry_site.accounts.levels import Level
from tests.live import Podium, command_line, free_port, start_podium
from tests.receiver import Receiver, receiving
from tests.worker.brokers import Broker, broker_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kills")]

IS_ASKED_FOR = "KILL_TEST_EVENTS" in os.environ
EVENTS = int(os.environ.get("KILL_TEST_EVENTS", "24"))
IS_FULL = EVENTS >= 1000
AT_ONCE = EVENTS // 50 if IS_FULL else 4  # so that there is work at every kill
KILLS = EVENTS // 100 if IS_FULL else 2  # at least
LIFE = 2.0 if IS_FULL else 0.2  # seconds that a worker is left at its work
AWAY = 60.0 if IS_FULL else 1.0  # seconds that the broker is gone
FROZEN = 10.0 if IS_FULL else 0.0  # more seconds that it takes connections and says nothing
PATIENCE = 120 + EVENTS  # seconds until the last event has arrived
BLOCKED = 3.0  # seconds that a broker that says nothing may cost one request in ten seconds

_PREPARE = """
import sys
from registry_site.accounts.actors import system
from registry_site.registry.services import create_model, create_version
from registry_site.webhooks.formats import Format
from registry_site.webhooks.services import create_webhook, new_secret
create_webhook(system(), name="ci", url=sys.argv[1], events=["version.tag_set"], format=Format.STANDARD,
               secret=new_secret(Format.STANDARD))
create_model(system(), name="churn")
create_version(system(), name="churn", source="s3://bucket/model")
"""
_ROLL_BACK_AND_DIE_AFTER_COMMIT = """
import os
from django.db import transaction
from registry_site.accounts.actors import system
from registry_site.audit import outbox
from registry_site.registry.services import set_version_tag
with transaction.atomic():
    set_version_tag(system(), name="churn", version=1, key="event", value="rolled back")
    transaction.set_rollback(True)
outbox.set_nudge(lambda: os._exit(9))
set_version_tag(system(), name="churn", version=1, key="event", value="died")
"""


@dataclass
class Site:
    """A Podium whose webhook tells a receiver of every tag."""

    podium: Podium
    receiver: Receiver
    session: requests.Session
    made: int = 0

    def tag(self, value: str) -> float:
        """Seconds until it was answered."""
        body = {"name": "churn", "version": "1", "key": "event", "value": value}
        started = time.monotonic()
        answer = self.session.post(f"{self.podium.url}/api/2.0/mlflow/model-versions/set-tag", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return time.monotonic() - started

    def make_events(self, values: list[str]) -> list[float]:
        with ThreadPoolExecutor(4) as threads:
            took = list(threads.map(self.tag, values))
        self.made += len(values)
        return took

    @property
    def arrived(self) -> dict[str, set[str]]:
        """The ids under which each event has arrived."""
        found: dict[str, set[str]] = defaultdict(set)
        for headers, body in list(self.receiver.taken):
            found[json.loads(body)["data"]["details"]["after"]].add(headers["webhook-id"])
        return found

    def wait_for(self, values: list[str], patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while missing := set(values) - self.arrived.keys():
            assert time.monotonic() < deadline, f"{len(missing)} never came\n{self.podium.output()[-3000:]}"
            time.sleep(0.1)

    def worker(self) -> int | None:
        """The process id of the worker, if one runs."""
        return next((pid for pid in self.podium.processes() if "background" in command_line(pid)), None)

    def check(self, values: list[str]) -> None:
        """Every event has arrived under one id that no other has, and nothing else has."""
        arrived = self.arrived
        assert arrived.keys() == set(values)
        assert {len(ids) for ids in arrived.values()} == {1}
        assert len({one for ids in arrived.values() for one in ids}) == len(values)


@contextmanager
def site(folder: Path, broker: str) -> Iterator[Site]:
    with (
        receiving(free_port()) as receiver,
        start_podium(folder / "data", PODIUM_WEBHOOK_ALLOWED_HOSTS=receiver.host, CELERY_BROKER_URL=broker) as podium,
        requests.Session() as session,
    ):
        podium.create_user("maria", level=Level.CAN_EDIT)
        podium.python(_PREPARE, f"http://{receiver.host}/hook")
        session.headers["Authorization"] = f"Bearer {podium.token('maria')}"
        yield Site(podium, receiver, session)


@contextmanager
def killing_the_worker(found: Site) -> Iterator[list[int]]:
    """Again and again with -9, when it has been at its work for two seconds, or has nothing to do any more."""
    killed: list[int] = []
    over = Event()

    def kill() -> None:
        while not over.is_set():
            pid, before = found.worker(), len(found.receiver.taken)
            while pid and before == len(found.receiver.taken) < found.made and not over.is_set():
                time.sleep(0.05)
            over.wait(LIFE)
            if pid and not over.is_set():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                while found.worker() == pid:
                    time.sleep(0.05)

    thread = Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", ["embedded", "redis", *(["rabbitmq"] if IS_ASKED_FOR else [])])
def test_whatever_is_killed_every_event_arrives_under_an_id_of_its_own(kind: str, tmp_path: Path) -> None:
    values = [f"event {number}" for number in range(EVENTS)]
    took: list[float] = []
    with broker_of(kind, tmp_path) as broker, site(tmp_path, broker.address if broker else "") as found:
        started = time.monotonic()
        with killing_the_worker(found) as killed:
            for start in range(0, EVENTS, AT_ONCE):
                some = values[start : start + AT_ONCE]
                if broker and start == EVENTS // 2:
                    answered_while_frozen(broker, found, some, took)
                elif broker and start == EVENTS // 2 + AT_ONCE and (IS_FULL or kind == "redis"):
                    answered_while_gone(broker, found, some, took)
                else:
                    took += found.make_events(some)
                while len(killed) < KILLS * start // EVENTS:
                    time.sleep(0.05)
        if kind != "embedded":  # where nobody is nudged
            values += crash_and_roll_back(found)
        found.wait_for(values)
        found.check(values)
        print(  # noqa: T201  what a full run is for
            f"{kind}: {len(found.receiver.taken)} deliveries of {EVENTS} events, {len(killed)} kills, "
            f"{time.monotonic() - started:.0f} s, answered in {statistics.median(took) * 1000:.0f} ms"
        )


def answered_while_frozen(broker: Broker, found: Site, values: list[str], before: list[float]) -> None:
    """It takes connections and says nothing: one request finds that out, and the others are answered as before."""
    usual = max(before) + 1
    broker.freeze()
    during = sorted(found.make_events(values))
    time.sleep(FROZEN)
    broker.thaw()
    assert during[-2] < usual, (before, during)
    assert during[-1] < usual + BLOCKED


def answered_while_gone(broker: Broker, found: Site, values: list[str], before: list[float]) -> None:
    usual = max(before) + 1
    broker.stop()
    during = found.make_events(values)
    time.sleep(AWAY)
    broker.start()
    assert max(during) < usual, (before, during)


def crash_and_roll_back(found: Site) -> list[str]:
    """A process that rolls a change back, and dies between the commit of another and the nudge; the event of that."""
    with pytest.raises(RuntimeError, match="ended with 9"):
        found.podium.python(_ROLL_BACK_AND_DIE_AFTER_COMMIT)
    return ["died"]
