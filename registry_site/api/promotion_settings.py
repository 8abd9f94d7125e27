"""Aliases that stand for a stage, and which way metrics are better: for one model, or for all."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api import serializers_promotion as given
from registry_site.api import shapes_promotion as shapes
from registry_site.api.promotion import ANSWERS
from registry_site.api.views import View
from registry_site.promotion import aliases, directions, queries
from registry_site.registry.stages import Stage

GONE = {status.HTTP_204_NO_CONTENT: None} | {code: said for code, said in ANSWERS.items() if code != 200}


# -- aliases -----------------------------------------------------------------------------------------------------------
class AliasPolicies(View):
    """Aliases that stand for a stage."""

    @extend_schema(operation_id="alias_policies", responses=ANSWERS)
    def get(self, request: Request, name: str | None = None) -> Response:
        """Those that there are, and whether a model or the site says so."""
        found = queries.alias_policies_shown(self.actor, name)
        return Response({"aliases": [shapes.alias_policy(row) for row in found]})


@extend_schema_view(get=extend_schema(operation_id="model_alias_policies"))
class ModelAliasPolicies(AliasPolicies):
    """Aliases that stand for a stage in a model."""


class AliasPolicy(View):
    """An alias that stands for a stage."""

    @extend_schema(operation_id="set_alias_policy", request=given.AliasPolicySerializer, responses=ANSWERS)
    def put(self, request: Request, alias: str, name: str | None = None) -> Response:
        """Say which stage it stands for: whoever sets it then needs what the stage asks for."""
        wanted = self.given(given.AliasPolicySerializer, request.data)
        row = aliases.set_alias_policy(
            self.actor, alias=alias, stage=Stage(wanted["stage"]), is_mirror=wanted["is_mirror"], name=name
        )
        return Response(shapes.alias_policy(row))

    @extend_schema(operation_id="remove_alias_policy", responses=GONE)
    def delete(self, request: Request, alias: str, name: str | None = None) -> Response:
        """Let it be an alias like any other."""
        aliases.remove_alias_policy(self.actor, alias=alias, name=name)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    put=extend_schema(operation_id="set_model_alias_policy"),
    delete=extend_schema(operation_id="remove_model_alias_policy"),
)
class ModelAliasPolicy(AliasPolicy):
    """An alias that stands for a stage in a model."""


# -- metrics -----------------------------------------------------------------------------------------------------------
class MetricDirections(View):
    """Which way metrics are better."""

    @extend_schema(operation_id="metric_directions", responses=ANSWERS)
    def get(self, request: Request, name: str | None = None) -> Response:
        """What was said of each metric, and whether of a model or of all."""
        found = queries.metric_directions_shown(self.actor, name)
        return Response({"metrics": [shapes.metric_direction(row) for row in found]})


@extend_schema_view(get=extend_schema(operation_id="model_metric_directions"))
class ModelMetricDirections(MetricDirections):
    """Which way the metrics of a model are better."""


class MetricDirection(View):
    """Which way a metric is better."""

    @extend_schema(operation_id="set_metric_direction", request=given.MetricDirectionSerializer, responses=ANSWERS)
    def put(self, request: Request, metric: str, name: str | None = None) -> Response:
        """Say it."""
        wanted = self.given(given.MetricDirectionSerializer, request.data)
        return Response(
            shapes.metric_direction(directions.set_metric_direction(self.actor, metric=metric, name=name, **wanted))
        )

    @extend_schema(operation_id="remove_metric_direction", responses=GONE)
    def delete(self, request: Request, metric: str, name: str | None = None) -> Response:
        """Say it no longer."""
        directions.remove_metric_direction(self.actor, metric=metric, name=name)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    put=extend_schema(operation_id="set_model_metric_direction"),
    delete=extend_schema(operation_id="remove_model_metric_direction"),
)
class ModelMetricDirection(MetricDirection):
    """Which way a metric of a model is better."""
