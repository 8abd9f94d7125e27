"""`python -m benchmarks.pages`: what a page costs whoever opens it: requests, bytes, the time until there is
something to read, what moves meanwhile; and what it costs the server. MLflow's pages stand beside ours."""

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks import fill, servers
from benchmarks.databases import Postgres
from benchmarks.servers import Server
from benchmarks.sizes import SIZES, Size, experiment_id, model_name, run_id

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
MODEL = model_name(7)
RUN = run_id(7)
SETTLES = 1500  # milliseconds that a new window of Chromium is busy with itself
ANSWERS = 20  # the clock of the CPU ticks every 10 ms
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
function look() {
  if (document.body?.innerText.toLowerCase().includes(TEXT)) window.seen = performance.now();
  else requestAnimationFrame(look);
}
requestAnimationFrame(look);
"""  # looks at each frame, as the browser is about to paint it
HEAD = (
    "| page | requests | KB cold | KB warm | ms to content | layout shift | ms CPU of the server |"
    " requests, mlflow | KB cold, mlflow | ms to content, mlflow | ratio of times |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of each server, and the text that it is opened for. MLflow has no page for some of ours."""

    name: str
    ours: str
    theirs: str | None
    text: str
    their_text: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    requests: int
    cold: int  # bytes
    warm: int
    milliseconds: float
    shift: float
    cpu: float  # milliseconds, of the server and its database, for the page without what it loads


def pages(request: int) -> list[Shown]:
    """The pages to open. Each `text` is in what the page loads last."""
    experiment, run = experiment_id(7), "run-7"
    return [
        Shown("home", "/", "#/", "Waiting for", "experiment-"),
        Shown("models", "/models", "#/models", "model-", "model-"),
        Shown("models of a team in Production", "/models?q=tag.team:team-7+stage:production", None, "model-"),
        Shown("model", f"/models/{MODEL}", f"#/models/{MODEL}", "In Production", "Version 5"),
        Shown(
            "version",
            f"/models/{MODEL}/versions/5",
            f"#/models/{MODEL}/versions/5",
            "metric_1",
            "Registered",
        ),
        Shown("compared versions", f"/models/{MODEL}/compare/4...5", None, "metric_1"),
        Shown("review", f"/models/{MODEL}/requests/{request}", None, "metric_1"),
        Shown("stage history", f"/models/{MODEL}/timeline", None, "Production"),
        Shown("activity", f"/models/{MODEL}/activity", None, "asked"),
        Shown("reviews", "/reviews", None, "Reviews"),
        Shown("experiments", "/experiments", "#/experiments", "experiment-7", "experiment-7"),
        Shown("runs", f"/experiments/{experiment}", f"#/experiments/{experiment}/runs", "run-", "run-"),
        Shown(
            "compared runs",
            f"/experiments/{experiment}/compare?runs={RUN},{run_id(17)}",
            None,
            "metric_1",
        ),
        Shown("run", f"/runs/{RUN}", f"#/experiments/{experiment}/runs/{RUN}", "metric_1", "metric_1"),
        Shown(
            "metrics",
            f"/runs/{RUN}/metrics",
            f"#/experiments/{experiment}/runs/{RUN}/model-metrics",
            run,
            run,
        ),
        Shown("notifications", "/notifications", None, "Notifications"),
        Shown("search", f"/search?q={MODEL}", None, MODEL),
        Shown("search for a part of a name", "/search?q=000007", None, MODEL),
    ]


def main() -> None:
    arguments = _arguments()
    size = SIZES[arguments.size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="podium-pages-")))
        ours = Postgres(arguments.database, "benchmark_podium_pages")
        ours.make()
        servers.prepare_podium(ours, folder)
        ours.run(fill.podium(size))
        podium = stack.enter_context(servers.podium(ours, folder))
        theirs = _mlflow(stack, arguments.database, folder, size) if not arguments.podium_only else None
        browser = stack.enter_context(_browser())
        visit = _signed_in(browser, podium)
        _print(f"Size {arguments.size}: {size.models:,} models × 5 versions, {size.runs:,} runs\n\n{HEAD}")
        for shown in pages(_ask(podium)):
            if arguments.only not in shown.name:
                continue
            cost = _measure(visit, podium, shown.ours, shown.text, arguments.rounds)
            peer = None
            if theirs and shown.theirs is not None:
                peer = _measure(browser.new_context, theirs, f"/{shown.theirs}", shown.their_text, arguments.rounds)
            _print(_line(shown.name, cost, peer))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="S", help="how much the databases hold (default: S)")
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432",
        help="a PostgreSQL server of this machine where databases may be made",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is opened; medians count")
    parser.add_argument("--only", default="", help="the pages with this in their names")
    parser.add_argument("--podium-only", action="store_true", help="leave mlflow server out")
    return parser.parse_args()


def _mlflow(stack: ExitStack, database: str, folder: Path, size: Size) -> Server:
    servers.make_environment()
    theirs = Postgres(database, "benchmark_mlflow_pages")
    theirs.make()
    servers.prepare_mlflow(theirs)
    theirs.run(fill.mlflow(size))
    return stack.enter_context(servers.mlflow(theirs, folder))


def _ask(podium: Server) -> int:
    """Open a transition request, and say its number."""
    body = json.dumps({"version": 5, "to_stage": "Production", "comment": "Better on every slice."}).encode()
    address = f"http://127.0.0.1:{podium.port}/api/v1/models/{MODEL}/requests"
    asked = Request(address, data=body, headers=podium.headers | {"Content-Type": "application/json"})
    with urlopen(asked) as answer:
        number: int = json.load(answer)["number"]
        return number


# -- in the browser ----------------------------------------------------------------------------------------------------
@contextmanager
def _browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        raise SystemExit(f"This needs a browser: none of {', '.join(CHROMIUM_NAMES)} is on the PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


def _signed_in(browser: Browser, podium: Server) -> Callable[[], BrowserContext]:
    """What opens a window with an empty cache in which Maria is signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{podium.port}/sign-in")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password").fill(servers.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    state = context.storage_state()
    context.close()
    return lambda: browser.new_context(storage_state=state)


def _measure(visit: Callable[[], BrowserContext], server: Server, path: str, text: str, rounds: int) -> Cost:
    costs = [_open(visit, server, path, text) for _ in range(rounds + 1)][1:]  # the first one warms the server
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in Cost.__slots__))


def _open(visit: Callable[[], BrowserContext], server: Server, path: str, text: str) -> Cost:
    context = visit()
    context.add_init_script(WATCH.replace("TEXT", json.dumps(text.lower())))
    try:
        page = context.new_page()
        traffic = _Traffic(page)
        address = f"http://127.0.0.1:{server.port}{path}"
        page.wait_for_timeout(SETTLES)
        milliseconds = _seen(page, address)
        requests, cold = traffic.taken()
        shift: float = page.evaluate("window.shifted")
        page.goto("about:blank")
        traffic.taken()
        _seen(page, address)
        return Cost(requests, cold, traffic.taken()[1], milliseconds, shift, _cpu(context, server, address))
    finally:
        context.close()


def _seen(page: Page, address: str) -> float:
    """Milliseconds from the opening until the text is in a frame; and then wait until all is quiet."""
    page.goto(address)
    page.wait_for_timeout(SETTLES)
    return float(page.wait_for_function("() => window.seen", timeout=120_000).json_value())


def _cpu(context: BrowserContext, server: Server, address: str) -> float:
    """Milliseconds of CPU that the server and its database take for what the address answers with."""
    before = server.cpu()
    for _ in range(ANSWERS):
        context.request.get(address).dispose()
    return servers.cpu_between(before, server.cpu()) * 1000 / ANSWERS


class _Traffic:
    """What goes over the wire for a page: answers from the cache cost nothing, and are none."""

    def __init__(self, page: Page) -> None:
        self._requests = 0
        self._bytes = 0.0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)

    def taken(self) -> tuple[int, int]:
        """Requests and bytes since the last time."""
        found = self._requests, round(self._bytes)
        self._requests, self._bytes = 0, 0.0
        return found

    def _answered(self, event: dict[str, object]) -> None:
        answer = event["response"]
        assert isinstance(answer, dict)
        if not answer.get("fromDiskCache") and not str(answer["url"]).startswith(("data:", "blob:")):
            self._requests += 1

    def _finished(self, event: dict[str, float]) -> None:
        self._bytes += event["encodedDataLength"]


def _line(name: str, ours: Cost, theirs: Cost | None) -> str:
    cells = [
        *(name, f"{ours.requests:.0f}", f"{ours.cold / 1000:.1f}", f"{ours.warm / 1000:.1f}"),
        *(f"{ours.milliseconds:.0f}", f"{ours.shift:.3f}", f"{ours.cpu:.0f}"),
    ]
    if theirs is None:
        cells += ["–"] * 4
    else:
        cells += [f"{theirs.requests:.0f}", f"{theirs.cold / 1000:,.0f}", f"{theirs.milliseconds:.0f}"]
        cells.append(f"1/{theirs.milliseconds / ours.milliseconds:.1f}")
    return f"| {' | '.join(cells)} |"


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  what a command is for


if __name__ == "__main__":
    main()
