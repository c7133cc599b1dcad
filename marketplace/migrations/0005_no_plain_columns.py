from django.db import migrations

SEALED = {"candidate": ["email", "phone", "linkedin", "resume_text"], "workexperience": ["description"]}


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0004_seal")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE marketplace_{model} ALTER COLUMN {column} DROP DEFAULT, DROP COLUMN {column}_plain"
        )
        for model, columns in SEALED.items()
        for column in columns
    ]
