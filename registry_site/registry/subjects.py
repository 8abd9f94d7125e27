"""How history names what belongs to a registered model."""

from registry_site.audit.record import Subject
from registry_site.registry.models import ModelVersion, RegisteredModel
from registry_site.registry.stages import Stage


def of_model(model: RegisteredModel) -> Subject:
    return Subject(f"model {model.name}", registered_model_id=model.pk)


def of_version(version: ModelVersion, request_number: int | None = None) -> Subject:
    """A version; with a number, as something that this request did to it."""
    return Subject(
        f"model {version.registered_model.name} version {version.version}",
        registered_model_id=version.registered_model_id,
        version=version.version,
        request_number=request_number,
    )


def of_site_policy(stage: Stage) -> Subject:
    return Subject(f"policy of {stage.value} for all models")
