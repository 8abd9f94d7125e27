"""Promotion: requests, reviews, policies, gates, checks, deployments and rollbacks."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api import serializers_promotion as given
from registry_site.api import shapes_promotion as shapes
from registry_site.api.activities import ActivitiesSerializer, ActivitySerializer
from registry_site.api.views import PageArguments, ProblemSerializer, View
from registry_site.promotion import (
    checks,
    comments,
    deciding,
    looking_ahead,
    queries,
    services,
    setting_policies,
    standing,
)
from registry_site.promotion.copying import copy_version
from registry_site.promotion.gates import CheckState
from registry_site.promotion.queries import Role
from registry_site.promotion.rules import DeploymentState, OccupantDecision, RequestState, Verdict
from registry_site.registry.queries import get_version, lineage_of
from registry_site.registry.stages import Stage, parse_stage

ANSWERS = {
    200: OpenApiTypes.OBJECT,
    400: ProblemSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    409: ProblemSerializer,
}
MADE = {status.HTTP_201_CREATED: OpenApiTypes.OBJECT} | {code: said for code, said in ANSWERS.items() if code != 200}


# -- requests ----------------------------------------------------------------------------------------------------------
class Requests(View):
    """Transition requests."""

    @extend_schema(operation_id="requests", parameters=[given.RequestsArguments], responses=ANSWERS)
    def get(self, request: Request) -> Response:
        """A page of requests: newest first, or what waits for you, oldest first."""
        wanted = self.given(given.RequestsArguments, request.query_params)
        page = queries.browse_requests(
            self.actor,
            role=Role(wanted["role"]),
            state=RequestState(wanted["state"]) if "state" in wanted else None,
            name=wanted.get("model"),
            copy_to=wanted.get("copy_to"),
            reviewer=wanted.get("reviewer"),
            max_results=wanted["max_results"],
            page_token=wanted["page_token"],
        )
        return Response(
            {"requests": [shapes.request_row(row) for row in page.rows], "next_page_token": page.next_page_token}
        )


class ModelRequests(View):
    """The requests of a registered model."""

    @extend_schema(operation_id="create_request", request=given.NewRequestSerializer, responses=MADE)
    def post(self, request: Request, name: str) -> Response:
        """Ask that a version move to a stage, or that it be copied into another model."""
        wanted = self.given(given.NewRequestSerializer, request.data)
        decision = wanted.get("occupant_decision")
        made = services.request_transition(
            self.actor,
            name=name,
            version=wanted["version"],
            to_stage=Stage(wanted["to_stage"]),
            comment=wanted["comment"],
            occupant_decision=OccupantDecision(decision) if decision else None,
            occupant_to=given.stage_of(wanted, "occupant_to_stage"),
            copy_to=wanted["copy_to"],
        )
        return Response(shapes.request_row(made), status=status.HTTP_201_CREATED)


class OneRequest(View):
    """A transition request."""

    @extend_schema(operation_id="request", responses=ANSWERS)
    def get(self, request: Request, name: str, number: int) -> Response:
        """The request with reviews, gates, evidence and the difference to what stands in the stage."""
        return Response(self._shown(name, number))

    def _shown(self, name: str, number: int) -> dict[str, Any]:
        found = queries.get_request(self.actor, name, number)
        evidence = standing.evidence_of_request(self.actor, found)
        return shapes.full_request(found, standing.standing_of(self.actor, found), evidence)


class RequestRecord(OneRequest):
    """All that is known of a request."""

    @extend_schema(operation_id="request_record", responses=ANSWERS)
    def get(self, request: Request, name: str, number: int) -> Response:
        """The whole record in one file: the request, its evidence, its comments and its history, oldest first."""
        shown = self._shown(name, number)
        lines: list[Any] = []
        token: str | None = None
        while token != "":
            page = queries.timeline_of(self.actor, name, number, max_results=500, page_token=token)
            lines += page.rows
            token = page.next_page_token
        said = comments.comments_of(self.actor, name, number=number)
        shown["comments"] = [
            {"author": one.author_name, "text": one.text, "created_at": shapes.time(one.created_at)} for one in said
        ]
        shown["history"] = ActivitySerializer(lines[::-1], many=True).data
        file = f'attachment; filename="request-{number}.json"'
        return Response(shown, headers={"Content-Disposition": file})


class Timeline(View):
    """The history of a request."""

    @extend_schema(operation_id="timeline", parameters=[PageArguments], responses=ANSWERS | {200: ActivitiesSerializer})
    def get(self, request: Request, name: str, number: int) -> Response:
        """What was done to it, and what happened to its version meanwhile, newest first."""
        wanted = self.given(PageArguments, request.query_params)
        page = queries.timeline_of(self.actor, name, number, **wanted)
        return Response(
            {"activities": ActivitySerializer(page.rows, many=True).data, "next_page_token": page.next_page_token}
        )


class Reviews(View):
    """The reviews of a request."""

    @extend_schema(operation_id="review", request=given.ReviewSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, number: int) -> Response:
        """Give your verdict. When that was the last thing in its way, the version has moved."""
        wanted = self.given(given.ReviewSerializer, request.data)
        done = deciding.review(
            self.actor, name=name, number=number, **(wanted | {"verdict": Verdict(wanted["verdict"])})
        )
        return Response(shapes.request_row(done))


class Dismissal(View):
    """A review that is to count no longer."""

    @extend_schema(operation_id="dismiss_review", request=given.DismissalSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, number: int, reviewer: str) -> Response:
        """Dismiss it: your own, or with a reason somebody else's, if you manage the model."""
        wanted = self.given(given.DismissalSerializer, request.data)
        done = deciding.dismiss_review(self.actor, name=name, number=number, reviewer=reviewer, reason=wanted["reason"])
        return Response(shapes.request_row(done))


class Cancellation(View):
    """A request that is taken back."""

    @extend_schema(operation_id="cancel_request", request=given.CommentSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, number: int) -> Response:
        """Cancel it: your own, or with a reason somebody else's, if you manage the model."""
        wanted = self.given(given.CommentSerializer, request.data)
        return Response(shapes.request_row(deciding.cancel(self.actor, name=name, number=number, **wanted)))


class RequestComments(View):
    """The comments on a request."""

    @extend_schema(operation_id="comment_on_request", request=given.CommentSerializer, responses=MADE)
    def post(self, request: Request, name: str, number: int) -> Response:
        """Say something, in Markdown."""
        wanted = self.given(given.CommentSerializer, request.data)
        made = comments.create_comment(self.actor, name=name, number=number, text=wanted["comment"])
        return Response({"id": str(made.pk)}, status=status.HTTP_201_CREATED)


# -- versions ----------------------------------------------------------------------------------------------------------
class Transition(View):
    """A move that is made at once."""

    @extend_schema(operation_id="transition", request=given.MoveSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, version: int) -> Response:
        """Move a version, as those may who hold the level; with a reason, managers bypass protection and gates."""
        wanted = self.given(given.MoveSerializer, request.data)
        moved = services.transition(
            self.actor,
            name=name,
            version=version,
            to_stage=Stage(wanted["to_stage"]),
            archive_existing=wanted["archive_existing"],
            occupant_to=given.stage_of(wanted, "occupant_to_stage"),
            comment=wanted["comment"],
            bypass_reason=wanted["bypass_reason"],
        )
        return Response({"model": name, "version": version, "stage": moved.current_stage})


class Copies(View):
    """A version in other models."""

    @extend_schema(operation_id="copies", responses=ANSWERS)
    def get(self, request: Request, name: str, version: int) -> Response:
        """What it is a copy of, and what are copies of it; of both what you may read."""
        found = lineage_of(self.actor, get_version(self.actor, name, version))
        return Response(
            {
                "copied_from": shapes.version(found.copied_from) if found.copied_from else None,
                "copies": [shapes.version(one) for one in found.copies],
            }
        )

    @extend_schema(operation_id="copy", request=given.CopySerializer, responses=MADE)
    def post(self, request: Request, name: str, version: int) -> Response:
        """Copy a version into another model, as those may who may make versions there; with a reason, its managers
        bypass protection and gates."""
        wanted = self.given(given.CopySerializer, request.data)
        made = copy_version(
            self.actor,
            name=name,
            version=version,
            copy_to=wanted["copy_to"],
            to_stage=Stage(wanted["to_stage"]),
            archive_existing=wanted["archive_existing"],
            occupant_to=given.stage_of(wanted, "occupant_to_stage"),
            comment=wanted["comment"],
            bypass_reason=wanted["bypass_reason"],
        )
        return Response(shapes.version(made), status=status.HTTP_201_CREATED)


class Rollback(View):
    """An earlier occupant that is brought back."""

    @extend_schema(operation_id="rollback", request=given.RollbackSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, version: int) -> Response:
        """Bring a version back to a stage that it stood in: at once if you may, else by a request."""
        wanted = self.given(given.RollbackSerializer, request.data)
        done = services.rollback(
            self.actor, name=name, version=version, to_stage=Stage(wanted["to_stage"]), comment=wanted["comment"]
        )
        return Response(
            {
                "model": name,
                "version": version,
                "stage": done.version.current_stage,
                "request": shapes.request_row(done.request) if done.request else None,
            }
        )


class Checks(View):
    """What outside systems say of a version."""

    @extend_schema(operation_id="checks", responses=ANSWERS)
    def get(self, request: Request, name: str, version: int) -> Response:
        """The runs of its checks, those announced last first."""
        return Response({"checks": [shapes.check(row) for row in checks.checks_of(self.actor, name, version)]})

    @extend_schema(operation_id="post_check", request=given.NewCheckSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, version: int) -> Response:
        """Say how a check is going, or ended. To say it again changes nothing."""
        wanted = self.given(given.NewCheckSerializer, request.data)
        row = checks.post_check(
            self.actor, name=name, version=version, **(wanted | {"state": CheckState(wanted["state"])})
        )
        return Response(shapes.check(row))


class Deployments(View):
    """Where a version is."""

    @extend_schema(operation_id="deployments", responses=ANSWERS)
    def get(self, request: Request, name: str, version: int) -> Response:
        """Its deployments, those announced last first."""
        found = checks.deployments_of(self.actor, name, version)
        return Response({"deployments": [shapes.deployment(row) for row in found]})

    @extend_schema(operation_id="post_deployment", request=given.NewDeploymentSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, version: int) -> Response:
        """Say what becomes of a deployment. To say it again changes nothing."""
        wanted = self.given(given.NewDeploymentSerializer, request.data)
        row = checks.post_deployment(
            self.actor, name=name, version=version, **(wanted | {"state": DeploymentState(wanted["state"])})
        )
        return Response(shapes.deployment(row))


# -- policies ----------------------------------------------------------------------------------------------------------
class Policies(View):
    """What it takes to enter each stage."""

    @extend_schema(operation_id="policies", responses=ANSWERS)
    def get(self, request: Request, name: str | None = None) -> Response:
        """The policy of each stage, and whose it is: the model's own, the site's, or the one that nobody set."""
        found = queries.policies_shown(self.actor, name)
        return Response({"policies": [shapes.policy(stage, *held) for stage, held in found.items()]})


@extend_schema_view(get=extend_schema(operation_id="model_policies"))
class ModelPolicies(Policies):
    """What it takes to enter each stage of a model."""


class StagePolicy(View):
    """What it takes to enter a stage."""

    @extend_schema(operation_id="policy", responses=ANSWERS)
    def get(self, request: Request, stage: str, name: str | None = None) -> Response:
        """The policy, and whose it is."""
        wanted = parse_stage(stage)
        return Response(shapes.policy(wanted, *queries.policies_shown(self.actor, name)[wanted]))

    @extend_schema(operation_id="set_policy", request=given.PolicySerializer, responses=ANSWERS)
    def put(self, request: Request, stage: str, name: str | None = None) -> Response:
        """Set it, for one model or (administrators) for the site."""
        wanted = parse_stage(stage)
        policy = given.policy_of(self.given(given.PolicySerializer, request.data))
        setting_policies.set_policy(self.actor, stage=wanted, policy=policy, name=name)
        return Response(shapes.policy(wanted, *queries.policies_shown(self.actor, name)[wanted]))


@extend_schema_view(get=extend_schema(operation_id="model_policy"), put=extend_schema(operation_id="set_model_policy"))
class ModelStagePolicy(StagePolicy):
    """What it takes to enter a stage of a model."""

    @extend_schema(operation_id="remove_policy", responses=ANSWERS)
    def delete(self, request: Request, stage: str, name: str) -> Response:
        """Let the site's policy hold again."""
        wanted = parse_stage(stage)
        setting_policies.remove_policy(self.actor, stage=wanted, name=name)
        return Response(shapes.policy(wanted, *queries.policies_shown(self.actor, name)[wanted]))


class DryRun(View):
    """Which of the present versions would pass."""

    @extend_schema(operation_id="dry_run", request=given.DryRunSerializer, responses=ANSWERS)
    def post(self, request: Request, name: str, stage: str) -> Response:
        """Try gates on the newest 50 versions. Nothing is changed."""
        wanted = self.given(given.DryRunSerializer, request.data)["gates"]
        gates = [given.gate_of(gate) for gate in wanted] if wanted is not None else None
        found = looking_ahead.dry_run(self.actor, name=name, stage=parse_stage(stage), gates=gates)
        return Response({"versions": shapes.dry_run(found)})
