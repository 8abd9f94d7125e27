import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0001_initial'),
        ('registry', '0002_grants_from_base'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AliasPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('alias', models.CharField(max_length=255)),
                ('stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], max_length=10)),
                ('is_mirror', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'alias policies',
            },
        ),
        migrations.CreateModel(
            name='Check',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=250)),
                ('external_id', models.CharField(blank=True, max_length=250)),
                ('state', models.CharField(choices=[('pending', 'pending'), ('passed', 'passed'), ('failed', 'failed')], max_length=10)),
                ('summary', models.TextField(blank=True)),
                ('link', models.CharField(blank=True, max_length=2000)),
                ('posted_by_name', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.BigIntegerField(help_text='kept when the version is deleted')),
                ('author_name', models.CharField(max_length=150)),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('environment', models.CharField(max_length=250)),
                ('external_id', models.CharField(blank=True, max_length=250)),
                ('state', models.CharField(choices=[('pending', 'pending'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('ended', 'ended')], max_length=10)),
                ('description', models.TextField(blank=True)),
                ('link', models.CharField(blank=True, max_length=2000)),
                ('posted_by_name', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('content', models.TextField()),
                ('taken_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'evidence',
            },
        ),
        migrations.CreateModel(
            name='MetricDirection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric', models.CharField(max_length=250)),
                ('higher_is_better', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='PolicyGate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('type', models.CharField(choices=[('metric', 'metric'), ('metric_against_occupant', 'metric_against_occupant'), ('tag', 'tag'), ('description', 'description'), ('signature', 'signature'), ('stage', 'stage'), ('check', 'check'), ('scan', 'scan'), ('digest', 'digest')], max_length=30)),
                ('key', models.CharField(blank=True, max_length=250)),
                ('comparison', models.CharField(blank=True, choices=[('>=', '>='), ('>', '>'), ('<=', '<='), ('<', '<')], max_length=2)),
                ('number', models.FloatField(blank=True, null=True)),
                ('value', models.TextField(blank=True, null=True)),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.AddField(
            model_name='review',
            name='dismissal_reason',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='review',
            name='dismissed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='review',
            name='dismissed_by_name',
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name='review',
            name='evidence_digest',
            field=models.CharField(blank=True, help_text='of what the reviewer saw', max_length=64),
        ),
        migrations.AddField(
            model_name='stagepolicy',
            name='dismiss_stale_approvals',
            field=models.BooleanField(default=True, help_text='approvals stop counting when the evidence changes'),
        ),
        migrations.AddField(
            model_name='stagepolicy',
            name='expires_after_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text='pending requests that are older expire; empty: never', null=True),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='approvers',
            field=models.JSONField(blank=True, default=list, help_text='user names that an approval is attributed to'),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='evidence_digest',
            field=models.CharField(blank=True, help_text='of the evidence that is looked at now', max_length=64),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='is_rollback',
            field=models.BooleanField(default=False, help_text='brings an earlier occupant of the stage back'),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='occupant_evidence',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='occupant_version',
            field=models.BigIntegerField(blank=True, help_text='what the candidate is compared with', null=True),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='remind_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='transitionrequest',
            name='settle_at',
            field=models.DateTimeField(blank=True, help_text='when the worker looks at it next', null=True),
        ),
        migrations.AlterField(
            model_name='review',
            name='verdict',
            field=models.CharField(choices=[('approve', 'approve'), ('request_changes', 'request_changes'), ('reject', 'reject'), ('comment', 'comment')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='transitionrequest',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['settle_at'], name='requests_to_settle'),
        ),
        migrations.AddIndex(
            model_name='transitionrequest',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['expires_at'], name='requests_to_expire'),
        ),
        migrations.AddIndex(
            model_name='transitionrequest',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['remind_at'], name='requests_to_remind'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['approve', 'request_changes', 'reject', 'comment'])), name='verdict_is_known'),
        ),
        migrations.AddConstraint(
            model_name='stagepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('expires_after_days__isnull', True), ('expires_after_days__gte', 1), _connector='OR'), name='requests_live_a_day_at_least'),
        ),
        migrations.AddField(
            model_name='aliaspolicy',
            name='registered_model',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='alias_policies', to='registry.registeredmodel'),
        ),
        migrations.AddField(
            model_name='check',
            name='model_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checks', to='registry.modelversion'),
        ),
        migrations.AddField(
            model_name='comment',
            name='author',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='comments', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='comment',
            name='model_version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='comments', to='registry.modelversion'),
        ),
        migrations.AddField(
            model_name='comment',
            name='registered_model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='registry.registeredmodel'),
        ),
        migrations.AddField(
            model_name='comment',
            name='request',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='promotion.transitionrequest'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='model_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deployments', to='registry.modelversion'),
        ),
        migrations.AddField(
            model_name='evidence',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='promotion.transitionrequest'),
        ),
        migrations.AddField(
            model_name='metricdirection',
            name='registered_model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metric_directions', to='registry.registeredmodel'),
        ),
        migrations.AddField(
            model_name='policygate',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gates', to='promotion.stagepolicy'),
        ),
        migrations.AddConstraint(
            model_name='aliaspolicy',
            constraint=models.UniqueConstraint(fields=('registered_model', 'alias'), name='one_policy_per_model_and_alias'),
        ),
        migrations.AddConstraint(
            model_name='aliaspolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('registered_model__isnull', True)), fields=('alias',), name='one_site_policy_per_alias'),
        ),
        migrations.AddConstraint(
            model_name='check',
            constraint=models.UniqueConstraint(fields=('model_version', 'name', 'external_id'), name='one_check_per_run'),
        ),
        migrations.AddConstraint(
            model_name='check',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'passed', 'failed'])), name='check_state_is_known'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(fields=['registered_model', 'version', 'created_at'], name='comments_of_version'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.UniqueConstraint(fields=('model_version', 'environment', 'external_id'), name='one_deployment_per_run'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'succeeded', 'failed', 'ended'])), name='deployment_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('request', 'digest'), name='evidence_is_kept_once'),
        ),
        migrations.AddConstraint(
            model_name='metricdirection',
            constraint=models.UniqueConstraint(fields=('registered_model', 'metric'), name='one_direction_per_metric'),
        ),
        migrations.AddConstraint(
            model_name='policygate',
            constraint=models.UniqueConstraint(fields=('policy', 'position'), name='one_gate_per_place'),
        ),
    ]
