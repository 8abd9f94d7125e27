import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Experiment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=500, unique=True)),
                ('artifact_location', models.CharField(max_length=2048)),
                ('lifecycle_stage', models.CharField(choices=[('active', 'Active'), ('deleted', 'Deleted')], db_index=True, default='active', max_length=10)),
                ('creation_time', models.BigIntegerField(db_index=True)),
                ('last_update_time', models.BigIntegerField(db_index=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='ExperimentTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='tracking.experiment')),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('experiment', 'key'), name='one_value_per_experiment_tag')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.CharField(max_length=32, unique=True)),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='tracking.experiment')),
                ('run_name', models.CharField(blank=True, max_length=8000)),
                ('user_id', models.CharField(blank=True, max_length=256)),
                ('status', models.CharField(choices=[('RUNNING', 'Running'), ('SCHEDULED', 'Scheduled'), ('FINISHED', 'Finished'), ('FAILED', 'Failed'), ('KILLED', 'Killed')], default='RUNNING', max_length=10)),
                ('start_time', models.BigIntegerField(default=0)),
                ('end_time', models.BigIntegerField(blank=True, null=True)),
                ('artifact_uri', models.CharField(max_length=2200)),
                ('lifecycle_stage', models.CharField(choices=[('active', 'Active'), ('deleted', 'Deleted')], default='active', max_length=10)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['experiment', 'lifecycle_stage', '-start_time', 'run_id'], name='runs_newest_first')],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='RunTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='tracking.run')),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'run'], name='run_tag_by_key')],
                'constraints': [models.UniqueConstraint(fields=('run', 'key'), name='one_value_per_run_tag')],
            },
        ),
        migrations.CreateModel(
            name='Param',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='params', to='tracking.run')),
                ('key', models.CharField(max_length=250)),
                ('value', models.CharField(max_length=6000)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'key'), name='one_value_per_param')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Metric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250)),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField(default=False)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField(default=0)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metrics', to='tracking.run')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'key', 'timestamp', 'step', 'value', 'is_nan'), name='no_metric_point_twice')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='LatestMetric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250)),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField(default=False)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField(default=0)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='latest_metrics', to='tracking.run')),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'value'], name='latest_metric_by_value')],
                'constraints': [models.UniqueConstraint(fields=('run', 'key'), name='one_latest_metric')],
            },
        ),
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='datasets', to='tracking.experiment')),
                ('name', models.CharField(max_length=500)),
                ('digest', models.CharField(max_length=36)),
                ('source_type', models.CharField(blank=True, max_length=36)),
                ('source', models.TextField(blank=True)),
                ('schema', models.TextField(blank=True)),
                ('profile', models.TextField(blank=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('experiment', 'name', 'digest'), name='one_dataset_per_digest')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='DatasetInput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dataset_inputs', to='tracking.run')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='tracking.dataset')),
                ('context', models.CharField(blank=True, max_length=500)),
                ('tags', models.JSONField(default=dict)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'dataset'), name='one_input_per_dataset')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='LoggedModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_id', models.CharField(max_length=34, unique=True)),
                ('experiment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='logged_models', to='tracking.experiment')),
                ('name', models.CharField(max_length=500)),
                ('model_type', models.CharField(blank=True, max_length=500)),
                ('source_run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='logged_models', to='tracking.run')),
                ('artifact_uri', models.CharField(max_length=2200)),
                ('status', models.CharField(choices=[('LOGGED_MODEL_PENDING', 'Pending'), ('LOGGED_MODEL_READY', 'Ready'), ('LOGGED_MODEL_UPLOAD_FAILED', 'Upload Failed')], default='LOGGED_MODEL_PENDING', max_length=30)),
                ('status_message', models.TextField(blank=True)),
                ('creation_timestamp', models.BigIntegerField()),
                ('last_updated_timestamp', models.BigIntegerField()),
                ('lifecycle_stage', models.CharField(choices=[('active', 'Active'), ('deleted', 'Deleted')], default='active', max_length=10)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['experiment', '-creation_timestamp', 'model_id'], name='logged_models_newest')],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='LoggedModelTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('logged_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='tracking.loggedmodel')),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('logged_model', 'key'), name='one_value_per_logged_model_tag')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='LoggedModelParam',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('logged_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='params', to='tracking.loggedmodel')),
                ('key', models.CharField(max_length=250)),
                ('value', models.CharField(max_length=6000)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('logged_model', 'key'), name='one_value_per_logged_model_param')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='LoggedModelMetric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=250)),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField(default=False)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField(default=0)),
                ('logged_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metrics', to='tracking.loggedmodel')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='logged_model_metrics', to='tracking.run')),
                ('dataset_name', models.CharField(blank=True, max_length=500)),
                ('dataset_digest', models.CharField(blank=True, max_length=36)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('logged_model', 'run', 'key', 'timestamp', 'step', 'dataset_name', 'dataset_digest'), name='one_logged_model_metric')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='RunModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='run_models', to='tracking.run')),
                ('logged_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='run_models', to='tracking.loggedmodel')),
                ('is_output', models.BooleanField()),
                ('step', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'logged_model', 'is_output'), name='one_line_per_run_and_model')],
                'indexes': [],
            },
        ),
    ]
