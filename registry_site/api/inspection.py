"""The files of versions: what they were when they were registered, what they are, and what loading them would run."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry_site.api.views import PageArguments, ProblemSerializer, View
from registry_site.registry.inspection import ask_for_check, files_of, manifest_of, scan_again, scan_of
from registry_site.registry.manifests import known_of

PROBLEMS = {400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}


class FileSerializer(serializers.Serializer[Any]):
    """A file, as it was when the version was registered."""

    path = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    sha256 = serializers.CharField()


class DifferencesSerializer(serializers.Serializer[Any]):
    """What the last check found, of each kind the first 100 paths."""

    missing = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    added = serializers.ListField(child=serializers.CharField())


class ManifestSerializer(serializers.Serializer[Any]):
    """A page of the files of a version, by path, and what is known of all of them."""

    state = serializers.CharField(help_text="`pending`, `complete`, or `elsewhere`: in no store of this server")
    digest = serializers.CharField(help_text="over all files, `sha256:` and 64 digits; empty until it is complete")
    size = serializers.IntegerField(help_text="bytes of all files")
    file_count = serializers.IntegerField()
    is_intact = serializers.BooleanField(help_text="whether the files were last found to be as the manifest says")
    checked_at = serializers.DateTimeField(allow_null=True, help_text="when they were last held against it")
    differences = DifferencesSerializer(allow_null=True)
    files = FileSerializer(many=True)
    next_page_token = serializers.CharField(help_text="empty on the last page")


class FindingSerializer(serializers.Serializer[Any]):
    """Something in a file."""

    path = serializers.CharField(help_text="in an archive `archive.zip:path/in/it`")
    severity = serializers.CharField(help_text="`danger`, `unread` or `note`")
    message = serializers.CharField()


class ScanSerializer(serializers.Serializer[Any]):
    """What was found in the files of a version that loading it would run."""

    verdict = serializers.CharField(help_text="`clean`, `incomplete` or `unsafe`; empty before the first scan")
    findings = FindingSerializer(many=True, help_text="the worst first")
    imports = serializers.ListField(child=serializers.CharField(), help_text="what pickles import, as module.name")
    scanner = serializers.CharField()
    scanned_at = serializers.DateTimeField(allow_null=True)
    is_due = serializers.SerializerMethodField(help_text="whether the worker is about to scan")

    def get_is_due(self, scan: Any) -> bool:
        return scan.due_at is not None


class Manifest(View):
    """The manifest of a version."""

    @extend_schema(
        operation_id="version_manifest",
        parameters=[PageArguments],
        responses={200: ManifestSerializer, **PROBLEMS},
    )
    def get(self, request: Request, name: str, version: int) -> Response:
        """Every file with its SHA-256, and whether they are still so."""
        wanted = self.given(PageArguments, request.query_params)
        known = known_of(manifest_of(self.actor, name=name, version=version))
        page = files_of(self.actor, name=name, version=version, **wanted)
        return Response(
            {
                "state": known.state.value,
                "digest": f"sha256:{known.digest}" if known.digest else "",
                "size": known.size,
                "file_count": known.file_count,
                "is_intact": known.is_intact,
                "checked_at": known.checked_at,
                "differences": known.comparison and DifferencesSerializer(known.comparison).data,
                "files": FileSerializer(page.rows, many=True).data,
                "next_page_token": page.next_page_token,
            }
        )

    @extend_schema(operation_id="check_version", request=None, responses={202: None, **PROBLEMS})
    def post(self, request: Request, name: str, version: int) -> Response:
        """Have the worker hold the files against it, soon."""
        ask_for_check(self.actor, name=name, version=version)
        return Response(status=202)


class Scan(View):
    """The scan of a version."""

    @extend_schema(operation_id="version_scan", responses={200: ScanSerializer, **PROBLEMS})
    def get(self, request: Request, name: str, version: int) -> Response:
        """What the last one found."""
        return Response(ScanSerializer(scan_of(self.actor, name=name, version=version)).data)

    @extend_schema(operation_id="scan_version", request=None, responses={202: None, **PROBLEMS})
    def post(self, request: Request, name: str, version: int) -> Response:
        """Have the worker scan it anew, soon; what was found stays until then."""
        scan_again(self.actor, name=name, version=version)
        return Response(status=202)
