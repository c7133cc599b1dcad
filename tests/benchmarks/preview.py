"""How long a recruiter waits for the preview of a rule that they edit, among a million people."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

from django.db import connection

from accounts.core.actor import Actor
from config.bench import Measured, benchmark, size
from matching.queries.eligibility import CountedRule, found_by
from matching.queries.preview import preview
from matching.queries.roster import Roster, keeper
from tests.benchmarks.people import TODAY, people
from tests.benchmarks.vocabulary import family_of

PEOPLE = size("CANDIDATES", 1_000_000)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
STAFF = Actor(is_staff=True)
CHANGED = 20  # people who change between two edits

WELDER: dict[str, Any] = {
    "all": [
        {"skill": 17, "minLevel": 3, "minYears": 2},
        {"attribute": "years_experience", "op": "gte", "value": 5},
        {"livesIn": ["DE", "AT"]},
        {"language": "de", "minLevel": "B2"},
        {"attribute": "free_hours", "op": "gte", "value": 30},
        {"attribute": "hourly_rate", "op": "lte", "value": 45},
        {"workAuthorisation": "DE"},
    ]
}
REMOTE: dict[str, Any] = {
    "all": [
        {"any": [{"skill": family_of(4), "narrower": True, "usedWithinMonths": 36}, {"skill": 4}]},
        {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}},
        {"atLeast": {"n": 2, "of": [{"skill": 30}, {"skill": 31}, {"skill": 32}, {"skill": 33, "minLevel": 2}]}},
        {"not": {"livesIn": ["BR", "US"]}},
        {"attribute": "commitments", "op": "in", "value": ["contract", "part_time"]},
        {"vetted": "identity"},
        {"attribute": "available_from", "op": "lte", "value": "2026-07-01"},
    ]
}


def edits() -> Iterator[dict[str, Any]]:
    """Two rules as they come about: criterion by criterion, then threshold by threshold."""
    for whole in (WELDER, REMOTE):
        for written in range(1, len(whole["all"]) + 1):
            yield {"all": whole["all"][:written]}
    rule = copy.deepcopy(WELDER)
    for place, field, value in (
        (1, "value", 4), (1, "value", 3), (0, "minLevel", 2), (5, "value", 50), (3, "minLevel", "B1"), (4, "value", 20)
    ):  # fmt: skip
        rule["all"][place][field] = value
        yield copy.deepcopy(rule)


@benchmark("eligibility.preview_1m_p50", unit="ms")
def preview_p50() -> Measured:
    with people(PEOPLE), _rostered():
        taken: list[float] = []
        for turn, rule in enumerate(edits()):
            _change(turn)
            began = time.perf_counter()
            preview(rule, actor=STAFF, now=NOW)
            taken.append(time.perf_counter() - began)
        print(f"  slowest {max(taken) * 1e3:.0f} ms of {len(taken)}")
    return Measured(median(taken) * 1e3)


@benchmark("eligibility.preview_1m_against_sql", unit="ms")
def against_sql() -> Measured:
    """One rule of seven criteria, counted without relaxations: in memory once it was counted before, and in SQL."""
    from matching.core.columns import JudgedRule
    from matching.core.rules import literals, load, normal

    tree = normal(load(WELDER))
    asked = list(literals(tree))
    with people(PEOPLE), _rostered():

        def in_memory() -> Any:
            crowd = keeper.crowd()
            assert crowd is not None
            return JudgedRule(tree, crowd, TODAY).criteria(asked)

        began = time.perf_counter()
        in_sql = CountedRule(tree, found_by(STAFF), TODAY).criteria(asked)
        baseline = time.perf_counter() - began
        assert in_memory() == in_sql
        taken = []
        for _ in range(15):
            began = time.perf_counter()
            in_memory()
            taken.append(time.perf_counter() - began)
    return Measured(median(taken) * 1e3, baseline * 1e3, "the same counts in SQL")


@benchmark("eligibility.roster_build", unit="s")
def build() -> Measured:
    with people(PEOPLE):
        roster = Roster(most_bytes=2**40)
        began = time.perf_counter()
        roster.build()
        taken = time.perf_counter() - began
        print(f"  {roster.nbytes / 2**20:.0f} MB")
    return Measured(taken)


@benchmark("eligibility.roster_follow_1000", unit="ms")
def follow() -> Measured:
    """Taking in a thousand people who have changed."""
    with people(PEOPLE):
        roster = Roster(most_bytes=2**40)
        roster.build()
        taken = []
        for turn in range(7):
            _change(turn, 1_000)
            began = time.perf_counter()
            roster.crowd()
            taken.append(time.perf_counter() - began)
    return Measured(median(taken) * 1e3)


class _rostered:
    """The process's own roster over the database that is connected, built; and none afterwards."""

    def __enter__(self) -> None:
        keeper.forget()
        keeper.crowd()
        keeper.wait()
        assert keeper.crowd() is not None, "the roster was not built"

    def __exit__(self, *_: object) -> None:
        keeper.forget()


def _change(turn: int, many: int = CHANGED) -> None:
    """Some people change as the worker changes them; to what they are, so that the data set stays the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE matching_candidateprojection SET refreshed_at = now() WHERE candidate_id = ANY (%s)",
            [[1 + (turn * many + number) * 7919 % PEOPLE for number in range(many)]],
        )
