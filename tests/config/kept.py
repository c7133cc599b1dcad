"""A page that strangers explore, what it shows, and asking for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.table_states import begin_states
from accounts.core.actor import Actor
from accounts.queries.table_states import told_tables
from marketplace.actions.opportunities import update_opportunity
from marketplace.actions.terms import LeadInput, OpportunityFields, SkillTermInput
from marketplace.models import Application, Occupation, Opportunity, Skill, SkillLabel
from tests.config.graphql_client import Asker
from tests.marketplace.factories import (
    NOW,
    Recruiter,
    a_candidate,
    a_published_opportunity,
    a_skill,
    an_application,
    an_organisation,
    exchange_rates,
)
from tests.matching.staging import copy

PAGE = """
    query Explore($search: String, $filter: OpportunityFilter, $first: Int) {
        opportunities(search: $search, filter: $filter, first: $first) {
            totalCount pageInfo { hasNextPage endCursor }
            edges { snippets { field parts { text marked } } }
            nodes { ...Shown }
            facets {
                commitments { value count } arrangements { value count } countries { value count }
                skills { skill { name } count } organisations { organisation { name country } count }
            }
        }
        exchangeRates { on rates { currency perEuro } }
    }
    fragment Shown on Opportunity {
        id title description closesAt visibility
        postingOrganisation { name website } occupation { name } lead { name title }
        payBands { minimum maximum places } locations { country city } questions { prompt }
        skills { minLevel skill { name labels broader { name } } }
        seats { open held filled } currentRevision { number ruleText }
        applications { totalCount nodes { id } }
    }
"""
HIT = 1  # statements: that which tells the states of tables
SEARCH = {"search": "welder", "first": 5}


class Stranger(Asker):
    """Whoever has not logged in."""

    def __init__(self) -> None:
        super().__init__(None)

    def look(self, query: str = PAGE, **variables: Any) -> tuple[bytes, bool]:
        """The answer, and whether it had been kept."""
        with CaptureQueriesContext(connection) as captured:
            response = self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.content
        return response.content, len(captured) == HIT

    def fresh(self, settings: Settings, query: str = PAGE, **variables: Any) -> bytes:
        """What is answered where nothing is kept."""
        kept, settings.GRAPHQL_KEPT_SECONDS = settings.GRAPHQL_KEPT_SECONDS, 0
        try:
            return self.look(query, **variables)[0]
        finally:
            settings.GRAPHQL_KEPT_SECONDS = kept


@dataclass
class Scene:
    by: Recruiter
    welding: Skill
    opportunity: Opportunity

    def update(self, **fields: Any) -> None:
        update_opportunity(
            actor=self.by.actor, opportunity_id=self.opportunity.public_id, fields=OpportunityFields(**fields), now=NOW
        )

    def do(self, action: Callable[..., Any], *, actor: Actor | None = None, **more: Any) -> None:
        action(actor=actor or self.by.actor, opportunity_id=self.opportunity.public_id, now=NOW, **more)


def at_least(years: int) -> dict[str, Any]:
    return {"attribute": "years_experience", "op": "gte", "value": years}


def a_scene() -> Scene:
    by, welding = an_organisation(name="Harbour Works"), a_skill("welding")
    SkillLabel.objects.create(skill=welding, label="weld", folded="weld")
    opportunity = a_published_opportunity(
        by,
        title="Welder",
        seats=2,
        skills=[SkillTermInput(welding.public_id, True, 5, 3)],
        rule=at_least(5),
        occupation_id=Occupation.objects.create(name="Welder", folded="welder").public_id,
        lead=LeadInput(by.user.email, "Foreman"),
    )
    a_published_opportunity(by, title="Riveter")
    exchange_rates(now=timezone.now())
    with override_settings(ELASTICSEARCH_URL=""):
        copy()
    begin_states(told_tables())
    return Scene(by, welding, opportunity)


def applied(scene: Scene, **facts: Any) -> Application:
    return an_application(scene.opportunity, a_candidate(years_experience=Decimal(9), **facts))


def warmed(**variables: Any) -> Stranger:
    """Somebody for whom the page is kept by now."""
    stranger = Stranger()
    stranger.look(**variables)
    assert stranger.look(**variables)[1], "the page is not kept"
    return stranger
