import django.contrib.postgres.fields
from django.db import migrations, models

# What was read before knows no titles: no taxonomy has that number, so all is read again when it is next refreshed.
READ_AGAIN = """
    UPDATE marketplace_candidatementions SET taxonomy = 0;
    UPDATE marketplace_opportunitymentions SET taxonomy = 0;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0004_features"),
    ]

    operations = [
        migrations.AddField(
            model_name="candidatementions",
            name="occupation_ids",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None),
        ),
        migrations.AddField(
            model_name="opportunitymentions",
            name="occupation_ids",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None),
        ),
        migrations.RunSQL(READ_AGAIN, migrations.RunSQL.noop),
    ]
