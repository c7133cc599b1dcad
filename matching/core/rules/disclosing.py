"""How much of a rule an audience may see, and where its criteria stand in what they see."""

from __future__ import annotations

import re
from functools import lru_cache

from matching.core.rules.grammar import All, Disclosure, Rule, criteria


def disclosed(rule: Rule, audience: Disclosure) -> Rule | None:
    """The parts of a rule that an audience may see; None where nothing can be told without betraying the rest."""
    if strictest(rule).is_open_to(audience):
        return rule
    if not isinstance(rule, All):
        return None
    parts = tuple(part for part in rule.of if strictest(part).is_open_to(audience))
    return All(parts) if parts else None


def strictest(rule: Rule) -> Disclosure:
    """To whom every criterion of a rule may be shown."""
    return max((each.disclosure for each in criteria(rule)), key=lambda each: each.rank, default=Disclosure.PUBLIC)


@lru_cache(maxsize=4096)  # one rule judges many candidates
def openness(rule: Rule) -> tuple[Disclosure, ...]:
    """To whom each part of the outer `all` may be shown. A rule that is no `all` has one part, itself."""
    return tuple(map(strictest, rule.of if isinstance(rule, All) else (rule,)))


def shown_path(path: str, parts: tuple[Disclosure, ...] | None, audience: Disclosure) -> str:
    """A criterion's path within what `disclosed` leaves of its rule; empty where it leaves the criterion out.

    Parts that are left out are not counted: a gap in the numbers would tell of them. `parts` is the rule's openness,
    None where it is not known.
    """
    if parts is None:
        return path if audience is Disclosure.STAFF else ""
    if all(part.is_open_to(audience) for part in parts):
        return path
    match = re.match(r"\$\.all\[(\d+)\](.*)", path)
    if match is None or not parts[int(match[1])].is_open_to(audience):
        return ""
    before = sum(part.is_open_to(audience) for part in parts[: int(match[1])])
    return f"$.all[{before}]{match[2]}"
