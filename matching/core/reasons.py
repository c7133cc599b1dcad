"""Why a criterion failed, and what would have to be asked: the sentences of a verdict, as values.

Each reason carries the path of its criterion within the rule and to whom it may be shown. `sentence(names)` puts it
in words; `names` are skill names by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from matching.core.attributes import ATTRIBUTES, SEVERAL, BadValue, Kind, Operator, Value, cefr_level, plain_number
from matching.core.rules.grammar import Compare, Criterion, Disclosure, Json, Not, dump_criterion, plain
from matching.core.rules.reading import load
from matching.core.rules.wording import comparison_text, skill_name, text, value_text, years

Names: TypeAlias = Mapping[int, str]
NO_NAMES: Names = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A failed criterion. Subclasses say what the person has and what is needed."""

    kinds: ClassVar[dict[str, type[Reason]]] = {}

    path: str
    disclosure: Disclosure = Disclosure.PUBLIC

    def sentence(self, names: Names = NO_NAMES) -> str:
        raise NotImplementedError

    def to_json(self) -> dict[str, Json]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": type(self).__name__} | {
            name: dump_criterion(value) if isinstance(value, Criterion) else plain(value)
            for name, value in values.items()
        }


def _kind(cls: type[Reason]) -> type[Reason]:
    Reason.kinds[cls.__name__] = cls
    return cls


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillMissing(Reason):
    skill_id: int
    needs: int  # level

    def sentence(self, names: Names = NO_NAMES) -> str:
        level = f" at level {self.needs}" if self.needs > 1 else ""
        return f"{skill_name(self.skill_id, names)}{level} is needed."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTooLow(Reason):
    skill_id: int
    has: int
    needs: int

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"{skill_name(self.skill_id, names)} is needed at level {self.needs}, not {self.has}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class SkillTooShort(Reason):
    skill_id: int
    has: Decimal
    needs: Decimal

    def sentence(self, names: Names = NO_NAMES) -> str:
        name = skill_name(self.skill_id, names)
        return f"{name} is needed for {years(self.needs)}, not {plain_number(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTooLow(Reason):
    """`has` is None where other languages are known and this is not among them. Levels are CEFR ranks, A1 = 1."""

    language: str
    has: int | None
    needs: int

    def sentence(self, names: Names = NO_NAMES) -> str:
        needed = f"language {self.language} is needed at {cefr_level(self.needs)}"
        return f"{needed}." if self.has is None else f"{needed}, not {cefr_level(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class NotAuthorised(Reason):
    """`expired_on` is the last day of an authorisation that has run out, None where there was none."""

    country: str
    expired_on: date | None

    def sentence(self, names: Names = NO_NAMES) -> str:
        if self.expired_on is None:
            return f"An authorisation to work in {self.country} is needed."
        return f"The authorisation to work in {self.country} ended on {self.expired_on.isoformat()}."


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
        needed = f"{attribute.label} must be {comparison_text(Compare(self.attribute, self.op, self.needs))}"
        if self.has is None or attribute.kind is Kind.IDS:
            return f"{needed}."
        return f"{needed}, not {value_text(self.has)}."


@_kind
@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded(Reason):
    """The criterion holds and must not."""

    criterion: Criterion

    def sentence(self, names: Names = NO_NAMES) -> str:
        return f"Must be: {text(Not(self.criterion), names)}."


def reason_from_json(raw: Mapping) -> Reason:
    """The inverse of `Reason.to_json`."""
    values = dict(raw)
    kind = Reason.kinds[values.pop("kind")]
    values["disclosure"] = Disclosure(values["disclosure"])
    if kind is SkillTooShort:
        values |= {"has": Decimal(str(values["has"])), "needs": Decimal(str(values["needs"]))}
    elif kind is NotAuthorised and values["expired_on"] is not None:
        values["expired_on"] = date.fromisoformat(values["expired_on"])
    elif kind is Excluded:
        values["criterion"] = load(values["criterion"])
    elif kind is AttributeFails:
        values["op"] = Operator(values["op"])
        values["has"] = typed(values["attribute"], values["has"], as_fact=True)
        if values["op"] is not Operator.EXISTS:
            values["needs"] = typed(values["attribute"], values["needs"])
    return kind(**values)


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
    skill, language or country asked about where the subject has several."""

    subject: str
    key: str | int | None
    question: str
    path: str
    disclosure: Disclosure = Disclosure.PUBLIC

    def sentence(self, names: Names = NO_NAMES) -> str:
        return self.question.format(name=skill_name(self.key, names) if isinstance(self.key, int) else self.key)

    def to_json(self) -> dict[str, Json]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping) -> Question:
        return cls(**{**raw, "disclosure": Disclosure(raw["disclosure"])})
