"""Reading mails: for administrators alone, as they hold what was written to people."""

from django.db.models import QuerySet

from registry_site.accounts.actors import Actor
from registry_site.notifications import mailbox
from registry_site.notifications.mailbox import StoredMail
from registry_site.notifications.models import Mail, MailState


def mails(actor: Actor, *, state: MailState | None = None) -> QuerySet[Mail]:
    """The mails of Podium with their recipients, newest first. Raises PermissionDenied unless an administrator asks."""
    actor.require_admin()
    found = Mail.objects.select_related("recipient").order_by("-pk")
    return found.filter(state=state) if state else found


def stored_mails(actor: Actor, *, limit: int = 50, before: str | None = None) -> list[StoredMail]:
    """A page of the mail folder, newest first, without bodies. Raises PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_folder(limit, before)


def stored_mail(actor: Actor, name: str) -> StoredMail:
    """One message of the mail folder. Raises NotFound, and PermissionDenied as `mails`."""
    actor.require_admin()
    return mailbox.read_message(name)
