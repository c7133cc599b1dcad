"""Why a criterion failed, and what would have to be asked: the sentences of a verdict, as values.

Each reason carries the path of its criterion within the rule and to whom it may be shown. `sentence(names)` puts it
in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from matching.core.attributes import (
    ATTRIBUTES,
    SEVERAL,
    SKILL,
    VETTING,
    BadValue,
    Kind,
    Operator,
    Value,
    cefr_level,
    plain_number,
)
from matching.core.names import NO_NAMES, Names
from matching.core.rules.grammar import (
    Compare,
    Criterion,
    Disclosure,
    HasSkill,
    HoursOverlap,
    Json,
    dump_criterion,
    plain,
)
from matching.core.rules.reading import load
from matching.core.rules.wording import (
    any_of,
    check_name,
    comparison_text,
    criterion_text,
    duration,
    overlap_text,
    value_text,
    years,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A failed criterion. Subclasses say what the person has and what is needed."""

    kinds: ClassVar[dict[str, type[Reason]]] = {}

    path: str
    disclosure: Disclosure = Disclosure.PUBLIC

    def sentence(self, names: Names = NO_NAMES) -> str:
        raise NotImplementedError

    @property
    def skill_ids(self) -> tuple[int, ...]:
        """The skills that it names; the first is the one that it is about."""
        return ()

    def to_json(self) -> dict[str, Json]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": type(self).__name__} | {
            name: dump_criterion(value) if isinstance(value, Criterion) else plain(value)
            for name, value in values.items()
        }


def _kind(cls: type[Reason]) -> type[Reason]:
    Reason.kinds[cls.__name__] = cls
    return cls


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillReason(Reason):
    """About a skill of theirs. `counts_as` is the broader skill that was asked for, where this one counts like it."""

    skill_id: int
    counts_as: int | None = None

    @property
    def skill_ids(self) -> tuple[int, ...]:
        return (self.skill_id,) if self.counts_as is None else (self.skill_id, self.counts_as)

    def _name(self, names: Names) -> str:
        name = names.skill(self.skill_id)
        return name if self.counts_as is None else f"{name}, which counts as {names.skill(self.counts_as)},"


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillMissing(Reason):
    skill_id: int
    needs: int  # level
    narrower: bool = False  # whether any narrower skill would do as well

    def sentence(self, names: Names = NO_NAMES) -> str:
        level = f" at level {self.needs}" if self.needs > 1 else ""
        others = " or a narrower skill" if self.narrower else ""
        return f"{names.skill(self.skill_id)}{others}{level} is needed."

    @property
    def skill_ids(self) -> tuple[int, ...]:
        return (self.skill_id,)


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTooLow(SkillReason):
    has: int
    needs: int

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"{self._name(names)} is needed at level {self.needs}, not {self.has}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTooShort(SkillReason):
    has: Decimal
    needs: Decimal

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"{self._name(names)} is needed for {years(self.needs)}, not {plain_number(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillNotRecent(SkillReason):
    last_used_on: date
    needs_since: date

    def sentence(self, names: Names = NO_NAMES) -> str:
        needed = f"{self._name(names)} must have been used since {self.needs_since.isoformat()}"
        return f"{needed}, and was last used on {self.last_used_on.isoformat()}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTooLow(Reason):
    """`has` is None where other languages are known and this is not among them. Levels are CEFR ranks, A1 = 1."""

    language: str
    has: int | None
    needs: int

    def sentence(self, names: Names = NO_NAMES) -> str:
        needed = f"{names.language(self.language)} is needed at {cefr_level(self.needs)}"
        return f"{needed}." if self.has is None else f"{needed}, not {cefr_level(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class NotAuthorised(Reason):
    """`expired_on` is the last day of an authorisation that has run out, None where there was none."""

    country: str
    expired_on: date | None

    def sentence(self, names: Names = NO_NAMES) -> str:
        if self.expired_on is None:
            return f"An authorisation to work in {names.place(self.country)} is needed."
        return f"The authorisation to work in {names.place(self.country)} ended on {self.expired_on.isoformat()}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class LivesElsewhere(Reason):
    """Places are countries or regions. `has` is the region where that is known."""

    has: str
    needs: tuple[str, ...]

    def sentence(self, names: Names = NO_NAMES) -> str:
        needed = any_of([names.place(place) for place in self.needs])
        return f"Residence in {needed} is needed, not in {names.place(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class HoursTooLittleOverlap(Reason):
    """`has` are the minutes on end that working hours share with the window that `needs` asks for."""

    has: int
    needs: HoursOverlap

    def sentence(self, names: Names = NO_NAMES) -> str:
        has = f", not {duration(self.has)}" if self.has else ", and none is shared"
        return f"Work for {overlap_text(self.needs)} is needed{has}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class RateAbovePay(Reason):
    """Both in EUR an hour. Where it is not known which pay holds, `ceiling` is the highest that might."""

    has: Decimal
    ceiling: Decimal

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"At most {plain_number(self.ceiling)} EUR an hour is paid, and {plain_number(self.has)} is asked."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class NoPayForPlace(Reason):
    """No pay is stated for where they live; `place` is None where none is stated for any place."""

    place: str | None

    def sentence(self, names: Names = NO_NAMES) -> str:
        return "No pay is stated." if self.place is None else f"No pay is stated for {names.place(self.place)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class VettingFailed(Reason):
    check: str

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"The {check_name(self.check)} was not passed."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class VettingExpired(Reason):
    check: str
    expired_on: date  # its last day

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"The {check_name(self.check)} ran out on {self.expired_on.isoformat()}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeFails(Reason):
    attribute: str
    op: Operator
    has: Value | frozenset[str] | frozenset[int] | None
    needs: Value | tuple[Value, ...] | bool

    def sentence(self, names: Names = NO_NAMES) -> str:
        attribute = ATTRIBUTES.get(self.attribute)
        if attribute is None:  # declared when the verdict was given, and since withdrawn
            return f"{self.attribute} does not meet what is needed."
        if self.op is Operator.EXISTS:
            return f"{attribute.label} must {'be known' if self.needs else 'not be set'}."
        needed = f"{attribute.label} must be {comparison_text(Compare(self.attribute, self.op, self.needs), names)}"
        if self.has is None or attribute.kind is Kind.IDS:
            return f"{needed}."
        return f"{needed}, not {value_text(self.has, attribute, names)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded(Reason):
    """The criterion holds and must not."""

    criterion: Criterion

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"Needed: {criterion_text(self.criterion, names, wanted=False)}."

    @property
    def skill_ids(self) -> tuple[int, ...]:
        return (self.criterion.skill_id,) if isinstance(self.criterion, HasSkill) else ()


def reason_from_json(raw: Mapping) -> Reason:
    """The inverse of `Reason.to_json`."""
    values = dict(raw)
    kind = Reason.kinds[values.pop("kind")]
    values["disclosure"] = Disclosure(values["disclosure"])
    if kind is AttributeFails:
        values["op"] = Operator(values["op"])
        values["has"] = typed(values["attribute"], values["has"], as_fact=True)
        if values["op"] is not Operator.EXISTS:
            values["needs"] = typed(values["attribute"], values["needs"])
        return kind(**values)
    for field in fields(kind):
        read = _READ.get(str(field.type))
        if read is not None and values.get(field.name) is not None:
            values[field.name] = read(values[field.name])
    return kind(**values)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "Decimal": lambda raw: Decimal(str(raw)),
    "date": date.fromisoformat,
    "date | None": date.fromisoformat,
    "tuple[str, ...]": tuple,
    "Criterion": load,
    "HoursOverlap": load,
}
"""How the fields of a reason are read back, by their type as it is written above."""


def typed(name: str, raw: Any, *, as_fact: bool = False) -> Any:
    """A stored value as its attribute's type; as it stands where the attribute is no longer declared."""
    attribute = ATTRIBUTES.get(name)
    if attribute is None or raw is None:
        return tuple(raw) if isinstance(raw, list) else raw
    try:
        if isinstance(raw, list):
            values = [attribute.parse(item) for item in raw]
            return frozenset(values) if as_fact and attribute.kind in SEVERAL else tuple(values)
        return attribute.parse(raw)
    except BadValue:  # the declaration was narrowed since
        return tuple(raw) if isinstance(raw, list) else raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask so that an unknown verdict settles. `subject` is an attribute's or a structure's name, `key` the
    skill or check asked about where the subject has several.

    With `asked_of_candidate` false it is not theirs to answer: it stays open until somebody else does.
    """

    subject: str
    key: str | int | None
    question: str  # {name} stands for the name of what `key` is
    path: str
    disclosure: Disclosure = Disclosure.PUBLIC
    asked_of_candidate: bool = True

    def sentence(self, names: Names = NO_NAMES) -> str:
        name = check_name(str(self.key)) if self.subject == VETTING.name else str(self.key)
        return self.question.format(name=names.skill(self.key) if isinstance(self.key, int) else name)

    @property
    def skill_ids(self) -> tuple[int, ...]:
        return (self.key,) if self.subject == SKILL.name and isinstance(self.key, int) else ()

    def to_json(self) -> dict[str, Json]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping) -> Question:
        return cls(**{**raw, "disclosure": Disclosure(raw["disclosure"])})
