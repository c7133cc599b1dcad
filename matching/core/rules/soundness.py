"""Rules that are well formed and still make no sense: criteria that exclude nobody, conjunctions that accept nobody.

Contradictions are found where the intervals of one fact within one conjunction do not meet, also when they are
written as negations. Rules that contradict themselves only across an `any` are not searched for: that is as hard as
satisfiability, and no recruiter writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard

from matching.core.attributes import ORDERED, SEVERAL, Attribute, Operator
from matching.core.rules.faults import Faults
from matching.core.rules.grammar import Compare, Criterion, HasLanguage, HasSkill, MayWorkIn, Rule
from matching.core.rules.normal import Literal, Normal, Quorum, literals, normal

NEGATED = {
    Operator.LT: Operator.GTE,
    Operator.LTE: Operator.GT,
    Operator.GT: Operator.LTE,
    Operator.GTE: Operator.LT,
}

Comparable: TypeAlias = Any  # the type that the attribute has; one interval holds values of one attribute


def check(rule: Rule, faults: Faults) -> None:
    node = normal(rule)
    for literal in literals(node):
        _check_alone(literal, faults)
    for conjunction in _conjunctions(node):
        _check_together(conjunction, faults)
    for quorum in _quorums(node):
        _check_alternatives(quorum, faults)


def _check_alone(literal: Literal, faults: Faults) -> None:
    """A bound at the very end of what the fact can be excludes nobody, or, turned round, everybody."""
    criterion = literal.criterion
    if not isinstance(criterion, Compare) or criterion.attribute.kind not in ORDERED:
        return
    attribute = criterion.attribute
    low, high = attribute.lowest, attribute.highest
    match criterion.op, criterion.value:
        case Operator.GTE, value:
            everybody = value == low
        case Operator.LTE, value:
            everybody = value == high
        case Operator.BETWEEN, (first, last):
            everybody = low is not None and first == low and last == high
        case Operator.LT, value:
            if value == low:
                faults.add(literal.path, "CONTRADICTION" if literal.wanted else "EXCLUDES_NOBODY", _never(attribute))
            return
        case Operator.GT, value:
            if value == high:
                faults.add(literal.path, "CONTRADICTION" if literal.wanted else "EXCLUDES_NOBODY", _never(attribute))
            return
        case _:
            return
    if everybody:
        problem = f"every {attribute.label} is so: use exists to ask that it be known"
        faults.add(literal.path, "EXCLUDES_NOBODY" if literal.wanted else "CONTRADICTION", problem)


def _never(attribute: Attribute) -> str:
    return f"no {attribute.label} is ever so"


@dataclass
class _Interval:
    """What a conjunction leaves of one ordered fact."""

    low: Comparable = None
    low_open: bool = False
    high: Comparable = None
    high_open: bool = False
    among: frozenset | None = None  # the only values left, where a criterion lists them
    barred: set = field(default_factory=set)

    def narrow(self, op: Operator, value: Comparable, wanted: bool) -> None:
        if op in (Operator.EQ, Operator.IN):
            values = frozenset((value,) if op is Operator.EQ else value)
            if wanted:
                self.among = values if self.among is None else self.among & values
            else:
                self.barred |= values
        elif op is Operator.BETWEEN:
            if wanted:
                self.narrow(Operator.GTE, value[0], True)
                self.narrow(Operator.LTE, value[1], True)
        else:
            op = op if wanted else NEGATED[op]
            if isinstance(value, int):  # between 4 and 5 hours there is no third
                if op is Operator.GT:
                    op, value = Operator.GTE, value + 1
                elif op is Operator.LT:
                    op, value = Operator.LTE, value - 1
            if op in (Operator.GT, Operator.GTE):
                if self.low is None or value >= self.low:
                    self.low_open = op is Operator.GT or (value == self.low and self.low_open)
                    self.low = value
            elif self.high is None or value <= self.high:
                self.high_open = op is Operator.LT or (value == self.high and self.high_open)
                self.high = value

    def holds(self, value: Comparable) -> bool:
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below and value not in self.barred

    def is_empty(self) -> bool:
        if self.among is not None:
            return not any(self.holds(value) for value in self.among)
        if self.low is None or self.high is None:
            return False
        if self.low == self.high:
            return not self.holds(self.low)
        return self.low > self.high


def _check_together(conjunction: list[Literal], faults: Faults) -> None:
    intervals: dict[str, _Interval] = defaultdict(_Interval)
    seen: dict[object, list[Literal]] = defaultdict(list)
    refused: set[object] = set()
    for literal in conjunction:
        criterion = literal.criterion
        subject = _subject(criterion)
        if subject in refused:
            continue  # one fault a subject: the rest follow from it
        clash = any(_clash(earlier, literal) for earlier in seen[subject])
        if _has_interval(criterion):
            intervals[criterion.name].narrow(criterion.op, criterion.value, literal.wanted)
            clash = clash or intervals[criterion.name].is_empty()
        if clash:
            refused.add(subject)
            faults.add(literal.path, "CONTRADICTION", "nobody can meet this together with what stands before it")
        seen[subject].append(literal)


def _has_interval(criterion: Criterion) -> TypeGuard[Compare]:
    if not isinstance(criterion, Compare) or criterion.op is Operator.EXISTS:
        return False
    return criterion.attribute.kind not in SEVERAL


def _subject(criterion: object) -> object:
    match criterion:
        case Compare(name):
            return ("attribute", name)
        case HasSkill(skill_id):
            return ("skill", skill_id)
        case HasLanguage(language):
            return ("language", language)
        case MayWorkIn(country):
            return ("workAuthorisation", country)
    raise TypeError(criterion)


def _clash(one: Literal, other: Literal) -> bool:
    """Whether one literal about a subject rules out another about the same."""
    a, b = one.criterion, other.criterion
    if isinstance(a, Compare) and isinstance(b, Compare):
        if Operator.EXISTS in (a.op, b.op):
            return _asks_absence(one) is not _asks_absence(other)
        return one.wanted is not other.wanted and a.op is b.op and a.value == b.value
    if one.wanted is other.wanted:
        return False
    asked, barred = (a, b) if one.wanted else (b, a)
    match asked, barred:
        case HasSkill(), HasSkill():
            return barred.min_level <= asked.min_level and (barred.min_years or 0) <= (asked.min_years or 0)
        case HasLanguage(), HasLanguage():
            return barred.min_level <= asked.min_level
    return True


def _asks_absence(literal: Literal) -> bool:
    criterion = literal.criterion
    return isinstance(criterion, Compare) and criterion.op is Operator.EXISTS and criterion.value is not literal.wanted


def _conjunctions(node: Normal) -> Iterator[list[Literal]]:
    """The literals of every conjunction, those of conjunctions inside it included."""
    if isinstance(node, Literal):
        return
    if not node.is_conjunction:
        for part in node.of:
            yield from _conjunctions(part)
        return
    together: list[Literal] = []
    parts = list(reversed(node.of))
    while parts:
        part = parts.pop()
        if isinstance(part, Literal):
            together.append(part)
        elif part.is_conjunction:
            parts.extend(reversed(part.of))
        else:
            yield from _conjunctions(part)
    yield together


def _quorums(node: Normal) -> Iterator[Quorum]:
    if isinstance(node, Quorum):
        yield node
        for part in node.of:
            yield from _quorums(part)


def _check_alternatives(quorum: Quorum, faults: Faults) -> None:
    """`any` of a criterion and its own negation excludes nobody."""
    if quorum.n != 1 or quorum.is_conjunction:
        return
    offered: set[tuple[object, bool]] = set()
    for part in quorum.of:
        if not isinstance(part, Literal):
            continue
        if (part.criterion, not part.wanted) in offered:
            faults.add(part.path, "EXCLUDES_NOBODY", "everybody meets this or its opposite")
        offered.add((part.criterion, part.wanted))
