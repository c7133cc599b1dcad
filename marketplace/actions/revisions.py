"""Revisions: the terms frozen at a moment, and the eligibility rule among them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.actions.events import append
from accounts.core.actor import Actor
from accounts.core.unset import UNSET, Unset
from marketplace.access import access_opportunity, kind_for
from marketplace.core.workflow import OpportunityState
from marketplace.errors import OpportunityOver, RuleRefused
from marketplace.models import CandidateGroup, Opportunity, OpportunityRevision, Skill
from marketplace.queries.terms import snapshot
from matching.core.rules import (
    Compare,
    InvalidRule,
    Rule,
    RuleFault,
    dump,
    literals,
    load,
    normal,
    parse,
    skill_ids,
)

EDITABLE = frozenset(
    {OpportunityState.DRAFT, OpportunityState.IN_REVIEW, OpportunityState.PUBLISHED, OpportunityState.PAUSED}
)


def set_eligibility_rule(
    *, actor: Actor, opportunity_id: UUID, rule: dict[str, Any] | None, now: datetime
) -> Opportunity:
    """Say who may apply from now on; None: everybody. Offers made before are judged by the rule that they pinned.

    Raises RuleRefused, OpportunityOver, NotFound, NotPermitted.
    """
    with transaction.atomic():
        opportunity = access_opportunity(actor, opportunity_id, to="manage", lock=True)
        check_editable(opportunity)
        canonical = read_rule(rule, opportunity)
        current = opportunity.current_revision
        if canonical == (current.rule if current else None):
            return opportunity
        revision = freeze(opportunity, actor=actor, now=now, rule=canonical)
        append(
            opportunity,
            "EligibilityRuleSet",
            actor=actor,
            by=kind_for(actor, opportunity),
            now=now,
            payload={"revision": revision.number},
        )
    return opportunity


def check_editable(opportunity: Opportunity) -> None:
    if opportunity.state not in EDITABLE:
        raise OpportunityOver(state=opportunity.state)


def read_rule(raw: dict[str, Any] | None, opportunity: Opportunity) -> dict[str, Any] | None:
    """The rule as canonical JSON, None for open to all. Raises RuleRefused."""
    try:
        named = skill_ids(load(raw))
        known = set(Skill.objects.filter(pk__in=named).values_list("pk", flat=True))
        rule = parse(raw, known_skills=known)
    except InvalidRule as invalid:
        raise RuleRefused([fault.to_json() for fault in invalid.faults]) from invalid
    _check_groups(rule, opportunity)
    return dump(rule) or None


def _check_groups(rule: Rule, opportunity: Opportunity) -> None:
    """A rule asks about the organisation's own lists alone: another's would be read through it."""
    asked: list[tuple[str, Any]] = []
    for literal in literals(normal(rule)):
        one = literal.criterion
        if isinstance(one, Compare) and one.name == "groups":
            asked += [(literal.path, value) for value in (one.value if isinstance(one.value, tuple) else [one.value])]
    wanted = {value for _, value in asked if not isinstance(value, bool)}
    groups = CandidateGroup.objects.filter(organisation_id=opportunity.posting_organisation_id, pk__in=wanted)
    own = set(groups.values_list("pk", flat=True)) if wanted else set()
    foreign = {path for path, value in asked if isinstance(value, bool) or value not in own}
    if foreign:
        problem = "names a group that is not the organisation's"
        raise RuleRefused([RuleFault(path, "UNKNOWN_GROUP", problem).to_json() for path in sorted(foreign)])


def freeze(
    opportunity: Opportunity, *, actor: Actor, now: datetime, rule: dict[str, Any] | Unset | None = UNSET
) -> OpportunityRevision:
    """Make the terms as they are the current revision, unless they are it already. The rule is carried over unless a
    new one is given. The caller has locked the opportunity, which keeps the numbers gapless."""
    current = opportunity.current_revision
    terms = snapshot(Opportunity.objects.get(pk=opportunity.pk))
    kept: dict[str, Any] | None = (current.rule if current else None) if isinstance(rule, Unset) else rule
    if current is not None and current.terms == terms and current.rule == kept:
        return current
    last = opportunity.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = OpportunityRevision.objects.create(
        opportunity=opportunity,
        number=last + 1,
        terms=terms,
        rule=kept,
        created_by_id=actor.user_id,
        created_at=now,
    )
    opportunity.current_revision = revision
    opportunity.save(update_fields=["current_revision"])
    return revision
