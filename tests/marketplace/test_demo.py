"""The demo market: the same from the same seed, loaded once, and never in production."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts.login.tokens import valid_access_token
from accounts.models import Delivery, Event, User
from accounts.subscriptions import consumers_of
from marketplace.demo.market import Profile, draw_market
from marketplace.models import Candidate, Opportunity, Seat, Skill

ADVERTS = Path(__file__).parent / "adverts"
PROFILES = [
    Profile(n, f"trade {n}", tuple(range(n * 10, n * 10 + 6)), tuple(range(n * 10 + 6, n * 10 + 10))) for n in range(5)
]


def test_a_seed_gives_the_same_market_and_another_seed_another() -> None:
    one, same, other = (draw_market(PROFILES, seed=seed, today=date(2027, 3, 1), candidates=50) for seed in (1, 1, 2))

    assert one == same != other
    assert len({person.email for person in one.candidates}) == 50
    assert len(one.opportunities) == 60
    assert all(band.minimum <= band.maximum for job in one.opportunities for band in job.bands)


def test_some_opportunities_are_hard_on_purpose() -> None:
    market = draw_market(PROFILES, seed=1, today=date(2027, 3, 1), candidates=100)
    contested = [job for job in market.opportunities if "compete" in job.note]

    assert sum(job.seats for job in contested) > sum(person.occupation == 4 for person in market.candidates)
    assert any("nobody" in job.note for job in market.opportunities)


def load() -> str:
    out = StringIO()
    call_command("load_demo", "--quiet", "--candidates", "20", "--opportunities", "8", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_loading_twice_changes_nothing_and_every_event_has_its_deliveries() -> None:
    load()
    before = [model._default_manager.count() for model in (User, Candidate, Opportunity, Skill, Seat, Event)]

    assert "0 organisations, 0 candidates, 0 drafts added" in load()

    assert [model._default_manager.count() for model in (User, Candidate, Opportunity, Skill, Seat, Event)] == before
    assert Opportunity.objects.filter(state="draft").count() == 8
    registered = Event.objects.filter(name="CandidateRegistered")
    assert registered.count() == Candidate.objects.count() == 21
    assert Delivery.objects.filter(event__in=registered).count() == 21 * len(consumers_of("CandidateRegistered"))


@pytest.mark.django_db
def test_the_demo_market_is_refused_in_production(settings: LazySettings) -> None:
    settings.PRODUCTION, settings.DEVELOPMENT = True, False

    for command in ("load_demo", "demo_people"):
        with pytest.raises(CommandError):
            call_command(command)

    assert not User.objects.exists()


@pytest.mark.django_db
def test_demo_people_carry_tokens_that_let_them_in(settings: LazySettings) -> None:
    load()
    settings.DEVELOPMENT = True
    out = StringIO()
    call_command("demo_people", stdout=out)
    people = json.loads(out.getvalue())

    assert set(people) == {"staff", "owner", "recruiter", "observer", "rival", "candidate", "stranger"}
    for person in people.values():
        user = valid_access_token(person["token"]).user
        assert user.email == person["email"]
        assert user.check_password(person["password"])


@pytest.mark.django_db
def test_an_advert_becomes_a_draft_once() -> None:
    load()
    out = StringIO()
    for _ in range(2):
        call_command("import_advert", ADVERTS / "cities.txt", stdout=out)

    (draft,) = Opportunity.objects.filter(title="Product Designer")
    assert draft.state == "draft"
    assert draft.description == (ADVERTS / "cities.txt").read_text().strip()
    places = sorted(place.place for band in draft.pay_bands.all() for place in band.places.all())
    assert places == ["DE-BE/Berlin", "FR/Paris", "US-NY/New York"]
    assert set(draft.skills.values_list("name", flat=True)) == {"Figma", "user research"}
    assert "not read   work arrangement" in out.getvalue()


@pytest.mark.django_db
def test_an_unreadable_advert_leaves_nothing_behind(tmp_path: Path) -> None:
    load()
    (tmp_path / "bad.txt").write_bytes(b"Cook\n\xff\xfe")
    before = Opportunity.objects.count()

    with pytest.raises(CommandError, match=r"bad\.txt, line 2: not UTF-8"):
        call_command("import_advert", ADVERTS / "nurse.txt", tmp_path / "bad.txt")

    assert Opportunity.objects.count() == before
