"""Executing an operation: what GraphQL's own executor does, with a short way for the fields that most of an answer
consists of.

A page of a hundred rows has thousands of fields that are nothing but an attribute of a row, written as a scalar or an
enum. The executor builds for each of them what a resolver might ask for, and walks down the type that it already knows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import GraphQLObjectType, Undefined, is_leaf_type, is_non_null_type
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from accounts.api.context import Context
from config.graphql_operations import is_stranger


class Plain(NamedTuple):
    """A field that is an attribute: its name in Python, and how it is written."""

    attribute: str
    written: Callable[[Any], Any]
    may_be_null: bool


_BUILD = inspect.signature(StrawberryGraphQLCoreExecutionContext.build)


class Executor(StrawberryGraphQLCoreExecutionContext):
    """One operation's. Whatever is not as plain as it seems, a value that is missing or cannot be written among it, is
    left to GraphQL's own, which reports it in its place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plain: dict[tuple[GraphQLObjectType, str], Plain | None] = {}

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> Any:
        """As the base class. It reads the variables; strangers are not told what they may have meant."""
        given = _BUILD.bind(*args, **kwargs)
        context = given.arguments.get("context_value")
        given.arguments["hide_suggestions"] = isinstance(context, Context) and is_stranger(context)
        return super().build(*given.args, **given.kwargs)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: Any,
    ) -> Any:
        node = field_details_list[0].node
        key = parent_type, node.name.value
        try:
            plain = self._plain[key]
        except KeyError:
            plain = self._plain[key] = self._as_plain(parent_type, node.name.value)
        if plain is not None:
            try:
                value = getattr(source, plain.attribute)
                if value is None:
                    if plain.may_be_null:
                        return None
                elif not isinstance(value, Exception):
                    written = plain.written(value)
                    if written is not None and written is not Undefined:
                        return written
            except Exception:
                pass
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _as_plain(self, parent_type: GraphQLObjectType, name: str) -> Plain | None:
        manager = self.middleware_manager
        defined = self.schema.get_field(parent_type, name)
        if defined is None or defined.args or (manager is not None and manager.middlewares):
            return None
        field = defined.extensions.get("strawberry-definition")
        if not isinstance(field, StrawberryField) or not getattr(defined.resolve, "_is_default", False):
            return None
        if type(field).get_result is not StrawberryField.get_result or field.default_resolver is not getattr:
            return None
        of_type = defined.type.of_type if is_non_null_type(defined.type) else defined.type
        if not is_leaf_type(of_type):
            return None
        return Plain(field.python_name, of_type.coerce_output_value, not is_non_null_type(defined.type))
