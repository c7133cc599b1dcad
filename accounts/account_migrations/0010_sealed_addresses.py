"""The addresses of people are sealed, and found by a hash."""

from django.db import migrations, models

import accounts.models.sealed
from accounts.migrations._sealing import sealing


class Migration(migrations.Migration):
    dependencies = [("account", "0009_emailaddress_unique_primary_email")]

    operations = [
        migrations.RemoveConstraint(model_name="emailaddress", name="unique_verified_email"),
        migrations.AlterUniqueTogether(name="emailaddress", unique_together=set()),
        migrations.SeparateDatabaseAndState(
            database_operations=sealing(
                table="account_emailaddress", place="account.emailaddress.email", row="user_id"
            ),
            state_operations=[
                migrations.AlterField(
                    model_name="emailaddress",
                    name="email",
                    field=accounts.models.sealed.SealedAddressField(
                        blank=False, default="", max_length=254, row=["user_id"], verbose_name="email address"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="emailaddress",
            constraint=models.UniqueConstraint(
                accounts.models.sealed.HashOf("email"), models.F("user"), name="one_row_per_user_and_address"
            ),
        ),
        migrations.AddConstraint(
            model_name="emailaddress",
            constraint=models.UniqueConstraint(
                accounts.models.sealed.HashOf("email"),
                condition=models.Q(verified=True),
                name="unique_verified_email",
            ),
        ),
    ]
