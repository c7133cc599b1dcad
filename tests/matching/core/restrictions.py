"""Small markets with hours, several seats a person, limits and shares; and whether an assignment keeps them."""

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import strategies as st

from matching.core.allocation import CandidateNode, Edges, InvalidAllocation, Limit, OpportunityNode, Problem, Share


@st.composite
def restricted(draw: st.DrawFn) -> Problem:
    """A small market with hours, several seats a person, limits, shares, pins and exclusions."""
    rows, people = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    seats = [draw(st.integers(0, 2)) for _ in range(rows)]
    pairs = [pair for pair in product(range(rows), range(people)) if draw(st.integers(0, 3))]
    number = st.integers(0, 9)
    candidates = tuple(
        CandidateNode(10 + i, draw(st.none() | st.integers(0, 15)), draw(st.integers(0, 3))) for i in range(people)
    )
    limits = tuple(
        Limit(key, tuple(row for row in range(rows) if draw(st.booleans())), draw(st.integers(0, 3)))
        for key in range(draw(st.integers(0, 2)))
    )
    shares = tuple(
        Share(row, draw(st.integers(0, seats[row])), tuple(10 + i for i in range(people) if draw(st.booleans())))
        for row in range(rows)
        if draw(st.booleans())
    )
    excluded = tuple((row, 10 + i) for row, i in pairs if draw(st.integers(0, 9)) == 0)
    columns = [np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True)] or [np.zeros(0, np.int64)] * 2
    problem = Problem(
        tuple(OpportunityNode(row, seats[row]) for row in range(rows)),
        candidates,
        Edges(
            *columns,
            np.array([draw(number) for _ in pairs], dtype=np.int64),
            np.array([draw(number) for _ in pairs], dtype=np.int64) if draw(st.booleans()) else None,
        ),
        limits=limits,
        shares=shares,
        excluded=excluded,
    )
    for row, i in pairs:
        if draw(st.integers(0, 7)) == 0:
            try:
                problem = replace(problem, pinned=(*problem.pinned, (row, 10 + i)))
            except InvalidAllocation as refusal:
                assert refusal.code == "INFEASIBLE_PIN"
    return problem


def kept(problem: Problem, chosen: list[int]) -> bool:
    """Whether an assignment, as positions of edges, keeps everything: written out once more, one pair at a time."""
    edges = problem.edges
    pairs = [
        (problem.opportunities[edges.opportunity[at]].key, problem.candidates[edges.candidate[at]].key) for at in chosen
    ]
    if not set(problem.pinned) <= set(pairs) or set(problem.excluded) & set(pairs):
        return False
    for node in problem.opportunities:
        takers = [person for key, person in pairs if key == node.key]
        if len(takers) > node.seats:
            return False
        for share in problem.shares:
            if share.opportunity == node.key:
                others = [person for person in takers if person not in share.candidates]
                if len(others) > node.seats - share.seats:
                    return False
    for person in problem.candidates:
        own = [at for at, (_, key) in zip(chosen, pairs, strict=True) if key == person.key]
        hours = sum(int(edges.hours[at]) for at in own) if edges.hours is not None else 0
        if len(own) > person.most or (person.hours is not None and hours > person.hours):
            return False
    return all(sum(key in limit.opportunities for key, _ in pairs) <= limit.most for limit in problem.limits)
