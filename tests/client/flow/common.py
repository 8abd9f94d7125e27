"""What all subjects share: the client, the data, how steps are made, and how refusals are expected."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_wine

MAJOR = int(mlflow.__version__.split(".")[0])
EXPERIMENT = f"wine by mlflow {MAJOR}"
NAME = f"wine-{MAJOR}"
FOLDER = "classifier"

client = MlflowClient()
features, labels = load_wine(return_X_y=True, as_frame=True)
STEPS: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)


class Seen:
    """What the training leaves for all that comes later."""

    run_id: str
    predictions: np.ndarray
    accuracy: float


def step(function: Callable[[], None]) -> Callable[[], None]:
    """Mark a step of its module's subject; steps run in the order in which they are written."""
    STEPS[function.__module__].append(function)
    return function


def step_of_mlflow_3(function: Callable[[], None]) -> Callable[[], None]:
    """Mark a step that uses what MLflow 2 does not have."""
    return step(function) if MAJOR >= 3 else function


@contextmanager
def refused(error_code: str, *words: str) -> Iterator[None]:
    """The block must fail with this code and a message that holds these words."""
    told = None
    try:
        yield
    except MlflowException as error:
        told = error
    assert told is not None, f"expected {error_code}"
    assert told.error_code == error_code, (told.error_code, str(told))
    assert [word for word in words if word not in str(told)] == [], str(told)


def pages(search: Callable[..., list], **arguments) -> list[list]:
    """Every page of a search, in turn."""
    found = [search(**arguments)]
    while found[-1].token:
        found.append(search(**arguments, page_token=found[-1].token))
    return [list(page) for page in found]


def versions_of(models) -> list[tuple[str, int]]:
    return [(found.name, int(found.version)) for found in models]


def assert_predicts_as_trained(model, place: str) -> None:
    np.testing.assert_array_equal(model.predict(features), Seen.predictions, err_msg=place)
