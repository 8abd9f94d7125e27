"""Find models by any part of their names from an index, where PostgreSQL has its extension pg_trgm, and lets us use it.

The models know nothing of the index, because elsewhere every name is looked at, which finds the same.
"""

from django.db import ProgrammingError, migrations, transaction


def add_index(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            return
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
                cursor.execute(
                    "CREATE INDEX model_name_parts ON registry_registeredmodel USING gin (upper(name) gin_trgm_ops)"
                )
        except ProgrammingError:  # the role may make no extension, or it is in a schema of its own
            pass


def remove_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS model_name_parts")


class Migration(migrations.Migration):
    dependencies = [("registry", "0011_facets")]

    operations = [migrations.RunPython(add_index, remove_index)]
