"""How much there is in the databases. Everything is numbered from 1, and named after its number on both servers."""

from dataclasses import dataclass

VERSIONS = 5
EXPERIMENTS = 10
TEAMS = 10  # a tag of every model, so that one value of it meets a tenth of them
KEYS = 5  # metrics of every run, and as many params
POINTS = 20  # of every metric
HISTORY = 10_000  # points of one metric of the first run
START = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """Registered models of `VERSIONS` versions each, and runs."""

    models: int
    runs: int


SIZES = {"S": Size(1_000, 2_000), "M": Size(10_000, 20_000), "L": Size(100_000, 50_000)}


def model_name(number: int) -> str:
    """The name of a registered model."""
    return f"model-{number:06}"


def run_id(number: int) -> str:
    """The id of a run: 32 hexadecimal digits."""
    return f"0123456789abcdef01234567{number:08}"


def experiment_id(number: int) -> int:
    """The id of an experiment: 0 is taken by the one that is there from the start."""
    return 1000 + number
