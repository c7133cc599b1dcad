"""Telling people, in the app and by mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts.models import Event, User
from marketplace.actions.applications import reject_application
from marketplace.actions.mails import send_due
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import LeadInput
from marketplace.consumers import TELLINGS, notify
from marketplace.core.money import Pay
from marketplace.core.workflow import MACHINES
from marketplace.models import Notification, Offer
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_published_opportunity,
    a_recruiter,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
    recruiter_of,
)

pytestmark = pytest.mark.django_db


def told(name: str) -> list[tuple[User, str]]:
    """Who is told of the last event of a name, after telling it twice."""
    event = Event.objects.filter(name=name).latest("id")
    notify(event)
    notify(event)
    rows = Notification.objects.filter(event=event).order_by("user_id").select_related("user")
    return [(row.user, row.text) for row in rows]


def an_offer() -> Offer:
    application = an_application(a_published_opportunity(title="Welder"))
    return send_offer(
        actor=recruiter_of(application.opportunity),
        application_id=application.public_id,
        pay=Pay(Decimal(25), "EUR", "hour"),
        now=NOW,
    )


def test_the_invited_are_told_by_whom_to_what() -> None:
    works = an_organisation(name="Steel & Sons")
    invitation = an_invitation(a_published_opportunity(works, title="Welder"))

    assert told("InvitationSent") == [(invitation.candidate.user, "Steel & Sons invites you to apply: Welder")]


def test_all_who_recruit_are_told_of_an_application_and_the_lead_alone_where_there_is_one() -> None:
    works = an_organisation()
    colleague = a_recruiter(works)
    a_recruiter(works, role="observer")
    an_application(a_published_opportunity(works, title="Welder"))
    assert [user for user, _ in told("ApplicationSubmitted")] == [works.user, colleague.user]

    an_application(a_published_opportunity(works, lead=LeadInput(colleague.user.email)))
    assert [user for user, _ in told("ApplicationSubmitted")] == [colleague.user]


def test_whoever_did_it_is_not_told() -> None:
    works = an_organisation()
    candidate = a_candidate(user=a_recruiter(works).user)
    an_application(a_published_opportunity(works), candidate)

    assert [user for user, _ in told("ApplicationSubmitted")] == [works.user]


def test_a_rejection_tells_the_public_reason_and_never_the_note() -> None:
    application = an_application(a_published_opportunity(title="Welder"))
    reject_application(
        actor=recruiter_of(application.opportunity),
        application_id=application.public_id,
        reason="availability",
        note="smells",
        now=NOW,
    )

    [(user, text)] = told("ApplicationRejected")

    assert user == application.candidate.user
    assert text == "Your application was not successful: Welder. Hours or dates do not fit."


def test_offers_are_told_to_the_one_and_their_answers_to_the_others() -> None:
    offer = an_offer()
    [(user, text)] = told("OfferSent")
    assert user == offer.candidate.user
    assert text == "You have an offer: Welder. Please answer until 2027-03-04 09:00 UTC."

    accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=NOW)
    assert [text for _, text in told("OfferAccepted")] == ["An offer was accepted: Welder"]


def test_people_without_a_login_or_with_a_closed_one_are_not_told() -> None:
    invitation = an_invitation()
    assert invitation.candidate.user is not None
    invitation.candidate.user.is_active = False
    invitation.candidate.user.save()
    assert told("InvitationSent") == []
    invitation.candidate.user = None
    invitation.candidate.save()
    assert told("InvitationSent") == []


def test_long_titles_fit() -> None:
    an_application(a_published_opportunity(title="x" * 200))
    assert all(len(text) <= 300 for _, text in told("ApplicationSubmitted"))


def test_every_telling_is_of_an_event_that_there_is() -> None:
    moves = {move.event for machine in MACHINES for move in machine.moves.values()}
    others = {"InvitationSent", "ApplicationSubmitted", "OfferSent", "OfferProlonged", "PlacementTermsChanged"}
    others |= {"BackfillProposed"}  # by what decides, of an opportunity
    assert TELLINGS.keys() <= moves | others


def test_every_event_can_be_told() -> None:
    an_offer()
    for event in Event.objects.all():
        notify(event)


# Mail


@pytest.fixture
def notification() -> Notification:
    an_invitation(a_published_opportunity(title="Welder"))
    told("InvitationSent")
    return Notification.objects.get()


@pytest.fixture
def broken_mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(self: EmailBackend, messages: object) -> int:
        raise ConnectionRefusedError("no mail today")

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        yield


def test_a_mail_goes_out_once_under_a_stable_id(notification: Notification) -> None:
    assert send_due(NOW - timedelta(seconds=1)) == 0
    assert send_due(NOW) == 1
    assert send_due(NOW) == 0

    [message] = mail.outbox
    assert message.to == [notification.user.email]
    assert "Welder" in message.subject
    assert message.message()["Message-ID"] == f"<notification-{notification.public_id}@muster>"
    notification.refresh_from_db()
    assert (notification.mail_state, notification.mail_attempts) == ("sent", 1)


@pytest.mark.usefixtures("broken_mail")
def test_a_mail_that_fails_is_tried_again_later_and_given_up_after_eight_attempts(notification: Notification) -> None:
    now, waits = NOW, []
    for _ in range(8):
        assert send_due(now) == 1
        notification.refresh_from_db()
        waits.append((notification.mail_due_at - now).total_seconds())
        now = max(now, notification.mail_due_at)

    assert waits[:7] == [15, 30, 60, 120, 240, 480, 960]
    assert (notification.mail_state, notification.mail_attempts) == ("failed", 8)
    assert "no mail today" not in notification.mail_error  # what an error says may quote an address
    assert notification.mail_error.startswith("ConnectionRefusedError at ")
    assert send_due(now + timedelta(days=1)) == 0
    assert mail.outbox == []
