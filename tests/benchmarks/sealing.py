"""What sealing costs whoever writes and reads a profile."""

from __future__ import annotations

import time
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from config.bench import Measured, benchmark
from marketplace.actions.candidates import CandidateFields, register_candidate, update_candidate
from marketplace.models import Candidate
from tests.marketplace.factories import actor_of

RESUME = "Welded frames of ships, read drawings, led a team of four, trained apprentices. " * 40  # 3,200 letters
ROUNDS = 300


def _profile(number: int) -> dict[str, str]:
    return {
        "phone": f"+49 30 {1_000_000 + number}",
        "linkedin": f"https://www.linkedin.com/in/ann-{number}",
        "resume_text": f"{number} {RESUME}",
    }


@benchmark("sealing.profile", unit="µs")
def profile() -> Measured:
    """Two contacts and a résumé of 3,200 letters, sealed and opened; against `update_candidate` that writes them, in
    all. The database is rolled back."""
    fields = {name: Candidate._meta.get_field(name) for name in _profile(0)}
    candidate = Candidate(public_id=uuid4())
    begun = time.perf_counter()
    for number in range(ROUNDS):
        for name, text in _profile(number).items():
            candidate.__dict__[name] = fields[name].sealed(candidate, text)  # type: ignore[union-attr]
            candidate.__dict__[name].text = None
            assert getattr(candidate, name) == text
    sealing = (time.perf_counter() - begun) / ROUNDS
    with transaction.atomic():
        user = User.objects.create_user(f"{uuid4()}@example.org", name="Ann")
        actor = actor_of(user)
        row = register_candidate(actor=actor, fields=CandidateFields(name="Ann"), now=timezone.now())
        begun = time.perf_counter()
        for number in range(ROUNDS):
            given = CandidateFields(**_profile(number))  # type: ignore[arg-type]
            update_candidate(actor=actor, candidate_id=row.public_id, fields=given, now=timezone.now())
        writing = (time.perf_counter() - begun) / ROUNDS
        transaction.set_rollback(True)
    return Measured(value=sealing * 1e6, baseline=writing * 1e6, baseline_name="update_candidate that writes them")
