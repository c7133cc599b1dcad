"""Two organisations, two people who turned to them, and everything that hangs between them: what the matrix is tried
out on.

`ours` is the side of the candidate, owner, recruiter and observer who ask; `theirs` is that of the other organisation's
recruiter, and of somebody else. Around ours stand people at every step of getting to know an organisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.actions.deliveries import deliver_due
from accounts.actions.service_tokens import create_service_token
from accounts.api.nodes import KINDS
from accounts.models import Membership, User
from marketplace.access import kind_for
from marketplace.actions.applications import open_application, reject_application
from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    ExperienceInput,
    LanguageInput,
    SkillInput,
    update_candidate,
)
from marketplace.actions.groups import add_to_group, create_group
from marketplace.actions.invitations import accept_invitation
from marketplace.actions.offers import accept_offer, decline_offer, send_offer
from marketplace.actions.opportunities import LocationInput, QuestionInput, SkillTermInput
from marketplace.actions.placements import start_placement
from marketplace.actions.terms import LeadInput
from marketplace.actions.vetting import record_vetting
from marketplace.actions.waivers import waive_eligibility
from marketplace.core.money import Money, Pay
from marketplace.models import (
    Application,
    Candidate,
    Notification,
    Occupation,
    Offer,
    Opportunity,
    Placement,
    Skill,
    SkillLabel,
    WaitlistEntry,
)
from marketplace.queries.refusals import FactChange
from matching.actions.allocation import plan_allocation, solve_run
from matching.actions.asked import AskedFor
from matching.actions.saved_searches import save_search
from matching.core.rules import Disclosure
from matching.models import FoundOpportunity, Match
from tests.config.graphql_client import global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
    exchange_rates,
)
from tests.matching.staging import copy, work

PRINCIPALS = ("staff", "anonymous", "candidate", "owner", "recruiter", "observer", "rival")
DIFFERENT = tuple(one for one in PRINCIPALS if one != "recruiter")
"""Those of whom the short run makes do: what is own to the rival, a recruiter, tells what is own to ours."""

OURS, THEIRS, SOMEBODYS, NOBODYS = "ours", "theirs", "somebody's", "nobody's"
SECRET = "Zaphod"  # is in every text of a person that is not open to all


@dataclass(frozen=True)
class Specimen:
    """A row, whose it is, and in which respect it differs from others of its type."""

    type: str
    row: Any
    organisation: str  # ours, theirs, nobody's
    person: str
    variant: str = ""

    @property
    def id(self) -> str:
        return global_id(self.row)

    def is_own(self, principal: str) -> bool:
        """Whether it belongs to a principal. To those who belong nowhere, what is ours counts as own."""
        if principal == "candidate":
            return (self.organisation if self.person == NOBODYS else self.person) == OURS
        if self.organisation == NOBODYS and self.person == NOBODYS:
            return True
        return self.organisation == (THEIRS if principal == "rival" else OURS)

    def __str__(self) -> str:
        return f"{self.type}:{self.variant or self.organisation}/{self.person} #{self.row.pk}"


@dataclass
class Side:
    """One organisation with its people, and the candidate who turned to it."""

    name: str
    owner: Recruiter
    recruiter: Recruiter
    observer: Recruiter
    person: Candidate
    rows: dict[str, Any] = field(default_factory=dict)


class World:
    """Built once. `specimens` are all rows of all node types that there are."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now()
        self.skill: Skill = a_skill("welding", kind="skill", description="Joining metal.")
        self.craft: Skill = a_skill("secret craft")
        broad = a_skill("metalwork", kind="group")
        self.skill.broader_links.create(broader=broad)
        SkillLabel.objects.create(skill=self.skill, label="Schweißen", folded="schweissen")
        merged = a_skill("old welding", merged_into=self.skill)
        self.occupation = Occupation.objects.create(
            name="Welder", folded="welder", description="Welds.", isco_code="7212"
        )
        exchange_rates(now=self.now)
        self.staff: User = a_user(is_staff=True)
        self.elsewhere = an_organisation(now=self.now)
        self.specimens: dict[str, Specimen] = {}
        self._variants: dict[tuple[type, int], tuple[str, str, str]] = {
            (Skill, merged.pk): (NOBODYS, NOBODYS, "merged")
        }
        self.ours, self.theirs = self._side(OURS), self._side(THEIRS)
        self._people()
        self._opportunities()
        self._matched()
        self._register()

    def users(self) -> dict[str, User | None]:
        side = self.ours
        return {
            "anonymous": None,
            "candidate": side.person.user,
            "owner": side.owner.user,
            "recruiter": side.recruiter.user,
            "observer": side.observer.user,
            "rival": self.theirs.recruiter.user,
            "staff": self.staff,
        }

    # --- One side

    def a_person(self, **facts: Any) -> Candidate:
        """Somebody with all there is to say of a person."""
        said = {
            "headline": "Welder of frames",
            "phone": "+49 30 4711",
            "linkedin": "https://www.linkedin.com/in/zaphod",
            "resume_text": f"{SECRET} welds.",
            "country": "DE",
            "region": "DE-BE",
            "timezone": "Europe/Berlin",
            "work_starts_minute": 540,
            "work_ends_minute": 1020,
            "years_experience": Decimal(7),
            "weekly_hours": 40,
            "rate": Pay(Decimal(21), "EUR", "hour"),
            "commitments": ["full_time"],
            "available_from": date(2027, 1, 1),
            "open_to_offers": True,
            "blocked_organisation_ids": [self.elsewhere.organisation.public_id],
            "skills": [SkillInput(self.skill.public_id, 4, Decimal(3), date(2026, 1, 1))],
            "languages": [LanguageInput("de", 4)],
            "work_authorisations": [AuthorisationInput("DE", date(2030, 1, 1))],
            "experiences": [
                ExperienceInput(
                    title="Shipbuilder", employer=f"{SECRET} & Sons", starts_on=date(2020, 1, 1),
                    ends_on=date(2024, 1, 1), description=f"{SECRET} built ships.",
                )
            ],
        }  # fmt: skip
        person = a_candidate(user=a_user(name=f"{SECRET} Beeblebrox"), now=self.now, **{**said, **facts})
        person.experiences.update(occupation=self.occupation)
        return person

    def _side(self, name: str) -> Side:
        now, owner = self.now, an_organisation(now=self.now)
        owner.organisation.website, owner.organisation.country = "https://works.example", "DE"
        owner.organisation.save()
        recruiter, observer = a_recruiter(owner, now=now), a_recruiter(owner, role="observer", now=now)
        person = self.a_person()
        side = Side(name, owner, recruiter, observer, person)
        token, _ = create_service_token(
            actor=owner.actor, organisation_id=owner.organisation.public_id, name="Reports", scopes=["offers"], now=now
        )
        type(token).objects.update(last_used_at=now, revoked_at=now)
        record_vetting(
            actor=actor_of(self.staff),
            candidate_id=person.public_id,
            kind="references",
            passed=True,
            until=date(2030, 1, 1),
            now=now,
        )
        first = side.rows["hired at"] = self.an_opportunity(owner, title="Frames", seats=3)
        side.rows["hired"] = self._hired(side, first)
        second = side.rows["open"] = self.an_opportunity(owner, title="Hulls", seats=2)
        side.rows["application"] = application = an_application(
            second, person, answers={"why": "I weld."}, preference_rank=1, now=now
        )
        side.rows["offer"] = self.an_offer(owner, application, message="Come!")
        rejected = an_application(self.an_opportunity(owner, title="Gates"), person, answers={"why": "?"}, now=now)
        side.rows["rejected"] = reject_application(
            actor=owner.actor, application_id=rejected.public_id, reason="pay", note="Too dear.", now=now
        )
        self._overtaken(side)
        declined = an_application(self.an_opportunity(owner, title="Rails"), person, answers={"why": "?"}, now=now)
        decline_offer(
            actor=actor_of(person), offer_id=self.an_offer(owner, declined).public_id, reason="Too far.", now=now
        )
        self._waived(side)
        change = FactChange(
            subject="weekly_hours", key=None, path="rule", was="10", now="40", disclosure=Disclosure.ORGANISATION,
            refused_at=now, changed_at=now,
        )  # fmt: skip
        Application.objects.filter(pk=application.pk).update(changed_after_refusal=[change.to_json()])
        for variant in ("application", "rejected", "waived"):
            self._variants[Application, side.rows[variant].pk] = (name, name, variant)
        side.rows["group"] = group = create_group(
            actor=owner.actor, organisation_id=owner.organisation.public_id, name="Shortlist"
        )
        add_to_group(actor=owner.actor, group_id=group.public_id, candidate_id=person.public_id, now=now)
        query = AskedFor(
            text="weld", commitments=["full_time"], arrangements=["onsite"], countries=["DE"],
            skill_ids=[self.skill.public_id], organisation_id=owner.organisation.public_id,
            min_pay=Money(Decimal(1), "EUR"), max_pay=Money(Decimal(900_000), "EUR"), eligible_only=True,
        )  # fmt: skip
        search = save_search(actor=actor_of(person), query=query, now=now)
        FoundOpportunity.objects.create(search=search, opportunity=first, found_at=now, waits=False)
        type(search).objects.update(unsubscribed_at=now, frequency="none")
        return side

    def an_opportunity(self, by: Recruiter, *, seats: int = 1, rule: Any = None, **fields: Any) -> Opportunity:
        """One that says all there is to say."""
        rule = rule or {
            "any": [
                {"all": [{"skill": self.skill.pk, "minLevel": 2}, {"attribute": "country", "op": "eq", "value": "DE"}]},
                {"skill": self.craft.pk, "minLevel": 2, "disclosure": "organisation"},
            ]
        }
        said = {
            "description": "Weld frames of steel.",
            "occupation_id": self.occupation.public_id,
            "years_experience": Decimal(2),
            "timezone": "Europe/Berlin",
            "starts_on": date(2027, 2, 1),
            "ends_on": date(2027, 12, 1),
            "opens_at": self.now - timedelta(days=1),
            "closes_at": self.now + timedelta(days=90),
            "referral_reward": Money(Decimal(500), "EUR"),
            "weekly_hours": 10,
            "skills": [
                SkillTermInput(self.skill.public_id, required=True, weight=5, min_level=2, min_years=Decimal(1))
            ],
            "locations": [LocationInput("allowed", "DE", "DE-BE", "Berlin")],
            "questions": [QuestionInput(key="why", prompt="Why?", required=False)],
            "lead": LeadInput(by.user.email, "Foreman", "https://works.example/lead"),
        }
        return a_published_opportunity(by, now=self.now, seats=seats, rule=rule, **{**said, **fields})

    def an_offer(self, by: Recruiter, application: Application, **terms: Any) -> Offer:
        pay = Pay(Decimal(25), "EUR", "hour")
        return send_offer(actor=by.actor, application_id=application.public_id, pay=pay, now=self.now, **terms)

    def _hired(self, side: Side, opportunity: Opportunity) -> Placement:
        """Through an invitation, an application and an offer to work."""
        invitation = an_invitation(opportunity, side.person, now=self.now)
        type(invitation).objects.filter(pk=invitation.pk).update(message="Join us!")
        application = accept_invitation(actor=actor_of(side.person), invitation_id=invitation.public_id, now=self.now)
        offer = self.an_offer(side.owner, application)
        accept_offer(actor=actor_of(side.person), offer_id=offer.public_id, now=self.now)
        placement = Placement.objects.get(offer=offer)
        start_placement(actor=side.owner.actor, placement_id=placement.public_id, now=self.now)
        Placement.objects.filter(pk=placement.pk).update(end_reason="Moved.")
        return placement

    def _waived(self, side: Side) -> None:
        """An application that the rule would have refused."""
        hidden = {"attribute": "weekly_hours", "op": "gte", "value": 45, "disclosure": "organisation"}
        rule = {"all": [{"skill": self.craft.pk, "minLevel": 5}, hidden]}
        opportunity = self.an_opportunity(side.owner, title="Bridges", rule=rule)
        waive_eligibility(
            actor=side.owner.actor, opportunity_id=opportunity.public_id, candidate_id=side.person.public_id,
            reason="We know them.", until=self.now + timedelta(days=9), now=self.now,
        )  # fmt: skip
        side.rows["waived"] = an_application(opportunity, side.person, answers={"why": "?"}, now=self.now)

    def _overtaken(self, side: Side) -> None:
        """An open call that another answered first."""
        opportunity = self.an_opportunity(side.owner, title="Doors")
        other = self.a_person()
        self._variants[Candidate, other.pk] = (side.name, SOMEBODYS, "")
        offers = [
            self.an_offer(
                side.owner, an_application(opportunity, one, answers={"why": "?"}, now=self.now), kind="open_call"
            )
            for one in (other, side.person)
        ]
        for offer in offers:
            accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=self.now)
        assert WaitlistEntry.objects.filter(candidate=side.person).exists()

    # --- People at every step

    def _people(self) -> None:
        now, by, opportunity = self.now, self.ours.owner, self.ours.rows["open"]
        found, invited, allocated, shy, blocking, both, accepted = (
            self.a_person(discoverable=variant != "shy", name=f"{SECRET} {variant}")
            for variant in ("found", "invited", "allocated", "shy", "blocking", "both", "accepted")
        )
        self.people = {
            "found": found, "invited": invited, "allocated": allocated, "shy": shy, "blocking": blocking,
            "both": both, "accepted": accepted,
        }  # fmt: skip
        for variant, one in self.people.items():
            self._variants[Candidate, one.pk] = (NOBODYS if variant in ("found", "shy") else OURS, SOMEBODYS, variant)
        self.invitation = an_invitation(opportunity, invited, now=now)
        application = open_application(
            opportunity_pk=opportunity.pk,
            candidate_pk=allocated.pk,
            actor=by.actor,
            by=kind_for(by.actor, opportunity),
            now=now,
        )
        offer = self.an_offer(by, application, kind="open_call")
        decline_offer(actor=actor_of(allocated), offer_id=offer.public_id, reason="No.", now=now)
        an_application(opportunity, blocking, now=now)
        add_to_group(
            actor=by.actor, group_id=self.ours.rows["group"].public_id, candidate_id=blocking.public_id, now=now
        )
        fields = CandidateFields(blocked_organisation_ids=[by.organisation.public_id])
        update_candidate(actor=actor_of(blocking), candidate_id=blocking.public_id, fields=fields, now=now)
        an_application(opportunity, both, now=now)
        an_application(self.theirs.rows["open"], both, now=now)
        asked = an_invitation(opportunity, accepted, now=now)
        accept_invitation(actor=actor_of(accepted), invitation_id=asked.public_id, now=now)

    def _opportunities(self) -> None:
        """Of every visibility."""
        for side in (self.ours, self.theirs):
            for variant, made in {
                "draft": a_draft(side.owner, now=self.now, title="Draft"),
                "unlisted": self.an_opportunity(side.owner, visibility="unlisted"),
                "invited only": self.an_opportunity(side.owner, visibility="invited"),
            }.items():
                self._variants[Opportunity, made.pk] = (side.name, NOBODYS, variant)
                side.rows[variant] = made

    # --- What is computed

    def _matched(self) -> None:
        while deliver_due("notifications", self.now):
            pass
        work(self.now)
        copy(self.now)
        for side in (self.ours, self.theirs):
            run = plan_allocation(
                actor=side.owner.actor,
                organisation_id=side.owner.organisation.public_id,
                opportunity_ids=[side.rows["hired at"].public_id],
                now=self.now,
            )
            side.rows["run"] = solve_run(run.pk, self.now)

    # --- Whose everything is

    def _register(self) -> None:
        for kind in KINDS.values():
            for row in kind.model._default_manager.order_by("pk"):
                organisation, person, variant = self._whose(row)
                specimen = Specimen(kind.name, row, organisation, person, variant)
                self.specimens[specimen.id] = specimen

    def of(self, type_: str) -> Iterator[Specimen]:
        return (one for one in self.specimens.values() if one.type == type_)

    def specimen(self, row: Any) -> Specimen:
        return self.specimens[global_id(row)]

    def _whose(self, row: Model) -> tuple[str, str, str]:
        given = self._variants.get((type(row), row.pk))
        if given is not None:
            return given
        if isinstance(row, Candidate):
            side = self._person(row)
            return side, side, ""
        if isinstance(row, User):
            return self._user(row)
        if isinstance(row, Notification):
            organisation, person, kind = self._user(row.user)
            if kind != "member":
                return NOBODYS, person, ""
            return organisation, NOBODYS, f"to the {row.user.memberships.get().role}"
        organisation_id = self._organisation_id(row)
        organisation = {
            self.ours.owner.organisation.pk: OURS,
            self.theirs.owner.organisation.pk: THEIRS,
        }.get(organisation_id, NOBODYS if organisation_id is None else SOMEBODYS)
        variant = ""
        opportunity_id = getattr(row, "opportunity_id", None)
        if opportunity_id and (Opportunity, opportunity_id) in self._variants:
            variant = "of " + self._variants[Opportunity, opportunity_id][2]
        candidate = getattr(row, "candidate", None)
        if isinstance(row, Match) and candidate in (self.people["blocking"], self.people["shy"]):
            variant = "of " + self._variants[Candidate, candidate.pk][2]
        if candidate is None:
            return organisation, NOBODYS, variant
        person = self._person(candidate)
        if person == NOBODYS:
            person = SOMEBODYS
        return organisation, person, variant

    def _person(self, candidate: Candidate) -> str:
        return {self.ours.person.pk: OURS, self.theirs.person.pk: THEIRS}.get(candidate.pk, NOBODYS)

    def _user(self, user: User) -> tuple[str, str, str]:
        for side in (self.ours, self.theirs):
            if user.pk == side.person.user_id:
                return side.name, side.name, "candidate"
            if Membership.objects.filter(user=user, organisation=side.owner.organisation).exists():
                return side.name, NOBODYS, "member"
        if user.pk == self.staff.pk:
            return NOBODYS, NOBODYS, "staff"
        if Candidate.objects.filter(user=user).exists():
            return NOBODYS, SOMEBODYS, "candidate"
        return NOBODYS, NOBODYS, "elsewhere"

    @staticmethod
    def _organisation_id(row: Any) -> int | None:
        for path in ("organisation_id", "posting_organisation_id"):
            if hasattr(row, path):
                return getattr(row, path)
        if hasattr(row, "opportunity_id"):
            return int(row.opportunity.posting_organisation_id)
        return row.pk if type(row).__name__ == "Organisation" else None
