"""Compiled selections give what GraphQL's own executor gives, whatever a row holds and however it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any
from unittest import mock

import pytest
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from config.graphql_execution import Executor
from tests.config.graphql_client import Asker
from tests.marketplace.factories import an_application


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.type
class Other:
    name: str


@strawberry.type
class Thing:
    name: str
    note: str | None
    number: int
    share: float
    colour: Colour
    words: list[str]

    @strawberry.field
    def loud(root: strawberry.Parent[Any]) -> str:
        return root.name.upper()

    @strawberry.field
    def repeated(root: strawberry.Parent[Any], info: strawberry.Info, times: int = 2, between: str = "") -> str | None:
        return between.join([str(root.name)] * times) if times else None

    @strawberry.field
    def others(root: strawberry.Parent[Any], first: int) -> list[Thing]:
        return [ROWS[name] for name in ("whole", "without a note")][:first]

    @strawberry.field
    def either(root: strawberry.Parent[Any]) -> Thing | Other:
        return Other(name="another")

    @strawberry.field
    async def later(root: strawberry.Parent[Any]) -> str:
        return "later"


@dataclass
class Row:
    name: Any = "one"
    note: Any = None
    number: Any = 1
    share: Any = 0.5
    colour: Any = Colour.RED
    words: Any = ("a", "b")


class Broken(Row):
    @property
    def number(self) -> int:
        raise RuntimeError("no number")

    @number.setter
    def number(self, value: int) -> None:
        pass


ROWS: dict[str, Any] = {
    "whole": Row(),
    "without a note": Row(name="two", note=None),
    "without a text": Row(name=None),
    "of other types": Row(name=1, note=2, number=True, share=3),
    "too large": Row(number=2**40),
    "no number": Row(number="many"),
    "no colour": Row(colour="blue"),
    "an error as a value": Row(name=ValueError("no name")),
    "an error when it is read": Broken(),
    "nothing of the kind": object(),
}


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, row: str) -> Thing:
        return ROWS[row]

    @strawberry.field
    def things(self) -> list[Thing | None]:
        return list(ROWS.values())


ASKED = "{ __typename name called: name note number share colour words loud }"
DOCUMENTS = (
    '{ thing(row: "whole") { repeated again: repeated(times: 3, between: "-") none: repeated(times: 0) } }',
    '{ thing(row: "whole") { others(first: 2) { name others(first: 1) { loud ...X } } } } fragment X on Thing { note }',
    '{ thing(row: "whole") { repeated(times: "many") name } }',
    "{ things { name others(first: 1) { loud number } } }",
    '{ thing(row: "whole") { name either { __typename ... on Thing { name words } ... on Other { name } } } }',
    """query ($times: Int = 4, $with: Boolean = false) { thing(row: "whole") { repeated(times: $times)
        note @skip(if: $with) number @include(if: $with) ... @include(if: $with) { loud } } }""",
    '{ thing(row: "whole") { ... { name } name words loud } }',
    '{ thing(row: "whole") { name later } }',
)


def answers(executor: Any) -> list[Any]:
    one = strawberry.Schema(query=Query, types=[Other], execution_context_class=executor)
    one.process_errors = lambda *_: None  # type: ignore[method-assign]
    queries = [f'{{ thing(row: "{name}") {ASKED} }}' for name in ROWS]
    found = [one.execute_sync(query) for query in [*queries, f"{{ things {ASKED} }}", *DOCUMENTS[:-1]]]
    found += [one.execute_sync(DOCUMENTS[5], variable_values=given) for given in ({"with": True}, {"times": 1})]
    found.append(asyncio.run(one.execute(DOCUMENTS[-1])))
    return [(result.data, [error.formatted for error in result.errors or ()]) for result in found]


def test_whatever_a_row_holds_is_answered_as_by_graphqls_own_executor() -> None:
    assert answers(Executor) == answers(StrawberryGraphQLCoreExecutionContext)


@contextmanager
def resolved_by_graphqls_own() -> Iterator[list[str]]:
    """The names of the fields that GraphQL's own executor resolves meanwhile."""
    own = StrawberryGraphQLCoreExecutionContext.execute_field
    taken: list[str] = []

    def execute_field(self: Any, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
        taken.append(details[0].node.name.value)
        return own(self, parent_type, source, details, *rest)

    with mock.patch.object(StrawberryGraphQLCoreExecutionContext, "execute_field", execute_field):
        yield taken


@pytest.mark.parametrize(
    ("query", "left"),
    [
        (f'{{ thing(row: "whole") {ASKED} }}', ["thing"]),
        (DOCUMENTS[0], ["thing"]),
        (DOCUMENTS[1], ["thing"]),
        (DOCUMENTS[4], ["thing", "either"]),
        (DOCUMENTS[5], ["thing"]),
    ],
)
def test_all_below_the_root_is_compiled_but_what_is_unusual(query: str, left: list[str]) -> None:
    one = strawberry.Schema(query=Query, types=[Other], execution_context_class=Executor)
    with resolved_by_graphqls_own() as taken:
        assert one.execute_sync(query).errors is None
    assert taken == left


def test_a_mutation_whose_answer_fails_below_is_done_once() -> None:
    done = []

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        def do(self) -> Thing:
            done.append(1)
            return ROWS["an error when it is read"]

    one = strawberry.Schema(query=Query, mutation=Mutation, types=[Other], execution_context_class=Executor)
    one.process_errors = lambda *_: None  # type: ignore[method-assign]
    result = one.execute_sync("mutation { do { name number } }")
    assert [error.path for error in result.errors or ()] == [["do", "number"]]
    assert done == [1]


@pytest.mark.django_db
def test_a_page_of_the_product_is_compiled_whole() -> None:
    """Lists, their rows, what hangs on these and who may see it: whatever a frontend's pages consist of."""
    application = an_application()
    recruiter = Asker(application.opportunity.posting_organisation.memberships.get().user)
    with resolved_by_graphqls_own() as taken:
        recruiter.ask(
            """{ applications { totalCount pageInfo { endCursor } edges { cursor node { id status history { toState }
            verdict { outcome } candidate { id displayName email skills { skill { name } level } }
            opportunity { title seats { open } payBands { minimum } applications(first: 5) { totalCount } }
            } } } }"""
        )
    assert taken == ["applications"]
