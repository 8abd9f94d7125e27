from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

BATCH = 1000


def ask_for_scans(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """From now on every version is scanned: the worker does it."""
    database = schema_editor.connection.alias
    scans = apps.get_model("registry", "Scan")
    versions = apps.get_model("registry", "ModelVersion").objects.using(database)
    now, last = timezone.now(), 0
    rows = versions.filter(registered_model__is_prompt=False).order_by("pk").values_list("pk", flat=True)
    while keys := list(rows.filter(pk__gt=last)[:BATCH]):
        scans.objects.using(database).bulk_create(scans(model_version_id=key, due_at=now) for key in keys)
        last = keys[-1]


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_scans")]
    operations = [migrations.RunPython(ask_for_scans, migrations.RunPython.noop)]
