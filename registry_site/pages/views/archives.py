"""Versions and folders as one file: for people, and for programs that take an address."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registry_site.accounts.actors import Actor
from registry_site.accounts.authentication import actor_from_header
from registry_site.artifacts.archives import Format
from registry_site.artifacts.paths import basename
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.core.errors import PodiumError
from registry_site.core.refusals import refusal_of
from registry_site.pages.access import signed_in
from registry_site.pages.archives import archive_response
from registry_site.pages.forms.archives import ArchiveLinkForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import render_dialog, show_error, status_of
from registry_site.pages.snippets import archive_snippets
from registry_site.registry.archive_links import reader_of_archive, sign_archive
from registry_site.registry.queries import get_version
from registry_site.registry.stages import Stage
from registry_site.registry.version_files import get_version_called, version_members
from registry_site.tracking.archives import members_of
from registry_site.tracking.artifact_files import folders_in_logged_model, folders_in_run
from registry_site.tracking.logged_models import get_logged_model
from registry_site.tracking.queries import get_run


@require_safe
def version_archive(request: PageRequest, name: str, called: str, extension: Format) -> HttpResponseBase:
    """The files of a version, with a token, a signature, or the session of a browser.

    Who asks for no page, as programs do, gets refusals as a line of text.
    """
    try:
        actor = _reader(request, name, called, extension)
        actor.require_signed_in()
        version = get_version_called(actor, name, called)
        path = request.GET.get("path", "")
        members = version_members(actor, version, path)
    except PodiumError as error:
        if "text/html" in request.headers.get("Accept", ""):
            raise
        refusal = refusal_of(error)
        return HttpResponse(f"{error.message}\n", "text/plain; charset=utf-8", refusal.status, headers=refusal.headers)
    shown = f"{name}-v{version.version}"
    return archive_response(request, members, extension, name=f"{shown}-{basename(path)}" if path else shown)


def _reader(request: PageRequest, name: str, called: str, extension: Format) -> Actor:
    if signature := request.GET.get("signature"):
        return reader_of_archive(signature, name=name, called=called, format=extension)
    if header := request.headers.get("Authorization"):
        return actor_from_header(header, origin=Origin.REST, remote_address=request.META.get("REMOTE_ADDR", ""))
    return request.actor


@require_http_methods(["GET", "POST"])
@signed_in
def version_archive_link(request: PageRequest, name: str, version: int) -> HttpResponse:
    """A dialog, or a page, that makes an address of the archive for programs without credentials."""
    found = get_version(request.actor, name, version)
    stages = [] if found.current_stage == Stage.NONE.value else [found.current_stage]
    names = [*stages, *sorted(f"@{alias.alias}" for alias in found.aliases.all())]
    called = [(str(version), _("This one, v%(number)s") % {"number": version}), *((each, each) for each in names)]
    form = ArchiveLinkForm(request.POST or None, called=called)
    context: dict[str, Any] = {
        "form": form,
        "version": found,
        "model": found.registered_model,
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{version}", reverse("version", args=[name, version])),
            (_("Download link"), ""),
        ],
    }
    if form.is_valid():
        wanted = form.cleaned_data
        format = Format(wanted["format"])
        try:
            signed = sign_archive(
                request.actor,
                name=name,
                called=wanted["called"],
                format=format,
                lasts=timedelta(hours=wanted["hours"]),
            )
        except PodiumError as error:
            show_error(form, error)
        else:
            path = reverse("version_archive", args=[name, wanted["called"], format])
            address = request.build_absolute_uri(f"{path}?signature={signed.text}")
            context |= {
                "signed": signed,
                "expires_ms": clock.to_ms(signed.expires_at),
                "address": address,
                "snippets": archive_snippets(address, format),
            }
    return render_dialog(request, "pages/versions/archive_link.html", context, status=status_of(form))


@require_safe
@signed_in
def run_archive(request: PageRequest, run_id: str) -> HttpResponseBase:
    """A folder of a run, or all that it left behind."""
    run = get_run(request.actor, run_id)
    path = request.GET.get("path", "")
    members = members_of(folders_in_run(request.actor, run_id, path), called=path or str(run))
    return archive_response(request, members, Format.ZIP, name=basename(path) or str(run))


@require_safe
@signed_in
def logged_model_archive(request: PageRequest, model_id: str) -> HttpResponseBase:
    """A folder of a logged model, or all of it."""
    model = get_logged_model(request.actor, model_id=model_id)
    path = request.GET.get("path", "")
    members = members_of(folders_in_logged_model(request.actor, model_id, path), called=path or model.name)
    return archive_response(request, members, Format.ZIP, name=basename(path) or model.name)
