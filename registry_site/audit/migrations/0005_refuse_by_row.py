"""PostgreSQL refuses a change of history where there is something to change: `loaddata` tries to update each row before
it inserts it, and so could bring history into no new database."""

from django.db import migrations

BY_STATEMENT = [
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_activity "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
]
BY_ROW = [
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_activity "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit_activity "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
]


def run(schema_editor, statements):
    if schema_editor.connection.vendor == 'postgresql':
        for statement in statements:
            schema_editor.execute(statement)


def by_row(apps, schema_editor):
    run(schema_editor, ["DROP TRIGGER audit_append_only ON audit_activity", *BY_ROW])


def by_statement(apps, schema_editor):
    names = ("audit_append_only", "audit_never_emptied")
    run(schema_editor, [*(f"DROP TRIGGER {name} ON audit_activity" for name in names), *BY_STATEMENT])


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_append_only'),
    ]

    operations = [
        migrations.RunPython(by_row, by_statement),
    ]
