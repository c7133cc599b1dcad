"""The addresses that people log in with are sealed, and found by a hash. What other providers say of them is forgotten."""

from django.db import migrations, models

import accounts.models.sealed
from accounts.migrations._sealing import sealing


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_reasons_can_be_erased"),
        ("account", "0009_emailaddress_unique_primary_email"),  # which still reads addresses of users
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="user", name="user_email_is_unique"),
        migrations.SeparateDatabaseAndState(
            database_operations=sealing(table="accounts_user", place="accounts.user.email", row="public_id"),
            state_operations=[
                migrations.AlterField(
                    model_name="user",
                    name="email",
                    field=accounts.models.sealed.SealedAddressField(
                        blank=False, default="", max_length=254, row=["public_id"], verbose_name="e-mail address"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                accounts.models.sealed.HashOf("email"),
                name="user_email_is_unique",
                violation_error_message="There is a login with this address.",
            ),
        ),
        migrations.RunSQL("UPDATE socialaccount_socialaccount SET extra_data = '{}' WHERE extra_data <> '{}'"),
    ]
