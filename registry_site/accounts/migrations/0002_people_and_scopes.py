import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


ADMIN = 3


def keep_what_tokens_could_do(apps, schema_editor):
    """Until now every token did what its owner may do."""
    apps.get_model("accounts", "ApiToken").objects.filter(user__is_superuser=True).update(scope=ADMIN)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='scope',
            field=models.PositiveSmallIntegerField(choices=[(1, 'read'), (2, 'write'), (3, 'admin')], default=2),
        ),
        migrations.AddField(
            model_name='signinlink',
            name='purpose',
            field=models.CharField(choices=[('sign_in', 'sign in'), ('invitation', 'invitation'), ('password', 'password')], default='sign_in', max_length=10),
        ),
        migrations.AddField(
            model_name='user',
            name='email_confirmed',
            field=models.BooleanField(default=False, help_text='an administrator gave the address, or mail to it was answered, or the provider vouches'),
        ),
        migrations.AddField(
            model_name='user',
            name='sessions_ended',
            field=models.PositiveIntegerField(default=0, help_text='how often all sessions were ended at once'),
        ),
        migrations.AlterField(
            model_name='signinlink',
            name='used_at',
            field=models.DateTimeField(blank=True, help_text='when it, or another one in its place, was used', null=True),
        ),
        migrations.CreateModel(
            name='ProviderIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(max_length=255)),
                ('subject', models.CharField(max_length=255)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'provider identities',
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='one_person_per_identity')],
            },
        ),
        migrations.RunPython(keep_what_tokens_could_do, migrations.RunPython.noop),
    ]
