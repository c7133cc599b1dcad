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
        write = self._value(defined.type, details, path)
        if field.base_resolver is None:
            if field.default_resolver is not getattr:
                raise NotPlain
            read: Write = attrgetter(field.python_name)
        else:
            read = self._resolver(parent, defined, field, details, path)
        return lambda row: write(read(row))

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

    def _value(self, of_type: GraphQLOutputType, details: list[FieldDetails], path: Path) -> Write:
        """How to write a value of a type."""
        if is_non_null_type(of_type):
            write = self._present(of_type.of_type, details, path)

            def required(value: Any) -> Any:
                if value is None or (written := write(value)) is None:
                    raise NotPlain
                return written

            return required
        write = self._present(of_type, details, path)
        return lambda value: None if value is None else write(value)

    def _present(self, of_type: Any, details: list[FieldDetails], path: Path) -> Write:
        """How to write a value that is not null."""
        if is_leaf_type(of_type):
            return _leaf(of_type.coerce_output_value, is_text=of_type.name in _TEXTS)
        if is_list_type(of_type):
            write = self._value(of_type.of_type, details, path)

            def listed(value: Any) -> list[Any]:
                if not isinstance(value, list | tuple):
                    raise NotPlain
                return [write(one) for one in value]

            return listed
        if is_object_type(of_type):
            return self._object(of_type, details, path)
        raise NotPlain

    def _object(self, of_type: GraphQLObjectType, details: list[FieldDetails], path: Path) -> Write:
        grouped, deferred, *_ = self._executor.collect_subfields(of_type, details)
        if deferred:
            raise NotPlain
        fields = [(key, self.field(of_type, one, path.add_key(key, of_type.name))) for key, one in grouped.items()]
        is_type_of: Any = of_type.is_type_of
        of_this_type: set[type] = set()  # whether a row is of a type is told by its class

        def write(row: Any) -> dict[str, Any]:
            if row.__class__ not in of_this_type:
                if isinstance(row, Exception) or (is_type_of is not None and is_type_of(row, None) is not True):
                    raise NotPlain
                of_this_type.add(row.__class__)
            return {key: field(row) for key, field in fields}

        return write


def _leaf(coerce: Write, *, is_text: bool) -> Write:
    def text(value: Any) -> Any:
        return value if type(value) is str else other(value)

    def other(value: Any) -> Any:
        if isinstance(value, Exception):
            raise NotPlain
        return coerce(value)

    return text if is_text else other
