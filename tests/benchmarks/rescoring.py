"""How fast a market is scored: all of it after a load, and one change within it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median

from django.db import transaction

from accounts.models import Organisation
from config.bench import Measured, benchmark, size
from marketplace.models import (
    Candidate,
    CandidateSkill,
    Opportunity,
    OpportunityRevision,
    OpportunitySkill,
    PayBand,
    Skill,
)
from marketplace.queries.facts import facts_of, terms_of
from matching.actions import marks, rescoring
from matching.actions.models import live_model
from matching.core.scoring import LinearModel, score
from matching.models import Match
from tests.matching.staging import mark_everything

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SKILLS = 300
RULE = {"attribute": "country", "op": "in", "value": ["DE", "AT", "FR"]}


@benchmark("rescoring.load", unit="s")
def load() -> Measured:
    """Projecting and scoring a market that was just loaded."""
    with market() as (people, opportunities):
        mark_everything(NOW)
        start = time.perf_counter()
        rescoring.drain_all(NOW)
        taken = time.perf_counter() - start
        assert Match.objects.exists()
        model = LinearModel.from_json(live_model().definition)
        start = time.perf_counter()
        facts = facts_of(people, on=NOW.date(), rate_set=None).values()
        for terms in terms_of(opportunities, rate_set=None, on=NOW.date()).values():
            for one in facts:
                score(one, terms, model=model)
        baseline = time.perf_counter() - start
    return Measured(taken, baseline, "reading all facts and scoring all pairs, nothing stored")


@benchmark("rescoring.change", unit="ms")
def change() -> Measured:
    """From one candidate's mark to fresh matches, the market's other matches standing."""
    with market() as (people, _):
        mark_everything(NOW)
        rescoring.drain_all(NOW)
        taken = []
        for pk in people[:50]:
            marks.mark_candidates([pk], NOW)
            start = time.perf_counter()
            rescoring.drain(NOW)
            taken.append(time.perf_counter() - start)
    return Measured(median(taken) * 1e3)


@benchmark("rescoring.rule_change", unit="ms")
def rule_change() -> Measured:
    """From a rule that was set anew to fresh matches: the pairs that it judges otherwise, and, for comparison, the
    opportunity as a whole."""
    with market() as (_, opportunities):
        mark_everything(NOW)
        rescoring.drain_all(NOW)
        taken: tuple[list[float], list[float]] = ([], [])
        for pk in opportunities[:20]:
            _set_rule(pk)
            start = time.perf_counter()
            marks.mark_changed_rule(pk, 2, NOW)
            rescoring.drain_all(NOW)
            taken[0].append(time.perf_counter() - start)
            marks.mark_opportunities([pk], NOW)
            start = time.perf_counter()
            rescoring.drain_all(NOW)
            taken[1].append(time.perf_counter() - start)
    return Measured(median(taken[0]) * 1e3, median(taken[1]) * 1e3, "scoring the opportunity as a whole")


def _set_rule(opportunity_id: int) -> None:
    """Accept the most experienced wherever they live: one in eighty, who may or may not rank among the best."""
    alternatives = [RULE, {"attribute": "years_experience", "op": "gte", "value": 19}]
    revision = OpportunityRevision.objects.create(
        opportunity_id=opportunity_id, number=2, terms={"pay": []}, rule={"any": alternatives}, created_at=NOW
    )
    Opportunity.objects.filter(pk=opportunity_id).update(current_revision=revision)


@contextmanager
def market() -> Iterator[tuple[list[int], list[int]]]:
    """People with eight skills each and opportunities that ask for six, gone again afterwards."""
    draw = random.Random(1)
    with transaction.atomic():
        skills = Skill.objects.bulk_create(Skill(name=f"skill {n}", folded=f"skill {n}") for n in range(SKILLS))
        people = Candidate.objects.bulk_create(
            Candidate(
                name=f"Person {n}",
                country=draw.choice(["DE", "AT", "FR", ""]),
                years_experience=Decimal(draw.randint(0, 20)),
                weekly_hours=draw.choice([20, 30, 40]),
                rate_amount=Decimal(draw.randint(15, 90)),
                rate_currency="EUR",
                rate_period="hour",
                open_to_offers=True,
            )
            for n in range(size("RESCORING_CANDIDATES", 1_900))  # of more, all would be in memory
        )
        CandidateSkill.objects.bulk_create(
            CandidateSkill(candidate=one, skill=skill, level=draw.randint(1, 5), years=Decimal(draw.randint(0, 9)))
            for one in people
            for skill in draw.sample(skills, 8)
        )
        works = Organisation.objects.create(name="Works", slug="works-of-the-benchmark")
        opportunities = [
            Opportunity(
                reference=Opportunity.new_reference(),
                posting_organisation=works,
                hiring_organisation=works,
                title=f"Work {n}",
                commitment="full_time",
                arrangement="remote",
                weekly_hours=draw.choice([20, 40]),
                years_experience=Decimal(draw.randint(0, 8)),
            )
            for n in range(size("RESCORING_OPPORTUNITIES", 60))
        ]
        opportunities = Opportunity.objects.bulk_create(opportunities)
        OpportunitySkill.objects.bulk_create(
            OpportunitySkill(
                opportunity=one, skill=skill, required=draw.random() < 0.6, weight=3, min_level=draw.randint(1, 4)
            )
            for one in opportunities
            for skill in draw.sample(skills, 6)
        )
        PayBand.objects.bulk_create(
            PayBand(opportunity=one, minimum=20, maximum=60, currency="EUR", period="hour") for one in opportunities
        )
        for one in opportunities:
            one.current_revision = OpportunityRevision.objects.create(
                opportunity=one, number=1, terms={"pay": []}, rule=RULE, created_at=NOW
            )
            one.state, one.published_at = "published", NOW
            one.save()
        yield [one.pk for one in people], [one.pk for one in opportunities]
        transaction.set_rollback(True)
