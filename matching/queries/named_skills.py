"""Skills by what people call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from marketplace.models import Skill, SkillLabel
from marketplace.queries.skills import survivors


def skills_named(names: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Those of these folded names that some skill has, as its own or as a label, with the ids of all that do; merged
    ones stand as what they became, headings count as skills. Two statements, however many names."""
    if not names:
        return {}
    wanted = list(names)
    own = Skill.objects.filter(folded__in=wanted).order_by().values_list("folded", "pk")
    labels = SkillLabel.objects.filter(folded__in=wanted).order_by().values_list("folded", "skill_id")
    named = list(own.union(labels))
    became = survivors(skill_id for _, skill_id in named)
    found: dict[str, set[int]] = defaultdict(set)
    for name, skill_id in named:
        found[name].add(became.get(skill_id, skill_id))
    return {name: tuple(sorted(ids)) for name, ids in found.items()}
