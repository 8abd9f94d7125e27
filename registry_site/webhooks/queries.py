"""Reading webhooks and their deliveries. Addresses may hold tokens, so those of the whole registry are for
administrators, and those of a registered model for whoever manages it."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from registry_site.accounts.actors import Actor
from registry_site.accounts.levels import Level
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.registry import access
from registry_site.registry.models import RegisteredModel
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page
from registry_site.webhooks.formats import Format
from registry_site.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook

PER_PAGE_AT_MOST = 1000
DELIVERIES_PER_PAGE = 50
DELIVERY_STATES = {state.value: state for state in DeliveryState}
_NEWEST_FIRST = OrderPlan((Term("id", "id", True, False),))


def require_webhooks(actor: Actor, model: RegisteredModel | None) -> None:
    """Raises NotSignedIn and PermissionDenied for whoever may not have webhooks there: of the whole registry only
    administrators, of one model who manages it. NotFound for a model that they may not see."""
    if model is None:
        actor.require_admin()
    else:
        access.require(actor, model, Level.CAN_MANAGE)


def get_webhook(actor: Actor, webhook_id: str, *, format: Format | None = None, registry_wide: bool = False) -> Webhook:
    """The webhook, of that format if one is given. Raises NotFound, PermissionDenied below what `require_webhooks`
    asks for. With `registry_wide` those of single models are not found, and nobody but administrators finds any."""
    actor.require_admin() if registry_wide else actor.require_signed_in()
    found = Webhook.objects.select_related("registered_model", "created_by").filter(webhook_id=webhook_id).first()
    hidden = webhook_not_found(webhook_id)
    if found is None or format not in (None, found.format) or (registry_wide and found.registered_model_id):
        raise hidden
    if found.registered_model is None:
        actor.require_admin()
    else:
        access.require(actor, found.registered_model, Level.CAN_MANAGE, hidden=hidden)
    return found


def list_webhooks(
    actor: Actor,
    *,
    format: Format | None = None,
    name: str | None = None,
    events: Sequence[str] = (),
    registry_wide: bool = False,
    max_results: int = 100,
    page_token: str | None = None,
) -> Page[Webhook]:
    """A page of the webhooks that the actor manages, newest first; 0 results means the default of 100.

    Narrowed to a format, to a registered model by its name, to any of these events, to those of the whole registry.
    Raises NotSignedIn; NotFound and PermissionDenied for a model that the actor may not see or does not manage, and
    PermissionDenied for whoever wants those of the whole registry and is no administrator.
    """
    actor.require_signed_in()
    found = Webhook.objects.select_related("registered_model", "created_by")
    if registry_wide:
        actor.require_admin()
        found = found.filter(registered_model=None)
    elif name is not None:
        model = access.visible_models(actor).filter(name=name).first()
        if model is None:
            raise access.model_not_found(name)
        require_webhooks(actor, model)
        found = found.filter(registered_model=model)
    else:
        found = found.filter(_managed_by(actor))
    if format is not None:
        found = found.filter(format=format.value)
    if events:
        found = found.annotate(events_as_text=Cast("events", TextField()))
        wanted = Q()
        for event in events:
            wanted |= Q(events_as_text__contains=f'"{event}"')
        found = found.filter(wanted)
    return read_page(
        found,
        _NEWEST_FIRST,
        max_results=max_results or 100,
        page_token=page_token,
        query=["webhooks", actor.user_id, format, name, list(events), registry_wide],
        most=PER_PAGE_AT_MOST,
    )


def _managed_by(actor: Actor) -> Q:
    if actor.is_admin or actor.is_system:
        return Q()
    return Q(access.with_level(actor, Level.CAN_MANAGE, "registered_model_id"), registered_model__isnull=False)


def webhook_not_found(webhook_id: str) -> NotFound:
    """What to raise for an id that no webhook has."""
    return NotFound(f"Webhook with ID {webhook_id} not found.", field="webhook_id")


# -- deliveries --------------------------------------------------------------------------------------------------------
def browse_deliveries(
    actor: Actor,
    webhook_id: str,
    *,
    state: DeliveryState | None = None,
    max_results: int = DELIVERIES_PER_PAGE,
    page_token: str | None = None,
) -> Page[Delivery]:
    """A page of a webhook's deliveries, newest first, without their bodies. Raises what `get_webhook` raises."""
    found: QuerySet[Delivery] = get_webhook(actor, webhook_id).deliveries.defer("body")
    if state is not None:
        found = found.filter(state=state)
    return read_page(
        found,
        _NEWEST_FIRST,
        max_results=max_results,
        page_token=page_token,
        query=["deliveries", webhook_id, state],
        most=500,
    )


def get_delivery(actor: Actor, delivery_id: str) -> Delivery:
    """One delivery; it knows its webhook. Raises NotFound, and PermissionDenied for whoever may not see its webhook."""
    actor.require_signed_in()
    found = Delivery.objects.select_related("webhook").filter(delivery_id=delivery_id).first()
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id[:50]}: old ones are removed.", field="delivery_id")
    get_webhook(actor, found.webhook.webhook_id)
    return found


def attempts_of(delivery: Delivery) -> list[DeliveryAttempt]:
    """Every attempt of a delivery that was got, the newest first."""
    return list(delivery.tries.order_by("-pk"))
