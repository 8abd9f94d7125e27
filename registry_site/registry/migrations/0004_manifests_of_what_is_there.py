import hashlib

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

BATCH = 1000
SCHEME = "mlflow-artifacts:/"


def place_of(uri: str) -> tuple[str, bool]:
    """The place in one spelling, and whether it is in this server's store."""
    root = str(settings.PODIUM_ARTIFACT_ROOT).rstrip("/") + "/"
    if uri.startswith(SCHEME):
        path = uri.removeprefix(SCHEME).strip("/")
    elif "://" in root and uri.startswith(root):
        path = uri.removeprefix(root).strip("/")
    else:
        return uri.rstrip("/"), False
    return f"{SCHEME}{path}", bool(path)


def ask_for_manifests(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """From now on every version and every logged model that is ready has a manifest: the worker makes them."""
    database = schema_editor.connection.alias
    manifests = apps.get_model("registry", "Manifest")
    now = timezone.now()
    versions = apps.get_model("registry", "ModelVersion").objects.using(database)
    logged = apps.get_model("tracking", "LoggedModel").objects.using(database)
    sources = (
        ("model_version_id", versions.filter(registered_model__is_prompt=False), "storage_location"),
        ("logged_model_id", logged.filter(status="LOGGED_MODEL_READY", lifecycle_stage="active"), "artifact_uri"),
    )
    for owner, rows, column in sources:
        last = 0
        while found := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", column)[:BATCH]):
            made = []
            for last, uri in found:
                place, here = place_of(uri)
                made.append(
                    manifests(
                        **{owner: last},
                        place=place,
                        place_key=hashlib.sha256(place.encode()).hexdigest(),
                        state="pending" if here else "elsewhere",
                        due_at=now if here else None,
                    )
                )
            manifests.objects.using(database).bulk_create(made)


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_manifests"), ("tracking", "0004_creators_manage")]
    operations = [migrations.RunPython(ask_for_manifests, migrations.RunPython.noop)]
