"""Who may do what with a registered model or an experiment."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.accounts.access import AccessList
from registry_site.accounts.levels import EXPERIMENT_LEVELS, MODEL_LEVELS, Level, parse_level
from registry_site.api.views import ProblemSerializer, View
from registry_site.registry import grants as model_grants
from registry_site.tracking import grants as experiment_grants

PROBLEMS = {
    400: ProblemSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    409: ProblemSerializer,
}


class HolderSerializer(serializers.Serializer[Any]):
    """A person or a group, and a level that they have."""

    username = serializers.CharField(help_text="empty for a group")
    group = serializers.CharField(help_text="empty for a person")
    level = serializers.CharField(source="level.name")
    source = serializers.CharField(  # type: ignore[assignment]  # a field of that name
        source="source.value", help_text="`own`: granted here, `all`: granted on all of the kind, or `administrator`"
    )


class AccessSerializer(serializers.Serializer[Any]):
    """Who may do what. Of several levels the greatest counts."""

    everybody = serializers.CharField(source="everybody.name", help_text="what everybody who is signed in may do")
    own = serializers.CharField(source="own.name", help_text="what the caller may do")
    grants = HolderSerializer(source="holders", many=True)


class GrantSerializer(serializers.Serializer[Any]):
    """A level to give."""

    level = serializers.CharField(help_text="`CAN_READ`, `CAN_EDIT`, …, `CAN_MANAGE`")


class _Give(Protocol):
    def __call__(self, *, level: Level, username: str, group: str) -> object: ...


class _Take(Protocol):
    def __call__(self, *, username: str, group: str) -> object: ...


class _Grant(View):
    """What is granted to one person, or to one group, on one thing."""

    levels: Sequence[Level]

    def services(self, place: str) -> tuple[_Give, _Take]:
        """What gives and what takes a level there."""
        raise NotImplementedError

    @extend_schema(request=GrantSerializer, responses={204: None, **PROBLEMS})
    def put(self, request: Request, place: str, username: str = "", group: str = "") -> Response:
        """Give a level, in the place of the one that they had there."""
        level = parse_level(self.given(GrantSerializer, request.data)["level"], self.levels)
        give, _ = self.services(place)
        give(level=level, username=username, group=group)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None, **PROBLEMS})
    def delete(self, request: Request, place: str, username: str = "", group: str = "") -> Response:
        """Take their level back; one that is not there is no error."""
        _, take = self.services(place)
        take(username=username, group=group)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ModelGrants(View):
    """Who may do what with a registered model."""

    @extend_schema(operation_id="model_grants", responses={200: AccessSerializer, **PROBLEMS})
    def get(self, request: Request, place: str) -> Response:
        """All who have a level, and where it comes from."""
        return _answer(model_grants.access_list(self.actor, place))


class ModelGrant(_Grant):
    """A level on a registered model."""

    levels = MODEL_LEVELS

    def services(self, place: str) -> tuple[_Give, _Take]:
        return (
            partial(model_grants.set_grant, self.actor, name=place),
            partial(model_grants.remove_grant, self.actor, name=place),
        )


class ExperimentGrants(View):
    """Who may do what with an experiment."""

    @extend_schema(operation_id="experiment_grants", responses={200: AccessSerializer, **PROBLEMS})
    def get(self, request: Request, place: str) -> Response:
        """All who have a level, and where it comes from."""
        return _answer(experiment_grants.access_list(self.actor, place))


class ExperimentGrant(_Grant):
    """A level on an experiment."""

    levels = EXPERIMENT_LEVELS

    def services(self, place: str) -> tuple[_Give, _Take]:
        return (
            partial(experiment_grants.set_grant, self.actor, experiment_id=place),
            partial(experiment_grants.remove_grant, self.actor, experiment_id=place),
        )


def _answer(access: AccessList) -> Response:
    return Response(AccessSerializer(access).data)
