"""Searches as people ask them, each beside the same in SQL, written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from matching.core.attributes import Subject
from matching.core.rules import load
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.search.query import is_open
from matching.core.search.search import FACETS, NARROWING, Facet, PayRange, Reach, Search, Sort
from matching.queries.typed import read_query
from tests.benchmarks.published import NOW, TODAY
from tests.benchmarks.vocabulary import WORDS, skill_label, skill_name

OUR_ORGANISATION = 7
FAMILY = 3_005  # a heading above a hundred skills


@dataclass(frozen=True)
class Asked:
    """`words` is the query as a literal of `tsquery`, `where` all the rest, `order` what the first are."""

    name: str
    query: str = ""
    words: str = ""
    where: str = ""
    order: str = ""
    about: Subject = Subject.OPPORTUNITY
    known: Mapping[str, Any] = field(default_factory=dict)  # of the search

    def search(self) -> Search:
        """Read like any that comes in."""
        segments = read_query(self.query, self.about, open_end=is_open(self.query))
        reach = Reach() if self.about is Subject.OPPORTUNITY else Reach(organisations=frozenset({OUR_ORGANISATION}))
        sort = Sort.RELEVANCE if segments else Sort.NEWEST
        return Search(self.about, segments or (), on=TODAY, **{"reach": reach, "sort": sort, **self.known})

    @property
    def found(self) -> str:
        """FROM and WHERE."""
        conditions = [_OPEN[self.about], *([self.where] if self.where else [])]
        if self.words:
            conditions.append(f"words @@ $${self.words}$$::tsquery")
        return f"FROM {TABLES[self.about]} WHERE {' AND '.join(conditions)}"

    def page(self, *, skip: int = 0) -> str:
        key, rank = _RANKED[self.about]
        newest = f"{key} DESC" if self.about is Subject.CANDIDATE else f"listed_at DESC, {key} DESC"
        best = f"ts_rank({rank}, $${self.words}$$::tsquery) DESC, {newest}" if self.words else newest
        return f"SELECT {key} {self.found} ORDER BY {self.order or best} LIMIT 20 OFFSET {skip}"


TABLES = {Subject.OPPORTUNITY: "matching_opportunityprojection", Subject.CANDIDATE: "matching_candidateprojection"}
_OPEN = {
    Subject.OPPORTUNITY: "state = 'published' AND visibility = 'public'",
    Subject.CANDIDATE: f"present AND discoverable AND NOT blocked_organisations @> '{{{OUR_ORGANISATION}}}'",
}
_RANKED = {Subject.OPPORTUNITY: ("opportunity_id", "head"), Subject.CANDIDATE: ("candidate_id", "words")}

BY_PAY, BY_CLOSING = "most_pay DESC, opportunity_id DESC", "closes_at, opportunity_id DESC"
BY_TITLE, NEWEST = "title, opportunity_id DESC", "listed_at DESC, opportunity_id DESC"
IN_GERMANY = "places && '{*,DE}' AND NOT excluded_places && '{DE}'"
GERMANY = {Facet.COUNTRY: offered_in(["DE"])}


def _asked(name: str, query: str = "", words: str = "", where: str = "", order: str = "", **known: Any) -> Asked:
    return Asked(name, query, words, where, order, known=known)


def _person(name: str, query: str = "", words: str = "", where: str = "", rule: object = None) -> Asked:
    return Asked(name, query, words, where, "", Subject.CANDIDATE, {"rule": load(rule)})


def _skill(skill_id: int) -> tuple[str, str]:
    """A query for a skill by its name, and its literal."""
    name = skill_name(skill_id)
    return f"{name} ", f"({' & '.join(name.split())}) | '§{skill_id}' | '~{skill_id}'"


def _label(skill_id: int) -> tuple[str, str]:
    label = skill_label(skill_id)
    return f"{label.upper()} ", f"'{label}' | '§{skill_id}' | '~{skill_id}'"


def _texts(*ranks: int) -> tuple[str, str]:
    """Words of descriptions."""
    return " ".join(WORDS[one] for one in ranks) + " ", " & ".join(f"'{WORDS[one]}'" for one in ranks)


OPENINGS = (
    _asked("a trade", "nurse ", "nurse"),
    _asked("a trade of two words", "senior nurse ", "senior & nurse"),
    _asked("a word that every seventh has", "senior ", "senior"),
    _asked("a trade and a word of the text", f"engineer {WORDS[40]} ", f"engineer & {WORDS[40]}"),
    _asked("a trade and a country", "nurse germany ", "nurse & germany"),
    _asked("begun", "elec", "elec:*"),
    _asked("two letters", "se", "se:*"),
    _asked("a word, and one begun", "night ele", "night & ele:*"),
    _asked("a slip", "enginere ", "engineer"),
    _asked("a word and a slip", "senior electrican ", "senior & electrician"),
    _asked("a label of a common skill", *_label(3)),
    _asked("a label of a rare skill", *_label(400)),
    _asked("a skill of two words", *_skill(1_700)),
    _asked("a heading", *_skill(FAMILY)),
    _asked("a common word of texts", *_texts(100)),
    _asked("a word of texts", *_texts(1_000)),
    _asked("a rare word of texts", *_texts(15_000)),
    _asked("two words of texts", *_texts(60, 200)),
    _asked("three words of texts", *_texts(10, 80, 300)),
    _asked("nothing of the kind", "nurse zzzzz ", "nurse & zzzzz"),
    _asked("a trade in a country", "nurse ", "nurse", IN_GERMANY, filters=GERMANY),
    _asked(
        "a trade, full time and remote", "nurse ", "nurse", "commitment = 'full_time' AND arrangement = 'remote'",
        filters={Facet.COMMITMENT: commitment_in(["full_time"]), Facet.ARRANGEMENT: arrangement_in(["remote"])},
    ),
    _asked("a trade and its pay", "nurse ", "nurse", "most_pay >= 6000000", pay=PayRange(60_000_00, None)),
    _asked(
        "a trade, a skill and hours", "senior ", "senior", "skill_ids @> '{3}' AND weekly_hours >= 35",
        filters={Facet.SKILL: asks_for_skill([3])},
        rule=load({"attribute": "weekly_hours", "op": "gte", "value": 35}, about=Subject.OPPORTUNITY),
    ),
    _asked(
        "in a region", where="places && '{*,DE-05,DE-*}' AND NOT excluded_places && '{DE,DE-05}'",
        filters={Facet.COUNTRY: offered_in(["DE-05"])},
    ),
    _asked(
        "a kind of skill", where=f"skill_families @> '{{{FAMILY}}}'",
        filters={Facet.SKILL: asks_for_skill([FAMILY], or_narrower=True)},
    ),
    _asked("two skills", where="skill_ids @> '{3,20}'", filters={Facet.SKILL: asks_for_skill([3, 20])}),
    _asked(
        "remote contracts", where="commitment = 'contract' AND arrangement = 'remote'",
        filters={Facet.COMMITMENT: commitment_in(["contract"]), Facet.ARRANGEMENT: arrangement_in(["remote"])},
    ),
    _asked("of an organisation", where="organisations && '{17}'", filters={Facet.ORGANISATION: posted_by([17])}),
    _asked(
        "of this week", where=f"listed_at >= '{NOW - timedelta(days=7)}'", listed_since=NOW - timedelta(days=7)
    ),
    _asked("everything, the newest first"),
    _asked("everything, the best paid first", order=BY_PAY, sort=Sort.PAY),
    _asked("everything, what closes first", order=BY_CLOSING, sort=Sort.CLOSING),
    _asked("everything, by title", order=BY_TITLE, sort=Sort.TITLE),
    _asked("a trade, the newest first", "senior ", "senior", order=NEWEST, sort=Sort.NEWEST),
    _asked("a trade, the best paid first", "nurse ", "nurse", order=BY_PAY, sort=Sort.PAY),
    _asked(
        "in a country, what closes first", where=IN_GERMANY, order=BY_CLOSING, filters=GERMANY, sort=Sort.CLOSING
    ),
)  # fmt: skip

LIVES_IN_GERMANY = "(region LIKE 'DE-%' OR region IS NULL AND country = 'DE')"

PEOPLE = (
    _person("a trade", "nurse ", "nurse"),
    _person("a trade of two words", "senior nurse ", "senior & nurse"),
    _person("a word that every third has", "senior ", "senior"),
    _person("three words", "lead baker pilot ", "lead & baker & pilot"),
    _person("begun", "elec", "elec:*"),
    _person("two letters", "se", "se:*"),
    _person("a word, and one begun", "night ele", "night & ele:*"),
    _person("a slip", "enginere ", "engineer"),
    _person("a label of a common skill", *_label(3)),
    _person("a label of a rare skill", *_label(400)),
    _person("a skill of two words", *_skill(1_700)),
    _person("a heading", *_skill(FAMILY)),
    _person("a trade and a skill", f"nurse {skill_label(3)} ", f"nurse & ('{skill_label(3)}' | '§3' | '~3')"),
    _person("nothing of the kind", "nurse zzzzz ", "nurse & zzzzz"),
    _person("a trade in a country", "nurse ", "nurse", LIVES_IN_GERMANY, {"livesIn": ["DE"]}),
    _person(
        "a trade and hours", "nurse ", "nurse", "weekly_hours >= 30 AND commitments @> '{contract}'",
        {"all": [
            {"attribute": "weekly_hours", "op": "gte", "value": 30},
            {"attribute": "commitments", "op": "eq", "value": "contract"},
        ]},
    ),
    _person(
        "a trade, and a skill at a level", "senior ", "senior",
        "skill_ids @> '{17}' AND (skills #>> '{17,level}')::int >= 3", {"skill": 17, "minLevel": 3},
    ),
    _person(
        "a rare skill at a level", "", "", "skill_ids @> '{900}' AND (skills #>> '{900,level}')::int >= 3",
        {"skill": 900, "minLevel": 3},
    ),
    _person(
        "skills in a country", "", "", f"skill_ids @> '{{3,20}}' AND {LIVES_IN_GERMANY}",
        {"all": [{"skill": 3}, {"skill": 20}, {"livesIn": ["DE"]}]},
    ),
    _person("in a country", "", "", LIVES_IN_GERMANY, {"livesIn": ["DE"]}),
    _person("in a region", "", "", "region = 'AT-05'", {"livesIn": ["AT-05"]}),
    _person("everybody, the newest first"),
)  # fmt: skip


# Facets


@dataclass(frozen=True)
class Counted:
    """A search whose facets are counted, its filters by facet beside the same in SQL."""

    asked: Asked
    filters: Mapping[Facet, str] = field(default_factory=dict)

    @property
    def by_hand(self) -> str:
        """One statement that counts each facet in its turn: its name, a value, and how many have it."""
        return " UNION ALL ".join(f"({self._count(facet)})" for facet in FACETS[self.asked.about])

    def _count(self, facet: Facet) -> str:
        value, listed = _VALUES[facet]
        others = [one for key, one in self.filters.items() if key is not facet or facet in NARROWING]
        found = " AND ".join([self.asked.found, *others]).replace(" WHERE ", f"{listed} WHERE ", 1)
        return f"SELECT '{facet}', {value}::text, count(*) {found} AND {value} IS NOT NULL GROUP BY 2"


_VALUES = {
    Facet.COMMITMENT: ("commitment", ""),
    Facet.ARRANGEMENT: ("arrangement", ""),
    Facet.COUNTRY: ("CASE WHEN length(place) = 2 THEN place END", ", unnest(places) AS place"),
    Facet.SKILL: ("skill_id", ", unnest(skill_ids) AS skill_id"),
    Facet.ORGANISATION: ("one", ", unnest(organisations) AS one"),
}
REMOTE = {Facet.ARRANGEMENT: arrangement_in(["remote"])}
FULL_TIME = {Facet.COMMITMENT: commitment_in(["full_time"])}
BAKING = {Facet.SKILL: asks_for_skill([3])}
IN_SQL = {
    Facet.COUNTRY: IN_GERMANY,
    Facet.ARRANGEMENT: "arrangement = 'remote'",
    Facet.COMMITMENT: "commitment = 'full_time'",
    Facet.SKILL: "skill_ids @> '{3}'",
}


def _counted(name: str, query: str = "", words: str = "", **filters: Any) -> Counted:
    chosen = {facet: rule for one in filters.values() for facet, rule in one.items()}
    return Counted(_asked(name, query, words, filters=chosen), {facet: IN_SQL[facet] for facet in chosen})


COUNTED = (
    _counted("a trade", "nurse ", "nurse"),
    _counted("a trade, remote in Germany", "nurse ", "nurse", where=GERMANY, how=REMOTE),
    _counted("a word, full time in Germany", "senior ", "senior", where=GERMANY, what=FULL_TIME),
    _counted("a word and a skill", "senior ", "senior", able=BAKING, what=FULL_TIME),
    _counted("a skill in Germany", where=GERMANY, able=BAKING),
    _counted("full time and remote in Germany", where=GERMANY, how=REMOTE, what=FULL_TIME),
    _counted("everything in Germany", where=GERMANY),
    _counted("everything"),
)
