from datetime import timedelta

from django.db import migrations
from django.utils import timezone


def let_the_worker_look_at_pending_requests(apps, schema_editor):
    """Requests from before have no evidence pinned, and nothing that would make the worker come to them."""
    now = timezone.now()
    pending = apps.get_model("promotion", "TransitionRequest").objects.filter(state="pending")
    pending.update(settle_at=now, remind_at=now + timedelta(days=1))


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0002_gates_evidence_checks_and_comments'),
    ]

    operations = [
        migrations.RunPython(let_the_worker_look_at_pending_requests, migrations.RunPython.noop),
    ]
