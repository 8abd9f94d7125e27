"""Mail as administrators see it: above all where none is sent by SMTP and it stays in a folder."""

from functools import partial

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from registry_site.notifications import queries
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import as_file
from registry_site.pages.middleware import PageRequest
from registry_site.pages.parts import pager_of


@signed_in
def mail_folder(request: PageRequest) -> HttpResponseBase:
    """What was mailed, what waits, and what failed; newest first."""
    find = partial(queries.browse_mails, request.actor)
    if file := as_file(request, "mail", columns.MAILS, lambda token: find(page_token=token)):
        return file
    page = find(page_token=request.GET.get("page_token"))
    context = {
        "mails": page.rows,
        "by_smtp": bool(settings.EMAIL_HOST),
        "pager": pager_of(request, page.next_page_token),
        "empty_title": _("No mail yet"),
        "empty_text": _("Mail is written when somebody requests a promotion, and when a request is decided."),
    }
    return render(request, "pages/people/mail_folder.html", context)


@signed_in
def mail_message(request: PageRequest, mail_id: int) -> HttpResponse:
    """One mail, as it was written."""
    mail = queries.get_mail(request.actor, mail_id)
    crumbs = [(_("Mail"), reverse("mail_folder")), (mail.subject, "")]
    return render(request, "pages/people/mail_message.html", {"mail": mail, "crumbs": crumbs})
