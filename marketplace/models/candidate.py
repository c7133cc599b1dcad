"""Supply: candidates and what is known of them.

Facts that decide something are tracked row by row (django-pghistory), so that a verdict can be asked as of a moment.
Names, contacts and free text are not: history must not keep what erasure has to remove. Contacts, the résumé and what
somebody writes of their work are sealed.
"""

from __future__ import annotations

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from accounts.models import Organisation, PublicModel, SealedLineField, SealedTextField
from marketplace.core.workflow import LIVE_PLACEMENT_STATES
from marketplace.models.money import AMOUNT, Period
from marketplace.models.taxonomy import Occupation, Skill
from matching.core.attributes import VETTING_CHECKS


class Commitment(models.TextChoices):
    FULL_TIME = "full_time"
    PART_TIME = "part_time"
    CONTRACT = "contract"
    TEMPORARY = "temporary"
    INTERNSHIP = "internship"
    VOLUNTEER = "volunteer"


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def present(self) -> CandidateQuerySet:
        """Neither merged into another nor suspended."""
        return self.filter(merged_into=None, suspended_at=None)

    def discoverable(self) -> CandidateQuerySet:
        return self.present().filter(discoverable=True)


# Deleting stays possible for erasure; rewriting what was known then does not.
FACTS_ARE_NEVER_REWRITTEN = pgtrigger.Protect(name="facts_are_never_rewritten", operation=pgtrigger.Update)
_LIVE = ", ".join(f"'{state}'" for state in LIVE_PLACEMENT_STATES)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    fields=[
        "country",
        "region",
        "latitude",
        "longitude",
        "timezone",
        "work_starts_minute",
        "work_ends_minute",
        "years_experience",
        "weekly_hours",
        "rate_amount",
        "rate_currency",
        "rate_period",
        "commitments",
        "available_from",
        "discoverable",
        "open_to_offers",
        "merged_into",
        "suspended_at",
        "revision",
    ],
    model_name="CandidateFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class Candidate(PublicModel):
    """A person who may be placed. Without a user where they were imported or invited and have not signed up yet."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="candidate"
    )
    name = models.CharField(max_length=200)
    email = SealedLineField(
        max_length=254,
        row=["public_id"],
        validators=[validate_email],
        help_text="contact address; the login's own if empty",
    )
    phone = SealedLineField(max_length=40, row=["public_id"])
    linkedin = SealedLineField(max_length=200, row=["public_id"], validators=[URLValidator(["http", "https"])])
    resume_text = SealedTextField(row=["public_id"], help_text="what is kept of it: CandidateMentions")
    headline = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    region = models.CharField(max_length=6, blank=True, help_text="ISO 3166-2")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="IANA name")
    work_starts_minute = models.PositiveSmallIntegerField(null=True, blank=True, help_text="local, after midnight")
    work_ends_minute = models.PositiveSmallIntegerField(null=True, blank=True)
    years_experience = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    weekly_hours = models.PositiveSmallIntegerField(null=True, blank=True, help_text="hours a week wanted in all")
    rate_amount = models.DecimalField(**AMOUNT, null=True, blank=True)
    rate_currency = models.CharField(max_length=3, blank=True)
    rate_period = models.CharField(max_length=10, choices=Period, blank=True)
    commitments = ArrayField(models.CharField(max_length=20, choices=Commitment), default=list, blank=True)
    available_from = models.DateField(null=True, blank=True)
    discoverable = models.BooleanField(default=True, help_text="recruiters may find them")
    open_to_offers = models.BooleanField(default=False, help_text="an allocation may offer to them unasked")
    blocked_organisations = models.ManyToManyField(Organisation, blank=True, related_name="+")
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    suspended_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, help_text="grows with every change of facts")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="candidate_has_a_name"),
            models.CheckConstraint(
                condition=Q(years_experience__isnull=True) | Q(years_experience__gte=0, years_experience__lte=80),
                name="candidate_years_are_plausible",
            ),
            models.CheckConstraint(
                condition=Q(weekly_hours__isnull=True) | Q(weekly_hours__lte=168), name="candidate_hours_fit_a_week"
            ),
            models.CheckConstraint(
                # Each part says that it is there: a comparison with null is unknown, and unknown passes a check.
                condition=Q(rate_amount__isnull=True, rate_currency="", rate_period="")
                | Q(
                    rate_amount__isnull=False,
                    rate_amount__gte=0,
                    rate_currency__regex=r"^[A-Z]{3}$",
                    rate_period__in=Period.values,
                ),
                name="candidate_rate_is_whole_or_absent",
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="candidate_country_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(region="") | Q(region__regex=r"^[A-Z]{2}-[A-Z0-9]{1,3}$"),
                name="candidate_region_is_a_code",
            ),
            models.CheckConstraint(
                condition=Q(commitments__contained_by=Commitment.values), name="candidate_commitments_are_known"
            ),
            models.CheckConstraint(
                condition=(Q(work_starts_minute__isnull=True) | Q(work_starts_minute__lte=1440))
                & (Q(work_ends_minute__isnull=True) | Q(work_ends_minute__lte=1440)),
                name="candidate_working_hours_fit_a_day",
            ),
            models.CheckConstraint(
                condition=(Q(latitude__isnull=True) & Q(longitude__isnull=True))
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
                name="candidate_coordinates_are_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=models.F("id")),
                name="candidate_is_not_merged_into_itself",
            ),
        ]
        triggers = [
            # The other half of placement_within_candidate_hours: hours cannot be cut below what is already promised.
            pgtrigger.Trigger(
                name="candidate_hours_cover_placements",
                operation=pgtrigger.UpdateOf("weekly_hours"),
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__weekly_hours__isnull=False),
                func=f"""
                    IF NEW.weekly_hours < (
                        SELECT COALESCE(SUM(weekly_hours), 0) FROM marketplace_placement
                        WHERE candidate_id = NEW.id AND state IN ({_LIVE})
                    ) THEN
                        RAISE EXCEPTION 'live placements take more hours' USING ERRCODE = 'check_violation',
                            CONSTRAINT = 'placement_within_candidate_hours';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="CandidateSkillFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class CandidateSkill(models.Model):
    class Source(models.TextChoices):
        DECLARED = "declared"
        EXTRACTED = "extracted"
        VERIFIED = "verified"

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="candidates")
    level = models.PositiveSmallIntegerField(help_text="1 beginner … 5 expert")
    years = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.DECLARED)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "skill"], name="one_fact_per_candidate_and_skill"),
            models.CheckConstraint(condition=Q(level__range=(1, 5)), name="candidate_skill_level_is_1_to_5"),
            models.CheckConstraint(
                condition=Q(years__isnull=True) | Q(years__gte=0, years__lte=80), name="candidate_skill_years_plausible"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["declared", "extracted", "verified"]), name="candidate_skill_source_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill_id} at {self.level}"


class CefrLevel(models.IntegerChoices):
    """Common European Framework of Reference for Languages. C2 also stands for a mother tongue."""

    A1 = 1
    A2 = 2
    B1 = 3
    B2 = 4
    C1 = 5
    C2 = 6


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="CandidateLanguageFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class CandidateLanguage(models.Model):
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="languages")
    language = models.CharField(max_length=3, help_text="ISO 639-1, or 639-3 where there is none")
    level = models.PositiveSmallIntegerField(choices=CefrLevel)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "language"], name="one_level_per_candidate_and_language"),
            models.CheckConstraint(condition=Q(level__range=(1, 6)), name="candidate_language_level_is_cefr"),
            models.CheckConstraint(condition=Q(language__regex=r"^[a-z]{2,3}$"), name="candidate_language_is_a_code"),
        ]

    def __str__(self) -> str:
        return f"{self.language} {CefrLevel(self.level).name}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    model_name="AuthorisationFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class WorkAuthorisation(models.Model):
    """Leave to work in a country, up to and including `expires_on`; without an end if null."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="work_authorisations")
    country = models.CharField(max_length=2)
    expires_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "country"], name="one_authorisation_per_candidate_and_country"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="authorisation_country_is_a_code"),
        ]

    def __str__(self) -> str:
        return self.country


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    fields=["candidate", "kind", "passed", "until"],
    model_name="VettingFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class VettingResult(PublicModel):
    """The last result of one check of a candidate, good up to and including `until`; without an end if null. Staff
    record it; candidates cannot change it."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="vetting_results")
    kind = models.CharField(max_length=32, choices=[(kind, kind.replace("_", " ")) for kind in VETTING_CHECKS])
    passed = models.BooleanField()
    until = models.DateField(null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "kind"], name="one_vetting_result_per_candidate_and_kind"),
            models.CheckConstraint(condition=Q(kind__in=VETTING_CHECKS), name="vetting_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {'passed' if self.passed else 'failed'}"


class WorkExperience(models.Model):
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="experiences")
    title = models.CharField(max_length=200)
    employer = models.CharField(max_length=200, blank=True)
    occupation = models.ForeignKey(Occupation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    description = SealedTextField(row=["candidate_id"])

    class Meta:
        ordering = ["-starts_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=models.F("starts_on")),
                name="work_experience_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return self.title
