"""Small markets for tests, and their optimum by trying everything."""

from __future__ import annotations

from itertools import combinations

from hypothesis import strategies as st

from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Problem

Triples = dict[tuple[int, int], int]  # (opportunity key, candidate key) → value


def market(
    seats: dict[int, int], people: list[int], edges: Triples, *, order: list[int] | None = None, **more: object
) -> Problem:
    """A problem by keys. `order` permutes the rows of edges."""
    rows, columns = list(seats), list(people)
    at, column = ({key: place for place, key in enumerate(some)} for some in (rows, columns))
    triples = [(at[key], column[person], value) for (key, person), value in edges.items()]
    if order is not None:
        triples = [triples[place] for place in order]
    return Problem(
        opportunities=tuple(OpportunityNode(key, seats[key]) for key in rows),
        candidates=tuple(CandidateNode(person) for person in columns),
        edges=Edges.of(triples),
        **more,  # type: ignore[arg-type]
    )


@st.composite
def markets(draw: st.DrawFn, most_value: int = 20) -> tuple[dict[int, int], list[int], Triples]:
    keys = draw(st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True))
    people = draw(st.lists(st.integers(1, 99), max_size=6, unique=True))
    seats = {key: draw(st.integers(0, 3)) for key in keys}
    values = st.none() | st.integers(0, most_value)
    edges = {(key, person): draw(values) for key in keys for person in people}
    return seats, people, {pair: value for pair, value in edges.items() if value is not None}


def outcomes(seats: dict[int, int], people: list[int], edges: Triples) -> dict[tuple[int, ...], int]:
    """Every way to share out the people: how many each opportunity gets (in order of keys) → the greatest value."""
    keys = sorted(seats)
    found = {tuple(0 for _ in keys): 0}
    for person in people:
        after = dict(found)
        for counts, value in found.items():
            for row, key in enumerate(keys):
                if (key, person) in edges and counts[row] < seats[key]:
                    more = (*counts[:row], counts[row] + 1, *counts[row + 1 :])
                    after[more] = max(after.get(more, 0), value + edges[key, person])
        found = after
    return found


def best(seats: dict[int, int], people: list[int], edges: Triples) -> tuple[int, int]:
    """The greatest value and, among the assignments of that value, the most seats filled."""
    return max((value, sum(counts)) for counts, value in outcomes(seats, people, edges).items())


def too_few_people(chosen: tuple[int, ...], seats: dict[int, int], edges: Triples) -> bool:
    people = {person for key, person in edges if key in chosen}
    return sum(seats[key] for key in chosen) > len(people)


def proper_subsets_with(key: int, chosen: tuple[int, ...]) -> list[tuple[int, ...]]:
    others = [one for one in chosen if one != key]
    return [(key, *some) for size in range(len(others)) for some in combinations(others, size)]
