"""Questions made of the schema: every field of a type, and what hangs on it, down to the rows of other types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.config.graphql_client import schema

SCHEMA = schema._schema
NODE: Any = SCHEMA.get_type("Node")
DEEPEST = 6
FIRST = 3  # rows of a list that hangs on a row
PAGE = frozenset({"edges", "nodes", "pageInfo"})


def object_types() -> dict[str, GraphQLObjectType]:
    """Those that a row or a part of one is told as: refusals and the roots aside."""
    roots = (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
    return {
        name: one
        for name, one in SCHEMA.type_map.items()
        if isinstance(one, GraphQLObjectType)
        and not name.startswith("__")
        and one not in roots
        and "Refusal" not in {interface.name for interface in one.interfaces}
    }


def is_node(type_: GraphQLNamedType) -> bool:
    return isinstance(type_, GraphQLObjectType) and NODE in type_.interfaces


def is_connection(type_: GraphQLNamedType) -> bool:
    return isinstance(type_, GraphQLObjectType) and {"pageInfo", "nodes"} <= set(type_.fields)


def plumbing(type_: GraphQLNamedType) -> bool:
    """What pages are made of."""
    return (
        is_connection(type_)
        or type_.name == "PageInfo"
        or (isinstance(type_, GraphQLObjectType) and {"cursor", "node"} <= set(type_.fields))
    )


def named(field: GraphQLField) -> GraphQLNamedType:
    return get_named_type(field.type)


class Question:
    """The selections of a type, and the fragments that they need. Of rows of other types it asks what `guarded` names:
    the rest is theirs to read who have such a row in hand."""

    def __init__(self, guarded: Callable[[str, str], bool]) -> None:
        self.guarded = guarded
        self.fragments: dict[str, str] = {}

    def all_of(self, type_: Any, depth: int = 0) -> str:
        """Every field of a type."""
        return " ".join(self.field(name, field, depth) for name, field in type_.fields.items())

    def field(self, name: str, field: GraphQLField, depth: int = 0, arguments: str = "") -> str:
        type_ = named(field)
        missing = [key for key, one in field.args.items() if is_required_argument(one)]
        assert arguments or not missing, f"{name} needs {missing}"
        if is_leaf_type(type_):
            return name + arguments
        if is_connection(type_):
            if not arguments and "first" in field.args:
                arguments = f"(first: {FIRST})"
            fields: Any = type_.fields  # type: ignore[attr-defined]
            more = " ".join(self.field(key, fields[key], depth + 1) for key in fields if key not in PAGE)
            return f"{name}{arguments} {{ {more} nodes {{ {self.row(named(fields['nodes']), depth)} }} }}"
        return f"{name}{arguments} {{ {self.row(type_, depth)} }}"

    def row(self, type_: GraphQLNamedType, depth: int) -> str:
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return "__typename"
        if not is_node(type_):
            assert depth < DEEPEST, type_
            return "__typename " + self.all_of(type_, depth + 1)
        return f"__typename ...{self.fragment(type_)}"

    def fragment(self, type_: Any) -> str:
        name = f"Guarded{type_.name}"
        if name not in self.fragments:
            self.fragments[name] = ""  # while it is being made, so that types that know each other come to an end
            fields = (
                self.named_rows(key, one)
                for key, one in type_.fields.items()
                if self.guarded(type_.name, key) and not is_connection(named(one))  # asked of the row itself
            )
            self.fragments[name] = f"fragment {name} on {type_.name} {{ id {' '.join(fields)} }}"
        return name

    def named_rows(self, name: str, field: GraphQLField) -> str:
        """A field of a row that is itself part of another: rows that hang on it are named, and no more."""
        type_ = named(field)
        if is_leaf_type(type_):
            return name
        return f"{name} {{ __typename {'id' if is_node(type_) else ' '.join(self.leaves(type_))} }}"

    def leaves(self, type_: Any) -> Iterator[str]:
        return (key for key, one in type_.fields.items() if is_leaf_type(named(one)))

    def document(self, operation: str) -> str:
        return "\n".join([operation, *self.fragments.values()])


def node_document(type_name: str, guarded: Callable[[str, str], bool]) -> str:
    """Asks for all of a row by its id, `$id`."""
    question = Question(guarded)
    selections = question.all_of(SCHEMA.get_type(type_name))
    return question.document(
        f"query ($id: ID!) {{ node(id: $id) {{ __typename ... on {type_name} {{ {selections} }} }} }}"
    )


def reach_document(number: int) -> str:
    """Asks which of so many ids, `$a0`, `$a1` …, lead to a row."""
    variables = ", ".join(f"$a{at}: ID!" for at in range(number))
    return (
        f"query ({variables}) {{ {' '.join(f'a{at}: node(id: $a{at}) {{ __typename id }}' for at in range(number))} }}"
    )
