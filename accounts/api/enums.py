"""GraphQL enums from the enums of models and state machines, each value explained."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import strawberry


def described(source: Any, name: str, description: str, values: Mapping[str, str]) -> Any:
    """An enum for the schema with the members of `source`: same names, same values, one explanation for each.

    Rows hold the plain values, which the new enum reads and writes. Raises ValueError where an explanation is missing
    or speaks of a member that does not exist.
    """
    members = {member.name: str(member.value) for member in source}
    if set(values) != set(members.values()):
        raise ValueError(f"{name}: {sorted(set(values) ^ set(members.values()))} has no explanation or no member")
    explained: Any = StrEnum(name, members)  # type: ignore[misc]
    enum: Any = strawberry.enum(explained, name=name, description=description)
    for value in enum.__strawberry_definition__.values:
        value.description = values[value.value]
    return enum
