"""Clients that call one server for a while, and what that cost."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.scenarios import Call, Scenario
from benchmarks.servers import Server, cpu_between
from benchmarks.sizes import Size

_PREFIX = "/api/2.0/mlflow/"
_WARMING = 0.5  # seconds
_SETTLING = 1.0  # seconds in which a server's background work for the calls may end


@dataclass(slots=True)
class Measured:
    """Calls that were answered, the seconds that passed, and the seconds of CPU of server and database."""

    calls: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def add(self, other: "Measured") -> None:
        self.calls += other.calls
        self.seconds += other.seconds
        self.cpu += other.cpu

    @property
    def milliseconds(self) -> float:
        """CPU per call."""
        return 1000 * self.cpu / self.calls

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.calls / self.seconds


class Client:
    """One connection that is kept. Raises RuntimeError for any answer but 200."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._headers = server.headers | {"Content-Type": "application/json"}

    def send(self, call: Call) -> bytes:
        body = None if call.body is None else json.dumps(call.body)
        self._connection.request("GET" if body is None else "POST", _PREFIX + call.path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{call.path} was answered with {answer.status}: {content[:300]!r}")
        return content

    def turn_to(self, call: Call, page: int) -> Call:
        """The call for a later page of what the call asks for."""
        turned = call
        for _ in range(page - 1):
            token = json.loads(self.send(turned))["next_page_token"]
            turned = Call(f"{call.path}&page_token={token}")
        return turned


def measure(
    server: Server, scenario: Scenario, size: Size, numbers: Iterator[int], *, clients: int, seconds: float
) -> Measured:
    """Let so many clients call, each as soon as it is answered, for so many seconds."""
    first = scenario.call(next(numbers), size)
    turned = Client(server).turn_to(first, scenario.page) if scenario.page > 1 else None
    lock = threading.Lock()
    counts = [0] * clients
    failures: list[Exception] = []
    end = time.monotonic() + seconds

    def call_until_the_end(place: int) -> None:
        client = Client(server)
        try:
            while time.monotonic() < end and not failures:
                with lock:
                    number = next(numbers)
                client.send(turned or scenario.call(number, size))
                counts[place] += 1
        except Exception as failure:  # told below, in the thread that asked
            failures.append(failure)

    before, started = server.cpu(), time.monotonic()
    threads = [threading.Thread(target=call_until_the_end, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - started
    if failures:
        raise failures[0]
    time.sleep(_SETTLING)
    return Measured(sum(counts), passed, cpu_between(before, server.cpu()))


def compare(
    servers: list[Server], scenario: Scenario, size: Size, *, clients: int, seconds: float, rounds: int
) -> dict[str, Measured]:
    """Measure the servers in turns, so that whatever else the machine does falls on all of them."""
    found = {server.name: Measured() for server in servers}
    first = int(time.time()) * 1000  # above those of the last time, whose models may still be there
    numbers = {server.name: itertools.count(first) for server in servers}
    for server in servers:  # so that no first time is measured: of a process, a connection, or a statement
        measure(server, scenario, size, numbers[server.name], clients=clients, seconds=_WARMING)
    for _ in range(rounds):
        for server in servers:
            one = measure(server, scenario, size, numbers[server.name], clients=clients, seconds=seconds)
            found[server.name].add(one)
    return found
