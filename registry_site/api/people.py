"""Oneself: the profile, and one's tokens."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.accounts import queries, services
from registry_site.accounts.scopes import WORDS, Scope
from registry_site.api.views import ProblemSerializer, View
from registry_site.core import clock

PROBLEMS = {400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer}


class ProfileSerializer(serializers.Serializer[Any]):
    """A person, as they see themselves. What is read only is changed elsewhere."""

    username = serializers.CharField(read_only=True)
    is_admin = serializers.BooleanField(source="is_superuser", read_only=True)
    display_name = serializers.CharField(max_length=150, allow_blank=True)
    email = serializers.CharField(max_length=254, allow_blank=True)
    time_zone = serializers.CharField(max_length=63, help_text="such as Europe/Berlin")


class TokenSerializer(serializers.Serializer[Any]):
    """A token, without the text that only its owner has."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    prefix = serializers.CharField(read_only=True, help_text="how its owner recognises it")
    scope = serializers.CharField(source="get_scope_display", read_only=True, help_text="what it may be used for")
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)


class TokensSerializer(serializers.Serializer[Any]):
    """All tokens of a person."""

    tokens = TokenSerializer(many=True, read_only=True)


class NewTokenSerializer(serializers.Serializer[Any]):
    """What a new token shall be."""

    name = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="by default the day")
    scope = serializers.ChoiceField(
        choices=list(WORDS), default=Scope.WRITE.word, help_text="`admin` is for administrators"
    )
    days = serializers.IntegerField(
        min_value=1, max_value=3650, default=None, allow_null=True, help_text="until it expires; by default never"
    )


class MadeTokenSerializer(serializers.Serializer[Any]):
    """The text of a new token: this is the only time that it is seen."""

    token = serializers.CharField(read_only=True)


class Profile(View):
    """One's own profile."""

    @extend_schema(operation_id="me", responses={200: ProfileSerializer, **PROBLEMS})
    def get(self, request: Request) -> Response:
        """Who am I?"""
        return Response(ProfileSerializer(queries.get_user(self.actor)).data)

    @extend_schema(
        operation_id="update_me",
        request=ProfileSerializer(partial=True),
        responses={200: ProfileSerializer, **PROBLEMS},
    )
    def patch(self, request: Request) -> Response:
        """Change what is named of the own profile."""
        user = queries.get_user(self.actor)
        present = {"display_name": user.display_name, "email": user.email, "time_zone": user.time_zone}
        changes = ProfileSerializer(data=request.data, partial=True)
        changes.is_valid(raise_exception=True)
        changed = services.update_profile(self.actor, **(present | changes.validated_data))
        return Response(ProfileSerializer(changed).data)


class Tokens(View):
    """One's own tokens."""

    @extend_schema(operation_id="tokens", responses={200: TokensSerializer, **PROBLEMS})
    def get(self, request: Request) -> Response:
        """The tokens that were not revoked, newest first."""
        return Response({"tokens": TokenSerializer(queries.tokens_of(self.actor), many=True).data})

    @extend_schema(
        operation_id="create_token", request=NewTokenSerializer, responses={201: MadeTokenSerializer, **PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        """Make a token. Its text is in this answer and nowhere else."""
        wanted = self.given(NewTokenSerializer, request.data)
        token = services.create_token(
            self.actor,
            username=self.actor.name,
            name=wanted["name"],
            scope=WORDS[wanted["scope"]],
            expires_at=clock.now() + timedelta(days=wanted["days"]) if wanted["days"] else None,
        )
        return Response({"token": token}, status=status.HTTP_201_CREATED)


class Token(View):
    """A token of one's own; administrators may end any."""

    @extend_schema(operation_id="revoke_token", responses={204: None, 404: ProblemSerializer, **PROBLEMS})
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke it: clients that send it are refused from now on."""
        services.revoke_token(self.actor, token_id=token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
