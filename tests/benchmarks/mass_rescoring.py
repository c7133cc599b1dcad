"""How fast everything is scored anew: all people for all opportunities, reduced to a top K of each, explained and
written.

The whole is 10¹⁰ pairs, a million people × 10,000 opportunities; a stated fraction of the opportunities is measured. It
is held against the best SQL that was found for the same rule and score, written by hand, one opportunity after the
other: it keeps who is best and with which score, and explains nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psutil
from django.conf import settings
from django.db import connection

from accounts.models import Organisation
from config.bench import Measured, benchmark, size
from marketplace.models import Opportunity, OpportunityRevision, OpportunitySkill, PayBand, PayBandPlace, Seat
from marketplace.queries.terms import snapshot
from matching.actions import mass
from matching.actions.models import serving_now
from matching.core.features.declaring import MONTH_DAYS
from matching.core.features.skills import FADED, FADING, FRESH_MONTHS
from matching.core.scoring import LinearModel
from matching.models import Match, Rescore, RescoreChunk, ScoringModel, Segment
from matching.queries.affected import NEW_DAY
from matching.queries.roster import keeper
from tests.benchmarks.people import TODAY, people

PEOPLE = size("CANDIDATES", 1_000_000)
OPPORTUNITIES = size("MASS_OPPORTUNITIES", 50)
BY_HAND = size("MASS_BY_HAND", 10)  # of them are done by hand, too
WHOLE = 10_000 * 1_000_000
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
SLUG = "works-of-the-benchmark"
COUNTRIES = ("DE", "AT", "FR", "GB", "ES", "IT", "PL")

MODEL = LinearModel.from_json(
    {
        "version": "benchmark-of-mass",
        "heads": {
            "fit": {
                "intercept": -5_500_000,
                "weights": {"required_skills": 5000, "preferred_skills": 1500, "experience": 1500, "hours_fit": 600},
            },
            "interest": {"intercept": -4_000_000, "weights": {"pay_fit": 2500, "commitment_fit": 1500}},
            "acceptance": {"intercept": -3_500_000, "weights": {"pay_fit": 2500, "availability_fit": 1000}},
        },
    }
)

Asked = tuple[int, bool, int, int, Decimal | None]
"""Skill, required, weight, level, years."""


@dataclass(frozen=True)
class Job:
    """A rule and skills asked, with the same as SQL."""

    rule: dict[str, Any]
    where: str
    skills: tuple[Asked, ...]
    weekly_hours: int
    years_experience: Decimal

    @property
    def sql(self) -> str:
        """Every feature as `matching.core.features` has it, in integers, then weight × value, in micro-log-odds."""
        required, preferred = ([one for one in self.skills if one[1] is kind] for kind in (True, False))
        years = int(self.years_experience * 1000)
        return f"""
        SELECT candidate_id, -5500000
            + 5000 * (({" + ".join(map(_credit, required))}) / {sum(one[2] for one in required)})
            + 1500 * (({" + ".join(map(_credit, preferred))}) / {sum(one[2] for one in preferred)})
            + 1500 * least(coalesce((years_experience::float8 * 10)::int * 100 * 1000 / {years}, 500), 1000)
            + 600 * least(coalesce(coalesce(free_hours, weekly_hours) * 1000 / {self.weekly_hours}, 500), 1000)
            AS score
        FROM matching_candidateprojection
        WHERE present AND discoverable AND {self.where}
        ORDER BY score DESC, candidate_id LIMIT {settings.MATCH_TOP_K}
        """


def _credit(asked: Asked) -> str:
    skill, _, weight, level, years = asked
    credit = f"least(coalesce((skills #>> '{{{skill},level}}')::int * 1000 / {level}, 0), 1000)"
    if years is not None:
        had = f"((skills #>> '{{{skill},years}}')::float8 * 10)::int * 100"
        credit = f"{credit} * least(coalesce({had} * 1000 / {int(years * 1000)}, 500), 1000) / 1000"
    months = f"(greatest('{TODAY}' - (skills #>> '{{{skill},last_used}}')::date, 0) / {MONTH_DAYS})"
    left = f"coalesce(greatest(1000 - greatest({months} - {FRESH_MONTHS}, 0) * {FADING}, {FADED}), 1000)"
    return f"{weight} * ({credit} * {left} / 1000)"


def jobs(count: int, seed: int = 1) -> list[Job]:
    """From narrow to broad: skills are asked for as often as they are had, half of the rules ask where people live."""
    draw = random.Random(seed)
    return [_job(draw) for _ in range(count)]


def _job(draw: random.Random) -> Job:
    wanted: list[int] = []
    while len(wanted) < 5:
        skill = 1 + int(5 * 601 ** draw.random() - 5)
        if skill not in wanted:
            wanted.append(skill)
    key, level = wanted[0], draw.randint(1, 3)
    rule: list[dict[str, Any]] = [{"skill": key, "minLevel": level}]
    where = [f"skill_ids @> '{{{key}}}' AND (skills #>> '{{{key},level}}')::int >= {level}"]
    if draw.random() < 0.5:
        places = sorted(draw.sample(COUNTRIES, 3))
        rule.append({"attribute": "country", "op": "in", "value": places})
        where.append(f"(country IN ({', '.join(map(repr, places))}) OR country IS NULL)")
    if draw.random() < 0.5:
        rule.append({"attribute": "free_hours", "op": "gte", "value": 20})
        where.append("(free_hours >= 20 OR free_hours IS NULL)")
    skills = tuple(
        (skill, number < 3, draw.randint(2, 8), draw.randint(2, 4), Decimal(3) if draw.random() < 0.3 else None)
        for number, skill in enumerate(wanted)
    )
    return Job({"all": rule}, " AND ".join(where), skills, draw.choice((20, 40)), Decimal(draw.randint(2, 8)))


@benchmark("scoring.mass_rescore", unit="pairs/s")
def mass_rescore() -> Measured:
    """Pairs a second, of one process without rests; what that comes to for the whole is printed."""
    with people(PEOPLE), opened(jobs(OPPORTUNITIES)) as opportunities:
        keeper.forget()
        assert keeper.crowd_once_built() is not None, "the roster was not built"
        _score_everything()  # once, so that whatever is compiled is
        Match.objects.all().delete()
        mass.start(cause=Rescore.Cause.MODEL, scopes=[NEW_DAY], since=NOW, now=NOW)
        began = time.perf_counter()
        mass.work_all(NOW)
        taken = time.perf_counter() - began
        job = Rescore.objects.latest("pk")
        assert (job.state, job.failed) == ("done", 0)
        by_hand = _by_hand(opportunities)
        keeper.forget()
    pairs = PEOPLE * OPPORTUNITIES
    rate, other = pairs / taken, PEOPLE * len(by_hand) / sum(by_hand)
    memory = psutil.Process().memory_info().rss / 2**20
    print(
        f"  {pairs:.3g} of {WHOLE:.3g} pairs ({OPPORTUNITIES} opportunities × {PEOPLE:,} people, top "
        f"{settings.MATCH_TOP_K} and a fifth more) in {taken:.1f} s: the whole in {WHOLE / rate / 3600:.2f} h; by hand "
        f"{WHOLE / other / 3600:.2f} h; {memory:.0f} MB",
        flush=True,
    )
    return Measured(rate, other, "the same rules and scores in SQL written by hand, top K stored, unexplained")


def _score_everything() -> None:
    mass.start(cause=Rescore.Cause.MODEL, scopes=[NEW_DAY], since=NOW, now=NOW)
    mass.work_all(NOW)


def _by_hand(opportunities: list[tuple[int, Job]]) -> list[float]:
    """Seconds for each of some, with what makes it fastest; the scores must be the same."""
    taken = []
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET work_mem = '64MB'")
        cursor.execute("CREATE TEMPORARY TABLE kept (opportunity_id bigint, candidate_id bigint, score bigint)")
        for pk, job in opportunities[:BY_HAND]:
            began = time.perf_counter()
            cursor.execute(f"INSERT INTO kept SELECT {pk}, candidate_id, score FROM ({job.sql}) AS best")
            taken.append(time.perf_counter() - began)
            cursor.execute("SELECT score FROM kept WHERE opportunity_id = %s ORDER BY score DESC", [pk])
            expected = [score for (score,) in cursor.fetchall()]
            found = Match.objects.filter(opportunity=pk).order_by("-fit").values_list("fit", flat=True)
            assert list(found[: settings.MATCH_TOP_K]) == expected, job
        cursor.execute("DROP TABLE kept; RESET jit; RESET work_mem")
    return taken


@contextmanager
def opened(wanted: list[Job], model: LinearModel = MODEL) -> Iterator[list[tuple[int, Job]]]:
    """Published opportunities that ask for this, scored by a model of the benchmark's; gone again afterwards, and with
    them whatever was scored."""
    serving_now()
    before = list(ScoringModel.objects.filter(state="live").values_list("pk", flat=True))
    try:
        yield list(zip(open_for_good(wanted, model), wanted, strict=True))
    finally:
        RescoreChunk.objects.all().delete()
        Rescore.objects.all().delete()
        Match.objects.all().delete()
        Opportunity.objects.filter(posting_organisation__slug=SLUG).update(current_revision=None, state="draft")
        with connection.cursor() as cursor:  # revisions are never deleted, but for those of a benchmark
            cursor.execute("SET session_replication_role = replica")
            for table in ("opportunityskill", "opportunityrevision", "paybandplace", "payband", "seat"):
                cursor.execute(f"DELETE FROM marketplace_{table}")
            cursor.execute("DELETE FROM marketplace_opportunitymentions")
            cursor.execute("DELETE FROM marketplace_opportunity")
            cursor.execute("DELETE FROM matching_decision")
            cursor.execute("DELETE FROM matching_scoringmodel WHERE version = %s", [model.version])
            cursor.execute("DELETE FROM matching_mark; DELETE FROM accounts_delivery; DELETE FROM accounts_event")
            cursor.execute("DELETE FROM accounts_organisation WHERE slug = %s", [SLUG])
            cursor.execute("SET session_replication_role = origin")
        ScoringModel.objects.filter(pk__in=before).update(state="live")


def open_for_good(wanted: list[Job], model: LinearModel = MODEL) -> list[int]:
    """Publish opportunities that ask for this, scored by a model of the benchmark's; their inner ids."""
    works = Organisation.objects.create(name="Works", slug=SLUG)
    serving_now()
    segment = Segment.objects.order_by("position").last()
    assert segment is not None
    ScoringModel.objects.filter(state="live").update(state="retired")
    ScoringModel.objects.create(version=model.version, segment=segment, definition=model.to_json(), state="live")
    return [_open(works, job) for job in wanted]


def _open(works: Organisation, job: Job) -> int:
    opportunity = Opportunity.objects.create(
        reference=Opportunity.new_reference(),
        posting_organisation=works,
        hiring_organisation=works,
        title="Work",
        description="What is to be done.",
        commitment="full_time",
        arrangement="remote",
        weekly_hours=job.weekly_hours,
        years_experience=job.years_experience,
    )
    OpportunitySkill.objects.bulk_create(
        OpportunitySkill(
            opportunity=opportunity, skill_id=skill, required=required, weight=weight, min_level=level, min_years=years
        )
        for skill, required, weight, level, years in job.skills
    )
    band = PayBand.objects.create(opportunity=opportunity, minimum=20, maximum=40, currency="EUR", period="hour")
    PayBandPlace.objects.create(band=band, opportunity=opportunity, place="")
    Seat.objects.create(opportunity=opportunity, number=1, opened_at=NOW)
    opportunity.current_revision = OpportunityRevision.objects.create(
        opportunity=opportunity, number=1, terms=snapshot(opportunity), rule=job.rule, created_at=NOW
    )
    opportunity.state, opportunity.published_at = "published", NOW
    opportunity.save()
    return opportunity.pk
