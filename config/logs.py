"""What Muster writes to its logs: nothing that an exception says, for it may quote a row, a setting or a letter.

Of an exception there is its type, of Postgres' ones the SQLSTATE and the constraint, and the places it came through,
without the lines of code, which may be data too. LOG_EXCEPTION_MESSAGES=1 writes all of it, for whoever looks for a
fault on a machine of their own.
"""

import copy
import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from accounts.core.faults import described, name_of

# What Celery says of a task: what it was called with, what it raised, and what it returned.
_OF_TASKS = ("exc", "traceback", "args", "kwargs", "return_value")


class DiscreetFormatter(logging.Formatter):
    """Writes exceptions without their messages, as arguments of a message too."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.exc_text = None  # another handler may have left the whole traceback here
        if isinstance(record.args, dict):
            error = record.exc_info[1] if record.exc_info else None
            replaced = dict.fromkeys(_OF_TASKS, described(error) if error else "…")
            record.args = {
                name: replaced[name] if name in replaced and record.name.startswith("celery") else _discreet(value)
                for name, value in record.args.items()
            }
        elif isinstance(record.args, tuple):
            record.args = tuple(map(_discreet, record.args))
        record.msg = _discreet(record.msg)
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        return "\n".join(_chain(ei[1], ei[2], set()))


def _discreet(value: Any) -> Any:
    return described(value) if isinstance(value, BaseException) else value


def _chain(error: BaseException | None, trace: TracebackType | None, seen: set[int]) -> Iterator[str]:
    """The lines of a traceback, causes first."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _chain(earlier, earlier.__traceback__, seen)
        yield "which led to:"
    for frame in traceback.extract_tb(trace):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    yield name_of(error)
