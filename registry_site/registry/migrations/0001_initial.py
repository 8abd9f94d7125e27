import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='RegisteredModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=256, unique=True)),
                ('description', models.TextField(blank=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('creation_timestamp', models.BigIntegerField()),
                ('last_updated_timestamp', models.BigIntegerField(db_index=True)),
                ('is_prompt', models.BooleanField(default=False, help_text='an MLflow prompt, which lives in the same tables')),
                ('last_version', models.BigIntegerField(default=0, help_text='the greatest number ever given; never goes back')),
                ('last_request_number', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [],
                'constraints': [],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='registry.registeredmodel')),
                ('version', models.BigIntegerField()),
                ('current_stage', models.CharField(choices=[('None', 'None'), ('Staging', 'Staging'), ('Production', 'Production'), ('Archived', 'Archived')], default='None', max_length=10)),
                ('stage_changed_at', models.DateTimeField(blank=True, null=True)),
                ('is_sole_occupant', models.BooleanField(default=False, help_text='its stage admits one version of the model, and this is it')),
                ('description', models.TextField(blank=True)),
                ('source', models.CharField(max_length=2200)),
                ('storage_location', models.CharField(help_text='where the files really are; never models:/', max_length=2200)),
                ('run_id', models.CharField(blank=True, db_index=True, max_length=32)),
                ('run_link', models.CharField(blank=True, max_length=500)),
                ('model_id', models.CharField(blank=True, help_text='the logged model that it was made of', max_length=34)),
                ('user_id', models.CharField(blank=True, max_length=256)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('creation_timestamp', models.BigIntegerField()),
                ('last_updated_timestamp', models.BigIntegerField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['registered_model', 'current_stage', '-version'], name='latest_version_in_stage')],
                'constraints': [models.UniqueConstraint(fields=('registered_model', 'version'), name='version_numbers_are_unique'), models.UniqueConstraint(condition=models.Q(('is_sole_occupant', True)), fields=('registered_model', 'current_stage'), name='one_occupant_of_an_exclusive_stage'), models.CheckConstraint(condition=models.Q(('current_stage__in', ['None', 'Staging', 'Production', 'Archived'])), name='stage_is_one_of_four')],
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='registry.registeredmodel')),
                ('model_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='registry.modelversion')),
                ('key', models.CharField(max_length=250)),
                ('value', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'registered_model', 'model_version'], name='registry_tag_by_key')],
                'constraints': [models.UniqueConstraint(fields=('registered_model', 'key'), name='one_value_per_model_tag'), models.UniqueConstraint(fields=('model_version', 'key'), name='one_value_per_version_tag'), models.CheckConstraint(condition=models.Q(('registered_model__isnull', True), ('model_version__isnull', True), _connector='XOR'), name='tag_has_one_owner')],
            },
        ),
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='registry.registeredmodel')),
                ('alias', models.CharField(max_length=255)),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='registry.modelversion')),
            ],
            options={
                'verbose_name_plural': 'aliases',
                'constraints': [models.UniqueConstraint(fields=('registered_model', 'alias'), name='one_version_per_alias')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('registered_model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='registry.registeredmodel')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ('group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='auth.group')),
                ('level', models.PositiveSmallIntegerField(choices=[(1, 'CAN_READ'), (2, 'CAN_EDIT'), (3, 'CAN_MANAGE_STAGING_VERSIONS'), (4, 'CAN_MANAGE_PRODUCTION_VERSIONS'), (5, 'CAN_MANAGE')])),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('user__isnull', True), ('group__isnull', True), _connector='XOR'), name='grant_has_one_holder'), models.UniqueConstraint(fields=('registered_model', 'user'), name='one_grant_per_model_and_user'), models.UniqueConstraint(fields=('registered_model', 'group'), name='one_grant_per_model_and_group'), models.UniqueConstraint(condition=models.Q(('registered_model__isnull', True)), fields=('user',), name='one_site_grant_per_user'), models.UniqueConstraint(condition=models.Q(('registered_model__isnull', True)), fields=('group',), name='one_site_grant_per_group')],
                'indexes': [],
            },
        ),
    ]
