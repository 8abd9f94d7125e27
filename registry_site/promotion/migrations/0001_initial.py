import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('registry', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='StagePolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='stage_policies', to='registry.registeredmodel')),
                ('stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], max_length=10)),
                ('protected', models.BooleanField(default=False, help_text='everybody needs a request')),
                ('required_approvals', models.PositiveSmallIntegerField(default=1)),
                ('allow_self_approval', models.BooleanField(default=False)),
                ('when_occupied', models.CharField(choices=[('ask', 'ask'), ('archive', 'archive'), ('share', 'share')], max_length=10)),
            ],
            options={
                'verbose_name_plural': 'stage policies',
                'constraints': [models.UniqueConstraint(fields=('registered_model', 'stage'), name='one_policy_per_model_and_stage'), models.UniqueConstraint(condition=models.Q(('registered_model__isnull', True)), fields=('stage',), name='one_site_policy_per_stage'), models.CheckConstraint(condition=models.Q(('required_approvals__gte', 1)), name='at_least_one_approval')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='TransitionRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transition_requests', to='registry.registeredmodel')),
                ('number', models.BigIntegerField()),
                ('model_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='transition_requests', to='registry.modelversion')),
                ('version', models.BigIntegerField(help_text='kept when the version is deleted')),
                ('from_stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], max_length=10)),
                ('to_stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], max_length=10)),
                ('occupant_decision', models.CharField(choices=[('archive', 'archive'), ('move', 'move'), ('keep', 'keep')], max_length=10)),
                ('occupant_to_stage', models.CharField(blank=True, choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], max_length=10)),
                ('requester', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='transition_requests', to=settings.AUTH_USER_MODEL)),
                ('requester_name', models.CharField(max_length=150)),
                ('comment', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('pending', 'pending'), ('approved', 'approved'), ('rejected', 'rejected'), ('cancelled', 'cancelled'), ('expired', 'expired'), ('superseded', 'superseded')], default='pending', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by_name', models.CharField(blank=True, max_length=150)),
                ('decision_comment', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(fields=['state', '-created_at'], name='requests_by_state')],
                'constraints': [models.UniqueConstraint(fields=('registered_model', 'number'), name='request_numbers_are_unique'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('model_version', 'to_stage'), name='one_pending_request_per_version_and_stage'), models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'approved', 'rejected', 'cancelled', 'expired', 'superseded'])), name='request_state_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='promotion.transitionrequest')),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reviews', to=settings.AUTH_USER_MODEL)),
                ('reviewer_name', models.CharField(max_length=150)),
                ('verdict', models.CharField(choices=[('approve', 'approve'), ('reject', 'reject')], max_length=20)),
                ('comment', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'reviewer'), name='one_review_per_person')],
                'indexes': [],
            },
        ),
    ]
