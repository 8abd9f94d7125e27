"""Reading mails: for administrators alone, as they hold what was written to people."""

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.core.errors import NotFound
from registry_site.core.pages import Page
from registry_site.notifications import mailbox
from registry_site.notifications.mailbox import StoredMail
from registry_site.notifications.models import Mail, MailState
from registry_site.search.keyset import OrderPlan, Term
from registry_site.search.paging import read_page

MAILS_PER_PAGE = 50


def mails(actor: Actor, *, state: MailState | None = None) -> QuerySet[Mail]:
    """The mails of Podium with their recipients, newest first. Raises PermissionDenied unless an administrator asks."""
    actor.require_admin()
    found = Mail.objects.select_related("recipient").order_by("-pk")
    return found.filter(state=state) if state else found


def browse_mails(actor: Actor, *, page_token: str | None = None) -> Page[Mail]:
    """A page of the mails, newest first. Raises PermissionDenied as `mails`."""
    return read_page(
        mails(actor),
        OrderPlan((Term("id", "id", descending=True, nullable=False),)),
        max_results=MAILS_PER_PAGE,
        page_token=page_token,
        query=["mails"],
        most=MAILS_PER_PAGE,
    )


def get_mail(actor: Actor, mail_id: int) -> Mail:
    """One mail. Raises NotFound, and PermissionDenied as `mails`."""
    found = mails(actor).filter(pk=mail_id).first()
    if found is None:
        raise NotFound(f"There is no mail {mail_id}.")
    return found


def stored_mails(actor: Actor, *, limit: int = 50, before: str | None = None) -> list[StoredMail]:
    """A page of the mail folder, newest first, without bodies. Raises PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_folder(limit, before)


def stored_mail(actor: Actor, name: str) -> StoredMail:
    """One message of the mail folder. Raises NotFound, and PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_message(name)
