"""Facts that somebody changed soon after they were refused for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime

from accounts.core.actor import ActorKind
from accounts.models import Event
from marketplace.core.asked import Asked, Kept, Subject, as_it_was, asked, in_words, stated_as, survivors_kept
from marketplace.models import Application, CandidateSkill, EligibilityRefusal
from marketplace.queries.eligibility import Judgement
from marketplace.queries.skills import survivors
from matching.core.attributes import ATTRIBUTES, LANGUAGE, PAY, PLACE, SKILL, WORK_AUTHORISATION, WORKING_HOURS
from matching.core.eligibility import Verdict
from matching.core.facts import CandidateFacts
from matching.core.names import Names
from matching.core.rules import Disclosure, Literal, literals, normal
from matching.core.rules.disclosing import shown_path
from matching.core.truth import literal_truth, truth

_LABELS = {
    WORK_AUTHORISATION.name: "authorisation to work in {place}",
    LANGUAGE.name: "{language}",
    PLACE.name: "place of residence",
    WORKING_HOURS.name: "working hours",
    PAY.name: "rate asked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A fact that failed when somebody was refused, and holds since they changed it. `path` is the criterion's place in
    the rule that accepts them now; `was` and `now` are for people; `key` is the skill (inner id), language or country.
    """

    subject: str
    key: str | int | None
    path: str
    was: str
    now: str
    refused_at: datetime
    changed_at: datetime
    disclosure: Disclosure

    def sentence(self, names: Names) -> str:
        """`hours wanted: 20 → 40 hours a week, changed 3 hours after the refusal`."""
        attribute = ATTRIBUTES.get(self.subject)
        unit = f" {attribute.unit}" if attribute and attribute.unit else ""
        after = _span(self.changed_at - self.refused_at)
        return f"{self.label(names)}: {self.was} → {self.now}{unit}, changed {after} after the refusal"

    def label(self, names: Names) -> str:
        if self.subject == SKILL.name:
            return names.skill(int(str(self.key)))
        if self.subject in ATTRIBUTES:
            return ATTRIBUTES[self.subject].label
        label = _LABELS.get(self.subject, self.subject)
        return label.format(place=names.place(str(self.key)), language=names.language(str(self.key)))

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "key": self.key,
            "path": self.path,
            "was": self.was,
            "is": self.now,
            "refusedAt": self.refused_at.isoformat(),
            "changedAt": self.changed_at.isoformat(),
            "disclosure": self.disclosure.value,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> FactChange:
        refused_at, changed_at = parse_datetime(raw["refusedAt"]), parse_datetime(raw["changedAt"])
        assert refused_at is not None
        assert changed_at is not None
        return cls(
            subject=raw["subject"],
            key=raw["key"],
            path=raw["path"],
            was=raw["was"],
            now=raw["is"],
            refused_at=refused_at,
            changed_at=changed_at,
            disclosure=Disclosure(raw["disclosure"]),
        )


def disclosed_changes(application: Application, audience: Disclosure) -> list[FactChange]:
    """What the candidate changed after a refusal, as far as an audience may see it. Candidates see none of it.

    Paths lead into the rule as it is disclosed.
    """
    if audience is Disclosure.PUBLIC or not application.changed_after_refusal:
        return []
    parts = Verdict.from_json(application.verdict).openness
    changes = (FactChange.from_json(one) for one in application.changed_after_refusal)
    return [
        replace(change, path=shown_path(change.path, parts, audience))
        for change in changes
        if change.disclosure.is_open_to(audience)
    ]


def changes_after_refusal(judged: Judgement, *, opportunity_id: int, now: datetime) -> list[FactChange]:
    """The facts that a person changed since they were refused, and without which they would be refused again; none
    where the verdict still is a refusal.

    Refusals of the last `ELIGIBILITY_REFUSAL_DAYS` count. Both the facts of then and those of now are held against
    the present rule on the present day: a rule that became laxer, and time that passed, are nobody's doing. What others
    have verified or stated is not held against anybody. One query where nobody was refused.
    """
    facts, on = judged.facts, judged.verdict.on
    refusals = list(
        EligibilityRefusal.objects.filter(
            opportunity_id=opportunity_id,
            candidate_id=facts.candidate_id,
            at__gte=now - timedelta(days=settings.ELIGIBILITY_REFUSAL_DAYS),
        ).order_by("at", "pk")
    )
    if not refusals or truth(judged.rule, facts, on=on) is False:
        return []
    refused = _first_refused(refusals)
    stated = _stated_since(facts.candidate_id, refusals[0].at)
    verified = _verified_skills(facts.candidate_id)
    changes: dict[Subject, FactChange] = {}
    as_refused = facts
    for literal in literals(normal(judged.rule)):
        present = asked(literal.criterion, facts)
        if present is None or present.subject not in refused:
            continue
        refused_at, kept = refused[present.subject]
        names = stated_as(present.subject)
        changed_at = max((at for at, changed in stated if at >= refused_at and names & changed), default=None)
        then = as_it_was(facts, kept, on=on, verified=verified)
        if changed_at is None or not _turned(literal, then, judged):
            continue
        change = FactChange(
            subject=present.subject[0],
            key=present.subject[1],
            path=literal.path,
            was=in_words(present.subject, kept),
            now=in_words(present.subject, present.facts),
            refused_at=refused_at,
            changed_at=changed_at,
            disclosure=literal.criterion.disclosure,
        )
        as_refused = as_it_was(as_refused, kept, on=on, verified=verified)
        known = changes.setdefault(present.subject, change)
        if change.disclosure.rank < known.disclosure.rank:  # the most open criterion may be told
            changes[present.subject] = change
    return list(changes.values()) if truth(judged.rule, as_refused, on=on) is False else []


def _turned(literal: Literal, then: CandidateFacts, judged: Judgement) -> bool:
    """Whether a criterion holds now that the facts of then would fail."""
    on = judged.verdict.on
    return literal_truth(literal, judged.facts, on) is True and literal_truth(literal, then, on) is False


def _first_refused(refusals: Iterable[EligibilityRefusal]) -> dict[Subject, tuple[datetime, Kept]]:
    """Every subject that somebody was refused for, with when they first were and what they had said of it."""
    found = [
        (parse_datetime(raw.get("at", "")) or refusal.at, Asked.from_json(raw))
        for refusal in refusals
        for raw in refusal.verdict.get("asked", ())
    ]
    found.sort(key=lambda one: one[0])
    became = survivors(int(skill_id) for _, one in found for skill_id in _skills_in(one.facts))
    first: dict[Subject, tuple[datetime, Kept]] = {}
    for at, one in found:
        name, key = one.subject
        subject = (name, became.get(key, key) if name == SKILL.name and isinstance(key, int) else key)
        first.setdefault(subject, (at, survivors_kept(one.facts, became)))
    return first


def _skills_in(kept: Kept) -> Iterable[str]:
    skills = kept.get("skills")
    return skills.keys() if isinstance(skills, dict) else ()


def _stated_since(candidate_id: int, since: datetime) -> list[tuple[datetime, frozenset[str]]]:
    """When the person themselves changed which facts, by name."""
    told = Event.objects.filter(
        aggregate_type="candidate",
        aggregate_id=candidate_id,
        name="CandidateUpdated",
        actor_kind=ActorKind.CANDIDATE,
        at__gte=since,
    )
    return [(at, frozenset(payload.get("changed", ()))) for at, payload in told.values_list("at", "payload")]


def _verified_skills(candidate_id: int) -> frozenset[int]:
    rows = CandidateSkill.objects.filter(candidate_id=candidate_id, source=CandidateSkill.Source.VERIFIED)
    ids = list(rows.values_list("skill_id", flat=True))
    became = survivors(ids)
    return frozenset(became.get(skill_id, skill_id) for skill_id in ids)


def _span(span: timedelta) -> str:
    """A length of time in words, in its largest unit: `3 hours`."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "less than a minute"
