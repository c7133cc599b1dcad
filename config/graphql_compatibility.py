"""What a change of the schema breaks for clients of the last release, whose schema is `config/released.graphql`.

A breaking change is declared where those read who use the API: in the changelog, under what is not released yet, word
for word as it is found here. `make schema RELEASE=1` makes the present schema the released one.
"""

import re
from pathlib import Path

from graphql import GraphQLSchema, build_schema, find_breaking_changes

RELEASED = Path(__file__).with_name("released.graphql")
CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def released_schema() -> GraphQLSchema:
    return build_schema(RELEASED.read_text(encoding="utf-8"))


def unreleased(changelog: str) -> str:
    """The section of a changelog on what is not released yet; "" where it has none."""
    found = re.search(r"^## \[Unreleased\]$(.*?)(?=^## \[|\Z)", changelog, re.M | re.S)
    return found[1] if found else ""


def undeclared(released: GraphQLSchema, present: GraphQLSchema, changelog: str) -> list[str]:
    """Breaking changes between two schemas that the changelog's unreleased section does not have in backticks."""
    declared = re.sub(r"\s+", " ", unreleased(changelog))
    found = sorted(change.description for change in find_breaking_changes(released, present))
    return [description for description in found if f"`{description}`" not in declared]
