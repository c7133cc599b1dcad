"""What a person's answers change of them has them scored again; what is asked of them does not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.actions.deliveries import deliver_due
from marketplace.actions.candidates import CandidateFields, ExperienceInput, update_candidate
from marketplace.actions.invitations import decline_invitation, expire_invitation, withdraw_invitation
from marketplace.actions.offers import withdraw_offer
from marketplace.models import Candidate, Offer
from matching.models import CandidateProjection, Mark
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_invitation,
    recruiter_of,
)
from tests.marketplace.test_offers import accept, an_offer
from tests.matching.staging import work

pytestmark = pytest.mark.django_db


def marked() -> set[int]:
    """Candidates marked since the last time."""
    while deliver_due("rescoring", NOW + timedelta(days=60)):
        pass
    found = set(Mark.objects.filter(subject_type="candidate").values_list("subject_id", flat=True))
    Mark.objects.all().delete()
    return found


def quiet(candidate: Candidate) -> Candidate:
    marked()
    return candidate


def test_an_invitation_marks_nobody_until_it_is_answered() -> None:
    invitation = an_invitation(candidate=quiet(a_candidate()))
    assert marked() == set()
    decline_invitation(actor=actor_of(invitation.candidate), invitation_id=invitation.public_id, now=NOW)
    assert marked() == {invitation.candidate_id}


def test_an_invitation_that_runs_out_marks_whom_it_asked() -> None:
    invitation = an_invitation(candidate=quiet(a_candidate()))
    expire_invitation(invitation.pk, NOW + timedelta(days=30))
    assert marked() == {invitation.candidate_id}


def test_what_is_taken_back_marks_nobody() -> None:
    invitation = an_invitation(candidate=quiet(a_candidate()))
    withdraw_invitation(actor=recruiter_of(invitation.opportunity), invitation_id=invitation.public_id, now=NOW)
    offer = an_offer()
    marked()
    withdraw_offer(actor=recruiter_of(offer.opportunity), offer_id=offer.public_id, now=NOW)
    assert marked() == set()


def test_an_open_call_that_was_full_marks_who_said_yes() -> None:
    opportunity = a_published_opportunity()
    first, late = (an_offer(an_application(opportunity), kind=Offer.Kind.OPEN_CALL) for _ in range(2))
    accept(first)
    marked()
    accept(late)
    assert marked() == {late.candidate_id}


def test_the_projection_follows_answers_titles_and_texts() -> None:
    kubernetes = a_skill("Kubernetes", kind="technology")
    invitation = an_invitation(candidate=a_candidate(headline="Nurse"))
    candidate = invitation.candidate
    work()
    decline_invitation(actor=actor_of(candidate), invitation_id=invitation.public_id, now=NOW)
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=CandidateFields(
            resume_text="I know Kubernetes.", experiences=[ExperienceInput("Site engineer", date(2020, 1, 1))]
        ),
        now=NOW,
    )
    work()
    row = CandidateProjection.objects.get(pk=candidate.pk)
    assert (row.invitations_answered, row.invitations_received) == (1, 1)
    assert row.title_words == ["engineer", "nurse", "site"]
    assert row.mentioned_skills == [kubernetes.pk]
    assert row.last_active_on == NOW.date()
    assert "Kubernetes" not in str({field.name: getattr(row, field.name) for field in row._meta.fields})
