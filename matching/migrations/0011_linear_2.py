"""A model that weighs what is known of people besides: near skills, titles, texts, the record of answers.

A database in which nothing was ever scored begins with it. In any other it is a draft, for staff to compare and
promote. Its definition is written out: a version never changes, whatever the code's default becomes later.
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
    models = apps.get_model("matching", "ScoringModel").objects
    if models.filter(version=DEFINITION["version"]).exists():
        return
    segment = apps.get_model("matching", "Segment").objects.filter(rule__isnull=True).order_by("position").first()
    if segment is None:
        return  # whoever scores first makes the segment, and this its model
    is_fresh = (
        not apps.get_model("marketplace", "Opportunity").objects.exists()
        and not apps.get_model("marketplace", "Candidate").objects.exists()
        and [model.version for model in models.all()] == ["linear-1"]
    )
    if is_fresh:
        models.all().delete()
    state = "live" if is_fresh else "draft"
    models.create(segment=segment, version=DEFINITION["version"], kind="linear", definition=DEFINITION, state=state)


class Migration(migrations.Migration):
    dependencies = [("matching", "0010_shadow"), ("marketplace", "0004_features")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
