"""How long it takes to find all open opportunities whose rules accept one candidate, of a hundred thousand rules."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from statistics import median

from django.db import connection

from config.bench import Measured, benchmark, size
from marketplace.models import OpportunityRevision
from marketplace.queries.facts import facts_of
from marketplace.queries.rates import current_rate_set
from marketplace.queries.rules import resolved_rules
from matching.core.facts import CandidateFacts
from matching.core.rules import Rule
from matching.core.truth import truth
from matching.queries.open_rules import OPEN_RULES, accepting
from tests.benchmarks.openings import NOW, TODAY, openings

OPENINGS = size("OPENINGS", 100_000)
LEAST_ACCEPTING = OPENINGS / 1000  # the median over the people: an index that finds nobody measures nothing
SCANNED = 5  # people for whom every rule is judged in Python, too


@benchmark("eligibility.inverse_100k", unit="ms")
def in_memory() -> Measured:
    """Judging all rules for one candidate whose facts are known, and the same rules one after the other."""
    with _market() as people:
        facts = facts_of(people, on=TODAY, rate_set=None)
        found = {pk: OPEN_RULES.judge([one], on=TODAY, rate_set=None)[0][0] for pk, one in facts.items()}
        accepted = median(len(one.accepting) for one in found.values())
        print(f"  {accepted:.0f} rules accept the median person", flush=True)
        assert accepted >= LEAST_ACCEPTING
        scanned = list(facts.values())[:SCANNED]
        baseline, truths = _scanned(scanned)
        for one, (accepting_, unknown) in zip(scanned, truths, strict=True):
            assert found[one.candidate_id].accepting.tolist() == accepting_, "a miss"
            assert found[one.candidate_id].unknown.tolist() == unknown, "a miss"
        index = OPEN_RULES._known.index
        taken = _each(facts.values(), lambda one: index.judge(one, on=TODAY))
    return Measured(median(taken), baseline, "truth() of every rule")


@benchmark("eligibility.inverse_100k_p50", unit="ms")
def end_to_end() -> Measured:
    """From a candidate's id to the open opportunities that accept them: facts, refresh, judging, filter on the rows."""
    with _market() as people:
        found: list[int] = []

        def ask(pk: int) -> None:
            rates = current_rate_set(on=TODAY)
            found.append(len(accepting(facts_of([pk], on=TODAY, rate_set=rates)[pk], now=NOW, rate_set=rates)))

        taken = sorted(_each(people, ask))
        assert median(found) >= LEAST_ACCEPTING
        print(f"  p95 {taken[int(len(taken) * 0.95)]:.1f} ms, worst {taken[-1]:.1f} ms", flush=True)
        _tell_refreshes()
    return Measured(median(taken))


@contextlib.contextmanager
def _market() -> Iterator[list[int]]:
    """The data set, with an index that was just built; tells what that took."""
    with openings(OPENINGS) as people:
        OPEN_RULES.forget()
        before, start = _resident(), time.perf_counter()
        OPEN_RULES.judge([], on=TODAY, rate_set=None)
        print(
            f"  {len(OPEN_RULES._known.index):,} rules indexed in {time.perf_counter() - start:.1f} s,"
            f" {_resident() - before:.0f} MB",
            flush=True,
        )
        try:
            yield people
        finally:
            OPEN_RULES.forget()


def _scanned(people: list[CandidateFacts]) -> tuple[float, list[tuple[list[int], list[int]]]]:
    """Milliseconds a person, and whom the rules accept or may, by judging one rule after the other."""
    rules: dict[int, Rule] = {}
    revisions = OpportunityRevision.objects.order_by("pk")
    for start in range(0, revisions.count(), 10_000):
        chunk = {one.opportunity_id: one for one in revisions[start : start + 10_000]}
        rules |= resolved_rules(chunk, rate_set=None)
    answers, taken = [], []
    for facts in people:
        start_of_scan = time.perf_counter()
        truths = {pk: truth(rule, facts, on=TODAY) for pk, rule in rules.items()}
        taken.append((time.perf_counter() - start_of_scan) * 1e3)
        answers.append(([pk for pk, one in truths.items() if one], [pk for pk, one in truths.items() if one is None]))
    return median(taken), answers


def _tell_refreshes() -> None:
    for count in (0, 1, 1000):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH new AS (
                    INSERT INTO marketplace_opportunityrevision
                        (public_id, opportunity_id, number, terms, rule, created_at)
                    SELECT gen_random_uuid(), id, 1 + (SELECT max(number) FROM marketplace_opportunityrevision
                        WHERE opportunity_id = opportunity.id), '{"pay": []}', '{"skill": 5, "minLevel": 2}', now()
                    FROM marketplace_opportunity opportunity WHERE id <= %s RETURNING id, opportunity_id
                )
                UPDATE marketplace_opportunity SET current_revision_id = new.id FROM new
                WHERE new.opportunity_id = marketplace_opportunity.id
                """,
                [count],
            )
        start = time.perf_counter()
        OPEN_RULES.judge([], on=TODAY, rate_set=None)
        print(f"  refresh after {count:,} rules changed: {(time.perf_counter() - start) * 1e3:.1f} ms", flush=True)
    with connection.cursor() as cursor:  # the data set is kept
        cursor.execute("UPDATE marketplace_opportunity SET current_revision_id = id WHERE current_revision_id <> id")
        cursor.execute("DELETE FROM marketplace_opportunityrevision WHERE number > 1")


def _each(things, work) -> list[float]:
    """Milliseconds of work on each."""
    taken = []
    for thing in things:
        start = time.perf_counter()
        work(thing)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def _resident() -> float:
    """Megabytes that this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6
