"""What one was told: the list, how it is mailed, and following models."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from registry_site.audit.kinds import Kind
from registry_site.core.errors import InvalidParameter
from registry_site.notifications import queries, services
from registry_site.notifications.audience import Why
from registry_site.notifications.queries import Box, Mark
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import as_file
from registry_site.pages.forms.notifications import MailsForm, reasons
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import back_or, go, pager_of, render_page_or_part, wants_part
from registry_site.pages.sentences import Line, line_of
from registry_site.registry.history import display_names

if TYPE_CHECKING:  # the rows come from queries; only their type is named here
    from registry_site.notifications.models import Notification

KEYS_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A notification as the list shows it, what it is about, who did that, and why it came."""

    notification: "Notification"
    line: Line
    about: str
    who: str
    reason: str


@signed_in
def notifications(request: PageRequest) -> HttpResponseBase:
    """What the actor was told, newest first; a POST marks one (`done=12`), those ticked (`key`) or all of it."""
    if request.method == "POST":
        _mark(request)
        if not wants_part(request):
            return redirect(request.get_full_path())
    wanted, chosen = request.GET.get("box", ""), request.GET.get("why", "")
    box = Box(wanted) if wanted in list(Box) else Box.INBOX
    why = Why(chosen) if chosen in list(Why) else None
    find = partial(queries.browse_notifications, request.actor, box=box, why=why)
    if file := as_file(request, "notifications", columns.NOTIFICATIONS, lambda token: find(page_token=token), _rows):
        return file
    page = find(page_token=request.GET.get("page_token"))
    labels = {Box.INBOX: _("Inbox"), Box.UNREAD: _("Unread"), Box.DONE: _("Done")}
    words = reasons()
    context: dict[str, Any] = {
        "box": box,
        "why": why,
        "reasons": words,
        "rows": _rows(page.rows),
        "pager": pager_of(request, page.next_page_token),
        "tabs": [
            {"label": label, "url": f"?box={each.value}", "current": each is box} for each, label in labels.items()
        ],
    }
    answer = render_page_or_part(request, "pages/notifications/list.html", "pages/notifications/_list.html", context)
    if request.method == "POST":
        answer.headers["HX-Trigger-After-Settle"] = "podium:tick"  # the bell counts anew
    return answer


def _mark(request: PageRequest) -> None:
    for mark in Mark:
        if chosen := request.POST.get(mark.value):
            break
    else:
        raise InvalidParameter("Say what to do: read, unread, done or not done.")
    keys = None if chosen == "all" else request.POST.getlist("key") if chosen == "ticked" else [chosen]
    if keys is not None and not (len(keys) <= KEYS_AT_MOST and all(key.isdecimal() and len(key) < 19 for key in keys)):
        raise InvalidParameter(f"A notification is named by its number; at most {KEYS_AT_MOST} of them.")
    services.mark(request.actor, mark=mark, keys=None if keys is None else [int(key) for key in keys])


def _rows(found: "Iterable[Notification]") -> list[NotificationRow]:
    rows = list(found)
    people, words = display_names(row.activity for row in rows), reasons()
    return [
        NotificationRow(
            notification=row,
            line=line_of(row.activity, "", people.get(row.activity.actor_name, "")),
            about=_about(row),
            who=(people.get(row.activity.actor_name) or row.activity.actor_name) if row.activity.actor_id else "Podium",
            reason=words[Why(row.why)],
        )
        for row in rows
    ]


def _about(row: "Notification") -> str:
    if row.activity.kind == Kind.WEBHOOK_PARKED:
        return str(row.activity.data.get("name", ""))
    return row.registered_model.name if row.registered_model else ""


@signed_in
def notification(request: PageRequest, key: int) -> HttpResponse:
    """On to what it tells of. Whoever goes there has read it."""
    found = queries.get_notification(request.actor, key)
    services.mark(request.actor, mark=Mark.READ, keys=[key])
    activity = found.activity
    if activity.kind == Kind.WEBHOOK_PARKED:
        return redirect("webhook", activity.data["webhook_id"])
    if found.registered_model is None:
        return redirect("notifications")
    name = found.registered_model.name
    if activity.request_number is not None:
        return redirect("request", name, activity.request_number)
    return redirect("model", name) if activity.version is None else redirect("version", name, activity.version)


@signed_in
def unread(request: PageRequest) -> HttpResponse:
    """The bell with the present count, which pages ask for while they are open."""
    return render(request, "components/bell.html")


@signed_in
def mail_settings(request: PageRequest) -> HttpResponse:
    """Which mails come at once, once a day, or never; and the models that one follows."""
    form = MailsForm(request.POST or None, chosen=queries.mail_choices(request.actor))
    if request.method == "POST" and form.is_valid():
        services.choose_mails(request.actor, ways=form.ways())
        messages.success(request, _("Your choice of mails is saved."))
        return redirect("mail_settings")
    context = {"form": form, "followed": queries.followed_models(request.actor)}
    return render(request, "pages/people/notifications.html", context, status=422 if form.errors else 200)


@csrf_exempt  # mail programs send it by themselves, in nobody's session; the token in the address is what counts
def unsubscribe(request: PageRequest, token: str) -> HttpResponse:
    """The link of a mail that ends mails of its kind, once whoever follows it says so."""
    why = services.reason_of(token=token)
    if request.method == "POST":
        services.unsubscribe(token=token)
    context = {"reason": reasons()[why], "is_done": request.method == "POST"}
    return render(request, "pages/people/unsubscribe.html", context)


@require_POST
@signed_in
def follow(request: PageRequest, name: str) -> HttpResponse:
    """Hear of a model from now on, or no more."""
    back = back_or(request, reverse("model", args=[name]))
    if request.POST.get("deed") == "unfollow":
        services.unfollow(request.actor, name=name)
        return go(request, back, said=_("You do not follow %(name)s any more.") % {"name": name})
    services.follow(request.actor, name=name)
    return go(request, back, said=_("You follow %(name)s: what happens to it is told to you.") % {"name": name})
