"""Rows are read with the columns that an operation asks for, and whoever reads others still gets them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql import parse

from config.graphql_columns import columns_read
from config.schema import schema
from marketplace.models import Application, Candidate, Opportunity
from tests.config.graphql_client import Asker
from tests.marketplace.factories import a_candidate, a_published_opportunity, an_application, an_organisation
from tests.matching.staging import copy

PAGE = "{ opportunities(first: 5) { nodes { title applications(first: 2) { nodes { %s } } } } }"


FRAGMENT = "fragment F on Application { stage candidate { phone } }"


@pytest.mark.parametrize(
    ("selection", "of_applications", "of_candidates"),
    [
        ("reference", {"reference"}, "unread"),
        ("r: reference s: reference status", {"reference", "status"}, "unread"),
        ("id __typename candidate { name headline }", {"public_id"}, {"name", "headline"}),
        ("reference ...F", {"reference", "stage"}, {"phone"}),
        ("... on Application { stage } ... on Node { id }", {"stage"}, "unread"),
        ("reference @include(if: false) stage @skip(if: true)", {"reference", "stage"}, "unread"),
        ("reference offers { state }", None, "unread"),  # its resolver does not say what it needs
        (
            "candidate { name } opportunity { applications { nodes { candidate { country } } } }",
            set(),
            {"name", "country"},
        ),
        ("candidate { displayName }", set(), None),
    ],
)
def test_what_an_operation_reads(selection: str, of_applications: set[str] | None, of_candidates: object) -> None:
    document = PAGE % selection + (FRAGMENT if "...F" in selection else "")
    found = columns_read(schema._schema, parse(document))
    assert found[Opportunity] == {"title"}
    assert found[Application] == of_applications
    assert found.get(Candidate, "unread") == of_candidates


@pytest.mark.django_db
def test_columns_that_nobody_asks_for_are_not_read() -> None:
    now = timezone.now()
    by = an_organisation(now=now)
    an_application(a_published_opportunity(by, title="Welder", now=now), a_candidate(now=now, name="Ada"))
    copy(now)
    with CaptureQueriesContext(connection) as statements:
        answer = Asker(by.user).ask(PAGE % "reference candidate { name }")
    (node,) = answer["opportunities"]["nodes"]
    (application,) = node["applications"]["nodes"]
    assert application["candidate"] == {"name": "Ada"}
    told = " ".join(one["sql"] for one in statements.captured_queries)
    assert '"marketplace_candidate"."name"' in told
    for column in ("resume_text", "rate_amount", "verdict", "answers"):
        assert f'"{column}"' not in told


@pytest.mark.django_db
def test_what_another_type_reads_of_a_row_is_there() -> None:
    """An application's note is for the inside of its opportunity's organisation, though of the opportunity the
    operation names the title alone; an e-mail address may be the user's, of whom it names nothing."""
    now = timezone.now()
    by = an_organisation(now=now)
    people = [a_candidate(now=now, name=f"Person {n}") for n in range(3)]
    for person in people:
        an_application(a_published_opportunity(by, now=now), person)
    asked = "rejectionNote answers history { toState } candidate { email displayName } opportunity { title }"
    counts = []
    for size in (1, 3):
        with CaptureQueriesContext(connection) as statements:
            answer = Asker(by.user).ask((PAGE % asked).replace("first: 5", f"first: {size}"))
        counts.append(len(statements))
    emails = [
        one["candidate"]["email"] for node in answer["opportunities"]["nodes"] for one in node["applications"]["nodes"]
    ]
    assert emails == [person.user.email for person in reversed(people)]
    assert counts[0] == counts[1]
