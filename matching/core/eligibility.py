"""May this candidate be considered, why not, and what would change it: verdicts with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from matching.core.causes import explain, questions, reasons
from matching.core.facts import CandidateFacts
from matching.core.nearest import NearestChange, nearest_change
from matching.core.reasons import Question, Reason, reason_from_json
from matching.core.rules.disclosing import openness, shown_path
from matching.core.rules.grammar import Disclosure, Json, Rule
from matching.core.rules.normal import normal
from matching.core.truth import Truth, truth

__all__ = ["Basis", "Outcome", "Verdict", "evaluate", "nearest_change", "truth"]


class Outcome(StrEnum):
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    UNKNOWN = "unknown"  # a fact is missing: may apply once it is given, is never allocated


OUTCOMES: Mapping[Truth, Outcome] = {True: Outcome.ELIGIBLE, False: Outcome.INELIGIBLE, None: Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a verdict was judged by. None where the caller did not say."""

    rule_revision: int | None = None
    taxonomy_revision: int | None = None  # at which merged skills were resolved
    exchange_rates: int | None = None  # id of the set that turned the rate into EUR
    candidate_revision: int | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "rule_revision": self.rule_revision,
            "taxonomy_revision": self.taxonomy_revision,
            "exchange_rates": self.exchange_rates,
            "candidate_revision": self.candidate_revision,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """May they, why not, and what would change it.

    `failed` and `unknown` explain the rule's own answer. With `waived` somebody let the person in all the same: the
    outcome is eligible, and the reasons stay to be seen. `openness` says to whom each part of the rule's outer `all`
    may be shown; None in verdicts stored before it was kept.
    """

    outcome: Outcome
    on: date
    failed: tuple[Reason, ...] = ()
    unknown: tuple[Question, ...] = ()
    nearest: NearestChange | None = None
    waived: bool = False
    basis: Basis = Basis()
    openness: tuple[Disclosure, ...] | None = None

    @property
    def is_eligible(self) -> bool:
        return self.outcome is Outcome.ELIGIBLE

    def disclosed_to(self, audience: Disclosure) -> Verdict:
        """The verdict without what this audience may not see. The outcome stays as it is, also where no reason is left.

        Paths lead into the rule as it is disclosed. Questions of hidden criteria stay, stripped of their criterion, as
        long as they are the candidate's to answer: they must be answered, and say nothing of what is asked for. The
        nearest change goes as a whole when any part of it would betray a hidden criterion: what is left of it would
        not be the way in.
        """
        nearest = self.nearest if self.nearest and self.nearest.disclosure.is_open_to(audience) else None
        parts = self.openness
        return replace(
            self,
            failed=tuple(
                replace(reason, path=shown_path(reason.path, parts, audience))
                for reason in self.failed
                if reason.disclosure.is_open_to(audience)
            ),
            unknown=tuple(
                replace(question, path=shown_path(question.path, parts, audience))
                if question.disclosure.is_open_to(audience)
                else replace(question, path="", disclosure=Disclosure.PUBLIC)
                for question in self.unknown
                if question.disclosure.is_open_to(audience) or question.asked_of_candidate
            ),
            nearest=nearest,
            openness=None if parts is None else tuple(part for part in parts if part.is_open_to(audience)),
        )

    def to_json(self) -> dict[str, Json]:
        """Plain JSON, for storage and replay: equal verdicts give equal JSON."""
        return {
            "outcome": self.outcome.value,
            "on": self.on.isoformat(),
            "failed": [reason.to_json() for reason in self.failed],
            "unknown": [question.to_json() for question in self.unknown],
            "nearest": self.nearest.to_json() if self.nearest else None,
            "waived": self.waived,
            "basis": self.basis.to_json(),
            "openness": None if self.openness is None else [part.value for part in self.openness],
        }

    @classmethod
    def from_json(cls, raw: Mapping) -> Verdict:
        return cls(
            outcome=Outcome(raw["outcome"]),
            on=date.fromisoformat(raw["on"]),
            failed=tuple(reason_from_json(reason) for reason in raw["failed"]),
            unknown=tuple(Question.from_json(question) for question in raw["unknown"]),
            nearest=NearestChange.from_json(raw["nearest"]) if raw["nearest"] else None,
            waived=raw["waived"],
            basis=Basis(**raw["basis"]),
            openness=tuple(map(Disclosure, raw["openness"])) if raw.get("openness") is not None else None,
        )


def evaluate(
    rule: Rule,
    facts: CandidateFacts,
    *,
    on: date,
    waived: bool = False,
    basis: Basis | None = None,
    nearest: bool = False,
    opened: tuple[Disclosure, ...] | None = None,
) -> Verdict:
    """Judge, with reasons. `nearest` also looks for the nearest change, which may take milliseconds: ask for it where
    a person reads the verdict, not where thousands are judged. `opened` is the rule's openness, where it is known."""
    answer = truth(rule, facts, on=on)
    causes = explain(normal(rule), facts, on)[1] if answer is not True else []
    return Verdict(
        outcome=Outcome.ELIGIBLE if waived else OUTCOMES[answer],
        on=on,
        failed=reasons(causes, facts, on) if answer is False else (),
        unknown=questions(causes, facts, on) if answer is None else (),
        nearest=nearest_change(rule, facts, on=on) if nearest and answer is False else None,
        waived=waived,
        basis=basis or Basis(candidate_revision=facts.revision),
        openness=openness(rule) if opened is None else opened,
    )
