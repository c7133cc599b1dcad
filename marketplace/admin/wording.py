"""Rules and verdicts in words, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html

from accounts.admin.rendering import NOTHING, as_json, badge, sentences
from marketplace.models import Skill
from matching.core import rules
from matching.core.eligibility import Verdict


def skill_names(ids: Iterable[int]) -> dict[int, str]:
    ids = list(ids)
    return dict(Skill.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def rule_in_words(raw: Any) -> str:
    """A stored rule as a line of English; the JSON itself where it cannot be read any more."""
    try:
        rule = rules.load(raw)
    except rules.InvalidRule:
        return as_json(raw)
    return rules.text(rule, skill_names(rules.skill_ids(rule)))


def verdict_in_words(raw: Any) -> str:
    """A stored verdict: its outcome, every reason, and what would change it."""
    if not raw:
        return NOTHING
    try:
        verdict = Verdict.from_json(raw)
    except (KeyError, TypeError, ValueError, AttributeError):  # written by an older version
        return as_json(raw)
    names = skill_names(_ids_in(raw))
    lines = [reason.sentence(names) for reason in verdict.failed]
    lines += [f"Unknown: {question.sentence(names)}" for question in verdict.unknown]
    if verdict.nearest:
        lines.append(f"Nearest change: {verdict.nearest.sentence(names)}")
    waived = "Let in by a waiver. " if verdict.waived else ""
    return format_html("<div>{} {}judged on {}</div>{}", badge(verdict.outcome.value), waived, verdict.on,
                       sentences(lines, empty=""))  # fmt: skip


def _ids_in(raw: Any) -> set[int]:
    """Whatever may be the id of a skill; names that nobody asks for do no harm."""
    if isinstance(raw, dict):
        found = {raw[key] for key in ("skill", "skill_id", "key") if isinstance(raw.get(key), int)}
        return found.union(*map(_ids_in, raw.values()))
    if isinstance(raw, list):
        return set().union(*map(_ids_in, raw))
    return set()
