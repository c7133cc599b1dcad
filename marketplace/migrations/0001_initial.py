import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import marketplace.models.opportunity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_attempts"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExchangeRateSet",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("on", models.DateField(help_text="the day these rates hold from")),
                ("source", models.CharField(max_length=100)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-on", "-id"],
                "get_latest_by": ["on", "id"],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rate_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rates",
                        to="marketplace.exchangerateset",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("per_euro", models.DecimalField(decimal_places=8, max_digits=18)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("rate_set", "currency"), name="one_rate_per_set_and_currency"),
                    models.CheckConstraint(condition=models.Q(("per_euro__gt", 0)), name="exchange_rate_is_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="exchange_rate_currency_is_a_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxonomyRevision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("summary", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="Skill",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=255)),
                (
                    "folded",
                    models.CharField(db_index=True, help_text="the name, folded for comparison", max_length=255),
                ),
                ("description", models.TextField(blank=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("skill", "Skill"),
                            ("knowledge", "Knowledge"),
                            ("technology", "Technology"),
                            ("language", "Language"),
                            ("attitude", "Attitude"),
                            ("group", "Group"),
                        ],
                        default="skill",
                        max_length=20,
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="marketplace.skill",
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="skill_merges_have_no_cycle",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (NEW."merged_into_id" IS NOT NULL)',
                            declare="DECLARE hop bigint; hops int := 0;",
                            func="\n                    -- Two merges at once, each the other's way round, would not see one another.\n                    PERFORM pg_advisory_xact_lock(hashtext('skill_merges_have_no_cycle'));\n                    hop := NEW.merged_into_id;\n                    WHILE hop IS NOT NULL LOOP\n                        IF hop = NEW.id OR hops > 1000 THEN\n                            RAISE EXCEPTION 'skill merges have a cycle' USING ERRCODE = 'check_violation',\n                                CONSTRAINT = 'skill_merges_have_no_cycle';\n                        END IF;\n                        hops := hops + 1;\n                        SELECT merged_into_id INTO hop FROM marketplace_skill WHERE id = hop;\n                    END LOOP;\n                    RETURN NEW;\n                ",
                            hash="9ac35f80dbd5d78f773e3a36007614cc49d64f4b",
                            operation='INSERT OR UPDATE OF "merged_into_id"',
                            pgid="pgtrigger_skill_merges_have_no_cycle_d0b7b",
                            table="marketplace_skill",
                            when="BEFORE",
                        ),
                    )
                ],
                "ordering": ["name", "id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="skill_has_a_name"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into", None),
                            models.Q(("merged_into", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="skill_is_not_merged_into_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SkillSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sources", to="marketplace.skill"
                    ),
                ),
                (
                    "scheme",
                    models.CharField(choices=[("esco", "Esco"), ("onet", "Onet"), ("muster", "Muster")], max_length=10),
                ),
                ("uri", models.CharField(max_length=255, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="SkillLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="labels", to="marketplace.skill"
                    ),
                ),
                ("label", models.CharField(max_length=255)),
                ("folded", models.CharField(db_index=True, max_length=255)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("skill", "folded"), name="skill_label_is_unique_per_skill")
                ],
            },
        ),
        migrations.CreateModel(
            name="SkillBroader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="broader_links",
                        to="marketplace.skill",
                    ),
                ),
                (
                    "broader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="narrower_links",
                        to="marketplace.skill",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("skill", "broader"), name="skill_broader_link_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("skill", models.F("broader")), _negated=True),
                        name="skill_is_not_broader_than_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Occupation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=255)),
                ("folded", models.CharField(db_index=True, max_length=255)),
                ("description", models.TextField(blank=True)),
                ("isco_code", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="OccupationSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "occupation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sources", to="marketplace.occupation"
                    ),
                ),
                (
                    "scheme",
                    models.CharField(choices=[("esco", "Esco"), ("onet", "Onet"), ("muster", "Muster")], max_length=10),
                ),
                ("uri", models.CharField(max_length=255, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="OccupationLabel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "occupation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="labels", to="marketplace.occupation"
                    ),
                ),
                ("label", models.CharField(max_length=255)),
                ("folded", models.CharField(db_index=True, max_length=255)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("occupation", "folded"), name="occupation_label_is_unique_per_occupation"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OccupationSkill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "occupation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="skills", to="marketplace.occupation"
                    ),
                ),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="occupations", to="marketplace.skill"
                    ),
                ),
                ("essential", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("occupation", "skill"), name="occupation_names_a_skill_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="candidate",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "email",
                    models.EmailField(
                        blank=True, help_text="contact address; the login's own if empty", max_length=254
                    ),
                ),
                ("phone", models.CharField(blank=True, max_length=40)),
                ("linkedin", models.URLField(blank=True)),
                ("resume_text", models.TextField(blank=True)),
                ("headline", models.CharField(blank=True, max_length=200)),
                ("country", models.CharField(blank=True, help_text="ISO 3166-1 alpha-2", max_length=2)),
                ("region", models.CharField(blank=True, help_text="ISO 3166-2", max_length=6)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, help_text="IANA name", max_length=64)),
                (
                    "work_starts_minute",
                    models.PositiveSmallIntegerField(blank=True, help_text="local, after midnight", null=True),
                ),
                ("work_ends_minute", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("years_experience", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                (
                    "weekly_hours",
                    models.PositiveSmallIntegerField(blank=True, help_text="hours a week wanted in all", null=True),
                ),
                ("rate_amount", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ("rate_currency", models.CharField(blank=True, max_length=3)),
                (
                    "rate_period",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                            ("project", "Project"),
                            ("task", "Task"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "commitments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("full_time", "Full Time"),
                                ("part_time", "Part Time"),
                                ("contract", "Contract"),
                                ("temporary", "Temporary"),
                                ("internship", "Internship"),
                                ("volunteer", "Volunteer"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("available_from", models.DateField(blank=True, null=True)),
                ("discoverable", models.BooleanField(default=True, help_text="recruiters may find them")),
                (
                    "open_to_offers",
                    models.BooleanField(default=False, help_text="an allocation may offer to them unasked"),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="marketplace.candidate",
                    ),
                ),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("revision", models.PositiveIntegerField(default=1, help_text="grows with every change of facts")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "blocked_organisations",
                    models.ManyToManyField(blank=True, related_name="+", to="accounts.organisation"),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="candidate_hours_cover_placements",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (NEW."weekly_hours" IS NOT NULL)',
                            func="\n                    IF NEW.weekly_hours < (\n                        SELECT COALESCE(SUM(weekly_hours), 0) FROM marketplace_placement\n                        WHERE candidate_id = NEW.id AND state IN ('onboarding', 'active', 'paused')\n                    ) THEN\n                        RAISE EXCEPTION 'live placements take more hours' USING ERRCODE = 'check_violation',\n                            CONSTRAINT = 'placement_within_candidate_hours';\n                    END IF;\n                    RETURN NEW;\n                ",
                            hash="e936cc04c966a86cc131eb6bb9d00b189c57a44d",
                            operation='UPDATE OF "weekly_hours"',
                            pgid="pgtrigger_candidate_hours_cover_placements_a5da7",
                            table="marketplace_candidate",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_candidatefactevent" ("available_from", "commitments", "country", "discoverable", "latitude", "longitude", "merged_into_id", "open_to_offers", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rate_amount", "rate_currency", "rate_period", "region", "revision", "suspended_at", "timezone", "weekly_hours", "work_ends_minute", "work_starts_minute", "years_experience") VALUES (NEW."available_from", NEW."commitments", NEW."country", NEW."discoverable", NEW."latitude", NEW."longitude", NEW."merged_into_id", NEW."open_to_offers", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rate_amount", NEW."rate_currency", NEW."rate_period", NEW."region", NEW."revision", NEW."suspended_at", NEW."timezone", NEW."weekly_hours", NEW."work_ends_minute", NEW."work_starts_minute", NEW."years_experience"); RETURN NULL;',
                            hash="d03d1040abfe0dc58c2fd1523ae0437dcff303e9",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_edd12",
                            table="marketplace_candidate",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."available_from" IS DISTINCT FROM (NEW."available_from") OR OLD."commitments" IS DISTINCT FROM (NEW."commitments") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."discoverable" IS DISTINCT FROM (NEW."discoverable") OR OLD."latitude" IS DISTINCT FROM (NEW."latitude") OR OLD."longitude" IS DISTINCT FROM (NEW."longitude") OR OLD."merged_into_id" IS DISTINCT FROM (NEW."merged_into_id") OR OLD."open_to_offers" IS DISTINCT FROM (NEW."open_to_offers") OR OLD."rate_amount" IS DISTINCT FROM (NEW."rate_amount") OR OLD."rate_currency" IS DISTINCT FROM (NEW."rate_currency") OR OLD."rate_period" IS DISTINCT FROM (NEW."rate_period") OR OLD."region" IS DISTINCT FROM (NEW."region") OR OLD."revision" IS DISTINCT FROM (NEW."revision") OR OLD."suspended_at" IS DISTINCT FROM (NEW."suspended_at") OR OLD."timezone" IS DISTINCT FROM (NEW."timezone") OR OLD."weekly_hours" IS DISTINCT FROM (NEW."weekly_hours") OR OLD."work_ends_minute" IS DISTINCT FROM (NEW."work_ends_minute") OR OLD."work_starts_minute" IS DISTINCT FROM (NEW."work_starts_minute") OR OLD."years_experience" IS DISTINCT FROM (NEW."years_experience"))',
                            func='INSERT INTO "marketplace_candidatefactevent" ("available_from", "commitments", "country", "discoverable", "latitude", "longitude", "merged_into_id", "open_to_offers", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rate_amount", "rate_currency", "rate_period", "region", "revision", "suspended_at", "timezone", "weekly_hours", "work_ends_minute", "work_starts_minute", "years_experience") VALUES (NEW."available_from", NEW."commitments", NEW."country", NEW."discoverable", NEW."latitude", NEW."longitude", NEW."merged_into_id", NEW."open_to_offers", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rate_amount", NEW."rate_currency", NEW."rate_period", NEW."region", NEW."revision", NEW."suspended_at", NEW."timezone", NEW."weekly_hours", NEW."work_ends_minute", NEW."work_starts_minute", NEW."years_experience"); RETURN NULL;',
                            hash="cd5d1c48dce0f3c1842d5d7ec9f8fd04f5ef2815",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_1d68f",
                            table="marketplace_candidate",
                            when="AFTER",
                        ),
                    ),
                ],
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="candidate_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("years_experience__isnull", True),
                            models.Q(("years_experience__gte", 0), ("years_experience__lte", 80)),
                            _connector="OR",
                        ),
                        name="candidate_years_are_plausible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekly_hours__isnull", True), ("weekly_hours__lte", 168), _connector="OR"),
                        name="candidate_hours_fit_a_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rate_amount__isnull", True), ("rate_currency", ""), ("rate_period", "")),
                            models.Q(
                                ("rate_amount__gte", 0),
                                ("rate_amount__isnull", False),
                                ("rate_currency__regex", "^[A-Z]{3}$"),
                                ("rate_period__in", ["hour", "day", "week", "month", "year", "project", "task"]),
                            ),
                            _connector="OR",
                        ),
                        name="candidate_rate_is_whole_or_absent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="candidate_country_is_a_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("region", ""), ("region__regex", "^[A-Z]{2}-[A-Z0-9]{1,3}$"), _connector="OR"
                        ),
                        name="candidate_region_is_a_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "commitments__contained_by",
                                ["full_time", "part_time", "contract", "temporary", "internship", "volunteer"],
                            )
                        ),
                        name="candidate_commitments_are_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("work_starts_minute__isnull", True), ("work_starts_minute__lte", 1440), _connector="OR"
                            ),
                            models.Q(
                                ("work_ends_minute__isnull", True), ("work_ends_minute__lte", 1440), _connector="OR"
                            ),
                        ),
                        name="candidate_working_hours_fit_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude__isnull", True), ("longitude__isnull", True)),
                            models.Q(
                                ("latitude__isnull", False),
                                ("latitude__range", (-90, 90)),
                                ("longitude__isnull", False),
                                ("longitude__range", (-180, 180)),
                            ),
                            _connector="OR",
                        ),
                        name="candidate_coordinates_are_on_earth",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into", None),
                            models.Q(("merged_into", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="candidate_is_not_merged_into_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="country_region_latitude_longitude_timezone_work_starts_minute_work_ends_minute_years_experience_weekly_hours_rate_amount_rate_currency_rate_period_commitments_available_from_discoverable_open_to_offers_merged_into_suspended_at_revision_events",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                ("country", models.CharField(blank=True, help_text="ISO 3166-1 alpha-2", max_length=2)),
                ("region", models.CharField(blank=True, help_text="ISO 3166-2", max_length=6)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, help_text="IANA name", max_length=64)),
                (
                    "work_starts_minute",
                    models.PositiveSmallIntegerField(blank=True, help_text="local, after midnight", null=True),
                ),
                ("work_ends_minute", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("years_experience", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                (
                    "weekly_hours",
                    models.PositiveSmallIntegerField(blank=True, help_text="hours a week wanted in all", null=True),
                ),
                ("rate_amount", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ("rate_currency", models.CharField(blank=True, max_length=3)),
                (
                    "rate_period",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                            ("project", "Project"),
                            ("task", "Task"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "commitments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("full_time", "Full Time"),
                                ("part_time", "Part Time"),
                                ("contract", "Contract"),
                                ("temporary", "Temporary"),
                                ("internship", "Internship"),
                                ("volunteer", "Volunteer"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("available_from", models.DateField(blank=True, null=True)),
                ("discoverable", models.BooleanField(default=True, help_text="recruiters may find them")),
                (
                    "open_to_offers",
                    models.BooleanField(default=False, help_text="an allocation may offer to them unasked"),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("revision", models.PositiveIntegerField(default=1, help_text="grows with every change of facts")),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="b99297384c904d922a01fb10386dbfeb69a2a7cd",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_b77eb",
                            table="marketplace_candidatefactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CandidateSkill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="skills", to="marketplace.candidate"
                    ),
                ),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="candidates", to="marketplace.skill"
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(help_text="1 beginner … 5 expert")),
                ("years", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                ("last_used_on", models.DateField(blank=True, null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("declared", "Declared"), ("extracted", "Extracted"), ("verified", "Verified")],
                        default="declared",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_candidateskillfactevent" ("candidate_id", "id", "last_used_on", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "skill_id", "source", "years") VALUES (NEW."candidate_id", NEW."id", NEW."last_used_on", NEW."level", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."skill_id", NEW."source", NEW."years"); RETURN NULL;',
                            hash="1342fb0bda92d6814b88f2f5b06fe9e234c7c538",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_09ce0",
                            table="marketplace_candidateskill",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "marketplace_candidateskillfactevent" ("candidate_id", "id", "last_used_on", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "skill_id", "source", "years") VALUES (NEW."candidate_id", NEW."id", NEW."last_used_on", NEW."level", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."skill_id", NEW."source", NEW."years"); RETURN NULL;',
                            hash="20e7ad45249d1f999ec86b22831cff163a27c7b8",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_8eaca",
                            table="marketplace_candidateskill",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_candidateskillfactevent" ("candidate_id", "id", "last_used_on", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "skill_id", "source", "years") VALUES (OLD."candidate_id", OLD."id", OLD."last_used_on", OLD."level", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."skill_id", OLD."source", OLD."years"); RETURN NULL;',
                            hash="feb56072cca13f345ed0c8b6d2eafdf2d43e1bef",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_afd1e",
                            table="marketplace_candidateskill",
                            when="AFTER",
                        ),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("candidate", "skill"), name="one_fact_per_candidate_and_skill"),
                    models.CheckConstraint(
                        condition=models.Q(("level__range", (1, 5))), name="candidate_skill_level_is_1_to_5"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("years__isnull", True), models.Q(("years__gte", 0), ("years__lte", 80)), _connector="OR"
                        ),
                        name="candidate_skill_years_plausible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["declared", "extracted", "verified"])),
                        name="candidate_skill_source_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateSkillFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="marketplace.candidateskill",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                ("id", models.BigIntegerField()),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "skill",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.skill",
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(help_text="1 beginner … 5 expert")),
                ("years", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                ("last_used_on", models.DateField(blank=True, null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("declared", "Declared"), ("extracted", "Extracted"), ("verified", "Verified")],
                        default="declared",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="6676aab10330f19eb5a3bece2bd255ed44363edf",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_b9140",
                            table="marketplace_candidateskillfactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CandidateLanguage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="languages",
                        to="marketplace.candidate",
                    ),
                ),
                ("language", models.CharField(help_text="ISO 639-1, or 639-3 where there is none", max_length=3)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "A1"), (2, "A2"), (3, "B1"), (4, "B2"), (5, "C1"), (6, "C2")]
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_candidatelanguagefactevent" ("candidate_id", "id", "language", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."candidate_id", NEW."id", NEW."language", NEW."level", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="deeeeb9021f788caa8538dc8c45ca229ddea5bef",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_7eb0a",
                            table="marketplace_candidatelanguage",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "marketplace_candidatelanguagefactevent" ("candidate_id", "id", "language", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."candidate_id", NEW."id", NEW."language", NEW."level", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="8419b4e2714cd259366063bc5a81cc28eb94c649",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_c6eeb",
                            table="marketplace_candidatelanguage",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_candidatelanguagefactevent" ("candidate_id", "id", "language", "level", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."candidate_id", OLD."id", OLD."language", OLD."level", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="1411bd90297c40852659c5e3e656b8689f512975",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_81982",
                            table="marketplace_candidatelanguage",
                            when="AFTER",
                        ),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("candidate", "language"), name="one_level_per_candidate_and_language"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("level__range", (1, 6))), name="candidate_language_level_is_cefr"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__regex", "^[a-z]{2,3}$")), name="candidate_language_is_a_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateLanguageFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="marketplace.candidatelanguage",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                ("id", models.BigIntegerField()),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                ("language", models.CharField(help_text="ISO 639-1, or 639-3 where there is none", max_length=3)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "A1"), (2, "A2"), (3, "B1"), (4, "B2"), (5, "C1"), (6, "C2")]
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="869c9de05d26e75bb974768668326d459c97841a",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_fef13",
                            table="marketplace_candidatelanguagefactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WorkAuthorisation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="work_authorisations",
                        to="marketplace.candidate",
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("expires_on", models.DateField(blank=True, null=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_authorisationfactevent" ("candidate_id", "country", "expires_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."candidate_id", NEW."country", NEW."expires_on", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="94b7d742e7d6460b009e0c85f4c7abccaa0eef4b",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_ba3b4",
                            table="marketplace_workauthorisation",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "marketplace_authorisationfactevent" ("candidate_id", "country", "expires_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."candidate_id", NEW."country", NEW."expires_on", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                            hash="70ca2fecb03cc77efd3c743a6320edfa089a190e",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_15981",
                            table="marketplace_workauthorisation",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_authorisationfactevent" ("candidate_id", "country", "expires_on", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."candidate_id", OLD."country", OLD."expires_on", OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="3ff0890137f589db0267ceb352cfcbcf3a99fbb6",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_c8c2b",
                            table="marketplace_workauthorisation",
                            when="AFTER",
                        ),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("candidate", "country"), name="one_authorisation_per_candidate_and_country"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="authorisation_country_is_a_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuthorisationFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="marketplace.workauthorisation",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                ("id", models.BigIntegerField()),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("expires_on", models.DateField(blank=True, null=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="5fe83d3a12cc0175db11e95f154a012c06183640",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_0e389",
                            table="marketplace_authorisationfactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="VettingResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vetting_results",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("background", "background"),
                            ("education", "education"),
                            ("identity", "identity"),
                            ("licence", "licence"),
                            ("references", "references"),
                            ("right_to_work", "right to work"),
                        ],
                        max_length=32,
                    ),
                ),
                ("passed", models.BooleanField()),
                ("until", models.DateField(blank=True, null=True)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_vettingfactevent" ("candidate_id", "kind", "passed", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "until") VALUES (NEW."candidate_id", NEW."kind", NEW."passed", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."until"); RETURN NULL;',
                            hash="51ab85ce3a8d6c687a8c745418aa837dc84bffa8",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_2ed8f",
                            table="marketplace_vettingresult",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."candidate_id" IS DISTINCT FROM (NEW."candidate_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."passed" IS DISTINCT FROM (NEW."passed") OR OLD."until" IS DISTINCT FROM (NEW."until"))',
                            func='INSERT INTO "marketplace_vettingfactevent" ("candidate_id", "kind", "passed", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "until") VALUES (NEW."candidate_id", NEW."kind", NEW."passed", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."until"); RETURN NULL;',
                            hash="f9f02227dd7b964af3233e11184b7615d23a9a02",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_74863",
                            table="marketplace_vettingresult",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_vettingfactevent" ("candidate_id", "kind", "passed", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "until") VALUES (OLD."candidate_id", OLD."kind", OLD."passed", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."until"); RETURN NULL;',
                            hash="8541fed543a23f01787b1581ec36dad61878eb85",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_448d4",
                            table="marketplace_vettingresult",
                            when="AFTER",
                        ),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("candidate", "kind"), name="one_vetting_result_per_candidate_and_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ("background", "education", "identity", "licence", "references", "right_to_work"),
                            )
                        ),
                        name="vetting_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VettingFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="candidate_kind_passed_until_events",
                        to="marketplace.vettingresult",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("background", "background"),
                            ("education", "education"),
                            ("identity", "identity"),
                            ("licence", "licence"),
                            ("references", "references"),
                            ("right_to_work", "right to work"),
                        ],
                        max_length=32,
                    ),
                ),
                ("passed", models.BooleanField()),
                ("until", models.DateField(blank=True, null=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="5513ccac1815df0400cbc2ba443fde30dcc91a7a",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_1849b",
                            table="marketplace_vettingfactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WorkExperience",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="experiences",
                        to="marketplace.candidate",
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("employer", models.CharField(blank=True, max_length=200)),
                (
                    "occupation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="marketplace.occupation",
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("description", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-starts_on", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                        ),
                        name="work_experience_ends_after_it_starts",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateFingerprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fingerprints",
                        to="marketplace.candidate",
                    ),
                ),
                ("value", models.BigIntegerField(null=True)),
                ("made_with", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("value", "candidate"), name="candidate_has_a_fingerprint_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateGroup",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="candidate_groups",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("favourites", "Favourites"),
                            ("do_not_rehire", "Do Not Rehire"),
                            ("past_workers", "Past Workers"),
                            ("custom", "Custom"),
                        ],
                        default="custom",
                        max_length=20,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "name"), name="candidate_group_name_is_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "custom"), _negated=True),
                        fields=("organisation", "kind"),
                        name="one_candidate_group_of_each_standard_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["favourites", "do_not_rehire", "past_workers", "custom"])),
                        name="candidate_group_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateGroupMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="marketplace.candidategroup",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_memberships",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_groupfactevent" ("candidate_id", "group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."candidate_id", NEW."group_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                            hash="1a7a3267dbd82a8d1a9e54592b0bf889c77cd6c7",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_eeabe",
                            table="marketplace_candidategroupmembership",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "marketplace_groupfactevent" ("candidate_id", "group_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (OLD."candidate_id", OLD."group_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id"); RETURN NULL;',
                            hash="8a202c69861ec7317007ea132ee79fd3ff587f29",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_eb1bf",
                            table="marketplace_candidategroupmembership",
                            when="AFTER",
                        ),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "candidate"), name="one_membership_per_group_and_candidate"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupFactEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="candidate_group_events",
                        to="marketplace.candidategroupmembership",
                    ),
                ),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="marketplace.candidategroup",
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="facts_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="52f230257784dae614a62d67c2c39ef90549a0fb",
                            operation="UPDATE",
                            pgid="pgtrigger_facts_are_never_rewritten_81ffe",
                            table="marketplace_groupfactevent",
                            when="BEFORE",
                        ),
                    )
                ],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CandidateMentions",
            fields=[
                (
                    "candidate",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mentions",
                        serialize=False,
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "skill_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "occupation_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                ("digest", models.BinaryField(help_text="of the texts: the same ones are not read twice")),
                ("taxonomy", models.PositiveIntegerField(help_text="revision that they were read with")),
                ("revision", models.PositiveIntegerField(help_text="of the candidate whose texts were read")),
            ],
            options={
                "verbose_name_plural": "candidate mentions",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.event"
                    ),
                ),
                ("kind", models.CharField(help_text="the event's name", max_length=60)),
                ("subject_type", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("text", models.CharField(max_length=300)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail_state",
                    models.CharField(
                        choices=[("none", "None"), ("pending", "Pending"), ("sent", "Sent"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("mail_attempts", models.PositiveSmallIntegerField(default=0)),
                ("mail_due_at", models.DateTimeField()),
                ("mail_error", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["user", "-id"], name="notification_inbox_idx"),
                    models.Index(
                        condition=models.Q(("mail_state", "pending")),
                        fields=["mail_due_at"],
                        name="notification_mail_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("event", "user"), name="one_notification_per_event_and_user")
                ],
            },
        ),
        migrations.CreateModel(
            name="Opportunity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("reference", models.CharField(editable=False, max_length=12, unique=True)),
                (
                    "posting_organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opportunities",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "hiring_organisation",
                    models.ForeignKey(
                        help_text="who the person will work for",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "occupation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="marketplace.occupation",
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "commitment",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("full_time", "Full Time"),
                            ("part_time", "Part Time"),
                            ("contract", "Contract"),
                            ("temporary", "Temporary"),
                            ("internship", "Internship"),
                            ("volunteer", "Volunteer"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "arrangement",
                    models.CharField(
                        blank=True,
                        choices=[("onsite", "Onsite"), ("hybrid", "Hybrid"), ("remote", "Remote")],
                        max_length=10,
                    ),
                ),
                (
                    "visibility",
                    models.CharField(
                        choices=[("public", "Public"), ("unlisted", "Unlisted"), ("invited", "Invited")],
                        default="public",
                        max_length=10,
                    ),
                ),
                ("weekly_hours", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("years_experience", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                ("timezone", models.CharField(blank=True, help_text="IANA name", max_length=64)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("opens_at", models.DateTimeField(blank=True, null=True)),
                ("closes_at", models.DateTimeField(blank=True, null=True)),
                ("referral_reward_amount", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)),
                ("referral_reward_currency", models.CharField(blank=True, max_length=3)),
                (
                    "replaces_ended_placements",
                    models.BooleanField(default=True, help_text="a seat whose placement ends early is offered again"),
                ),
                (
                    "pipeline",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=marketplace.models.opportunity.default_pipeline,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("in_review", "in_review"),
                            ("published", "published"),
                            ("paused", "paused"),
                            ("closed", "closed"),
                            ("suspended", "suspended"),
                        ],
                        default="draft",
                        max_length=20,
                    ),
                ),
                (
                    "published_at",
                    models.DateTimeField(blank=True, help_text="first time; time to fill counts from here", null=True),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "changed_xid",
                    models.BigIntegerField(
                        default=0,
                        editable=False,
                        help_text="transaction that last changed when it is open, or for whom",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "opportunities",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "published"), ("visibility", "public")),
                        fields=["-published_at", "-id"],
                        name="opportunity_explore_idx",
                    ),
                    models.Index(fields=["posting_organisation", "state", "-id"], name="opportunity_own_idx"),
                    models.Index(fields=["changed_xid"], name="opportunity_changed_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True), name="opportunity_has_a_title"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "in_review", "published", "paused", "closed", "suspended"])
                        ),
                        name="opportunity_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opens_at", None),
                            ("closes_at", None),
                            ("closes_at__gt", models.F("opens_at")),
                            _connector="OR",
                        ),
                        name="opportunity_closes_after_it_opens",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on", None),
                            ("ends_on", None),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="opportunity_ends_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekly_hours", None), ("weekly_hours__range", (1, 168)), _connector="OR"),
                        name="opportunity_hours_fit_a_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "commitment__in",
                                ["", "full_time", "part_time", "contract", "temporary", "internship", "volunteer"],
                            )
                        ),
                        name="opportunity_commitment_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("arrangement__in", ["", "onsite", "hybrid", "remote"])),
                        name="opportunity_arrangement_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("visibility__in", ["public", "unlisted", "invited"])),
                        name="opportunity_visibility_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("referral_reward_amount", None), ("referral_reward_currency", "")),
                            models.Q(
                                ("referral_reward_amount__gte", 0),
                                ("referral_reward_amount__isnull", False),
                                ("referral_reward_currency__regex", "^[A-Z]{3}$"),
                            ),
                            _connector="OR",
                        ),
                        name="referral_reward_is_whole_or_absent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "role",
                    models.CharField(choices=[("lead", "Lead"), ("member", "Member")], default="member", max_length=10),
                ),
                ("public_title", models.CharField(blank=True, max_length=100)),
                ("public_link", models.URLField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("opportunity", "user"), name="one_role_per_opportunity_and_user"),
                    models.UniqueConstraint(
                        condition=models.Q(("role", "lead")),
                        fields=("opportunity",),
                        name="opportunity_has_at_most_one_lead",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityLocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="locations",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("allowed", "Allowed"), ("excluded", "Excluded")], default="allowed", max_length=10
                    ),
                ),
                ("country", models.CharField(max_length=2)),
                ("region", models.CharField(blank=True, help_text="ISO 3166-2", max_length=6)),
                ("city", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("opportunity", "country", "region", "city"), name="opportunity_location_is_listed_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                        name="opportunity_location_country_is_a_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunitySkill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skill_terms",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "skill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opportunity_terms",
                        to="marketplace.skill",
                    ),
                ),
                ("required", models.BooleanField(default=True)),
                ("weight", models.PositiveSmallIntegerField(default=1, help_text="1–10, relative to the other skills")),
                ("min_level", models.PositiveSmallIntegerField(default=1)),
                ("min_years", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
            ],
            options={
                "ordering": ["-required", "-weight", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("opportunity", "skill"), name="opportunity_names_a_skill_once"),
                    models.CheckConstraint(
                        condition=models.Q(("weight__range", (1, 10))), name="opportunity_skill_weight_is_1_to_10"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("min_level__range", (1, 5))), name="opportunity_skill_level_is_1_to_5"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScreeningQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="marketplace.opportunity",
                    ),
                ),
                ("key", models.SlugField(max_length=40)),
                ("prompt", models.CharField(max_length=300)),
                (
                    "kind",
                    models.CharField(
                        choices=[("text", "Text"), ("yes_no", "Yes No"), ("number", "Number"), ("choice", "Choice")],
                        default="text",
                        max_length=10,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("required", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ["position", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("opportunity", "key"), name="screening_question_key_is_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="PayBand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pay_bands",
                        to="marketplace.opportunity",
                    ),
                ),
                ("minimum", models.DecimalField(decimal_places=3, max_digits=15)),
                ("maximum", models.DecimalField(decimal_places=3, max_digits=15)),
                ("currency", models.CharField(max_length=3)),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                            ("project", "Project"),
                            ("task", "Task"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("minimum__gte", 0)), name="pay_band_is_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("maximum__gte", models.F("minimum"))),
                        name="pay_band_minimum_is_below_maximum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="pay_band_currency_is_a_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period__in", ["hour", "day", "week", "month", "year", "project", "task"])),
                        name="pay_band_period_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayBandPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "band",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="places", to="marketplace.payband"
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        blank=True,
                        help_text="ISO 3166-1 or 3166-2 code, a city after a stroke (US-WA/Seattle); empty: everywhere else",
                        max_length=120,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("opportunity", "place"), name="no_two_pay_bands_for_one_place")
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("message", models.TextField(blank=True, max_length=2000)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "sent"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="sent",
                        max_length=20,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, help_text="when the candidate accepted or declined", null=True),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "sent")),
                        fields=("opportunity", "candidate"),
                        name="one_live_invitation_per_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["sent", "accepted", "declined", "expired", "withdrawn"])),
                        name="invitation_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="invitation_expires_after_it_is_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityRevision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="marketplace.opportunity",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("terms", models.JSONField()),
                ("rule", models.JSONField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="revisions_are_immutable",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='RAISE EXCEPTION \'pgtrigger: Cannot update of "opportunity_id", "number", "terms", "rule", "created_at" rows from % table\', TG_TABLE_NAME;',
                            hash="a41469eb252c4c8558b90faa0347c392f901b9b7",
                            operation='UPDATE OF "opportunity_id", "number", "terms", "rule", "created_at"',
                            pgid="pgtrigger_revisions_are_immutable_d0e70",
                            table="marketplace_opportunityrevision",
                            when="BEFORE",
                        ),
                    )
                ],
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("opportunity", "number"), name="opportunity_revision_number_is_unique"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="opportunity",
            name="skills",
            field=models.ManyToManyField(
                related_name="opportunities", through="marketplace.OpportunitySkill", to="marketplace.skill"
            ),
        ),
        migrations.AddField(
            model_name="candidategroup",
            name="candidates",
            field=models.ManyToManyField(
                related_name="groups",
                through="marketplace.CandidateGroupMembership",
                to="marketplace.candidate",
            ),
        ),
        migrations.AddField(
            model_name="opportunity",
            name="current_revision",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="current_for",
                to="marketplace.opportunityrevision",
            ),
        ),
        migrations.AddConstraint(
            model_name="opportunity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "published"), _negated=True),
                    ("current_revision__isnull", False),
                    _connector="OR",
                ),
                name="published_opportunity_has_a_revision",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="opportunity",
            trigger=pgtrigger.compiler.Trigger(
                name="changes_are_numbered",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW;",
                    hash="f7c8a49611759a6eaecf6708d2035052d78e360d",
                    operation='INSERT OR UPDATE OF "state", "current_revision_id", "visibility", "opens_at", "closes_at"',
                    pgid="pgtrigger_changes_are_numbered_e8c5f",
                    table="marketplace_opportunity",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="EligibilityWaiver",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waivers",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="waivers", to="marketplace.candidate"
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("until", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("opportunity", "candidate"),
                        name="one_standing_waiver_per_opportunity_and_candidate",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="waiver_has_a_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EligibilityRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refusals", to="marketplace.candidate"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="marketplace.opportunityrevision",
                    ),
                ),
                ("candidate_revision", models.PositiveIntegerField()),
                (
                    "surface",
                    models.CharField(
                        choices=[("apply", "they applied"), ("verdict", "they asked for the verdict")], max_length=10
                    ),
                ),
                ("verdict", models.JSONField(help_text="the whole of it, what was not disclosed included")),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-at", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("opportunity", "candidate", "revision", "candidate_revision"),
                        name="one_refusal_per_rule_and_facts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("surface__in", ["apply", "verdict"])), name="refusal_surface_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("reference", models.CharField(editable=False, max_length=12, unique=True)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="applications",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="applications",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="applications",
                        to="marketplace.opportunityrevision",
                    ),
                ),
                (
                    "invitation",
                    models.OneToOneField(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="marketplace.invitation"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("organic", "Organic"),
                            ("invitation", "Invitation"),
                            ("referral", "Referral"),
                            ("allocation", "Allocation"),
                        ],
                        default="organic",
                        max_length=12,
                    ),
                ),
                ("answers", models.JSONField(blank=True, default=dict, help_text="screening question key → answer")),
                ("verdict", models.JSONField(help_text="eligibility as judged when applying")),
                (
                    "changed_after_refusal",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="facts that the candidate changed soon after they were refused for them",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("hired", "hired"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("lapsed", "lapsed"),
                        ],
                        default="active",
                        max_length=20,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        default="applied", help_text="a step of the opportunity's pipeline", max_length=40
                    ),
                ),
                (
                    "preference_rank",
                    models.PositiveSmallIntegerField(blank=True, help_text="1: their first choice", null=True),
                ),
                (
                    "rejection_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("requirements", "Other applicants meet the requirements more closely."),
                            ("experience", "We look for other experience."),
                            ("availability", "Hours or dates do not fit."),
                            ("pay", "Expectations of pay are too far apart."),
                            ("filled", "All seats have been filled."),
                            ("other", "We decided otherwise."),
                        ],
                        max_length=20,
                    ),
                ),
                ("rejection_note", models.TextField(blank=True, help_text="internal; the candidate never sees it")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["opportunity", "status", "stage", "-id"], name="application_pipeline_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "active")),
                        fields=("candidate", "opportunity"),
                        name="one_live_application_per_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "hired", "rejected", "withdrawn", "lapsed"])),
                        name="application_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["organic", "invitation", "referral", "allocation"])),
                        name="application_source_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "rejected"), _negated=True),
                            models.Q(("rejection_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="rejection_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("preference_rank", None), ("preference_rank__gte", 1), _connector="OR"),
                        name="preference_rank_starts_at_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityFingerprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fingerprints",
                        to="marketplace.opportunity",
                    ),
                ),
                ("value", models.BigIntegerField(null=True)),
                ("made_with", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("value", "opportunity"), name="opportunity_has_a_fingerprint_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SuspectedDuplicate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("opportunity", "Opportunity"), ("candidate", "Candidate")], max_length=12
                    ),
                ),
                (
                    "low_opportunity",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "high_opportunity",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "low_candidate",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "high_candidate",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "strength",
                    models.PositiveSmallIntegerField(
                        help_text="percent: of two texts what they share, of two profiles how probable it is that they are one person's"
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        help_text="what speaks for it, and what against it",
                        size=None,
                    ),
                ),
                (
                    "low_sketch",
                    models.BinaryField(default=bytes, help_text="MinHash of the text compared; empty for people"),
                ),
                ("high_sketch", models.BinaryField(default=bytes)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("confirmed", "confirmed"), ("dismissed", "dismissed")],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["-id"], name="suspicion_open_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("high_candidate", None),
                                ("high_opportunity__isnull", False),
                                ("kind", "opportunity"),
                                ("low_candidate", None),
                                ("low_opportunity__isnull", False),
                                ("low_opportunity__lt", models.F("high_opportunity")),
                            ),
                            models.Q(
                                ("high_candidate__isnull", False),
                                ("high_opportunity", None),
                                ("kind", "candidate"),
                                ("low_candidate__isnull", False),
                                ("low_candidate__lt", models.F("high_candidate")),
                                ("low_opportunity", None),
                            ),
                            _connector="OR",
                        ),
                        name="suspicion_is_of_two_of_a_kind_in_order",
                    ),
                    models.UniqueConstraint(
                        fields=("low_opportunity", "high_opportunity"), name="one_suspicion_per_two_opportunities"
                    ),
                    models.UniqueConstraint(
                        fields=("low_candidate", "high_candidate"), name="one_suspicion_per_two_candidates"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("strength__range", (1, 100))), name="suspicion_strength_is_a_percentage"
                    ),
                    models.CheckConstraint(condition=models.Q(("reasons__len__gte", 1)), name="suspicion_has_a_reason"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "confirmed", "dismissed"])),
                        name="suspicion_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="suspicion_is_decided_or_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityMentions",
            fields=[
                (
                    "opportunity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mentions",
                        serialize=False,
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "skill_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "occupation_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                ("digest", models.BinaryField(help_text="of the texts: the same ones are not read twice")),
                ("taxonomy", models.PositiveIntegerField(help_text="revision that they were read with")),
            ],
            options={
                "verbose_name_plural": "opportunity mentions",
            },
        ),
        migrations.CreateModel(
            name="Seat",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seats", to="marketplace.opportunity"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="1, 2, 3 … within the opportunity")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("held", "held"),
                            ("filled", "filled"),
                            ("spent", "spent"),
                            ("retired", "retired"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="marketplace.seat",
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("filled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["opportunity_id", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["opportunity", "number"], name="seat_take_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("opportunity", "number"), name="seat_number_is_unique_per_opportunity"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "held", "filled", "spent", "retired"])),
                        name="seat_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("filled_at__isnull", False), ("state__in", ["filled", "spent"])),
                            models.Q(models.Q(("state__in", ["filled", "spent"]), _negated=True), ("filled_at", None)),
                            _connector="OR",
                        ),
                        name="seat_filled_at_is_set_when_filled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("reference", models.CharField(editable=False, max_length=12, unique=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="marketplace.application"
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="marketplace.opportunity"
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="marketplace.candidate"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="marketplace.opportunityrevision",
                    ),
                ),
                (
                    "seat",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="marketplace.seat",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("reserved", "Reserved"), ("open_call", "Open Call")],
                        default="reserved",
                        max_length=10,
                    ),
                ),
                ("pay_amount", models.DecimalField(decimal_places=3, max_digits=15)),
                ("pay_currency", models.CharField(max_length=3)),
                (
                    "pay_period",
                    models.CharField(
                        choices=[
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                            ("project", "Project"),
                            ("task", "Task"),
                        ],
                        max_length=10,
                    ),
                ),
                ("weekly_hours", models.PositiveSmallIntegerField()),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("message", models.TextField(blank=True, max_length=2000)),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "sent"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                            ("withdrawn", "withdrawn"),
                            ("overtaken", "overtaken"),
                        ],
                        default="sent",
                        max_length=20,
                    ),
                ),
                ("decline_reason", models.CharField(blank=True, max_length=200)),
                (
                    "sent_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "sent")), fields=["candidate"], name="offer_live_candidate_idx"
                    ),
                    models.Index(
                        condition=models.Q(("state", "sent")), fields=["opportunity"], name="offer_live_opportunity_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["sent", "accepted", "declined", "expired", "withdrawn", "overtaken"])
                        ),
                        name="offer_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "reserved"), ("seat__isnull", False), ("state__in", ["sent", "accepted"])
                            ),
                            models.Q(("kind", "open_call"), ("seat__isnull", False), ("state", "accepted")),
                            models.Q(
                                ("kind", "open_call"), ("seat", None), models.Q(("state", "accepted"), _negated=True)
                            ),
                            models.Q(
                                ("kind", "reserved"),
                                ("seat", None),
                                models.Q(("state__in", ["sent", "accepted"]), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="offer_has_a_seat_exactly_when_it_holds_one",
                    ),
                    models.UniqueConstraint(fields=("seat",), name="seat_has_at_most_one_holder"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "sent")),
                        fields=("application",),
                        name="one_live_offer_per_application",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pay_amount__gte", 0)), name="offer_pay_is_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pay_currency__regex", "^[A-Z]{3}$")), name="offer_pay_currency_is_a_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pay_period__in", ["hour", "day", "week", "month", "year", "project", "task"])
                        ),
                        name="offer_pay_period_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekly_hours__range", (1, 168))), name="offer_hours_fit_a_week"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                        name="offer_ends_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="offer_expires_after_it_is_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitlistEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waitlist",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waitlist_entries",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.application"
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=100)),
                ("since", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "waitlist entries",
                "ordering": ["opportunity_id", "priority", "since", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("opportunity", "candidate"), name="one_waitlist_entry_per_pair")
                ],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("reference", models.CharField(editable=False, max_length=12, unique=True)),
                (
                    "offer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="placement", to="marketplace.offer"
                    ),
                ),
                (
                    "seat",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="placement", to="marketplace.seat"
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("onboarding", "onboarding"),
                            ("active", "active"),
                            ("paused", "paused"),
                            ("completed", "completed"),
                            ("ended_early", "ended_early"),
                            ("cancelled", "cancelled"),
                            ("no_show", "no_show"),
                        ],
                        default="onboarding",
                        max_length=20,
                    ),
                ),
                ("weekly_hours", models.PositiveSmallIntegerField(help_text="of the terms in force")),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=200)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="placement_within_candidate_hours",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (NEW.\"state\" IN ('onboarding', 'active', 'paused'))",
                            declare="DECLARE wanted integer; taken integer;",
                            func="\n                    SELECT weekly_hours INTO wanted FROM marketplace_candidate\n                        WHERE id = NEW.candidate_id FOR NO KEY UPDATE;\n                    SELECT COALESCE(SUM(weekly_hours), 0) INTO taken FROM marketplace_placement\n                        WHERE candidate_id = NEW.candidate_id AND state IN ('onboarding', 'active', 'paused') AND id <> COALESCE(NEW.id, -1);\n                    IF taken + NEW.weekly_hours > wanted THEN\n                        RAISE EXCEPTION 'placements exceed the hours of the candidate' USING\n                            ERRCODE = 'check_violation', CONSTRAINT = 'placement_within_candidate_hours';\n                    END IF;\n                    RETURN NEW;\n                ",
                            hash="c242e63e7723e0b105054af3ced783b123d75997",
                            operation='INSERT OR UPDATE OF "weekly_hours", "state", "candidate_id"',
                            pgid="pgtrigger_placement_within_candidate_hours_7c34c",
                            table="marketplace_placement",
                            when="BEFORE",
                        ),
                    )
                ],
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("onboarding", "active", "paused"))),
                        fields=["candidate"],
                        name="placement_live_hours_idx",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["onboarding", "active", "paused", "completed", "ended_early", "cancelled", "no_show"],
                            )
                        ),
                        name="placement_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ("onboarding", "active", "paused"))),
                            models.Q(
                                models.Q(("state__in", ("onboarding", "active", "paused")), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="placement_ended_at_is_set_when_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekly_hours__range", (1, 168))), name="placement_hours_fit_a_week"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                        name="placement_ends_after_it_starts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlacementTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="marketplace.placement"
                    ),
                ),
                ("weekly_hours", models.PositiveSmallIntegerField()),
                ("pay_amount", models.DecimalField(decimal_places=3, max_digits=15)),
                ("pay_currency", models.CharField(max_length=3)),
                (
                    "pay_period",
                    models.CharField(
                        choices=[
                            ("hour", "Hour"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                            ("project", "Project"),
                            ("task", "Task"),
                        ],
                        max_length=10,
                    ),
                ),
                ("from_on", models.DateField()),
            ],
            options={
                "verbose_name_plural": "placement terms",
                "ordering": ["-from_on"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("placement", "from_on"), name="one_set_of_terms_per_placement_and_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekly_hours__range", (1, 168))), name="placement_terms_fit_a_week"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pay_amount__gte", 0)), name="placement_pay_is_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pay_currency__regex", "^[A-Z]{3}$")),
                        name="placement_pay_currency_is_a_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pay_period__in", ["hour", "day", "week", "month", "year", "project", "task"])
                        ),
                        name="placement_pay_period_is_known",
                    ),
                ],
            },
        ),
    ]
