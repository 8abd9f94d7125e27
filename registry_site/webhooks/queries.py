"""Reading webhooks. Their addresses may hold tokens, so they are for administrators only."""

from registry_site.accounts.actors import Actor
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page
from registry_site.webhooks.models import Webhook

PER_PAGE_AT_MOST = 1000
_NEWEST_FIRST = OrderPlan((Term("id", "id", True, False),))


def get_webhook(actor: Actor, webhook_id: str) -> Webhook:
    """The webhook. Raises PermissionDenied for everybody but administrators, NotFound."""
    actor.require_admin()
    found = Webhook.objects.filter(webhook_id=webhook_id).first()
    if found is None:
        raise webhook_not_found(webhook_id)
    return found


def list_webhooks(actor: Actor, *, max_results: int = 100, page_token: str | None = None) -> Page[Webhook]:
    """A page of all webhooks, newest first; 0 results means the default of 100."""
    actor.require_admin()
    return read_page(
        Webhook.objects.all(),
        _NEWEST_FIRST,
        max_results=max_results or 100,
        page_token=page_token,
        query=["webhooks", actor.user_id],
        most=PER_PAGE_AT_MOST,
    )


def webhook_not_found(webhook_id: str) -> NotFound:
    """What to raise for an id that no webhook has."""
    return NotFound(f"Webhook with ID {webhook_id} not found.", field="webhook_id")
