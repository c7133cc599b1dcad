"""Every list takes the same number of SQL statements for one row and for six."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line
from accounts.models import Event
from marketplace.actions.candidates import (
    AuthorisationInput,
    ExperienceInput,
    LanguageInput,
    SkillInput,
)
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import LocationInput, QuestionInput, SkillTermInput
from marketplace.core.money import Pay
from marketplace.models import CandidateGroup, Notification, Skill, SkillLabel
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
)

pytestmark = pytest.mark.django_db

CANDIDATE = """
    id displayName name email phone linkedin resumeText headline rate { amount currency period } contactsOpen
    skills { skill { name labels broader { name } } level years source } languages { language level }
    workAuthorisations { country expiresOn } experiences { title occupation { name } } commitments
    applications(first: 3) { totalCount nodes { reference } }
"""
OPPORTUNITY = """
    id reference title state postingOrganisation { name viewerRole }
    hiringOrganisation { name members { user { email } } }
    payBands { minimum maximum places } locations { kind country } skills { skill { name } required minLevel }
    questions { key kind } seats { wanted open held filled } seatList { number state } lead { name }
    currentRevision { number rule ruleText } history { fromState toState actor { email } } waivers { reason }
    viewerApplication { status } applications(first: 5) { totalCount nodes { id candidate { displayName } } }
    invitations { totalCount } offers { nodes { state } } placements { nodes { state } }
"""
VERDICT = "verdict { outcome reasons { sentence skill { name } } questions { sentence } nearestChange { sentence } }"


def _candidate(skill: Skill) -> Any:
    return a_candidate(
        now=timezone.now(),
        headline="Welder",
        phone="+49 30 1",
        resume_text="I weld.",
        country="DE",
        rate=Pay(Decimal(30), "EUR", "hour"),
        skills=[SkillInput(skill.public_id, 3)],
        languages=[LanguageInput("de", 4)],
        work_authorisations=[AuthorisationInput("DE")],
        experiences=[ExperienceInput(title="Welder", starts_on=date(2020, 1, 1))],
    )


class Market:
    """Rows of every kind around one recruiter, in any number."""

    def __init__(self) -> None:
        self.by: Recruiter = an_organisation(now=timezone.now())
        self.skill = a_skill()

    def opportunity(self) -> Any:
        return a_published_opportunity(
            self.by,
            now=timezone.now(),
            rule={"skill": self.skill.pk, "minLevel": 2},
            skills=[SkillTermInput(self.skill.public_id)],
            locations=[LocationInput("allowed", "DE")],
            questions=[QuestionInput(key="why", prompt="Why?", required=False)],
        )

    def candidate(self) -> Any:
        return _candidate(self.skill)

    def application(self) -> Any:
        return an_application(self.opportunity(), self.candidate(), now=timezone.now())

    def invitation(self) -> Any:
        return an_invitation(self.opportunity(), self.candidate(), now=timezone.now())

    def offer(self) -> Any:
        application = self.application()
        return send_offer(
            actor=self.by.actor,
            application_id=application.public_id,
            pay=Pay(Decimal(25), "EUR", "hour"),
            now=timezone.now(),
        )

    def placement(self) -> Any:
        offer = self.offer()
        return accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=timezone.now())

    def group(self) -> Any:
        return CandidateGroup.objects.create(
            organisation=self.by.organisation, name=f"list {CandidateGroup.objects.count()}"
        )

    def notification(self) -> Any:
        from accounts.actions.events import append

        event: Event = append(
            self.by.organisation,
            "OrganisationCreated",
            actor=Actor.system(),
            by=ActorKind.SYSTEM,
            now=timezone.now(),
        )
        return Notification.objects.create(
            user=self.by.user,
            event=event,
            kind=event.name,
            subject_type="organisation",
            subject_id=1,
            text=clean_line("Hello", field="text", max_length=300),
            created_at=timezone.now(),
            mail_due_at=timezone.now(),
        )

    def organisation(self) -> Any:
        from accounts.models import Membership

        other = an_organisation(now=timezone.now())
        return Membership.objects.create(user=self.by.user, organisation=other.organisation, role="observer")

    def skill_row(self) -> Any:
        skill = a_skill(kind="skill")
        SkillLabel.objects.create(skill=skill, label=f"label {skill.pk}", folded=f"label {skill.pk}")
        return skill


LISTS: dict[str, tuple[Callable[[Market], Any], str]] = {
    "opportunities": (
        Market.opportunity,
        f"{{ opportunities(first: 50) {{ totalCount edges {{ cursor node {{ {OPPORTUNITY} }} }}"
        " facets { commitments { value count } arrangements { value count } countries { value count }"
        " skills { skill { name } count } } } }",
    ),
    "candidates": (Market.candidate, f"{{ candidates(first: 50) {{ totalCount nodes {{ {CANDIDATE} }} }} }}"),
    "applications": (
        Market.application,
        f"{{ applications(first: 50) {{ totalCount nodes {{ id stage answers rejectionNote {VERDICT}"
        " history { action } revision { number rule ruleText } offers { state } liveOffer { state }"
        f" candidate {{ {CANDIDATE} }} opportunity {{ title seats {{ open }} }} }} }} }}",
    ),
    "invitations": (
        Market.invitation,
        "{ invitations(first: 50) { totalCount nodes { id state invitedBy { email } application { id }"
        " candidate { displayName name } opportunity { title } } } }",
    ),
    "offers": (
        Market.offer,
        "{ offers(first: 50) { totalCount nodes { id reference pay { amount } sentBy { email } history { action }"
        " placement { id } waitlistEntry { since } application { stage } candidate { name }"
        " opportunity { title } } } }",
    ),
    "placements": (
        Market.placement,
        "{ placements(first: 50) { totalCount nodes { id terms { pay { amount } weeklyHours } history { action }"
        " offer { reference application { stage candidate { email } } } candidate { name } opportunity { title } } } }",
    ),
    "notifications": (Market.notification, "{ notifications(first: 50) { totalCount nodes { id kind text } } }"),
    "candidateGroups": (
        Market.group,
        "{ candidateGroups(first: 50) { totalCount nodes { id name organisation { name } } } }",
    ),
    "organisations": (
        Market.organisation,
        "{ organisations(first: 50) { totalCount nodes { id viewerRole members { role user { email } } } }"
        " viewer { memberships { role organisation { name } } } }",
    ),
    "skills": (
        Market.skill_row,
        '{ skills(search: "skill", first: 50) { totalCount nodes {'
        " name labels broader { name } mergedInto { id } } } }",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_statements_for_six_rows_as_for_one(name: str) -> None:
    make, query = LISTS[name]
    market = Market()
    asker = Asker(market.by.user)
    make(market)
    asker.ask(query)
    one = asker.statements(query)
    for _ in range(5):
        make(market)
    rows = asker.ask(query)[name]
    assert len(rows.get("nodes") or rows["edges"]) >= 6
    assert asker.statements(query) == one


def test_nested_lists_end_where_they_are_told_to_and_go_on_after() -> None:
    market = Market()
    opportunities = [market.opportunity() for _ in range(2)]
    for opportunity in opportunities:
        for _ in range(3):
            an_application(opportunity, market.candidate(), now=timezone.now())
    asker = Asker(market.by.user)
    query = """query ($after: String) { opportunities { nodes { applications(first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id } } } } }"""
    pages = [node["applications"] for node in asker.ask(query)["opportunities"]["nodes"]]
    assert [(page["totalCount"], len(page["nodes"]), page["pageInfo"]["hasNextPage"]) for page in pages] == [
        (3, 2, True),
        (3, 2, True),
    ]
    query = """query ($id: ID!, $after: String) { opportunity(id: $id) { applications(first: 2, after: $after) {
        pageInfo { hasNextPage } nodes { id } } } }"""
    first = asker.ask(
        """query ($id: ID!) { opportunity(id: $id) { applications(first: 2) {
            pageInfo { endCursor } nodes { id } } } }""",
        id=global_id(opportunities[0]),
    )["opportunity"]["applications"]
    rest = asker.ask(query, id=global_id(opportunities[0]), after=first["pageInfo"]["endCursor"])
    [last] = rest["opportunity"]["applications"]["nodes"]
    assert last not in first["nodes"]
    assert rest["opportunity"]["applications"]["pageInfo"]["hasNextPage"] is False
