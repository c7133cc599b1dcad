"""What a rule would do to the people there are, before it is set: counted while a recruiter edits.

People are counted over the roster, the copy in memory, and in SQL while there is none; both are exact and as fresh as
the database. Everybody but staff is told counts as `matching.core.suppression` has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from accounts.access import organisations_of
from accounts.core.actor import Actor
from accounts.errors import NotPermitted
from marketplace.access import access_opportunity
from marketplace.errors import RuleRefused
from marketplace.models import CandidateGroup, Opportunity, Skill
from marketplace.queries.naming import names_of
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.rules import ceilings_of
from marketplace.queries.skills import narrower_skills, survivors
from marketplace.queries.terms import snapshot
from matching.core import suppression
from matching.core.columns import CriterionCounts, JudgedRule, Split
from matching.core.names import NO_NAMES, Names
from matching.core.relaxing import Step, code_columns, nodes, stepped, steps, with_code
from matching.core.rules import (
    OPEN_TO_ALL,
    AtLeast,
    Compare,
    Criterion,
    Grounds,
    InvalidRule,
    Literal,
    Not,
    Quorum,
    RateWithinPay,
    Rule,
    RuleFault,
    criteria,
    dump,
    literals,
    load,
    normal,
    parse,
    resolved,
    skill_ids,
    text,
)
from matching.core.rules.normal import Normal
from matching.core.suppression import Told
from matching.queries.eligibility import MOST_CRITERIA, CountedRule, found_by, hidden_from, literal_text
from matching.queries.roster import keeper

MOST_RELAXATIONS = 6
RELAXED_CRITERIA = 12  # those whose dropping would gain most
MOST_STEPS = 24  # of one criterion: of a long list, not every value is tried
MORE_CODES = 3  # of the countries, regions or kinds of work that could be accepted as well, the most frequent


@dataclass(frozen=True, slots=True)
class CriterionPreview:
    """One criterion of a rule. `path` is its place in the rule's JSON, `sentence` says it for people.

    `fail` is how many surely fail it, whatever the rest says; `unknown` of how many it is not known. `alone` is how
    many only it keeps out: who would not be refused if it were met. `gain` is how many more would be eligible then.
    """

    path: str
    sentence: str
    fail: Told
    unknown: Told
    alone: Told
    gain: Told


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A small change that gains people. `before` and `after` are the part of the rule at `path` in words; nothing is
    after it if it is dropped. `rule` is the whole rule after the change, with inner ids."""

    path: str
    before: str
    after: str | None
    rule: dict[str, Any]
    gain: Told


@dataclass(frozen=True, slots=True)
class Preview:
    """How many people, of those the asker may find, a rule accepts, cannot tell of, and refuses."""

    sentence: str
    eligible: Told
    unknown: Told
    ineligible: Told
    per_criterion: tuple[CriterionPreview, ...]
    relaxations: tuple[Relaxation, ...]


class Counted(Protocol):
    """A rule counted over people, wherever they are kept."""

    def criteria(self, asked: Sequence[Literal]) -> tuple[Split, tuple[CriterionCounts, ...]]: ...

    def loosened(self, nodes: Sequence[Normal]) -> list[Split]: ...

    def gained_codes(self, path: str, column: str) -> dict[str, int]: ...


def preview(
    rule: Mapping[str, Any] | None, *, actor: Actor, now: datetime, opportunity_id: UUID | None = None
) -> Preview:
    """Count a rule, given as stored JSON; what an opportunity pays is that of `opportunity_id`, which the actor must be
    allowed to change. Raises RuleRefused; NotFound; NotPermitted, also for those who recruit for nobody."""
    if not (actor.is_staff or actor.is_system or organisations_of(actor).exists()):
        raise NotPermitted("recruit for an organisation")
    opportunity = access_opportunity(actor, opportunity_id, to="manage") if opportunity_id is not None else None
    parsed, skills = _read(rule)
    _check_pay(parsed, opportunity)
    groups = _groups_of(parsed, actor, opportunity)
    on = now.astimezone(UTC).date()
    became = survivors(skills)
    narrower = narrower_skills(became.get(skill_id, skill_id) for skill_id in skills)
    ceilings = None
    if opportunity is not None and any(isinstance(one, RateWithinPay) for one in criteria(parsed)):
        ceilings = ceilings_of(snapshot(opportunity), rates_of(current_rate_set(on=on)))
    return previewed(parsed, Grounds(became, narrower, ceilings), actor=actor, now=now, names=names_of(skills, groups))


def previewed(rule: Rule, grounds: Grounds, *, actor: Actor, now: datetime, names: Names = NO_NAMES) -> Preview:
    """Count a rule that was checked; `grounds` know the narrower kinds of all its skills, so that they can be tried."""
    on = now.astimezone(UTC).date()
    tree = normal(resolved(rule, grounds))
    crowd = keeper.crowd(without=hidden_from(actor))
    counted: Counted = JudgedRule(tree, crowd, on) if crowd is not None else CountedRule(tree, found_by(actor), on)
    telling = Telling(rule, names, openly=actor.is_staff or actor.is_system)
    whole, counts = counted.criteria(list(literals(tree))[:MOST_CRITERIA])
    shown = telling.rule_split(whole)
    return Preview(
        sentence=text(rule, names),
        eligible=shown.eligible,
        unknown=shown.unknown,
        ineligible=shown.ineligible,
        per_criterion=tuple(telling.criterion(one, whole) for one in counts),
        relaxations=telling.best(_relaxed(rule, grounds, tree, counted, whole, counts), whole),
    )


def _read(raw: Mapping[str, Any] | None) -> tuple[Rule, dict[int, str]]:
    """The rule, and the names of the skills in it."""
    try:
        skills = dict(Skill.objects.filter(pk__in=skill_ids(load(raw))).values_list("pk", "name"))
        return parse(raw, known_skills=skills), skills
    except InvalidRule as error:
        raise RuleRefused([fault.to_json() for fault in error.faults]) from error


def _check_pay(rule: Rule, opportunity: Opportunity | None) -> None:
    if opportunity is None:
        problem = "asks about an opportunity's pay, so say which opportunity"
        faults = [
            RuleFault(literal.path, "NEEDS_OPPORTUNITY", problem).to_json()
            for literal in literals(normal(rule))
            if isinstance(literal.criterion, RateWithinPay)
        ]
        if faults:
            raise RuleRefused(faults)


def _groups_of(rule: Rule, actor: Actor, opportunity: Opportunity | None) -> dict[int, str]:
    """The names of the groups in the rule. Another organisation's lists could be read through a count."""
    asked = list(named_groups(rule))
    if not asked:
        return {}
    groups = CandidateGroup.objects.filter(pk__in={pk for _, pk in asked if not isinstance(pk, bool)})
    if opportunity is not None:
        groups = groups.filter(organisation_id=opportunity.posting_organisation_id)
    found = dict(groups.filter(organisation__in=organisations_of(actor)).values_list("pk", "name"))
    foreign = {path for path, pk in asked if isinstance(pk, bool) or pk not in found}
    if foreign:
        problem = "names a group that is not the organisation's"
        raise RuleRefused([RuleFault(path, "UNKNOWN_GROUP", problem).to_json() for path in sorted(foreign)])
    return found


def named_groups(rule: Rule) -> Iterator[tuple[str, Any]]:
    """Each group (inner id) that the rule names, with the path of the criterion; a bool where it asks for any."""
    for literal in literals(normal(rule)):
        one = literal.criterion
        if isinstance(one, Compare) and one.name == "groups":
            for value in one.value if isinstance(one.value, tuple) else (one.value,):
                yield literal.path, value


def _relaxed(
    rule: Rule, grounds: Grounds, tree: Normal, counted: Counted, whole: Split, counts: Sequence[CriterionCounts]
) -> list[tuple[Step, Split]]:
    """Every step that gains somebody, of the criteria that keep most people out, with the split after it."""
    gains = {one.literal.path: one.without.eligible - whole.eligible for one in counts}
    worth = sorted((path for path in gains if gains[path] > 0), key=lambda path: (-gains[path], path))
    chosen = set(worth[:RELAXED_CRITERIA])
    places = {path: (node, wanted) for path, node, wanted in nodes(rule)}
    dropped = {one.literal.path: one.without for one in counts}
    found: list[Step] = []
    tried = Counter[str]()
    for step in steps(rule):
        if step.path in chosen or isinstance(step.part, AtLeast):
            tried[step.path] += 1
            if step.part is None or tried[step.path] <= MOST_STEPS:
                found.append(step)
    for path in sorted(chosen):
        criterion, wanted = places[path]
        if isinstance(criterion, Criterion):
            found += _more_codes(path, criterion, wanted, counted)
    changed = [step for step in found if step.part is not None]
    quorums = {node.path: node for node in _quorums(tree)}
    splits = counted.loosened([_normal_of(step, places, quorums, grounds) for step in changed])
    every = [*zip(changed, splits, strict=True)]
    every += [(step, dropped[step.path]) for step in found if step.part is None]
    return [(step, split) for step, split in every if split.eligible > whole.eligible]


def _more_codes(path: str, criterion: Criterion, wanted: bool, counted: Counted) -> list[Step]:
    found: list[Step] = []
    for column in code_columns(criterion, wanted):
        frequent = counted.gained_codes(path, column)
        widened = [
            (code, more)
            for code in sorted(frequent, key=lambda code: (-frequent[code], code))
            if frequent[code] and (more := with_code(criterion, code)) is not None
        ]
        found += [Step(path, more, 1) for _, more in widened[:MORE_CODES]]
    return found


def _quorums(node: Normal) -> list[Quorum]:
    return [] if isinstance(node, Literal) else [node, *(inner for part in node.of for inner in _quorums(part))]


def _normal_of(
    step: Step, places: Mapping[str, tuple[Rule, bool]], quorums: Mapping[str, Quorum], grounds: Grounds
) -> Normal:
    """What stands in the rule's normal form after a step."""
    _, wanted = places[step.path]
    if isinstance(step.part, AtLeast):
        quorum = quorums[step.path]
        return Quorum(quorum.n - 1, quorum.of, quorum.path)
    assert isinstance(step.part, Criterion)
    changed = resolved(step.part, grounds)
    assert isinstance(changed, Criterion)
    return Literal(changed, wanted, step.path)


def _is_sound(rule: Rule, step: Step) -> bool:
    """Whether the rule could be set after the step."""
    try:
        parse(dump(stepped(rule, step)))
    except InvalidRule:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of counts, and in which words."""

    rule: Rule
    names: Names
    openly: bool

    def split(self, split: Split, rule: Rule) -> suppression.ToldSplit:
        if self.openly:
            return suppression.told_openly(split)
        return suppression.told_all(split.people) if rule == OPEN_TO_ALL else suppression.told(split)

    def rule_split(self, whole: Split) -> suppression.ToldSplit:
        return self.split(whole, self.rule)

    def criterion(self, one: CriterionCounts, whole: Split) -> CriterionPreview:
        before = self.rule_split(whole)
        after = self.split(one.without, stepped(self.rule, Step(one.literal.path, None, 0)))
        fail, unknown = self._own(one.alone, whole)
        return CriterionPreview(
            path=one.literal.path,
            sentence=literal_text(one.literal, self.names),
            fail=fail,
            unknown=unknown,
            alone=self._difference(whole.ineligible, one.without.ineligible, before.ineligible, after.ineligible),
            gain=self._dropped(self._difference(one.without.eligible, whole.eligible, after.eligible, before.eligible)),
        )

    def best(self, relaxed: Collection[tuple[Step, Split]], whole: Split) -> tuple[Relaxation, ...]:
        """A handful, those first that gain most for what is given up, by what is told of it. To drop a criterion is the
        last resort, and stands at the end."""
        before = self.rule_split(whole)
        places = {path: (node, wanted) for path, node, wanted in nodes(self.rule)}
        gains = {}
        for step, split in relaxed:
            after = self.split(split, stepped(self.rule, step))
            gain = self._difference(split.eligible, whole.eligible, after.eligible, before.eligible)
            if step.part is None:
                gain = self._dropped(gain)
            elif gain == suppression.HIDDEN:
                gain = Told(None, after.eligible.at_most, False)
            gains[step] = gain
        ranked = sorted(gains, key=lambda step: (-gains[step].size / step.effort, step.effort, step.path))
        sound = (step for step in ranked if _is_sound(self.rule, step))
        smaller: list[Step] = []
        dropped: list[Step] = []
        for step in sound:
            (dropped if step.part is None else smaller).append(step)
            if len(smaller) >= MOST_RELAXATIONS - 1 and dropped:
                break
        smaller = smaller[: MOST_RELAXATIONS - 1]
        return tuple(
            Relaxation(
                path=step.path,
                before=self._words(*places[step.path]),
                after=None if step.part is None else self._words(step.part, places[step.path][1]),
                rule=dump(stepped(self.rule, step)),
                gain=gains[step],
            )
            for step in (*smaller, *dropped[: MOST_RELAXATIONS - len(smaller)])
        )

    def _own(self, alone: Split, whole: Split) -> tuple[Told, Told]:
        if self.openly:
            return suppression.exactly(alone.ineligible), suppression.exactly(alone.unknown)
        if sum(1 for _ in criteria(self.rule)) == 1:
            own = suppression.told(alone)
            return own.ineligible, own.unknown
        return suppression.told_criterion(alone, whole)

    def _dropped(self, gain: Told) -> Told:
        """What dropping gains. A bound on it is a count of the other criterion's, where there are two."""
        if gain.exact or gain == suppression.FEW or sum(1 for _ in criteria(self.rule)) == 1:
            return gain
        return suppression.HIDDEN

    def _difference(self, more: int, less: int, more_told: Told, less_told: Told) -> Told:
        if self.openly:
            return suppression.exactly(more - less)
        return suppression.told_difference(more, less, more_told, less_told)

    def _words(self, part: Rule, wanted: bool) -> str:
        return text(part if wanted else Not(part), self.names)
