"""Writes over HTTP: what is done, what is refused, and that a refusal writes nothing."""

from __future__ import annotations

import base64
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Event, Organisation, Transition
from marketplace.actions.offers import send_offer
from marketplace.core.money import Pay
from marketplace.models import (
    Application,
    Candidate,
    Offer,
    Opportunity,
    OpportunityRevision,
    Placement,
    Seat,
)
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_user,
    an_application,
    an_invitation,
    an_organisation,
    everything,
)

pytestmark = pytest.mark.django_db

TABLES = [
    Application,
    Candidate,
    Event,
    Offer,
    Opportunity,
    OpportunityRevision,
    Organisation,
    Placement,
    Seat,
    Transition,
]
BAND = {"minimum": "20", "maximum": "30.50", "currency": "EUR", "period": "HOUR", "places": []}
COMPLETE = {
    "title": "Welder 🔥",
    "description": "Weld frames.",
    "commitment": "FULL_TIME",
    "arrangement": "ONSITE",
    "weeklyHours": 40,
    "seats": 2,
    "payBands": [BAND],
}


def an_id(kind: str) -> str:
    return base64.b64encode(f"{kind}:{uuid4()}".encode()).decode()


def test_an_opportunity_from_draft_to_a_started_placement() -> None:
    owner = an_organisation(now=timezone.now())
    skill = a_skill("welding")
    recruiter, person = Asker(owner.user), a_user()
    draft = recruiter.do(
        "draftOpportunity",
        {**COMPLETE, "organisationId": global_id(owner.organisation), "skills": [{"skillId": global_id(skill)}]},
        "id title seats { wanted } payBands { maximum } skills { skill { name } required }",
        thing="Opportunity",
    )
    assert draft["title"] == "Welder 🔥"
    assert draft["seats"] == {"wanted": 2}
    assert draft["payBands"] == [{"maximum": "30.5"}]
    rule = {"all": [{"skill": {"skillId": global_id(skill), "minLevel": 2}}]}
    changed = recruiter.do(
        "setEligibilityRule",
        {"opportunityId": draft["id"], "rule": rule},
        "currentRevision { rule ruleText }",
        thing="Opportunity",
    )
    assert changed["__typename"] == "Opportunity"
    published = recruiter.do(
        "publishOpportunity",
        {"opportunityId": draft["id"]},
        "state currentRevision { rule ruleText }",
        thing="Opportunity",
    )
    assert published["state"] == "PUBLISHED"
    shown = published["currentRevision"]
    assert shown["ruleText"] == "welding at level 2"
    assert global_id(skill) in str(shown["rule"])

    candidate = Asker(person)
    registered = candidate.do(
        "registerCandidate",
        {
            "headline": "Welder",
            "weeklyHours": 40,
            "rate": {"amount": "25", "currency": "EUR", "period": "HOUR"},
            "skills": [{"skillId": global_id(skill), "level": 1}],
            "languages": [{"language": "de", "level": "B2"}],
        },
        "id name rate { amount } skills { level } languages { level }",
        thing="Candidate",
    )
    assert registered["name"] == person.name
    assert registered["languages"] == [{"level": "B2"}]
    refused = candidate.do("apply", {"opportunityId": draft["id"]})
    assert refused["code"] == "NOT_ELIGIBLE"
    verdict = candidate.ask(
        """query ($id: ID!) { eligibility(opportunity: $id) { outcome reasons { sentence kind skill { name } }
        nearestChange { sentence settles changes { subject } } } }""",
        id=draft["id"],
    )["eligibility"]
    assert verdict["outcome"] == "INELIGIBLE"
    assert verdict["reasons"][0]["sentence"] == "welding is needed at level 2, not 1."
    assert verdict["nearestChange"]["settles"] is True
    candidate.do("updateCandidate", {"skills": [{"skillId": global_id(skill), "level": 4}]})
    applied = candidate.do(
        "apply", {"opportunityId": draft["id"]}, "id stage status verdict { outcome }", thing="Application"
    )
    assert (applied["status"], applied["stage"], applied["verdict"]) == ("ACTIVE", "applied", {"outcome": "ELIGIBLE"})
    moved = recruiter.do(
        "moveApplication", {"applicationId": applied["id"], "stage": "review"}, "stage", thing="Application"
    )
    assert moved["stage"] == "review"
    offer = recruiter.do(
        "sendOffer",
        {"applicationId": applied["id"], "pay": {"amount": "26", "currency": "EUR", "period": "HOUR"}},
        "id state kind opportunity { seats { open held } }",
        thing="Offer",
    )
    assert offer["opportunity"]["seats"] == {"open": 1, "held": 1}
    accepted = candidate.do(
        "acceptOffer", {"offerId": offer["id"]}, "state placement { id state weeklyHours }", thing="Offer"
    )
    assert accepted["state"] == "ACCEPTED"
    placement = accepted["placement"]
    assert (placement["state"], placement["weeklyHours"]) == ("ONBOARDING", 40)
    started = recruiter.do("startPlacement", {"placementId": placement["id"]}, "state", thing="Placement")
    assert started["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"payBands": [BAND | {"currency": "XQX"}]}, "payBands"),
        ({"payBands": [BAND | {"minimum": "40"}]}, "payBands"),
        ({"seats": -1}, "seats"),
        ({"title": "x" * 1_000_000}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "   "}, "title"),
        ({"weeklyHours": 200}, "weeklyHours"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"locations": [{"kind": "ALLOWED", "country": "ZZ"}]}, "locations"),
        ({"skills": [{"skillId": "nonsense"}]}, "skills"),
        ({"skills": [{"skillId": an_id("Skill")}]}, "skill"),
        ({"occupationId": an_id("Skill")}, "occupationId"),
    ],
)
def test_input_that_cannot_be_used_is_refused_with_nothing_written(change: dict[str, Any], field: str) -> None:
    owner = an_organisation()
    before = everything(TABLES)
    answer = Asker(owner.user).do(
        "draftOpportunity", {**COMPLETE, "organisationId": global_id(owner.organisation), **change}
    )
    assert answer["__typename"] == "DraftOpportunityRefused"
    assert answer["code"] in {"INVALID_INPUT", "NOT_FOUND"}
    if answer["code"] == "INVALID_INPUT":
        assert answer["field"].startswith(field)
        assert len(answer["message"]) < 500
    assert everything(TABLES) == before


def test_an_incomplete_draft_says_what_is_missing() -> None:
    owner = an_organisation()
    draft = a_draft(owner, description=None, pay_bands=[], now=timezone.now())
    answer = Asker(owner.user).do("publishOpportunity", {"opportunityId": global_id(draft)})
    assert answer["code"] == "OPPORTUNITY_INCOMPLETE"
    assert len(answer["data"]["missing"]) == 2


@pytest.mark.parametrize("kind", ["Opportunity", "Candidate", "Nothing"])
def test_an_id_of_another_kind_is_refused(kind: str) -> None:
    answer = Asker(a_user()).do("acceptOffer", {"offerId": an_id(kind)})
    assert (answer["code"], answer["field"]) == ("INVALID_INPUT", "offerId")
    assert answer["message"] == "offerId: is not the id of an Offer"


def test_others_ids_look_like_ids_of_nothing() -> None:
    application = an_application(now=timezone.now())
    stranger = Asker(a_candidate(now=timezone.now()))
    rival = Asker(an_organisation().user)
    before = everything(TABLES)
    for asker, mutation in ((stranger, "withdrawApplication"), (rival, "reconsiderApplication")):
        theirs = asker.do(mutation, {"applicationId": global_id(application)})
        nothing = asker.do(mutation, {"applicationId": an_id("Application")})
        assert theirs == nothing
        assert theirs["code"] == "NOT_FOUND"
    assert everything(TABLES) == before


def test_observers_read_and_do_not_write() -> None:
    opportunity = a_published_opportunity(owner := an_organisation(), now=timezone.now())
    observer = Asker(a_recruiter(owner, role="observer").user)
    answer = observer.do("closeOpportunity", {"opportunityId": global_id(opportunity)})
    assert answer["code"] == "NOT_PERMITTED"


def test_nobody_is_told_to_log_in() -> None:
    opportunity = a_published_opportunity(now=timezone.now())
    assert Asker().do("apply", {"opportunityId": global_id(opportunity)})["code"] == "LOGIN_REQUIRED"


def test_applying_twice_and_applying_when_closed() -> None:
    application = an_application(now=timezone.now())
    person = Asker(application.candidate)
    again = person.do("apply", {"opportunityId": global_id(application.opportunity)})
    assert again["code"] == "ALREADY_APPLIED"
    owner = application.opportunity.posting_organisation.memberships.get().user
    Asker(owner).do("closeOpportunity", {"opportunityId": global_id(application.opportunity)})
    late = Asker(a_candidate()).do("apply", {"opportunityId": global_id(application.opportunity)})
    assert late["code"] in {"NOT_FOUND", "OPPORTUNITY_NOT_OPEN"}


def test_an_expired_offer_cannot_be_accepted() -> None:
    then = timezone.now() - timedelta(days=5)
    application = an_application(now=then)
    membership = application.opportunity.posting_organisation.memberships.get()
    from tests.marketplace.factories import actor_of

    offer = send_offer(
        actor=actor_of(membership.user),
        application_id=application.public_id,
        pay=Pay(Decimal(25), "EUR", "hour"),
        now=then,
    )
    before = everything(TABLES)
    answer = Asker(application.candidate).do("acceptOffer", {"offerId": global_id(offer)})
    assert answer["code"] == "OFFER_EXPIRED"
    assert everything(TABLES) == before


def test_an_invitation_is_accepted_into_an_application() -> None:
    invitation = an_invitation(now=timezone.now())
    answer = Asker(invitation.candidate).do(
        "acceptInvitation", {"invitationId": global_id(invitation)}, "source", thing="Application"
    )
    assert answer["source"] == "INVITATION"
    again = Asker(invitation.candidate).do("declineInvitation", {"invitationId": global_id(invitation)})
    assert again["code"] == "ILLEGAL_TRANSITION"


def test_rejections_are_all_or_none_and_keep_the_note_inside() -> None:
    owner = an_organisation()
    opportunity = a_published_opportunity(owner, now=timezone.now())
    first, second = (an_application(opportunity, now=timezone.now()) for _ in range(2))
    other = an_application(now=timezone.now())
    recruiter = Asker(owner.user)
    mixed = recruiter.do(
        "rejectApplications", {"applicationIds": [global_id(first), global_id(other)], "reason": "PAY"}
    )
    assert mixed["code"] == "NOT_FOUND"
    assert set(Application.objects.values_list("status", flat=True)) == {"active"}
    done = recruiter.do(
        "rejectApplications",
        {"applicationIds": [global_id(first), global_id(second)], "reason": "PAY", "note": "too dear"},
        "applications { status rejectionReason rejectionNote }",
        thing="RejectedApplications",
    )
    assert done["applications"] == [{"status": "REJECTED", "rejectionReason": "PAY", "rejectionNote": "too dear"}] * 2
    seen = Asker(first.candidate).ask(
        "{ applications { nodes { status rejectionReason rejectionNote history { at } } } }"
    )
    assert seen["applications"]["nodes"] == [
        {"status": "REJECTED", "rejectionReason": "PAY", "rejectionNote": None, "history": None}
    ]


@pytest.mark.parametrize(
    "rule",
    [
        {"all": []},
        {"attribute": {"name": "religion", "op": "EQ", "value": "x"}},
        {"attribute": {"name": "weekly_hours", "op": "GTE", "value": "many"}},
        {"skill": {"skillId": an_id("Skill")}},
        {"attribute": {"name": "groups", "op": "EQ", "value": an_id("CandidateGroup")}},
        {"atLeast": {"n": 3, "of": [{"workAuthorisation": {"country": "DE"}}]}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any]) -> None:
    owner = an_organisation()
    draft = a_draft(owner, now=timezone.now())
    answer = Asker(owner.user).do("setEligibilityRule", {"opportunityId": global_id(draft), "rule": rule})
    assert answer["code"] in {"RULE_REFUSED", "INVALID_INPUT"}


def test_a_rule_has_exactly_one_field_at_each_node() -> None:
    owner = an_organisation()
    draft = a_draft(owner, now=timezone.now())
    rule = {"all": [], "any": []}
    query = "mutation ($input: SetEligibilityRuleInput!) { setEligibilityRule(input: $input) { __typename } }"
    answer = Asker(owner.user).answer(query, input={"opportunityId": global_id(draft), "rule": rule})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
