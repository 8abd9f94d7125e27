"""Background work, for administrators."""

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from registry_site.core.pages import Page
from registry_site.jobs.queries import read_jobs
from registry_site.pages import columns
from registry_site.pages.access import signed_in
from registry_site.pages.exports import as_file
from registry_site.pages.middleware import PageRequest

BROKERS = {"redis": "Redis", "rediss": "Redis", "amqp": "RabbitMQ", "amqps": "RabbitMQ"}


@signed_in
def jobs(request: PageRequest) -> HttpResponseBase:
    """What waits, what failed, and which workers are alive."""
    found = read_jobs(request.actor)
    if file := as_file(request, "jobs", columns.QUEUES, lambda token: Page(found.queues)):
        return file
    labels = {
        "outbox": (_("News to pass on"), _("from history to mails and webhooks")),
        "mails": (_("Mails"), _("to people")),
        "deliveries": (_("Deliveries"), _("to webhooks")),
    }
    scheme = settings.CELERY_BROKER_URL.partition(":")[0]
    context = {
        "jobs": found,
        "queues": [
            {"label": labels[each.name][0], "text": labels[each.name][1], "queue": each} for each in found.queues
        ],
        "broker": BROKERS.get(scheme, scheme),
        "is_idle_but_waiting": not found.alive and any(each.due for each in found.queues),
    }
    return render(request, "pages/jobs/jobs.html", context)
