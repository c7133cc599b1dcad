"""How long it takes to put one new opportunity to a hundred thousand saved searches.

The searches ask for what people ask for: words, often those that many others use, places, pay, skills. They lie in a
database of their own, with the people who keep them and the opportunities that are put to them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, transaction

from accounts.models import Organisation, User
from config.bench import Measured, benchmark, own_database, size
from marketplace.models import (
    Candidate,
    ExchangeRate,
    ExchangeRateSet,
    Opportunity,
    OpportunityLocation,
    OpportunityRevision,
    OpportunitySkill,
    PayBand,
    Skill,
    SkillBroader,
)
from marketplace.queries.rates import current_rate_set
from matching.actions.alerts import alert
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.search.saved import PayAsked, SavedQuery
from matching.core.search.search import Facet, Opening, Search, found
from matching.models import SavedSearch
from matching.queries.findings import searches_finding
from matching.queries.openings import openings_of
from matching.queries.saved_searches import SAVED_SEARCHES, search_of
from tests.benchmarks.inverse import _each, _resident
from tests.benchmarks.openings import COMMITMENTS, COUNTRIES, NOW, TODAY, _Draw, _skill, _uuid

SEARCHES = size("SEARCHES", 100_000)
SEARCHES_EACH = 2  # of one person
OPPORTUNITIES = 40
SCANNED = 4  # opportunities that are put to every search in Python, too
SKILLS, TRADES, WORDS, ORGANISATIONS = 2_000, 4_000, 6_000, 500
LEAST_FINDING = SEARCHES / 2000  # the median over the opportunities: an index that finds nobody measures nothing
ARRANGEMENTS = ("onsite", "hybrid", "remote")


@benchmark("search.alerts_100k", unit="ms")
def in_memory() -> Measured:
    """Which searches find an opportunity that is known, and the same searches asked one after the other."""
    with _market() as openings:
        rates = current_rate_set(on=TODAY)
        answers = SAVED_SEARCHES.finding(openings, on=TODAY, rate_set=rates)
        finding = sorted(map(len, answers))
        print(f"  {median(finding):.0f} searches find the median opportunity, {finding[-1]:,} the one most asked for")
        assert median(finding) >= LEAST_FINDING
        searches = _searches()
        baseline = []
        for opening, answer in list(zip(openings, answers, strict=True))[:SCANNED]:
            start = time.perf_counter()
            scanned = {pk for pk, search in searches.items() if found(search, opening) is not None}
            baseline.append((time.perf_counter() - start) * 1e3)
            assert answer == scanned, "a miss"
        taken = sorted(_each(openings, lambda one: SAVED_SEARCHES.finding([one], on=TODAY, rate_set=rates)))
        print(f"  worst {taken[-1]:.0f} ms", flush=True)
        _tell_refreshes()
    return Measured(median(taken), median(baseline), "found() of every search")


@benchmark("search.alerts_100k_p50", unit="ms")
def end_to_end() -> Measured:
    """From an event to what is noted: facts, refresh, matching, who is not to be told, and a row for each search."""
    with _market() as openings:
        noted: list[int] = []

        def tell(opening: Opening) -> None:
            with transaction.atomic():
                noted.append(alert(opening.pk, NOW))
                transaction.set_rollback(True)

        taken = sorted(_each(openings, tell))
        some = Opportunity.objects.select_related("current_revision").in_bulk([one.pk for one in openings])
        asked = _each(some.values(), lambda one: searches_finding(one, now=NOW))
        print(
            f"  {median(noted):.0f} noted, at most {max(noted):,}; p95 {taken[int(len(taken) * 0.95)]:.0f} ms, worst"
            f" {taken[-1]:.0f} ms; {median(asked):.0f} ms until they are known",
            flush=True,
        )
    return Measured(median(taken))


@contextmanager
def _market() -> Iterator[list[Opening]]:
    """The data set, with an index that was just built; tells what that took."""
    made_of = hashlib.sha256(Path(__file__).read_bytes() + str(SEARCHES).encode()).hexdigest()
    with own_database(f"saved_searches_{SEARCHES}", made_of, _build):
        SAVED_SEARCHES.forget()
        before, start = _resident(), time.perf_counter()
        SAVED_SEARCHES.finding([], on=TODAY, rate_set=None)
        print(
            f"  {len(SAVED_SEARCHES._known.index):,} searches indexed in {time.perf_counter() - start:.1f} s,"
            f" {_resident() - before:.0f} MB; {len(SAVED_SEARCHES._known.text_of):,} different texts",
            flush=True,
        )
        pks = Opportunity.objects.order_by("pk").values_list("pk", flat=True)
        try:
            yield list(openings_of(list(pks), rate_set=current_rate_set(on=TODAY)).values())
        finally:
            SAVED_SEARCHES.forget()


def _searches() -> dict[int, Search]:
    """Every saved search, ready to be asked. What the words of one name is the same for all who typed it."""
    rates = current_rate_set(on=TODAY)
    by_text: dict[str, Search] = {}
    searches = {}
    for pk, raw in SavedSearch.objects.values_list("pk", "query").iterator():
        query = SavedQuery.from_json(raw)
        if query.text not in by_text:
            by_text[query.text] = search_of(SavedQuery(text=query.text), rate_set=rates, on=TODAY)
        searches[pk] = query.search(by_text[query.text].segments, rates=RATES, on=TODAY)
    return searches


def _tell_refreshes() -> None:
    for count in (0, 1, 1000):
        SavedSearch.objects.filter(pk__lte=count).update(query={"text": "nurse"})
        start = time.perf_counter()
        SAVED_SEARCHES.finding([], on=TODAY, rate_set=None)
        print(f"  refresh after {count:,} searches changed: {(time.perf_counter() - start) * 1e3:.1f} ms", flush=True)


# The data set

RATES = {"EUR": Decimal(1), "USD": Decimal("1.1"), "GBP": Decimal("0.85")}


def _build() -> None:
    draw = _Draw(31)
    words = [f"{_word(draw)}" for _ in range(WORDS)]
    trades = [" ".join(draw.sample(words[:2_000], draw.choice([1, 2, 2]))) for _ in range(TRADES)]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        rates = ExchangeRateSet.objects.create(on=TODAY, source="made up")
        for currency in ("USD", "GBP"):
            ExchangeRate.objects.create(rate_set=rates, currency=currency, per_euro=RATES[currency])
        skills = [one.pk for one in Skill.objects.bulk_create(_skill(number) for number in range(SKILLS))]
        for number in range(300):  # some trades are the name of a skill
            Skill.objects.filter(pk=skills[number]).update(name=trades[3 * number], folded=trades[3 * number])
        SkillBroader.objects.bulk_create(
            SkillBroader(skill_id=skill, broader_id=skills[at // 20]) for at, skill in enumerate(skills) if at >= 20
        )
        works = Organisation.objects.bulk_create(
            Organisation(name=f"{_word(draw)} works", slug=f"works-{number}") for number in range(ORGANISATIONS)
        )
        posting = [one.pk for one in works]
        _opportunities(draw, words, trades, skills, posting)
        _people(cursor, draw)
        _saved(cursor, draw, words, trades, skills, posting)
        cursor.execute("ANALYZE")
    connection.close()  # and with it what was set


def _word(draw: _Draw) -> str:
    return "".join(draw.choice("bdfgklmnprstvw") + draw.choice("aeiou") for _ in range(draw.randint(2, 4))) + "r"


def _opportunities(draw: _Draw, words: list[str], trades: list[str], skills: list[int], posting: list[int]) -> None:
    for number in range(OPPORTUNITIES):
        works = draw.choice(posting)
        one = Opportunity.objects.create(
            posting_organisation_id=works,
            hiring_organisation_id=works,
            title=f"{draw.skewed(trades)} {draw.choice(words)}",
            description=" ".join(draw.skewed(words) for _ in range(180)),
            commitment=draw.skewed(COMMITMENTS),
            arrangement=draw.skewed(ARRANGEMENTS),
            weekly_hours=draw.choice([20, 30, 40, 40]),
            published_at=NOW - timedelta(minutes=number),
        )
        revision = OpportunityRevision.objects.create(
            opportunity=one,
            number=1,
            terms={"pay": []},
            rule={"attribute": "country", "op": "in", "value": list(COUNTRIES[:4])},
            created_at=NOW,
        )
        Opportunity.objects.filter(pk=one.pk).update(state="published", current_revision=revision)
        OpportunitySkill.objects.bulk_create(
            OpportunitySkill(opportunity=one, skill_id=skill) for skill in draw.few(skills, 2, 6)
        )
        OpportunityLocation.objects.bulk_create(
            OpportunityLocation(opportunity=one, country=country) for country in draw.few(COUNTRIES, 0, 2)
        )
        low = draw.randint(12, 40)
        PayBand.objects.create(opportunity=one, minimum=low, maximum=low * 2, currency="EUR", period="hour")


def _people(cursor: Any, draw: _Draw) -> None:
    count = SEARCHES // SEARCHES_EACH
    User.objects.bulk_create(
        (User(pk=pk, email=f"person{pk}@example.org", password="!") for pk in range(1, count + 1)), batch_size=5000
    )
    Candidate.objects.bulk_create(
        (
            Candidate(pk=pk, user_id=pk, name=f"Person {pk}", country=draw.skewed(COUNTRIES), timezone="Europe/Berlin")
            for pk in range(1, count + 1)
        ),
        batch_size=5000,
    )


def _saved(
    cursor: Any, draw: _Draw, words: list[str], trades: list[str], skills: list[int], posting: list[int]
) -> None:
    columns = (
        "id, public_id, candidate_id, name, is_named, query, fingerprint, frequency, created_at, asked_at, changed_xid"
    )
    with cursor.copy(f"COPY matching_savedsearch ({columns}) FROM STDIN") as copy:
        for pk in range(1, SEARCHES + 1):
            query = _query(draw, words, trades, skills, posting)
            copy.write_row(
                (pk, _uuid(draw), 1 + (pk - 1) // SEARCHES_EACH, "a search", False, json.dumps(query.to_json()),
                 str(pk), draw.choice(["immediately", "daily", "weekly"]), NOW, NOW, 0)
            )  # fmt: skip
    cursor.execute("SELECT setval(pg_get_serial_sequence('matching_savedsearch', 'id'), %s)", [SEARCHES])


def _query(draw: _Draw, words: list[str], trades: list[str], skills: list[int], posting: list[int]) -> SavedQuery:
    """Most have words, some of them of nobody else's; two in three name a place."""
    text = draw.skewed(trades) if draw.random() < 0.92 else ""
    text += f" {draw.choice(words)}" if draw.random() < 0.2 else ""
    filters = {
        Facet.COUNTRY: offered_in(draw.few(COUNTRIES, 1, 2) if draw.random() < 0.65 or not text else []),
        Facet.COMMITMENT: commitment_in(draw.few(COMMITMENTS, 1, 2) if draw.random() < 0.4 else []),
        Facet.ARRANGEMENT: arrangement_in(draw.few(ARRANGEMENTS, 1, 2) if draw.random() < 0.25 else []),
        Facet.SKILL: asks_for_skill(draw.few(skills, 1, 2) if draw.random() < 0.2 or not text else []),
        Facet.ORGANISATION: posted_by([draw.choice(posting)] if draw.random() < 0.03 else []),
    }
    least = Decimal(draw.randint(4, 20) * 5000)
    pay = PayAsked(least, None, draw.choice(["EUR", "EUR", "USD", "GBP"])) if draw.random() < 0.4 else None
    return SavedQuery(text=text.strip(), filters=filters, pay=pay, eligible_only=draw.random() < 0.15)
