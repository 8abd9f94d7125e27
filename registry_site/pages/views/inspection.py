"""The files of a version: their manifest, a check against it, and another scan."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from registry_site.pages.access import signed_in
from registry_site.pages.integrity import files_box
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import go, pager_of
from registry_site.registry.evidence import inspected
from registry_site.registry.inspection import ask_for_check, files_of, scan_again
from registry_site.registry.queries import get_version

FILES_PER_PAGE = 100


@signed_in
def manifest(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Every file with its size and SHA-256, and the digest over all."""
    found = get_version(request.actor, name, version)
    page = files_of(
        request.actor,
        name=name,
        version=version,
        max_results=FILES_PER_PAGE,
        page_token=request.GET.get("page_token"),
    )
    its_manifest, _scan = inspected([found]).get(found.pk, (None, None))
    context = {
        "version": found,
        "model": found.registered_model,
        "box": files_box(its_manifest),
        "files": page.rows,
        "pager": pager_of(request, page.next_page_token),
        "crumbs": [
            (_("Models"), reverse("models")),
            (name, reverse("model", args=[name])),
            (f"v{version}", reverse("version", args=[name, version])),
            (_("Manifest"), ""),
        ],
    }
    return render(request, "pages/versions/manifest.html", context)


@require_POST
@signed_in
def check_version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Has the files held against the manifest."""
    ask_for_check(request.actor, name=name, version=version)
    said = _("The files of version %(version)s are being checked.") % {"version": version}
    return go(request, reverse("version", args=[name, version]), said=said)


@require_POST
@signed_in
def scan_version(request: PageRequest, name: str, version: int) -> HttpResponse:
    """Has the files scanned anew."""
    scan_again(request.actor, name=name, version=version)
    said = _("Version %(version)s is being scanned.") % {"version": version}
    return go(request, reverse("version", args=[name, version]), said=said)
