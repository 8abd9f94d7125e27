"""The Celery application. Tasks take no arguments that matter: rows of the database say what there is to do."""

import os

from celery import Celery
from django.conf import settings

from registry_site.worker.schedule import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_site.settings")

EMBEDDED = not settings.CELERY_BROKER_URL  # no broker: one worker, which finds all work by looking for it

app = Celery(
    "podium",
    broker=settings.CELERY_BROKER_URL or "memory://localhost",
    include=["registry_site.worker.tasks", "registry_site.worker.heartbeat"],
)
app.conf.update(
    timezone="UTC",
    enable_utc=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=300,
    task_soft_time_limit=240,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=not EMBEDDED,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker outlasts its broker's absence
    broker_connection_timeout=1,  # seconds; a request waits for it when the broker is gone
    broker_transport_options=(
        {"polling_interval": 0.1}
        if EMBEDDED
        else {
            "socket_connect_timeout": 1,
            "socket_timeout": 3,  # a Redis that hangs must not hang a request; longer than a worker's wait for work
            "write_timeout": 3,  # the same of RabbitMQ
            "visibility_timeout": 600,
        }
    ),
    beat_scheduler="celery.beat:Scheduler",  # in memory: the schedule is code, and every task may run twice
    beat_schedule=schedule(embedded=EMBEDDED),
)
