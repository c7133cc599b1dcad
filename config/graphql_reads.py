"""What an answer was read from: the tables that its statements name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from django.apps import apps

_WORD = re.compile(r"[a-z_][a-z0-9_]*")
# What a statement may say, or do, beside reading tables. It is looked for anywhere: a column of such a name is one that
# answers are not kept for, and no harm.
_MORE = re.compile(
    r"\b(?:insert|update|delete|merge|truncate|copy|call|set|nextval|random|gen_random_uuid|now|current_(?:date|time|timestamp|setting|user|role)"
    r"|localtime\w*|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|age|pg_\w+)\b",
    re.IGNORECASE,
)


class Reads:
    """Notes what statements read: `with connection.execute_wrapper(reads): …`."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self.are_all = True
        """Whether the answer follows from the tables alone: nothing was written, and nobody asked what time it is."""

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if isinstance(sql, str):
            tables, is_all = _read_by(sql)
            self.tables |= tables
            self.are_all &= is_all
        else:
            self.are_all = False
        return execute(sql, params, many, context)


@lru_cache(maxsize=1_024)
def _read_by(sql: str) -> tuple[frozenset[str], bool]:
    return _tables().intersection(_WORD.findall(sql.lower())), _MORE.search(sql) is None


@cache
def _tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))
