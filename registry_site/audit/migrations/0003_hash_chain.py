"""Gives every activity its place in a chain, those that are there in the order in which they were written."""

from django.db import migrations, models

from registry_site.audit.chain import START, Stored, chain_of, link

AT_ONCE = 1000


def chain_up(apps, schema_editor):
    activities = apps.get_model("audit", "Activity").objects
    heads = {}
    batch = []
    for activity in activities.order_by("pk").iterator(chunk_size=AT_ONCE):
        stored = Stored(**{name: getattr(activity, name) for name in Stored._fields})
        activity.chain = chain_of(activity.registered_model_id)
        activity.previous_hash = heads.get(activity.chain, START)
        activity.hash = heads[activity.chain] = link(stored, activity.previous_hash)
        batch.append(activity)
        if len(batch) == AT_ONCE:
            activities.bulk_update(batch, ["chain", "previous_hash", "hash"])
            batch.clear()
    activities.bulk_update(batch, ["chain", "previous_hash", "hash"])
    chain_head = apps.get_model("audit", "ChainHead")
    chain_head.objects.bulk_create(
        (chain_head(chain=chain, hash=digest) for chain, digest in heads.items()), batch_size=AT_ONCE
    )


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_kinds_without_choices'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChainHead',
            fields=[
                ('chain', models.BigIntegerField(primary_key=True, serialize=False)),
                ('hash', models.CharField(default=START, max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name='activity',
            name='chain',
            field=models.BigIntegerField(default=0, help_text='the registered model, or 0 for the site'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='activity',
            name='previous_hash',
            field=models.CharField(default='', help_text='of the activity before it in its chain', max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='activity',
            name='hash',
            field=models.CharField(default='', max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(chain_up, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['chain', 'id'], name='activity_by_chain'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['actor_name', '-id'], name='activity_by_actor'),
        ),
        migrations.AlterField(
            model_name='activity',
            name='at',
            field=models.DateTimeField(db_index=True),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.UniqueConstraint(fields=('chain', 'previous_hash'), name='activity_follows_one'),
        ),
    ]
