"""Every table and every column of text is declared: whose it is, and what erasing somebody does to it."""

from __future__ import annotations

from collections import defaultdict

import pytest
from django.apps import apps
from django.db import models

from accounts.models import User
from accounts.privacy import Erasure, Held, can_hold_text, declared, everything_held
from marketplace.models import Candidate

TABLES = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}
HELD: dict[str, list[Held]] = defaultdict(list)
for _one in everything_held():
    HELD[_one.table._meta.label].append(_one)
NOBODYS = {label: why for one in declared() for label, why in one.nobodys.items()}
# Said in another way than by a foreign key.
NAMED_OTHERWISE = {"accounts.IdempotencyRecord", "sessions.Session", "matching.SearchWord", "accounts.Transition"}

# These make up the person; and the user of a service token is a program.
NO_OTHER_PERSON = {
    ("marketplace.Candidate", "user"),
    ("marketplace.Candidate", "merged_into"),
    ("marketplace.CandidateFactEvent", "merged_into"),
    ("accounts.ServiceToken", "user"),
}


def test_every_table_is_declared_once() -> None:
    assert HELD.keys() | NOBODYS.keys() == TABLES.keys()
    assert HELD.keys() & NOBODYS.keys() == set()
    names = [one.name for one in everything_held()]
    assert len(names) == len(set(names))


def test_what_is_nobodys_refers_to_nobody() -> None:
    wrong = [
        f"{label}.{field.name}"
        for label in NOBODYS
        for field in TABLES[label]._meta.concrete_fields
        if field.is_relation and field.related_model in (User, Candidate) and label != "pghistory.MiddlewareEvents"
    ]
    assert wrong == []


@pytest.mark.parametrize("label", sorted(HELD))
def test_every_reference_to_a_person_is_followed(label: str) -> None:
    """A second foreign key to people, added to a table that is declared for the first, fails here."""
    source = {name for held in HELD[label] for name in _paths(held)}
    missing = [
        field.name
        for field in TABLES[label]._meta.concrete_fields
        if field.is_relation
        and field.related_model in (User, Candidate)
        and field.name not in source
        and (label, field.name) not in NO_OTHER_PERSON
    ]
    assert missing == []


def _paths(held: Held) -> set[str]:
    from accounts.privacy import Person

    found: set[str] = set()

    def walk(node: object) -> None:
        for child in getattr(node, "children", ()):
            if isinstance(child, tuple):
                found.add(str(child[0]).split("__")[0])
            else:
                walk(child)

    if held.table._meta.label not in NAMED_OTHERWISE | {"admin.LogEntry"}:
        walk(held.rows(Person((1,), (1,))))
    elif held.table._meta.label in ("admin.LogEntry", "accounts.Transition"):
        found |= {"user", "actor"}
    return found


@pytest.mark.parametrize(
    "held", [one for one in everything_held() if one.erasure is Erasure.CLEAR], ids=lambda one: one.name
)
def test_every_text_of_a_row_that_stays_is_cleared_or_stays_for_a_reason(held: Held) -> None:
    texts = {field.name for field in held.table._meta.concrete_fields if can_hold_text(field)}
    assert texts - held.clear.keys() - held.kept == set()
    assert held.why


def test_what_stays_says_why() -> None:
    assert [one.name for one in everything_held() if one.erasure is Erasure.KEEP and not one.why] == []


def test_columns_that_are_named_are_there() -> None:
    for held in everything_held():
        columns = {field.name for field in held.table._meta.concrete_fields}
        assert held.kept | held.secret | held.quoted | held.inside | held.clear.keys() <= columns, held.name


def test_short_columns_and_choices_hold_no_texts() -> None:
    assert can_hold_text(models.CharField(max_length=40)) and can_hold_text(models.JSONField())
    assert not can_hold_text(models.CharField(max_length=3)) and not can_hold_text(models.BigIntegerField())
