"""The audit log: all that happened on the site, for administrators."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from registry_site.core.errors import InvalidParameter
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ACTIVITY_COLUMNS, ROWS_AT_ONCE, as_file, csv_lines, file_response, json_lines
from registry_site.pages.forms.audit import AuditForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import pager_of, render_page_or_part, wants_part
from registry_site.pages.sentences import Line, line_of
from registry_site.registry.history import all_history, display_names, export_history, model_names

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.audit.models import Activity


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An activity as the log shows it; the address of what it tells of, where that is still there."""

    activity: "Activity"
    line: Line
    about: str
    url: str


@signed_in
def audit(request: PageRequest) -> HttpResponseBase:
    """Who did what, newest first, as far as it matches the filter in the address."""
    request.actor.require_admin()
    form = _form(request)
    context: dict[str, Any] = {"form": form}
    status = 200
    if form.is_valid():
        find = partial(all_history, request.actor, form.wanted(), model=form.cleaned_data["model"])
        if file := as_file(
            request, "audit", ACTIVITY_COLUMNS, lambda token: find(max_results=ROWS_AT_ONCE, page_token=token)
        ):
            return file
        page = find(page_token=request.GET.get("page_token"))
        context |= {
            "rows": _rows(page.rows),
            "pager": pager_of(request, page.next_page_token),
            "is_filtered": any(form.cleaned_data.values()),
        }
    else:
        status = 422 if wants_part(request) else 400
    return render_page_or_part(request, "pages/audit/audit.html", "pages/audit/_results.html", context, status=status)


@signed_in
def audit_csv(request: PageRequest) -> StreamingHttpResponse:
    """All that matches the filter, as a table for spreadsheets."""
    return _export(request, partial(csv_lines, ACTIVITY_COLUMNS), "text/csv; charset=utf-8", "csv")


@signed_in
def audit_json_lines(request: PageRequest) -> StreamingHttpResponse:
    """All that matches the filter, as JSON lines with the hashes."""
    return _export(request, json_lines, "application/jsonl", "jsonl")


def _export(
    request: PageRequest,
    written: "Callable[[Iterable[list[Activity]]], Iterator[str]]",
    content_type: str,
    ending: str,
) -> StreamingHttpResponse:
    request.actor.require_admin()
    form = _form(request)
    if not form.is_valid():
        raise InvalidParameter(" ".join(f"{form[name].label}: {said[0]}" for name, said in form.errors.items()))
    portions = export_history(request.actor, form.wanted(), model=form.cleaned_data["model"])
    return file_response(written(portions), "audit", ending, content_type)


def _form(request: PageRequest) -> AuditForm:
    return AuditForm(request.GET, auto_id="id_audit_%s")


def _rows(activities: "Iterable[Activity]") -> list[AuditRow]:
    """The rows of these activities, in two queries more."""
    found = list(activities)
    people, names = display_names(found), model_names(found)
    return [_row(activity, names.get(activity.registered_model_id or 0, ""), people) for activity in found]


def _row(activity: "Activity", name: str, people: dict[str, str]) -> AuditRow:
    """`name` is what the model is called now; empty for one that is no more, and where it is about none."""
    return AuditRow(
        activity=activity,
        line=line_of(activity, name, people.get(activity.actor_name, "")),
        about=name or activity.subject,
        url=reverse("model", args=[name]) if name else "",
    )
