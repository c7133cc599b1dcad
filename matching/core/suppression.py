"""Counts of people, told so that nobody is counted out: what those who recruit see of a count under ten.

So few people are somebody one knows. Hence a count below `FEWEST` is not told; and since a hidden part follows from
the others when the whole is known, another part is hidden with it.

**Splits.** An answer is made of splits of the same people in three: by the rule, by each criterion, by the rule without
a criterion, by each relaxed rule. Each is a rule that could be asked for on its own, and how many people there are is
the answer to the empty rule. So a split is protected by what it holds and nothing else, and looks the same wherever it
turns up: parts below `FEWEST` are hidden, and as long as fewer than two are, or those hidden come to less than
`LEAST_HIDDEN`, so is the smallest of the others. Whoever subtracts what is shown learns what the hidden parts come to
together, and that each may be anything from none to nine. A part hidden for the others' sake that has `ROUNDED` people
or more is given in two significant digits, which leaves hundreds open; else no more is said than that sum.

**Differences.** What a criterion alone keeps out and what a change would gain are differences of two splits. They are
told where both ends are, and hidden below `FEWEST`. Of two criteria the split without the one is the other's own: so
where a difference is hidden, the counts of every criterion that come as close to the rule's are hidden too.

**What this does not do.** It does not search for what three and more criteria tell together by inclusion and exclusion.
And whoever asks twice, for rules that one person's facts tell apart, sees two exact counts differ. Only noise would
hinder that, and exact counts are what a preview is for.
"""

from __future__ import annotations

from dataclasses import dataclass

from matching.core.columns.counting import Split

FEWEST = 10
LEAST_HIDDEN = 2 * FEWEST
ROUNDED = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """A count as it is told: exactly; as an estimate within five in a hundred; or only as at most so many."""

    value: int | None
    at_most: int | None
    exact: bool

    @property
    def label(self) -> str:
        if self.value is not None:
            return f"{self.value:,}" if self.exact else f"about {self.value:,}"
        if self.at_most is None:
            return "not shown"
        return f"fewer than {FEWEST}" if self.at_most < FEWEST else f"at most {self.at_most:,}"

    @property
    def size(self) -> int:
        """What to rank it by: nothing but what is told."""
        return self.value if self.value is not None else self.at_most or 0


@dataclass(frozen=True, slots=True)
class ToldSplit:
    eligible: Told
    unknown: Told
    ineligible: Told


FEW = Told(None, FEWEST - 1, False)
HIDDEN = Told(None, None, False)


def exactly(count: int) -> Told:
    return Told(count, None, True)


def told_openly(split: Split) -> ToldSplit:
    return ToldSplit(exactly(split.eligible), exactly(split.unknown), exactly(split.ineligible))


def told_all(people: int) -> ToldSplit:
    """The split by the empty rule: that it keeps nobody out is no secret."""
    return ToldSplit(exactly(people) if people >= FEWEST else FEW, exactly(0), exactly(0))


def told(split: Split) -> ToldSplit:
    parts = (split.eligible, split.unknown, split.ineligible)
    hidden = {at for at, part in enumerate(parts) if part < FEWEST}
    if hidden:
        for at in sorted(range(len(parts)), key=lambda at: (parts[at], at)):
            if len(hidden) > 1 and sum(parts[each] for each in hidden) >= LEAST_HIDDEN:
                break
            hidden.add(at)
    rest = sum(parts[at] for at in hidden)
    return ToldSplit(*(_hide(part, rest) if at in hidden else exactly(part) for at, part in enumerate(parts)))


def _hide(part: int, rest: int) -> Told:
    if part < FEWEST:
        return FEW
    return Told(rounded(part), None, False) if part >= ROUNDED else Told(None, rest, False)


def rounded(count: int) -> int:
    """In two significant digits: within five in a hundred."""
    unit: int = 10 ** (len(str(count)) - 2)
    return (count + unit // 2) // unit * unit


def told_difference(more: int, less: int, more_told: Told, less_told: Told) -> Told:
    """How many more there are in one part than in another that it contains.

    Where the smaller is too few to be told, the difference is said to be at most the larger: so a rule that accepts
    nearly nobody still shows what a change would gain, to within nine people.
    """
    if more_told.exact and less_told.exact:
        return exactly(more - less) if more - less >= FEWEST else FEW
    if less_told == FEW and more_told.exact:
        return Told(None, more, False)
    return FEW if more_told == FEW else HIDDEN


def told_criterion(alone: Split, rule: Split) -> tuple[Told, Told]:
    """How many fail a criterion and of how many it is not known, of a rule with others besides it."""
    own = told(alone)
    if abs(rule.ineligible - alone.ineligible) < FEWEST or abs(alone.eligible - rule.eligible) < FEWEST:
        return tuple(FEW if part == FEW else HIDDEN for part in (own.ineligible, own.unknown))  # type: ignore
    return own.ineligible, own.unknown
