"""The same posted or registered twice is noticed, staff decide about it, and nobody else is told."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions.deliveries import deliver_due
from accounts.core.actor import Actor
from accounts.core.seal import new_key
from accounts.errors import IllegalTransition, NotFound, NotPermitted
from accounts.models import Delivery, Event, Transition, User
from marketplace.actions import duplicates, mails
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.duplicates import confirm_duplicate, dismiss_duplicate, notice_candidate, notice_opportunity
from marketplace.actions.opportunities import (
    LocationInput,
    OpportunityFields,
    close_opportunity,
    reopen_opportunity,
    suspend_opportunity,
    update_opportunity,
)
from marketplace.models import (
    Candidate,
    CandidateFingerprint,
    Notification,
    Opportunity,
    OpportunityFingerprint,
    SuspectedDuplicate,
)
from marketplace.queries.duplicates import bearers, nearest_postings
from tests.config.graphql_client import Asker
from tests.marketplace.core.test_similarity import ABOUT, PLUMBER, WELDER, shuffled
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    Recruiter,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_staff_actor,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    everything,
)
from tests.races.crowd import all_at_once

pytestmark = pytest.mark.django_db

PHONE = "+49 30 1234567"
SAME_PHONE = "0049 (0)30 123 45 67"
TABLES = [SuspectedDuplicate, OpportunityFingerprint, CandidateFingerprint, Event, Transition]


def notice() -> None:
    """What the worker does for the consumer."""
    while deliver_due("duplicates", NOW + DAY):
        pass
    assert not Delivery.objects.filter(consumer="duplicates").exclude(state="done").exists()


def pairs(**filters: Any) -> list[tuple[int, int]]:
    return sorted(pair.sides for pair in SuspectedDuplicate.objects.filter(**filters))


def edit(by: Recruiter, opportunity: Opportunity, **fields: Any) -> None:
    update_opportunity(
        actor=by.actor, opportunity_id=opportunity.public_id, fields=OpportunityFields(**fields), now=NOW
    )
    notice()


def two_postings(by: Recruiter) -> tuple[Opportunity, Opportunity, SuspectedDuplicate]:
    one, other = (a_published_opportunity(by, title="Welder", description=WELDER) for _ in range(2))
    notice()
    return one, other, SuspectedDuplicate.objects.get(kind="opportunity")


def two_profiles(**facts: Any) -> tuple[Candidate, Candidate, SuspectedDuplicate]:
    one, other = a_candidate(phone=PHONE, **facts), a_candidate(phone=SAME_PHONE, **facts)
    notice()
    return one, other, SuspectedDuplicate.objects.get(kind="candidate")


# Opportunities


def test_what_an_organisation_posts_twice_is_noticed_once_whatever_was_edited() -> None:
    works, rival = an_organisation(), an_organisation()
    first = a_published_opportunity(works, title="Welder, Berlin", description=WELDER)
    a_published_opportunity(rival, title="Welder, Berlin", description=WELDER)
    a_published_opportunity(works, title="Plumber", description=PLUMBER)
    again = a_draft(
        works,
        title="Welder (m/f/d) in Detmold",
        description=shuffled(WELDER.replace("Berlin", "Detmold").replace("26", "29")),
        locations=[LocationInput("allowed", "DE", "DE-NW", "Detmold")],
    )
    notice()
    pair = SuspectedDuplicate.objects.get()
    assert (pair.kind, pair.state, pair.sides) == ("opportunity", "open", (first.pk, again.pk))
    assert pair.strength >= 90
    assert pair.reasons == ["similar_text", "same_title"]
    event = Event.objects.get(aggregate_type="suspectedduplicate")
    assert (event.name, event.payload) == (
        "DuplicateSuspected", {"kind": "opportunity", "low": first.pk, "high": again.pk},
    )  # fmt: skip

    before = everything(TABLES)
    for opportunity in Opportunity.objects.all():
        notice_opportunity(opportunity.pk, NOW)
    assert everything(TABLES) == before


def test_tiny_drafts_do_not_flood_staff() -> None:
    works = an_organisation()
    for description in ("", "Nurse", "Nurse, nights. Start now.", "nurse " * 1_700, "🔥" * 99):
        a_draft(works, title="Nurse", description=description)
        a_draft(works, title="Nurse", description=description)
    notice()
    assert pairs() == []
    assert set(OpportunityFingerprint.objects.values_list("value", flat=True)) == {None}


def test_one_text_for_twelve_towns_makes_some_suspicions_and_not_all_sixty_six() -> None:
    works = an_organisation()
    for number in range(12):
        a_draft(works, title="Welder", description=WELDER.replace("Berlin", f"Town{number}"))
    notice()
    assert len(pairs()) == 0 + 1 + 2 + 9 * duplicates.MOST_OPEN
    newest = Opportunity.objects.latest("pk")
    assert len([pair for pair in pairs() if newest.pk in pair]) == duplicates.MOST_OPEN


def test_what_an_organisation_writes_everywhere_is_noticed_once_at_most() -> None:
    works = an_organisation()
    for title in ("Welder", "Plumber", "Cook", "Driver", "Nurse"):
        a_draft(works, title=title, description=ABOUT)
    notice()
    assert len(pairs()) == 1


def test_a_suspicion_stands_while_it_holds_and_while_both_are_compared() -> None:
    works = an_organisation()
    first, second, pair = two_postings(works)
    edit(works, second, title="Plumber", description=PLUMBER)
    assert pairs() == []
    names = Event.objects.filter(aggregate_type="suspectedduplicate", aggregate_id=pair.pk).order_by("sequence")
    assert [event.name for event in names] == ["DuplicateSuspected", "DuplicateSuspicionDropped"]

    edit(works, second, title="Welder", description=WELDER)
    assert pairs() == [(first.pk, second.pk)]
    close_opportunity(actor=works.actor, opportunity_id=first.public_id, now=NOW)
    notice()
    assert pairs() == []
    assert not first.fingerprints.exists()

    third = a_published_opportunity(works, title="Welder", description=WELDER)
    notice()
    assert pairs() == [(second.pk, third.pk)]  # what is posted again once it is over is posted once

    reopen_opportunity(actor=works.actor, opportunity_id=first.public_id, now=NOW)
    notice()
    assert (first.pk, third.pk) in pairs()


def test_what_staff_suspended_and_is_posted_again_is_noticed() -> None:
    works = an_organisation()
    taken_down = a_published_opportunity(works, title="Welder", description=WELDER)
    suspend_opportunity(actor=a_staff_actor(), opportunity_id=taken_down.public_id, now=NOW)
    again = a_published_opportunity(works, title="Welder", description=WELDER)
    notice()
    assert pairs() == [(taken_down.pk, again.pk)]


def test_a_dismissed_pair_comes_back_only_once_a_text_has_changed_materially() -> None:
    works = an_organisation()
    first, second, pair = two_postings(works)
    dismiss_duplicate(actor=a_staff_actor(), duplicate_id=pair.public_id, now=NOW)
    edit(works, second, description=shuffled(WELDER).replace("26", "27") + "\nCall us soon.")
    edit(works, second, description=PLUMBER)
    edit(works, second, description=WELDER)
    pair.refresh_from_db()
    assert (pair.state, pair.decided_at) == ("dismissed", NOW)

    for opportunity in (first, second):
        edit(works, opportunity, title="Plumber", description=PLUMBER)
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by, pair.decided_at) == ("open", None, None)
    moves = Transition.objects.filter(subject_type="suspectedduplicate", subject_id=pair.pk).order_by("pk")
    assert [(move.action, move.actor_kind) for move in moves] == [("dismiss", "staff"), ("suspect", "system")]


def test_a_confirmed_pair_stays_confirmed_whatever_happens() -> None:
    works = an_organisation()
    first, second, pair = two_postings(works)
    confirm_duplicate(actor=a_staff_actor(), duplicate_id=pair.public_id, now=NOW)
    edit(works, second, description=PLUMBER)
    close_opportunity(actor=works.actor, opportunity_id=first.public_id, now=NOW)
    notice()
    assert pairs(state="confirmed") == [(first.pk, second.pk)]


# Candidates


def test_who_registers_twice_is_noticed_by_contacts_and_by_name_with_other_facts() -> None:
    facts: dict[str, Any] = {"name": "Ann Lee", "country": "DE", "region": "DE-BE"}
    ann = a_candidate(user=a_user(email="ann.lee@gmail.com"), phone=PHONE, headline="Welder", **facts)
    mailbox = a_candidate(user=a_user(email="annlee+work@googlemail.com"), name="Bo")
    number = a_candidate(name="Cy", phone="030/1234567", country="DE")
    namesake = a_candidate(**facts, headline="welder!", phone="+49 30 7654321")
    a_candidate(name="Ann Lee", country="DE")  # a name and a country alone
    notice()
    found = {pair.sides: pair.reasons for pair in SuspectedDuplicate.objects.all()}
    assert found == {
        (ann.pk, mailbox.pk): ["same_email", "other_name"],
        (ann.pk, number.pk): ["same_phone", "other_name"],
        (ann.pk, namesake.pk): ["same_rare_name", "same_region", "same_job_title", "other_phone"],
    }
    before = everything(TABLES)
    for candidate in Candidate.objects.all():
        notice_candidate(candidate.pk, NOW)
    assert everything(TABLES) == before


def test_changed_facts_are_compared_anew_and_merged_profiles_no_more() -> None:
    ann, twin = a_candidate(linkedin="https://linkedin.com/in/ann"), a_candidate(phone=PHONE)
    notice()
    assert pairs() == []
    fields = CandidateFields(linkedin="https://de.linkedin.com/in/Ann/")
    update_candidate(actor=actor_of(twin), candidate_id=twin.public_id, fields=fields, now=NOW)
    notice()
    assert pairs() == [(ann.pk, twin.pk)]

    # A profile that staff suspended may come back under another login.
    Candidate.objects.filter(pk=twin.pk).update(suspended_at=NOW)
    again = a_candidate(phone=SAME_PHONE)
    notice()
    assert pairs() == [(ann.pk, twin.pk), (twin.pk, again.pk)]

    Candidate.objects.filter(pk=twin.pk).update(merged_into=ann)
    notice_candidate(twin.pk, NOW)
    assert pairs() == []
    assert not twin.fingerprints.exists()


def test_what_many_profiles_share_identifies_nobody() -> None:
    for _ in range(23):
        a_candidate(phone=PHONE)
    notice()
    shared = pairs()
    assert 0 < len(shared) <= 20 * duplicates.MOST_OPEN  # as long as it seemed to be few
    for candidate in Candidate.objects.all():
        notice_candidate(candidate.pk, NOW)
    assert pairs() == []


def test_a_dismissed_person_comes_back_only_with_more_that_speaks_for_one() -> None:
    one, other, pair = two_profiles(country="DE")
    dismiss_duplicate(actor=a_staff_actor(), duplicate_id=pair.public_id, now=NOW)
    for fields in (CandidateFields(headline="Welder"), CandidateFields(linkedin="https://linkedin.com/in/bo")):
        update_candidate(actor=actor_of(other), candidate_id=other.public_id, fields=fields, now=NOW)
        notice()
        pair.refresh_from_db()
        assert pair.state == "dismissed"
    fields = CandidateFields(linkedin="https://linkedin.com/in/bo/")
    update_candidate(actor=actor_of(one), candidate_id=one.public_id, fields=fields, now=NOW)
    notice()
    pair.refresh_from_db()
    assert (pair.state, pair.reasons) == ("open", ["same_linkedin", "same_phone", "other_name"])


def test_fingerprints_tell_nothing_without_the_key_and_go_with_the_person(settings: LazySettings) -> None:
    one, other, _ = two_profiles()
    mine, its = (set(row.fingerprints.values_list("value", flat=True)) for row in (one, other))
    assert len(mine & its) == 1
    settings.FIELD_INDEX_KEY = new_key()
    out = StringIO()
    call_command("duplicates", "--quiet", stdout=out)
    assert "0 opportunities, 2 candidates compared" in out.getvalue()
    assert not mine & set(one.fingerprints.values_list("value", flat=True))
    assert pairs() == [(one.pk, other.pk)]

    other.delete()
    assert pairs() == []
    assert set(CandidateFingerprint.objects.values_list("candidate", flat=True)) == {one.pk}


# Nobody is told


def test_registering_and_updating_answer_alike_with_and_without_a_twin() -> None:
    a_candidate(name="Ann Lee", phone=PHONE, linkedin="https://linkedin.com/in/ann", country="DE")
    notice()
    mine = "name headline country phone linkedin email revision discoverable openToOffers"
    answers, told = [], []
    for phone in (SAME_PHONE, "+49 40 7654321"):
        user = a_user(email=f"{'twin' if phone == SAME_PHONE else 'lone'}@example.org", name="Ann Lee")
        asker = Asker(user)
        given = {"phone": phone, "country": "DE", "headline": "Welder"}
        registered = asker.do("registerCandidate", given, mine, thing="Candidate")
        notice()
        updated = asker.do(
            "updateCandidate", {"linkedin": f"https://linkedin.com/in/{user.pk}"}, mine, thing="Candidate"
        )
        notice()
        again = asker.do("registerCandidate", given, mine, thing="Candidate")
        candidate = Candidate.objects.get(user=user)
        events = Event.objects.filter(aggregate_type="candidate", aggregate_id=candidate.pk).order_by("sequence")
        told.append([(event.name, event.payload) for event in events])
        answers.append([{**one, "phone": "", "linkedin": "", "email": ""} for one in (registered, updated, again)])
    assert len(pairs()) == 1
    assert answers[0] == answers[1]
    assert [one["__typename"] for one in answers[0]] == ["Candidate", "Candidate", "RegisterCandidateRefused"]
    assert told[0] == told[1]
    mails.send_due(NOW + DAY)
    assert not Notification.objects.exists()
    assert mail.outbox == []


def test_members_learn_of_neither() -> None:
    works = an_organisation()
    first, _, pair = two_postings(works)
    twins = two_profiles()
    application = an_application(first, twins[0])
    notice()
    about = (pair.public_id, twins[2].public_id)
    for actor in (works.actor, a_recruiter(works).actor, actor_of(twins[0]), Actor.anonymous()):
        for public_id in about:
            with pytest.raises(NotPermitted):
                confirm_duplicate(actor=actor, duplicate_id=public_id, now=NOW)
    assert not Notification.objects.exclude(event__aggregate_id=application.pk).exists()
    assert pairs(state="open") == sorted([pair.sides, twins[2].sides])


# Staff


def test_staff_decide_once_and_may_change_their_mind() -> None:
    _, _, pair = two_profiles()
    staff = a_staff_actor()
    for decide, state in ((dismiss_duplicate, "dismissed"), (confirm_duplicate, "confirmed")):
        decide(actor=staff, duplicate_id=pair.public_id, now=NOW + HOUR)
        before = everything(TABLES)
        with pytest.raises(IllegalTransition):
            decide(actor=staff, duplicate_id=pair.public_id, now=NOW + DAY)
        assert everything(TABLES) == before
        pair.refresh_from_db()
        assert (pair.state, pair.decided_by_id, pair.decided_at) == (state, staff.user_id, NOW + HOUR)
    with pytest.raises(NotFound):
        confirm_duplicate(actor=staff, duplicate_id=uuid4(), now=NOW)


def test_nobody_decides_about_themselves() -> None:
    clerk = a_user(is_staff=True)
    a_candidate(user=clerk, phone=PHONE)
    a_candidate(phone=PHONE)
    notice()
    pair = SuspectedDuplicate.objects.get()
    with pytest.raises(NotPermitted):
        dismiss_duplicate(actor=actor_of(clerk), duplicate_id=pair.public_id, now=NOW)
    assert pairs(state="open") == [pair.sides]


def address(row: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase"))
    return client


def test_the_console_shows_both_sides_with_reasons_and_takes_the_decision(console: Client) -> None:
    works = an_organisation()
    first, second, pair = two_postings(works)
    one, other, twins = two_profiles()
    figures = {figure.title: figure for figure in console.get(reverse("admin:index")).context["market_figures"]}
    assert figures["Suspected duplicates"].value == "2"

    page = console.get(address(pair, "changelist"), {"kind__exact": "candidate", "state__exact": "open"})
    shown = page.content.decode()
    assert all(address(row, "change", row.pk) in shown for row in (one, other))
    assert address(first, "change", first.pk) not in shown
    assert "the same telephone number" in shown

    for row in (first, second, one, other):
        page = console.get(address(row, "change", row.pk))
        waiting = f"{address(pair, 'changelist')}?q={row.public_id}&amp;state__exact=open"
        assert waiting in page.content.decode()
        found = console.get(address(pair, "changelist"), {"q": row.public_id, "state__exact": "open"})
        assert [each.sides for each in found.context["cl"].result_list] == [
            each.sides for each in (pair, twins) if row.pk in each.sides and each.kind == row._meta.model_name
        ]

    for step, row, state in (("dismiss", pair, "dismissed"), ("confirm", twins, "confirmed")):
        assert console.get(address(row, f"take_{step}", row.pk)).status_code == 200
        answer = console.post(address(row, f"take_{step}", row.pk), {"_form_submitted": "on"})
        assert "HX-Redirect" in answer.headers
        row.refresh_from_db()
        assert (row.state, str(row.decided_by)) == (state, "chief@muster.example")
    page = console.get(address(twins, "change", twins.pk)).content.decode()
    assert "Nothing was merged" in page
    assert "to decide" not in console.get(address(one, "change", one.pk)).content.decode()


def test_the_list_asks_as_much_of_eight_pairs_as_of_two(console: Client) -> None:
    works = an_organisation()

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert console.get(address(SuspectedDuplicate, "changelist")).status_code == 200
        return len(asked)

    def grow() -> None:
        rows = [a_draft(works) for _ in range(2)], [a_candidate() for _ in range(2)]
        for kind, (low, high) in zip(("opportunity", "candidate"), rows, strict=True):
            SuspectedDuplicate.objects.create(
                kind=kind, strength=90, reasons=["same_text"], found_at=NOW,
                **{f"low_{kind}": low, f"high_{kind}": high},
            )  # fmt: skip

    grow()
    statements()  # what is cached is cached
    two = statements()
    for _ in range(3):
        grow()
    assert statements() == two


# At once, at scale, and in the database


def notice_one(job: tuple[str, int]) -> str:
    kind, pk = job
    (notice_candidate if kind == "candidate" else notice_opportunity)(pk, NOW)
    return "noticed"


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_workers_who_notice_a_pair_at_once_leave_one_suspicion() -> None:
    works = an_organisation()
    for round_ in range(3):
        twins = [a_candidate(phone=f"+49 30 123456{round_}") for _ in range(2)]
        postings = [a_draft(works, title="Welder", description=f"{WELDER}\nRound {'i' * round_}.") for _ in range(2)]
        jobs = [("candidate", row.pk) for row in twins] + [("opportunity", row.pk) for row in postings]
        assert all_at_once(notice_one, jobs * 2, processes=4) == ["noticed"] * 8
        assert pairs(kind="candidate", low_candidate=twins[0]) == [(twins[0].pk, twins[1].pk)]
        assert (postings[0].pk, postings[1].pk) in pairs(kind="opportunity")


def test_every_look_up_is_served_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        nearest_postings(1, [1, 2, 3])
        bearers([1, 2, 3])
        list(SuspectedDuplicate.objects.of_candidate(1))
        list(SuspectedDuplicate.objects.of_opportunity(1))
        SuspectedDuplicate.objects.open().count()
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index" in plan, plan
        assert "Seq Scan" not in plan, plan


def test_what_was_there_before_is_noticed_by_the_command_and_by_a_second_run_not_again() -> None:
    works = an_organisation()
    for _ in range(2):
        a_draft(works, title="Welder", description=WELDER)
        a_candidate(phone=PHONE)
    out = StringIO()
    notice_candidate(Candidate.objects.latest("pk").pk, NOW)  # interrupted, as it were
    for _ in range(2):
        call_command("duplicates", "--quiet", stdout=out)
    call_command("duplicates", "--quiet", "--again", stdout=out)
    assert out.getvalue().splitlines() == [
        "duplicates: 2 opportunities, 1 candidates compared; 2 suspicions wait for staff",
        "duplicates: 0 opportunities, 0 candidates compared; 2 suspicions wait for staff",
        "duplicates: 2 opportunities, 2 candidates compared; 2 suspicions wait for staff",
    ]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"kind": "opportunity"}, "suspicion_is_of_two_of_a_kind_in_order"),
        ({"swapped": True}, "suspicion_is_of_two_of_a_kind_in_order"),
        ({"strength": 0}, "suspicion_strength_is_a_percentage"),
        ({"reasons": []}, "suspicion_has_a_reason"),
        ({"state": "confirmed"}, "suspicion_is_decided_or_open"),
        ({"state": "unheard", "decided_at": NOW}, "suspicion_state_is_known"),
        ({}, "one_suspicion_per_two_candidates"),
    ],
)
def test_the_database_states_what_a_suspicion_is(change: dict[str, Any], constraint: str) -> None:
    _, _, pair = two_profiles()
    low, high = pair.sides[::-1] if change.pop("swapped", False) else pair.sides
    row = {"kind": "candidate", "strength": 50, "reasons": ["same_phone"], "found_at": NOW}
    if constraint != "one_suspicion_per_two_candidates":
        pair.delete()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        SuspectedDuplicate.objects.create(low_candidate_id=low, high_candidate_id=high, **{**row, **change})
