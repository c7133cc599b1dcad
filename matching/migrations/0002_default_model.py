"""The segment that takes every opportunity, and the model that scores it until somebody trains a better one.

Its definition is written out: a version never changes, whatever the code's default becomes later.
"""

from django.db import migrations

DEFINITION = {
    "version": "linear-2",
    "heads": {
        "fit": {
            "intercept": -7_010_000,
            "weights": {
                "required_skills": 4500,
                "preferred_skills": 1200,
                "near_skills": 1000,
                "experience": 1300,
                "title_affinity": 900,
                "text_affinity": 700,
                "hours_fit": 500,
                "availability_fit": 500,
                "location_fit": 500,
                "timezone_fit": 300,
                "completion_rate": 600,
                "past_work": 600,
            },
        },
        "interest": {
            "intercept": -4_750_000,
            "weights": {
                "pay_fit": 2300,
                "commitment_fit": 1400,
                "hours_fit": 900,
                "location_fit": 1000,
                "timezone_fit": 500,
                "required_skills": 600,
                "title_affinity": 900,
                "text_affinity": 300,
                "past_work": 500,
                "activity": 600,
            },
        },
        "acceptance": {
            "intercept": -5_090_000,
            "weights": {
                "pay_fit": 2200,
                "commitment_fit": 900,
                "availability_fit": 900,
                "hours_fit": 900,
                "location_fit": 700,
                "timezone_fit": 200,
                "response_rate": 900,
                "acceptance_rate": 1200,
                "past_work": 500,
                "activity": 800,
            },
        },
    },
}


def add(apps, schema_editor):
    segment = apps.get_model("matching", "Segment").objects.create(name="everything", position=100)
    apps.get_model("matching", "ScoringModel").objects.create(
        segment=segment, version=DEFINITION["version"], kind="linear", definition=DEFINITION, state="live"
    )


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
