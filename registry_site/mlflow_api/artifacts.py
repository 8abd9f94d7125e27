"""Endpoints of artifacts: the proxy that clients read and write through, and the files of runs and logged models."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from registry_site.accounts.actors import Actor
from registry_site.artifacts import direct
from registry_site.artifacts.paths import join
from registry_site.core.errors import InvalidParameter
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import ARTIFACTS, SITE, Endpoint, View, json_response
from registry_site.mlflow_api.files import file_response, upload
from registry_site.mlflow_api.structs import artifacts as structs
from registry_site.registry.files import list_artifacts, resolve_artifact
from registry_site.tracking import artifact_files


# -- the proxy ---------------------------------------------------------------------------------------------------------
class DownloadArtifact(View):
    """The file, whole or a range of it."""

    path = "artifacts/<path:path>"
    methods = ("GET",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        return file_response(http, resolve_artifact(actor, path["path"]))


class UploadArtifact(View):
    """Stores the body of the request. The answer has no body."""

    path = "artifacts/<path:path>"
    methods = ("PUT",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        stream, length = upload(http)
        artifact_files.write_artifact(actor, path["path"], stream, length=length)
        return HttpResponse(content_type="application/json")


class DeleteArtifact(View):
    """Takes a file or folder away."""

    path = "artifacts/<path:path>"
    methods = ("DELETE",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        artifact_files.delete_artifact(actor, path["path"])
        return json_response(None)


class ListProxiedArtifacts(View):
    """What lies in a folder, by names."""

    path = "artifacts"
    methods = ("GET",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        entries = list_artifacts(actor, http.GET.get("path", ""))
        return json_response(
            structs.FilesAnswer(
                files=[structs.FileInfo(path=one.name, is_dir=one.is_dir, file_size=one.size) for one in entries]
            )
        )


# -- past this server, at a store that clients reach themselves --------------------------------------------------------
class CreateMultipartUpload(Endpoint[structs.CreateUploadArguments]):
    """Addresses to put the parts of a large file to. Nothing of it is seen before the upload is complete."""

    path = "mpu/create/<path:folder>"
    methods = ("POST",)
    roots = ARTIFACTS
    request_type = structs.CreateUploadArguments

    def call(self, actor: Actor, request: structs.CreateUploadArguments) -> structs.UploadAnswer:
        stored = artifact_files.resolve_artifact(actor, _uploaded_path(request), write=True)
        started = direct.start_upload(stored, parts=request.num_parts)
        return structs.UploadAnswer(
            upload_id=started.upload_id,
            credentials=[
                structs.UploadCredential(url=address, part_number=number, headers={})
                for number, address in enumerate(started.addresses, start=1)
            ],
        )


class CompleteMultipartUpload(Endpoint[structs.CompleteUploadArguments]):
    """Makes the uploaded parts the file."""

    path = "mpu/complete/<path:folder>"
    methods = ("POST",)
    roots = ARTIFACTS
    request_type = structs.CompleteUploadArguments

    def call(self, actor: Actor, request: structs.CompleteUploadArguments) -> None:
        stored = artifact_files.resolve_artifact(actor, _uploaded_path(request), write=True)
        parts = [direct.UploadedPart(part.part_number, part.etag) for part in request.parts]
        direct.complete_upload(stored, request.upload_id, parts)


class AbortMultipartUpload(Endpoint[structs.AbortUploadArguments]):
    """Throws the uploaded parts away."""

    path = "mpu/abort/<path:folder>"
    methods = ("POST",)
    roots = ARTIFACTS
    request_type = structs.AbortUploadArguments

    def call(self, actor: Actor, request: structs.AbortUploadArguments) -> None:
        stored = artifact_files.resolve_artifact(actor, _uploaded_path(request), write=True)
        direct.abort_upload(stored, request.upload_id)


class PresignedDownload(View):
    """Where the file can be read, for a quarter of an hour."""

    path = "presigned/<path:path>"
    methods = ("GET",)
    roots = ARTIFACTS

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        address, size = direct.download_address(resolve_artifact(actor, path["path"]))
        return json_response(structs.AddressAnswer(url=address, headers={}, file_size=size))


class PresignedDownloadUrl(Endpoint[structs.PresignedArguments]):
    """Where a file of a run or logged model can be read."""

    path = "artifacts/presigned-download-url"
    methods = ("POST",)
    reads = True
    request_type = structs.PresignedArguments

    def call(self, actor: Actor, request: structs.PresignedArguments) -> structs.PresignedAnswer:
        if request.model_id:
            stored = artifact_files.resolve_logged_model_artifact(actor, request.model_id, request.path)
        else:
            stored = artifact_files.resolve_run_artifact(actor, request.run_id, request.path)
        address, size = direct.download_address(stored, seconds=request.expiration)
        return structs.PresignedAnswer(presigned_url=address, headers={}, file_size=size)


class PresignedUploadUrl(Endpoint[structs.PresignedArguments]):
    """Where a file of a run or logged model can be put that does not lie behind the proxy."""

    path = "artifacts/presigned-upload-url"
    methods = ("POST",)
    request_type = structs.PresignedArguments

    def call(self, actor: Actor, request: structs.PresignedArguments) -> structs.PresignedAnswer:
        stored = artifact_files.resolve_direct_upload(
            actor, request.path, run_id=request.run_id, model_id=request.model_id
        )
        address, headers = direct.upload_address(stored, seconds=request.expiration)
        return structs.PresignedAnswer(presigned_url=address, headers=dict(headers))


def _uploaded_path(request: structs.UploadArguments) -> str:
    """Where an upload in parts goes: clients send the folder in the address, and the path on their own machine."""
    return join(request.folder, re.split(r"[/\\]", request.path)[-1])


# -- by run and logged model -------------------------------------------------------------------------------------------
class ListArtifacts(Endpoint[structs.ListArtifactsArguments]):
    """What lies in a folder of a run."""

    path = "artifacts/list"
    methods = ("GET",)
    request_type = structs.ListArtifactsArguments

    def call(self, actor: Actor, request: structs.ListArtifactsArguments) -> structs.RunFilesAnswer:
        listing = artifact_files.run_artifacts(actor, request.run, request.path)
        return structs.RunFilesAnswer(root_uri=listing.root_uri, files=shapes.files(listing.files))


class GetArtifact(View):
    """A file of a run."""

    path = "get-artifact"
    methods = ("GET",)
    roots = SITE

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        run_id = http.GET.get("run_id") or http.GET.get("run_uuid")
        stored = artifact_files.resolve_run_artifact(
            actor, required(run_id, "run_id"), required(http.GET.get("path"), "path")
        )
        return file_response(http, stored)


class GetLoggedModelArtifact(View):
    """A file of a logged model."""

    path = "logged-models/<str:model_id>/artifacts/files"
    methods = ("GET",)

    def respond(self, actor: Actor, http: HttpRequest, **path: Any) -> HttpResponseBase:
        wanted = required(http.GET.get("artifact_file_path"), "artifact_file_path")
        return file_response(http, artifact_files.resolve_logged_model_artifact(actor, path["model_id"], wanted))


def required(value: str | None, name: str) -> str:
    """The value of a parameter in the query. Raises InvalidParameter without one."""
    if not value:
        raise InvalidParameter(f"Missing value for required parameter '{name}'. It must not be empty.", field=name)
    return value


ENDPOINTS = (
    DownloadArtifact,
    UploadArtifact,
    DeleteArtifact,
    ListProxiedArtifacts,
    CreateMultipartUpload,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    PresignedDownload,
    ListArtifacts,
    PresignedUploadUrl,
    PresignedDownloadUrl,
    GetArtifact,
    GetLoggedModelArtifact,
)
