"""What builders make by a shorter way is what the actions leave, to the last column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actions.organisations import create_organisation
from marketplace.actions.opportunities import publish_opportunity, set_eligibility_rule
from marketplace.actions.terms import LocationInput, SkillTermInput
from tests.marketplace import factories
from tests.marketplace.factories import (
    NOW,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_user,
    actor_of,
    an_organisation,
)

pytestmark = pytest.mark.django_db

BY_CHANCE = {"public_id", "reference", "created_at", "joined_at"}
DRAWN = {"accounts_tablestate"}
RULE = {"attribute": "years_experience", "op": "gte", "value": 2}


def left_by(make: Callable[[], object]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table once `make` has run, which is then undone: the next gets the same keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences")
        sequences = cursor.fetchall()
        with transaction.atomic():
            make()
            found = {}
            for table in set(connection.introspection.table_names()) - DRAWN:
                cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
                names = [column[0] for column in cursor.description or ()]
                found[table] = [
                    {name: value for name, value in zip(names, row, strict=True) if name not in BY_CHANCE}
                    for row in cursor.fetchall()
                ]
            transaction.set_rollback(True)
        for name, last in sequences:
            cursor.execute("SELECT setval(%s, coalesce(%s, 1), %s)", [name, last, last is not None])
    return found


@pytest.mark.parametrize("seats", [1, 3])
@pytest.mark.parametrize("rule", [None, RULE])
@pytest.mark.parametrize("lists", [False, True])
def test_a_published_opportunity(lists: bool, rule: dict[str, Any] | None, seats: int) -> None:
    by, skill = an_organisation(), a_skill()
    fields: dict[str, Any] = {"title": "Turner", "weekly_hours": 20}
    if lists:
        fields |= {
            "skills": [SkillTermInput(skill.public_id, min_level=3)],
            "locations": [LocationInput("allowed", "NL")],
        }

    def through_the_actions() -> None:
        draft = a_draft(by, seats=seats, **fields)
        if rule:
            set_eligibility_rule(actor=by.actor, opportunity_id=draft.public_id, rule=rule, now=NOW)
        publish_opportunity(actor=by.actor, opportunity_id=draft.public_id, now=NOW)

    long = left_by(through_the_actions)
    short = left_by(lambda: a_published_opportunity(by, seats=seats, rule=rule, **fields))
    assert len(short["marketplace_seat"]) == seats
    assert short == long


def test_an_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = a_user()
    monkeypatch.setattr(factories, "a_user", lambda: owner)
    number = next(factories._numbers) + 1
    short = left_by(an_organisation)
    long = left_by(lambda: create_organisation(actor=actor_of(owner), name=f"Works {number}", now=NOW))
    assert short == long
