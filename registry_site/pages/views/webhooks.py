"""Webhooks: of the whole registry for administrators, of one model for whoever manages it; and their deliveries."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from registry_site.core.errors import InvalidParameter, PodiumError
from registry_site.core.pages import Page
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import ROWS_AT_ONCE, as_file
from registry_site.pages.forms.registry import TypedNameForm
from registry_site.pages.forms.webhooks import NewWebhookForm, SecretForm, WebhookForm
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import back_or, go, pager_of, show_error, status_of
from registry_site.registry.queries import get_model
from registry_site.webhooks import queries, services
from registry_site.webhooks.formats import ALL, Format, events_of

if TYPE_CHECKING:  # the rows come from queries; only their types are named here
    from registry_site.webhooks.models import Webhook

PER_PAGE = 50


def formats() -> dict[Format, tuple[str, str]]:
    """What each format is called, and for whom it is."""
    return {
        Format.STANDARD: (
            _("Standard Webhooks"),
            _("Every kind of activity, signed as the specification says: for services of your own."),
        ),
        Format.MLFLOW: (
            _("MLflow"),
            _("MLflow's events and body: for receivers that were written for an MLflow server."),
        ),
        Format.DATABRICKS: (
            _("Databricks and Slack"),
            _("Databricks' registry events, with a sentence that Slack shows as a message."),
        ),
        Format.GITHUB_DISPATCH: (
            _("GitHub Actions"),
            _("Starts the workflows of a repository that listen for a repository_dispatch."),
        ),
    }


# -- lists -------------------------------------------------------------------------------------------------------------
@signed_in
def webhooks(request: PageRequest) -> HttpResponseBase:
    """All webhooks that one manages."""
    find = partial(queries.list_webhooks, request.actor)
    if file := webhooks_as_file(request, find):
        return file
    page = find(max_results=PER_PAGE, page_token=request.GET.get("page_token"))
    context = {
        "rows": rows_of(page.rows),
        "pager": pager_of(request, page.next_page_token),
        "may_create": request.actor.is_admin,
    }
    return render(request, "pages/webhooks/webhooks.html", context)


def webhooks_as_file(request: PageRequest, find: "Callable[..., Page[Webhook]]") -> HttpResponseBase | None:
    """The webhooks that `find` gives, as a file, if the address asks for one."""
    return as_file(
        request,
        "webhooks",
        columns.WEBHOOKS,
        lambda token: find(max_results=ROWS_AT_ONCE, page_token=token),
        rows_of,
    )


def rows_of(found: "Sequence[Webhook]") -> list[dict[str, Any]]:
    """Webhooks as lists show them: of their addresses the host, as the rest may be as good as a password."""
    labels = formats()
    return [
        {
            "webhook": each,
            "host": urlsplit(each.url).netloc,
            "format": labels[Format(each.format)][0],
            "state": state_of(each),
        }
        for each in found
    ]


def state_of(webhook: "Webhook") -> str:
    """A word for the pill: a parked webhook is disabled by itself, one that fails is still active."""
    if webhook.parked_at:
        return "parked"
    return "failing" if webhook.failures_in_a_row and webhook.status == services.ACTIVE else str(webhook.status)


# -- making one --------------------------------------------------------------------------------------------------------
@signed_in
@never_cache
def new_webhook(request: PageRequest) -> HttpResponse:
    """A choice of formats, and then the form of one. Of a registered model, where the address names one."""
    name = request.GET.get("model") or None
    model = get_model(request.actor, name) if name else None
    queries.require_webhooks(request.actor, model)
    crumbs = [*_crumbs_of(name), (_("New webhook"), "")]
    labels = formats()
    wanted = request.GET.get("format", "")
    if wanted not in list(Format):
        choices = [{"format": each.value, "label": labels[each][0], "text": labels[each][1]} for each in labels]
        return render(request, "pages/webhooks/formats.html", {"choices": choices, "model": name, "crumbs": crumbs})
    format = Format(wanted)
    form = NewWebhookForm(request.POST or None, format=format, of_a_model=model is not None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        given["secret"] = given["secret"] or services.new_secret(format)
        try:
            made = services.create_webhook(request.actor, format=format, model=name, **given)
        except PodiumError as error:
            show_error(form, error)
        else:
            said = _("The webhook is made.")
            if format is Format.GITHUB_DISPATCH:
                return go(request, reverse("webhook", args=[made.webhook_id]), said=said)
            return _secret_page(request, made, given["secret"], said)
    context = {"form": form, "model": name, "format": labels[format], "crumbs": crumbs}
    return render(request, "pages/webhooks/form.html", context, status=status_of(form))


@signed_in
def edit_webhook(request: PageRequest, webhook_id: str) -> HttpResponse:
    """What a webhook is called, where it goes and what it is told of."""
    webhook = queries.get_webhook(request.actor, webhook_id)
    form = WebhookForm(
        request.POST or None,
        format=Format(webhook.format),
        of_a_model=webhook.registered_model is not None,
        initial={
            "name": webhook.name,
            "url": webhook.url,
            "description": webhook.description,
            "all_events": ALL in webhook.events,
            "events": webhook.events,
        },
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        given["authorization"] = given.get("authorization") or None  # which is not shown, and stays
        try:
            services.update_webhook(request.actor, webhook_id=webhook_id, **given)
        except PodiumError as error:
            show_error(form, error)
        else:
            return go(request, reverse("webhook", args=[webhook_id]), said=_("The webhook is changed."))
    context = {
        "form": form,
        "webhook": webhook,
        "format": formats()[Format(webhook.format)],
        "crumbs": [*_crumbs(webhook), (_("Edit"), "")],
    }
    return render(request, "pages/webhooks/form.html", context, status=status_of(form))


# -- one of them -------------------------------------------------------------------------------------------------------
@signed_in
@never_cache
def webhook(request: PageRequest, webhook_id: str) -> HttpResponseBase:
    """A webhook with its deliveries, and what can be done with it."""
    found = queries.get_webhook(request.actor, webhook_id)
    deed = request.POST.get("deed", "")
    delete_form = TypedNameForm(request.POST if deed == "delete" else None, name=found.name)
    secret_form = SecretForm(request.POST if deed == "rotate" else None)
    outcome = None
    if deed == "test":
        outcome = services.try_webhook(request.actor, webhook_id=webhook_id, event=request.POST.get("event") or None)
    elif request.method == "POST":
        answer = _do(request, found, deed, delete_form, secret_form)
        if answer is not None:
            return answer
    chosen = request.GET.get("state", "")
    states = queries.DELIVERY_STATES
    find = partial(queries.browse_deliveries, request.actor, webhook_id, state=states.get(chosen))
    if file := as_file(
        request, "deliveries", columns.DELIVERIES, lambda token: find(max_results=ROWS_AT_ONCE, page_token=token)
    ):
        return file
    page = find(page_token=request.GET.get("page_token"))
    format = Format(found.format)
    context = {
        "webhook": found,
        "state": state_of(found),
        "format": formats()[format],
        "all_events": ALL in found.events,
        "possible_events": events_of(format, of_a_model=found.registered_model is not None)
        if ALL in found.events
        else found.events,
        "deliveries": page.rows,
        "chosen": chosen if chosen in states else "",
        "states": list(states),
        "pager": pager_of(request, page.next_page_token),
        "delete_form": delete_form,
        "secret_form": secret_form,
        "secret_is_theirs": format is Format.GITHUB_DISPATCH,
        "outcome": outcome,
        "tried": request.POST.get("event", ""),
        "crumbs": [*_crumbs_of(_model_name(found)), (found.name, "")],
    }
    status = max(status_of(delete_form), status_of(secret_form) if deed == "rotate" else 200)
    return render(request, "pages/webhooks/webhook.html", context, status=status)


def _do(request: PageRequest, found: "Webhook", deed: str, delete_form: Form, secret_form: Form) -> HttpResponse | None:
    """What a form of the page asks for; None where the page has to be shown again."""
    actor, webhook_id = request.actor, found.webhook_id
    here = reverse("webhook", args=[webhook_id])
    if deed == "enable":
        services.update_webhook(actor, webhook_id=webhook_id, status=services.ACTIVE)
        return go(request, here, said=_("The webhook is active: it is told of what waits for it, too."))
    if deed == "disable":
        services.update_webhook(actor, webhook_id=webhook_id, status=services.DISABLED)
        return go(request, here, said=_("The webhook is disabled."))
    if deed == "rotate":
        return _rotate(request, found, secret_form)
    if deed == "delete":
        if not delete_form.is_valid():
            return None
        services.delete_webhook(actor, webhook_id=webhook_id)
        return go(request, _list_of(_model_name(found)), said=_("The webhook is deleted."))
    raise InvalidParameter("The form says nothing that can be done here: reload the page and send it again.")


def _rotate(request: PageRequest, found: "Webhook", form: Form) -> HttpResponse | None:
    if found.format != Format.GITHUB_DISPATCH:
        secret = services.rotate_secret(request.actor, webhook_id=found.webhook_id)
        return _secret_page(request, found, secret, _("The webhook has a new secret."))
    if form.is_valid():
        try:
            services.rotate_secret(request.actor, webhook_id=found.webhook_id, secret=form.cleaned_data["secret"])
        except InvalidParameter as error:
            show_error(form, error)
        else:
            return go(request, reverse("webhook", args=[found.webhook_id]), said=_("The webhook has a new token."))
    return None


def _secret_page(request: PageRequest, found: "Webhook", secret: str, said: str) -> HttpResponse:
    context = {
        "webhook": found,
        "secret": secret,
        "said": said,
        "is_standard": found.format == Format.STANDARD,
        "crumbs": [*_crumbs(found), (_("Secret"), "")],
    }
    return render(request, "pages/webhooks/secret.html", context)


# -- deliveries --------------------------------------------------------------------------------------------------------
@signed_in
def delivery(request: PageRequest, delivery_id: str) -> HttpResponse:
    """A delivery: every attempt, and what was sent. It can be sent again."""
    found = queries.get_delivery(request.actor, delivery_id)
    of_webhook = reverse("webhook", args=[found.webhook.webhook_id])
    here = reverse("delivery", args=[delivery_id])
    if request.method == "POST":
        services.send_again(request.actor, delivery_id=delivery_id)
        return go(request, back_or(request, here), said=_("It is sent again, with the same id."))
    shown = queries.get_webhook(request.actor, found.webhook.webhook_id)
    context = {
        "delivery": found,
        "webhook": shown,
        "may_send": shown.status == services.ACTIVE,
        "attempts": queries.attempts_of(found),
        "body": json.dumps(json.loads(found.body), indent=2, ensure_ascii=False),
        "crumbs": [*_crumbs_of(_model_name(shown)), (shown.name, of_webhook), (_("Delivery"), "")],
    }
    return render(request, "pages/webhooks/delivery.html", context)


# -- where one is ------------------------------------------------------------------------------------------------------
def _model_name(webhook: "Webhook") -> str | None:
    return webhook.registered_model.name if webhook.registered_model else None


def _list_of(name: str | None) -> str:
    return reverse("model_webhooks", args=[name]) if name else reverse("webhooks")


def _crumbs_of(name: str | None) -> list[tuple[str, str]]:
    if name is None:
        return [(_("Webhooks"), reverse("webhooks"))]
    return [(_("Models"), reverse("models")), (name, reverse("model", args=[name])), (_("Webhooks"), _list_of(name))]


def _crumbs(webhook: "Webhook") -> list[tuple[str, str]]:
    return [*_crumbs_of(_model_name(webhook)), (webhook.name, reverse("webhook", args=[webhook.webhook_id]))]
