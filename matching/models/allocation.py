"""Allocation runs and the offers they propose."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organisation, PublicModel
from marketplace.models import Application, Candidate, Offer, Opportunity
from matching.core.workflow import ProposalState, RunState
from matching.models.model import ScoringModel


class AllocationRun(PublicModel):
    """One attempt at filling the open seats of many opportunities at once.

    `snapshot` is the problem as it was read, canonical JSON; `solution` is what the solver answered. Together they are
    all that replay and verify need.
    """

    class Cause(models.TextChoices):
        ASKED = "asked"  # by somebody
        BACKFILL = "backfill"  # a seat came free
        WAVE = "wave"  # the wave before has ended
        ROUTING = "routing"  # a candidate was routed between runs

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="allocation_runs",
        help_text="empty: the whole market, which only staff may plan",
    )  # fmt: skip
    opportunities = models.ManyToManyField(Opportunity, blank=True, related_name="allocation_runs")
    policy = models.JSONField(help_text="what it keeps to: `matching.core.run_policy`")
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in RunState], default="queued")
    model = models.ForeignKey(ScoringModel, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    previous = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    snapshot = models.JSONField(null=True, blank=True)
    snapshot_digest = models.CharField(max_length=64, blank=True)
    solution = models.JSONField(null=True, blank=True)
    diagnosis = models.JSONField(null=True, blank=True)
    pareto = models.JSONField(null=True, blank=True, help_text="what other weights would bring: points of the frontier")
    blocking = models.JSONField(
        null=True, blank=True, help_text='{"count": 2, "pairs": [[opportunity, candidate], …]}: empty where not defined'
    )
    seats = models.PositiveIntegerField(default=0)
    proposed = models.PositiveIntegerField(default=0)
    value = models.BigIntegerField(default=0)
    bound = models.BigIntegerField(default=0)
    gap = models.BigIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    dropped = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    offers_expire_hours = models.PositiveSmallIntegerField(default=72)
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.ASKED)
    most_seats = models.PositiveIntegerField(
        null=True, blank=True, help_text="of each opportunity it fills at most so many"
    )
    commits_itself = models.BooleanField(default=False, help_text="as soon as it is planned")
    overbooking_ppm = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="its offers are open calls: chance, in millionths, of more acceptances than seats; empty: reserved",
    )
    waves = models.JSONField(default=list, help_text='[{"who": "favourites", "hours": 24}, …]; empty: all at once')
    wave = models.PositiveSmallIntegerField(default=0, help_text="which of the waves it is, from 0")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in RunState]), name="allocation_run_state_is_known"
            ),
            models.CheckConstraint(condition=Q(gap__gte=0), name="allocation_gap_is_not_negative"),
            models.CheckConstraint(
                condition=Q(cause__in=["asked", "backfill", "wave", "routing"]), name="allocation_cause_is_known"
            ),
            models.CheckConstraint(
                condition=Q(overbooking_ppm=None) | Q(overbooking_ppm__lte=1_000_000),
                name="overbooking_is_a_probability",
            ),
        ]
        triggers = [
            # Checked at the end of the transaction, when all proposals have become what they will be.
            pgtrigger.Trigger(
                name="allocation_totals_equal_proposals",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state", "sent", "dropped"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__state="committed"),
                declare=[("run", "matching_allocationrun%ROWTYPE"), ("proposals", "record")],
                func="""
                    SELECT * INTO run FROM matching_allocationrun WHERE id = NEW.id;
                    SELECT count(*) FILTER (WHERE state = 'sent') AS sent,
                        count(*) FILTER (WHERE state = 'dropped') AS dropped
                        INTO proposals FROM matching_proposal WHERE run_id = NEW.id;
                    IF (run.sent, run.dropped) <> (proposals.sent, proposals.dropped) THEN
                        RAISE EXCEPTION 'totals differ from the proposals' USING ERRCODE = 'check_violation',
                            CONSTRAINT = 'allocation_totals_equal_proposals';
                    END IF;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"run {self.public_id} ({self.state})"


class Proposal(PublicModel):
    """One pair that a run proposes to offer to, or that staff settled beforehand."""

    run = models.ForeignKey(AllocationRun, on_delete=models.CASCADE, related_name="proposals")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="+")
    application = models.ForeignKey(Application, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in ProposalState], default="proposed")
    value = models.BigIntegerField(help_text="expected value of the edge, as the solver saw it")
    fit = models.BigIntegerField()
    acceptance = models.BigIntegerField()
    contributions = models.JSONField(default=list)
    alternatives = models.JSONField(null=True, blank=True, help_text="the best of what it won against, on either side")
    code = models.CharField(max_length=60, blank=True, help_text="of the refusal that dropped it at commit")
    reason = models.CharField(max_length=200, blank=True, help_text="why it was dropped")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="when a commit sent or dropped it")
    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, null=True, blank=True, related_name="proposal")

    class Meta:
        ordering = ["run_id", "-value", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "opportunity", "candidate"], name="one_proposal_per_run_and_pair"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in ProposalState]), name="proposal_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", offer__isnull=False) | ~Q(state="sent"), name="sent_proposal_has_its_offer"
            ),
        ]
        triggers = [
            # The totals of a run are counted once.
            pgtrigger.Protect(
                name="settled_proposals_stay_settled",
                operation=pgtrigger.UpdateOf("state", "run_id"),
                condition=pgtrigger.Q(old__state__in=["sent", "dropped"])
                & (
                    pgtrigger.Q(old__state__df=pgtrigger.F("new__state"))
                    | pgtrigger.Q(old__run__df=pgtrigger.F("new__run"))
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} for {self.opportunity_id} ({self.state})"
