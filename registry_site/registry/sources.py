"""Where a version's files are: what a source may be, and what the run and logged model behind it are.

The server never opens a source. Bytes come through the run's or logged model's own storage, so a source must lie inside
one of those, name another version, or point into an object store that only the clients reach.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.core.errors import InvalidParameter, NotFound
from registry_site.registry.access import visible
from registry_site.registry.models import Alias, ModelVersion
from registry_site.registry.stages import Stage
from registry_site.tracking import access
from registry_site.tracking.artifact_files import artifact_uris, stored_path
from registry_site.tracking.locking import run_not_found
from registry_site.tracking.models import LifecycleStage, LoggedModel, Run
from registry_site.tracking.rules import split_artifact_path, validate_id

SOURCE_LIMIT = 2000
PROMPT_SOURCES = ("dummy-source", "prompt-template")
CLIENT_STORES = ("s3", "gs", "gcs", "wasb", "wasbs", "abfs", "abfss", "dbfs", "adl", "oss", "oci", "hf")

_LOGGED_MODEL = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_RUN = re.compile(r"runs:/([^/]+)(?:/(.*))?\Z")
_VERSION = re.compile(r"models:/([^/@]+)(?:/([^/]+)|@([\w-]+))\Z")
_API_PATH = re.compile(r".*/(?:api|ajax-api)/2\.0/mlflow-artifacts/artifacts/(.+)\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was found good: as it is kept, where the files are, and what they came from."""

    source: str
    storage_location: str
    run_id: str = ""
    model_id: str = ""
    origin: ModelVersion | None = None
    """The version that it names, if it names one."""


def copy_of(origin: ModelVersion) -> Source:
    """The source of a copy of a version, as MLflow's clients write it."""
    name = origin.registered_model.name
    return Source(f"models:/{name}/{origin.version}", origin.storage_location, origin.run_id, origin.model_id, origin)


def resolve_source(actor: Actor, text: str, *, run_id: str = "", model_id: str = "", is_prompt: bool = False) -> Source:
    """Check a source and find out what stands behind it; `run_id` and `model_id`, where given, must agree with it.

    Raises InvalidParameter for a source that is not allowed, NotFound for a logged model that does not exist. The run,
    logged model or version behind it must be the actor's to read, else it is as if it were not there. A run id that no
    run here has is kept as it is: clients name runs of other servers.
    """
    actor.require_signed_in()
    if run_id:
        validate_id(run_id)
        _refuse_hidden_run(actor, run_id)
    logged_model = _logged_model(actor, model_id) if model_id else None
    if is_prompt and text in PROMPT_SOURCES:
        return Source(text, text, run_id, model_id)
    _refuse_tricks(text)
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:  # an address with half a bracket
        raise _invalid(text, "it is no URI") from None
    if match := _LOGGED_MODEL.match(text):
        if model_id and model_id != match[1]:
            raise _invalid(text, f"it is not the logged model '{model_id}' that was named")
        found = logged_model or _logged_model(actor, match[1])
        return Source(text, found.artifact_uri, run_id or _run_of(found), found.model_id)
    if match := _RUN.match(text):
        return _inside_run(actor, text, match[1], match[2] or "", run_id, logged_model)
    if match := _VERSION.match(text):
        return _other_version(actor, text, match, run_id, model_id)
    if scheme == "mlflow-artifacts" or (scheme in ("http", "https") and _API_PATH.match(urlsplit(text).path)):
        return _proxied(actor, text, run_id, logged_model)
    if scheme in CLIENT_STORES:
        return _in_a_client_s_store(actor, text, run_id, logged_model)
    raise _invalid(
        text, "a source is runs:/, models:/ or mlflow-artifacts:/ inside a run or logged model, or in an object store"
    )


def _invalid(text: str, reason: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid model version source: '{text}'. {reason[0].upper()}{reason[1:]}.", field="source")


def _refuse_tricks(text: str) -> None:
    if len(text) > SOURCE_LIMIT:
        raise _invalid(text[:60] + "…", f"it has {len(text)} characters and may have {SOURCE_LIMIT}")
    decoded = text
    for _ in range(10):
        has_controls = any(ord(character) < 32 for character in decoded)
        if has_controls or "\\" in decoded or ".." in decoded.split("?")[0].split("/"):
            raise _invalid(text, "it must not hold '..', backslashes or control characters, encoded or not")
        if unquote(decoded) == decoded:
            return
        decoded = unquote(decoded)
    raise _invalid(text, "it is encoded too often")


def _refuse_hidden_run(actor: Actor, run_id: str) -> None:
    if access.reads_everything(actor):
        return
    if Run.objects.filter(~access.visible(actor, "experiment_id"), run_id=run_id).exists():
        raise run_not_found(run_id)


def _runs(actor: Actor) -> QuerySet[Run]:
    return Run.objects.filter(access.visible(actor, "experiment_id"))


def _logged_models(actor: Actor) -> QuerySet[LoggedModel]:
    return LoggedModel.objects.filter(access.visible(actor, "experiment_id")).select_related("source_run")


def _logged_model(actor: Actor, model_id: str) -> LoggedModel:
    found = _logged_models(actor).filter(model_id=model_id, lifecycle_stage=LifecycleStage.ACTIVE).first()
    if found is None:
        raise NotFound(f"Logged model with ID '{model_id}' not found.", field="model_id")
    return found


def _run_of(logged_model: LoggedModel | None) -> str:
    return logged_model.source_run.run_id if logged_model and logged_model.source_run else ""


def _inside_run(
    actor: Actor, text: str, named: str, path: str, run_id: str, logged_model: LoggedModel | None
) -> Source:
    if run_id and run_id != named:
        raise _invalid(text, f"it is not in the run '{run_id}' that was named")
    run = _runs(actor).filter(run_id=named).first()
    if run is None:
        raise _invalid(text, f"there is no run '{named}'")
    if logged_model is None:  # MLflow 3 keeps a run's model with the logged model; MLflow 2 below the run
        logged_model = _logged_models(actor).filter(source_run=run, name=path).order_by("-creation_timestamp").first()
    if logged_model is not None:
        return Source(text, logged_model.artifact_uri, named, logged_model.model_id)
    return Source(text, f"{run.artifact_uri}/{path}".rstrip("/"), named)


def _other_version(actor: Actor, text: str, match: re.Match[str], run_id: str, model_id: str) -> Source:
    name, reference, alias = unquote(match[1]), match[2], match[3]
    versions = ModelVersion.objects.select_related("registered_model").filter(
        visible(actor, "registered_model_id"), registered_model__name=name
    )
    if alias:
        held = Alias.objects.filter(registered_model__name=name, alias=alias).values_list("model_version_id", flat=True)
        versions = versions.filter(pk__in=held)
    elif reference.isdecimal():
        versions = versions.filter(version=int(reference))
    elif reference.lower() != "latest":
        stages = {stage.value.lower(): stage.value for stage in Stage}
        versions = versions.filter(current_stage=stages.get(reference.lower(), ""))
    origin = versions.order_by("-version").first()
    if origin is None:
        raise _invalid(text, "there is no such model version")
    if origin.registered_model.is_prompt:
        raise _invalid(text, "it is a prompt and not a model")
    if (run_id and run_id != origin.run_id) or (model_id and model_id != origin.model_id):
        raise _invalid(text, "the version comes from another run or logged model than the one named")
    return copy_of(origin)


def _proxied(actor: Actor, text: str, run_id: str, logged_model: LoggedModel | None) -> Source:
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise _invalid(text, "it must not hold a query, a fragment or credentials")
    if parts.netloc and (parts.hostname or "") not in _own_hosts():
        raise _invalid(text, "it is on another server")
    api = _API_PATH.match(parts.path)
    path = unquote(api[1] if api else parts.path).strip("/")
    uri = f"mlflow-artifacts:/{path}"
    if logged_model is not None:
        if not _is_inside(uri, logged_model.artifact_uri):
            raise _invalid(text, f"it is not inside the logged model '{logged_model.model_id}'")
        return Source(text, uri, run_id or _run_of(logged_model), logged_model.model_id)
    segments = path.split("/")
    candidates = [segments[index - 1] for index in range(1, len(segments)) if segments[index] == "artifacts"]
    run = next((run for run in _runs(actor).filter(run_id__in=candidates) if _is_inside(uri, run.artifact_uri)), None)
    if run is not None:
        if run_id and run_id != run.run_id:
            raise _invalid(text, f"it is not in the run '{run_id}' that was named")
        return Source(text, uri, run.run_id)
    for found in _logged_models(actor).filter(model_id__in=candidates):
        if _is_inside(uri, found.artifact_uri):
            return Source(text, uri, run_id or _run_of(found), found.model_id)
    raise _invalid(text, "it is in no run and no logged model")


def _in_a_client_s_store(actor: Actor, text: str, run_id: str, logged_model: LoggedModel | None) -> Source:
    """Nobody here may look whether it is there. Where it lies in a run or logged model that the actor may read, the
    version comes from that one; this is what later opens its files to readers of the registered model."""
    parts = split_artifact_path(text.rstrip("/")) if stored_path(text) else None
    if parts is not None and not run_id and logged_model is None:
        root, owner, _ = parts
        uris = artifact_uris(stored_path(root) or root)
        run = _runs(actor).filter(run_id=owner, artifact_uri__in=uris).first()
        if run is not None:
            return Source(text, text.rstrip("/"), run.run_id)
        logged_model = _logged_models(actor).filter(model_id=owner, artifact_uri__in=uris).first()
    model_id = logged_model.model_id if logged_model else ""
    return Source(text, text, run_id or _run_of(logged_model), model_id)


def _is_inside(uri: str, root: str) -> bool:
    return uri == root or uri.startswith(root.rstrip("/") + "/")


def _own_hosts() -> set[str]:
    site = urlsplit(settings.PODIUM_SITE_URL).hostname
    return {*settings.ALLOWED_HOSTS, *([site] if site else [])}
