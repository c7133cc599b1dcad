"""Whoever seals the audit log, or texts under a new key, is killed before each step of it: a statement, its COMMIT, and
right after that. Nothing is lost, all can be read meanwhile, and the next one finishes."""

from __future__ import annotations

from itertools import count

import pytest
from django.conf import LazySettings

from accounts.actions import audit, resealing
from accounts.core.seal import new_key
from accounts.models import AuditEntry, IdempotencyRecord, User
from accounts.queries.audit import verify_chain
from marketplace.models import Candidate
from tests.chaos.steps import dies_at
from tests.live import eventually
from tests.marketplace.factories import NOW, a_candidate, a_user

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.soak]


def seal_in_batches() -> None:
    while audit.seal(NOW, limit=2):
        pass


def all_is_sealed() -> bool:
    """Nobody does while the database thinks that whoever was killed still does."""
    audit.seal_all(NOW)
    return verify_chain().unsealed == 0


def test_whoever_seals_the_audit_log_is_killed_at_every_step() -> None:
    killed = 0
    for step in count():
        recorded = [user.pk for user in (a_user() for _ in range(5))]
        actor = audit.Actor(user_id=recorded[0])
        audit.record_many(
            audit.AuditKind.LOGGED_IN, actor=actor, now=NOW, subjects=User.objects.filter(pk__in=recorded)
        )
        there = AuditEntry.objects.count()
        died = dies_at(step, seal_in_batches)
        chain = verify_chain()
        assert (chain.broken, chain.entries + chain.unsealed) == (None, there), step
        if not died:
            break
        killed += 1
        assert eventually(all_is_sealed, seconds=10), step
        assert verify_chain().broken is None, step
    assert killed > 20, "there are several batches to be killed in"


def test_whoever_seals_texts_anew_is_killed_at_every_step(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "AT_ONCE", 2)
    settings.FIELD_KEYS = [key := new_key()]
    for number in range(3):
        a_candidate(phone=f"+49 30 {number}", resume_text="I weld.", user=a_user(email=f"p{number}@example.org"))
    IdempotencyRecord.objects.create(
        principal="1", key="k", operation="do", fingerprint="x", leased_until=NOW, created_at=NOW, response="an answer"
    )

    def texts() -> list[tuple[str, ...]]:
        people = Candidate.objects.select_related("user").order_by("pk")
        answer = IdempotencyRecord.objects.get().response
        return [(one.phone, one.resume_text, one.user.email, answer) for one in people if one.user]

    written, killed = texts(), 0
    for step in count():
        settings.FIELD_KEYS = [newest := new_key(), key]
        died = dies_at(step, resealing.reseal)
        assert texts() == written, step
        assert [User.objects.get(email=email).email == email for *_, email, _ in written] == [True] * 3
        resealing.reseal()
        assert resealing.reseal() == resealing.Resealed(), step
        settings.FIELD_KEYS = [key := newest]
        assert texts() == written, f"{step}: nothing lies under the former key"
        if not died:
            break
        killed += 1
    assert killed > 20, "there are several tables and batches to be killed in"
