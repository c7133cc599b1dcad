"""Which columns an operation reads, told from its selections before it is executed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.db.models import Model
from graphql import DocumentNode, GraphQLSchema, TypeInfo, TypeInfoVisitor, Visitor, visit
from strawberry.extensions import SchemaExtension

from accounts.api.columns import Columns, needed_by, reading
from accounts.api.nodes import KINDS
from config.graphql_operations import CACHED_DOCUMENTS


class ReadColumns(SchemaExtension):
    """Rows are read with the columns that the operation asks for."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        with reading(columns_read(context.schema._schema, document) if document is not None else {}):
            yield


@lru_cache(maxsize=CACHED_DOCUMENTS)
def columns_read(schema: GraphQLSchema, document: DocumentNode) -> Columns:
    """Of a valid document: by all its operations, whatever directives leave out."""
    visitor = _Reading(TypeInfo(schema))
    visit(document, TypeInfoVisitor(visitor.types, visitor))
    return visitor.found


class _Reading(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: dict[type[Model], frozenset[str] | None] = {}

    def enter_field(self, *_: Any) -> None:
        parent, defined = self.types.get_parent_type(), self.types.get_field_def()
        kind = KINDS.get(parent.name) if parent is not None else None
        field = defined.extensions.get("strawberry-definition") if defined is not None else None
        if kind is None or field is None:  # no row of a table's, or __typename
            return
        known, needed = self.found.get(kind.model, frozenset[str]()), needed_by(field, kind.model)
        self.found[kind.model] = None if known is None or needed is None else known | needed
