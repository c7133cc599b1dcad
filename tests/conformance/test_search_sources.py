"""All sources of search agree with the specification, on cases written by hand and on documents and searches drawn from
a seed: what is found, how relevant it is, in which order, how many there are, and how many of each facet.

MUSTER_CONFORMANCE_SEED sets which are drawn; `make soak` draws many more, MUSTER_CONFORMANCE_SEARCHES says how many.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

import pytest
from django.db.models import Model

from marketplace.core.folding import fold
from marketplace.models import Candidate, Opportunity, Skill, SkillLabel
from matching.core.attributes import Subject
from matching.core.opportunity_attributes import OPPORTUNITY_ATTRIBUTES
from matching.core.search.query import Segment, is_open
from matching.core.search.search import EVERYTHING, FACETS, PEOPLE_SORT_KEYS, SORT_KEYS, Search
from matching.queries.typed import read_query
from matching.retrieval.source import Hit, Source
from tests.conformance import search_cases
from tests.conformance.generators import Chance
from tests.conformance.search_cases import CASES, OPENINGS, PEOPLE
from tests.conformance.search_generators import OPENING_WORLD, opening, person, search
from tests.conformance.search_sources import SOURCES, Copied, Documents, Specification, stored_openings, stored_people
from tests.elasticsearch import needs_elasticsearch

SEED = int(os.environ.get("MUSTER_CONFORMANCE_SEED", "20260615"))
SEARCHES = 80
SOAK_SEARCHES = int(os.environ.get("MUSTER_CONFORMANCE_SEARCHES", "3000"))
ALL = 10_000

pytestmark = pytest.mark.django_db


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=needs_elasticsearch if name == "elasticsearch" else ()) for name in SOURCES],
)
def kept(request: pytest.FixtureRequest) -> Iterator[Copied]:
    with SOURCES[request.param]() as copied:
        yield copied


@pytest.fixture
def copied(kept: Copied) -> Copied:
    """A source that knows of nothing but what is stored in Postgres."""
    kept.forget()
    return kept


SORTS = {Subject.OPPORTUNITY: tuple(SORT_KEYS), Subject.CANDIDATE: tuple(PEOPLE_SORT_KEYS)}


def ids_of(documents: Documents) -> list[int]:
    return [one.pk for one in documents]


def drawn(chance: Chance, about: Subject, count: int) -> Documents:
    if about is Subject.OPPORTUNITY:
        return stored_openings(count, lambda pk: opening(chance, pk))
    return stored_people(count, lambda pk: person(chance, pk))


def test_specification_gives_the_answers_written_by_hand() -> None:
    stored = _stored_by_hand()
    _answers_by_hand(stored, {about: Specification(documents) for about, documents in stored.items()})


def test_source_gives_the_answers_written_by_hand(copied: Copied) -> None:
    stored = _stored_by_hand()
    for about, documents in stored.items():
        copied.copy(about, ids_of(documents))
    _answers_by_hand(stored, dict.fromkeys(Subject, copied.source))


def _stored_by_hand() -> dict[Subject, Documents]:
    for skill_id, (own, *labels) in search_cases.SKILLS.items():
        Skill.objects.create(pk=skill_id, name=own, folded=fold(own))
        SkillLabel.objects.bulk_create(SkillLabel(skill_id=skill_id, label=one, folded=fold(one)) for one in labels)
    openings, people = iter(range(len(OPENINGS))), iter(range(len(PEOPLE)))
    return {
        Subject.OPPORTUNITY: stored_openings(len(OPENINGS), lambda pk: search_cases.opening(next(openings), pk)),
        Subject.CANDIDATE: stored_people(len(PEOPLE), lambda pk: search_cases.person(next(people), pk)),
    }


def _answers_by_hand(stored: Mapping[Subject, Documents], sources: Mapping[Subject, Source]) -> None:
    wrong = {}
    names = {Subject.OPPORTUNITY: tuple(OPENINGS), Subject.CANDIDATE: tuple(reversed(PEOPLE))}
    for about, source in sources.items():
        called = dict(zip(ids_of(stored[about]), names[about], strict=True))
        ids = {name: pk for pk, name in called.items()}
        for case in (case for case in CASES if case.about is about):
            segments = read_query(case.query, about, open_end=is_open(case.query))
            asked, without = case.search(segments, ids), {ids[one] for one in case.without.split()}
            found = [called[hit.pk] for hit in source.hits(asked, after=None, limit=ALL, without=without)]
            counted = source.facets(asked, case.facets, without=without)
            if (found, counted) != (case.finds.split(), case.facets):
                wrong[case.name] = found, counted
            assert source.count(asked, without=without) == len(found), case.name
    assert not wrong
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("about", Subject)
def test_sources_agree_on_whatever_is_drawn(copied: Copied, about: Subject) -> None:
    _agree(copied, Chance(SEED), about, 120, SEARCHES)


@pytest.mark.soak
@pytest.mark.parametrize("about", Subject)
def test_sources_agree_on_thousands_of_searches(copied: Copied, about: Subject) -> None:
    _agree(copied, Chance(SEED + 1), about, 600, SOAK_SEARCHES)


def _agree(copied: Copied, chance: Chance, about: Subject, count: int, searches: int) -> None:
    documents = drawn(chance, about, count)
    ids, specification = ids_of(documents), Specification(documents)
    sizes = []
    copied.copy(about, ids)
    for _ in range(searches):
        asked = search(chance, about, ids)
        sizes.append(_same(copied.source, specification, asked, chance.some(ids)[: chance.one((0, 0, 3))], chance))
    assert max(sizes) > count / 2, "some searches find many"
    assert sum(0 < size < 10 for size in sizes) > searches / 20, "and some few"


def _same(source: Source, specification: Specification, asked: Search, without: Collection[int], chance: Chance) -> int:
    """Whether all answers are alike; how many are found."""
    hits = specification.hits(asked, after=None, limit=ALL, without=without)
    assert source.hits(asked, after=None, limit=ALL, without=without) == hits, asked
    assert source.count(asked, without=without) == len(hits), asked
    facets = FACETS[asked.about]
    assert source.facets(asked, facets, without=without) == specification.facets(asked, facets, without=without), asked
    if hits:  # what follows any place, whether or not something stands there still
        after = chance.number(0, len(hits) - 1)
        gone = {*without, *([hits[after].pk] if chance.number(0, 1) else [])}
        page = source.hits(asked, after=hits[after].place, limit=7, without=gone)
        assert page == hits[after + 1 : after + 8], asked
    return len(hits)


@pytest.mark.parametrize("about", Subject)
def test_pages_neither_skip_nor_repeat_while_documents_are_added(copied: Copied, about: Subject) -> None:
    chance, later = Chance(SEED + 2), 0
    documents = drawn(chance, about, 30)
    copied.copy(about, ids_of(documents))
    for sort in SORTS[about]:
        asked = Search(about, (Segment(("wel",), begun="wel"),), reach=EVERYTHING, sort=sort)
        at_first = Specification(documents).hits(asked, after=None, limit=ALL, without=())
        seen: list[Hit] = []
        after = None
        while page := copied.source.hits(asked, after=after, limit=5, without=()):
            assert page == Specification(documents).hits(asked, after=after, limit=5, without=())
            seen, after = [*seen, *page], page[-1].place
            if len(seen) == 10:
                more = drawn(chance, about, 8)
                copied.copy(about, ids_of(more))
                documents = [*documents, *more]
        assert len({hit.pk for hit in seen}) == len(seen), sort
        assert [hit for hit in seen if hit in at_first] == at_first, sort
        later += len(seen) - len(at_first)
    assert later > 0, "some that were added came later in the order than the page that was being looked at"


@pytest.mark.parametrize(("about", "model"), [(Subject.OPPORTUNITY, Opportunity), (Subject.CANDIDATE, Candidate)])
def test_whatever_is_deleted_is_not_found(copied: Copied, about: Subject, model: type[Model]) -> None:
    documents = drawn(Chance(SEED + 3), about, 20)
    copied.copy(about, ids_of(documents))
    asked = Search(about, reach=EVERYTHING)
    hits = Specification(documents).hits(asked, after=None, limit=ALL, without=())
    gone = {hits[0].pk, hits[-1].pk}
    model._default_manager.filter(pk__in=gone).delete()
    copied.copy(about, gone)
    left = [one for one in documents if one.pk not in gone]
    assert _same(copied.source, Specification(left), asked, (), Chance(SEED)) == len(hits) - 2


def test_every_attribute_is_generated() -> None:
    assert OPENING_WORLD.keys() == OPPORTUNITY_ATTRIBUTES.keys()
