"""Every fact that an eligibility rule may ask about, declared once.

To add one, write one `Attribute` below (and a migration, when its data is new). The rule grammar, both evaluators,
the questions put to candidates and the readable text all follow from the declaration.

Some things are never asked. `PROTECTED` names them; a declaration that touches one fails at import, so that no
rule, filter or segment can ever reach it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from matching.core.facts import CandidateFacts, OpportunityFacts

Value: TypeAlias = int | Decimal | date | str
"""One comparable value. Whole numbers are `int`, other numbers `Decimal`, codes `str`."""

DECIMALS = 4
"""Digits after the point that a number in a rule may have: those of the finest column, so SQL loses none."""

LARGEST_ID = 2**31 - 1


class Subject(StrEnum):
    """Whom or what an attribute tells of. Rules decide about candidates; the same grammar filters opportunities."""

    CANDIDATE = "candidate"
    OPPORTUNITY = "opportunity"


FACTS: Mapping[Subject, Any] = MappingProxyType(
    {Subject.CANDIDATE: CandidateFacts, Subject.OPPORTUNITY: OpportunityFacts}
)
"""What the attributes of each subject are read from."""


class Kind(StrEnum):
    """What a fact holds, which decides what may be asked of it."""

    WHOLE = "whole"
    DECIMAL = "decimal"
    DATE = "date"
    CODE = "code"
    CODES = "codes"  # several codes at once: eq asks whether one is among them, in whether any is
    IDS = "ids"  # several row ids at once, asked like CODES


class Missing(StrEnum):
    """What it means that a fact is absent."""

    NO = "no"  # absent means that the criterion is not met
    UNKNOWN = "unknown"  # absent means that we must ask


class Operator(StrEnum):
    EQ = "eq"
    IN = "in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"  # both ends included
    EXISTS = "exists"


_MEMBERSHIP = (Operator.EQ, Operator.IN, Operator.EXISTS)
OPERATORS: Mapping[Kind, tuple[Operator, ...]] = MappingProxyType(
    {
        Kind.WHOLE: tuple(Operator),
        Kind.DECIMAL: tuple(Operator),
        Kind.DATE: tuple(Operator),
        Kind.CODE: _MEMBERSHIP,
        Kind.CODES: _MEMBERSHIP,
        Kind.IDS: _MEMBERSHIP,
    }
)
SEVERAL = frozenset({Kind.CODES, Kind.IDS})
ORDERED = frozenset({Kind.WHOLE, Kind.DECIMAL, Kind.DATE})

# fmt: off
PROTECTED = frozenset({
    "age", "ancestry", "belief", "beliefs", "birth", "birthdate", "birthday", "born", "caste", "children", "church",
    "citizenship", "color", "colour", "disability", "disabled", "ethnic", "ethnicity", "family", "gender",
    "genetic", "health", "illness", "marital", "married", "maternity", "medical", "nationality", "orientation",
    "parental", "party", "paternity", "photo", "political", "politics", "pregnancy", "pregnant", "pronoun",
    "pronouns", "race", "racial", "religion", "religious", "sex", "sexuality", "transgender", "union", "veteran",
})
# fmt: on
"""Words that no attribute's name, fact or column may contain."""


class ProtectedAttribute(Exception):
    """An attribute was declared that the law protects."""


class BadValue(Exception):
    """A value that an attribute cannot be compared with."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem


def is_protected(name: str) -> bool:
    """Whether any word of a snake_case, kebab-case or camelCase name is protected."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return any(word in PROTECTED for word in re.split(r"[^a-z]+", words.lower()))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact of a candidate, or of an opportunity, that rules may compare.

    `fact` is its field of the subject's facts, `column` its column in the subject's projection, `index_field` its
    field in a search index. `lowest` and `highest` are the ends of what the fact can be: they let a rule be refused
    when it can exclude nobody or accept nobody. `step` is the smallest difference that the column can hold.
    """

    name: str
    kind: Kind
    label: str  # as in "<label> at least 30 hours a week"
    description: str
    question: str = ""  # asked of a candidate whose fact is missing
    asked_as: str = ""  # the attribute that people state in its place, where it is not stated itself
    unit: str = ""
    missing: Missing = Missing.UNKNOWN
    changeable: bool = False  # whether a person can change it so as to become eligible
    lowest: Decimal | None = None
    highest: Decimal | None = None
    step: Decimal = Decimal(1)
    pattern: str = ""  # what a code looks like
    fact: str = ""
    column: str = ""
    index_field: str = ""
    subject: Subject = Subject.CANDIDATE

    def __post_init__(self) -> None:
        for field in ("fact", "column", "index_field"):
            if not getattr(self, field):
                object.__setattr__(self, field, self.name)
        for name in (self.name, self.fact, self.column, self.index_field):
            if is_protected(name):
                raise ProtectedAttribute(f"{self.name}: {name} names a protected characteristic")
        if self.fact not in FACTS[self.subject].__dataclass_fields__:
            raise ValueError(f"{self.name}: a {self.subject} has no fact {self.fact}")

    def read(self, facts: CandidateFacts | OpportunityFacts) -> Value | frozenset[str] | frozenset[int] | None:
        """The fact, or None where nothing is known; an empty set or text says nothing."""
        value: Value | frozenset[str] | frozenset[int] | None = getattr(facts, self.fact)
        return None if value == "" or (self.kind in SEVERAL and not value) else value

    def parse(self, raw: object) -> Value:
        """A value from JSON, as the fact's own type. Raises `BadValue`."""
        match self.kind:
            case Kind.WHOLE | Kind.DECIMAL:
                number = number_from(raw)
                if self.lowest is not None and number < self.lowest:
                    raise BadValue("OUT_OF_RANGE", f"{self.label} is never below {plain_number(self.lowest)}")
                if self.highest is not None and number > self.highest:
                    raise BadValue("OUT_OF_RANGE", f"{self.label} is never above {plain_number(self.highest)}")
                if self.kind is Kind.DECIMAL:
                    return number
                if number != number.to_integral_value():
                    raise BadValue("WRONG_TYPE", f"{self.label} is a whole number")
                return int(number)
            case Kind.DATE:
                return date_from(raw)
            case Kind.IDS:
                return id_from(raw)
            case Kind.CODE | Kind.CODES:
                return code_from(raw, self.pattern, self.label)


def number_from(raw: object) -> Decimal:
    """A finite number below ten to the ninth with at most four decimals, exactly. Raises `BadValue`.

    Floats are read by their shortest decimal form: 0.1 means one tenth. Within these bounds every number survives
    JSON and back.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise BadValue("WRONG_TYPE", "must be a number")
    if (isinstance(raw, float) and not math.isfinite(raw)) or (isinstance(raw, Decimal) and not raw.is_finite()):
        raise BadValue("BAD_NUMBER", "must be a finite number")
    if not -(10**9) < raw < 10**9:
        raise BadValue("BAD_NUMBER", "must be below 1,000,000,000")
    try:
        number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
        if number != round(number, DECIMALS):
            raise BadValue("BAD_NUMBER", f"must have at most {DECIMALS} decimals")
    except InvalidOperation as error:
        raise BadValue("BAD_NUMBER", "cannot be read as a number") from error
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def plain_number(number: int | Decimal) -> int | float:
    """A number as JSON carries it: `number_from` reads it back exactly."""
    return int(number) if number == int(number) else float(number)


def date_from(raw: object) -> date:
    if isinstance(raw, date) and not hasattr(raw, "hour"):
        return raw
    if not isinstance(raw, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", raw):
        raise BadValue("WRONG_TYPE", "must be a date, as in 2027-01-31")
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise BadValue("BAD_DATE", "is no day of the calendar") from error


def id_from(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise BadValue("WRONG_TYPE", "must be a whole number")
    if not 1 <= raw <= LARGEST_ID:
        raise BadValue("OUT_OF_RANGE", "is no row's id")
    return raw


def code_from(raw: object, pattern: str, label: str) -> str:
    if not isinstance(raw, str):
        raise BadValue("WRONG_TYPE", "must be a text")
    if not re.fullmatch(pattern, raw, flags=re.ASCII):
        raise BadValue("BAD_CODE", f"is no {label}")
    return raw


def declare(*attributes: Attribute) -> Mapping[str, Attribute]:
    """The registry: attributes by name. A name can be declared once."""
    registry: dict[str, Attribute] = {}
    for attribute in attributes:
        if attribute.name in registry:
            raise ValueError(f"{attribute.name} is declared twice")
        registry[attribute.name] = attribute
    return MappingProxyType(registry)


ATTRIBUTES: Mapping[str, Attribute] = declare(
    Attribute(
        name="country",
        kind=Kind.CODE,
        label="country",
        description="Country of residence, ISO 3166-1 alpha-2.",
        question="Which country do you live in?",
        pattern="[A-Z]{2}",
    ),
    Attribute(
        name="region",
        kind=Kind.CODE,
        label="region",
        description="Region of residence, ISO 3166-2, such as DE-BE.",
        question="Which region do you live in?",
        pattern="[A-Z]{2}-[A-Z0-9]{1,3}",
    ),
    Attribute(
        name="timezone",
        kind=Kind.CODE,
        label="time zone",
        description="Time zone, by its IANA name.",
        question="Which time zone do you work in?",
        pattern=r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}",
    ),
    Attribute(
        name="utc_offset_minutes",
        kind=Kind.WHOLE,
        label="offset from UTC",
        unit="minutes",
        description="How far the candidate's clock is ahead of UTC, in minutes.",
        question="Which time zone do you work in?",
        asked_as="timezone",
        lowest=Decimal(-720),
        highest=Decimal(840),
    ),
    Attribute(
        name="years_experience",
        kind=Kind.DECIMAL,
        label="experience",
        unit="years",
        description="Years of professional experience, in all.",
        question="How many years have you worked in your profession?",
        lowest=Decimal(0),
        highest=Decimal(80),
        step=Decimal("0.1"),
    ),
    Attribute(
        name="weekly_hours",
        kind=Kind.WHOLE,
        label="hours wanted",
        description="Hours a week that the candidate wants to work in all.",
        question="How many hours a week do you want to work?",
        changeable=True,
        unit="hours a week",
        lowest=Decimal(0),
        highest=Decimal(168),
    ),
    Attribute(
        name="free_hours",
        kind=Kind.WHOLE,
        label="hours free",
        description="Hours a week wanted, less those that live placements take.",
        question="How many hours a week do you want to work?",
        asked_as="weekly_hours",
        changeable=True,
        unit="hours a week",
        lowest=Decimal(0),
        highest=Decimal(168),
    ),
    Attribute(
        name="hourly_rate",
        kind=Kind.DECIMAL,
        label="rate asked",
        unit="EUR an hour",
        description="Rate that the candidate asks, in EUR an hour at the exchange rates which the verdict names.",
        question="What do you ask for an hour of work?",
        changeable=True,
        lowest=Decimal(0),
        highest=Decimal(99_999_999),
        step=Decimal("0.01"),
    ),
    Attribute(
        name="commitments",
        kind=Kind.CODES,
        label="commitment",
        description="Kinds of engagement that the candidate wants.",
        question="Which kinds of engagement do you want?",
        changeable=True,
        pattern="[A-Za-z][A-Za-z_-]{0,31}",
    ),
    Attribute(
        name="available_from",
        kind=Kind.DATE,
        label="available from",
        description="First day on which the candidate could start.",
        question="From which day on could you start?",
        changeable=True,
    ),
    Attribute(
        name="groups",
        kind=Kind.IDS,
        label="group",
        description="Groups of an organisation that the candidate is in, such as past workers or do-not-rehire.",
        question="",  # never asked: whoever is in no group is known to be in none
        missing=Missing.NO,
    ),
)


@dataclass(frozen=True, slots=True)
class Structure:
    """A fact with an inside of its own (a level, an expiry), or one that several columns tell together: asked by a
    criterion of its own."""

    name: str  # its key in a rule's JSON, and the subject of a question about it
    question: str  # {name} is what is asked about
    missing: Missing
    changeable: bool
    columns: tuple[str, ...]
    index_fields: tuple[str, ...]
    asked_of_candidate: bool = True  # whether they can answer the question; else it settles in its own time

    @property
    def column(self) -> str:
        return self.columns[0]


SKILL = Structure(
    name="skill",
    question="How many years have you practised {name}, and when did you last?",  # whether one has it is known
    missing=Missing.NO,
    changeable=True,
    columns=("skills", "skill_ids"),
    index_fields=("skills",),
)
SKILL_YEARS_QUESTION = "How many years have you practised {name}?"
SKILL_USE_QUESTION = "When did you last use {name}?"
"""Asked in the place of the whole question, where only the one or the other is missing."""

LANGUAGE = Structure(
    name="language",
    question="Which languages do you speak, and how well?",
    missing=Missing.UNKNOWN,
    changeable=True,
    columns=("languages",),
    index_fields=("languages",),
)
WORK_AUTHORISATION = Structure(
    name="workAuthorisation",
    question="In which countries may you work, and until when?",
    missing=Missing.UNKNOWN,
    changeable=False,
    columns=("work_authorisations",),
    index_fields=("work_authorisations",),
)
PLACE = Structure(
    name="livesIn",
    question="Which country and region do you live in?",
    missing=Missing.UNKNOWN,
    changeable=False,
    columns=("country", "region"),
    index_fields=("country", "region"),
)
WORKING_HOURS = Structure(
    name="hoursOverlap",
    question="Between which hours do you work, and in which time zone?",
    missing=Missing.UNKNOWN,
    changeable=True,
    columns=("work_starts_utc", "work_minutes"),
    index_fields=("work_starts_utc", "work_minutes"),
)
PAY = Structure(
    name="rateWithinPay",
    question="What do you ask for an hour of work, and where do you live?",
    missing=Missing.UNKNOWN,
    changeable=True,
    columns=("hourly_rate", "country", "region"),
    index_fields=("hourly_rate", "country", "region"),
)
VETTING = Structure(
    name="vetted",
    question="The {name} has no result yet.",
    missing=Missing.UNKNOWN,
    changeable=False,
    columns=("vetting",),
    index_fields=("vetting",),
    asked_of_candidate=False,
)

LANGUAGE_PATTERN = "[a-z]{2,3}"
COUNTRY_PATTERN = "[A-Z]{2}"
PLACE_PATTERN = "[A-Z]{2}(-[A-Z0-9]{1,3})?"
VETTING_CHECKS = ("background", "education", "identity", "licence", "references", "right_to_work")
"""Checks of a person that somebody other than they answers for."""
CEFR = ("A1", "A2", "B1", "B2", "C1", "C2")
"""Language levels in order; a level's rank is its place, counted from one."""


def cefr_rank(level: str) -> int:
    return CEFR.index(level) + 1


def cefr_level(rank: int) -> str:
    return CEFR[rank - 1]
