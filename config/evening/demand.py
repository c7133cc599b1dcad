"""Recruiters: publishing, inviting, sorting applications, open calls, starting people."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from config.evening.client import Json, Market, Person, Refused, at_once
from config.evening.story import Story

Tick = Callable[[], object]

DRAFTS = """query Drafts($organisation: ID, $after: String) {
  opportunities(filter: {states: [DRAFT], mine: true, organisationId: $organisation}, first: 50, after: $after) {
    nodes { id title } pageInfo { hasNextPage endCursor }
  }
}"""
OURS = """query Ours($after: String) {
  opportunities(filter: {states: [PUBLISHED], mine: true}, first: 50, after: $after) {
    nodes { id title weeklyHours seats { wanted open held filled } payBands { minimum maximum currency period places } }
    pageInfo { hasNextPage endCursor }
  }
}"""
MATCHES = """query Matches($opportunity: ID!) {
  matches(opportunity: $opportunity, first: 12) {
    totalCount nodes { candidate { id } fit { score } verdict { outcome } }
  }
}"""
APPLICATIONS = """query Pipeline($opportunity: ID!, $after: String) {
  applications(opportunity: $opportunity, statuses: [ACTIVE], first: 50, after: $after) {
    nodes { id stage candidate { id displayName } liveOffer { id } } pageInfo { hasNextPage endCursor }
  }
}"""
PLACEMENTS = """query Placements($after: String) {
  placements(states: [ONBOARDING], first: 50, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}"""


def all_nodes(market: Market, person: Person, document: str, field: str, **variables: object) -> list[Json]:
    """Every node of a connection, page by page."""
    nodes: list[Json] = []
    after = None
    while True:
        page = market.ask(person, document, **variables, after=after)[field]
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


def drafts_of(market: Market, recruiter: Person) -> list[Json]:
    return all_nodes(market, recruiter, DRAFTS, "opportunities")


def ours(market: Market, recruiter: Person) -> list[Json]:
    return all_nodes(market, recruiter, OURS, "opportunities")


def publish(market: Market, story: Story, recruiter: Person, draft: Json) -> None:
    """Publish a draft. An imported advert lacks what it did not say: its recruiter fills that in first."""
    answer = market.act(recruiter, "publishOpportunity", "... on Opportunity { id }", opportunityId=draft["id"])
    if isinstance(answer, Refused) and answer.code == "OPPORTUNITY_INCOMPLETE":
        story.count("opportunity_incomplete")
        missing = {
            "commitment": "FULL_TIME",
            "arrangement": "REMOTE",
            "weeklyHours": 40,
            "description": draft["title"],
            "payBands": [{"minimum": "50000", "maximum": "80000", "currency": "EUR", "period": "YEAR", "places": []}],
        }
        given = {name: value for name, value in missing.items() if name in answer.data["missing"]}
        filled_in = market.act(
            recruiter, "updateOpportunity", "... on Opportunity { id }", opportunityId=draft["id"], **given
        )
        story.expect(filled_in, "completed")
        if "seats" in answer.data["missing"]:
            seats = market.act(
                recruiter, "changeSeats", "... on Opportunity { id }", opportunityId=draft["id"], seats=2
            )
            story.expect(seats, "seated")
        answer = market.act(recruiter, "publishOpportunity", "... on Opportunity { id }", opportunityId=draft["id"])
    story.expect(answer, "published")


def draft_another(market: Market, story: Story, recruiter: Person, organisation: str, skills: list[str]) -> None:
    """Demand does not stop with what was loaded: every evening somebody writes a new opportunity."""
    answer = market.act(
        recruiter,
        "draftOpportunity",
        "... on Opportunity { id title }",
        organisationId=organisation,
        title=f"Helping hands of {datetime.now(UTC):%d %B}",
        description="We need people who can start soon and learn quickly.",
        commitment="PART_TIME",
        arrangement="REMOTE",
        weeklyHours=16,
        seats=2,
        payBands=[{"minimum": "18", "maximum": "32", "currency": "EUR", "period": "HOUR", "places": []}],
        skills=[{"skillId": skill, "required": place == 0, "weight": 3 - place} for place, skill in enumerate(skills)],
    )
    draft = story.expect(answer, "drafted")
    if draft:
        publish(market, story, recruiter, draft)


def invite_best(market: Market, story: Story, recruiter: Person, opportunity: Json, how_many: int) -> None:
    """Ask those who suit best and have not applied."""
    known = {a["candidate"]["id"] for a in all_nodes(market, recruiter, APPLICATIONS, "applications",
                                                     opportunity=opportunity["id"])}  # fmt: skip
    matches = market.ask(recruiter, MATCHES, opportunity=opportunity["id"])["matches"]["nodes"]
    suited = [m for m in matches if m["candidate"]["id"] not in known and m["verdict"]["outcome"] == "ELIGIBLE"]
    for match in suited[:how_many]:
        answer = market.act(
            recruiter,
            "inviteCandidate",
            "... on Invitation { id }",
            opportunityId=opportunity["id"],
            candidateId=match["candidate"]["id"],
            message="You look like just the person for this.",
        )
        story.expect(answer, "invited", "ALREADY_INVITED", "ALREADY_APPLIED")


def sort_applications(market: Market, story: Story, recruiter: Person, opportunity: Json, seed: int) -> None:
    """Look through the pipeline: most go on, the odd one is turned down."""
    chance = random.Random(f"{seed} {opportunity['id']}")
    for application in all_nodes(market, recruiter, APPLICATIONS, "applications", opportunity=opportunity["id"]):
        if application["stage"] != "applied":
            continue
        if chance.random() < 0.06:
            answer = market.act(
                recruiter,
                "rejectApplication",
                "... on Application { id }",
                applicationId=application["id"],
                reason="EXPERIENCE",
                note="Strong, but not for this.",
            )
            story.expect(answer, "rejected")
        else:
            stage = chance.choice(["review", "shortlist"])
            answer = market.act(
                recruiter,
                "moveApplication",
                "... on Application { stage }",
                applicationId=application["id"],
                stage=stage,
            )
            story.expect(answer, "moved")


def open_call(market: Market, story: Story, recruiter: Person, opportunity: Json) -> list[str]:
    """Offer to more people than there are seats: first come, first served. The ids of the offers."""
    pipeline = all_nodes(market, recruiter, APPLICATIONS, "applications", opportunity=opportunity["id"])
    sent = []
    for application in [a for a in pipeline if not a["liveOffer"]][: 3 * opportunity["seats"]["open"]]:
        answer = market.act(
            recruiter,
            "sendOffer",
            "... on Offer { id }",
            applicationId=application["id"],
            kind="OPEN_CALL",
            pay=pay_in(opportunity),
        )
        if offer := story.expect(answer, "open_call_offers", "NOT_ELIGIBLE"):
            sent.append(offer["id"])
    return sent


def offer_briefly(market: Market, story: Story, recruiter: Person, opportunity: Json, seconds: float) -> None:
    """An offer that nobody will answer in time: the timer takes its seat back."""
    pipeline = all_nodes(market, recruiter, APPLICATIONS, "applications", opportunity=opportunity["id"])
    for application in [a for a in pipeline if not a["liveOffer"]][:1]:
        answer = market.act(
            recruiter,
            "sendOffer",
            "... on Offer { id }",
            applicationId=application["id"],
            pay=pay_in(opportunity),
            expiresAt=(datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(),
        )
        story.expect(answer, "brief_offers", "NOT_ELIGIBLE", "SEATS_FILLED")


def pay_in(opportunity: Json) -> Json:
    """The middle of the first band, or its edge where the middle is no round number."""
    band = opportunity["payBands"][0]
    return {"amount": band["minimum"], "currency": band["currency"], "period": band["period"]}


def start_people(market: Market, story: Story, recruiter: Person, seed: int, tick: Tick) -> None:
    """Most turn up, one in twenty-five does not: that seat is wanted again."""
    chance = random.Random(f"{seed} {recruiter.email}")

    def start(placement: Json) -> None:
        turned_up = chance.random() >= 0.04
        mutation = "startPlacement" if turned_up else "reportNoShow"
        answer = market.act(recruiter, mutation, "... on Placement { state }", placementId=placement["id"])
        story.expect(answer, "started" if turned_up else "no_shows")

    at_once(start, all_nodes(market, recruiter, PLACEMENTS, "placements"), tick)


def wait(what: Callable[[], bool], *, seconds: float, tick: Tick) -> bool:
    """Look again every half second until it is so, or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        tick()
        time.sleep(0.5)
    return what()
