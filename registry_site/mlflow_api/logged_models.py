"""Endpoints of logged models."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_tracking as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import logged_models as structs
from registry_site.mlflow_api.structs.artifacts import RunFilesAnswer
from registry_site.registry.manifests import finalize_logged_model
from registry_site.tracking import artifact_files, logged_models
from registry_site.tracking.logged_models import DatasetFilter, OrderItem


class CreateLoggedModel(Endpoint[structs.CreateLoggedModelArguments]):
    """A new logged model, pending until it is finalised."""

    path = "logged-models"
    methods = ("POST",)
    request_type = structs.CreateLoggedModelArguments

    def call(self, actor: Actor, request: structs.CreateLoggedModelArguments) -> structs.LoggedModelAnswer:
        model = logged_models.create_logged_model(
            actor,
            experiment_id=request.experiment_id,
            name=request.name,
            model_type=request.model_type,
            source_run_id=request.source_run_id,
            params=shapes.by_key(request.params),
            tags=shapes.by_key(request.tags),
        )
        return structs.LoggedModelAnswer(model=shapes.logged_model(model))


class SearchLoggedModels(Endpoint[structs.SearchLoggedModelsArguments]):
    """A page of the logged models that meet a filter."""

    path = "logged-models/search"
    methods = ("POST",)
    reads = True
    request_type = structs.SearchLoggedModelsArguments

    def call(self, actor: Actor, request: structs.SearchLoggedModelsArguments) -> structs.LoggedModelsAnswer:
        page = logged_models.search_logged_models(
            actor,
            experiment_ids=request.experiment_ids,
            filter=request.filter,
            datasets=[DatasetFilter(one.dataset_name, one.dataset_digest) for one in request.datasets],
            order_by=[
                OrderItem(one.field_name, one.ascending, one.dataset_name, one.dataset_digest)
                for one in request.order_by
            ],
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.LoggedModelsAnswer(
            models=[shapes.logged_model(row) for row in page.rows], next_page_token=page.next_page_token
        )


class GetLoggedModel(Endpoint[structs.GetLoggedModelArguments]):
    """A logged model."""

    path = "logged-models/<str:model_id>"
    methods = ("GET",)
    request_type = structs.GetLoggedModelArguments

    def call(self, actor: Actor, request: structs.GetLoggedModelArguments) -> structs.LoggedModelAnswer:
        model = logged_models.get_logged_model(actor, model_id=request.model_id, allow_deleted=request.allow_deleted)
        return structs.LoggedModelAnswer(model=shapes.logged_model(model))


class FinalizeLoggedModel(Endpoint[structs.FinalizeLoggedModelArguments]):
    """Says how the upload ended."""

    path = "logged-models/<str:model_id>"
    methods = ("PATCH",)
    request_type = structs.FinalizeLoggedModelArguments

    def call(self, actor: Actor, request: structs.FinalizeLoggedModelArguments) -> structs.LoggedModelAnswer:
        status = shapes.logged_model_status(request.status)
        model = finalize_logged_model(actor, model_id=request.model_id, status=status)
        return structs.LoggedModelAnswer(model=shapes.logged_model(model))


class DeleteLoggedModel(Endpoint[structs.ModelIdArguments]):
    """Marks a logged model as deleted."""

    path = "logged-models/<str:model_id>"
    methods = ("DELETE",)
    request_type = structs.ModelIdArguments

    def call(self, actor: Actor, request: structs.ModelIdArguments) -> None:
        logged_models.delete_logged_model(actor, model_id=request.model_id)


class SetLoggedModelTags(Endpoint[structs.SetLoggedModelTagsArguments]):
    """Sets or replaces tags."""

    path = "logged-models/<str:model_id>/tags"
    methods = ("PATCH",)
    request_type = structs.SetLoggedModelTagsArguments

    def call(self, actor: Actor, request: structs.SetLoggedModelTagsArguments) -> None:
        logged_models.set_logged_model_tags(actor, model_id=request.model_id, tags=shapes.by_key(request.tags))


class DeleteLoggedModelTag(Endpoint[structs.DeleteLoggedModelTagArguments]):
    """Removes a tag."""

    path = "logged-models/<str:model_id>/tags/<path:tag_key>"
    methods = ("DELETE",)
    request_type = structs.DeleteLoggedModelTagArguments

    def call(self, actor: Actor, request: structs.DeleteLoggedModelTagArguments) -> None:
        logged_models.delete_logged_model_tag(actor, model_id=request.model_id, key=request.tag_key)


class LogLoggedModelParams(Endpoint[structs.LogLoggedModelParamsArguments]):
    """Writes params, once."""

    path = "logged-models/<str:model_id>/params"
    methods = ("POST",)
    request_type = structs.LogLoggedModelParamsArguments

    def call(self, actor: Actor, request: structs.LogLoggedModelParamsArguments) -> None:
        logged_models.log_logged_model_params(actor, model_id=request.model_id, params=shapes.by_key(request.params))


class ListLoggedModelArtifacts(Endpoint[structs.LoggedModelFolderArguments]):
    """What lies in a folder of a logged model."""

    path = "logged-models/<str:model_id>/artifacts/directories"
    methods = ("GET",)
    request_type = structs.LoggedModelFolderArguments

    def call(self, actor: Actor, request: structs.LoggedModelFolderArguments) -> RunFilesAnswer:
        listing = artifact_files.logged_model_artifacts(actor, request.model_id, request.artifact_directory_path)
        return RunFilesAnswer(root_uri=listing.root_uri, files=shapes.files(listing.files))


ENDPOINTS = (
    CreateLoggedModel,
    SearchLoggedModels,
    GetLoggedModel,
    FinalizeLoggedModel,
    DeleteLoggedModel,
    SetLoggedModelTags,
    DeleteLoggedModelTag,
    LogLoggedModelParams,
    ListLoggedModelArtifacts,
)
