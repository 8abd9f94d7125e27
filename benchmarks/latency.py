"""`python -m benchmarks.latency`: how long it takes from a commit to the socket of a webhook's receiver.

Starts `manage.py up`, sets tags at an uneven pace, and compares the moment that each delivery tells, which was noted
just before the commit, with the moment at which it arrives. Both are of one clock, that of this machine.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

import requests

from tests.live import Podium, start_podium
from tests.receiver import Receiver, receiving

MAKE_HOOK = """
import sys
from registry_site.accounts.actors import system
from registry_site.webhooks.formats import Format
from registry_site.webhooks.services import create_webhook, new_secret
create_webhook(system(), name="latency", url=sys.argv[1], events=["version.tag_set"], format=Format.STANDARD,
               secret=new_secret(Format.STANDARD))
"""
WARM_UP = 5  # events that are not counted


class Timed(Receiver):
    """Notes when each delivery arrives."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.arrivals: list[float] = []

    def process_request(self, request: object, client_address: object) -> None:
        self.arrivals.append(time.time())
        super().process_request(request, client_address)  # type: ignore[arg-type]


def main() -> None:
    arguments = _arguments()
    os.environ |= {"DATABASE_URL": arguments.database} if arguments.database else {}
    with (
        tempfile.TemporaryDirectory(prefix="podium-latency-") as folder,
        receiving(receiver=Timed) as receiver,
        start_podium(
            Path(folder) / "data", PODIUM_WEBHOOK_ALLOWED_HOSTS=receiver.host, CELERY_BROKER_URL=arguments.broker
        ) as podium,
    ):
        podium.create_user("maria")
        podium.python(MAKE_HOOK, f"http://{receiver.host}/hook")
        _make_events(podium, arguments.events + WARM_UP, arguments.pause)
        milliseconds = sorted(_latencies(receiver, arguments.events + WARM_UP)[WARM_UP:])
    print(  # noqa: T201  the answer
        f"{arguments.broker.partition(':')[0] or 'embedded'}, {len(milliseconds)} events: "
        f"median {statistics.median(milliseconds):.0f} ms, "
        f"95 % within {milliseconds[int(len(milliseconds) * 0.95)]:.0f} ms, slowest {milliseconds[-1]:.0f} ms"
    )


def _make_events(podium: Podium, number: int, pause: float) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {podium.token('maria')}"

    def post(path: str, **body: str) -> None:
        session.post(f"{podium.url}/api/2.0/mlflow/{path}", json=body, timeout=60).raise_for_status()

    post("registered-models/create", name="churn")
    post("model-versions/create", name="churn", source="s3://bucket/model")
    for event in range(number):
        post("model-versions/set-tag", name="churn", version="1", key="event", value=str(event))
        time.sleep(random.uniform(0.5, 1.5) * pause)  # never in step with the worker's own beat


def _latencies(receiver: Timed, number: int) -> list[float]:
    """Milliseconds of each event, in the order of arrival."""
    deadline = time.monotonic() + 60
    while len(receiver.taken) < number:
        assert time.monotonic() < deadline, f"only {len(receiver.taken)} of {number} came"
        time.sleep(0.1)
    told = [datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp() for _, body in receiver.taken]
    return [(arrived - at) * 1000 for arrived, at in zip(receiver.arrivals, told, strict=True)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--broker", default="", help="redis://… or amqp://…; without one, as embedded")
    parser.add_argument("--database", default="", help="postgresql://…, where databases may be made; else SQLite")
    parser.add_argument("--events", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--pause", type=float, default=0.4, help="seconds between two, on average (default: 0.4)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
