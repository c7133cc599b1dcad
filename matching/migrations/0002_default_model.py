"""The first scoring model, so that a fresh database can decide.

Its definition is written out: a version never changes, whatever the code's default becomes later.
"""

from django.db import migrations

DEFINITION = {
    "version": "linear-1",
    "heads": {
        "fit": {
            "intercept": -5_500_000,
            "weights": {
                "required_skills": 5000,
                "preferred_skills": 1500,
                "experience": 1500,
                "hours_fit": 600,
                "availability_fit": 600,
                "location_fit": 500,
                "timezone_fit": 300,
            },
        },
        "interest": {
            "intercept": -4_000_000,
            "weights": {
                "pay_fit": 2500,
                "commitment_fit": 1500,
                "hours_fit": 1000,
                "location_fit": 1000,
                "timezone_fit": 500,
                "required_skills": 1000,
            },
        },
        "acceptance": {
            "intercept": -3_500_000,
            "weights": {
                "pay_fit": 2500,
                "commitment_fit": 1000,
                "availability_fit": 1000,
                "hours_fit": 1000,
                "location_fit": 800,
                "timezone_fit": 200,
            },
        },
    },
}


def add(apps, schema_editor):
    segment, _ = apps.get_model("matching", "Segment").objects.get_or_create(
        name="everything", defaults={"position": 100}
    )
    models = apps.get_model("matching", "ScoringModel").objects
    if not models.filter(segment=segment).exists():
        models.create(segment=segment, version="linear-1", kind="linear", definition=DEFINITION, state="live")


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
