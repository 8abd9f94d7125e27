"""Let PostgreSQL count which values the keys of tags have.

Without it the values of all keys are taken for one heap: of a value that a tenth of all models have it would expect a
hundredth, and put ten thousand models in order to show the first 25 of them.
"""

from django.db import migrations


def add_statistics(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('CREATE STATISTICS values_of_tags (mcv) ON key, "left"(value, 60) FROM registry_tag')


def remove_statistics(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP STATISTICS IF EXISTS values_of_tags")


class Migration(migrations.Migration):
    dependencies = [("registry", "0012_parts_of_names")]

    operations = [migrations.RunPython(add_statistics, remove_statistics)]
