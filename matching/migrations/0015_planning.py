from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0018_backfill"),
    ]

    operations = [
        migrations.AddField(
            model_name="allocationrun",
            name="blocking",
            field=models.JSONField(
                blank=True,
                help_text='{"count": 2, "pairs": [[opportunity, candidate], …]}: empty where not defined',
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="allocationrun",
            name="pareto",
            field=models.JSONField(
                blank=True, help_text="what other weights would bring: points of the frontier", null=True
            ),
        ),
        migrations.AlterField(
            model_name="allocationrun",
            name="policy",
            field=models.JSONField(help_text="what it keeps to: `matching.core.run_policy`"),
        ),
        migrations.AddField(
            model_name="proposal",
            name="alternatives",
            field=models.JSONField(blank=True, help_text="the best of what it won against, on either side", null=True),
        ),
    ]
