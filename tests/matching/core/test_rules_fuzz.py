"""Whatever JSON comes in, a rule is read or refused with typed faults: never another exception."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.attributes import ATTRIBUTES, Operator
from matching.core.rules import InvalidRule, dump, load, parse

WORDS = [
    "all", "any", "not", "atLeast", "attribute", "op", "value", "skill", "minLevel", "minYears", "usedWithinMonths",
    "narrower", "language", "workAuthorisation", "livesIn", "hoursOverlap", "rateWithinPay", "vetted", "disclosure",
    "minutes", "timezone", "from", "to", "n", "of",
]  # fmt: skip
VALUES = [
    "DE", "DE-BE", "de", "B2", "09:00", "24:00", "Europe/Berlin", "../../etc/passwd", "America", "background", "staff",
    "(a+)+$", "ДЕ", "DЕ", "аge", "ɡroups", "weekly_hоurs", "\x00", "\ud800", "١٢", "30", "2026-02-30", "NaN", "true",
    "",
    *ATTRIBUTES, *Operator,
]  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-1, 13),
    st.just(10**400),
    st.floats(),
    st.decimals(),
    st.sampled_from(VALUES),
    st.text(max_size=8),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=20,
)
criteria = st.one_of(
    st.fixed_dictionaries(
        {
            "attribute": st.sampled_from([*ATTRIBUTES, "аge"]),
            "op": st.sampled_from(list(Operator)),
            "value": json_values,
        }
    ),
    *(
        st.fixed_dictionaries({name: json_values}, optional={"disclosure": json_values, "minLevel": json_values})
        for name in ("skill", "language", "workAuthorisation", "livesIn", "rateWithinPay", "vetted")
    ),
    st.fixed_dictionaries(
        {"hoursOverlap": st.fixed_dictionaries(dict.fromkeys(("minutes", "timezone", "from", "to"), json_values))}
    ),
)
nodes = st.recursive(
    criteria,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"atLeast": st.fixed_dictionaries({"n": scalars, "of": st.lists(inner, max_size=4)})}),
    ),
    max_leaves=12,
)


@given(st.one_of(json_values, nodes))
def test_json_of_any_shape_is_read_or_refused_with_faults(raw: object) -> None:
    try:
        rule = parse(raw)
    except InvalidRule as refusal:
        assert refusal.faults
        for fault in refusal.faults:
            assert fault.path.startswith("$")
            assert fault.code.isupper()
            json.dumps(fault.to_json()).encode()
            fault.problem.encode()  # lone surrogates do not come back out
    else:
        assert load(json.loads(json.dumps(dump(rule)))) == rule


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        ({"attribute": "аge", "op": "gte", "value": 18}, "$.attribute", "UNDECLARED_ATTRIBUTE"),
        ({"attribute": "weekly_hоurs", "op": "gte", "value": 18}, "$.attribute", "UNDECLARED_ATTRIBUTE"),
        ({"livesIn": ["DЕ"]}, "$.livesIn[0]", "BAD_CODE"),
        ({"livesIn": ["DE", ".*"]}, "$.livesIn[1]", "BAD_CODE"),
        ({"livesIn": ["DE"] * 201}, "$.livesIn", "LONG_LIST"),
        ({"livesIn": "DE"}, "$.livesIn", "WRONG_TYPE"),
        ({"vetted": ["background"]}, "$.vetted", "UNKNOWN_CHECK"),
        ({"vetted": "bаckground"}, "$.vetted", "UNKNOWN_CHECK"),
        ({"rateWithinPay": 1}, "$.rateWithinPay", "WRONG_TYPE"),
        ({"skill": 7, "usedWithinMonths": True}, "$.usedWithinMonths", "WRONG_TYPE"),
        ({"skill": 7, "usedWithinMonths": "12"}, "$.usedWithinMonths", "WRONG_TYPE"),
        ({"skill": 7, "usedWithinMonths": 0}, "$.usedWithinMonths", "OUT_OF_RANGE"),
        ({"skill": 7, "minYears": float("nan")}, "$.minYears", "BAD_NUMBER"),
        ({"skill": 7, "minYears": Decimal("1e-30")}, "$.minYears", "BAD_NUMBER"),
        ({"skill": 7, "narrower": 1}, "$.narrower", "WRONG_TYPE"),
        ({"hoursOverlap": {"minutes": 60}}, "$.hoursOverlap", "UNKNOWN_FIELD"),
    ],
)
def test_what_merely_looks_right_is_refused_where_it_stands(raw: object, path: str, code: str) -> None:
    with pytest.raises(InvalidRule) as refusal:
        parse(raw)
    assert [(fault.path, fault.code) for fault in refusal.value.faults] == [(path, code)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("minutes", 0, "OUT_OF_RANGE"),
        ("minutes", 1441, "OUT_OF_RANGE"),
        ("minutes", True, "WRONG_TYPE"),
        ("timezone", "Europe/Bеrlin", "BAD_CODE"),
        ("timezone", "Mars/Olympus", "BAD_CODE"),
        ("timezone", "America", "BAD_CODE"),
        ("timezone", "../UTC", "BAD_CODE"),
        ("from", "24:00", "WRONG_TYPE"),
        ("to", "٠٩:٠٠", "WRONG_TYPE"),
        ("to", 900, "WRONG_TYPE"),
    ],
)
def test_a_window_is_refused_field_by_field(field: str, value: object, code: str) -> None:
    window: dict[str, object] = {"minutes": 60, "timezone": "UTC", "from": "09:00", "to": "17:00"}
    with pytest.raises(InvalidRule) as refusal:
        parse({"hoursOverlap": {**window, field: value}})
    assert [(fault.path, fault.code) for fault in refusal.value.faults] == [(f"$.hoursOverlap.{field}", code)]
