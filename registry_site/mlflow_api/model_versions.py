"""Endpoints of model versions: their tags, stages and files."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api.decoding import read_arguments
from registry_site.mlflow_api.endpoint import SITE, Endpoint, View
from registry_site.mlflow_api.files import file_response
from registry_site.mlflow_api.structs import model_versions as structs
from registry_site.promotion import deleting
from registry_site.promotion import services as promotion
from registry_site.registry import queries, services
from registry_site.registry.stages import parse_stage
from registry_site.registry.version_files import resolve_version_artifact


class CreateModelVersion(Endpoint[structs.CreateModelVersionArguments]):
    """The next version of a model."""

    path = "model-versions/create"
    methods = ("POST",)
    request_type = structs.CreateModelVersionArguments

    def call(self, actor: Actor, request: structs.CreateModelVersionArguments) -> structs.ModelVersionAnswer:
        tags = shapes.by_key(request.tags)
        version = services.create_version(
            actor,
            name=request.name,
            source=request.source,
            run_id=request.run_id,
            model_id=request.model_id,
            run_link=request.run_link,
            description=request.description,
            tags=tags,
        )
        return structs.ModelVersionAnswer(model_version=shapes.model_version(version, name=request.name, given=tags))


class GetModelVersion(Endpoint[structs.VersionArguments]):
    """A version with its tags and aliases."""

    path = "model-versions/get"
    methods = ("GET",)
    request_type = structs.VersionArguments

    def call(self, actor: Actor, request: structs.VersionArguments) -> structs.ModelVersionAnswer:
        return _answer(actor, request)


class UpdateModelVersion(Endpoint[structs.UpdateModelVersionArguments]):
    """Replaces the description."""

    path = "model-versions/update"
    methods = ("PATCH", "POST")
    request_type = structs.UpdateModelVersionArguments

    def call(self, actor: Actor, request: structs.UpdateModelVersionArguments) -> structs.ModelVersionAnswer:
        number = shapes.version_number(request.version)
        services.describe_version(actor, name=request.name, version=number, description=request.description)
        return _answer(actor, request)


class DeleteModelVersion(Endpoint[structs.VersionArguments]):
    """Deletes the version with its tags and aliases; its number is never given again."""

    path = "model-versions/delete"
    methods = ("DELETE",)
    request_type = structs.VersionArguments

    def call(self, actor: Actor, request: structs.VersionArguments) -> None:
        deleting.delete_version(actor, name=request.name, version=shapes.version_number(request.version))


class TransitionStage(Endpoint[structs.TransitionStageArguments]):
    """Moves the version into a stage."""

    path = "model-versions/transition-stage"
    methods = ("POST",)
    request_type = structs.TransitionStageArguments

    def call(self, actor: Actor, request: structs.TransitionStageArguments) -> structs.ModelVersionAnswer:
        promotion.transition(
            actor,
            name=request.name,
            version=shapes.version_number(request.version),
            to_stage=parse_stage(request.stage),
            archive_existing=request.archive_existing_versions,
            comment=request.comment,
        )
        return _answer(actor, request)


class GetDownloadUri(Endpoint[structs.VersionArguments]):
    """Where the files of the version really lie; never `models:/…`."""

    path = "model-versions/get-download-uri"
    methods = ("GET",)
    request_type = structs.VersionArguments

    def call(self, actor: Actor, request: structs.VersionArguments) -> structs.DownloadUriAnswer:
        version = queries.get_version(actor, request.name, shapes.version_number(request.version))
        return structs.DownloadUriAnswer(artifact_uri=version.storage_location)


class SearchModelVersions(Endpoint[structs.SearchModelVersionsArguments]):
    """A page of the versions that meet a filter."""

    path = "model-versions/search"
    methods = ("GET", "POST")
    reads = True
    request_type = structs.SearchModelVersionsArguments

    def call(self, actor: Actor, request: structs.SearchModelVersionsArguments) -> structs.ModelVersionsAnswer:
        page = queries.search_versions(
            actor,
            filter=request.filter,
            order_by=request.order_by,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.ModelVersionsAnswer(
            model_versions=[shapes.model_version(version, name=version.registered_model.name) for version in page.rows],
            next_page_token=page.next_page_token,
        )


class SetModelVersionTag(Endpoint[structs.SetVersionTagArguments]):
    """Sets or replaces a tag."""

    path = "model-versions/set-tag"
    methods = ("POST",)
    request_type = structs.SetVersionTagArguments

    def call(self, actor: Actor, request: structs.SetVersionTagArguments) -> None:
        number = shapes.version_number(request.version)
        services.set_version_tag(actor, name=request.name, version=number, key=request.key, value=request.value)


class DeleteModelVersionTag(Endpoint[structs.DeleteVersionTagArguments]):
    """Removes a tag; one that is not there is no error."""

    path = "model-versions/delete-tag"
    methods = ("DELETE",)
    request_type = structs.DeleteVersionTagArguments

    def call(self, actor: Actor, request: structs.DeleteVersionTagArguments) -> None:
        number = shapes.version_number(request.version)
        services.delete_version_tag(actor, name=request.name, version=number, key=request.key)


class GetVersionArtifact(View):
    """A file of the version."""

    path = "model-versions/get-artifact"
    methods = ("GET",)
    roots = SITE

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        request = read_arguments(http, structs.VersionArtifactArguments, path)
        version = queries.get_version(actor, request.name, shapes.version_number(request.version))
        return file_response(http, resolve_version_artifact(actor, version, request.path))


def _answer(actor: Actor, request: structs.VersionArguments) -> structs.ModelVersionAnswer:
    found = queries.get_version(actor, request.name, shapes.version_number(request.version))
    return structs.ModelVersionAnswer(model_version=shapes.full_version(found))


ENDPOINTS = (
    CreateModelVersion,
    GetModelVersion,
    UpdateModelVersion,
    DeleteModelVersion,
    TransitionStage,
    GetDownloadUri,
    SearchModelVersions,
    SetModelVersionTag,
    DeleteModelVersionTag,
    GetVersionArtifact,
)
