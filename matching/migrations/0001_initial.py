import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.constraints
import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_attempts"),
        ("marketplace", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("position", models.PositiveSmallIntegerField()),
                ("rule", models.JSONField(blank=True, help_text="asks about opportunities; null takes all", null=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="the_last_segment_is_never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."rule" IS NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="7ce7b56c4127c86e4f624866fc4166df893f8bcb",
                            operation="DELETE",
                            pgid="pgtrigger_the_last_segment_is_never_deleted_884f6",
                            table="matching_segment",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="the_last_segment_stays_the_last",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."rule" IS NULL)',
                            func='RAISE EXCEPTION \'pgtrigger: Cannot update of "position", "rule" rows from % table\', TG_TABLE_NAME;',
                            hash="8d21b91e726e507446a5eee95ce8ba1d0b7b7e9e",
                            operation='UPDATE OF "position", "rule"',
                            pgid="pgtrigger_the_last_segment_stays_the_last_f848b",
                            table="matching_segment",
                            when="BEFORE",
                        ),
                    ),
                ],
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("position",),
                        name="one_segment_per_position",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("position", 100), ("rule__isnull", True)),
                            models.Q(("position__lt", 100), ("rule__isnull", False)),
                            _connector="OR",
                        ),
                        name="the_last_segment_and_no_other_takes_all",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoringModel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="models", to="matching.segment"
                    ),
                ),
                ("version", models.CharField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(choices=[("linear", "Linear"), ("onnx", "Onnx")], default="linear", max_length=10),
                ),
                (
                    "definition",
                    models.JSONField(
                        help_text="heads with intercept and integer weights per feature; of a file: how it is fed, what it did"
                    ),
                ),
                (
                    "training",
                    models.JSONField(
                        blank=True,
                        editable=False,
                        help_text="who had it trained when, from what, and how well it does",
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "draft"), ("shadow", "shadow"), ("live", "live"), ("retired", "retired")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="scoring_models_are_immutable",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='RAISE EXCEPTION \'pgtrigger: Cannot update of "version", "kind", "definition", "segment_id" rows from % table\', TG_TABLE_NAME;',
                            hash="029ce86e618a48db2e19aeb10eeea1416194ccc3",
                            operation='UPDATE OF "version", "kind", "definition", "segment_id"',
                            pgid="pgtrigger_scoring_models_are_immutable_bc6ad",
                            table="matching_scoringmodel",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="what_models_were_trained_on_stands",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update of \"training\" rows from % table', TG_TABLE_NAME;",
                            hash="611de703194d871be66bfdadc8c4ae4f2832a463",
                            operation='UPDATE OF "training"',
                            pgid="pgtrigger_what_models_were_trained_on_stands_85cf1",
                            table="matching_scoringmodel",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="a_model_made_elsewhere_has_its_file",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (NEW.\"kind\" = 'onnx')",
                            constraint="CONSTRAINT",
                            func="\n                    IF EXISTS (SELECT FROM matching_scoringmodel WHERE id = NEW.id)\n                        AND NOT EXISTS (SELECT FROM matching_modelfile WHERE model_id = NEW.id)\n                    THEN\n                        RAISE EXCEPTION 'version % has no file', NEW.version USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NULL;\n                ",
                            hash="d1cbb19b675fe7f93e672f3dd7623a5aabd89e28",
                            operation="INSERT",
                            pgid="pgtrigger_a_model_made_elsewhere_has_its_file_89343",
                            table="matching_scoringmodel",
                            timing="DEFERRABLE INITIALLY DEFERRED",
                            when="AFTER",
                        ),
                    ),
                ],
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "live")), fields=("segment",), name="one_live_model_per_segment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["draft", "shadow", "live", "retired"])),
                        name="model_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["linear", "onnx"])), name="model_kind_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AllocationRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        help_text="empty: the whole market, which only staff may plan",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="allocation_runs",
                        to="accounts.organisation",
                    ),
                ),
                ("policy", models.JSONField(help_text="what it keeps to: `matching.core.run_policy`")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("solving", "solving"),
                            ("planned", "planned"),
                            ("committing", "committing"),
                            ("committed", "committed"),
                            ("discarded", "discarded"),
                            ("expired", "expired"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="matching.scoringmodel",
                    ),
                ),
                (
                    "previous",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="matching.allocationrun",
                    ),
                ),
                ("snapshot", models.JSONField(blank=True, null=True)),
                ("snapshot_digest", models.CharField(blank=True, max_length=64)),
                ("solution", models.JSONField(blank=True, null=True)),
                ("diagnosis", models.JSONField(blank=True, null=True)),
                (
                    "pareto",
                    models.JSONField(
                        blank=True, help_text="what other weights would bring: points of the frontier", null=True
                    ),
                ),
                (
                    "blocking",
                    models.JSONField(
                        blank=True,
                        help_text='{"count": 2, "pairs": [[opportunity, candidate], …]}: empty where not defined',
                        null=True,
                    ),
                ),
                ("seats", models.PositiveIntegerField(default=0)),
                ("proposed", models.PositiveIntegerField(default=0)),
                ("value", models.BigIntegerField(default=0)),
                ("bound", models.BigIntegerField(default=0)),
                ("gap", models.BigIntegerField(default=0)),
                ("sent", models.PositiveIntegerField(default=0)),
                ("dropped", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("offers_expire_hours", models.PositiveSmallIntegerField(default=72)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("backfill", "Backfill"),
                            ("wave", "Wave"),
                            ("routing", "Routing"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "most_seats",
                    models.PositiveIntegerField(
                        blank=True, help_text="of each opportunity it fills at most so many", null=True
                    ),
                ),
                ("commits_itself", models.BooleanField(default=False, help_text="as soon as it is planned")),
                (
                    "overbooking_ppm",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="its offers are open calls: chance, in millionths, of more acceptances than seats; empty: reserved",
                        null=True,
                    ),
                ),
                (
                    "waves",
                    models.JSONField(
                        default=list, help_text='[{"who": "favourites", "hours": 24}, …]; empty: all at once'
                    ),
                ),
                ("wave", models.PositiveSmallIntegerField(default=0, help_text="which of the waves it is, from 0")),
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
                ("planned_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "opportunities",
                    models.ManyToManyField(blank=True, related_name="allocation_runs", to="marketplace.opportunity"),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="allocation_totals_equal_proposals",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (NEW.\"state\" = 'committed')",
                            constraint="CONSTRAINT",
                            declare="DECLARE run matching_allocationrun%ROWTYPE; proposals record;",
                            func="\n                    SELECT * INTO run FROM matching_allocationrun WHERE id = NEW.id;\n                    SELECT count(*) FILTER (WHERE state = 'sent') AS sent,\n                        count(*) FILTER (WHERE state = 'dropped') AS dropped\n                        INTO proposals FROM matching_proposal WHERE run_id = NEW.id;\n                    IF (run.sent, run.dropped) <> (proposals.sent, proposals.dropped) THEN\n                        RAISE EXCEPTION 'totals differ from the proposals' USING ERRCODE = 'check_violation',\n                            CONSTRAINT = 'allocation_totals_equal_proposals';\n                    END IF;\n                    RETURN NULL;\n                ",
                            hash="5c934de531984a3332fc09c88c5bc37e7ee18dd4",
                            operation='INSERT OR UPDATE OF "state", "sent", "dropped"',
                            pgid="pgtrigger_allocation_totals_equal_proposals_8f0c3",
                            table="matching_allocationrun",
                            timing="DEFERRABLE INITIALLY DEFERRED",
                            when="AFTER",
                        ),
                    )
                ],
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "queued",
                                    "solving",
                                    "planned",
                                    "committing",
                                    "committed",
                                    "discarded",
                                    "expired",
                                    "failed",
                                ],
                            )
                        ),
                        name="allocation_run_state_is_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("gap__gte", 0)), name="allocation_gap_is_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["asked", "backfill", "wave", "routing"])),
                        name="allocation_cause_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("overbooking_ppm", None), ("overbooking_ppm__lte", 1000000), _connector="OR"
                        ),
                        name="overbooking_is_a_probability",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proposals",
                        to="matching.allocationrun",
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.candidate"
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="marketplace.application",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("pinned", "pinned"),
                            ("excluded", "excluded"),
                            ("sent", "sent"),
                            ("dropped", "dropped"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("value", models.BigIntegerField(help_text="expected value of the edge, as the solver saw it")),
                ("fit", models.BigIntegerField()),
                ("acceptance", models.BigIntegerField()),
                ("contributions", models.JSONField(default=list)),
                (
                    "alternatives",
                    models.JSONField(
                        blank=True, help_text="the best of what it won against, on either side", null=True
                    ),
                ),
                (
                    "code",
                    models.CharField(blank=True, help_text="of the refusal that dropped it at commit", max_length=60),
                ),
                ("reason", models.CharField(blank=True, help_text="why it was dropped", max_length=200)),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, help_text="when a commit sent or dropped it", null=True),
                ),
                (
                    "offer",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposal",
                        to="marketplace.offer",
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="settled_proposals_stay_settled",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."state" IN (\'sent\', \'dropped\') AND (OLD."state" IS DISTINCT FROM (NEW."state") OR OLD."run_id" IS DISTINCT FROM (NEW."run_id")))',
                            func='RAISE EXCEPTION \'pgtrigger: Cannot update of "state", "run_id" rows from % table\', TG_TABLE_NAME;',
                            hash="ad74a80b01280a1f253c9e6ee71db55675f41653",
                            operation='UPDATE OF "state", "run_id"',
                            pgid="pgtrigger_settled_proposals_stay_settled_b4ef1",
                            table="matching_proposal",
                            when="BEFORE",
                        ),
                    )
                ],
                "ordering": ["run_id", "-value", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "opportunity", "candidate"), name="one_proposal_per_run_and_pair"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["proposed", "pinned", "excluded", "sent", "dropped"])),
                        name="proposal_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("offer__isnull", False), ("state", "sent")),
                            models.Q(("state", "sent"), _negated=True),
                            _connector="OR",
                        ),
                        name="sent_proposal_has_its_offer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BackfillRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "organisation",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="backfill_rule",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "opportunity",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="backfill_rule",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("automatic", "automatic"),
                            ("propose", "propose"),
                            ("waiting_list", "waiting list"),
                            ("off", "off"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("set_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("organisation", None), ("opportunity", None), _connector="XOR"),
                        name="backfill_rule_is_about_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("policy__in", ["automatic", "propose", "waiting_list", "off"])),
                        name="backfill_policy_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Vacancy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vacancies",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "seat",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.seat"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        help_text="the run that looks for somebody",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="vacancies",
                        to="matching.allocationrun",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "vacancies",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["opportunity"], name="vacancy_open_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)), fields=("seat",), name="one_open_vacancy_per_seat"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("run", None), ("closed_at__isnull", False), _connector="OR"),
                        name="vacancy_is_closed_by_its_run",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CopyMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(choices=[("projection", "Projection"), ("index", "Index")], max_length=12)),
                (
                    "subject_type",
                    models.CharField(
                        choices=[("candidate", "Candidate"), ("opportunity", "Opportunity")], max_length=12
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("urgent", models.BooleanField(default=True)),
                ("generation", models.PositiveIntegerField(default=1)),
                ("since", models.DateTimeField(help_text="the oldest change not yet copied")),
                (
                    "refused_generation",
                    models.PositiveIntegerField(help_text="the generation that the index did not admit", null=True),
                ),
                ("refusal", models.CharField(blank=True, db_default="", help_text="why", max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["stage", "subject_type", "-urgent", "since", "id"], name="copy_mark_claim_idx"
                    ),
                    models.Index(
                        condition=models.Q(("urgent", True)),
                        fields=["subject_type", "subject_id"],
                        name="copy_mark_urgent_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("stage", "subject_type", "subject_id"), name="one_copy_mark_per_stage_and_subject"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stage__in", ["projection", "index"])), name="copy_mark_stage_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subject_type__in", ["candidate", "opportunity"])),
                        name="copy_mark_subject_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeatureSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), size=None, unique=True
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="feature_sets_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="cb30dc5dc360e5cf733be9ff8602498d1f80f2a4",
                            operation="UPDATE",
                            pgid="pgtrigger_feature_sets_are_never_rewritten_555b9",
                            table="matching_featureset",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "viewer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "capacity",
                    models.CharField(
                        choices=[
                            ("candidate", "candidate"),
                            ("member", "member"),
                            ("staff", "staff"),
                            ("system", "system"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "surface",
                    models.CharField(
                        choices=[
                            ("matches", "who suits an opportunity"),
                            ("recommendations", "what suits a candidate"),
                            ("opportunities", "opportunities by fit"),
                            ("candidates", "candidates by fit"),
                            ("offers", "an offer"),
                            ("proposals", "what an allocation proposes"),
                            ("commitments", "what became offers of an allocation"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="marketplace.candidate",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="matching.scoringmodel",
                    ),
                ),
                ("rank", models.PositiveIntegerField()),
                (
                    "propensity",
                    models.FloatField(help_text="chance of being shown at this rank: 1 under a deterministic order"),
                ),
                (
                    "feature_set",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="matching.featureset",
                    ),
                ),
                (
                    "features",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(),
                        help_text="values in thousandths, as they were, in the set's order",
                        size=None,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="decisions_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='RAISE EXCEPTION \'pgtrigger: Cannot update of "capacity", "surface", "opportunity_id", "candidate_id", "model_id", "rank", "propensity", "feature_set_id", "features", "at" rows from % table\', TG_TABLE_NAME;',
                            hash="0c59abd09370e89e8df483960484a2ef907fa9a1",
                            operation='UPDATE OF "capacity", "surface", "opportunity_id", "candidate_id", "model_id", "rank", "propensity", "feature_set_id", "features", "at"',
                            pgid="pgtrigger_decisions_are_never_rewritten_e3da8",
                            table="matching_decision",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="decisions_keep_their_viewer",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (NEW."viewer_id" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update of \"viewer_id\" rows from % table', TG_TABLE_NAME;",
                            hash="4eaaa984af9cffcc6eb73536f808870b5ff5e2ae",
                            operation='UPDATE OF "viewer_id"',
                            pgid="pgtrigger_decisions_keep_their_viewer_782e7",
                            table="matching_decision",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="decisions_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n                    -- Deeper than one: another row's deletion takes this one along.\n                    IF pg_trigger_depth() > 1 OR current_setting('muster.forgetting', true) = 'decisions' THEN\n                        RETURN OLD;\n                    END IF;\n                    RAISE EXCEPTION 'decisions are kept until their time is over'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'decisions_stay';\n                ",
                            hash="21c90425b06655873e81d774b70913b7b0db58c0",
                            operation="DELETE",
                            pgid="pgtrigger_decisions_stay_a028e",
                            table="matching_decision",
                            when="BEFORE",
                        ),
                    ),
                ],
                "indexes": [
                    models.Index(fields=["candidate", "opportunity", "at"], name="decision_pair_idx"),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["at"],
                        name="decision_at_idx",
                        opclasses=["timestamptz_minmax_multi_ops"],
                        pages_per_range=32,
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("rank__gte", 1)), name="decision_rank_starts_at_one"),
                    models.CheckConstraint(
                        condition=models.Q(("propensity__gt", 0), ("propensity__lte", 1)),
                        name="decision_propensity_is_a_chance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "surface__in",
                                [
                                    "matches",
                                    "recommendations",
                                    "opportunities",
                                    "candidates",
                                    "offers",
                                    "proposals",
                                    "commitments",
                                ],
                            )
                        ),
                        name="decision_surface_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("capacity__in", ["candidate", "member", "staff", "system"])),
                        name="decision_capacity_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject_type",
                    models.CharField(
                        choices=[("candidate", "Candidate"), ("opportunity", "Opportunity")], max_length=12
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("generation", models.PositiveIntegerField(default=1)),
                (
                    "since",
                    models.DateTimeField(help_text="the oldest change not yet scored: freshness is measured from here"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["since"], name="mark_oldest_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("subject_type", "subject_id"), name="one_mark_per_subject"),
                    models.CheckConstraint(
                        condition=models.Q(("subject_type__in", ["candidate", "opportunity"])),
                        name="mark_subject_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PairMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.candidate"
                    ),
                ),
                ("generation", models.PositiveIntegerField(default=1)),
                ("since", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["since"], name="pair_mark_oldest_idx")],
                "constraints": [models.UniqueConstraint(fields=("opportunity", "candidate"), name="one_mark_per_pair")],
            },
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matches",
                        to="marketplace.opportunity",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="matches", to="marketplace.candidate"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="matches", to="matching.scoringmodel"
                    ),
                ),
                ("fit", models.BigIntegerField()),
                ("interest", models.BigIntegerField()),
                ("acceptance", models.BigIntegerField()),
                ("contributions", models.JSONField(help_text="head → [{feature, value, weight, amount}]")),
                (
                    "outcome",
                    models.CharField(help_text="eligible or unknown; the ineligible are not kept", max_length=12),
                ),
                ("verdict", models.JSONField()),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="marketplace.opportunityrevision",
                    ),
                ),
                ("candidate_revision", models.PositiveIntegerField()),
                (
                    "rate_set",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="marketplace.exchangerateset",
                    ),
                ),
                (
                    "tie_break",
                    models.CharField(help_text="keyed hash of (opportunity, candidate), hexadecimal", max_length=32),
                ),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "matches",
                "indexes": [
                    models.Index(fields=["opportunity", "-fit", "tie_break"], name="match_opportunity_idx"),
                    models.Index(fields=["candidate", "-fit", "tie_break"], name="match_candidate_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("opportunity", "candidate", "model"), name="one_match_per_pair_and_model"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["eligible", "unknown"])),
                        name="match_is_of_nobody_ineligible",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelFile",
            fields=[
                (
                    "model",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="matching.scoringmodel",
                    ),
                ),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField(help_text="bytes")),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="model_files_never_change",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="e1dda9d59a2afc4ff84e6432de7ddcac63ecdc70",
                            operation="UPDATE",
                            pgid="pgtrigger_model_files_never_change_00391",
                            table="matching_modelfile",
                            when="BEFORE",
                        ),
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "size",
                                models.Func(
                                    models.F("content"), function="octet_length", output_field=models.IntegerField()
                                ),
                            )
                        ),
                        name="model_file_is_as_long_as_said",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "sha256",
                                models.Func(
                                    models.F("content"),
                                    output_field=models.CharField(),
                                    template="encode(sha256(%(expressions)s), 'hex')",
                                ),
                            )
                        ),
                        name="model_file_has_its_own_digest",
                    ),
                    models.CheckConstraint(condition=models.Q(("size__gt", 0)), name="model_file_is_not_empty"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnscoredPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="unscored", to="matching.scoringmodel"
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.candidate"
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["opportunity", "candidate"], name="unscored_pair_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("model", "opportunity", "candidate"), name="one_unscored_row_per_pair"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OpportunityProjection",
            fields=[
                (
                    "opportunity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="projection",
                        serialize=False,
                        to="marketplace.opportunity",
                    ),
                ),
                ("state", models.CharField(max_length=20)),
                ("visibility", models.CharField(max_length=10)),
                ("organisation_id", models.BigIntegerField(help_text="who posted it")),
                (
                    "organisations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        default=list,
                        help_text="who posted it, and who hires",
                        size=None,
                    ),
                ),
                ("title", models.CharField(db_collation="C", help_text="folded: to sort by", max_length=200)),
                ("listed_at", models.DateTimeField(help_text="first published; drafted, where it was not")),
                ("closes_at", models.DateTimeField(help_text="the year 9999, where no end is set")),
                ("commitment", models.CharField(max_length=20, null=True)),
                ("arrangement", models.CharField(max_length=10, null=True)),
                ("weekly_hours", models.SmallIntegerField(null=True)),
                ("years_experience", models.DecimalField(decimal_places=1, max_digits=4, null=True)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                ("published_on", models.DateField(null=True)),
                ("closes_on", models.DateField(null=True)),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=6),
                        default=list,
                        help_text="DE and DE-* or DE-BE; * for anywhere",
                        size=None,
                    ),
                ),
                (
                    "excluded_places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=6), default=list, size=None
                    ),
                ),
                (
                    "skill_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "skill_families",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        default=list,
                        help_text="with every broader kind of them",
                        size=None,
                    ),
                ),
                (
                    "least_pay",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="by band, cents of euros a year",
                        size=None,
                    ),
                ),
                (
                    "most_pay_by_band",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("most_pay", models.BigIntegerField(help_text="the most that any band pays; -1 where none is known")),
                (
                    "head",
                    django.contrib.postgres.search.SearchVectorField(help_text="title A, skills B, organisation C"),
                ),
                (
                    "words",
                    django.contrib.postgres.search.SearchVectorField(help_text="all words, the description's included"),
                ),
                ("refreshed_at", models.DateTimeField()),
                (
                    "changed_xid",
                    models.BigIntegerField(default=0, editable=False, help_text="transaction that last wrote the row"),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="changes_are_numbered",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW;",
                            hash="144ab0d800775cff92692f2261c92c4df0fc18f0",
                            operation="INSERT OR UPDATE",
                            pgid="pgtrigger_changes_are_numbered_78c1a",
                            table="matching_opportunityprojection",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="deletions_are_marked",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n            INSERT INTO matching_copymark (stage, subject_type, subject_id, urgent, generation, since)\n            VALUES ('index', 'opportunity', OLD.opportunity_id, true, 1, now())\n            ON CONFLICT (stage, subject_type, subject_id) DO UPDATE\n            SET urgent = true, generation = matching_copymark.generation + 1;\n            RETURN OLD;\n        ",
                            hash="6a22ba983a7c52c9ad68f028fc01b67e154a67cb",
                            operation="DELETE",
                            pgid="pgtrigger_deletions_are_marked_f8d01",
                            table="matching_opportunityprojection",
                            when="AFTER",
                        ),
                    ),
                ],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="opening_words_idx"),
                    django.contrib.postgres.indexes.GinIndex(fields=["head"], name="opening_head_idx"),
                    django.contrib.postgres.indexes.GinIndex(fields=["skill_ids"], name="opening_skills_idx"),
                    django.contrib.postgres.indexes.GinIndex(fields=["skill_families"], name="opening_families_idx"),
                    django.contrib.postgres.indexes.GinIndex(fields=["places"], name="opening_places_idx"),
                    models.Index(fields=["-listed_at", "-opportunity"], name="opening_newest_idx"),
                    models.Index(fields=["-most_pay", "-opportunity"], name="opening_pay_idx"),
                    models.Index(fields=["closes_at", "-opportunity"], name="opening_closing_idx"),
                    models.Index(fields=["title", "-opportunity"], name="opening_title_idx"),
                    models.Index(fields=["organisation_id"], name="opening_organisation_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("least_pay__len", models.F("most_pay_by_band__len"))),
                        name="opening_pay_bands_have_ends",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AllocationProgress",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="progress",
                        serialize=False,
                        to="matching.allocationrun",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("gathering", "gathering"),
                            ("solving", "solving"),
                            ("explaining", "explaining"),
                            ("storing", "storing"),
                        ],
                        max_length=10,
                    ),
                ),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(blank=True, null=True)),
                ("value", models.BigIntegerField(blank=True, null=True)),
                ("bound", models.BigIntegerField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, help_text="empty: no worker has begun", null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "stop_asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stop_asked_as",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("candidate", "candidate"),
                            ("member", "member"),
                            ("staff", "staff"),
                            ("system", "system"),
                        ],
                        help_text="empty: nobody did",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("stage__in", ["", "gathering", "solving", "explaining", "storing"])),
                        name="solving_stage_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("stage", ""), ("started_at", None)),
                            models.Q(models.Q(("stage", ""), _negated=True), ("started_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="solving_stage_has_its_beginning",
                    ),
                    models.CheckConstraint(condition=models.Q(("done__gte", 0)), name="solving_is_not_less_than_begun"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateProjection",
            fields=[
                (
                    "candidate",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="projection",
                        serialize=False,
                        to="marketplace.candidate",
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                (
                    "rate_set",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="marketplace.exchangerateset",
                    ),
                ),
                ("country", models.CharField(max_length=2, null=True)),
                ("region", models.CharField(max_length=6, null=True)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                ("timezone", models.CharField(max_length=64, null=True)),
                ("utc_offset_minutes", models.SmallIntegerField(null=True)),
                ("work_starts_minute", models.SmallIntegerField(null=True)),
                ("work_ends_minute", models.SmallIntegerField(null=True)),
                (
                    "work_starts_utc",
                    models.SmallIntegerField(help_text="minutes after midnight UTC, 0–1439", null=True),
                ),
                ("work_minutes", models.SmallIntegerField(help_text="how long the working day is, 1–1440", null=True)),
                ("languages", models.JSONField(default=dict, help_text='{"de": 4}: ISO 639 → CEFR rank')),
                ("work_authorisations", models.JSONField(default=dict, help_text='{"DE": "2027-01-31", "FR": null}')),
                ("years_experience", models.DecimalField(decimal_places=1, max_digits=4, null=True)),
                ("weekly_hours", models.SmallIntegerField(null=True)),
                ("free_hours", models.SmallIntegerField(null=True)),
                ("hourly_rate", models.DecimalField(decimal_places=4, help_text="EUR", max_digits=12, null=True)),
                (
                    "commitments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("available_from", models.DateField(null=True)),
                (
                    "skill_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "skills",
                    models.JSONField(default=dict, help_text='{"17": {"level": 3, "years": "2.5", "last_used": null}}'),
                ),
                (
                    "groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "vetting",
                    models.JSONField(default=dict, help_text='{"identity": {"passed": true, "until": "2027-01-31"}}'),
                ),
                (
                    "title_words",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                (
                    "occupations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "mentioned_skills",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                (
                    "worked_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                ("invitations_answered", models.IntegerField(default=0)),
                ("invitations_received", models.IntegerField(default=0)),
                ("offers_accepted", models.IntegerField(default=0)),
                ("offers_decided", models.IntegerField(default=0)),
                ("placements_completed", models.IntegerField(default=0)),
                ("placements_over", models.IntegerField(default=0)),
                ("last_active_on", models.DateField(null=True)),
                ("headline", models.CharField(blank=True, max_length=200)),
                (
                    "titles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                (
                    "words",
                    django.contrib.postgres.search.SearchVectorField(
                        default="", help_text="headline A, titles B, skills C: `matching.core.search.vectors`"
                    ),
                ),
                (
                    "blocked_organisations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, help_text="who do not find them", size=None
                    ),
                ),
                ("discoverable", models.BooleanField()),
                ("open_to_offers", models.BooleanField()),
                ("present", models.BooleanField(help_text="neither merged into another nor suspended")),
                ("refreshed_at", models.DateTimeField()),
                (
                    "changed_xid",
                    models.BigIntegerField(default=0, editable=False, help_text="transaction that last wrote the row"),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="changes_are_numbered",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW;",
                            hash="d2644f6d13fe274f33c3604215739a60ec8052ed",
                            operation="INSERT OR UPDATE",
                            pgid="pgtrigger_changes_are_numbered_b3dfa",
                            table="matching_candidateprojection",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="deletions_are_marked",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n            INSERT INTO matching_copymark (stage, subject_type, subject_id, urgent, generation, since)\n            VALUES ('index', 'candidate', OLD.candidate_id, true, 1, now())\n            ON CONFLICT (stage, subject_type, subject_id) DO UPDATE\n            SET urgent = true, generation = matching_copymark.generation + 1;\n            RETURN OLD;\n        ",
                            hash="4cc3db17398ae681c90fd1f25c9f5bdba2b0384b",
                            operation="DELETE",
                            pgid="pgtrigger_deletions_are_marked_3e9c0",
                            table="matching_candidateprojection",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="departures_are_recorded",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n                    INSERT INTO matching_departure (candidate_id, changed_xid)\n                    VALUES (OLD.candidate_id, pg_current_xact_id()::text::bigint)\n                    ON CONFLICT (candidate_id) DO UPDATE SET changed_xid = excluded.changed_xid;\n                    RETURN OLD;\n                ",
                            hash="9ea643eec87cff2cd38b904cb62581f112af7af4",
                            operation="DELETE",
                            pgid="pgtrigger_departures_are_recorded_f5838",
                            table="matching_candidateprojection",
                            when="AFTER",
                        ),
                    ),
                ],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["skill_ids"], name="projection_skills_idx"),
                    models.Index(fields=["country", "region"], name="projection_place_idx"),
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="projection_words_idx"),
                    models.Index(fields=["changed_xid"], name="projection_changed_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("work_minutes", None), ("work_starts_utc", None)),
                            models.Q(("work_minutes__range", (1, 1440)), ("work_starts_utc__range", (0, 1439))),
                            _connector="OR",
                        ),
                        name="projection_working_day_is_whole_or_absent",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Departure",
            fields=[
                ("candidate_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("changed_xid", models.BigIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["changed_xid"], name="departure_changed_idx")],
            },
        ),
        migrations.CreateModel(
            name="Rescore",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("model", "another live model"),
                            ("taxonomy", "another taxonomy"),
                            ("rates", "other exchange rates"),
                            ("day", "a new day"),
                            ("asked", "asked for"),
                        ],
                        max_length=12,
                    ),
                ),
                ("scopes", models.JSONField(help_text="what is to be scored: [{kind, …}]")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("failed", "failed"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                            ("superseded", "superseded"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("since", models.DateTimeField(help_text="the oldest of the changes")),
                ("created_at", models.DateTimeField()),
                ("planned_at", models.DateTimeField(help_text="when it was cut into chunks", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("total", models.PositiveIntegerField(default=0, help_text="subjects of all chunks")),
                (
                    "done",
                    models.PositiveIntegerField(default=0, help_text="of an ended one; until then its chunks know"),
                ),
                (
                    "failed",
                    models.PositiveIntegerField(
                        default=0, help_text="those that could not be scored and were marked instead"
                    ),
                ),
                ("error", models.TextField(blank=True, help_text="the last thing that went wrong")),
                (
                    "next_at",
                    models.DateTimeField(help_text="when the next chunk may begin, by the workers' clock", null=True),
                ),
                ("heartbeat_at", models.DateTimeField(help_text="when a chunk was last done", null=True)),
                ("seconds_each", models.FloatField(help_text="by the clock, pauses included, of late", null=True)),
                (
                    "superseded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="superseded",
                        to="matching.rescore",
                    ),
                ),
            ],
            options={
                "verbose_name": "re-scoring",
                "verbose_name_plural": "re-scorings",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["state", "created_at"], name="rescoring_next_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")), fields=("state",), name="one_rescoring_at_work"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "running", "paused", "failed", "done", "cancelled", "superseded"])
                        ),
                        name="rescoring_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "superseded"), ("superseded_by", None), _connector="OR"),
                        name="only_the_superseded_have_a_successor",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RescoreChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rescore",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="matching.rescore"
                    ),
                ),
                (
                    "phase",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "people copied"), (2, "people scored"), (3, "opportunities scored")]
                    ),
                ),
                ("ids", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("size", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done__lt", models.F("size"))),
                        fields=["rescore", "phase", "id"],
                        name="chunk_left_idx",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("done__lte", models.F("size"))), name="chunk_is_done_at_most_once"
                    ),
                    models.CheckConstraint(condition=models.Q(("phase__in", [1, 2, 3])), name="chunk_phase_is_known"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_searches",
                        to="marketplace.candidate",
                    ),
                ),
                ("name", models.CharField(help_text="given, or made from what it asks for", max_length=120)),
                ("is_named", models.BooleanField(default=False, help_text="the name was given")),
                ("query", models.JSONField()),
                (
                    "fingerprint",
                    models.CharField(
                        editable=False, help_text="equal for queries that ask for the same", max_length=64
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("immediately", "immediately"),
                            ("daily", "daily"),
                            ("weekly", "weekly"),
                            ("none", "none"),
                        ],
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(help_text="when the query was last changed")),
                (
                    "due_at",
                    models.DateTimeField(
                        blank=True, help_text="when what waits goes out; null: nothing waits", null=True
                    ),
                ),
                ("unsubscribed_at", models.DateTimeField(blank=True, help_text="by the link in a mail", null=True)),
                (
                    "changed_xid",
                    models.BigIntegerField(default=0, editable=False, help_text="transaction that last set the query"),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="changes_are_numbered",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="NEW.changed_xid := pg_current_xact_id()::text::bigint; RETURN NEW;",
                            hash="7500389e79ea3db2afb8077cf30b926ad26563fb",
                            operation='INSERT OR UPDATE OF "query"',
                            pgid="pgtrigger_changes_are_numbered_13289",
                            table="matching_savedsearch",
                            when="BEFORE",
                        ),
                    )
                ],
                "verbose_name_plural": "saved searches",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="saved_search_due_idx",
                    ),
                    models.Index(fields=["changed_xid"], name="saved_search_changed_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("candidate", "fingerprint"), name="candidate_saves_a_search_once"),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="saved_search_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency__in", ["immediately", "daily", "weekly", "none"])),
                        name="saved_search_frequency_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_at", None), models.Q(("frequency", "none"), _negated=True), _connector="OR"
                        ),
                        name="search_without_mails_is_never_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unsubscribed_at", None), ("frequency", "none"), _connector="OR"),
                        name="unsubscribed_search_sends_no_mails",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("asked_at__gte", models.F("created_at"))),
                        name="saved_search_asks_since_its_creation",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Digest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="digests", to="matching.savedsearch"
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("immediately", "immediately"),
                            ("daily", "daily"),
                            ("weekly", "weekly"),
                            ("none", "none"),
                        ],
                        help_text="of the search, when it was made up",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("sent", "Sent"),
                            ("dropped", "Dropped"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(help_text="not before; grows with each failed attempt")),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["due_at", "id"], name="digest_claim_idx"
                    ),
                    models.Index(condition=models.Q(("state", "failed")), fields=["id"], name="digest_failed_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "sent", "dropped", "failed"])),
                        name="digest_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at", None)),
                            _connector="OR",
                        ),
                        name="digest_sent_at_is_set_when_sent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency__in", ["immediately", "daily", "weekly"])),
                        name="digest_is_of_a_search_with_mails",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FoundOpportunity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "search",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="found",
                        to="matching.savedsearch",
                    ),
                ),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                ("found_at", models.DateTimeField()),
                ("waits", models.BooleanField()),
                (
                    "digest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="found",
                        to="matching.digest",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "found opportunities",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("waits", True)), fields=["search", "id"], name="found_waiting_idx"
                    ),
                    models.Index(fields=["search", "-id"], name="found_newest_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("search", "opportunity"), name="search_finds_an_opportunity_once"),
                    models.CheckConstraint(
                        condition=models.Q(("waits", False), ("digest", None), _connector="OR"),
                        name="what_is_in_a_digest_waits_no_more",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShadowMark",
            fields=[
                (
                    "opportunity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="marketplace.opportunity",
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["since"], name="shadow_mark_oldest_idx")],
            },
        ),
        migrations.CreateModel(
            name="ShadowRanking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "opportunity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="marketplace.opportunity"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="matching.scoringmodel",
                    ),
                ),
                (
                    "live_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="matching.scoringmodel"
                    ),
                ),
                ("day", models.DateField()),
                ("at", models.DateTimeField()),
                (
                    "candidates",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("ranks", django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None)),
                (
                    "live_ranks",
                    django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None),
                ),
                ("fits", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                (
                    "live_fits",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "interests",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "live_interests",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "acceptances",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "live_acceptances",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="shadow_rankings_are_never_rewritten",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="c2644a67cc6d28abfad2ecb462ea7a7b3d376117",
                            operation="UPDATE",
                            pgid="pgtrigger_shadow_rankings_are_never_rewritten_b9d9a",
                            table="matching_shadowranking",
                            when="BEFORE",
                        ),
                    )
                ],
                "indexes": [models.Index(fields=["day"], name="shadow_ranking_oldest_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "day", "opportunity"), name="one_shadow_ranking_per_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("acceptances__len", models.F("candidates__len")),
                            ("fits__len", models.F("candidates__len")),
                            ("interests__len", models.F("candidates__len")),
                            ("live_acceptances__len", models.F("candidates__len")),
                            ("live_fits__len", models.F("candidates__len")),
                            ("live_interests__len", models.F("candidates__len")),
                            ("live_ranks__len", models.F("candidates__len")),
                            ("ranks__len", models.F("candidates__len")),
                        ),
                        name="shadow_ranking_tells_of_each_candidate",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("model", models.F("live_model")), _negated=True),
                        name="no_model_is_its_own_shadow",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShadowFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shadow_failures",
                        to="matching.scoringmodel",
                    ),
                ),
                ("day", models.DateField()),
                ("times", models.PositiveIntegerField(default=1)),
                ("error", models.CharField(help_text="the last one; names nobody", max_length=300)),
                ("at", models.DateTimeField(help_text="when it failed last")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("model", "day"), name="one_shadow_failure_per_model_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trainings", to="matching.segment"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("training", "training"),
                            ("trained", "trained"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                (
                    "version",
                    models.CharField(blank=True, help_text="empty: named by the day and the weights", max_length=60),
                ),
                ("since", models.DateTimeField(blank=True, help_text="empty: as long as the log is kept", null=True)),
                ("until", models.DateTimeField(blank=True, help_text="empty: now", null=True)),
                (
                    "test_share",
                    models.PositiveSmallIntegerField(help_text="thousandths of the examples, the latest ones"),
                ),
                ("least", models.PositiveIntegerField(help_text="examples that a head needs to be trained")),
                ("progress", models.CharField(blank=True, help_text="what is being done", max_length=120)),
                ("error", models.TextField(blank=True, help_text="why it failed, without naming anybody")),
                (
                    "model",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="run",
                        to="matching.scoringmodel",
                    ),
                ),
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
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "training"])),
                        fields=["id"],
                        name="training_to_do_idx",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "training", "trained", "failed"])),
                        name="training_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at", None), ("state__in", ["queued", "training"])),
                            models.Q(("finished_at__isnull", False), ("state__in", ["trained", "failed"])),
                            _connector="OR",
                        ),
                        name="training_is_finished_when_it_is_over",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "training"])),
                        fields=("segment",),
                        name="one_training_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject_type",
                    models.CharField(
                        choices=[("candidate", "candidate"), ("opportunity", "opportunity")], max_length=12
                    ),
                ),
                ("word", models.CharField(db_collation="C", max_length=60)),
                (
                    "initial",
                    models.CharField(db_collation="C", help_text="where slips hardly ever happen", max_length=1),
                ),
                ("length", models.PositiveSmallIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["subject_type", "initial", "length"], name="search_word_near_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("subject_type", "word"), name="search_word_is_listed_once")
                ],
            },
        ),
        *(
            migrations.RunSQL(
                f"""
                CREATE FUNCTION forget_decisions_of_{noun}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    DELETE FROM matching_decision WHERE {noun}_id = OLD.id;
                    RETURN OLD;
                END $$;
                CREATE TRIGGER decisions_go_with_the_{noun} AFTER DELETE ON marketplace_{noun}
                    FOR EACH ROW EXECUTE FUNCTION forget_decisions_of_{noun}();
                """,
                reverse_sql=f"""
                DROP TRIGGER decisions_go_with_the_{noun} ON marketplace_{noun};
                DROP FUNCTION forget_decisions_of_{noun}();
                """,
            )
            for noun in ("candidate", "opportunity")
        ),
    ]
