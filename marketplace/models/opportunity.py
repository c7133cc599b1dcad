"""Demand: opportunities and what they ask for and pay."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Organisation, ReferencedModel
from accounts.models.changes import changes_are_numbered
from accounts.models.table_state import changes_renew_the_state
from marketplace.core.workflow import DEFAULT_PIPELINE, OpportunityState
from marketplace.models.candidate import Commitment
from marketplace.models.money import AMOUNT, Period
from marketplace.models.taxonomy import Occupation, Skill


def default_pipeline() -> list[str]:
    return list(DEFAULT_PIPELINE)


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def published(self) -> OpportunityQuerySet:
        return self.filter(state=OpportunityState.PUBLISHED)

    def public(self) -> OpportunityQuerySet:
        """What anybody may find: published, listed, and not of a suspended organisation."""
        return self.published().filter(
            visibility=Opportunity.Visibility.PUBLIC, posting_organisation__suspended_at=None
        )

    def open_at(self, now) -> OpportunityQuerySet:
        """Published, and within its opening times."""
        return self.published().filter(
            Q(opens_at=None) | Q(opens_at__lte=now), Q(closes_at=None) | Q(closes_at__gt=now)
        )


class Opportunity(ReferencedModel):
    """Work to be done, posted by one organisation, possibly for another that hires."""

    reference_prefix = "OPP"

    class Arrangement(models.TextChoices):
        ONSITE = "onsite"
        HYBRID = "hybrid"
        REMOTE = "remote"

    class Visibility(models.TextChoices):
        PUBLIC = "public"  # anybody finds it
        UNLISTED = "unlisted"  # anybody with the address sees it
        INVITED = "invited"  # only those invited see it

    posting_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="opportunities")
    hiring_organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", help_text="who the person will work for"
    )
    occupation = models.ForeignKey(Occupation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    commitment = models.CharField(max_length=20, choices=Commitment, blank=True)
    arrangement = models.CharField(max_length=10, choices=Arrangement, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    weekly_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    years_experience = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="IANA name")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    referral_reward_amount = models.DecimalField(**AMOUNT, null=True, blank=True)
    referral_reward_currency = models.CharField(max_length=3, blank=True)
    replaces_ended_placements = models.BooleanField(
        default=True, help_text="a seat whose placement ends early is offered again"
    )
    pipeline = ArrayField(models.CharField(max_length=40), default=default_pipeline)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in OpportunityState], default="draft")
    current_revision = models.OneToOneField(
        "OpportunityRevision", on_delete=models.PROTECT, null=True, blank=True, related_name="current_for"
    )
    published_at = models.DateTimeField(null=True, blank=True, help_text="first time; time to fill counts from here")
    closed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_xid = models.BigIntegerField(
        default=0, editable=False, help_text="transaction that last changed when it is open, or for whom"
    )
    skills = models.ManyToManyField(Skill, through="OpportunitySkill", related_name="opportunities")

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "opportunities"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="opportunity_has_a_title"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in OpportunityState]), name="opportunity_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(opens_at=None) | Q(closes_at=None) | Q(closes_at__gt=F("opens_at")),
                name="opportunity_closes_after_it_opens",
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="opportunity_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(weekly_hours=None) | Q(weekly_hours__range=(1, 168)), name="opportunity_hours_fit_a_week"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(current_revision__isnull=False),
                name="published_opportunity_has_a_revision",
            ),
            models.CheckConstraint(
                condition=Q(commitment__in=["", *Commitment.values]), name="opportunity_commitment_is_known"
            ),
            models.CheckConstraint(
                condition=Q(arrangement__in=["", "onsite", "hybrid", "remote"]), name="opportunity_arrangement_is_known"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["public", "unlisted", "invited"]), name="opportunity_visibility_is_known"
            ),
            models.CheckConstraint(
                condition=Q(referral_reward_amount=None, referral_reward_currency="")
                | Q(referral_reward_amount__isnull=False, referral_reward_amount__gte=0)
                & Q(referral_reward_currency__regex=r"^[A-Z]{3}$"),
                name="referral_reward_is_whole_or_absent",
            ),
        ]
        indexes = [
            # Explore: published and public, newest first.
            models.Index(
                fields=["-published_at", "-id"],
                condition=Q(state="published", visibility="public"),
                name="opportunity_explore_idx",
            ),
            # An organisation's own list by state.
            models.Index(fields=["posting_organisation", "state", "-id"], name="opportunity_own_idx"),
            # What has changed since an index in memory was last brought up to date.
            models.Index(fields=["changed_xid"], name="opportunity_changed_idx"),
        ]
        triggers = [
            changes_are_numbered("state", "current_revision_id", "visibility", "opens_at", "closes_at"),
            *changes_renew_the_state(),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"


class OpportunityMember(models.Model):
    """Who of the organisation looks after it. The lead may be shown to candidates, with a title and a link."""

    class Role(models.TextChoices):
        LEAD = "lead"
        MEMBER = "member"

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    public_title = models.CharField(max_length=100, blank=True)
    public_link = models.URLField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "user"], name="one_role_per_opportunity_and_user"),
            models.UniqueConstraint(
                fields=["opportunity"], condition=Q(role="lead"), name="opportunity_has_at_most_one_lead"
            ),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"{self.role} {self.user_id}"


class OpportunityLocation(models.Model):
    class Kind(models.TextChoices):
        ALLOWED = "allowed"
        EXCLUDED = "excluded"

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="locations")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ALLOWED)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=6, blank=True, help_text="ISO 3166-2")
    city = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "country", "region", "city"], name="opportunity_location_is_listed_once"
            ),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="opportunity_location_country_is_a_code"
            ),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.city or self.region or self.country


class OpportunitySkill(models.Model):
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="skill_terms")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="opportunity_terms")
    required = models.BooleanField(default=True)
    weight = models.PositiveSmallIntegerField(default=1, help_text="1–10, relative to the other skills")
    min_level = models.PositiveSmallIntegerField(default=1)
    min_years = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)

    class Meta:
        ordering = ["-required", "-weight", "id"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "skill"], name="opportunity_names_a_skill_once"),
            models.CheckConstraint(condition=Q(weight__range=(1, 10)), name="opportunity_skill_weight_is_1_to_10"),
            models.CheckConstraint(condition=Q(min_level__range=(1, 5)), name="opportunity_skill_level_is_1_to_5"),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"{self.skill_id} at {self.min_level}"


class ScreeningQuestion(models.Model):
    """Asked when applying. Where `attribute` is set, the answer becomes that fact of the candidate."""

    class Kind(models.TextChoices):
        TEXT = "text"
        YES_NO = "yes_no"
        NUMBER = "number"
        CHOICE = "choice"

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="questions")
    key = models.SlugField(max_length=40)
    prompt = models.CharField(max_length=300)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["opportunity", "key"], name="screening_question_key_is_unique")]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.prompt


class PayBand(models.Model):
    """What is paid, for the places named; no place means everywhere that no other band names.

    The places are rows of their own, so that the database can rule out two bands for one place.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="pay_bands")
    minimum = models.DecimalField(**AMOUNT)
    maximum = models.DecimalField(**AMOUNT)
    currency = models.CharField(max_length=3)
    period = models.CharField(max_length=10, choices=Period)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(minimum__gte=0), name="pay_band_is_not_negative"),
            models.CheckConstraint(condition=Q(maximum__gte=F("minimum")), name="pay_band_minimum_is_below_maximum"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="pay_band_currency_is_a_code"),
            models.CheckConstraint(condition=Q(period__in=Period.values), name="pay_band_period_is_known"),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"{self.minimum}–{self.maximum} {self.currency} a {self.period}"


class PayBandPlace(models.Model):
    """One place that a band holds for. `place` is empty for "everywhere else"."""

    band = models.ForeignKey(PayBand, on_delete=models.CASCADE, related_name="places")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(
        max_length=120,
        blank=True,
        help_text="ISO 3166-1 or 3166-2 code, a city after a stroke (US-WA/Seattle); empty: everywhere else",
    )

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["opportunity", "place"], name="no_two_pay_bands_for_one_place")]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.place or "everywhere else"
