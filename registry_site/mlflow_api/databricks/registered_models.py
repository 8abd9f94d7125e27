"""Registered models as Databricks has them."""

from registry_site.accounts.actors import Actor
from registry_site.mlflow_api import shapes_registry as shapes
from registry_site.mlflow_api.endpoint import Endpoint
from registry_site.mlflow_api.structs import permissions as structs
from registry_site.mlflow_api.structs.registered_models import NameArguments
from registry_site.registry import queries
from registry_site.registry.access import level_of
from registry_site.registry.names import model_id


class GetDatabricksModel(Endpoint[NameArguments]):
    """A registered model with the id that permissions are asked by, and the caller's level."""

    path = "databricks/registered-models/get"
    methods = ("GET",)
    request_type = NameArguments

    def call(self, actor: Actor, request: NameArguments) -> structs.DatabricksModelAnswer:
        model = queries.get_model(actor, request.name)
        plain = shapes.registered_model(model)
        return structs.DatabricksModelAnswer(
            registered_model_databricks=structs.DatabricksModel(
                **{field: getattr(plain, field) for field in plain.__struct_fields__},
                id=model_id(model.pk),
                permission_level=level_of(actor, model).name,
                user_id=model.owner.username if model.owner else "",
            )
        )


ENDPOINTS = (GetDatabricksModel,)
