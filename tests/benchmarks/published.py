"""Two hundred thousand published opportunities, in a database of their own that outlasts the run: what benchmarks of
search read.

    with published(size("OPPORTUNITIES", 200_000)):
        ...  # Django's default connection is to a migrated database with that many in it

Their titles are trades; descriptions have 80 to 200 words, and words, skills, places and organisations are as skewed as
in life (Zipf's law). Tables and projections are written as one, without triggers: no history, no events, no marks.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from django.db import connection
from django.db.models import Model

from accounts.models import Organisation
from config.bench import own_database
from marketplace.core.codes import place_name
from marketplace.models import Opportunity, OpportunityLocation, OpportunityRevision, OpportunitySkill, PayBand
from marketplace.models.money import Period
from matching.core.attributes import Subject
from matching.core.facts import OpportunityFacts
from matching.core.search.query import SearchText
from matching.core.search.search import NO_END, Opening
from matching.core.search.words import searched_words
from matching.models import OpportunityProjection
from matching.queries.openings import ANYWHERE, columns_of, opening_from, openings_of
from tests.benchmarks import vocabulary
from tests.benchmarks.loading import copying, drop_indexes
from tests.benchmarks.vocabulary import SKILLS, TRADES, WORDS, Zipf, family_of, made_up, name_skills, skill_name

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ORGANISATIONS = 5_000
_COUNTRIES = "DE FR GB ES IT PL NL RO AT SE CZ PT GR HU BE CH BG DK FI SK IE NO HR LT SI LV EE IN US BR"
COUNTRIES = tuple(_COUNTRIES.split())
COMMITMENTS = ("full_time", "full_time", "full_time", "part_time", "contract", "temporary", "internship")
ARRANGEMENTS = ("onsite", "onsite", "hybrid", "remote")
CHECKED = 200  # of the projections are compared with the tables
ALLOWED, EXCLUDED = OpportunityLocation.Kind.ALLOWED.value, OpportunityLocation.Kind.EXCLUDED.value

MODELS = (Opportunity, OpportunityRevision, OpportunitySkill, OpportunityLocation, PayBand, OpportunityProjection)


@contextmanager
def published(count: int) -> Iterator[None]:
    """Django on a database with that many published opportunities, skills 1 … 3000 and their headings, and
    organisations 1 … 5000. The first use builds it, which takes minutes; later ones find it ready."""
    made_of = hashlib.sha256(b"".join(Path(one).read_bytes() for one in (__file__, vocabulary.__file__))).hexdigest()
    with own_database(f"published_{count}", f"{made_of} {count}", lambda: _build(count)):
        yield


def _build(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        indexes = drop_indexes(cursor, OpportunityProjection._meta.db_table)
        named = _organisations()
        name_skills(Subject.OPPORTUNITY, *named)
        draw = _Draw(named)
        with copying(*MODELS) as send:
            for pk in range(1, count + 1):
                send(draw.rows(pk))
        for statement in indexes:
            cursor.execute(statement)
        for model in MODELS:
            table, key = model._meta.db_table, model._meta.pk.column
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), max({key})) FROM {table}")
            cursor.execute(f"VACUUM ANALYZE {table}")
    connection.close()  # and with it what was set
    sample = range(1, count + 1, max(count // CHECKED, 1))
    stored = {row.pk: opening_from(row) for row in OpportunityProjection.objects.filter(pk__in=sample)}
    assert stored == openings_of(sample, rate_set=None), "projections say what the tables do"


def _organisations() -> list[str]:
    kinds = ("Group", "Works", "Care", "Labs", "Partners")
    words = made_up(ORGANISATIONS, seed=4)
    names = [f"{word.title()} {kinds[pk % len(kinds)]}" for pk, word in enumerate(words, start=1)]
    Organisation.objects.bulk_create(
        Organisation(pk=pk, name=name, slug=f"org-{pk}") for pk, name in enumerate(names, start=1)
    )
    return names


class _Draw(random.Random):
    """Draws opportunities, from a seed."""

    def __init__(self, organisations: list[str]) -> None:
        super().__init__(5)
        self._named = organisations
        self._word, self._skill, self._trade = Zipf(len(WORDS)), Zipf(SKILLS), Zipf(len(TRADES), flat=20)
        self._country, self._organisation = Zipf(len(COUNTRIES), flat=1), Zipf(ORGANISATIONS, flat=50)

    def maybe(self, chance: float) -> bool:
        return self.random() < chance

    def rows(self, pk: int) -> Iterator[Model]:
        """An opportunity with all that belongs to it."""
        title = TRADES[self._trade.one(self)].capitalize()
        described = [WORDS[self._word.one(self)] for _ in range(self.randint(80, 200))]
        places = self._places()
        opening = self._opening(pk, title, described, places)
        facts = opening.facts
        listed_at = opening.listed_at
        yield Opportunity(
            pk=pk,
            reference=f"OPP-{pk:08}",
            posting_organisation_id=opening.organisation,
            hiring_organisation_id=opening.organisation,
            title=title,
            description=" ".join(described),
            commitment=facts.commitment,
            arrangement=facts.arrangement or "",
            weekly_hours=facts.weekly_hours,
            years_experience=facts.years_experience,
            starts_on=facts.starts_on,
            closes_at=None if opening.closes_at == NO_END else opening.closes_at,
            state=opening.state,
            current_revision_id=pk,
            published_at=listed_at,
            created_at=listed_at,
        )
        yield OpportunityRevision(pk=pk, opportunity_id=pk, number=1, terms="{}", created_at=listed_at)
        for skill_id in sorted(facts.skills):
            yield OpportunitySkill(opportunity_id=pk, skill_id=skill_id)
        for kind, place in sorted(places):
            yield OpportunityLocation(
                opportunity_id=pk, kind=kind, country=place[:2], region=place if "-" in place else ""
            )
        for least, most in opening.pay:
            yield PayBand(
                opportunity_id=pk, minimum=least // 100, maximum=most // 100, currency="EUR", period=Period.YEAR
            )
        yield OpportunityProjection(opportunity_id=pk, refreshed_at=NOW, **columns_of(opening))

    def _places(self) -> set[tuple[str, str]]:
        """By kind; most are in one region, some anywhere."""
        if self.maybe(0.15):
            return {(EXCLUDED, COUNTRIES[self._country.one(self)])} if self.maybe(0.2) else set()
        countries = {COUNTRIES[self._country.one(self)] for _ in range(self.choice((1, 1, 1, 1, 3)))}
        return {(ALLOWED, f"{one}-{self.randint(1, 12):02}" if self.maybe(0.6) else one) for one in countries}

    def _opening(self, pk: int, title: str, described: list[str], places: set[tuple[str, str]]) -> Opening:
        organisation = 1 + self._organisation.one(self)
        skills = frozenset(1 + self._skill.one(self) for _ in range(self.randint(2, 6)))
        families = skills.union(map(family_of, skills))
        listed_at = NOW - timedelta(seconds=self.random() * 90 * 86_400)
        closes_at = NOW + timedelta(days=self.randint(1, 60)) if self.maybe(0.7) else NO_END
        fields = {
            "title": _words(title),
            "skills": frozenset().union(*(_words(skill_name(one)) for one in skills)),
            "organisation": _words(self._named[organisation - 1]),
        }
        allowed = [place for kind, place in places if kind == ALLOWED]
        named = frozenset().union(*(_words(place_name(code)) for place in allowed for code in (place, place[:2])))
        return Opening(
            facts=OpportunityFacts(
                pk,
                commitment=self.choice(COMMITMENTS),
                arrangement=self.choice(ARRANGEMENTS) if self.maybe(0.95) else None,
                weekly_hours=self.choice((40, 40, 38, 35, 30, 20)) if self.maybe(0.9) else None,
                years_experience=Decimal(self.randint(0, 10)) if self.maybe(0.5) else None,
                starts_on=TODAY + timedelta(days=self.randint(0, 120)) if self.maybe(0.6) else None,
                published_on=listed_at.date(),
                closes_on=closes_at.date() if closes_at != NO_END else None,
                places=frozenset(told for place in allowed for told in _told(place)) or frozenset({ANYWHERE}),
                excluded_places=frozenset(place for kind, place in places if kind == EXCLUDED),
                skills=skills,
                skill_families=families,
                organisations=frozenset({organisation}),
            ),
            text=SearchText(fields, named.union(described, *fields.values()), skills, families),
            state="published",
            visibility="public",
            organisation=organisation,
            title=title.casefold(),
            listed_at=listed_at,
            closes_at=closes_at,
            pay=self._pay(),
        )

    def _pay(self) -> tuple[tuple[int, int], ...]:
        """Cents of euros a year."""
        least = (self.randint(18, 60) + self.choice((0, 0, 30))) * 1_000_00
        most = least + self.randint(0, 25) * 1_000_00
        return ((least, most),) if self.maybe(0.8) else ()


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return searched_words([text])


def _told(place: str) -> tuple[str, str]:
    """An allowed place, as `OpportunityFacts` tells it."""
    return (place[:2], place) if "-" in place else (place, f"{place}-*")
