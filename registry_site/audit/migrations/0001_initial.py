import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Activity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('alias.deleted', 'alias.deleted'), ('alias.set', 'alias.set'), ('experiment.created', 'experiment.created'), ('experiment.deleted', 'experiment.deleted'), ('experiment.renamed', 'experiment.renamed'), ('experiment.restored', 'experiment.restored'), ('grant.removed', 'grant.removed'), ('grant.set', 'grant.set'), ('model.created', 'model.created'), ('model.deleted', 'model.deleted'), ('model.described', 'model.described'), ('model.renamed', 'model.renamed'), ('model.tag_deleted', 'model.tag_deleted'), ('model.tag_set', 'model.tag_set'), ('password.changed', 'password.changed'), ('policy.set', 'policy.set'), ('request.approved', 'request.approved'), ('request.cancelled', 'request.cancelled'), ('request.created', 'request.created'), ('request.rejected', 'request.rejected'), ('request.superseded', 'request.superseded'), ('review.given', 'review.given'), ('run.deleted', 'run.deleted'), ('run.restored', 'run.restored'), ('token.created', 'token.created'), ('token.revoked', 'token.revoked'), ('user.admin_set', 'user.admin_set'), ('user.created', 'user.created'), ('user.deleted', 'user.deleted'), ('user.signed_in', 'user.signed_in'), ('version.created', 'version.created'), ('version.deleted', 'version.deleted'), ('version.described', 'version.described'), ('version.stage_changed', 'version.stage_changed'), ('version.tag_deleted', 'version.tag_deleted'), ('version.tag_set', 'version.tag_set')], max_length=40)),
                ('origin', models.CharField(choices=[('page', 'page'), ('rest', 'rest'), ('admin', 'admin'), ('command', 'command'), ('task', 'task')], max_length=10)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor_name', models.CharField(max_length=150)),
                ('registered_model_id', models.BigIntegerField(null=True)),
                ('subject', models.CharField(help_text='what it tells of, as it was named then', max_length=700)),
                ('version', models.BigIntegerField(null=True)),
                ('request_number', models.BigIntegerField(null=True)),
                ('comment', models.TextField(blank=True)),
                ('data', models.JSONField(default=dict, help_text='old and new values; never a secret')),
            ],
            options={
                'verbose_name_plural': 'activities',
                'indexes': [models.Index(fields=['registered_model_id', 'version', '-id'], name='activity_by_model'), models.Index(fields=['kind', '-id'], name='activity_by_kind')],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='OutboxEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('activity', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to='audit.activity')),
                ('due_at', models.DateTimeField(db_index=True, help_text='claimed by moving it into the future')),
                ('attempts', models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'outbox entries',
                'indexes': [],
                'constraints': [],
            },
        ),
    ]
