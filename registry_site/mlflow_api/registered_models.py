"""Endpoints of registered models, their tags and aliases."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import registered_models as structs
from registry_site.mlflow_api.structs.model_versions import ModelVersionAnswer, ModelVersionsAnswer
from registry_site.promotion import deleting
from registry_site.registry import queries, services
from registry_site.registry.stages import parse_stage


class CreateRegisteredModel(Endpoint[structs.CreateRegisteredModelArguments]):
    """A new registered model."""

    path = "registered-models/create"
    methods = ("POST",)
    request_type = structs.CreateRegisteredModelArguments

    def call(self, actor: Actor, request: structs.CreateRegisteredModelArguments) -> structs.RegisteredModelAnswer:
        tags = shapes.by_key(request.tags)
        model = services.create_model(actor, name=request.name, description=request.description, tags=tags)
        return structs.RegisteredModelAnswer(registered_model=shapes.new_registered_model(model, tags))


class GetRegisteredModel(Endpoint[structs.NameArguments]):
    """A registered model with its latest versions, tags and aliases."""

    path = "registered-models/get"
    methods = ("GET",)
    request_type = structs.NameArguments

    def call(self, actor: Actor, request: structs.NameArguments) -> structs.RegisteredModelAnswer:
        return _answer(actor, request.name)


class UpdateRegisteredModel(Endpoint[structs.UpdateRegisteredModelArguments]):
    """Replaces the description."""

    path = "registered-models/update"
    methods = ("PATCH", "POST")
    request_type = structs.UpdateRegisteredModelArguments

    def call(self, actor: Actor, request: structs.UpdateRegisteredModelArguments) -> structs.RegisteredModelAnswer:
        services.describe_model(actor, name=request.name, description=request.description)
        return _answer(actor, request.name)


class RenameRegisteredModel(Endpoint[structs.RenameRegisteredModelArguments]):
    """Gives the model another name."""

    path = "registered-models/rename"
    methods = ("POST",)
    request_type = structs.RenameRegisteredModelArguments

    def call(self, actor: Actor, request: structs.RenameRegisteredModelArguments) -> structs.RegisteredModelAnswer:
        services.rename_model(actor, name=request.name, new_name=request.new_name)
        return _answer(actor, request.new_name)


class DeleteRegisteredModel(Endpoint[structs.NameArguments]):
    """Deletes the model with all its versions."""

    path = "registered-models/delete"
    methods = ("DELETE",)
    request_type = structs.NameArguments

    def call(self, actor: Actor, request: structs.NameArguments) -> None:
        deleting.delete_model(actor, name=request.name)


class SearchRegisteredModels(Endpoint[structs.SearchRegisteredModelsArguments]):
    """A page of the models that meet a filter."""

    path = "registered-models/search"
    methods = ("GET", "POST")
    reads = True
    request_type = structs.SearchRegisteredModelsArguments

    def call(self, actor: Actor, request: structs.SearchRegisteredModelsArguments) -> structs.RegisteredModelsAnswer:
        page = queries.search_models(
            actor,
            filter=request.filter,
            order_by=request.order_by,
            max_results=request.max_results,
            page_token=request.page_token,
        )
        return structs.RegisteredModelsAnswer(
            registered_models=[shapes.registered_model(model) for model in page.rows],
            next_page_token=page.next_page_token,
        )


class ListRegisteredModels(Endpoint[structs.ListRegisteredModelsArguments]):
    """A page of all models by name, for MLflow 1 and databricks-sdk."""

    path = "registered-models/list"
    methods = ("GET",)
    request_type = structs.ListRegisteredModelsArguments

    def call(self, actor: Actor, request: structs.ListRegisteredModelsArguments) -> structs.RegisteredModelsAnswer:
        page = queries.search_models(actor, max_results=request.max_results, page_token=request.page_token)
        return structs.RegisteredModelsAnswer(
            registered_models=[shapes.registered_model(model) for model in page.rows],
            next_page_token=page.next_page_token,
        )


class GetLatestVersions(Endpoint[structs.LatestVersionsArguments]):
    """The greatest version of each stage asked for, with aliases."""

    path = "registered-models/get-latest-versions"
    methods = ("GET", "POST")
    reads = True
    request_type = structs.LatestVersionsArguments

    def call(self, actor: Actor, request: structs.LatestVersionsArguments) -> ModelVersionsAnswer:
        stages = [parse_stage(stage) for stage in request.stages]
        found = queries.latest_versions(actor, request.name, stages or None)
        return ModelVersionsAnswer(model_versions=[shapes.full_version(version) for version in found])


class SetRegisteredModelTag(Endpoint[structs.SetRegisteredModelTagArguments]):
    """Sets or replaces a tag."""

    path = "registered-models/set-tag"
    methods = ("POST",)
    request_type = structs.SetRegisteredModelTagArguments

    def call(self, actor: Actor, request: structs.SetRegisteredModelTagArguments) -> None:
        services.set_model_tag(actor, name=request.name, key=request.key, value=request.value)


class DeleteRegisteredModelTag(Endpoint[structs.DeleteRegisteredModelTagArguments]):
    """Removes a tag; one that is not there is no error."""

    path = "registered-models/delete-tag"
    methods = ("DELETE",)
    request_type = structs.DeleteRegisteredModelTagArguments

    def call(self, actor: Actor, request: structs.DeleteRegisteredModelTagArguments) -> None:
        services.delete_model_tag(actor, name=request.name, key=request.key)


class SetAlias(Endpoint[structs.SetAliasArguments]):
    """Points an alias at a version, wherever it pointed before."""

    path = "registered-models/alias"
    methods = ("POST",)
    request_type = structs.SetAliasArguments

    def call(self, actor: Actor, request: structs.SetAliasArguments) -> None:
        version = shapes.version_number(request.version)
        services.set_alias(actor, name=request.name, alias=request.alias, version=version)


class DeleteAlias(Endpoint[structs.AliasArguments]):
    """Removes an alias; one that is not there is no error."""

    path = "registered-models/alias"
    methods = ("DELETE",)
    request_type = structs.AliasArguments

    def call(self, actor: Actor, request: structs.AliasArguments) -> None:
        services.delete_alias(actor, name=request.name, alias=request.alias)


class GetVersionByAlias(Endpoint[structs.AliasArguments]):
    """The version that an alias points at; "latest" is the greatest."""

    path = "registered-models/alias"
    methods = ("GET",)
    request_type = structs.AliasArguments

    def call(self, actor: Actor, request: structs.AliasArguments) -> ModelVersionAnswer:
        found = queries.get_version_by_alias(actor, request.name, request.alias)
        return ModelVersionAnswer(model_version=shapes.full_version(found))


def _answer(actor: Actor, name: str) -> structs.RegisteredModelAnswer:
    model = queries.get_model(actor, name)
    return structs.RegisteredModelAnswer(registered_model=shapes.registered_model(model))


ENDPOINTS = (
    CreateRegisteredModel,
    GetRegisteredModel,
    UpdateRegisteredModel,
    RenameRegisteredModel,
    DeleteRegisteredModel,
    SearchRegisteredModels,
    ListRegisteredModels,
    GetLatestVersions,
    SetRegisteredModelTag,
    DeleteRegisteredModelTag,
    SetAlias,
    DeleteAlias,
    GetVersionByAlias,
)
