"""Every mass change has exactly those scored whom it affects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actions.deliveries import deliver_due
from accounts.actions.events import append
from accounts.core.actor import ActorKind
from accounts.models import User
from marketplace.actions.terms import PayBandInput, SkillTermInput
from marketplace.core.money import Pay
from marketplace.models import Candidate, Opportunity, Skill, SkillBroader, TaxonomyRevision
from matching.actions import mass, projection
from matching.actions.mass import jobs, working
from matching.actions.models import promote_model
from matching.core.scoring import DEFAULT_MODEL
from matching.models import Mark, Match, Rescore, RescoreChunk, ScoringModel, Segment
from matching.queries.affected import NEW_DAY, SETTLED_AT_MOST
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    an_organisation,
    exchange_rates,
)
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = pytest.mark.django_db

Phase = RescoreChunk.Phase


def told(now: datetime = NOW + timedelta(hours=1)) -> None:
    while deliver_due("rescoring", now):
        pass


def planned(now: datetime = NOW) -> dict[Phase, set[int]]:
    """What the re-scoring that waits is about, by phase, once it has begun."""
    assert not Mark.objects.exists()
    jobs.begun(now)
    found: dict[Phase, set[int]] = {}
    for chunk in RescoreChunk.objects.filter(rescore__state="running"):
        ids = found.setdefault(Phase(chunk.phase), set())
        assert ids.isdisjoint(chunk.ids), "nobody comes twice"
        ids.update(chunk.ids)
    return found


def keys(*rows: Candidate | Opportunity) -> set[int]:
    return {row.pk for row in rows}


def revise(changed: list[str], *skills: int) -> None:
    revision = TaxonomyRevision.objects.create(number=TaxonomyRevision.objects.count() + 100, summary="by hand", at=NOW)
    payload = {"changed": changed, "skills": list(skills)}
    append(revision, "TaxonomyRevised", actor=a_staff_actor(), by=ActorKind.STAFF, now=NOW, payload=payload)
    told()


# Models


def a_model(version: str, segment: Segment) -> ScoringModel:
    return ScoringModel.objects.create(
        segment=segment, version=version, definition=DEFAULT_MODEL.to_json() | {"version": version}
    )


def test_a_model_of_one_segment_affects_the_opportunities_of_that_segment_and_nobody_else() -> None:
    skill = a_skill()
    remote, onsite = asking_for(skill, arrangement="remote"), asking_for(skill, arrangement="onsite")
    skilled(skill)
    work()
    segment = Segment.objects.create(
        name="remote", position=1, rule={"attribute": "arrangement", "op": "eq", "value": "remote"}
    )
    model = a_model("for-remote", segment)
    promote_model(actor=a_staff_actor(), model_id=model.public_id, now=NOW)
    told()
    assert planned() == {Phase.SCORE: keys(remote)}
    mass.work_all(NOW)
    assert dict(Match.objects.values_list("opportunity", "model__version")) == {
        remote.pk: "for-remote",
        onsite.pk: "linear-2",
    }


def test_a_model_affects_no_draft_and_nothing_that_nobody_is_matched_with() -> None:
    skill = a_skill()
    opportunity = asking_for(skill)
    asking_for(skill, rule={"attribute": "country", "op": "eq", "value": "XK"})
    a_draft()
    skilled(skill, country="DE")
    work()
    segment = Segment.objects.get()
    promote_model(actor=a_staff_actor(), model_id=a_model("later-2", segment).public_id, now=NOW)
    told()
    assert planned() == {Phase.SCORE: keys(opportunity)}


def test_until_its_turn_comes_the_matches_of_an_opportunity_stay_comparable(monkeypatch) -> None:
    monkeypatch.setattr("django.conf.settings.RESCORE_CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(working, "_sizes", {})
    skill = a_skill()
    first, second = asking_for(skill), asking_for(skill)
    skilled(skill, 5)
    work()
    new = a_model("later-2", Segment.objects.get())
    promote_model(actor=a_staff_actor(), model_id=new.public_id, now=NOW)
    told()
    mass.work(NOW, paced=False)
    late = skilled(skill, 4)
    told()
    from matching.actions import rescoring

    rescoring.drain_all(NOW)
    by = set(Match.objects.values_list("opportunity", "model__version"))
    assert by == {(first.pk, "later-2"), (second.pk, "linear-2")}
    assert late.pk in best(first)
    assert late.pk in best(second)
    mass.work_all(NOW)
    assert set(Match.objects.values_list("model__version", flat=True)) == {"later-2"}


# The taxonomy


def test_merging_two_skills_affects_those_who_hold_them_and_those_that_ask_for_them() -> None:
    gone, kept, other = a_skill(), a_skill(), a_skill()
    asks_gone, asks_kept, asks_other = asking_for(gone), asking_for(kept, level=5), asking_for(other)
    named = a_published_opportunity(rule={"skill": kept.pk, "minLevel": 1})
    holds_gone, holds_kept, holds_other = skilled(gone, 5), skilled(kept), skilled(other)
    work()
    assert best(asks_kept)[0] == holds_kept.pk
    Skill.objects.filter(pk=gone.pk).update(merged_into=kept)
    revise(["merged_into"], gone.pk, kept.pk)
    assert planned() == {
        Phase.PROJECT: keys(holds_gone, holds_kept),
        Phase.SCORE: keys(asks_gone, asks_kept, named),
    }
    untouched = list(Match.objects.filter(opportunity=asks_other).order_by("pk").values())
    mass.work_all(NOW)
    assert best(asks_kept)[0] == holds_gone.pk
    assert set(best(named)) == {holds_gone.pk, holds_kept.pk}
    assert list(Match.objects.filter(opportunity=asks_other).order_by("pk").values()) == untouched
    assert holds_other.pk in best(asks_other)


def test_a_skill_put_below_another_affects_rules_that_count_narrower_kinds() -> None:
    broad, narrow, other = a_skill(), a_skill(), a_skill()
    counts = a_published_opportunity(rule={"skill": broad.pk, "minLevel": 1, "narrower": True})
    asking_for(other)
    holds = skilled(narrow)
    skilled(other)
    work()
    assert not best(counts)
    SkillBroader.objects.create(skill=narrow, broader=broad)
    revise(["broader_links"], narrow.pk, broad.pk)
    found = planned()
    assert found[Phase.SCORE] == keys(counts)
    assert found[Phase.PROJECT] == keys(holds)
    mass.work_all(NOW)
    assert best(counts) == [holds.pk]


@pytest.mark.parametrize("changed", [["description"], ["sources"], ["isco_code", "description"]])
def test_what_no_score_depends_on_affects_nobody(changed) -> None:
    skilled(a_skill())
    work()
    revise(changed)
    assert not Rescore.objects.exists()
    assert not Mark.objects.exists()


@pytest.mark.parametrize("changed", [["name"], ["labels", "merged_into"], []])
def test_names_may_stand_in_anybodys_texts(changed) -> None:
    opportunity, candidate = asking_for(a_skill()), a_candidate()
    a_draft()
    work()
    revise(changed)
    assert planned() == {Phase.PROJECT: keys(candidate), Phase.SCORE: keys(opportunity)}


def test_the_console_tells_both_ends_of_what_was_merged_and_linked(client: Client) -> None:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase"))
    skill, merged, above, former = a_skill("weld"), a_skill("join"), a_skill("metal"), a_skill("craft")
    SkillBroader.objects.create(skill=skill, broader=former)
    page = reverse("admin:marketplace_skill_change", args=[skill.pk])
    form = client.get(page).context["adminform"].form
    sent = {name: form.initial.get(name) or "" for name in form.fields} | {"merged_into": merged.pk}
    link = skill.broader_links.get()
    sent |= {
        "labels-TOTAL_FORMS": "0", "labels-INITIAL_FORMS": "0", "sources-TOTAL_FORMS": "0",
        "sources-INITIAL_FORMS": "0", "broader_links-TOTAL_FORMS": "2", "broader_links-INITIAL_FORMS": "1",
        "broader_links-0-id": link.pk, "broader_links-0-skill": skill.pk, "broader_links-0-broader": former.pk,
        "broader_links-0-DELETE": "on", "broader_links-1-skill": skill.pk, "broader_links-1-broader": above.pk,
    }  # fmt: skip
    answer = client.post(page, sent)
    assert answer.status_code == 302, answer.context["errors"]
    told()
    job = Rescore.objects.get()
    assert job.scopes == [{"kind": "skills", "ids": sorted([skill.pk, merged.pk, above.pk, former.pk])}]


# Rates


def test_new_rates_affect_those_paid_in_what_changed() -> None:
    exchange_rates({"USD": Decimal("1.1"), "GBP": Decimal("0.85")})
    skill = a_skill()
    dollars = skilled(skill, rate=Pay(Decimal(50), "USD", "hour"))
    skilled(skill, rate=Pay(Decimal(50), "GBP", "hour"))
    skilled(skill, rate=Pay(Decimal(50), "EUR", "hour"))
    skilled(skill)
    term = [SkillTermInput(skill.public_id, required=True, weight=5, min_level=1)]
    in_dollars = a_published_opportunity(skills=term, pay_bands=[PayBandInput(Decimal(20), Decimal(90), "USD", "hour")])
    a_published_opportunity(skills=term, pay_bands=[PayBandInput(Decimal(20), Decimal(90), "EUR", "hour")])
    work()
    exchange_rates({"USD": Decimal("1.3"), "GBP": Decimal("0.85")}, now=NOW + timedelta(minutes=1))
    told()
    assert planned() == {Phase.SETTLE: keys(dollars), Phase.SCORE: keys(in_dollars)}
    before = dict(Match.objects.filter(candidate=dollars).values_list("opportunity", "rate_set"))
    mass.work_all(NOW)
    after = dict(Match.objects.filter(candidate=dollars).values_list("opportunity", "rate_set"))
    assert before.keys() == after.keys()
    assert set(before.values()).isdisjoint(after.values())


def test_new_rates_that_say_the_same_affect_nobody() -> None:
    exchange_rates()
    skilled(a_skill(), rate=Pay(Decimal(50), "USD", "hour"))
    a_published_opportunity()
    work()
    exchange_rates(now=NOW + timedelta(minutes=1))
    told()
    assert planned() == {}


def test_where_many_are_paid_otherwise_they_are_copied_and_everything_open_is_scored(monkeypatch) -> None:
    monkeypatch.setattr("matching.queries.affected.SETTLED_AT_MOST", 1)
    assert SETTLED_AT_MOST > 1
    exchange_rates()
    skill = a_skill()
    people = [skilled(skill, rate=Pay(Decimal(50), "USD", "hour")) for _ in range(2)]
    skilled(skill)
    opportunity = asking_for(skill)
    work()
    exchange_rates({"USD": Decimal("2"), "GBP": Decimal("0.85")}, now=NOW + timedelta(minutes=1))
    told()
    assert planned() == {Phase.PROJECT: keys(*people), Phase.SCORE: keys(opportunity)}


# Days


def test_another_day_has_everything_open_scored_and_those_copied_whose_clock_has_moved() -> None:
    summer = datetime(2026, 6, 15, 12, tzinfo=UTC)
    moved, stays = a_candidate(timezone="Europe/Berlin"), a_candidate(timezone="Asia/Kolkata")
    a_candidate()
    opportunity = a_published_opportunity()
    work()
    projection.refresh([moved.pk, stays.pk], summer)
    winter = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
    mass.start(cause="day", scopes=[NEW_DAY], since=winter, now=winter)
    assert planned(winter) == {Phase.PROJECT: keys(moved), Phase.SCORE: keys(opportunity)}


def test_rates_published_ahead_take_hold_with_their_day() -> None:
    exchange_rates()
    dollars = a_candidate(rate=Pay(Decimal(50), "USD", "hour"))
    a_candidate(rate=Pay(Decimal(50), "EUR", "hour"))
    work()
    from marketplace.actions.rates import publish_rates

    tomorrow = NOW + timedelta(days=1)
    publish_rates(
        actor=a_staff_actor(),
        on=tomorrow.date(),
        source="bank",
        rates={"USD": Decimal(2), "GBP": Decimal("0.85")},
        now=NOW,
    )
    told()
    assert planned() == {}
    mass.work_all(NOW)
    mass.start(cause="day", scopes=[NEW_DAY], since=tomorrow, now=tomorrow)
    assert planned(tomorrow) == {Phase.PROJECT: keys(dollars)}


def test_what_happens_at_once_is_one_work() -> None:
    exchange_rates()
    opportunity, _ = asking_for(a_skill(), an_organisation()), skilled(a_skill())
    work()
    Rescore.objects.all().delete()
    exchange_rates({"USD": Decimal(9)}, now=NOW + timedelta(minutes=1))
    revise(["name"])
    mass.start(cause="day", scopes=[NEW_DAY], since=NOW, now=NOW)
    waiting = Rescore.objects.get(state="queued")
    assert waiting.superseded.count() == Rescore.objects.exclude(pk=waiting.pk).count() > 0
    assert planned()[Phase.SCORE] == keys(opportunity)
