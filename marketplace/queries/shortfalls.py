"""What somebody has and what is needed instead, side by side: the two halves of a reason's sentence."""

from __future__ import annotations

from matching.core.attributes import ATTRIBUTES, Kind, Operator, cefr_level, plain_number
from matching.core.names import Names
from matching.core.reasons import (
    AttributeFails,
    Excluded,
    HoursTooLittleOverlap,
    LanguageTooLow,
    LivesElsewhere,
    NoPayForPlace,
    NotAuthorised,
    RateAbovePay,
    Reason,
    SkillMissing,
    SkillNotRecent,
    SkillTooLow,
    SkillTooShort,
    VettingExpired,
    VettingFailed,
)
from matching.core.rules import Compare
from matching.core.rules.wording import (
    any_of,
    comparison_text,
    criterion_text,
    duration,
    level_text,
    overlap_text,
    value_text,
    years,
)


def has_and_needs(reason: Reason, names: Names) -> tuple[str | None, str]:
    """(what there is, None where there is nothing or it is not told; what is needed), without the subject's name."""
    match reason:
        case SkillMissing():
            return None, f"level {reason.needs}"
        case SkillTooLow():
            return f"level {reason.has}", f"level {reason.needs}"
        case SkillTooShort():
            return years(reason.has), f"at least {years(reason.needs)}"
        case SkillNotRecent():
            return f"last used {reason.last_used_on.isoformat()}", f"used since {reason.needs_since.isoformat()}"
        case LanguageTooLow():
            return None if reason.has is None else cefr_level(reason.has), level_text(reason.needs)
        case NotAuthorised():
            ended = None if reason.expired_on is None else f"until {reason.expired_on.isoformat()}"
            return ended, f"an authorisation to work in {names.place(reason.country)}"
        case LivesElsewhere():
            return names.place(reason.has), any_of([names.place(place) for place in reason.needs])
        case HoursTooLittleOverlap():
            return duration(reason.has), overlap_text(reason.needs)
        case RateAbovePay():
            return _hourly(reason.has), f"at most {_hourly(reason.ceiling)}"
        case NoPayForPlace():
            return None if reason.place is None else names.place(reason.place), "a place for which pay is stated"
        case VettingFailed():
            return "not passed", "passed"
        case VettingExpired():
            return f"passed until {reason.expired_on.isoformat()}", "passed"
        case AttributeFails():
            return _comparison(reason, names)
        case Excluded():
            return None, criterion_text(reason.criterion, names, wanted=False)
    raise TypeError(reason)


def _comparison(reason: AttributeFails, names: Names) -> tuple[str | None, str]:
    attribute = ATTRIBUTES.get(reason.attribute)
    if attribute is None:  # declared when the verdict was given, and since withdrawn
        return None, "something else"
    if reason.op is Operator.EXISTS:
        return None, "known" if reason.needs else "not set"
    needs = comparison_text(Compare(reason.attribute, reason.op, reason.needs), names)
    if reason.has is None or attribute.kind is Kind.IDS:
        return None, needs
    unit = f" {attribute.unit}" if attribute.unit else ""
    return value_text(reason.has, attribute, names) + unit, needs


def _hourly(rate: object) -> str:
    return f"{plain_number(rate)} EUR an hour"  # type: ignore[arg-type]
