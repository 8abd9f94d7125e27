"""Answers of pages: whole ones, the parts of them that htmx puts in place, and where a form leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from registry_site.core.errors import PodiumError
from registry_site.pages.middleware import PageRequest


# -- pages and their parts ---------------------------------------------------------------------------------------------
def wants_part(request: PageRequest, target: str | None = None) -> bool:
    """Whether htmx asks for a part: for any, or for the element of that id. Boosted links and Back get whole pages."""
    htmx = cast(HtmxDetails, request.htmx)
    is_part = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    return is_part and target in (None, htmx.target)


def render_page(
    request: PageRequest, page: str, context: dict[str, Any], *, parts: Mapping[str, str], status: int = 200
) -> HttpResponse:
    """The page, or the one of its parts (templates by the id of the element that they fill) that htmx asks for."""
    template = next((part for target, part in parts.items() if wants_part(request, target)), page)
    return _vary(render(request, template, context, status=status))


def render_page_or_part(
    request: PageRequest, page: str, part: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page, or its only part where htmx asks for one."""
    return _vary(render(request, part if wants_part(request) else page, context, status=status))


def render_dialog(request: PageRequest, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The page (which extends `base`) in the site's frame, or in a dialog's where htmx asks."""
    base = "components/dialog.html" if wants_part(request) else "base.html"
    return _vary(render(request, page, context | {"base": base}, status=status))


def _vary(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request", "HX-Target"])  # else Back would show a part as a page
    return response


@dataclass(frozen=True, slots=True)
class Pager:
    """Links for `components/pager.html`: to the first page and to the next one, None where there is none."""

    newer: str | None
    older: str | None


def pager_of(request: PageRequest, next_page_token: str) -> Pager:
    """Keyset pages go forward only; back is the browser's button, and the first page is always a link away."""
    query = request.GET.copy()
    has_token = bool(query.pop("page_token", None))
    first = f"?{query.urlencode()}" if has_token else None
    query["page_token"] = next_page_token
    return Pager(first, f"?{query.urlencode()}" if next_page_token else None)


# -- forms -------------------------------------------------------------------------------------------------------------
def show_error(form: Form, error: PodiumError) -> None:
    """Put a service's refusal beside the field that it names, else on top of the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


def status_of(form: Form) -> int:
    """422 for a form with errors, which is what htmx puts in place."""
    return 422 if form.errors else 200


def go(request: PageRequest, url: str, *, said: str = "") -> HttpResponse:
    """On to another page, which says what was done."""
    if said:
        messages.success(request, said)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def safe_next(request: HttpRequest, address: str) -> str:
    """An address of this site to go on to; the home page for any other."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours else "/"


def back_or(request: PageRequest, url: str) -> str:
    """The page that the form was on, where it says so (`next`) and that is one of ours."""
    wanted = request.POST.get("next", "")
    return safe_next(request, wanted) if wanted else url
