"""Every page of the staff's console: it opens, it asks few questions, it keeps others out, it rewrites no history."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.core.actor import Actor, ActorKind
from accounts.models import (
    Delivery,
    DeprecatedUse,
    Event,
    IdempotencyRecord,
    Membership,
    Organisation,
    Timer,
    Transition,
    TrustedDocument,
    User,
)
from marketplace.core.workflow import OPPORTUNITY
from marketplace.models import (
    Application,
    Candidate,
    CandidateGroup,
    CandidateGroupMembership,
    CandidateLanguage,
    CandidateSkill,
    EligibilityWaiver,
    ExchangeRate,
    ExchangeRateSet,
    Invitation,
    Notification,
    Occupation,
    OccupationSkill,
    Offer,
    Opportunity,
    OpportunityLocation,
    OpportunityRevision,
    OpportunitySkill,
    PayBand,
    PayBandPlace,
    Placement,
    PlacementTerms,
    ScreeningQuestion,
    Seat,
    Skill,
    SkillLabel,
    SuspectedDuplicate,
    TaxonomyRevision,
    WaitlistEntry,
    WorkAuthorisation,
    WorkExperience,
)
from matching.admin.navigation import GROUPS
from matching.core.scoring import DEFAULT_MODEL
from matching.models import (
    AllocationRun,
    CandidateProjection,
    CopyMark,
    Decision,
    Digest,
    FeatureSet,
    FoundOpportunity,
    Mark,
    Match,
    OpportunityProjection,
    Proposal,
    Rescore,
    RescoreChunk,
    SavedSearch,
    ScoringModel,
    Segment,
    ShadowFailure,
    ShadowMark,
    ShadowRanking,
    TrainingRun,
    UnscoredPair,
)
from tests.marketplace.factories import NOW

pytestmark = pytest.mark.django_db

APPS = ("accounts", "marketplace", "matching")

# Rows of other rows: shown as inlines of their owners, or, like the counter, of no use to anybody.
WITHIN_OTHERS = {
    "accounts.AggregateSequence",
    "accounts.TableState",
    "marketplace.CandidateFingerprint",
    "marketplace.CandidateGroupMembership",
    "marketplace.CandidateLanguage",
    "marketplace.CandidateMentions",
    "marketplace.CandidateSkill",
    "marketplace.ExchangeRate",
    "marketplace.OccupationLabel",
    "marketplace.OccupationSkill",
    "marketplace.OccupationSource",
    "marketplace.OpportunityFingerprint",
    "marketplace.OpportunityLocation",
    "marketplace.OpportunityMember",
    "marketplace.OpportunityMentions",
    "marketplace.OpportunitySkill",
    "marketplace.PayBand",
    "marketplace.PayBandPlace",
    "marketplace.PlacementTerms",
    "marketplace.ScreeningQuestion",
    "marketplace.SkillBroader",
    "marketplace.SkillLabel",
    "marketplace.SkillSource",
    "marketplace.WorkAuthorisation",
    "marketplace.WorkExperience",
    "matching.AllocationProgress",
    "matching.FeatureSet",
    "matching.ModelFile",
    "matching.RescoreChunk",
    "matching.SearchWord",
    "matching.FoundOpportunity",
}

HISTORY = (
    Event, Delivery, Transition, Timer, IdempotencyRecord, OpportunityRevision, Decision, Match, CandidateProjection,
    OpportunityProjection, CopyMark, Mark, Application, Offer, Placement, Seat, Proposal, WaitlistEntry, Notification,
    ShadowRanking, ShadowMark, ShadowFailure, TaxonomyRevision, SuspectedDuplicate, SavedSearch, Digest,
    UnscoredPair, TrustedDocument, DeprecatedUse,
    *(apps.get_model("marketplace", name) for name in (
        "CandidateFactEvent", "CandidateSkillFactEvent", "CandidateLanguageFactEvent", "AuthorisationFactEvent",
    )),
)  # fmt: skip
STATEFUL = (
    Opportunity, Application, Offer, Placement, Seat, Invitation, AllocationRun, Proposal, ScoringModel,
    SuspectedDuplicate, Rescore, TrainingRun,
)  # fmt: skip

RULE = {
    "all": [
        {"attribute": "country", "op": "eq", "value": "DE"},
        {"not": {"attribute": "weekly_hours", "op": "lt", "value": 20, "disclosure": "staff"}},
    ]
}
PREDICATE = {"attribute": "arrangement", "op": "eq", "value": "remote"}
VERDICT = {"outcome": "eligible", "on": "2027-03-01", "failed": [], "unknown": [], "nearest": None, "waived": False,
           "basis": {}}  # fmt: skip
SCOPES = [
    {"kind": "everything"}, {"kind": "day"}, {"kind": "models"}, {"kind": "skills", "ids": [1, 2]},
    {"kind": "rates", "from": None},
]  # fmt: skip
CONTRIBUTIONS = {
    "fit": {
        "score": -450_000,
        "contributions": [
            {"feature": "intercept", "value": 1, "weight": -5_500_000, "amount": -5_500_000},
            {"feature": "required_skills", "value": 1000, "weight": 5050, "amount": 5_050_000},
        ],
    }
}


class Market:
    """A row of every kind, and `grow` for more of them."""

    def __init__(self) -> None:
        self.staff = User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase", name="Chief")
        self.organisation = Organisation.objects.create(name="Works", slug="works")
        self.segment, _ = Segment.objects.get_or_create(name="everything", defaults={"position": 100})
        self.model = ScoringModel.objects.create(
            segment=self.segment, version="version 0", definition=DEFAULT_MODEL.to_json()
        )
        self.rates = ExchangeRateSet.objects.create(on=date(2027, 1, 1), source="test")
        ExchangeRate.objects.create(rate_set=self.rates, currency="USD", per_euro=Decimal("1.1"))
        self.number = 0

    def grow(self, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self._one(self.number)

    def _one(self, n: int) -> None:
        organisation = Organisation.objects.create(name=f"Works {n}", slug=f"works-{n}")
        user = User.objects.create_user(f"person{n}@example.org", name=f"Person {n}")
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        Group.objects.create(name=f"group {n}")
        Membership.objects.create(user=user, organisation=organisation, role="owner", invited_by=self.staff)
        skill = Skill.objects.create(name=f"Skill {n}", folded=f"skill {n}")
        SkillLabel.objects.create(skill=skill, label=f"Craft {n}", folded=f"craft {n}")
        occupation = Occupation.objects.create(name=f"Occupation {n}", folded=f"occupation {n}")
        OccupationSkill.objects.create(occupation=occupation, skill=skill, essential=True)
        TaxonomyRevision.objects.create(number=n, summary="test", at=NOW)
        if n > 1:
            ExchangeRateSet.objects.create(on=date(2027, 1, 1) + timedelta(days=n), source="test")
        candidate = Candidate.objects.create(
            name=f"Candidate {n}", user=user, country="DE", weekly_hours=40, commitments=["full_time"],
            rate_amount=Decimal(30), rate_currency="EUR", rate_period="hour",
        )  # fmt: skip
        CandidateSkill.objects.create(candidate=candidate, skill=skill, level=3)
        CandidateLanguage.objects.create(candidate=candidate, language="de", level=6)
        WorkAuthorisation.objects.create(candidate=candidate, country="DE")
        WorkExperience.objects.create(candidate=candidate, title="Welder", starts_on=date(2020, 1, 1))
        group = CandidateGroup.objects.create(organisation=organisation, name="List")
        CandidateGroupMembership.objects.create(group=group, candidate=candidate)
        SuspectedDuplicate.objects.create(
            kind="candidate", low_candidate=candidate, high_candidate=Candidate.objects.create(name=f"Twin {n}"),
            strength=80, reasons=["same_email", "other_name"], state="dismissed", found_at=NOW, decided_at=NOW,
            decided_by=self.staff,
        )  # fmt: skip
        opportunity = Opportunity.objects.create(
            posting_organisation=organisation, hiring_organisation=organisation, occupation=occupation,
            title=f"Welder {n}", commitment="full_time", arrangement="onsite", weekly_hours=40,
        )  # fmt: skip
        revision = OpportunityRevision.objects.create(
            opportunity=opportunity, number=1, terms={"title": "Welder", "pay": []}, rule=RULE, created_at=NOW
        )
        Opportunity.objects.filter(pk=opportunity.pk).update(
            current_revision=revision, state="published", published_at=NOW
        )
        OpportunitySkill.objects.create(opportunity=opportunity, skill=skill)
        OpportunityLocation.objects.create(opportunity=opportunity, country="DE")
        ScreeningQuestion.objects.create(opportunity=opportunity, key="boots", prompt="Boots?")
        band = PayBand.objects.create(opportunity=opportunity, minimum=20, maximum=30, currency="EUR", period="hour")
        PayBandPlace.objects.create(band=band, opportunity=opportunity, place="DE")
        Seat.objects.create(opportunity=opportunity, number=1, opened_at=NOW)
        seat = Seat.objects.create(opportunity=opportunity, number=2, opened_at=NOW, state="filled", filled_at=NOW)
        EligibilityWaiver.objects.create(
            opportunity=opportunity, candidate=candidate, granted_by=self.staff, reason="test", until=NOW,
            created_at=NOW,
        )  # fmt: skip
        later = NOW + timedelta(days=3)
        Invitation.objects.create(
            opportunity=opportunity, candidate=candidate, expires_at=later, created_at=NOW, invited_by=self.staff
        )
        application = Application.objects.create(
            candidate=candidate, opportunity=opportunity, revision=revision, verdict=VERDICT, created_at=NOW,
            answers={"boots": "yes"},
        )  # fmt: skip
        offer = Offer.objects.create(
            application=application, opportunity=opportunity, candidate=candidate, revision=revision, seat=seat,
            pay_amount=25, pay_currency="EUR", pay_period="hour", weekly_hours=40, starts_on=date(2027, 4, 1),
            expires_at=later, state="accepted", created_at=NOW, answered_at=NOW,
        )  # fmt: skip
        placement = Placement.objects.create(
            offer=offer, seat=seat, opportunity=opportunity, candidate=candidate, weekly_hours=40,
            starts_on=date(2027, 4, 1), created_at=NOW,
        )  # fmt: skip
        PlacementTerms.objects.create(
            placement=placement, weekly_hours=40, pay_amount=25, pay_currency="EUR", pay_period="hour",
            from_on=date(2027, 4, 1),
        )  # fmt: skip
        WaitlistEntry.objects.create(opportunity=opportunity, candidate=candidate, application=application, since=NOW)
        event = Event.objects.create(
            aggregate_type="opportunity", aggregate_id=opportunity.pk, sequence=1, name="OpportunityPublished",
            actor=user, actor_kind="member", at=NOW,
        )  # fmt: skip
        Delivery.objects.create(event=event, consumer="notifications", due_at=NOW)
        Transition.objects.create(
            subject_type="opportunity", subject_id=opportunity.pk, from_state="draft", to_state="published",
            action="publish", actor=user, actor_kind="member", at=NOW, event=event,
        )  # fmt: skip
        Notification.objects.create(
            user=user, event=event, kind=event.name, subject_type="opportunity", subject_id=opportunity.pk,
            text="Published", created_at=NOW, mail_due_at=NOW,
        )  # fmt: skip
        Timer.objects.create(kind="offer_expiry", subject_id=offer.pk, due_at=later)
        IdempotencyRecord.objects.create(
            principal=str(user.pk), key="k", operation="apply", fingerprint="f", leased_until=NOW, created_at=NOW
        )
        TrustedDocument.objects.create(
            hash=f"{n:064x}", client="web", name="Explore", text="query Explore { __typename }", registered_at=NOW
        )
        DeprecatedUse.objects.create(element=f"Query.old{n}", client="web", day=NOW.date(), uses=n)
        model = ScoringModel.objects.create(
            segment=self.segment, version=f"version {n}", definition=DEFAULT_MODEL.to_json()
        )
        CandidateProjection.objects.create(
            candidate=candidate, revision=1, discoverable=True, open_to_offers=False, present=True, refreshed_at=NOW,
            skills={str(skill.pk): {"level": 3, "years": "2.5", "last_used": None}},
        )  # fmt: skip
        Match.objects.create(
            opportunity=opportunity, candidate=candidate, model=model, fit=-450_000, interest=1, acceptance=1,
            contributions=CONTRIBUTIONS, outcome="eligible", verdict=VERDICT, revision=revision,
            candidate_revision=1, rate_set=self.rates, tie_break="0", computed_at=NOW,
        )  # fmt: skip
        features, _ = FeatureSet.objects.get_or_create(names=["required_skills"])
        Decision.objects.create(
            viewer=user, capacity="member", surface="matches", opportunity=opportunity, candidate=candidate,
            model=model, rank=1, propensity=1.0, feature_set=features, features=[1000], at=NOW,
        )  # fmt: skip
        UnscoredPair.objects.create(
            model=model, opportunity=opportunity, candidate=candidate, reason="gives no number", at=NOW
        )
        ShadowRanking.objects.create(
            opportunity=opportunity, model=model, live_model=self.model, day=NOW.date(), at=NOW,
            candidates=[candidate.pk], ranks=[1], live_ranks=[0],
            **{name: [1] for name in ("fits", "live_fits", "interests", "live_interests", "acceptances",
                                      "live_acceptances")},
        )  # fmt: skip
        ShadowMark.objects.create(opportunity=opportunity, since=NOW)
        ShadowFailure.objects.create(model=model, day=NOW.date(), error="ZeroDivisionError", at=NOW)
        Mark.objects.create(subject_type="candidate", subject_id=candidate.pk, since=NOW)
        CopyMark.objects.create(stage="index", subject_type="opportunity", subject_id=opportunity.pk, since=NOW)
        OpportunityProjection.objects.create(
            opportunity=opportunity, state="published", visibility="public", organisation_id=organisation.pk,
            organisations=[organisation.pk], title="welder", listed_at=NOW, closes_at=later, most_pay=4_000_000,
            skill_ids=[skill.pk], head="'welder':1A", words="'welder'", refreshed_at=NOW,
        )  # fmt: skip
        job = Rescore.objects.create(
            cause="taxonomy", scopes=SCOPES, since=NOW, created_at=NOW, planned_at=NOW, total=9,
            state="paused", seconds_each=0.5, heartbeat_at=NOW,
        )  # fmt: skip
        RescoreChunk.objects.create(rescore=job, phase=1, ids=[candidate.pk], size=1, done=1)
        RescoreChunk.objects.create(rescore=job, phase=3, ids=[opportunity.pk], size=1)
        TrainingRun.objects.create(
            segment=model.segment, state="failed", version=f"spring {n}", test_share=200, least=500, created_by=user,
            created_at=NOW, finished_at=NOW, error="There is too little to learn from.",
        )  # fmt: skip
        if n > 1:
            Segment.objects.create(name=f"segment {n}", position=n, rule=PREDICATE)
        run = AllocationRun.objects.create(
            organisation=organisation, policy={"quality": 600, "fill": 300, "speed": 100}, created_at=NOW,
            state="planned", created_by=user, model=model, diagnosis=[{
                "sentence": "1 seat of Welder stays empty: nobody who is available passes its rule.",
                "criterion": {"path": "", "sentence": "country DE", "gain": 7},
            }],
        )  # fmt: skip
        Proposal.objects.create(
            run=run, opportunity=opportunity, candidate=candidate, application=application, value=5, fit=1,
            acceptance=1, contributions=CONTRIBUTIONS["fit"]["contributions"],
        )  # fmt: skip
        search = SavedSearch.objects.create(
            candidate=candidate, name="welder", query={"text": "welder"}, fingerprint=f"{n}", frequency="daily",
            created_at=NOW, asked_at=NOW,
        )  # fmt: skip
        digest = Digest.objects.create(search=search, frequency="daily", state="failed", due_at=NOW, created_at=NOW)
        FoundOpportunity.objects.create(
            search=search, opportunity=opportunity, found_at=NOW, waits=False, digest=digest
        )


@pytest.fixture
def market() -> Market:
    market = Market()
    market.grow(1)
    return market


@pytest.fixture
def console(market: Market, client: Client) -> Client:
    client.force_login(market.staff)
    return client


def registered() -> list[type[models.Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_noun_has_a_page():
    known = {
        model._meta.label
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if not model._meta.auto_created
    }
    pages = {model._meta.label for model in registered()}
    assert known - pages == WITHIN_OTHERS
    assert pages >= {"auth.Group", "account.EmailAddress"}


def test_every_page_is_reached_from_the_side_bar():
    shown = {label for _, _, entries in GROUPS for _, label, _ in entries}
    assert shown == {model._meta.label_lower for model in registered()}


def test_every_list_opens_finds_and_asks_as_much_of_6_rows_as_of_one(market: Market, console: Client):
    def questions(model: type[models.Model]) -> int:
        with CaptureQueriesContext(connection) as asked:
            # The list alone: what stands around it takes most of the time, and is the same everywhere.
            answer = console.get(address(model, "changelist"), {"_popup": 1})
        assert answer.status_code == 200, model._meta.label
        return len(asked)

    for model in registered():  # after which all is cached that will be
        assert console.get(address(model, "changelist"), {"q": "Works 1"}).status_code == 200, model._meta.label
    one = {model._meta.label: questions(model) for model in registered()}
    market.grow(5)
    six = {model._meta.label: questions(model) for model in registered()}
    assert six == one


def test_every_row_and_every_form_for_a_new_one_opens(console: Client):
    for model in registered():
        for row in model._default_manager.all()[:1]:
            assert console.get(address(model, "change", row.pk)).status_code == 200, model._meta.label
        assert console.get(address(model, "add")).status_code == (200 if may_add(model) else 403), model._meta.label


def may_add(model: type[models.Model]) -> bool:
    page = admin.site._registry[model]
    request = type("Request", (), {"user": User(is_active=True, is_staff=True, is_superuser=True)})()
    return page.has_add_permission(request)


def test_staff_without_the_right_are_kept_out(market: Market, client: Client):
    client.force_login(User.objects.create_user("new@muster.example", is_staff=True))
    for model in registered():
        assert client.get(address(model, "changelist")).status_code == 403, model._meta.label
        assert client.get(address(model, "add")).status_code == 403, model._meta.label
        for row in model._default_manager.all()[:1]:
            assert client.get(address(model, "change", row.pk)).status_code == 403, model._meta.label
            for step in getattr(admin.site._registry[model], "steps", ()):
                answer = client.post(address(model, step.method, row.pk), {"_form_submitted": "on"})
                assert answer.status_code == 403, (model._meta.label, step.name)


def test_others_are_sent_to_the_login(market: Market, client: Client):
    client.force_login(User.objects.get(email="person1@example.org"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_right_to_look_is_no_right_to_act(market: Market, client: Client):
    watcher = User.objects.create_user("watcher@muster.example", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_opportunity"))
    client.force_login(watcher)
    opportunity = Opportunity.objects.get()
    assert client.get(address(Opportunity, "change", opportunity.pk)).status_code == 200
    assert client.post(address(Opportunity, "take_pause", opportunity.pk), {"_form_submitted": "on"}).status_code == 403
    opportunity.refresh_from_db()
    assert opportunity.state == "published"


def test_history_cannot_be_added_to_changed_or_deleted(console: Client):
    for model in HISTORY:
        row = model._default_manager.first()
        before = list(model._default_manager.order_by("pk").values())
        assert row is not None
        answers = [
            console.post(address(model, "add"), {}),
            console.post(address(model, "change", row.pk), {"_save": "1"}),
            console.post(address(model, "delete", row.pk), {"post": "yes"}),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 403], model._meta.label
        console.post(
            address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        )
        assert list(model._default_manager.order_by("pk").values()) == before, model._meta.label


def test_no_form_has_a_field_for_a_state(market: Market, rf):
    request = rf.get("/")
    request.user = market.staff
    for model in STATEFUL:
        page = admin.site._registry[model]
        row = model._default_manager.first()
        forms = [page.get_form(request, None, change=False)] if page.has_add_permission(request) else []
        forms += [page.get_form(request, row, change=True)] if page.has_change_permission(request, row) else []
        for form in forms:
            assert not {"state", "status"} & set(form.base_fields), model._meta.label


def test_nobody_deletes_what_others_refer_to(console: Client):
    for model in (Opportunity, Candidate, Organisation, Skill, User, ExchangeRateSet, ScoringModel, Segment):
        assert console.post(address(model, "delete", model.objects.first().pk), {"post": "yes"}).status_code == 403


def test_the_overview_shows_the_market_and_the_machinery(market: Market, console: Client):
    cache.delete("worker-heartbeat")
    page = console.get(reverse("admin:index"))
    figures = {one.title: one for key in ("market_figures", "machinery_figures") for one in page.context[key]}
    assert figures["Open seats"].value == "1"
    assert figures["Fill rate"].value == "50 %"
    assert figures["Pending deliveries"].value == "1"
    assert figures["Worker"].worrying
    assert "Welder 1" in page.content.decode()


def test_rules_verdicts_scores_and_diagnoses_are_shown_in_words(market: Market, console: Client):
    opportunity = Opportunity.objects.get()
    page = console.get(address(Opportunity, "change", opportunity.pk)).content.decode()
    assert "country Germany" in page
    assert "[staff only]" in page
    assert "publish" in page  # from its history
    page = console.get(address(Match, "change", Match.objects.get().pk)).content.decode()
    assert "required skills" in page
    assert "-0.450" in page
    page = console.get(address(AllocationRun, "change", AllocationRun.objects.get().pk)).content.decode()
    assert "nobody who is available passes its rule" in page
    assert "country DE (without it: 7 people more)" in page
    assert "quality 60 %" in page


def test_a_dialog_says_what_the_move_does_to_what_hangs_on_the_row(console: Client):
    page = console.get(address(Opportunity, "take_close", Opportunity.objects.get().pk)).content.decode()
    assert "withdraws live offers and invitations" in page


def test_only_the_steps_that_the_state_allows_are_offered(console: Client):
    page = console.get(address(Opportunity, "change", Opportunity.objects.get().pk))
    offered = {one["title"] for one in page.context["actions_detail"]}
    legal = set(OPPORTUNITY.legal("published", ActorKind.STAFF))
    assert {"Pause", "Close", "Suspend"} <= offered
    assert "Publish" not in offered
    assert legal <= {title.lower() for title in offered}


def test_actors_of_the_console_are_staff(rf, market: Market):
    from accounts.admin.steps import actor_of

    request = rf.get("/")
    request.user = market.staff
    request.request_id = "abcdef0123"
    assert actor_of(request) == Actor(user_id=market.staff.pk, is_staff=True, request_id="abcdef0123")


def test_staff_put_a_failed_digest_back_in_line(market: Market, console: Client):
    digest = Digest.objects.get()
    page = console.get(address(Digest, "change", digest.pk))
    assert "Try again" in page.content.decode()
    Digest.objects.update(attempts=8)
    response = console.post(
        address(Digest, "changelist"), {"action": "take_retry_selected", "_selected_action": [digest.pk]}
    )
    assert response.status_code == 302
    digest.refresh_from_db()
    assert (digest.state, digest.attempts) == ("pending", 0)
