"""Contacts, résumés and what people write of their work get sealed columns; what is there moves in the next step."""

import django.core.validators
from django.db import migrations

import accounts.models.sealed

SEALED = {
    "candidate": {
        "email": accounts.models.sealed.SealedLineField(
            blank=True,
            default="",
            help_text="contact address; the login's own if empty",
            max_length=254,
            row=["public_id"],
            validators=[django.core.validators.validate_email],
        ),
        "phone": accounts.models.sealed.SealedLineField(blank=True, default="", max_length=40, row=["public_id"]),
        "linkedin": accounts.models.sealed.SealedLineField(
            blank=True,
            default="",
            max_length=200,
            row=["public_id"],
            validators=[django.core.validators.URLValidator(["http", "https"])],
        ),
        "resume_text": accounts.models.sealed.SealedTextField(
            blank=True, default="", help_text="what is kept of it: CandidateMentions", row=["public_id"]
        ),
    },
    "workexperience": {
        "description": accounts.models.sealed.SealedTextField(blank=True, default="", row=["candidate_id"]),
    },
}


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0002_notifications_followed")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                operation
                for model, fields in SEALED.items()
                for name in fields
                for operation in (
                    migrations.RunSQL(f"ALTER TABLE marketplace_{model} RENAME COLUMN {name} TO {name}_plain"),
                    # With a default, so that no row is written for it; the last step takes it away again.
                    migrations.RunSQL(f"ALTER TABLE marketplace_{model} ADD COLUMN {name} bytea NOT NULL DEFAULT ''"),
                )
            ],
            state_operations=[
                migrations.AlterField(model, name, field)
                for model, fields in SEALED.items()
                for name, field in fields.items()
            ],
        )
    ]
