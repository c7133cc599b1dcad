"""The command line where there is nothing to work on."""

from __future__ import annotations

import sys
from typing import NoReturn

import pytest
from django.core import management
from django.db import OperationalError
from psycopg_pool import PoolTimeout

import manage


def _no_server(_: list[str]) -> NoReturn:
    raise OperationalError("couldn't get a connection") from PoolTimeout("after 10.00 sec")


def _no_memory(_: list[str]) -> NoReturn:
    raise OperationalError("out of shared memory")


def test_a_database_that_does_not_answer_is_told_of_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "execute_from_command_line", _no_server)
    monkeypatch.setattr(sys, "argv", ["manage.py", "model", "list"])
    with pytest.raises(SystemExit, match="does not answer") as told:
        manage.main()
    assert "make run" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("fails", "asked"), [(_no_memory, []), (_no_server, ["--traceback"])])
def test_anything_else_and_whoever_asks_for_it_gets_the_traceback(monkeypatch, fails, asked: list[str]) -> None:
    monkeypatch.setattr(management, "execute_from_command_line", fails)
    monkeypatch.setattr(sys, "argv", ["manage.py", "model", "list", *asked])
    with pytest.raises(OperationalError):
        manage.main()
