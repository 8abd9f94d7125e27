from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from registry_site.core import clock


def create_default_experiment(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Clients that name no experiment log to 0. The given key leaves the sequence alone, so the next one is 1."""
    now = clock.now_ms()
    apps.get_model("tracking", "Experiment").objects.using(schema_editor.connection.alias).create(
        id=0, name="Default", artifact_location="mlflow-artifacts:/0", creation_time=now, last_update_time=now
    )


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]
    operations = [migrations.RunPython(create_default_experiment, migrations.RunPython.noop)]
