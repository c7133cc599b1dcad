"""What was found goes out by mail: when it was asked for, once, and no more once somebody has had enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from threading import Barrier

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.core.actor import Actor
from accounts.errors import NotFound, NotPermitted
from accounts.models import Event, User
from marketplace.actions.opportunities import PayBandInput, close_opportunity, reopen_opportunity, update_opportunity
from marketplace.actions.terms import OpportunityFields
from marketplace.models import Candidate, Opportunity
from matching.actions import digests
from matching.actions.alerts import alert
from matching.actions.asked import AskedFor
from matching.actions.digests import make_up_due, retry_digest, send_due
from matching.actions.saved_searches import delete_saved_search, update_saved_search
from matching.actions.unsubscribing import token_of
from matching.models import Digest, FoundOpportunity, SavedSearch
from matching.queries.saved_searches import SAVED_SEARCHES
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_staff_actor,
    an_application,
    an_organisation,
    everything,
    recruiter_of,
)
from tests.matching.test_saved_searches import owner_of, saved

pytestmark = pytest.mark.django_db

TOMORROW = datetime(2027, 3, 2, 7, tzinfo=UTC)
MONDAY = datetime(2027, 3, 8, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _no_searches_of_the_last_test() -> None:
    SAVED_SEARCHES.forget()


@pytest.fixture
def broken_mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(self: EmailBackend, messages: object) -> int:
        raise ConnectionRefusedError("no mail today")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        yield


def an_alert(now=NOW, **fields) -> Opportunity:
    """Something new that all searches are put to."""
    opportunity = a_published_opportunity(now=now, **fields)
    alert(opportunity.pk, now)
    return opportunity


def deliver(now: datetime) -> list[mail.EmailMessage]:
    """What beat has done by a moment; the mails that it sent."""
    before = len(mail.outbox)
    make_up_due(now)
    send_due(now)
    return mail.outbox[before:]


def a_digest(**fields) -> Digest:
    """A digest of one opportunity, made up and not yet sent."""
    saved(**{"frequency": "immediately", **fields})
    an_alert()
    make_up_due(NOW + timedelta(minutes=1))
    return Digest.objects.get()


def stop_link(message: mail.EmailMessage) -> str:
    match = re.fullmatch(r"<http://localhost:8000(/unsubscribe/.+)>", message.extra_headers["List-Unsubscribe"])
    assert match is not None
    return match[1]


def test_mails_go_out_as_often_as_they_were_asked_for():
    often = {
        frequency: saved(a_candidate(timezone=zone), frequency=frequency)
        for frequency, zone in {"immediately": "", "daily": "Europe/Berlin", "weekly": "", "none": ""}.items()
    }
    an_alert()
    an_alert(now=NOW + 10 * SECOND)
    email = {frequency: [search.candidate.user.email] for frequency, search in often.items()}
    assert deliver(NOW + 29 * SECOND) == []
    assert [one.to for one in deliver(NOW + 30 * SECOND)] == [email["immediately"]]
    assert deliver(TOMORROW - timedelta(hours=1, seconds=1)) == []
    assert [one.to for one in deliver(TOMORROW - timedelta(hours=1))] == [email["daily"]]
    assert deliver(MONDAY - SECOND) == []
    assert [one.to for one in deliver(MONDAY)] == [email["weekly"]]
    assert all(one.subject == "2 new opportunities: welder" for one in mail.outbox)
    assert deliver(MONDAY + 30 * DAY) == []
    assert Digest.objects.filter(state="sent").count() == FoundOpportunity.objects.exclude(digest=None).count() / 2 == 3


def test_a_mail_says_what_is_new_and_how_to_stop_it():
    search = saved(frequency="immediately", text="welder", countries=["DE"])
    bands = [
        PayBandInput(Decimal(20), Decimal(30), "EUR", "hour", ["DE"]),
        PayBandInput(Decimal(25), Decimal("32.5"), "EUR", "hour"),
        PayBandInput(Decimal(90_000), Decimal(90_000), "USD", "year", ["US"]),
    ]
    opportunity = an_alert(by=an_organisation(name="Steel & Sons"), pay_bands=bands)
    [message] = deliver(NOW + DAY)
    stop = f"http://localhost:8000/unsubscribe/{token_of(search)}"
    assert message.subject == "One new opportunity: welder · Germany"
    assert message.body == (
        "One new opportunity for your search “welder · Germany”:\n\n"
        "Welder\n"
        "Steel & Sons · 20–32.5 EUR an hour or 90,000 USD a year\n"
        f"http://localhost:8000/opportunities/{opportunity.reference}\n\n"
        "You get these mails as soon as something is found. To stop them:\n"
        f"{stop}\n"
    )
    headers = message_from_bytes(message.message().as_bytes(), policy=policy.default)
    assert headers["Message-ID"] == f"<digest-{Digest.objects.get().public_id}@muster>"
    assert headers["List-Unsubscribe"].strip() == f"<{stop}>"  # it is long, and so folded
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_crash_between_the_mail_and_its_mark_sends_it_again_under_the_same_id(monkeypatch):
    digest = a_digest()

    class Killed(BaseException):
        pass

    def die(self, *args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Digest, "save", die)
        with pytest.raises(Killed):
            send_due(NOW + DAY)
    digest.refresh_from_db()
    assert (digest.state, digest.attempts) == ("pending", 0)
    other = an_alert(now=NOW + DAY)
    assert send_due(NOW + DAY) == 1
    first, second = mail.outbox
    assert first.message()["Message-ID"] == second.message()["Message-ID"]
    assert first.body == second.body
    assert other.reference not in second.body
    assert send_due(NOW + DAY) == 0


@pytest.mark.usefixtures("broken_mail")
def test_a_mail_that_fails_is_tried_again_later_and_given_up_and_staff_put_it_back():
    digest, now, waits = a_digest(), NOW + DAY, []
    with pytest.raises(NotFound):
        retry_digest(actor=a_staff_actor(), digest_id=digest.public_id, now=now)
    for _ in range(8):
        assert send_due(now) == 1
        digest.refresh_from_db()
        waits.append((digest.due_at - now).total_seconds())
        now = max(now, digest.due_at)
    assert waits[:7] == [15, 30, 60, 120, 240, 480, 960]
    assert (digest.state, digest.attempts) == ("failed", 8)
    assert digest.last_error.startswith("ConnectionRefusedError at ")
    assert send_due(now + DAY) == 0
    with pytest.raises(NotPermitted):
        retry_digest(actor=Actor(), digest_id=digest.public_id, now=now)
    assert retry_digest(actor=a_staff_actor(), digest_id=digest.public_id, now=now).state == "pending"
    assert send_due(now) == 1


def test_one_that_fails_holds_up_no_other(monkeypatch):
    first, second = saved(frequency="immediately"), saved(frequency="immediately")
    an_alert()
    make_up_due(NOW + DAY)
    SavedSearch.objects.filter(pk=first.pk).update(query={"text": "welder", "pay": {}})
    assert send_due(NOW + DAY) == 2
    assert [one.to for one in mail.outbox] == [[second.candidate.user.email]]
    assert dict(Digest.objects.values_list("search_id", "state")) == {first.pk: "pending", second.pk: "sent"}


def test_what_is_gone_by_then_is_not_told_and_an_empty_mail_is_not_sent():
    search = saved(frequency="daily")
    gone, kept, applied, renamed = an_alert(), an_alert(), an_alert(), an_alert()
    close_opportunity(actor=recruiter_of(gone), opportunity_id=gone.public_id, now=NOW)
    an_application(applied, search.candidate)
    fields = OpportunityFields(title="Baker", description="Bakes.")
    update_opportunity(actor=recruiter_of(renamed), opportunity_id=renamed.public_id, fields=fields, now=NOW)
    [message] = deliver(TOMORROW)
    assert re.findall("OPP-[0-9A-Z]{8}", message.body) == [kept.reference]
    assert message.subject == "One new opportunity: welder"
    assert list(search.found.values_list("opportunity_id", flat=True)) == [kept.pk]

    close_opportunity(actor=recruiter_of(kept), opportunity_id=kept.public_id, now=NOW)
    last = an_alert()
    close_opportunity(actor=recruiter_of(last), opportunity_id=last.public_id, now=NOW)
    assert deliver(TOMORROW + DAY) == []
    assert list(Digest.objects.values_list("state", flat=True)) == ["dropped", "sent"]
    for one in (last, kept):  # what was never told may be found again, what was told may not
        reopen_opportunity(actor=recruiter_of(one), opportunity_id=one.public_id, now=TOMORROW + DAY)
        alert(one.pk, TOMORROW + DAY)
    [message] = deliver(TOMORROW + 2 * DAY)
    assert re.findall("OPP-[0-9A-Z]{8}", message.body) == [last.reference]


def test_what_is_too_much_for_a_mail_is_left_to_the_app(monkeypatch):
    monkeypatch.setattr(digests, "MOST_TOLD", 2)
    search = saved()
    _, second, third = an_alert(), an_alert(), an_alert()
    [message] = deliver(TOMORROW)
    assert re.findall("OPP-[0-9A-Z]{8}", message.body) == [third.reference, second.reference]
    assert search.found.filter(waits=False).count() == 3
    assert deliver(TOMORROW + DAY) == []


def test_only_what_they_are_eligible_for_at_that_moment_is_told():
    person = a_candidate(country="DE")
    saved(person, text="welder", eligible_only=True)
    an_alert(rule={"attribute": "country", "op": "eq", "value": "DE"})
    an_alert()
    Candidate.objects.filter(pk=person.pk).update(country="FR")
    [message] = deliver(TOMORROW)
    assert message.subject.startswith("One new opportunity")


def test_nobody_gets_a_mail_who_has_gone_or_had_enough():
    def gone(search: SavedSearch) -> None:
        Candidate.objects.filter(pk=search.candidate_id).update(suspended_at=NOW)

    def closed(search: SavedSearch) -> None:
        User.objects.filter(pk=search.candidate.user_id).update(is_active=False)

    def erased(search: SavedSearch) -> None:
        Candidate.objects.filter(pk=search.candidate_id).update(user=None)

    def silent(search: SavedSearch) -> None:
        update_saved_search(actor=owner_of(search), search_id=search.public_id, frequency="none", now=NOW)

    def unsubscribed(search: SavedSearch) -> None:
        Client().post(f"/unsubscribe/{token_of(search)}")

    def other(search: SavedSearch) -> None:
        query = AskedFor(text="fitter")
        update_saved_search(actor=owner_of(search), search_id=search.public_id, query=query, now=NOW)

    for leave in (gone, closed, erased, silent, unsubscribed, other):
        for is_made_up in (False, True):
            search = saved(frequency="immediately")
            an_alert()
            if is_made_up:
                make_up_due(NOW + DAY)
            leave(search)
            assert deliver(NOW + DAY) == [], leave
    assert set(Digest.objects.values_list("state", flat=True)) == {"dropped"}


def test_a_deleted_search_takes_its_digests_along():
    digest = a_digest()
    search = digest.search
    delete_saved_search(actor=owner_of(search), search_id=search.public_id, now=NOW)
    assert send_due(NOW + DAY) == 0
    assert not Digest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_up_one_digest_and_send_one_mail():
    searches = [saved(frequency="immediately") for _ in range(5)]
    an_alert()
    together = Barrier(2)

    def beat(number: int) -> int:
        try:
            together.wait()
            made = make_up_due(NOW + DAY)
            together.wait()
            return made + send_due(NOW + DAY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(beat, range(2))) == 2 * len(searches)
    assert sorted(one.to[0] for one in mail.outbox) == sorted(one.candidate.user.email for one in searches)
    assert Digest.objects.filter(state="sent", attempts=1).count() == len(searches)


def test_a_digest_takes_as_many_statements_for_six_opportunities_as_for_one():
    def statements(found: int) -> int:
        person = a_candidate(country="DE")
        saved(person, frequency="immediately", text="welder", eligible_only=True)
        for _ in range(found):
            an_alert(rule={"attribute": "country", "op": "eq", "value": "DE"})
        with CaptureQueriesContext(connection) as captured:
            assert len(deliver(NOW + DAY)) == 1
        Candidate.objects.filter(pk=person.pk).update(suspended_at=NOW)
        return len(captured)

    statements(1)
    assert statements(1) == statements(6)


# Unsubscribing


def mailed() -> tuple[SavedSearch, str]:
    """A search of which a mail has gone out, and the link in it."""
    search = saved(frequency="immediately")
    an_alert()
    [message] = deliver(NOW + DAY)
    return search, stop_link(message)


def test_looking_at_the_link_changes_nothing_and_posting_to_it_stops_the_mails_at_once():
    search, link = mailed()
    an_alert()
    browser = Client(enforce_csrf_checks=True)
    before = everything([SavedSearch, FoundOpportunity, Event])
    for response in (browser.get(link), browser.head(link)):
        assert response.status_code == 200
    page = browser.get(link).content.decode()
    assert '<form method="post">' in page
    assert search.name not in page
    assert everything([SavedSearch, FoundOpportunity, Event]) == before

    response = browser.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    assert not response.cookies
    assert response["Cache-Control"].startswith("max-age=0")
    search.refresh_from_db()
    assert (search.frequency, search.due_at) == ("none", None)
    assert search.unsubscribed_at is not None
    assert deliver(NOW + 9 * DAY) == []
    assert "<form" not in browser.get(link).content.decode()
    event = Event.objects.get(name="SavedSearchUnsubscribed")
    assert (event.aggregate_id, event.actor_id, event.payload) == (search.pk, None, {})

    before = everything([SavedSearch, FoundOpportunity, Event])
    assert browser.post(link).status_code == 200
    assert everything([SavedSearch, FoundOpportunity, Event]) == before
    update_saved_search(actor=owner_of(search), search_id=search.public_id, frequency="weekly", now=NOW)
    search.refresh_from_db()
    assert search.unsubscribed_at is None
    assert search.found.filter(waits=True).count() == 0
    assert browser.post(link).status_code == 200
    search.refresh_from_db()
    assert search.frequency == "none"


def test_the_link_works_for_whoever_cannot_log_in():
    search, link = mailed()
    Candidate.objects.filter(pk=search.candidate_id).update(suspended_at=NOW)
    User.objects.filter(pk=search.candidate.user_id).update(is_active=False)
    assert Client().post(link).status_code == 200
    search.refresh_from_db()
    assert search.frequency == "none"


def test_forged_garbled_and_outlived_links_lead_to_the_same_page():
    search, link = mailed()
    other = saved()
    token, foreign = link.rpartition("/")[2], token_of(other)
    links = [
        token[:-1] + ("a" if token[-1] != "a" else "b"),
        foreign.partition(".")[0] + "." + token.partition(".")[2],
        token.partition(".")[0],
        "." + token.partition(".")[2],
        str(search.public_id),
        "x" * 3000,
        "%00",
        "ä.ö",
    ]
    delete_saved_search(actor=owner_of(other), search_id=other.public_id, now=NOW)
    links.append(foreign)
    before = everything([SavedSearch, Event])
    pages = set()
    for one in links:
        for response in (Client().get(f"/unsubscribe/{one}"), Client().post(f"/unsubscribe/{one}")):
            assert response.status_code == 404
            pages.add(re.sub('nonce="[^"]+"', "", response.content.decode()))
    assert len(pages) == 1
    assert everything([SavedSearch, Event]) == before
    assert Client().put(link).status_code == 405
