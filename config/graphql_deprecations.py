"""What of the schema will go: when, what comes instead, and who uses it still.

A deprecated element says both in one form, which `deprecated` writes and the tests insist on. Each request that uses
one is counted for its client and the day, after the answer is out. `manage.py deprecations` tells.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    type_from_ast,
    visit,
)

REASON = re.compile(r"Use `(?P<replacement>[^`]+)`\. Goes on (?P<day>\d{4}-\d{2}-\d{2})\.")
CACHED_DOCUMENTS = 512


def deprecated(replacement: str, *, goes_on: date) -> str:
    """The reason of a deprecation, for `strawberry.field(deprecation_reason=…)`."""
    return f"Use `{replacement}`. Goes on {goes_on.isoformat()}."


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Every deprecated element, as it is counted, with its reason."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field, defined in type_.fields.items():
                if defined.deprecation_reason:
                    yield f"{name}.{field}", defined.deprecation_reason
                for argument, given in defined.args.items():
                    if given.deprecation_reason:
                        yield f"{name}.{field}({argument})", given.deprecation_reason
        elif isinstance(type_, GraphQLInputObjectType | GraphQLEnumType):
            members: Mapping[str, Any] = type_.fields if isinstance(type_, GraphQLInputObjectType) else type_.values
            for member, declared in members.items():
                if declared.deprecation_reason:
                    yield f"{name}.{member}", declared.deprecation_reason


def deprecated_uses(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], operation_name: str | None
) -> frozenset[str]:
    """What a valid request uses of what is deprecated: in its document, and in the values of its variables."""
    if not _has_any(schema):
        return frozenset()
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    asked = [node for node in operations if operation_name in (None, node.name.value if node.name else None)]
    given = {
        element
        for operation in asked
        for declared in operation.variable_definitions or ()
        for element in _in_value(type_from_ast(schema, declared.type), variables.get(declared.variable.name.value))
    }
    return _in_document(schema, document) | given


@lru_cache(maxsize=4)
def _has_any(schema: GraphQLSchema) -> bool:
    return any(True for _ in deprecations(schema))


@lru_cache(maxsize=CACHED_DOCUMENTS)
def _in_document(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    info = TypeInfo(schema)
    looking = _Looking(info)
    visit(document, TypeInfoVisitor(info, looking))
    return frozenset(looking.found)


class _Looking(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.found: set[str] = set()

    def enter_field(self, node: Any, *rest: Any) -> None:
        defined, parent = self.info.get_field_def(), self.info.get_parent_type()
        if defined is not None and parent is not None and defined.deprecation_reason:
            self.found.add(f"{parent.name}.{node.name.value}")

    def enter_argument(self, node: Any, *rest: Any) -> None:
        defined, parent, field = self.info.get_argument(), self.info.get_parent_type(), self.info.get_field_def()
        if defined is not None and parent is not None and field is not None and defined.deprecation_reason:
            name = next(name for name, one in getattr(parent, "fields", {}).items() if one is field)
            self.found.add(f"{parent.name}.{name}({node.name.value})")

    def enter_object_field(self, node: Any, *rest: Any) -> None:
        parent = _bare(self.info.get_parent_input_type())
        if isinstance(parent, GraphQLInputObjectType):
            defined = parent.fields.get(node.name.value)
            if defined is not None and defined.deprecation_reason:
                self.found.add(f"{parent.name}.{node.name.value}")

    def enter_enum_value(self, node: Any, *rest: Any) -> None:
        kind = _bare(self.info.get_input_type())
        if isinstance(kind, GraphQLEnumType):
            defined = kind.values.get(node.value)
            if defined is not None and defined.deprecation_reason:
                self.found.add(f"{kind.name}.{node.value}")


def _in_value(type_: Any, value: Any) -> Iterator[str]:
    """Of a variable's value, which the request's size bounds."""
    kind = _bare(type_)
    if isinstance(value, list):
        for item in value:
            yield from _in_value(kind, item)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        for name, inner in value.items():
            defined = kind.fields.get(name)
            if defined is not None:
                if defined.deprecation_reason:
                    yield f"{kind.name}.{name}"
                yield from _in_value(defined.type, inner)
    elif isinstance(kind, GraphQLEnumType) and isinstance(value, str):
        defined_value = kind.values.get(value)
        if defined_value is not None and defined_value.deprecation_reason:
            yield f"{kind.name}.{value}"


def _bare(type_: Any) -> Any:
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return type_
