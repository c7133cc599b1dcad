"""Database constraints speak in the domain's own refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from accounts.errors import DomainError


@contextmanager
def refusing(refusals: Mapping[str, Callable[[], DomainError]]) -> Iterator[None]:
    """Run a block in a savepoint, or where there is no transaction yet in one of its own; a violation of a constraint
    named here becomes its refusal, which is made when all is taken back.

    Whoever lost a race reads the same sentence as whoever came too late by a day. Other violations are bugs and pass.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None))
        if name in refusals:
            raise refusals[name]() from error
        raise
