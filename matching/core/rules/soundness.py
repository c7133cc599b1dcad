"""Rules that are well formed and still make no sense: criteria that exclude nobody, demands that nobody can meet.

What one conjunction asks of one fact is tried in every world of that fact, so a contradiction is found wherever there
is one, also when it is written as negations, and none is claimed that somebody could meet. The same search finds what
other criteria of a conjunction imply already, and alternatives of which everybody meets one. Rules that contradict
themselves only across an `any` are not searched for: that is as hard as satisfiability, and no recruiter writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from matching.core.attributes import ORDERED, SEVERAL
from matching.core.rules.faults import Faults
from matching.core.rules.grammar import Compare, HasSkill, HoursOverlap, Rule
from matching.core.rules.normal import Literal, Normal, Quorum, literals, normal
from matching.core.rules.worlds import Answers, answers, subject

CONTRADICTION, EXCLUDES_NOBODY = "CONTRADICTION", "EXCLUDES_NOBODY"


def check(rule: Rule, faults: Faults) -> None:
    node = normal(rule)
    sound = {literal.path for literal in literals(node) if _check_alone(literal, faults)}
    for conjunction in _conjunctions(node):
        for together in _by_subject(literal for literal in conjunction if literal.path in sound):
            if not _check_contradiction(together, faults):
                _check_implied(together, faults)
    for quorum in _quorums(node):
        if not quorum.is_conjunction:
            _check_quorum(quorum, sound, faults)


def _by_subject(found: Iterable[Literal]) -> list[list[Literal]]:
    groups: dict[tuple[Hashable, ...], list[Literal]] = defaultdict(list)
    for literal in found:
        groups[subject(literal.criterion)].append(literal)
    return list(groups.values())


# One criterion


def _check_alone(literal: Literal, faults: Faults) -> bool:
    """Whether some meet it and some do not. A bound at the very end of what a fact can be excludes nobody, or,
    turned round, everybody."""
    found = answers([literal])
    if found is None or (found[0].yes and found[0].no):
        return True
    if found[0].yes:
        faults.add(literal.path, EXCLUDES_NOBODY, _always(literal))
    else:
        faults.add(literal.path, CONTRADICTION, _never(literal))
    return False


def _always(literal: Literal) -> str:
    criterion = literal.criterion
    if isinstance(criterion, Compare) and criterion.attribute.kind in ORDERED:
        return f"every {criterion.attribute.label} is so: use exists to ask that it be known"
    return "everybody meets this whose fact is known"


def _never(literal: Literal) -> str:
    criterion = literal.criterion
    if isinstance(criterion, Compare) and criterion.attribute.kind in ORDERED:
        return f"no {criterion.attribute.label} is ever so"
    if isinstance(criterion, HoursOverlap) and criterion.minutes > criterion.length:
        return f"the window is only {criterion.length} minutes long"
    return "nobody can meet this"


# Criteria of one conjunction about one fact


def _check_contradiction(together: Sequence[Literal], faults: Faults) -> bool:
    """Whether nobody meets all. The fault is the first that leaves nobody."""
    bad = _first_clash(together)
    if bad is not None:
        faults.add(bad.path, CONTRADICTION, "nobody can meet this together with what stands before it")
    return bad is not None


def _first_clash(together: Sequence[Literal]) -> Literal | None:
    # Another skill may meet a wish for any narrower one. What is barred, though, is barred for the skill itself too.
    alike = [literal for literal in together if not (literal.wanted and _counts_narrower(literal))]
    last_straw = None
    if _leaves_nobody(alike):
        last_straw = next(literal for place, literal in enumerate(alike) if _leaves_nobody(alike[: place + 1]))
    for place, literal in enumerate(together):
        if literal is last_straw or any(_bars(earlier, literal) for earlier in together[:place]):
            return literal
    return None


def _leaves_nobody(together: Sequence[Literal]) -> bool:
    found = answers(together) if together else None
    if found is None:
        return False
    remaining = -1
    for answer in found:
        remaining &= answer.yes
    return not remaining


def _bars(one: Literal, other: Literal) -> bool:
    """Whether of two literals about a skill and its narrower kinds one rules out the other."""
    asked, barred = (one.criterion, other.criterion) if one.wanted else (other.criterion, one.criterion)
    return (
        one.wanted is not other.wanted
        and isinstance(asked, HasSkill)
        and isinstance(barred, HasSkill)
        and asked.narrower
        and _implies(asked, barred)
    )


def _check_implied(together: Sequence[Literal], faults: Faults) -> None:
    """A criterion that follows from others excludes nobody whom they do not. The weaker one is refused; of equals, the
    later. One that follows only from criteria which fewer may see stays: it tells the others what is asked."""
    if len(together) < 2:
        return
    found = None if _holds_several(together[0]) else answers(together)
    kept = list(range(len(together)))
    for place in reversed(range(len(together))):
        literal = together[place]
        rank = literal.criterion.disclosure.rank
        others = [other for other in kept if other != place and together[other].criterion.disclosure.rank <= rank]
        if any(map(_counts_narrower, together)):
            implied = any(_leads_to(together[other], literal) for other in others)
        elif _holds_several(literal):  # whose worlds depend on the literals compared
            implied = _follows(answers([literal, *(together[other] for other in others)]) or [])
        else:
            implied = found is not None and _follows([found[place], *(found[other] for other in others)])
        if implied:
            kept.remove(place)
    for place in sorted(set(range(len(together))) - set(kept)):
        problem = "excludes nobody whom the other criteria beside it do not exclude already"
        faults.add(together[place].path, EXCLUDES_NOBODY, problem)


def _follows(found: Sequence[Answers]) -> bool:
    """Whether a conjunction answers the same without its first literal, also where facts are missing."""
    if len(found) < 2:
        return False
    all_yes, some_no = -1, 0
    for other in found[1:]:
        all_yes &= other.yes
        some_no |= other.no
    return all_yes & ~found[0].yes == 0 and found[0].no & ~some_no == 0


def _leads_to(one: Literal, other: Literal) -> bool:
    a, b = one.criterion, other.criterion
    if one.wanted is not other.wanted or not isinstance(a, HasSkill) or not isinstance(b, HasSkill):
        return False
    return _implies(a, b) if one.wanted else _implies(b, a)


def _implies(one: HasSkill, other: HasSkill) -> bool:
    """Whether whoever meets the one meets the other, both of the same skill."""
    return (
        (other.narrower or not one.narrower)
        and other.min_level <= one.min_level
        and (other.min_years or 0) <= (one.min_years or 0)
        and (
            other.used_within_months is None
            or (one.used_within_months is not None and one.used_within_months <= other.used_within_months)
        )
    )


def _holds_several(literal: Literal) -> bool:
    return isinstance(literal.criterion, Compare) and literal.criterion.attribute.kind in SEVERAL


def _counts_narrower(literal: Literal) -> bool:
    return isinstance(literal.criterion, HasSkill) and literal.criterion.narrower


# Alternatives


def _check_quorum(quorum: Quorum, sound: set[str], faults: Faults) -> None:
    """`any` of criteria of which everybody meets one excludes nobody; so does a number that is always reached. A number
    that is never reached excludes everybody."""
    fewest, most = 0, 0
    covering: Literal | None = None
    single = [part for part in quorum.of if isinstance(part, Literal) and part.path in sound]
    for together in _by_subject(single):
        low, high = _met_at_once(together)
        fewest, most = fewest + low, most + high
        if low and covering is None:
            covering = next(literal for place, literal in enumerate(together) if _met_at_once(together[: place + 1])[0])
    if most + len(quorum.of) - len(single) < quorum.n:
        faults.add(quorum.path, CONTRADICTION, f"nobody can meet {quorum.n} of these")
    elif fewest >= quorum.n:
        path = covering.path if covering is not None and quorum.n == 1 else quorum.path
        faults.add(path, EXCLUDES_NOBODY, "everybody meets enough of these whose facts are known")


def _met_at_once(together: Sequence[Literal]) -> tuple[int, int]:
    """How many of these literals about one fact hold at least, and at most, for anybody. Not less is claimed than might
    be met, and not more than must be."""
    if any(map(_counts_narrower, together)):
        covers = any(
            one.wanted and not other.wanted and _implies(other.criterion, one.criterion)  # type: ignore[arg-type]
            for one in together
            for other in together
        )
        return int(covers), len(together)
    found = answers(together)
    if found is None:
        return 0, len(together)
    if _holds_several(together[0]):
        never = -1
        for answer in found:
            never &= answer.no
        return int(not never), len(together)
    worlds = range(max((answer.yes | answer.no).bit_length() for answer in found))
    return (
        min(sum(not answer.no >> world & 1 for answer in found) for world in worlds),
        max(sum(answer.yes >> world & 1 for answer in found) for world in worlds),
    )


# The shape of a rule


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
