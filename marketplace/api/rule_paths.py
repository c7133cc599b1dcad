"""Where a fault of a stored rule stands in the input that the rule was written as.

The trees are the same, `$.all[2]` is `rule.all[2]`; criteria are spelled differently: `$.all[2].value` is
`rule.all[2].attribute.value`, `$.not.livesIn[3]` is `rule.not.livesIn.places[3]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_STEP = re.compile(r"\.(?:(all|any)\[(\d+)\]|(not)(?![A-Za-z])|(atLeast)\.of\[(\d+)\])")
_FIELD = re.compile(r"\.([A-Za-z]+)")

_INPUTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "attribute": {"attribute": "name"},
        "skill": {"skill": "skillId"},
        "language": {},
        "workAuthorisation": {"workAuthorisation": "country"},
        "livesIn": {"livesIn": "places"},
        "hoursOverlap": {"hoursOverlap": ""},
        "rateWithinPay": {"rateWithinPay": ""},
        "vetted": {"vetted": "check"},
    }
)
"""Criteria by the key of their stored form, with those of its fields that the input calls otherwise."""


def input_path(path: str, stored: Any, *, root: str = "rule") -> str:
    """The place in the input of a place in a stored rule."""
    node, shown, rest = stored, root, path.removeprefix("$")
    while step := _STEP.match(rest):
        inner = _inner(node, step)
        if inner is None:
            break
        node, shown, rest = inner, shown + step[0], rest[step.end() :]
    kind = next((kind for kind in _INPUTS if isinstance(node, dict) and kind in node), None)
    field = _FIELD.match(rest)
    if kind is None or field is None:
        return shown + rest
    name = _INPUTS[kind].get(field[1], field[1])
    return f"{shown}.{kind}{f'.{name}' if name else ''}{rest[field.end() :]}"


def _inner(node: Any, step: re.Match[str]) -> Any:
    """The child that a step leads to; None where there is none."""
    if not isinstance(node, dict):
        return None
    group, place, negation, quorum, number = step.groups()
    if negation:
        return node.get("not")
    children = node.get("atLeast", {}).get("of") if quorum else node.get(group)
    at = int(number or place)
    return children[at] if isinstance(children, list) and at < len(children) else None
