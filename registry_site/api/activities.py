"""History: of one registered model for whoever may read it, of everything for administrators."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api.views import PageArguments, ProblemSerializer, View
from registry_site.audit.kinds import Kind, Origin
from registry_site.audit.queries import Wanted
from registry_site.core.pages import Page
from registry_site.registry.history import all_history, history_of

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.audit.models import Activity

PROBLEMS = {400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}


class ActivitySerializer(serializers.Serializer[Any]):
    """One line of history. `previous_hash` and `hash` chain it to the line before it."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    origin = serializers.CharField(help_text="page, rest, admin, command or task")
    actor = serializers.CharField(source="actor_name")
    subject = serializers.CharField(help_text="what it tells of, as it was named then")
    version = serializers.IntegerField(allow_null=True)
    request_number = serializers.IntegerField(allow_null=True)
    comment = serializers.CharField()
    data = serializers.JSONField(help_text="old and new values")  # type: ignore[assignment]  # a field of that name
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class ActivitiesSerializer(serializers.Serializer[Any]):
    """A page of history, newest first."""

    activities = ActivitySerializer(many=True)
    next_page_token = serializers.CharField(help_text="empty on the last page")


class ModelHistoryArguments(PageArguments):
    """What of a model's history."""

    version = serializers.IntegerField(required=False, min_value=1)
    kind = serializers.MultipleChoiceField(choices=[kind.value for kind in Kind], required=False)


class HistoryArguments(PageArguments):
    """What of all history."""

    kind = serializers.MultipleChoiceField(choices=[kind.value for kind in Kind], required=False)
    actor = serializers.CharField(default="", help_text="a user name")
    origin = serializers.ChoiceField(choices=[origin.value for origin in Origin], default="")
    model = serializers.CharField(default="", help_text="a registered model, by any name that it has or had")
    since = serializers.DateTimeField(default=None)
    until = serializers.DateTimeField(default=None)


class ModelHistory(View):
    """What happened to a registered model."""

    @extend_schema(
        operation_id="model_activities",
        parameters=[ModelHistoryArguments],
        responses={200: ActivitiesSerializer, **PROBLEMS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Its history, newest first, or that of one of its versions."""
        wanted = self.given(ModelHistoryArguments, request.query_params)
        return _answer(
            history_of(
                self.actor,
                name,
                version=wanted.get("version"),
                kinds=wanted.get("kind", ()),
                max_results=wanted["max_results"],
                page_token=wanted["page_token"],
            )
        )


class History(View):
    """What happened."""

    @extend_schema(
        operation_id="activities", parameters=[HistoryArguments], responses={200: ActivitiesSerializer, **PROBLEMS}
    )
    def get(self, request: Request) -> Response:
        """All of history, newest first, of models that were deleted too. For administrators."""
        wanted = self.given(HistoryArguments, request.query_params)
        return _answer(
            all_history(
                self.actor,
                Wanted(
                    actor_name=wanted["actor"],
                    kinds=sorted(wanted.get("kind", ())),
                    origin=wanted["origin"],
                    since=wanted["since"],
                    until=wanted["until"],
                ),
                model=wanted["model"],
                max_results=wanted["max_results"],
                page_token=wanted["page_token"],
            )
        )


def _answer(page: "Page[Activity]") -> Response:
    return Response(
        {"activities": ActivitySerializer(page.rows, many=True).data, "next_page_token": page.next_page_token}
    )
