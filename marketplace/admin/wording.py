"""Rules and verdicts in words, for people."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html

from accounts.admin.rendering import NOTHING, as_json, badge, moment, sentences
from marketplace.models import Application, CandidateGroup, EligibilityWaiver
from marketplace.queries.naming import names_of
from marketplace.queries.refusals import disclosed_changes
from marketplace.queries.skills import skill_names
from marketplace.queries.waivers import Waived, waivers_of
from matching.core import rules
from matching.core.eligibility import Verdict


def rule_in_words(raw: Any) -> str:
    """A stored rule as a line of English; the JSON itself where it cannot be read any more."""
    try:
        rule = rules.load(raw)
    except rules.InvalidRule:
        return as_json(raw)
    lists = CandidateGroup.objects.in_bulk(_lists_in(rule))
    groups = {pk: group.name for pk, group in lists.items()}
    return rules.text(rule, names_of(skill_names(rules.skill_ids(rule)), groups))


def _lists_in(rule: rules.Rule) -> set[Any]:
    """Ids of the lists of candidates that a rule names."""
    asked: set[Any] = set()
    for one in rules.criteria(rule):
        if isinstance(one, rules.Compare) and one.name == "groups" and not isinstance(one.value, bool):
            asked.update(one.value if isinstance(one.value, tuple) else [one.value])
    return asked


def verdict_in_words(raw: Any, *, let_in: Waived | None = None) -> str:
    """A stored verdict: its outcome, every reason, what would change it, and what it rests on. `let_in` says between
    whom and when it was given, to find who waived the rule."""
    if not raw:
        return NOTHING
    try:
        verdict = Verdict.from_json(raw)
    except (KeyError, TypeError, ValueError, AttributeError):  # written by an older version
        return as_json(raw)
    names = names_of(skill_names(_ids_in(raw)))
    lines = [reason.sentence(names) for reason in verdict.failed]
    lines += [
        f"{'Unknown' if question.asked_of_candidate else 'Unknown, not for the candidate to answer'}:"
        f" {question.sentence(names)}"
        for question in verdict.unknown
    ]
    if verdict.nearest:
        lines.append(f"Nearest change: {verdict.nearest.sentence(names)}")
    if verdict.waived:
        waiver = waivers_of([let_in]).get(let_in) if let_in else None
        lines.insert(0, _waiver_in_words(waiver) if waiver else "Let in by a waiver.")
    return format_html("<div>{} judged on {}{}</div>{}", badge(verdict.outcome.value), verdict.on,
                       _basis_in_words(verdict), sentences(lines, empty=""))  # fmt: skip


def changes_in_words(application: Application) -> str:
    """What the candidate changed soon after they were refused for it."""
    names = names_of(skill_names(_ids_in(application.changed_after_refusal)))
    return sentences(change.sentence(names) for change in disclosed_changes(application, rules.Disclosure.STAFF))


def _waiver_in_words(waiver: EligibilityWaiver) -> str:
    return f"Let in by a waiver of {waiver.granted_by} until {moment(waiver.until)}: {waiver.reason}"


def _basis_in_words(verdict: Verdict) -> str:
    basis = verdict.basis
    parts = [
        f", {what} {number}"
        for what, number in (
            ("by the rule of revision", basis.rule_revision),
            ("facts of revision", basis.candidate_revision),
            ("taxonomy", basis.taxonomy_revision),
            ("exchange rates", basis.exchange_rates),
        )
        if number is not None
    ]
    return "".join(parts)


def _ids_in(raw: Any) -> set[int]:
    """Whatever may be the id of a skill; names that nobody asks for do no harm."""
    if isinstance(raw, dict):
        found = {raw[key] for key in ("skill", "skill_id", "counts_as", "key") if isinstance(raw.get(key), int)}
        return found.union(*map(_ids_in, raw.values()))
    if isinstance(raw, list):
        return set().union(*map(_ids_in, raw))
    return set()
