"""The step that seals what was written before anything was sealed."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from accounts.models import IdempotencyRecord
from marketplace.models import Candidate, WorkExperience
from tests.marketplace.factories import NOW, a_candidate

seal = import_module("marketplace.migrations.0004_seal")
answers = import_module("accounts.migrations.0008_sealed_answers")
EDITOR = SimpleNamespace(connection=connection)


def execute(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def plain_columns(db: None) -> None:
    """The tables as they are between the steps."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    for model, (_, columns) in seal.SEALED.items():
        for column in columns:
            execute(f"ALTER TABLE marketplace_{model} ADD COLUMN {column}_plain text NOT NULL DEFAULT ''")
    execute("ALTER TABLE accounts_idempotencyrecord ADD COLUMN response_plain jsonb")


class Killed(BaseException):
    pass


@pytest.mark.usefixtures("plain_columns")
def test_what_is_there_is_sealed_however_often_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "AT_ONCE", 2)
    people = [a_candidate(now=NOW) for _ in range(5)]
    for at, person in enumerate(people):
        person.experiences.create(title="Welder", starts_on=NOW.date())
        given = ["", f"+49 30 {at}", "https://linkedin.com/in/é", "It's\n\\x00 " * 400, person.pk]
        if at == 3:
            given = ["", "", "", "", person.pk]
        execute(
            "UPDATE marketplace_candidate SET email_plain = %s, phone_plain = %s, linkedin_plain = %s,"
            " resume_text_plain = %s WHERE id = %s",
            *given,
        )
    execute("UPDATE marketplace_workexperience SET description_plain = 'Welded.'")
    history = execute("SELECT count(*) FROM marketplace_candidatefactevent")
    following, asked = seal._seal_next, []

    def killed_at_the_second(*given: Any) -> Any:
        asked.append(given)
        if len(asked) == 2:
            raise Killed
        return following(*given)

    monkeypatch.setattr(seal, "_seal_next", killed_at_the_second)
    with pytest.raises(Killed):
        seal.seal_what_is_there(None, EDITOR)
    seal.seal_what_is_there(None, EDITOR)

    texts = [(row.email, row.phone, row.linkedin, row.resume_text) for row in Candidate.objects.order_by("pk")]
    assert texts == [
        ("", "", "", "") if at == 3 else ("", f"+49 30 {at}", "https://linkedin.com/in/é", "It's\n\\x00 " * 400)
        for at in range(5)
    ]
    assert {row.description for row in WorkExperience.objects.all()} == {"Welded."}
    assert execute("SELECT 1 FROM marketplace_candidate WHERE phone_plain <> '' OR resume_text_plain <> ''") == []
    assert execute("SELECT count(*) FROM marketplace_candidatefactevent") == history, "no fact has changed"


@pytest.mark.usefixtures("plain_columns")
def test_answers_that_are_kept_are_sealed() -> None:
    for number in range(3):
        IdempotencyRecord.objects.create(
            principal="1", key=str(number), operation="do", fingerprint="x", leased_until=NOW, created_at=NOW
        )
    execute("UPDATE accounts_idempotencyrecord SET response_plain = %s WHERE key <> '2'", '{"data": "{\\"ü\\": 1}"}')
    answers.seal_what_is_there(None, EDITOR)
    kept = [row.response for row in IdempotencyRecord.objects.order_by("key")]
    assert kept == ['{"data": "{\\"ü\\": 1}"}'] * 2 + [""]
    assert execute("SELECT 1 FROM accounts_idempotencyrecord WHERE response_plain IS NOT NULL") == []
