"""Opportunities: drafts, revisions, publication, closing, seats."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.actions.timers import fire_due
from accounts.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event, Timer
from marketplace.actions.groups import standard_group
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import (
    LeadInput,
    LocationInput,
    OpportunityFields,
    QuestionInput,
    SkillTermInput,
    change_seats,
    close_opportunity,
    draft_opportunity,
    pause_opportunity,
    publish_opportunity,
    reinstate_opportunity,
    reopen_opportunity,
    resume_opportunity,
    set_eligibility_rule,
    suspend_opportunity,
    update_opportunity,
    waive_eligibility,
)
from marketplace.core.money import Money, Pay
from marketplace.errors import (
    OpportunityIncomplete,
    OpportunityOver,
    OrganisationSuspended,
    RuleRefused,
    SeatsFilled,
    WaiverStands,
)
from marketplace.models import (
    Application,
    Offer,
    Opportunity,
    OpportunityRevision,
    PayBand,
    Seat,
    WaitlistEntry,
)
from tests.marketplace.factories import (
    COMPLETE,
    DAY,
    HOUR,
    NOW,
    PAY_BAND,
    Recruiter,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
    everything,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

WRITTEN = (Opportunity, OpportunityRevision, PayBand, Seat, Event, Timer)
FIVE_YEARS = {"attribute": "years_experience", "op": "gte", "value": 5}


def update(opportunity: Opportunity, **fields: Any) -> Opportunity:
    return update_opportunity(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        fields=OpportunityFields(**fields),
        now=NOW,
    )


def do(action: Any, opportunity: Opportunity, **more: Any) -> Opportunity:
    more.setdefault("now", NOW)
    more.setdefault("actor", recruiter_of(opportunity))
    return action(opportunity_id=opportunity.public_id, **more)


def offer_to(application: Application, *, kind: str = "reserved", **more: Any) -> Offer:
    return send_offer(
        actor=recruiter_of(application.opportunity),
        application_id=application.public_id,
        pay=Pay(Decimal(25), "EUR", "hour"),
        kind=kind,
        now=NOW,
        **more,
    )


def names(opportunity: Opportunity) -> list[str]:
    return list(
        Event.objects.filter(aggregate_type="opportunity", aggregate_id=opportunity.pk).values_list("name", flat=True)
    )


# Drafts


def test_a_title_is_enough_for_a_draft() -> None:
    works = an_organisation()
    fields = OpportunityFields(title="  Welder 🔥 ")

    opportunity = draft_opportunity(
        actor=works.actor, organisation_id=works.organisation.public_id, fields=fields, now=NOW
    )

    assert (opportunity.title, opportunity.state, opportunity.current_revision) == ("Welder 🔥", "draft", None)
    assert names(opportunity) == ["OpportunityDrafted"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "x" * 10_000_000}, "title"),
        ({"title": "nul\x00"}, "title"),
        ({"title": ""}, "title"),
        ({"description": "x" * 20_001}, "description"),
        ({"seats": -1}, "seats"),
        ({"seats": 10_001}, "seats"),
        ({"weekly_hours": 0}, "weeklyHours"),
        ({"commitment": "slavery"}, "commitment"),
        ({"arrangement": "moon"}, "arrangement"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"starts_on": NOW.date(), "ends_on": NOW.date() - DAY}, "endsOn"),
        ({"opens_at": NOW, "closes_at": NOW}, "closesAt"),
        ({"closes_at": NOW.replace(tzinfo=None)}, "closesAt"),
        ({"referral_reward": Money(Decimal(5), "???")}, "referralReward.currency"),
        ({"pay_bands": [replace(PAY_BAND, currency="ZZZ")]}, "payBands[0].currency"),
        ({"pay_bands": [replace(PAY_BAND, minimum=Decimal(31))]}, "payBands[0].minimum"),
        ({"pay_bands": [replace(PAY_BAND, minimum=Decimal(-1))]}, "payBands[0].minimum"),
        ({"pay_bands": [replace(PAY_BAND, maximum=Decimal(10) ** 12)]}, "payBands[0].maximum"),
        ({"pay_bands": [replace(PAY_BAND, period="eon")]}, "payBands[0].period"),
        ({"pay_bands": [replace(PAY_BAND, places=["Berlin"])]}, "payBands[0].places"),
        ({"pay_bands": [PAY_BAND, PAY_BAND]}, "payBands[1].places"),
        (
            {"pay_bands": [replace(PAY_BAND, places=["DE"]), replace(PAY_BAND, places=["FR", "DE"])]},
            "payBands[1].places",
        ),
        ({"locations": [LocationInput("allowed", "EU")]}, "locations[0].country"),
        ({"locations": [LocationInput("allowed", "DE", "FR-IDF")]}, "locations[0].region"),
        ({"locations": [LocationInput("allowed", "DE"), LocationInput("excluded", "DE")]}, "locations"),
        ({"questions": [QuestionInput("facts", "What?")]}, "questions[0].key"),
        ({"questions": [QuestionInput("a b", "What?")]}, "questions[0].key"),
        ({"questions": [QuestionInput("a", "What?", kind="choice")]}, "questions[0].choices"),
        ({"questions": [QuestionInput("a", "What?"), QuestionInput("a", "Why?")]}, "questions"),
        ({"lead": LeadInput("nobody@example.org")}, "lead.email"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_written(fields: dict[str, Any], field: str) -> None:
    works = an_organisation()
    before = everything(WRITTEN)

    with pytest.raises(InvalidInput) as refusal:
        a_draft(works, **fields)

    assert refusal.value.data["field"] == field
    assert everything(WRITTEN) == before


def test_only_those_who_recruit_for_an_organisation_draft_for_it() -> None:
    works = an_organisation()
    organisation_id = works.organisation.public_id
    fields = OpportunityFields(**COMPLETE)
    with pytest.raises(NotFound):
        draft_opportunity(actor=a_recruiter().actor, organisation_id=organisation_id, fields=fields, now=NOW)
    observer = a_recruiter(works, role="observer")
    with pytest.raises(NotPermitted):
        draft_opportunity(actor=observer.actor, organisation_id=organisation_id, fields=fields, now=NOW)


def test_nobody_posts_in_the_name_of_strangers() -> None:
    with pytest.raises(NotFound):
        a_draft(hiring_organisation_id=an_organisation().organisation.public_id)


def test_editing_a_draft_makes_no_revision() -> None:
    draft = a_draft()

    update(draft, title="Senior welder", seats=3, pay_bands=[replace(PAY_BAND, places=["DE", "AT"])])

    draft.refresh_from_db()
    assert (draft.title, draft.seats.open().count(), draft.revisions.count()) == ("Senior welder", 3, 0)
    assert names(draft)[-1] == "OpportunityUpdated"


def test_saying_the_same_again_appends_nothing() -> None:
    skill = a_skill()
    fields = {
        "locations": [LocationInput("allowed", "DE", "DE-BE", "Berlin")],
        "skills": [SkillTermInput(skill.public_id, weight=3, min_years=Decimal(2))],
        "questions": [QuestionInput("shift", "Which shift?", "choice", ["day", "night"])],
    }
    draft = a_draft(**fields)
    before = everything(WRITTEN)

    update(draft, **COMPLETE, **fields)

    assert everything(WRITTEN) == before


# Publication and revisions


def test_an_incomplete_draft_is_not_published() -> None:
    works = an_organisation()
    draft = draft_opportunity(
        actor=works.actor,
        organisation_id=works.organisation.public_id,
        fields=OpportunityFields(title="Welder", closes_at=NOW - HOUR),
        now=NOW,
    )
    before = everything(WRITTEN)

    with pytest.raises(OpportunityIncomplete) as refusal:
        do(publish_opportunity, draft)

    assert refusal.value.data["missing"] == [
        *("description", "commitment", "arrangement", "weeklyHours", "payBands", "seats", "closesAt")
    ]
    assert everything(WRITTEN) == before


def test_publishing_freezes_the_terms_and_sets_the_closing_timer() -> None:
    opportunity = a_published_opportunity(closes_at=NOW + DAY)

    revision = opportunity.current_revision
    assert revision is not None
    assert (opportunity.state, opportunity.published_at, revision.number, revision.rule) == ("published", NOW, 1, None)
    assert revision.terms["pay"] == [
        {"minimum": "20", "maximum": "30", "currency": "EUR", "period": "hour", "places": [""]}
    ]
    assert Timer.objects.get(kind="opportunity_closing", subject_id=opportunity.pk).due_at == NOW + DAY
    with pytest.raises(IllegalTransition):
        do(publish_opportunity, opportunity)


def test_other_terms_are_another_revision_and_applications_keep_theirs() -> None:
    opportunity = a_published_opportunity(rule=FIVE_YEARS)
    candidate = a_candidate(years_experience=Decimal(6))
    application = an_application(opportunity, candidate)

    update(opportunity, pay_bands=[replace(PAY_BAND, maximum=Decimal(40))])

    opportunity.refresh_from_db()
    numbers = list(opportunity.revisions.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    current = opportunity.current_revision
    assert current is not None and current.number == numbers[-1]
    assert current.rule == FIVE_YEARS
    assert current.terms["pay"][0]["maximum"] == "40"
    assert application.revision.number == numbers[-2]
    assert application.revision.terms["pay"][0]["maximum"] == "30"


def test_what_candidates_do_not_agree_to_makes_no_revision() -> None:
    opportunity = a_published_opportunity()

    update(opportunity, visibility="unlisted", closes_at=NOW + DAY)

    assert opportunity.revisions.count() == 1
    assert Timer.objects.filter(kind="opportunity_closing", subject_id=opportunity.pk).exists()


def test_a_published_opportunity_stays_complete_and_its_seats_have_an_action_of_their_own() -> None:
    opportunity = a_published_opportunity()
    before = everything(WRITTEN)

    with pytest.raises(OpportunityIncomplete):
        update(opportunity, pay_bands=[])
    with pytest.raises(InvalidInput):
        update(opportunity, seats=5)

    assert everything(WRITTEN) == before


def test_what_is_over_is_not_edited() -> None:
    opportunity = do(close_opportunity, a_published_opportunity())

    with pytest.raises(OpportunityOver):
        update(opportunity, title="Other")
    with pytest.raises(OpportunityOver):
        do(set_eligibility_rule, opportunity, rule=None)


def test_a_suspended_organisation_publishes_nothing() -> None:
    draft = a_draft()
    draft.posting_organisation.suspended_at = NOW
    draft.posting_organisation.save()

    with pytest.raises(OrganisationSuspended):
        do(publish_opportunity, draft)


# Rules


def test_a_rule_is_kept_in_its_canonical_form_and_the_same_again_makes_no_revision() -> None:
    draft = a_draft()
    skill = a_skill()
    rule = {"all": [FIVE_YEARS, {"skill": skill.pk}]}

    opportunity = do(set_eligibility_rule, draft, rule=rule)
    do(set_eligibility_rule, draft, rule=opportunity.current_revision.rule)

    revision = draft.revisions.get()
    assert revision.rule == {"all": [FIVE_YEARS, {"skill": skill.pk, "minLevel": 1}]}
    assert do(set_eligibility_rule, draft, rule={}).current_revision.rule is None


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"attribute": "religion", "op": "eq", "value": "x"}, "PROTECTED_ATTRIBUTE"),
        ({"attribute": "shoe_size", "op": "eq", "value": 44}, "UNDECLARED_ATTRIBUTE"),
        ({"skill": 987_654_321}, "UNKNOWN_SKILL"),
        ({"all": []}, "EMPTY_GROUP"),
        ("years > 5", "NOT_AN_OBJECT"),
        ({"attribute": "years_experience", "op": "between", "value": [9, 1]}, "MIN_ABOVE_MAX"),
        ({"attribute": "groups", "op": "eq", "value": 987_654}, "UNKNOWN_GROUP"),
        ({"attribute": "groups", "op": "exists", "value": True}, "UNKNOWN_GROUP"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_faults(rule: Any, code: str) -> None:
    opportunity = a_published_opportunity()
    before = everything(WRITTEN)

    with pytest.raises(RuleRefused) as refusal:
        do(set_eligibility_rule, opportunity, rule=rule)

    assert code in [fault["code"] for fault in refusal.value.data["faults"]]
    assert everything(WRITTEN) == before


def test_a_rule_asks_about_the_lists_of_its_own_organisation_alone() -> None:
    works, rival = an_organisation(), an_organisation()
    draft = a_draft(works)

    def rule_about(by: Recruiter) -> dict[str, Any]:
        group = standard_group(actor=by.actor, organisation_id=by.organisation.public_id, kind="do_not_rehire")
        return {"not": {"attribute": "groups", "op": "eq", "value": group.pk}}

    with pytest.raises(RuleRefused) as refusal:
        do(set_eligibility_rule, draft, rule={"all": [FIVE_YEARS, rule_about(rival)]})
    assert [fault["path"] for fault in refusal.value.data["faults"]] == ["$.all[1].not"]
    assert do(set_eligibility_rule, draft, rule=rule_about(works)).current_revision.rule is not None


def test_one_waiver_stands_at_a_time() -> None:
    opportunity, candidate = a_published_opportunity(rule=FIVE_YEARS), a_candidate(years_experience=Decimal(1))

    def waive(now: Any = NOW, **more: Any) -> Any:
        given = {"reason": "Trained by us.", "until": now + DAY, **more}
        return do(waive_eligibility, opportunity, candidate_id=candidate.public_id, now=now, **given)

    with pytest.raises(InvalidInput):
        waive(reason="  ")
    with pytest.raises(InvalidInput):
        waive(until=NOW)
    waive()
    with pytest.raises(WaiverStands):
        waive()
    assert an_application(opportunity, candidate).verdict["waived"] is True
    waive(now=NOW + 2 * DAY)  # the first has run out


# Closing


def test_closing_ends_what_hangs_on_the_opportunity() -> None:
    opportunity = a_published_opportunity(seats=1, closes_at=NOW + DAY)
    offered, waiting, asked = an_application(opportunity), an_application(opportunity), an_invitation(opportunity)
    offer = offer_to(offered)
    WaitlistEntry.objects.create(opportunity=opportunity, candidate=waiting.candidate, application=waiting, since=NOW)

    do(close_opportunity, opportunity)

    for row, state in ((offer, "withdrawn"), (asked, "withdrawn")):
        row.refresh_from_db()
        assert row.state == state
    assert set(Application.objects.values_list("status", flat=True)) == {"lapsed"}
    assert not WaitlistEntry.objects.exists()
    assert opportunity.seats.get().state == "open"
    assert not Timer.objects.filter(fired_at=None).exists()


def test_the_closing_timer_closes_and_a_moved_deadline_waits() -> None:
    opportunity = a_published_opportunity(closes_at=NOW + HOUR)
    update(opportunity, closes_at=NOW + DAY)

    fire_due(NOW + 2 * HOUR)
    opportunity.refresh_from_db()
    assert opportunity.state == "published"

    fire_due(NOW + DAY)
    opportunity.refresh_from_db()
    assert (opportunity.state, opportunity.closed_at) == ("closed", NOW + DAY)
    assert fire_due(NOW + 2 * DAY) == 0


def test_reopening_drops_a_deadline_that_has_passed() -> None:
    opportunity = a_published_opportunity(closes_at=NOW + HOUR)
    do(close_opportunity, opportunity)

    with pytest.raises(InvalidInput):
        do(reopen_opportunity, opportunity, closes_at=NOW - HOUR)
    reopened = do(reopen_opportunity, opportunity, now=NOW + DAY)

    assert (reopened.state, reopened.closes_at, reopened.closed_at) == ("published", None, None)


def test_pausing_and_resuming() -> None:
    opportunity = a_published_opportunity()

    assert do(pause_opportunity, opportunity).state == "paused"
    with pytest.raises(IllegalTransition) as refusal:
        do(pause_opportunity, opportunity)
    assert "resume" in refusal.value.data["legal"]
    assert do(resume_opportunity, opportunity).state == "published"


def test_staff_suspend_and_reinstate() -> None:
    opportunity = a_published_opportunity()
    invitation = an_invitation(opportunity)
    with pytest.raises(IllegalTransition):
        do(suspend_opportunity, opportunity)

    do(suspend_opportunity, opportunity, actor=a_staff_actor(), reason="fraud?")

    invitation.refresh_from_db()
    assert invitation.state == "withdrawn"
    assert do(reinstate_opportunity, opportunity, actor=a_staff_actor()).state == "paused"


def test_a_draft_that_was_suspended_is_resumed_only_when_complete() -> None:
    works = an_organisation()
    draft = draft_opportunity(
        actor=works.actor,
        organisation_id=works.organisation.public_id,
        fields=OpportunityFields(title="Welder"),
        now=NOW,
    )
    do(suspend_opportunity, draft, actor=a_staff_actor())
    do(reinstate_opportunity, draft, actor=a_staff_actor())

    with pytest.raises(OpportunityIncomplete):
        do(resume_opportunity, draft)
    do(update_opportunity, draft, fields=OpportunityFields(**COMPLETE))
    do(change_seats, draft, seats=1)
    assert do(resume_opportunity, draft).state == "published"


@pytest.mark.parametrize("action", [publish_opportunity, close_opportunity, pause_opportunity])
def test_strangers_and_observers_manage_nothing(action: Any) -> None:
    works = an_organisation()
    draft, published = a_draft(works), a_published_opportunity(works)
    rival, observer = a_recruiter().actor, a_recruiter(works, role="observer").actor

    for opportunity_id in (draft.public_id, uuid4()):
        with pytest.raises(NotFound):
            action(actor=rival, opportunity_id=opportunity_id, now=NOW)
    for actor in (rival, observer):
        with pytest.raises(NotPermitted):
            action(actor=actor, opportunity_id=published.public_id, now=NOW)


# Seats


def test_seats_grow_and_shrink_open_ones_first() -> None:
    opportunity = a_published_opportunity(seats=2)
    offer = offer_to(an_application(opportunity))

    do(change_seats, opportunity, seats=4)
    assert opportunity.seats.wanted().count() == 4
    do(change_seats, opportunity, seats=1)

    offer.refresh_from_db()
    assert (offer.state, opportunity.seats.wanted().get().state) == ("sent", "held")
    assert names(opportunity)[-1] == "SeatsChanged"


def test_fewer_seats_than_held_withdraw_offers() -> None:
    opportunity = a_published_opportunity(seats=3)
    offers = [offer_to(an_application(opportunity)) for _ in range(3)]

    do(change_seats, opportunity, seats=1)

    states = sorted(Offer.objects.get(pk=offer.pk).state for offer in offers)
    assert states == ["sent", "withdrawn", "withdrawn"]
    assert opportunity.seats.wanted().get().state == "held"


def test_never_fewer_seats_than_filled() -> None:
    opportunity = a_published_opportunity(seats=2)
    for _ in range(2):
        candidate = a_candidate()
        offer = offer_to(an_application(opportunity, candidate))
        accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
    before = everything(WRITTEN)

    with pytest.raises(SeatsFilled):
        do(change_seats, opportunity, seats=1)
    for seats in (0, -1, True, "3"):
        with pytest.raises(InvalidInput):
            do(change_seats, opportunity, seats=seats)

    assert everything(WRITTEN) == before


def test_the_lead_is_a_member_and_there_is_one() -> None:
    works = an_organisation()
    colleague = a_recruiter(works)
    opportunity = a_draft(works, lead=LeadInput(works.user.email, "Head of welding"))

    update(opportunity, lead=LeadInput(colleague.user.email.upper(), public_link="https://example.org"))
    assert opportunity.members.get().user == colleague.user
    update(opportunity, lead=None)
    assert not opportunity.members.exists()


def test_bands_hold_for_the_places_they_name() -> None:
    bands = [PAY_BAND, replace(PAY_BAND, places=["US-CA", "US-NY"], currency="USD", period="year")]

    opportunity = a_published_opportunity(pay_bands=bands)

    assert opportunity.current_revision is not None
    assert [band["places"] for band in opportunity.current_revision.terms["pay"]] == [[""], ["US-CA", "US-NY"]]
