"""Conditions on projections that Django has no words for."""

from __future__ import annotations

from django.db.models import BooleanField, F, Func, Value


class Answers(Func):
    """Whether a `tsvector` column matches the literal of a `tsquery`."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, column: str, query: str) -> None:
        super().__init__(F(column), Value(query))
