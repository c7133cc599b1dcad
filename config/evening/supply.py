"""Candidates: registering, applying, answering invitations and offers."""

from __future__ import annotations

import random

from config.evening.cast import sign_up
from config.evening.client import Json, Market, Person, Refused
from config.evening.story import Story

NEWCOMERS = ("ayla", "bento", "chika", "dario", "edda", "farid")

SKILLS = """query Skills($search: String!) { skills(search: $search, first: 3) { nodes { id name } } }"""
RECOMMENDED = """query Recommended {
  recommendations(first: 6) { nodes { opportunity { id title viewerApplication { id } } fit { score } } }
}"""
OPEN = """query Open($after: String) {
  opportunities(filter: {states: [PUBLISHED]}, first: 50, after: $after) {
    nodes { id title } pageInfo { hasNextPage endCursor }
  }
}"""
WHY_NOT = """query WhyNot($opportunity: ID!) {
  opportunity(id: $opportunity) { title postingOrganisation { name } }
  eligibility(opportunity: $opportunity) {
    outcome reasons { sentence } questions { sentence } nearestChange { sentence }
  }
}"""
INVITATIONS = """query Mine { invitations(states: [SENT], first: 50) { nodes { id candidate { id } } } }"""
OFFERS = """query Offers { offers(states: [SENT], first: 50) { nodes { id kind state expiresAt } } }"""


def register(market: Market, story: Story, name: str, skills: list[str], seed: int) -> Person:
    """A newcomer signs up and says what they can do."""
    chance = random.Random(f"{seed} {name}")
    person = sign_up(market, name)
    answer = market.act(
        person,
        "registerCandidate",
        "... on Candidate { id displayName }",
        name=f"{name.title()} Newcomer",
        headline="New here, and ready to start",
        country="DE",
        region="DE-BE",
        timezone="Europe/Berlin",
        yearsExperience=chance.randint(1, 12),
        weeklyHours=chance.choice([20, 32, 40]),
        rate={"amount": str(chance.randint(16, 40)), "currency": "EUR", "period": "HOUR"},
        commitments=["FULL_TIME", "PART_TIME", "TEMPORARY"],
        openToOffers=True,
        skills=[
            {"skillId": skill, "level": chance.randint(2, 5), "years": chance.randint(1, 8)}
            for skill in chance.sample(skills, k=min(5, len(skills)))
        ],
        languages=[{"language": "de", "level": "C1"}, {"language": "en", "level": "B2"}],
        workAuthorisations=[{"country": "DE"}],
    )
    story.expect(answer, "registered")
    return person


def apply_somewhere(market: Market, story: Story, person: Person, open_ids: list[str], seed: int) -> None:
    """Apply to what is recommended, and now and then to what merely looks attractive."""
    chance = random.Random(f"{seed} {person.email}")
    recommended = market.ask(person, RECOMMENDED)["recommendations"]["nodes"]
    wanted = [m["opportunity"]["id"] for m in recommended if not m["opportunity"]["viewerApplication"]]
    wanted = wanted[: chance.randint(1, 3)]
    if chance.random() < 0.25 and open_ids:
        wanted.append(chance.choice(open_ids))
    for rank, opportunity in enumerate(dict.fromkeys(wanted), start=1):
        answer = market.act(
            person, "apply", "... on Application { reference }", opportunityId=opportunity, preferenceRank=rank
        )
        if isinstance(answer, Refused) and answer.code == "NOT_ELIGIBLE" and story.refusal is None:
            story.refusal = market.ask(person, WHY_NOT, opportunity=opportunity)
        story.expect(
            answer, "applied", "NOT_ELIGIBLE", "ANSWERS_NEEDED", "ALREADY_APPLIED", "ORGANISATION_BLOCKED",
            "NOT_CONSIDERED", "OPPORTUNITY_NOT_OPEN",
        )  # fmt: skip


def answer_invitations(market: Market, story: Story, person: Person, seed: int) -> None:
    chance = random.Random(f"{seed} invited {person.email}")
    for invitation in market.ask(person, INVITATIONS)["invitations"]["nodes"]:
        if chance.random() < 0.75:
            answer = market.act(
                person, "acceptInvitation", "... on Application { reference }", invitationId=invitation["id"]
            )
            story.expect(answer, "invitations_accepted", "NOT_ELIGIBLE", "ANSWERS_NEEDED", "ALREADY_APPLIED")
        else:
            answer = market.act(
                person, "declineInvitation", "... on Invitation { state }", invitationId=invitation["id"]
            )
            story.expect(answer, "invitations_declined")


def answer_offers(market: Market, story: Story, person: Person, seed: int, *, eager: bool = False) -> None:
    """Take an offer, turn it down, or think about it for too long. The `eager` take whatever comes."""
    chance = random.Random(f"{seed} offered {person.email}")
    for offer in market.ask(person, OFFERS)["offers"]["nodes"]:
        mood = 0.0 if eager else chance.random()
        if mood < 0.78:
            answer = market.act(
                person,
                "acceptOffer",
                "... on Offer { state placement { reference } waitlistEntry { priority } }",
                offerId=offer["id"],
                idempotencyKey=f"accept-{offer['id']}",
            )
            accepted = story.expect(
                answer, "answered", "HOURS_EXCEEDED", "OFFER_EXPIRED", "NOT_ELIGIBLE", "ILLEGAL_TRANSITION"
            )
            if accepted:
                story.count("accepted" if accepted["state"] == "ACCEPTED" else "overtaken")
        elif mood < 0.92:
            answer = market.act(
                person, "declineOffer", "... on Offer { state }", offerId=offer["id"], reason="Found something nearer"
            )
            story.expect(answer, "declined", "OFFER_EXPIRED", "ILLEGAL_TRANSITION")


def some_skills(market: Market, person: Person, *searches: str) -> list[str]:
    """Ids of skills that these words find."""
    found: list[Json] = []
    for search in searches:
        found += market.ask(person, SKILLS, search=search)["skills"]["nodes"]
    return list(dict.fromkeys(skill["id"] for skill in found))
