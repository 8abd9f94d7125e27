"""What experiments, runs, logged models and their keys and values may be. Pure.

Texts that merely describe (values of params and run tags) are cut at their limit, as MLflow's clients expect; texts
that identify (names, keys) are refused instead.
"""

import json
import math
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence, Sized
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from registry_site.core.errors import InvalidParameter

KEY_LIMIT = 250
PARAM_VALUE_LIMIT = 6000
RUN_TAG_VALUE_LIMIT = 8000
EXPERIMENT_NAME_LIMIT = 500
EXPERIMENT_TAG_VALUE_LIMIT = 20_000
ARTIFACT_LOCATION_LIMIT = 2048
LOGGED_MODEL_NAME_LIMIT = 500
LOGGED_MODEL_TYPE_LIMIT = 500
USER_ID_LIMIT = 256
BATCH_METRICS_LIMIT = 1000
BATCH_PARAMS_LIMIT = 100
BATCH_TAGS_LIMIT = 100
BATCH_LIMIT = 1000
EXPERIMENT_IDS_LIMIT = 30_000  # SQLite takes 32,766 values in one statement
LINKED_MODELS_LIMIT = 1000
MODEL_DATASETS_LIMIT = 100
DATASET_LIMITS = {
    "name": 500,
    "digest": 36,
    "source_type": 36,
    "source": 65_535,
    "schema": 1_048_575,
    "profile": 16_777_215,
}
INPUT_TAG_KEY_LIMIT = 255
INPUT_TAG_VALUE_LIMIT = 500

RUN_NAME_TAG = "mlflow.runName"
USER_TAG = "mlflow.user"
LOGGED_MODELS_TAG = "mlflow.log-model.history"
DATASET_CONTEXT_TAG = "mlflow.data.context"

PROXY_SCHEME = "mlflow-artifacts"
GREATEST_FLOAT = 1.7976931348623157e308
GREATEST_INT = 2**63 - 1

Many = TypeVar("Many", bound=Sized)

_KEY = re.compile(r"[/\w.\- :]+\Z")
_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}\Z")
_BAD_IN_LOGGED_MODEL_NAMES = re.compile(r"[/:.%\"']")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ARTIFACT_ROOT = re.compile(
    r"(?:(?P<location>.*?)/)?(?P<owner>(?:m-)?[0-9a-f]{32})/artifacts(?:/(?P<rest>.*))?\Z", re.DOTALL
)


class ViewType(StrEnum):
    """Which rows a search sees, by their life-cycle stage."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


# -- identifiers, names, keys ------------------------------------------------------------------------------------------
def parse_experiment_id(text: str | int) -> int:
    """The id as a number. Raises InvalidParameter for what is not a whole number of 64 bits."""
    if isinstance(text, int) or re.fullmatch(r"[0-9]{1,19}", text):
        number = int(text)
        if 0 <= number <= GREATEST_INT:
            return number
    raise InvalidParameter(f"Invalid experiment ID '{_shown(text)}': it must be an integer.", field="experiment_id")


def parse_experiment_ids(texts: Iterable[str | int]) -> list[int]:
    """The ids without repetitions, ascending. Raises InvalidParameter as `parse_experiment_id` does, and for more than
    30,000."""
    ids = sorted({parse_experiment_id(text) for text in texts})
    return validate_count(ids, EXPERIMENT_IDS_LIMIT, "experiment_ids")


def validate_count(items: Many, limit: int, field: str) -> Many:
    """The items unchanged. Raises InvalidParameter when there are more than the limit."""
    if len(items) > limit:
        raise InvalidParameter(f"{field} names {len(items)} at once; at most {limit} are allowed.", field=field)
    return items


def validate_id(identifier: str, field: str = "run_id") -> str:
    """The id unchanged. Raises InvalidParameter for characters that no id has."""
    if not _ID.match(identifier):
        raise InvalidParameter(f"Invalid {field} '{_shown(identifier)}'.", field=field)
    return identifier


def validate_experiment_name(name: str, field: str = "name") -> str:
    """The name unchanged. Raises InvalidParameter for an empty or blank one, a too long one, control characters."""
    if not name.strip():
        raise InvalidParameter(f"Invalid experiment name: '{_shown(name)}'. It must not be empty.", field=field)
    if len(name) > EXPERIMENT_NAME_LIMIT:
        raise InvalidParameter(
            f"Invalid experiment name: it has {len(name)} characters and may have {EXPERIMENT_NAME_LIMIT}.", field=field
        )
    if _CONTROL.search(name):
        raise InvalidParameter("Invalid experiment name: it must not hold control characters.", field=field)
    return storable(name, field)


def validate_logged_model_name(name: str) -> str:
    """The name unchanged. Raises InvalidParameter for an empty or too long one and for one of `/ : . % " '`."""
    if not name.strip() or _BAD_IN_LOGGED_MODEL_NAMES.search(name) or _CONTROL.search(name):
        raise InvalidParameter(
            f"Invalid model name '{_shown(name)}': it must not be empty, nor contain any of / : . % \" '.", field="name"
        )
    if len(name) > LOGGED_MODEL_NAME_LIMIT:
        raise InvalidParameter(
            f"Invalid model name: it has {len(name)} characters and may have {LOGGED_MODEL_NAME_LIMIT}.", field="name"
        )
    return storable(name, "name")


def validate_key(key: str, what: str, field: str = "key") -> str:
    """The key of a metric, param or tag, unchanged.

    Raises InvalidParameter for other characters than word characters, `/`, `.`, `-`, `:` and blanks, for more than
    250 of them, and for a key that would be another path when it is written out as one (`..`, `a//b`, `/a`, `a/`).
    """
    if not _KEY.match(key):
        raise InvalidParameter(
            f"Invalid {what} name '{_shown(key)}': names may hold letters, digits, _ - . : / and blanks.", field=field
        )
    if len(key) > KEY_LIMIT:
        raise InvalidParameter(
            f"Invalid {what} name '{_shown(key)}': it has {len(key)} characters and may have {KEY_LIMIT}.", field=field
        )
    if posixpath.normpath(key) != key or key.startswith(("/", "..")) or key == ".":
        raise InvalidParameter(f"Invalid {what} name '{_shown(key)}': it must be a plain relative path.", field=field)
    return key


# -- values ------------------------------------------------------------------------------------------------------------
def storable(text: str, field: str) -> str:
    """The text unchanged. Raises InvalidParameter for NUL and lone surrogates, which no database takes."""
    if _UNSTORABLE.search(text):
        raise InvalidParameter(f"Invalid {field}: it holds a character that cannot be stored.", field=field)
    return text


def cut_param_value(value: str, field: str = "value") -> str:
    """What is kept of a param's value: its first 6000 characters."""
    return storable(value, field)[:PARAM_VALUE_LIMIT]


def cut_run_tag_value(value: str, field: str = "value") -> str:
    """What is kept of the value of a run's tag: its first 8000 characters."""
    return storable(value, field)[:RUN_TAG_VALUE_LIMIT]


def validate_experiment_tag(key: str, value: str) -> tuple[str, str]:
    """Key and value unchanged. Raises InvalidParameter as `validate_key` does, and for more than 20,000 characters."""
    validate_key(key, "tag")
    return key, _within(value, EXPERIMENT_TAG_VALUE_LIMIT, f"The value of tag '{key}'", "value")


def validate_text(text: str, limit: int, field: str) -> str:
    """The text unchanged. Raises InvalidParameter when it is longer than the limit or cannot be stored."""
    return _within(text, limit, f"The {field}", field)


def validate_dataset(dataset: Mapping[str, str], where: str) -> dict[str, str]:
    """Every field of a dataset, absent ones empty.

    Raises InvalidParameter when name or digest are missing and for a field beyond its limit; `where` is its place in
    the request, as in `datasets[0]`.
    """
    for required in ("name", "digest"):
        if not dataset.get(required):
            raise InvalidParameter(
                f"Missing value for required parameter '{where}.dataset.{required}'.",
                field=f"{where}.dataset.{required}",
            )
    return {
        field: _within(dataset.get(field) or "", limit, f"{where}.dataset.{field}", f"{where}.dataset.{field}")
        for field, limit in DATASET_LIMITS.items()
    }


def validate_input_tags(tags: Mapping[str, str], where: str) -> dict[str, str]:
    """The tags of a dataset input. Raises InvalidParameter beyond 255 characters of a key, 500 of a value."""
    for key, value in tags.items():
        _within(key, INPUT_TAG_KEY_LIMIT, f"A tag's key of {where}", f"{where}.tags")
        _within(value, INPUT_TAG_VALUE_LIMIT, f"The value of tag '{_shown(key)}' of {where}", f"{where}.tags")
    return dict(tags)


def normal_metric_value(value: float) -> tuple[float, bool]:
    """How a number is stored: NaN as (0, True), an infinity as the greatest float, all others as they are."""
    if math.isnan(value):
        return 0.0, True
    return max(-GREATEST_FLOAT, min(GREATEST_FLOAT, value)), False


def validate_batch_size(*, metrics: int, params: int, tags: int) -> None:
    """Raises InvalidParameter when a batch has more than 1000 metrics, 100 params, 100 tags or 1000 together."""
    for count, limit, what in (
        (metrics, BATCH_METRICS_LIMIT, "metrics"),
        (params, BATCH_PARAMS_LIMIT, "params"),
        (tags, BATCH_TAGS_LIMIT, "tags"),
        (metrics + params + tags, BATCH_LIMIT, "metrics, params and tags together"),
    ):
        if count > limit:
            raise InvalidParameter(f"A batch may hold at most {limit} {what}; this one holds {count}. Send several.")


def parse_logged_model_json(text: str) -> dict[str, Any]:
    """What an MLflow 2 client says of a model that it logged. Raises InvalidParameter when it is not that."""
    try:
        model = json.loads(storable(text, "model_json"))
    except (ValueError, RecursionError):
        raise InvalidParameter("Malformed model info: model_json is not valid JSON.", field="model_json") from None
    if not isinstance(model, dict):
        raise InvalidParameter("Malformed model info: model_json must be an object.", field="model_json")
    missing = [key for key in ("artifact_path", "flavors", "utc_time_created", "run_id") if key not in model]
    if missing:
        raise InvalidParameter(f"Malformed model info: model_json lacks {', '.join(missing)}.", field="model_json")
    return model


# -- where artifacts lie -----------------------------------------------------------------------------------------------
def default_location(experiment_id: int) -> str:
    """Where an experiment's artifacts lie that was given no other place."""
    return f"{PROXY_SCHEME}:/{experiment_id}"


def run_artifact_uri(location: str, run_id: str) -> str:
    """The artifact root of a run of an experiment at `location`."""
    return f"{location.rstrip('/')}/{run_id}/artifacts"


def logged_model_artifact_uri(location: str, model_id: str) -> str:
    """The artifact root of a logged model of an experiment at `location`."""
    return f"{location.rstrip('/')}/models/{model_id}/artifacts"


def validate_artifact_location(location: str, *, store_root: str, own_host: str, stores: Sequence[str] = ()) -> str:
    """Where an experiment's artifacts shall lie, written in the one way that this server stores.

    Admitted are `mlflow-artifacts:/path` (with this server's own host or none), when the store is a bucket, what lies
    under its root, and what lies under the root of a further store. Raises InvalidParameter for every other scheme, for
    queries, fragments, parameters, user names, backslashes, control characters and dot segments in any encoding, and
    for a place inside the artifacts of a run.
    """
    if len(location) > ARTIFACT_LOCATION_LIMIT:
        raise _bad_location(location, f"it has {len(location)} characters and may have {ARTIFACT_LOCATION_LIMIT}")
    roots = tuple(root.rstrip("/") for root in (store_root, *stores) if "://" in root)
    root = next((root for root in roots if f"{location.rstrip('/')}/".startswith(f"{root}/")), "")
    spelling = location[len(root) :]  # the root is as it was configured, in Azure with an '@' in it
    for _ in range(10):
        _refuse_smuggling(location, spelling)
        decoded = unquote(spelling)
        if decoded == spelling:
            break
        spelling = decoded
    else:
        raise _bad_location(location, "it is percent-encoded over and over")
    return storable(_under_a_store(location, root=root, roots=roots, own_host=own_host), "artifact_location")


def split_artifact_path(path: str) -> tuple[str, str, str] | None:
    """The parts of a storage path that lies in the artifacts of a run or logged model: the root, the id of the run or
    logged model, and the path below the root (empty for the root itself). None for every other path."""
    found = _ARTIFACT_ROOT.match(path)
    if found is None:
        return None
    rest = found["rest"] or ""
    return (path[: -len(rest) - 1] if rest else path.removesuffix("/")), found["owner"], rest


def storage_path(artifact_uri: str, store_root: str, stores: Sequence[str] = ()) -> str | None:
    """Where in the store an artifact root lies: a path, or its URI when it lies in one of the further stores; None when
    it is in no store at all."""
    if artifact_uri.startswith(f"{PROXY_SCHEME}:/"):
        return artifact_uri.removeprefix(f"{PROXY_SCHEME}:/").lstrip("/")
    root = store_root.rstrip("/") + "/"
    if "://" in root and artifact_uri.startswith(root):
        return artifact_uri.removeprefix(root)
    if any(artifact_uri.startswith(one.rstrip("/") + "/") for one in stores):
        return artifact_uri
    return None


def artifact_uris(stored: str, store_root: str) -> list[str]:
    """Every spelling in which the place may stand as an artifact root: the inverse of `storage_path`."""
    if "://" in stored:
        return [stored]
    return [f"{PROXY_SCHEME}:/{stored}", *([f"{store_root.rstrip('/')}/{stored}"] if "://" in store_root else [])]


def _refuse_smuggling(location: str, spelling: str) -> None:
    for character in "?#;\\@":
        if character in spelling:
            raise _bad_location(location, f"it must not contain '{character}'")
    if _CONTROL.search(spelling):
        raise _bad_location(location, "it must not contain control characters")
    if not {".", ".."}.isdisjoint(spelling.split("/")):
        raise _bad_location(location, "it must not contain '.' or '..' as a folder")


def _under_a_store(location: str, *, root: str, roots: Sequence[str], own_host: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        raise _bad_location(location, "it is not a URI") from None
    if (
        parts.scheme == PROXY_SCHEME
        and parts.netloc in ("", own_host)
        and location[len(PROXY_SCHEME) + 1 :].startswith("/")
    ):
        path = parts.path.strip("/")
        normal = f"{PROXY_SCHEME}:/{path}"
    elif root:
        normal = location.rstrip("/")
        path = normal[len(root) :].removeprefix("/")
        if path.startswith("/"):
            raise _bad_location(location, "it has an empty folder")
    else:
        others = "".join(f" or {root}/" for root in roots)
        raise _bad_location(location, f"it must start with {PROXY_SCHEME}:/{others}, where this server keeps artifacts")
    if "//" in path:
        raise _bad_location(location, "it has an empty folder")
    if split_artifact_path(path) is not None:
        raise _bad_location(location, "it lies inside the artifacts of a run or logged model")
    return normal


def _bad_location(location: str, reason: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid artifact_location '{_shown(location)}': {reason}.", field="artifact_location")


def _within(text: str, limit: int, what: str, field: str) -> str:
    if len(text) > limit:
        raise InvalidParameter(f"{what} has {len(text)} characters and may have {limit}.", field=field)
    return storable(text, field)


def _shown(text: object) -> str:
    shown = ascii(str(text))[1:-1] if _UNSTORABLE.search(str(text)) else str(text)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
