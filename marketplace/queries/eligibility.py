"""Asking for verdicts: the edge around `matching.core.eligibility`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from marketplace.errors import HistoryMissing
from marketplace.models import Candidate, EligibilityWaiver, Opportunity, OpportunityRevision
from marketplace.queries.facts import facts_of
from marketplace.queries.history import facts_as_of
from marketplace.queries.rates import current_rate_set
from marketplace.queries.rules import resolved_rule
from marketplace.queries.taxonomy import taxonomy_revision
from marketplace.queries.waivers import waivers_at
from matching.core.eligibility import Basis, Outcome, Verdict, evaluate
from matching.core.facts import CandidateFacts
from matching.core.rules import Rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it was made of: the revision's rule, ready to be judged, and the facts."""

    verdict: Verdict
    rule: Rule
    facts: CandidateFacts
    revision: OpportunityRevision | None

    @property
    def is_refusal(self) -> bool:
        return self.verdict.outcome is Outcome.INELIGIBLE


def judge(
    candidate: Candidate,
    opportunity: Opportunity,
    *,
    now: datetime,
    revision: OpportunityRevision | None = None,
    nearest: bool = False,
) -> Verdict:
    """May this candidate be considered, under a revision or else the current one? A waiver in force is included.

    `nearest` also looks for the smallest change that would let them in.
    """
    return judgement(candidate, opportunity, now=now, revision=revision, nearest=nearest).verdict


def judgement(
    candidate: Candidate,
    opportunity: Opportunity,
    *,
    now: datetime,
    revision: OpportunityRevision | None = None,
    nearest: bool = False,
) -> Judgement:
    """As `judge`, with what the verdict was made of."""
    revision = revision or opportunity.current_revision
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    rule = resolved_rule(revision, rate_set=rates)
    waived = EligibilityWaiver.objects.in_force(now).filter(opportunity=opportunity, candidate=candidate).exists()
    basis = Basis(
        rule_revision=revision.number if revision else None,
        taxonomy_revision=taxonomy_revision(),
        exchange_rates=rates.pk if rates else None,
    )
    facts = facts_of([candidate.pk], on=on, rate_set=rates)[candidate.pk]
    return _judged(rule, facts, revision, now, basis, waived=waived, nearest=nearest)


def judgement_at(candidate: Candidate, opportunity: Opportunity, *, at: datetime, now: datetime) -> Judgement:
    """The verdict of a moment, with the nearest change: a past one by what was known then, one to come by what is known
    now. Raises HistoryMissing."""
    if at >= now:
        return judgement(candidate, opportunity, now=at, nearest=True)
    made = _judgement_as_of(candidate, opportunity, at=at, nearest=True)
    if made is None:
        raise HistoryMissing(at=at)
    return made


def judge_as_of(
    candidate: Candidate, opportunity: Opportunity, *, at: datetime, nearest: bool = False
) -> Verdict | None:
    """The verdict as it would have been at a moment: by the facts, the revision, the waiver and the rates of then.

    Skills are merged as they are now. None if the candidate was not known yet, or the opportunity had no terms.
    """
    made = _judgement_as_of(candidate, opportunity, at=at, nearest=nearest)
    return made.verdict if made is not None else None


def _judgement_as_of(
    candidate: Candidate, opportunity: Opportunity, *, at: datetime, nearest: bool
) -> Judgement | None:
    on = at.astimezone(UTC).date()
    rates = current_rate_set(on=on, known_at=at)
    facts = facts_as_of(candidate.pk, at=at, on=on, rate_set=rates)
    if facts is None:
        return None
    revision = opportunity.revisions.filter(created_at__lte=at).order_by("-number").first()
    if revision is None:
        return None
    waived = waivers_at(at).filter(opportunity=opportunity, candidate=candidate).exists()
    basis = Basis(
        rule_revision=revision.number,
        taxonomy_revision=taxonomy_revision(),
        exchange_rates=rates.pk if rates else None,
    )
    rule = resolved_rule(revision, rate_set=rates)
    return _judged(rule, facts, revision, at, basis, waived=waived, nearest=nearest)


def _judged(
    rule: Rule,
    facts: CandidateFacts,
    revision: OpportunityRevision | None,
    at: datetime,
    basis: Basis,
    *,
    waived: bool,
    nearest: bool,
) -> Judgement:
    verdict = evaluate(
        rule,
        facts,
        on=at.astimezone(UTC).date(),
        waived=waived,
        basis=replace(basis, candidate_revision=facts.revision),
        nearest=nearest,
    )
    return Judgement(verdict, rule, facts, revision)
