"""Bringing the demo market into the database: its people in bulk, its opportunities as drafts through the actions.

Every step looks for what it would create, so loading twice changes nothing. Development and tests only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from accounts.core.actor import Actor, ActorKind
from accounts.models import Delivery, Event, Membership, Organisation, User
from accounts.models.event import AggregateSequence
from accounts.subscriptions import consumers_of
from marketplace.actions.taxonomy import everyday_source, import_taxonomy
from marketplace.core.esco import read_esco
from marketplace.core.onet import read_onet
from marketplace.core.sources import TaxonomySource
from marketplace.demo.market import DemoCandidate, DemoMarket, DemoOrganisation, Profile
from marketplace.demo.people import RATES
from marketplace.demo.trades import CURATED
from marketplace.models import (
    Candidate,
    CandidateLanguage,
    CandidateSkill,
    ExchangeRate,
    ExchangeRateSet,
    Occupation,
    OccupationSkill,
    Opportunity,
    WorkAuthorisation,
    WorkExperience,
)

PASSWORD = "muster-demo-evening"  # printed by every run; people of development only
STAFF = "staff@muster.example"
STRANGER = "stranger@people.example"
RATE_SOURCE = "demo market"
_BATCH = 1_000

# ESCO's occupations for the market on real data: people and work that everybody can picture, office and workshop.
ESCO_OCCUPATIONS = (
    "software developer",
    "web developer",
    "database administrator",
    "data analyst",
    "data scientist",
    "ICT system administrator",
    "software tester",
    "user interface designer",
    "graphic designer",
    "video and motion picture editor",
    "technical communicator",
    "nurse responsible for general care",
    "healthcare assistant",
    "physiotherapist",
    "child care worker",
    "pharmacy assistant",
    "social worker",
    "warehouse worker",
    "forklift operator",
    "taxi driver",
    "cargo vehicle driver",
    "supply chain manager",
    "welder",
    "electrician",
    "plumber",
    "carpenter",
    "bricklayer",
    "construction manager",
    "computer numerical control machine operator",
    "chef",
    "waiter/waitress",
    "bartender",
    "hotel concierge",
    "room attendant",
    "accountant",
    "secretary",
    "call centre agent",
    "project manager",
    "recruitment consultant",
    "digital marketing manager",
)
# Usual pay by ISCO-08 major group, EUR per hour in Berlin.
_HOURLY = {"1": 40, "2": 34, "3": 26, "4": 20, "5": 17, "6": 17, "7": 22, "8": 19, "9": 15}
_REMOTE = ("25", "2166", "2641", "241", "242", "243", "1330")

Progress = Callable[[str, int], None]


def load_taxonomy(data: Path | None, *, now: datetime, progress: Progress) -> list[str]:
    """The curated list, or ESCO and O*NET with our everyday names. Raises BrokenSource."""
    sources: Iterable[TaxonomySource]
    if data is None:
        sources = (CURATED,)
    else:
        esco = read_esco(sorted((data / "esco").glob("*.zip")), progress)
        sources = (esco, read_onet(data / "onet", progress), everyday_source())
    return [
        f"{source.scheme}: {import_taxonomy(actor=Actor.system(), source=source, now=now, progress=progress)}"
        for source in sources
    ]


def profiles(*, real: bool) -> list[Profile]:
    """The occupations of the market with their skills, in a fixed order; the last is the one few people follow."""
    names = list(ESCO_OCCUPATIONS) if real else [row.name for row in CURATED.occupations]
    scheme = "esco" if real else "muster"
    found = {
        occupation.name: occupation
        for occupation in Occupation.objects.filter(sources__scheme=scheme, name__in=names).order_by("-pk")
    }
    skills: dict[int, tuple[list[int], list[int]]] = {}
    links = OccupationSkill.objects.filter(occupation__in=found.values(), skill__merged_into=None)
    for occupation_id, skill, essential in links.order_by("pk").values_list("occupation_id", "skill_id", "essential"):
        skills.setdefault(occupation_id, ([], []))[0 if essential else 1].append(skill)
    made = []
    for name in names:
        occupation = found.get(name)
        if occupation is None or len(skills.get(occupation.pk, ([], []))[0]) < 4:
            continue
        essential_skills, optional_skills = skills[occupation.pk]
        made.append(
            Profile(
                occupation.pk,
                name,
                tuple(essential_skills),
                tuple(optional_skills),
                hourly=_HOURLY.get(occupation.isco_code[:1], 22),
                remote=occupation.isco_code.startswith(_REMOTE),
            )
        )
    return made


def load_rates(today: date) -> bool:
    """One dated set of exchange rates, if there is none from this source."""
    if ExchangeRateSet.objects.filter(source=RATE_SOURCE).exists():
        return False
    with transaction.atomic():
        rates = ExchangeRateSet.objects.create(on=today, source=RATE_SOURCE)
        ExchangeRate.objects.bulk_create(
            ExchangeRate(rate_set=rates, currency=currency, per_euro=Decimal(rate)) for currency, rate in RATES.items()
        )
    return True


def _users(wanted: Sequence[tuple[str, str]], *, staff: bool = False) -> dict[str, User]:
    """E-mail → user; those missing are created with the one password, hashed once."""
    emails = [email for email, _ in wanted]
    there = _addresses_among(emails)
    hashed = make_password(PASSWORD)
    User.objects.bulk_create(
        [
            User(email=email, name=name, password=hashed, is_staff=staff, is_superuser=staff)
            for email, name in wanted
            if email not in there
        ],
        batch_size=_BATCH,
    )
    _verify_addresses(emails)
    return {user.email: user for user in User.objects.filter(email__in=emails)}


def _addresses_among(emails: Sequence[str]) -> set[str]:
    """Those with which somebody logs in."""
    return {user.email for user in User.objects.filter(email__in=emails).only("public_id", "email")}


def _verify_addresses(emails: Sequence[str]) -> None:
    """Demo addresses receive no mail, so nobody could confirm them at the first login."""
    from allauth.account.models import EmailAddress

    missing = User.objects.filter(email__in=emails).exclude(emailaddress__verified=True)
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, primary=True, verified=True) for user in missing],
        ignore_conflicts=True,
        batch_size=_BATCH,
    )


def append_events(rows: Sequence[models.Model], name: str, *, now: datetime) -> None:
    """The first event of each of many new rows, with its deliveries: what `events.append` does, for thousands."""
    if not rows:
        return
    aggregate_type = rows[0]._meta.model_name or ""
    AggregateSequence.objects.bulk_create(
        [AggregateSequence(aggregate_type=aggregate_type, aggregate_id=row.pk, last=1) for row in rows],
        batch_size=_BATCH,
    )
    events = Event.objects.bulk_create(
        [
            Event(
                aggregate_type=aggregate_type,
                aggregate_id=row.pk,
                sequence=1,
                name=name,
                payload={},
                actor_kind=ActorKind.SYSTEM,
                at=now,
            )
            for row in rows
        ],
        batch_size=_BATCH,
    )
    Delivery.objects.bulk_create(
        [Delivery(event=event, consumer=consumer, due_at=now) for event in events for consumer in consumers_of(name)],
        batch_size=_BATCH,
    )


def load_organisations(organisations: Sequence[DemoOrganisation], *, now: datetime, progress: Progress) -> int:
    there = set(Organisation.objects.values_list("slug", flat=True))
    missing = [each for each in organisations if each.slug not in there]
    with transaction.atomic():
        _users([(STAFF, "Muster Staff")], staff=True)
        users = _users([(person.email, person.name) for each in organisations for person in each.staff])
        made = Organisation.objects.bulk_create(
            [
                Organisation(name=each.name, slug=each.slug, country=each.country, currency=each.currency)
                for each in missing
            ]
        )
        Membership.objects.bulk_create(
            Membership(user=users[person.email], organisation=organisation, role=person.role)
            for each, organisation in zip(missing, made, strict=True)
            for person in each.staff
        )
        append_events(made, "OrganisationCreated", now=now)
    progress("organisations", len(organisations))
    return len(made)


def load_candidates(candidates: Sequence[DemoCandidate], *, now: datetime, progress: Progress) -> int:
    """Those whose login does not exist yet, with all their facts."""
    there = _addresses_among([each.email for each in candidates])
    missing = [each for each in candidates if each.email not in there]
    for start in range(0, len(missing), _BATCH):
        with transaction.atomic():
            _create_candidates(missing[start : start + _BATCH], now)
        progress("candidates", min(start + _BATCH, len(missing)))
    with transaction.atomic():
        users = _users([(STRANGER, "Sam Stranger")])
        stranger, created = Candidate.objects.get_or_create(
            user=users[STRANGER], defaults={"name": "Sam Stranger", "discoverable": False}
        )
        if created:
            append_events([stranger], "CandidateRegistered", now=now)
    return len(missing)


def _create_candidates(candidates: Sequence[DemoCandidate], now: datetime) -> None:
    users = _users([(each.email, each.name) for each in candidates])
    rows = Candidate.objects.bulk_create(
        Candidate(
            user=users[each.email],
            name=each.name,
            headline=each.headline,
            country=each.town.country,
            region=each.town.region,
            latitude=each.town.latitude,
            longitude=each.town.longitude,
            timezone=each.town.timezone,
            work_starts_minute=each.work_starts_minute,
            work_ends_minute=each.work_ends_minute,
            years_experience=each.years_experience,
            weekly_hours=each.weekly_hours,
            rate_amount=each.rate,
            rate_currency=each.town.currency,
            rate_period="hour",
            commitments=list(each.commitments),
            available_from=each.available_from,
            discoverable=each.discoverable,
            open_to_offers=each.open_to_offers,
            created_at=now,
        )
        for each in candidates
    )
    pairs = list(zip(rows, candidates, strict=True))
    CandidateSkill.objects.bulk_create(
        [
            CandidateSkill(
                candidate=row, skill_id=fact.skill, level=fact.level, years=fact.years, last_used_on=fact.last_used_on
            )
            for row, each in pairs
            for fact in each.skills
        ],
        batch_size=5_000,
    )
    CandidateLanguage.objects.bulk_create(
        CandidateLanguage(candidate=row, language=language, level=level)
        for row, each in pairs
        for language, level in each.languages
    )
    WorkAuthorisation.objects.bulk_create(
        WorkAuthorisation(candidate=row, country=country, expires_on=expires_on)
        for row, each in pairs
        for country, expires_on in each.authorisations
    )
    WorkExperience.objects.bulk_create(
        WorkExperience(
            candidate=row,
            title=each.headline.partition(",")[0],
            occupation_id=each.occupation,
            starts_on=date(max(1980, now.year - max(1, int(each.years_experience))), 1, 1),
        )
        for row, each in pairs
    )
    append_events(rows, "CandidateRegistered", now=now)


def demo_people(*, now: datetime) -> dict[str, User]:
    """Who stands for whom in scripts and on the screen; empty before the market was loaded."""
    owned = Organisation.objects.filter(memberships__role=Membership.Role.OWNER).order_by("pk").iterator()
    ours = (each for each in owned if User.objects.filter(email=f"owner@{each.slug}.example").exists())
    first, other = next(ours, None), next(ours, None)
    if first is None or other is None or settings.PRODUCTION:
        return {}
    seekers = Candidate.objects.filter(open_to_offers=True, suspended_at=None).exclude(user=None)
    people = (each.user for each in seekers.order_by("pk").select_related("user").iterator() if each.user)
    candidate = next(
        (user for user in people if user.email.endswith("@people.example") and user.email != STRANGER), None
    )
    if candidate is None:
        return {}
    return {
        "staff": User.objects.get(email=STAFF),
        "owner": User.objects.get(email=f"owner@{first.slug}.example"),
        "recruiter": User.objects.get(email=f"recruiter@{first.slug}.example"),
        "observer": User.objects.get(email=f"observer@{first.slug}.example"),
        "rival": User.objects.get(email=f"recruiter@{other.slug}.example"),
        "candidate": candidate,
        "stranger": User.objects.get(email=STRANGER),
    }


def missing_drafts(market: DemoMarket) -> list[int]:
    """Places in `market.opportunities` of those that are not there yet, known by organisation and title."""
    there: dict[tuple[str, str], int] = {}
    slugs = [each.slug for each in market.organisations]
    for key in Opportunity.objects.filter(posting_organisation__slug__in=slugs).values_list(
        "posting_organisation__slug", "title"
    ):
        there[key] = there.get(key, 0) + 1
    missing = []
    for number, job in enumerate(market.opportunities):
        key = (job.organisation, job.title)
        if there.get(key, 0):
            there[key] -= 1
        else:
            missing.append(number)
    return missing
