"""Makes the database itself refuse to change and to delete history."""

from django.db import migrations

# A later migration that alters the table has to do this again on SQLite, where altering is copying and triggers stay
# behind. A test notices when it is forgotten.
REFUSAL = 'history is append-only: an activity is never changed and never deleted'
STATEMENTS = {
    'postgresql': (
        [
            "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{REFUSAL}'; END$$",
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_activity "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
        ],
        [
            "DROP TRIGGER audit_append_only ON audit_activity",
            "DROP FUNCTION audit_refuse()",
        ],
    ),
    'sqlite': (
        [
            "CREATE TRIGGER audit_refuse_update BEFORE UPDATE ON audit_activity "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
            "CREATE TRIGGER audit_refuse_delete BEFORE DELETE ON audit_activity "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        ],
        [
            "DROP TRIGGER audit_refuse_update",
            "DROP TRIGGER audit_refuse_delete",
        ],
    ),
}


def protect(apps, schema_editor):
    for statement in STATEMENTS[schema_editor.connection.vendor][0]:
        schema_editor.execute(statement)


def unprotect(apps, schema_editor):
    for statement in STATEMENTS[schema_editor.connection.vendor][1]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_hash_chain'),
    ]

    operations = [
        migrations.RunPython(protect, unprotect),
    ]
