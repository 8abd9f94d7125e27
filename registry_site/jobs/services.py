"""Signs of life of background workers. Nobody answers for them, so history has none."""

from datetime import datetime, timedelta

from registry_site.core import clock
from registry_site.jobs.models import Worker

FORGOTTEN_AFTER = timedelta(days=1)


def say_alive(name: str, started_at: datetime) -> None:
    """Write down that this worker lives, and forget those that have not said so for a day."""
    now = clock.now()
    Worker.objects.bulk_create(
        [Worker(name=name, started_at=started_at, seen_at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["started_at", "seen_at"],
    )
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def say_goodbye(name: str) -> None:
    """Forget a worker that ends in order."""
    Worker.objects.filter(name=name).delete()
