"""The short way of plain fields gives what GraphQL's own executor gives, whatever a row holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any
from unittest import mock

import pytest
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from config.graphql_execution import Executor
from config.schema import schema


@strawberry.enum
class Colour(Enum):
    RED = "red"


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


def answers(executor: Any) -> list[Any]:
    one = strawberry.Schema(query=Query, execution_context_class=executor)
    one.process_errors = lambda *_: None  # type: ignore[method-assign]
    queries = [f'{{ thing(row: "{name}") {ASKED} }}' for name in ROWS]
    found = [one.execute_sync(query) for query in [*queries, f"{{ things {ASKED} }}"]]
    return [(result.data, [error.formatted for error in result.errors or ()]) for result in found]


def test_whatever_a_row_holds_is_answered_as_by_graphqls_own_executor() -> None:
    assert answers(Executor) == answers(StrawberryGraphQLCoreExecutionContext)


def test_attributes_take_the_short_way_and_resolvers_do_not() -> None:
    one = strawberry.Schema(query=Query, execution_context_class=Executor)
    own = StrawberryGraphQLCoreExecutionContext.execute_field
    taken = []

    def execute_field(self: Any, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
        taken.append(details[0].node.name.value)
        return own(self, parent_type, source, details, *rest)

    with mock.patch.object(StrawberryGraphQLCoreExecutionContext, "execute_field", execute_field):
        assert one.execute_sync(f'{{ thing(row: "whole") {ASKED} }}').errors is None
    assert taken == ["thing", "__typename", "words", "loud"]


@pytest.mark.parametrize(("kind", "name"), [("Contribution", "sentence"), ("Match", "outcome"), ("Score", "score")])
def test_the_fields_that_pages_of_matches_consist_of_are_plain(kind: str, name: str) -> None:
    executor = Executor.__new__(Executor)
    executor.schema, executor.middleware_manager = schema._schema, None
    assert executor._as_plain(schema._schema.type_map[kind], name) is not None
