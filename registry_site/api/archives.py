"""Addresses of archives for programs without credentials."""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api.views import ProblemSerializer, View
from registry_site.artifacts.archives import Format
from registry_site.registry.archive_links import LONGEST, SHORTEST, sign_archive

PROBLEMS = {400: ProblemSerializer, 401: ProblemSerializer, 404: ProblemSerializer}


class ArchiveLinkArguments(serializers.Serializer[Any]):
    """Which archive, and for how long."""

    version = serializers.CharField(help_text="a number, a stage, `@alias` or `latest`, looked up at every download")
    archive = serializers.ChoiceField(choices=[each.value for each in Format], default=Format.TAR_GZ.value)
    seconds = serializers.IntegerField(
        min_value=int(SHORTEST.total_seconds()), max_value=int(LONGEST.total_seconds()), default=3600
    )


class ArchiveLinkSerializer(serializers.Serializer[Any]):
    """The address, which needs no credentials until it expires, or your right to read the model ends."""

    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ArchiveLink(View):
    """A signed address of a version's files."""

    @extend_schema(
        operation_id="archive_link",
        parameters=[ArchiveLinkArguments],
        responses={200: ArchiveLinkSerializer, **PROBLEMS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Where the files of a version can be fetched for a while, as zip or tar.gz."""
        wanted = self.given(ArchiveLinkArguments, request.query_params)
        signed = sign_archive(
            self.actor,
            name=name,
            called=wanted["version"],
            format=Format(wanted["archive"]),
            lasts=timedelta(seconds=wanted["seconds"]),
        )
        address = reverse("version_archive", args=[name, wanted["version"], wanted["archive"]])
        found = {
            "url": request.build_absolute_uri(f"{address}?signature={signed.text}"),
            "expires_at": signed.expires_at,
        }
        return Response(ArchiveLinkSerializer(found).data, headers={"Cache-Control": "no-store"})
