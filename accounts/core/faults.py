"""What is said of an error where others may read it: logs, and rows that staff look at.

The message of an exception may quote anything: a row, a setting, what somebody wrote. Its type, the place in the code
and the names that Postgres gives to what was violated say where to look, and nothing of anybody.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any


def described(error: BaseException) -> str:
    """`IntegrityError (23505 unique_user_email) at accounts.actions.users:41`: never the message."""
    return f"{name_of(error)}{_place(error.__traceback__)}"


def name_of(error: BaseException) -> str:
    """An error's type; of Postgres' errors also the SQLSTATE and the name of the constraint."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    state, constraint = _of_postgres(error)
    details = " ".join(one for one in (state, constraint) if one)
    return f"{name} ({details})" if details else name


def _of_postgres(error: BaseException) -> tuple[str, str]:
    found: Any = error if hasattr(error, "sqlstate") else error.__cause__
    diagnosis = getattr(found, "diag", None)
    return getattr(found, "sqlstate", None) or "", getattr(diagnosis, "constraint_name", None) or ""


def _place(traceback: TracebackType | None) -> str:
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f" at {traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"
