"""Background work, for administrators."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from registry_site.jobs.queries import read_jobs
from registry_site.pages.access import signed_in
from registry_site.pages.middleware import PageRequest

BROKERS = {"redis": "Redis", "rediss": "Redis", "amqp": "RabbitMQ", "amqps": "RabbitMQ"}


@signed_in
def jobs(request: PageRequest) -> HttpResponse:
    """What waits, what failed, and which workers are alive."""
    found = read_jobs(request.actor)
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
