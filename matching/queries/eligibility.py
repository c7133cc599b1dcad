"""What a rule would do to the people there are, before it is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.access import organisations_of
from accounts.core.actor import Actor
from accounts.errors import NotPermitted
from marketplace.errors import RuleRefused
from marketplace.models import Candidate, CandidateGroup, Skill
from marketplace.queries.skills import survivors
from matching.compile_sql import compile_normal
from matching.core.rules import (
    Compare,
    Criterion,
    InvalidRule,
    Literal,
    Not,
    Quorum,
    Rule,
    RuleFault,
    criteria,
    literals,
    load,
    normal,
    parse,
    skill_ids,
    text,
    with_merges,
)
from matching.models import CandidateProjection

Normal = Literal | Quorum
MOST_CRITERIA = 40  # of which each costs two counts


@dataclass(frozen=True, slots=True)
class CriterionPreview:
    """One criterion of a rule. `path` is its place in the rule's JSON, `sentence` says it for people.

    `fail` is how many surely fail it, whatever the rest says; `unknown` of how many it is not known. `alone` is how
    many only it keeps out: who would not be refused if it were met. `gain` is how many more would be eligible then.
    """

    path: str
    criterion: Criterion
    sentence: str
    fail: int
    unknown: int
    alone: int
    gain: int


@dataclass(frozen=True, slots=True)
class Preview:
    """How many people, of those the asker may find, a rule accepts, refuses, and cannot tell of."""

    eligible: int
    unknown: int
    ineligible: int
    per_criterion: tuple[CriterionPreview, ...]

    @property
    def binding(self) -> CriterionPreview | None:
        """The criterion whose loosening would gain most, if any would."""
        best = max(self.per_criterion, key=lambda one: (one.gain, one.alone), default=None)
        return best if best is not None and best.gain + best.alone > 0 else None


def preview(rule: Mapping[str, Any] | None, *, actor: Actor, now: datetime) -> Preview:
    """Count over the projection. Raises RuleRefused; NotPermitted for those who recruit for nobody."""
    if not (actor.is_staff or actor.is_system or organisations_of(actor).exists()):
        raise NotPermitted("recruit for an organisation")
    try:
        known = set(Skill.objects.filter(pk__in=skill_ids(load(rule))).values_list("pk", flat=True))
        parsed = parse(rule, known_skills=known)
    except InvalidRule as error:
        raise RuleRefused([fault.to_json() for fault in error.faults]) from error
    _check_groups(parsed, actor)
    return count(with_merges(parsed, survivors(skill_ids(parsed))), found_by(actor), now=now)


def found_by(actor: Actor) -> QuerySet[CandidateProjection]:
    """The people that an actor may find at all."""
    people = CandidateProjection.objects.filter(present=True, discoverable=True)
    if actor.is_staff or actor.is_system:
        return people
    blocked = Candidate.blocked_organisations.through.objects.filter(
        candidate_id=OuterRef("pk"), organisation__in=organisations_of(actor)
    )
    return people.filter(~Exists(blocked))


def count(rule: Rule, people: QuerySet[CandidateProjection], *, now: datetime) -> Preview:
    """The preview of a rule whose merged skills are resolved. One statement, plus one for the names of skills."""
    on = now.astimezone(UTC).date()
    tree = normal(rule)
    whole = compile_normal(tree, on=on)
    leaves = list(literals(tree))[:MOST_CRITERIA]
    counts = {"eligible": whole.is_true, "ineligible": whole.is_false}
    for number, literal in enumerate(leaves):
        alone = compile_normal(literal, on=on)
        without = compile_normal(_met(tree, literal), on=on)
        counts[f"holds_{number}"] = alone.is_true
        counts[f"fails_{number}"] = alone.is_false
        counts[f"eligible_{number}"] = without.is_true
        counts[f"ineligible_{number}"] = without.is_false
    found = people.aggregate(total=Count("pk"), **{name: _count(condition) for name, condition in counts.items()})
    names = dict(Skill.objects.filter(pk__in=skill_ids(rule)).values_list("pk", "name"))
    total, eligible, ineligible = found["total"], found["eligible"], found["ineligible"]
    return Preview(
        eligible=eligible,
        unknown=total - eligible - ineligible,
        ineligible=ineligible,
        per_criterion=tuple(
            CriterionPreview(
                path=literal.path,
                criterion=literal.criterion,
                sentence=text(literal.criterion if literal.wanted else Not(literal.criterion), names),
                fail=found[f"fails_{number}"],
                unknown=total - found[f"holds_{number}"] - found[f"fails_{number}"],
                alone=ineligible - found[f"ineligible_{number}"],
                gain=found[f"eligible_{number}"] - eligible,
            )
            for number, literal in enumerate(leaves)
        ),
    )


def _check_groups(rule: Rule, actor: Actor) -> None:
    """Another organisation's lists could be read through a count."""
    asked: set[Any] = set()
    for one in criteria(rule):
        if isinstance(one, Compare) and one.name == "groups" and not isinstance(one.value, bool):
            asked.update(one.value if isinstance(one.value, tuple) else [one.value])
    own = CandidateGroup.objects.filter(organisation__in=organisations_of(actor), pk__in=asked)
    if asked - set(own.values_list("pk", flat=True)):
        raise RuleRefused([RuleFault("$", "UNKNOWN_GROUP", "names a group that is not the organisation's").to_json()])


def _met(node: Normal, literal: Literal) -> Normal:
    """The tree with one criterion taken as met."""
    if isinstance(node, Literal):
        return Quorum(0, (), node.path) if node is literal else node
    return Quorum(node.n, tuple(_met(part, literal) for part in node.of), node.path)


def _count(condition: Q) -> Count:
    return Count("pk", filter=condition)
