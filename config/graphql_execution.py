"""Executing an operation: what GraphQL's own executor does, with a short way for all that is usual."""

from __future__ import annotations

import inspect
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from accounts.api.context import Context
from config.graphql_compiled import Compiler, Write
from config.graphql_operations import is_stranger

_BUILD = inspect.signature(StrawberryGraphQLCoreExecutionContext.build)


class Executor(StrawberryGraphQLCoreExecutionContext):
    """One operation's. A field is compiled with all that is selected below it. When that fails for some row, the field
    is executed again by GraphQL's own, which reports what is wrong in its place: nothing but reading happens below the
    fields of the root, and these are resolved once, by GraphQL's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._compiler: Compiler | None = None
        # By the identity of a list of details, which is kept with it: nothing else can take that identity meanwhile.
        self._compiled: dict[tuple[GraphQLObjectType, int], tuple[list[FieldDetails], Write | None]] = {}
        self._takes_short_way = not (self.middleware_manager and self.middleware_manager.middlewares)
        schema = self.schema
        self._roots = (schema.query_type, schema.mutation_type, schema.subscription_type)

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
        if self._takes_short_way and position_context is None and parent_type not in self._roots:
            write = self._written_by(parent_type, field_details_list, path)
            if write is not None:
                try:
                    return write(source)
                except Exception:  # told by GraphQL's own, below
                    self._takes_short_way = False
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _written_by(self, parent_type: GraphQLObjectType, details: list[FieldDetails], path: Path) -> Write | None:
        key = parent_type, id(details)
        found = self._compiled.get(key)
        if found is None:
            if self._compiler is None:
                self._compiler = Compiler(self)
            try:
                write = self._compiler.field(parent_type, details, path)
            except Exception:  # of arguments that cannot be read, too
                write = None
            found = self._compiled[key] = details, write
        return found[1]
