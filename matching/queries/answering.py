"""Conditions on projections that Django has no words for."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import BooleanField, F, Func, Value


class Answers(Func):
    """Whether a `tsvector` column matches the literal of a `tsquery`."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, column: str, query: str) -> None:
        super().__init__(F(column), Value(query))


class IsAmong(Func):
    """Whether a row's key is one of many, sent as one value: `IN` with each written out takes longer to plan."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, keys: Collection[int], column: str = "pk") -> None:
        super().__init__(F(column), Value(f"{{{','.join(map(str, sorted(keys)))}}}"))
