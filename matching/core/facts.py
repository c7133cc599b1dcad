"""What deciding reads: a candidate's facts and an opportunity's terms, as plain values.

The edges gather these from tables (`marketplace.queries.facts`), the core judges, scores and allocates over
them. They carry ids and measures only: no name, contact or free text ever enters a decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from matching.core.clock import DAY_MINUTES


@dataclass(frozen=True, slots=True)
class SkillFact:
    """One skill of a candidate. `level` is 1–5; `years` is in years of practice."""

    level: int
    years: Decimal | None = None
    last_used_on: date | None = None


@dataclass(frozen=True, slots=True)
class VettingFact:
    """The result of one check of a candidate. `until` is its last day, None: it does not run out."""

    passed: bool
    until: date | None = None


class NotGathered(Exception):
    """A fact was read that nobody had asked for: it is not that nothing is known of it, it was not looked for."""


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """All that a rule or a feature may know of a candidate. None means: we do not know.

    An empty mapping or set likewise means that nothing was said, which an attribute's declaration may read as
    *no* or as *unknown*.
    """

    candidate_id: int
    revision: int = 0
    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None  # ISO 3166-2, e.g. "DE-BE"
    latitude: float | None = None
    longitude: float | None = None
    timezone: str | None = None  # IANA name
    utc_offset_minutes: int | None = None  # of `timezone` at the moment the facts were gathered
    work_starts_minute: int | None = None  # local minutes after midnight
    work_ends_minute: int | None = None
    languages: Mapping[str, int] = field(default_factory=dict)  # ISO 639-1 → CEFR rank, A1 = 1 … C2 = 6
    work_authorisations: Mapping[str, date | None] = field(default_factory=dict)  # country → last day, None: no end
    years_experience: Decimal | None = None
    weekly_hours: int | None = None  # hours a week wanted in all
    free_hours: int | None = None  # weekly_hours less what live placements take
    hourly_rate: Decimal | None = None  # asked, in EUR per hour at the named exchange rates
    commitments: frozenset[str] = frozenset()
    available_from: date | None = None
    skills: Mapping[int, SkillFact] = field(default_factory=dict)  # unmerged skill id → fact
    groups: frozenset[int] = frozenset()  # ids of the candidate groups they are in
    vetting: Mapping[str, VettingFact] = field(default_factory=dict)  # check → its last result

    # What scoring reads besides, and no rule may ask for.
    title_words: frozenset[str] = frozenset()  # of the headline and of titles of experiences: `matching.core.titles`
    occupations: frozenset[int] = frozenset()  # of experiences
    mentioned_skills: frozenset[int] = frozenset()  # recognised in résumé and experiences, and not declared
    worked_for: frozenset[int] = frozenset()  # organisations of completed placements: who posted, and for whom
    invitations_answered: int = 0
    invitations_received: int = 0  # and answered, or run out; one that is still open says nothing yet
    offers_accepted: int = 0
    offers_decided: int = 0  # accepted, declined or run out
    placements_completed: int = 0
    placements_over: int = 0  # completed, or ended by the person: what an organisation ends is not held against them
    last_active_on: date | None = None  # the last day, in UTC, on which they did something themselves

    @classmethod
    def of_some(cls, candidate_id: int, found: Mapping[str, Any]) -> CandidateFacts:
        """With these facts alone: whoever reads another gets `NotGathered`. It takes half as long as the constructor,
        which fills in all of them."""
        facts = object.__new__(cls)
        put = object.__setattr__
        put(facts, "candidate_id", candidate_id)
        for fact, value in found.items():
            put(facts, fact, value)
        return facts

    if not TYPE_CHECKING:  # which would take any name for a fact

        def __getattr__(self, name: str) -> Any:
            if name in HUNG:
                raise NotGathered(f"{name} was not gathered")
            raise AttributeError(name)

    @property
    def working_window(self) -> tuple[int, int] | None:
        """When the working day starts, in minutes after midnight UTC (0–1439), and how many minutes it lasts (1–1440).

        Hours that end before they start run over midnight; equal ends are the whole day. None where any part is
        not known.
        """
        starts, ends, offset = self.work_starts_minute, self.work_ends_minute, self.utc_offset_minutes
        if starts is None or ends is None or offset is None:
            return None
        return (starts - offset) % DAY_MINUTES, (ends - starts) % DAY_MINUTES or DAY_MINUTES


HUNG = frozenset(
    {
        "skills",
        "languages",
        "work_authorisations",
        "free_hours",
        "groups",
        "vetting",
        "title_words",
        "occupations",
        "mentioned_skills",
        "worked_for",
        "invitations_answered",
        "invitations_received",
        "offers_accepted",
        "offers_decided",
        "placements_completed",
        "placements_over",
        "last_active_on",
    }
)
"""The facts that do not stand in a candidate's own row. Who reads few of them need not have the others gathered."""


class SomeSkills(dict[int, SkillFact]):
    """What a person has of some skills, where nobody looked for others: who asks for one of those, or for all, is told
    so."""

    __slots__ = ("_asked",)

    def __init__(self, has: Mapping[int, SkillFact], asked: Set[int]) -> None:
        super().__init__(has)
        self._asked = asked

    def get(self, skill_id: int, default: Any = None) -> Any:
        found = dict.get(self, skill_id, default)
        if found is default and skill_id not in self._asked:
            self.__missing__(skill_id)
        return found

    def __contains__(self, skill_id: object) -> bool:
        found = dict.__contains__(self, skill_id)
        if not found and skill_id not in self._asked:
            self.__missing__(skill_id)
        return found

    def __missing__(self, skill_id: object) -> Any:
        if skill_id in self._asked:
            raise KeyError(skill_id)
        raise NotGathered(f"skill {skill_id} was not gathered")

    def _refuse(self, *_: object) -> Any:
        raise NotGathered("not all skills were gathered")

    __iter__ = __len__ = __bool__ = __or__ = __ror__ = keys = items = values = _refuse


class Reading(NamedTuple):
    """What is read of the facts that hang on candidates: which of `HUNG`, and of skills which; None: all."""

    facts: frozenset[str] = HUNG
    skills: frozenset[int] | None = None

    def __or__(self, other: Reading) -> Reading:
        either = None if self.skills is None or other.skills is None else self.skills | other.skills
        return Reading(self.facts | other.facts, either)


EVERYTHING = Reading()


@dataclass(frozen=True, slots=True)
class SkillTerm:
    """One skill an opportunity asks for. `weight` is 1–10, relative to its other skills.

    `near` are other skills and how close they come to it, in thousandths; the closest first.
    """

    skill_id: int
    required: bool
    weight: int = 1
    min_level: int = 1
    min_years: Decimal | None = None
    near: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OpportunityTerms:
    """The terms of one opportunity revision, as far as deciding reads them."""

    opportunity_id: int
    revision: int = 0
    commitment: str | None = None
    arrangement: str | None = None  # onsite, hybrid, remote
    weekly_hours: int | None = None
    years_experience: Decimal | None = None  # asked
    starts_on: date | None = None
    utc_offset_minutes: int | None = None
    allowed_places: frozenset[str] = frozenset()  # countries or regions; empty: anywhere
    excluded_places: frozenset[str] = frozenset()
    min_hourly_pay: Decimal | None = None  # EUR per hour at the named exchange rates, over all bands
    max_hourly_pay: Decimal | None = None
    skills: tuple[SkillTerm, ...] = ()
    on: date | None = None  # the day on which facts are judged: how long ago something was counts from here
    title_words: frozenset[str] = frozenset()
    occupation: int | None = None
    described_skills: frozenset[int] = frozenset()  # recognised in title and description, and not asked for
    organisations: frozenset[int] = frozenset()  # who posted it, and for whom


@dataclass(frozen=True, slots=True)
class OpportunityFacts:
    """What a search filter may ask of an opportunity. None and the empty set mean that nothing is stated.

    Places are told so that a comparison of codes finds them: an allowed country gives `DE` and `DE-*`, an allowed
    region `DE` and `DE-BE`, and no place at all `*`; excluded places stand as they are.
    """

    opportunity_id: int
    commitment: str | None = None
    arrangement: str | None = None  # onsite, hybrid, remote
    weekly_hours: int | None = None
    years_experience: Decimal | None = None  # asked
    starts_on: date | None = None
    ends_on: date | None = None
    published_on: date | None = None  # in UTC, as is the next
    closes_on: date | None = None
    places: frozenset[str] = frozenset()
    excluded_places: frozenset[str] = frozenset()
    skills: frozenset[int] = frozenset()  # asked for, merges followed
    skill_families: frozenset[int] = frozenset()  # these, and every broader kind of them
    organisations: frozenset[int] = frozenset()  # who posted it, and for whom
