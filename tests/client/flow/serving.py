"""`mlflow models serve` in this environment: the champion answers by HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from flow.common import NAME, Seen, features, step

START_SECONDS = 120
open_url = build_opener(ProxyHandler({})).open


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_answering(server: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert server.poll() is None, f"mlflow models serve ended with {server.returncode}"
        try:
            with open_url(f"{url}/ping", timeout=5):
                return
        except (URLError, TimeoutError, ConnectionError):
            assert time.monotonic() < deadline, f"no answer within {START_SECONDS} s"
            time.sleep(0.2)


@step
def the_champion_is_served() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder = Path(sys.executable).parent
    command = [str(folder / "mlflow"), "models", "serve", "-m", f"models:/{NAME}@champion", "--env-manager", "local"]
    server = subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        wait_until_answering(server, url)
        body = {"dataframe_split": features.head(20).to_dict(orient="split")}
        asked = Request(f"{url}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with open_url(asked, timeout=60) as answer:
            assert json.load(answer) == {"predictions": Seen.predictions[:20].tolist()}
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
