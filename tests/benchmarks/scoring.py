"""How long it takes to find who suits an opportunity best among a million people, exactly.

One decision is held against the best SQL that was found for the same rule and the same score, written by hand: from the
rule to the first hundred. Muster's side also reads what the tables say of these hundred, judges and scores them by it,
and explains every score and verdict.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.db.models import Max

from accounts.models import Organisation
from config.bench import Measured, benchmark, size
from config.garbage import settle
from marketplace.models import (
    Opportunity,
    OpportunityLocation,
    OpportunityRevision,
    OpportunitySkill,
    TaxonomyRevision,
)
from marketplace.queries.facts import facts_of
from marketplace.queries.skills import skill_names
from matching.actions.models import serving_now
from matching.api.matches import teller
from matching.core.columns.segments import SCALE
from matching.core.eligibility import Outcome
from matching.core.facts import SkillTerm
from matching.core.features import skills_told_of
from matching.core.scoring import LinearModel
from matching.models import ScoringModel, Segment
from matching.queries.contenders import contenders
from matching.queries.matches import Judged, judged
from matching.queries.roster import Roster, keeper
from matching.queries.scorable import Basics, Scorable, basics_at, scorables
from tests.benchmarks.hanging import hang
from tests.benchmarks.people import TODAY, people

PEOPLE = size("CANDIDATES", 1_000_000)
ROUNDS = size("DECISION_ROUNDS", 15)
WARMED = 8
REQUESTS = size("REQUESTS", 60)
OPPORTUNITIES = size("BULK_OPPORTUNITIES", 32)
K = 100
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)

MODEL = LinearModel.from_json(
    {
        "version": "benchmark",
        "heads": {
            "fit": {
                "intercept": -5_500_000,
                "weights": {
                    "required_skills": 5000,
                    "preferred_skills": 1500,
                    "experience": 1500,
                    "hours_fit": 600,
                    "availability_fit": 600,
                    "location_fit": 500,
                    "timezone_fit": 300,
                },
            },
            "interest": {"intercept": -4_000_000, "weights": {"pay_fit": 2500, "commitment_fit": 1500}},
            "acceptance": {"intercept": -3_500_000, "weights": {"pay_fit": 2500, "availability_fit": 1000}},
        },
    }
)


@dataclass(frozen=True)
class Job:
    """A rule and skills asked, with the same as SQL. Skills are (skill, required, weight, level, years)."""

    name: str
    rule: dict[str, Any]
    where: str
    skills: tuple[tuple[int, bool, int, int, Decimal | None], ...]
    weekly_hours: int = 40
    years_experience: Decimal = Decimal(4)
    starts_on: date = date(2026, 6, 25)

    @property
    def sql(self) -> str:
        """Every feature as `matching.core.features` has it, in integers: credits of skills in thousandths, each share
        cut off at 1000, 500 where a fact is missing; then weight × value, in micro-log-odds. Berlin is two hours ahead.
        """
        required = [one for one in self.skills if one[1]]
        preferred = [one for one in self.skills if not one[1]]
        years = int(self.years_experience * 1000)
        return f"""
        SELECT candidate_id, -5500000
            + 5000 * (({" + ".join(map(_credit, required))}) / {sum(one[2] for one in required)})
            + 1500 * (({" + ".join(map(_credit, preferred))}) / {sum(one[2] for one in preferred)})
            + 1500 * least(coalesce((years_experience::float8 * 10)::int * 100 * 1000 / {years}, 500), 1000)
            + 600 * least(coalesce(coalesce(free_hours, weekly_hours) * 1000 / {self.weekly_hours}, 500), 1000)
            + 600 * CASE WHEN available_from IS NULL THEN 500 WHEN available_from <= '{self.starts_on}' THEN 1000
                ELSE greatest(90 - (available_from - '{self.starts_on}'), 0) * 1000 / 90 END
            + 500 * CASE WHEN country = 'DE' THEN 1000 WHEN country IS NULL AND region IS NULL THEN 500 ELSE 0 END
            + 300 * CASE WHEN utc_offset_minutes IS NULL THEN 500 ELSE
                least(greatest(least(starts + minutes, 480) - starts, 0) + greatest(starts + minutes - 1440, 0), 480)
                * 1000 / 480 END AS score
        FROM matching_candidateprojection
        CROSS JOIN LATERAL (SELECT
            mod(coalesce(work_starts_utc, 540 - utc_offset_minutes) - 540 + 120 + 2880, 1440) AS starts,
            coalesce(work_minutes, 480) AS minutes) AS day
        WHERE present AND discoverable AND NOT blocked_organisations && '{{7}}' AND {self.where}
        ORDER BY score DESC, candidate_id LIMIT {K}
        """


def _credit(asked: tuple[int, bool, int, int, Decimal | None]) -> str:
    skill, _, weight, level, years = asked
    credit = f"least(coalesce((skills #>> '{{{skill},level}}')::int * 1000 / {level}, 0), 1000)"
    if years is not None:
        had = f"((skills #>> '{{{skill},years}}')::float8 * 10)::int * 100"
        credit = f"({credit} * least(coalesce({had} * 1000 / {int(years * 1000)}, 500), 1000) / 1000)"
    months = f"(DATE '{TODAY}' - (skills #>> '{{{skill},last_used}}')::date) / 30"
    credit = f"{credit} * greatest(1000 - greatest(coalesce({months}, 0) - 24, 0) * 5, 500) / 1000"
    return f"{weight} * ({credit})"


NARROW = Job(
    "narrow",
    {
        "all": [
            {"skill": 60, "minLevel": 3},
            {"skill": 25},
            {"attribute": "country", "op": "in", "value": ["DE", "AT", "FR"]},
            {"attribute": "years_experience", "op": "gte", "value": 3},
        ]
    },
    """
    skill_ids @> '{60,25}' AND (skills #>> '{60,level}')::int >= 3
    AND (country IN ('DE', 'AT', 'FR') OR country IS NULL) AND (years_experience >= 3 OR years_experience IS NULL)
    """,
    (
        (60, True, 8, 4, Decimal(3)),
        (25, True, 5, 3, None),
        (7, True, 3, 3, None),
        (11, False, 4, 2, None),
        (90, False, 2, 2, None),
    ),
)
MEDIUM = Job(
    "medium",
    {
        "all": [
            {"skill": 12, "minLevel": 2},
            {"attribute": "country", "op": "in", "value": ["DE", "AT", "FR", "GB"]},
            {"attribute": "free_hours", "op": "gte", "value": 30},
        ]
    },
    """
    skill_ids @> '{12}' AND (skills #>> '{12,level}')::int >= 2
    AND (country IN ('DE', 'AT', 'FR', 'GB') OR country IS NULL) AND (free_hours >= 30 OR free_hours IS NULL)
    """,
    (
        (12, True, 8, 4, Decimal(2)),
        (4, True, 5, 3, None),
        (30, True, 3, 3, None),
        (2, False, 4, 2, None),
        (70, False, 2, 2, None),
    ),
)
BROAD = Job(
    "broad",
    {"all": [{"skill": 1}, {"attribute": "free_hours", "op": "gte", "value": 20}]},
    "skill_ids @> '{1}' AND (free_hours >= 20 OR free_hours IS NULL)",
    (
        (1, True, 8, 4, Decimal(3)),
        (3, True, 5, 3, None),
        (17, True, 3, 3, None),
        (5, False, 4, 2, None),
        (40, False, 2, 2, None),
    ),
)


@benchmark("scoring.decision_narrow", unit="ms")
def narrow() -> Measured:
    return _decision(NARROW)


@benchmark("scoring.decision_medium", unit="ms")
def medium() -> Measured:
    return _decision(MEDIUM)


@benchmark("scoring.decision_broad", unit="ms")
def broad() -> Measured:
    return _decision(BROAD)


def _decision(job: Job) -> Measured:
    """Criteria are judged anew in every round, and people are read, judged and told of anew: what is remembered is what
    a server knows before it is asked, the copy of the people and the names of skills."""
    with people(PEOPLE):
        hang(PEOPLE)
        with rostered(), asking(job) as (scorable, basics), connection.cursor() as cursor:

            def ours() -> list[tuple[Judged, list[str]]]:
                crowd = keeper.crowd()
                assert crowd is not None
                [found] = contenders([scorable], basics, crowd)
                return _in_words(_rechecked(found.best(K).ids.tolist(), scorable, basics), scorable, basics)

            def by_hand() -> list[tuple[int, int]]:
                cursor.execute(job.sql)
                found: list[tuple[int, int]] = cursor.fetchall()
                return found

            settle()  # as every process of a server does
            fastest_settings(cursor, job.sql)
            for _ in range(WARMED):  # a server's process has answered before, and so has the statement by hand
                forget()
                ours()
            found, expected = ours(), by_hand()
            scores = [one.scored.fit.score for one, _ in found]
            assert scores == [score for _, score in expected], job.name
            least = expected[-1][1]
            ids = {one.facts.candidate_id for one, _ in found if one.scored.fit.score > least}
            assert ids == {pk for pk, score in expected if score > least}
            assert all(all(words) and len(words) == len(one.scored.fit.contributions) for one, words in found)
            value, baseline = by_turns(ours, by_hand, before=forget)
            _print(job, scorable, basics, value, baseline)
    return Measured(
        value * 1e3, baseline * 1e3, "the same rule and score in SQL written by hand, neither rechecked nor explained"
    )


def _rechecked(candidate_ids: list[int], scorable: Scorable, basics: Basics) -> list[Judged]:
    """Judged and scored by what the tables say now, as re-scoring does: whom the rule refuses by that is left out, and
    the others stand in the order of their scores."""
    facts = facts_of(candidate_ids, on=basics.on, rate_set=basics.rates, reading=scorable.reading)
    found = [judged(facts[pk], scorable, basics) for pk in candidate_ids if pk in facts]
    return sorted((one for one in found if one.verdict.outcome is not Outcome.INELIGIBLE), key=lambda one: one.place)


def _in_words(found: list[Judged], scorable: Scorable, basics: Basics) -> list[tuple[Judged, list[str]]]:
    """Each with a sentence for every addend of its fit, as a page shows it."""
    weighed = scorable.scorer.features
    told = {key for one in found for key in skills_told_of(one.facts, scorable.terms, weighed)}
    names = skill_names(told, taxonomy=basics.taxonomy)
    in_words = []
    for one in found:
        tell = teller(one.facts, scorable.terms, names)
        in_words.append((one, [tell(part.feature) for part in one.scored.fit.contributions]))
    return in_words


@benchmark("scoring.bulk", unit="ms")
def bulk() -> Measured:
    """The skill part of many opportunities, for everybody, on one core: sums of weight × credit over six skills asked.
    The matrix of scipy has a column for every skill at every level, so that credits are its factors."""
    from scipy import sparse

    from matching.core.columns.bits import packed
    from matching.core.columns.listing import Members, coverage

    draw = random.Random(1)
    held = [skill for skill in range(1, 1001) for _ in range(max(600 // (skill + 4), 1))]  # as skewed as people's
    asked = [
        [
            SkillTerm(skill, True, draw.randint(1, 10), draw.randint(1, 5))
            for skill in {draw.choice(held) for _ in range(6)}
        ]
        for _ in range(OPPORTUNITIES)
    ]
    with people(PEOPLE):
        roster = Roster(most_bytes=2**40)
        roster.build()
        segment = max((part.segment for part in roster.crowd().parts), key=lambda one: one.people)
    lists = segment.lists["skills"]
    keys = np.repeat(np.array(list(lists.slots), np.int64), np.diff(lists.starts))
    levels = lists.fields["level"].ten_thousandths // SCALE
    width = int(keys.max() + 1) * 5
    has = sparse.csr_matrix(
        (np.ones(len(keys), np.int32), (lists.rows, keys * 5 + levels - 1)), shape=(segment.people, width)
    )
    factors = np.zeros((width, OPPORTUNITIES), np.int32)
    for place, terms in enumerate(asked):
        for term in terms:
            for level in range(1, 6):
                factors[term.skill_id * 5 + level - 1, place] += term.weight * min(level * 1000 // term.min_level, 1000)
    everybody = packed(np.ones(segment.people, np.bool_))
    members = Members(segment, everybody)

    def ours() -> list[npt.NDArray[np.int32]]:
        return [coverage(members, terms, None) for terms in asked]

    def theirs() -> npt.NDArray[np.int32]:
        return has @ factors

    expected = theirs()
    for place, found in enumerate(ours()):
        assert np.array_equal(found, expected[:, place])
    del expected
    value, baseline = by_turns(ours, theirs, 7)
    print(
        f"  {OPPORTUNITIES} opportunities × {segment.people:,} people: {value / OPPORTUNITIES * 1e3:.2f} ms each",
        flush=True,
    )
    return Measured(value * 1e3, baseline * 1e3, f"scipy.sparse CSR × dense, {OPPORTUNITIES} opportunities at once")


def _print(job: Job, scorable: Scorable, basics: Basics, value: float, baseline: float) -> None:
    crowd = keeper.crowd()
    assert crowd is not None
    forget()
    began = time.perf_counter()
    [found] = contenders([scorable], basics, crowd)
    judged = time.perf_counter()
    found.best(K)
    ranked = time.perf_counter()
    many = len(found.scores().ids)
    print(
        f"  {job.name:<8} {many:>8,} people of {PEOPLE:,}: {value * 1e3:.1f} ms (judging {(judged - began) * 1e3:.1f}, "
        f"ranking {(ranked - judged) * 1e3:.1f}), by hand {baseline * 1e3:.1f} ms",
        flush=True,
    )


def forget() -> None:
    crowd = keeper.crowd()
    assert crowd is not None
    for part in crowd.parts:
        part.forget()


def fastest_settings(cursor: Any, sql: str) -> None:
    """What makes the statement fastest: without just-in-time compilation, alone or in parallel."""
    cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")
    taken = {}
    for workers in (0, 2):
        cursor.execute(f"SET LOCAL max_parallel_workers_per_gather = {workers}")
        cursor.execute(sql)
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            cursor.execute(sql)
            seconds.append(time.perf_counter() - began)
        taken[workers] = min(seconds)
    cursor.execute(f"SET LOCAL max_parallel_workers_per_gather = {min(taken, key=taken.__getitem__)}")


def by_turns(
    one: Callable[[], object],
    other: Callable[[], object],
    rounds: int = ROUNDS,
    before: Callable[[], object] = lambda: None,
) -> tuple[float, float]:
    """The median of each in seconds, measured in turns so that noise of the machine meets both; `before` each round
    something may be set back."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        before()
        for seconds, work in zip(taken, (one, other), strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return median(taken[0]), median(taken[1])


class rostered:
    """The process's own roster over the database that is connected, built; and none afterwards."""

    def __enter__(self) -> None:
        keeper.forget()
        assert keeper.crowd_once_built() is not None, "the roster was not built"

    def __exit__(self, *_: object) -> None:
        keeper.forget()


@contextmanager
def asking(job: Job) -> Iterator[tuple[Scorable, Basics]]:
    """The opportunity, published and gone again afterwards."""
    with transaction.atomic():
        works = Organisation.objects.create(name="Works", slug="works-of-the-benchmark")
        opportunity = Opportunity.objects.create(
            reference=Opportunity.new_reference(),
            posting_organisation=works,
            hiring_organisation=works,
            title="Work",
            commitment="full_time",
            arrangement="onsite",
            timezone="Europe/Berlin",
            weekly_hours=job.weekly_hours,
            years_experience=job.years_experience,
            starts_on=job.starts_on,
        )
        OpportunityLocation.objects.create(opportunity=opportunity, kind=OpportunityLocation.Kind.ALLOWED, country="DE")
        OpportunitySkill.objects.bulk_create(
            OpportunitySkill(
                opportunity=opportunity,
                skill_id=skill,
                required=required,
                weight=weight,
                min_level=level,
                min_years=years,
            )
            for skill, required, weight, level, years in job.skills
        )
        opportunity.current_revision = OpportunityRevision.objects.create(
            opportunity=opportunity, number=1, terms={"pay": []}, rule=job.rule, created_at=NOW
        )
        opportunity.state, opportunity.published_at = "published", NOW
        opportunity.save()
        serving_now()
        segment = Segment.objects.order_by("position").last()
        assert segment is not None
        ScoringModel.objects.filter(state="live").update(state="retired")
        ScoringModel.objects.create(version=MODEL.version, segment=segment, definition=MODEL.to_json(), state="live")
        last = TaxonomyRevision.objects.aggregate(last=Max("number"))["last"] or 0
        TaxonomyRevision.objects.create(number=last + 1, summary="skills made up", at=NOW)  # as every import leaves one
        basics = basics_at(NOW, serving_now())
        [scorable] = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics).values()
        assert scorable.model.version == MODEL.version
        yield scorable, basics
        transaction.set_rollback(True)
