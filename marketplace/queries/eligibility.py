"""Asking for verdicts: the edge around `matching.core.eligibility`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from marketplace.errors import HistoryMissing
from marketplace.models import Candidate, EligibilityWaiver, Opportunity, OpportunityRevision
from marketplace.queries.facts import facts_of
from marketplace.queries.history import facts_as_of
from marketplace.queries.rates import current_rate_set
from marketplace.queries.skills import survivors
from marketplace.queries.taxonomy import taxonomy_revision
from matching.core.eligibility import Basis, Verdict, evaluate
from matching.core.rules import Rule, load, skill_ids, with_merges


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
    return judge_many([candidate.pk], opportunity, now=now, revision=revision, nearest=nearest)[candidate.pk]


def judge_many(
    candidate_ids: Collection[int],
    opportunity: Opportunity,
    *,
    now: datetime,
    revision: OpportunityRevision | None = None,
    nearest: bool = False,
) -> dict[int, Verdict]:
    """Verdicts by candidate (inner ids), in a constant number of queries."""
    revision = revision or opportunity.current_revision
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    rule = current_rule(revision.rule if revision else None)
    waived = set(
        EligibilityWaiver.objects.in_force(now)
        .filter(opportunity=opportunity, candidate_id__in=candidate_ids)
        .values_list("candidate_id", flat=True)
    )
    taxonomy = taxonomy_revision()
    return {
        candidate_id: evaluate(
            rule,
            facts,
            on=on,
            waived=candidate_id in waived,
            basis=Basis(
                rule_revision=revision.number if revision else None,
                taxonomy_revision=taxonomy,
                exchange_rates=rates.pk if rates else None,
                candidate_revision=facts.revision,
            ),
            nearest=nearest,
        )
        for candidate_id, facts in facts_of(candidate_ids, on=on, rate_set=rates).items()
    }


def judge_at(candidate: Candidate, opportunity: Opportunity, *, at: datetime, now: datetime) -> Verdict:
    """The verdict of a moment, with the nearest change: a past one by what was known then, one to come by what is known
    now. Raises HistoryMissing."""
    if at >= now:
        return judge(candidate, opportunity, now=at, nearest=True)
    verdict = judge_as_of(candidate, opportunity, at=at, nearest=True)
    if verdict is None:
        raise HistoryMissing(at=at)
    return verdict


def judge_as_of(
    candidate: Candidate, opportunity: Opportunity, *, at: datetime, nearest: bool = False
) -> Verdict | None:
    """The verdict as it would have been at a moment: by the facts, the revision, the waiver and the rates of then.

    Skills are merged as they are now. None if the candidate was not known yet, or the opportunity had no terms. Lists
    that they have been taken off since are not remembered.
    """
    on = at.astimezone(UTC).date()
    rates = current_rate_set(on=on, known_at=at)
    facts = facts_as_of(candidate.pk, at=at, on=on, rate_set=rates)
    if facts is None:
        return None
    revision = opportunity.revisions.filter(created_at__lte=at).order_by("-number").first()
    if revision is None:
        return None
    waived = (
        EligibilityWaiver.objects.filter(opportunity=opportunity, candidate=candidate, created_at__lte=at, until__gt=at)
        .filter(Q(revoked_at=None) | Q(revoked_at__gt=at))
        .exists()
    )
    return evaluate(
        current_rule(revision.rule),
        facts,
        on=on,
        waived=waived,
        basis=Basis(
            rule_revision=revision.number,
            taxonomy_revision=taxonomy_revision(),
            exchange_rates=rates.pk if rates else None,
            candidate_revision=facts.revision,
        ),
        nearest=nearest,
    )


def current_rule(raw: dict[str, Any] | None) -> Rule:
    """A stored rule over skills as they are merged now."""
    rule = load(raw)
    return with_merges(rule, survivors(skill_ids(rule)))
