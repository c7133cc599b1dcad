"""An opportunity flattened into one row: what search reads in Postgres, and what search documents are made from."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models.changes import changes_are_numbered
from accounts.models.table_state import changes_renew_the_state
from marketplace.models import Opportunity
from matching.models.copymark import deletions_are_marked

BYTEWISE = "C"  # so that Postgres, Python and Elasticsearch sort alike


class OpportunityProjection(models.Model):
    """A copy, kept fresh by the worker. What it may not know yet is told by `matching.queries.lagging`; whoever is
    shown an opportunity is let in to it by the tables all the same.

    Null means that nothing is stated. The columns of declared attributes are those that
    `matching.core.opportunity_attributes` names; what `head` and `words` hold, `matching.core.search.vectors` says.
    """

    opportunity = models.OneToOneField(
        Opportunity, on_delete=models.CASCADE, primary_key=True, related_name="projection"
    )
    state = models.CharField(max_length=20)
    visibility = models.CharField(max_length=10)
    organisation_id = models.BigIntegerField(help_text="who posted it")
    organisations = ArrayField(models.IntegerField(), default=list, help_text="who posted it, and who hires")
    title = models.CharField(max_length=200, db_collation=BYTEWISE, help_text="folded: to sort by")
    listed_at = models.DateTimeField(help_text="first published; drafted, where it was not")
    closes_at = models.DateTimeField(help_text="the year 9999, where no end is set")
    commitment = models.CharField(max_length=20, null=True)  # noqa: DJ001 - null is "not stated" to the evaluator
    arrangement = models.CharField(max_length=10, null=True)  # noqa: DJ001
    weekly_hours = models.SmallIntegerField(null=True)
    years_experience = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    published_on = models.DateField(null=True)
    closes_on = models.DateField(null=True)
    places = ArrayField(models.CharField(max_length=6), default=list, help_text="DE and DE-* or DE-BE; * for anywhere")
    excluded_places = ArrayField(models.CharField(max_length=6), default=list)
    skill_ids = ArrayField(models.IntegerField(), default=list)
    skill_families = ArrayField(models.IntegerField(), default=list, help_text="with every broader kind of them")
    least_pay = ArrayField(models.BigIntegerField(), default=list, help_text="by band, cents of euros a year")
    most_pay_by_band = ArrayField(models.BigIntegerField(), default=list)
    most_pay = models.BigIntegerField(help_text="the most that any band pays; -1 where none is known")
    head = SearchVectorField(help_text="title A, skills B, organisation C")
    words = SearchVectorField(help_text="all words, the description's included")
    refreshed_at = models.DateTimeField()
    changed_xid = models.BigIntegerField(default=0, editable=False, help_text="transaction that last wrote the row")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(least_pay__len=models.F("most_pay_by_band__len")), name="opening_pay_bands_have_ends"
            )
        ]
        indexes = [
            # Whatever is typed into the search.
            GinIndex(fields=["words"], name="opening_words_idx"),
            # The most relevant of it: what has a word where it counts.
            GinIndex(fields=["head"], name="opening_head_idx"),
            # Filters by skill, with or without narrower ones, and by place.
            GinIndex(fields=["skill_ids"], name="opening_skills_idx"),
            GinIndex(fields=["skill_families"], name="opening_families_idx"),
            GinIndex(fields=["places"], name="opening_places_idx"),
            # The first page of each order; those of one organisation.
            models.Index(fields=["-listed_at", "-opportunity"], name="opening_newest_idx"),
            models.Index(fields=["-most_pay", "-opportunity"], name="opening_pay_idx"),
            models.Index(fields=["closes_at", "-opportunity"], name="opening_closing_idx"),
            models.Index(fields=["title", "-opportunity"], name="opening_title_idx"),
            models.Index(fields=["organisation_id"], name="opening_organisation_idx"),
        ]
        triggers = [
            changes_are_numbered(),
            deletions_are_marked("opportunity", "opportunity_id"),
            *changes_renew_the_state(),
        ]

    def __str__(self) -> str:
        return f"opportunity {self.opportunity_id}"
