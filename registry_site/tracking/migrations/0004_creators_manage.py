from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

DEFAULT, CAN_EDIT, CAN_MANAGE = 0, 2, 5


def carry_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Until now everybody could log everywhere. Who made an experiment manages it, and who logged runs to it may go on."""
    database = schema_editor.connection.alias
    experiments = apps.get_model("tracking", "Experiment").objects.using(database)
    runs = apps.get_model("tracking", "Run").objects.using(database)
    grants = apps.get_model("tracking", "ExperimentGrant")
    levels = dict.fromkeys(
        runs.filter(created_by__isnull=False)
        .exclude(experiment=DEFAULT)
        .order_by()
        .values_list("experiment_id", "created_by_id")
        .distinct(),
        CAN_EDIT,
    )
    levels |= dict.fromkeys(
        experiments.filter(created_by__isnull=False).values_list("pk", "created_by_id"), CAN_MANAGE
    )
    grants.objects.using(database).bulk_create(
        (
            grants(experiment_id=experiment, user_id=user, level=level)
            for (experiment, user), level in sorted(levels.items())
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("tracking", "0003_experiment_grants")]
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
