"""Selections compiled to functions: of a row, what its fields say, ready to be written.

GraphQL's executor walks down the types again for each field of each row, and builds for each what a resolver might
ask for. What a field needs is the same for all rows of a list, so it is put together once for an execution: how to
resolve it, with its arguments, and how to write what comes. Nothing else changes: the resolvers are the same, called
in the same order.

A selection that has anything unusual (unions and interfaces, extensions of fields, resolvers that are awaited,
directives but @skip and @include) is not compiled, and a value that is not as it should be raises. Both are left to
GraphQL's own executor, which knows what to say and where.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import to_nodes
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema_converter import get_arguments
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from accounts.api.nodes import KINDS

Write = Callable[[Any], Any]

_ROW: Any = object()  # stands for the row among a resolver's arguments
_TEXTS = ("String", "ID")
_CONDITIONS = frozenset({"skip", "include"})


class NotPlain(Exception):
    """Something that is left to GraphQL's own executor."""


class Compiler:
    """Of one execution, whose variables and fragments it knows: `executor` is GraphQL's."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self._converter = executor.schema._strawberry_schema.schema_converter

    def field(self, parent: GraphQLObjectType, details: list[FieldDetails], path: Path) -> Write:
        """What a field of a `parent` says, as a function of the row. `path` is where one of them lies. Raises
        NotPlain, as the function does, which raises whatever resolvers raise, too."""
        node = details[0].node
        if any(one.name.value not in _CONDITIONS for detail in details for one in detail.node.directives or ()):
            raise NotPlain
        name = node.name.value
        if name == "__typename":
            return lambda _: parent.name
        defined = self._executor.schema.get_field(parent, name)
        field = defined.extensions.get("strawberry-definition") if defined else None
        if not isinstance(field, StrawberryField) or type(field).get_result is not StrawberryField.get_result:
            raise NotPlain
        if field.extensions or field.is_async:
            raise NotPlain
        if field.base_resolver is None:
            if field.default_resolver is not getattr:
                raise NotPlain
            read: Write = attrgetter(field.python_name)
        else:
            read = self._resolver(parent, defined, field, details, path)
        return self._written(read, defined.type, details, path)

    def _resolver(
        self,
        parent: GraphQLObjectType,
        defined: GraphQLField,
        field: StrawberryField,
        details: list[FieldDetails],
        path: Path,
    ) -> Write:
        """A resolver as a function of the row alone: its arguments are the same for all."""
        executor, node = self._executor, details[0].node
        given = {}
        if defined.args or node.arguments:
            given = get_argument_values(
                defined, node, executor.variable_values, details[0].fragment_variable_values, executor.hide_suggestions
            )
        info = Info(_raw_info=executor.build_resolve_info(defined, to_nodes(details), parent, path), _field=field)
        positional, named = get_arguments(
            field=field,
            source=_ROW,
            info=info,
            kwargs=given,
            config=self._converter.config,
            scalar_registry=self._converter.scalar_registry,
        )
        assert field.base_resolver is not None
        function: Any = field.base_resolver.wrapped_func
        if not inspect.isfunction(function):
            raise NotPlain
        by_name = [name for name, value in named.items() if value is _ROW]
        if len(positional) + len(by_name) > 1:
            raise NotPlain
        if by_name and by_name[0] != next(iter(inspect.signature(function).parameters)):
            raise NotPlain
        named = {name: value for name, value in named.items() if value is not _ROW}
        if not positional and not by_name:
            return lambda _: function(**named)
        if not named:
            return function
        return lambda row: function(row, **named)

    def _written(self, read: Write, of_type: GraphQLOutputType, details: list[FieldDetails], path: Path) -> Write:
        """What is read of a row, as it is written."""
        present: Any = of_type
        if is_required := is_non_null_type(of_type):
            present = of_type.of_type
        missing = _refuse if is_required else _nothing
        if is_leaf_type(present):
            return _leaf(read, present.coerce_output_value, missing, is_text=present.name in _TEXTS)
        if is_list_type(present):
            write = self._written(_itself, present.of_type, details, path)

            def listed(row: Any) -> Any:
                value = read(row)
                if value.__class__ is list or isinstance(value, list | tuple):
                    return [write(one) for one in value]
                return missing(value)

            return listed
        if is_object_type(present):
            return self._object(read, present, missing, details, path)
        raise NotPlain

    def _object(
        self, read: Write, of_type: GraphQLObjectType, missing: Write, details: list[FieldDetails], path: Path
    ) -> Write:
        grouped, deferred, *_ = self._executor.collect_subfields(of_type, details)
        if deferred:
            raise NotPlain
        fields = [(key, self.field(of_type, one, path.add_key(key, of_type.name))) for key, one in grouped.items()]
        is_type_of: Any = of_type.is_type_of
        of_this_type: set[type] = set()  # whether a row is of a type is told by its class
        seen: dict[int, tuple[Any, Any]] = {}  # by identity, which nothing else takes while the row is kept with it

        def written(value: Any) -> Any:
            if value.__class__ not in of_this_type:
                if value is None:
                    return missing(value)
                if isinstance(value, Exception) or (is_type_of is not None and is_type_of(value, None) is not True):
                    raise NotPlain
                of_this_type.add(value.__class__)
            return {key: field(value) for key, field in fields}

        def once(row: Any) -> Any:
            value = read(row)
            known = seen.get(id(value))
            if known is None:
                known = seen[id(value)] = value, written(value)
            return known[1]

        # Many rows of a list lead to the same few: skills, organisations, people who applied more than once.
        leads_to_rows = read is not _itself and of_type.name in KINDS
        return once if leads_to_rows else lambda row: written(read(row))


def _leaf(read: Write, coerce: Write, missing: Write, *, is_text: bool) -> Write:
    def text(row: Any) -> Any:
        value = read(row)
        return value if value.__class__ is str else written(value)

    def other(row: Any) -> Any:
        return written(read(row))

    def written(value: Any) -> Any:
        if value is None:
            return missing(value)
        if isinstance(value, Exception):
            raise NotPlain
        coerced = coerce(value)
        return missing(coerced) if coerced is None else coerced

    return text if is_text else other


def _itself(row: Any) -> Any:
    return row


def _nothing(value: Any) -> None:
    """Of a field that may be null."""
    if value is not None:
        raise NotPlain


def _refuse(_: Any) -> Any:
    raise NotPlain
