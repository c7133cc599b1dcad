"""The database states the invariants: whatever goes past the actions is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, models, transaction
from django.db.models import F

from accounts.models import Delivery, Event, Membership, Organisation, Transition
from marketplace import models as market
from marketplace.actions.offers import accept_offer
from marketplace.models import Offer, Placement, Seat
from tests.marketplace.factories import (
    HOUR,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
    exchange_rates,
)
from tests.marketplace.test_offers import an_offer

pytestmark = pytest.mark.django_db


def refused(change: Callable[[], object]) -> str:
    """The name of the constraint that a change meets, or the words of the trigger."""
    try:
        with transaction.atomic():
            change()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    except ProgrammingError as error:
        return str(error)
    return ""


CANDIDATE: list[tuple[str, dict[str, Any]]] = [
    ("candidate_has_a_name", {"name": ""}),
    ("candidate_years_are_plausible", {"years_experience": 81}),
    ("candidate_hours_fit_a_week", {"weekly_hours": 169}),
    ("candidate_rate_is_whole_or_absent", {"rate_currency": "EUR", "rate_period": "hour"}),
    ("candidate_rate_is_whole_or_absent", {"rate_amount": 20, "rate_currency": "EUR", "rate_period": "moon"}),
    ("candidate_rate_is_whole_or_absent", {"rate_amount": -1, "rate_currency": "EUR", "rate_period": "hour"}),
    ("candidate_country_is_a_code", {"country": "de"}),
    ("candidate_region_is_a_code", {"region": "BY"}),
    ("candidate_commitments_are_known", {"commitments": ["forever"]}),
    ("candidate_working_hours_fit_a_day", {"work_ends_minute": 1441}),
    ("candidate_coordinates_are_on_earth", {"latitude": 91, "longitude": 0}),
    ("candidate_coordinates_are_on_earth", {"latitude": 48}),
    ("candidate_is_not_merged_into_itself", {"merged_into": F("pk")}),
]


@pytest.mark.parametrize(("name", "change"), CANDIDATE)
def test_candidate_keeps_to_what_is_known(name, change):
    candidate = market.Candidate.objects.filter(pk=a_candidate().pk)
    assert refused(lambda: candidate.update(**change)) == name


OPPORTUNITY: list[tuple[str, dict[str, Any]]] = [
    ("opportunity_has_a_title", {"title": ""}),
    ("opportunity_state_is_known", {"state": "lost"}),
    ("opportunity_closes_after_it_opens", {"opens_at": NOW, "closes_at": NOW}),
    ("opportunity_ends_after_it_starts", {"starts_on": NOW.date(), "ends_on": NOW.date() - timedelta(days=1)}),
    ("opportunity_hours_fit_a_week", {"weekly_hours": 0}),
    ("published_opportunity_has_a_revision", {"current_revision": None}),
    ("opportunity_commitment_is_known", {"commitment": "forever"}),
    ("opportunity_arrangement_is_known", {"arrangement": "moon"}),
    ("opportunity_visibility_is_known", {"visibility": "secret"}),
    ("referral_reward_is_whole_or_absent", {"referral_reward_currency": "EUR"}),
    ("referral_reward_is_whole_or_absent", {"referral_reward_amount": 5}),
]


@pytest.mark.parametrize(("name", "change"), OPPORTUNITY)
def test_opportunity_keeps_to_what_is_known(name, change):
    opportunity = market.Opportunity.objects.filter(pk=a_published_opportunity().pk)
    assert refused(lambda: opportunity.update(**change)) == name


FULFILLMENT: list[tuple[str, type[models.Model], dict[str, Any]]] = [
    ("seat_state_is_known", Seat, {"state": "lost", "filled_at": None}),
    ("seat_filled_at_is_set_when_filled", Seat, {"filled_at": None}),
    ("application_status_is_known", market.Application, {"status": "lost"}),
    ("application_source_is_known", market.Application, {"source": "rumour"}),
    ("rejection_has_a_reason", market.Application, {"status": "rejected"}),
    ("preference_rank_starts_at_one", market.Application, {"preference_rank": 0}),
    ("offer_state_is_known", Offer, {"state": "lost", "seat": None}),
    ("offer_has_a_seat_exactly_when_it_holds_one", Offer, {"seat": None}),
    ("offer_has_a_seat_exactly_when_it_holds_one", Offer, {"state": "declined"}),
    ("offer_has_a_seat_exactly_when_it_holds_one", Offer, {"kind": "open_call", "state": "sent"}),
    ("offer_pay_is_not_negative", Offer, {"pay_amount": -1}),
    ("offer_pay_currency_is_a_code", Offer, {"pay_currency": "eur"}),
    ("offer_pay_period_is_known", Offer, {"pay_period": "moon"}),
    ("offer_hours_fit_a_week", Offer, {"weekly_hours": 0}),
    ("offer_ends_after_it_starts", Offer, {"ends_on": NOW.date() - timedelta(days=1)}),
    ("offer_expires_after_it_is_sent", Offer, {"expires_at": NOW}),
    ("placement_state_is_known", Placement, {"state": "lost", "ended_at": NOW}),
    ("placement_ended_at_is_set_when_over", Placement, {"state": "completed"}),
    ("placement_ends_after_it_starts", Placement, {"ends_on": NOW.date() - timedelta(days=1)}),
    ("placement_hours_fit_a_week", Placement, {"weekly_hours": 0}),
    ("placement_within_candidate_hours", Placement, {"weekly_hours": 41}),
    ("placement_terms_fit_a_week", market.PlacementTerms, {"weekly_hours": 0}),
    ("placement_pay_is_not_negative", market.PlacementTerms, {"pay_amount": -1}),
    ("placement_pay_currency_is_a_code", market.PlacementTerms, {"pay_currency": "eur"}),
    ("placement_pay_period_is_known", market.PlacementTerms, {"pay_period": "moon"}),
    ("pay_band_minimum_is_below_maximum", market.PayBand, {"minimum": 31}),
    ("pay_band_is_not_negative", market.PayBand, {"minimum": -1}),
    ("pay_band_currency_is_a_code", market.PayBand, {"currency": "eur"}),
    ("pay_band_period_is_known", market.PayBand, {"period": "moon"}),
    ("delivery_state_is_known", Delivery, {"state": "lost"}),
    ("delivery_done_at_is_set_when_done", Delivery, {"state": "done"}),
    ("membership_role_is_known", Membership, {"role": "king"}),
    ("organisation_currency_is_a_code", Organisation, {"currency": "eur"}),
    ("organisation_country_is_a_code", Organisation, {"country": "de"}),
    ("organisation_has_a_name", Organisation, {"name": ""}),
    ("candidate_hours_cover_placements", market.Candidate, {"weekly_hours": 39}),
]


@pytest.mark.parametrize(("name", "model", "change"), FULFILLMENT)
def test_whoever_is_placed_is_placed_soundly(name, model, change):
    offer = an_offer(an_application(candidate=a_candidate(weekly_hours=40)))
    accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=NOW + HOUR)
    # Both halves of the promise about hours go by one name.
    name = "placement_within_candidate_hours" if name == "candidate_hours_cover_placements" else name
    assert refused(lambda: model._default_manager.update(**change)) == name


REWRITTEN: list[tuple[type[models.Model], dict[str, Any]]] = [
    (Event, {"name": "NothingHappened"}),
    (Transition, {"to_state": "elsewhere"}),
    (market.OpportunityRevision, {"rule": {"all": []}}),
    (apps.get_model("marketplace", "CandidateFactEvent"), {"country": "FR"}),
]


@pytest.mark.parametrize(("model", "change"), REWRITTEN)
def test_what_was_is_never_rewritten(model, change):
    an_offer()
    assert "Cannot update" in refused(lambda: model._default_manager.update(**change))


def again(row: models.Model, **change: Any) -> Callable[[], object]:
    """Insert a row once more, under another public id."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in ("public_id", "reference")
    }
    return lambda: type(row)._default_manager.create(**{**values, **change})


def test_there_is_one_of_what_there_may_be_one_of():
    offer = an_offer()
    application, opportunity, seat = offer.application, offer.opportunity, offer.seat
    assert refused(again(offer)) == "seat_has_at_most_one_holder"
    assert refused(again(offer, kind="open_call", seat_id=None)) == "one_live_offer_per_application"
    assert refused(again(application)) == "one_live_application_per_pair"
    assert refused(again(seat)) == "seat_number_is_unique_per_opportunity"
    assert refused(again(an_invitation())) == "one_live_invitation_per_pair"
    assert refused(again(opportunity.current_revision)) == "opportunity_revision_number_is_unique"
    [place] = market.PayBandPlace.objects.filter(opportunity=opportunity)
    assert refused(again(place)) == "no_two_pay_bands_for_one_place"
    [rate, *_] = exchange_rates().rates.all()
    assert refused(again(rate)) == "one_rate_per_set_and_currency"
    event = Event.objects.latest("pk")
    assert refused(again(event)) == "event_sequence_is_unique_per_aggregate"
    assert refused(again(event.deliveries.all()[0])) == "one_delivery_per_event_and_consumer"
    owner = an_organisation()
    assert refused(again(owner.organisation.memberships.get())) == "one_membership_per_user_and_organisation"


def test_accepted_offer_has_one_placement_on_its_seat():
    offer = an_offer()
    accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=NOW + HOUR)
    assert refused(again(Placement.objects.get())).startswith("marketplace_placement_offer_id")
    other = a_published_opportunity().seats.get()
    assert refused(again(Placement.objects.get(), seat_id=other.pk)).startswith("marketplace_placement_offer_id")


def test_skills_are_not_merged_in_a_circle():
    one, other = a_skill(), a_skill()
    market.Skill.objects.filter(pk=one.pk).update(merged_into=other)
    back = market.Skill.objects.filter(pk=other.pk)
    assert refused(lambda: back.update(merged_into=one)) == "skill_merges_have_no_cycle"


def test_facts_of_candidates_are_of_known_kinds():
    candidate, skill = a_candidate(), a_skill()
    for name, change in (
        ("candidate_skill_source_is_known", lambda: candidate.skills.create(skill=skill, level=3, source="rumour")),
        ("candidate_skill_level_is_1_to_5", lambda: candidate.skills.create(skill=skill, level=6)),
        ("candidate_language_is_a_code", lambda: candidate.languages.create(language="DE", level=3)),
        ("candidate_language_level_is_cefr", lambda: candidate.languages.create(language="de", level=7)),
        ("authorisation_country_is_a_code", lambda: candidate.work_authorisations.create(country="de")),
    ):
        assert refused(change) == name
