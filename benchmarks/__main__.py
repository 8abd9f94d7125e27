"""`python -m benchmarks`: measures, and prints a table."""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import fill, servers
from benchmarks.databases import Database, Postgres, Sqlite
from benchmarks.load import Measured, compare
from benchmarks.scenarios import SCENARIOS
from benchmarks.sizes import SIZES

BASIC_GOAL = 100
HEAD = (
    "| work | mlflow, ms CPU | Podium, ms CPU | ratio | goal | mlflow, calls/s | Podium, calls/s |\n"
    "|---|--:|--:|--:|--:|--:|--:|"
)


def main() -> None:
    arguments = _arguments()
    size = SIZES[arguments.size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="podium-benchmarks-")))
        ours = _database(arguments.database, folder, f"benchmark_podium_{arguments.size.lower()}")
        theirs = _database(arguments.database, folder, f"benchmark_mlflow_{arguments.size.lower()}")
        if not arguments.keep:
            _print(f"Filling size {arguments.size}: {size.models:,} models × 5 versions, {size.runs:,} runs …")
            ours.make()
            servers.prepare_podium(ours, folder)
            ours.run(fill.podium(size))
        running = [stack.enter_context(servers.podium(ours, folder, basic=arguments.basic))]
        if not arguments.podium_only:
            servers.make_environment()
            if not arguments.keep:
                theirs.make()
                servers.prepare_mlflow(theirs)
                theirs.run(fill.mlflow(size))
            running.append(stack.enter_context(servers.mlflow(theirs, folder, basic=arguments.basic)))
        for clients in arguments.clients:
            _print(f"\n{clients} client{'s' * (clients > 1)}, size {arguments.size}\n\n{HEAD}")
            for scenario in SCENARIOS:
                if any(part in scenario.name for part in arguments.only):
                    found = compare(
                        running, scenario, size, clients=clients, seconds=arguments.seconds, rounds=arguments.rounds
                    )
                    goal = BASIC_GOAL if arguments.basic else scenario.goal
                    _print(_line(scenario.name, goal, found["podium"], found.get("mlflow")))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="S", help="how much the databases hold (default: S)")
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432",
        help="a PostgreSQL server of this machine where databases may be made, or the word sqlite",
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[8], help="how many call at once (default: 8)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each turn lasts (default: 3)")
    parser.add_argument("--rounds", type=int, default=2, help="how many turns each server has (default: 2)")
    parser.add_argument("--only", nargs="+", default=[""], help="only the work whose name contains one of these")
    parser.add_argument(
        "--basic", action="store_true", help="with user name and password, beside MLflow's basic-auth app"
    )
    parser.add_argument("--podium-only", action="store_true", help="leave mlflow server out")
    parser.add_argument("--keep", action="store_true", help="work on the PostgreSQL databases of the last time")
    return parser.parse_args()


def _database(where: str, folder: Path, name: str) -> Database:
    return Sqlite(folder, name) if where == "sqlite" else Postgres(where, name)


def _line(name: str, goal: float, ours: Measured, theirs: Measured | None) -> str:
    if theirs is None:
        return f"| {name} | – | {ours.milliseconds:.2f} | – | {goal:g}× | – | {ours.rate:.0f} |"
    ratio = theirs.milliseconds / ours.milliseconds
    return (
        f"| {name} | {theirs.milliseconds:.1f} | {ours.milliseconds:.2f} | {ratio:.1f}× | {goal:g}× "
        f"| {theirs.rate:.0f} | {ours.rate:.0f} |"
    )


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command's output


if __name__ == "__main__":
    main()
