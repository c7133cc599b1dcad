"""Does the audit log still say what it said?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.audit_signing import is_known, is_signed
from accounts.core.audit import DIGEST_BYTES, NOTHING_BEFORE, seal_digest
from accounts.models import AuditEntry, AuditSeal


@dataclass(frozen=True, slots=True)
class Chain:
    """What `verify` found. `broken` says what is wrong first, in the order of the chain; None where all holds.

    `entries` are sealed and hold; `unsealed` wait for the sealer, the oldest since `unsealed_since`. `head` is
    `number:digest` of the last seal, empty where there is none.
    """

    seals: int
    entries: int
    unsealed: int
    unsealed_since: datetime | None
    head: str
    broken: str | None


def verify_chain(*, known_head: str = "") -> Chain:
    """Read every seal and every entry, in the chain's order, up to the first that does not hold.

    `known_head` is a head, `number:digest`, that somebody noted outside the database: the chain must lead through it.
    Otherwise nobody can tell one whose end was cut off.
    """
    seals = entries = 0
    broken: str | None = None
    head: AuditSeal | None = None
    known_number, _, known_digest = known_head.partition(":")
    met = not known_head
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=100):
        broken = next(_faults(seal, head), None)
        if broken is None and str(seal.number) == known_number:
            met = seal.digest == known_digest
            broken = None if met else f"seal {seal.number} is not the one that was noted"
        if broken is not None:
            break
        head, seals, entries = seal, seals + 1, entries + len(seal.entry_ids)
    if broken is None and not met:
        broken = f"seal {known_number or known_head}, which was noted, is missing"
    if broken is None and head is not None and not is_known(head.key_id):
        broken = f"seal {head.number}, the last, is signed by a key that is not known"
    waiting = AuditEntry.objects.filter(seal=None)
    oldest = waiting.order_by("id").values_list("at", flat=True).first()
    return Chain(seals, entries, waiting.count(), oldest, f"{head.number}:{head.digest}" if head else "", broken)


def _faults(seal: AuditSeal, before: AuditSeal | None) -> Iterator[str]:
    """What is wrong with a seal and its entries, the first first."""
    expected = before.number + 1 if before else 1
    if seal.number != expected:
        yield f"seal {expected} is missing"
    if seal.previous != (before.digest if before else NOTHING_BEFORE):
        yield f"seal {seal.number} does not follow from the one before"
    digests = bytes(seal.entry_digests)
    digest = seal_digest(
        number=seal.number, previous=seal.previous, sealed_at=seal.sealed_at, ids=seal.entry_ids, digests=digests
    )
    if digest != seal.digest or len(digests) != DIGEST_BYTES * len(seal.entry_ids):
        yield f"seal {seal.number} was altered"
    if is_known(seal.key_id) and not is_signed(seal.digest, signature=seal.signature, key=seal.key_id):
        yield f"seal {seal.number} is not signed by us"
    yield from _faults_of_entries(seal, digests)


def _faults_of_entries(seal: AuditSeal, digests: bytes) -> Iterator[str]:
    found = {entry.pk: entry for entry in AuditEntry.objects.filter(seal=seal)}
    sealed = {pk: digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES] for place, pk in enumerate(seal.entry_ids)}
    for pk in sorted(sealed.keys() | found.keys()):
        if pk not in found:
            yield f"entry {pk} is missing from seal {seal.number}"
        elif pk not in sealed:
            yield f"entry {pk} was added to seal {seal.number}"
        elif found[pk].chained().digest() != sealed[pk]:
            yield f"entry {pk} of seal {seal.number} was altered"
