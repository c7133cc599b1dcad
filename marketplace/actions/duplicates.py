"""Duplicates: noticing what looks like one posting, or one person, twice, and what staff decide about it.

Nobody but staff is told: the events are those of the suspicion, never of the rows that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotFound, NotPermitted
from accounts.field_keys import blind
from marketplace.access import kind_for
from marketplace.core import identity, similarity
from marketplace.core.similarity import Likeness
from marketplace.core.workflow import SUSPICION, SuspicionState
from marketplace.models import CandidateFingerprint, OpportunityFingerprint, SuspectedDuplicate
from marketplace.queries.duplicates import bearers, nearest_postings, people, postings

MOST_OPEN = 3
"""Open suspicions that noticing a row adds up to: a text posted for thirty towns makes some dozens, not hundreds."""

_INDEX = "marketplace.duplicates"
# The first of the two halves of an advisory lock's key: "dupo" and "dupc".
_TURNS = {SuspectedDuplicate.Kind.OPPORTUNITY: 0x64_75_70_6F, SuspectedDuplicate.Kind.CANDIDATE: 0x64_75_70_63}

Fingerprint = TypeVar("Fingerprint", OpportunityFingerprint, CandidateFingerprint)


def opportunity_method() -> int:
    """What opportunities' present fingerprints are made with."""
    return similarity.METHOD


def candidate_method() -> int:
    """The same of candidates. It changes with the key."""
    return _keyed(("method", str(identity.METHOD))) >> 32


def notice_opportunity(opportunity_id: int, now: datetime) -> None:
    """Compare an opportunity with those of its organisation that say much of the same. Twice is once.

    Of one that is closed, or gone, only what staff decided remains.
    """
    kind = SuspectedDuplicate.Kind.OPPORTUNITY
    with transaction.atomic():
        _take_turns(kind, opportunity_id)
        posting = postings([opportunity_id]).get(opportunity_id)
        values = similarity.fingerprints(posting) if posting else []
        before = OpportunityFingerprint.objects.filter(opportunity=opportunity_id)
        make = partial(OpportunityFingerprint, opportunity_id=opportunity_id, made_with=opportunity_method())
        _renew(before, [make(value=value) for value in _or_none(values, posting)])
        pairs = _pairs(SuspectedDuplicate.objects.of_opportunity(opportunity_id), opportunity_id)
        compared: dict[int, similarity.Posting] = {}
        found: dict[int, Likeness] = {}
        if posting and values:
            compared = postings({*nearest_postings(opportunity_id, values), *pairs})
            found = similarity.likenesses(posting, compared)
            compared[opportunity_id] = posting
        _suspect(kind, opportunity_id, pairs, found, now, sketch=lambda pk: similarity.sketch(compared[pk]))


def notice_candidate(candidate_id: int, now: datetime) -> None:
    """Compare a candidate with those who share a contact, or the name and another fact. Twice is once.

    Of one who was merged into another, or is gone, only what staff decided remains.
    """
    kind = SuspectedDuplicate.Kind.CANDIDATE
    with transaction.atomic():
        _take_turns(kind, candidate_id)
        person = people([candidate_id]).get(candidate_id)
        values = {signal: _keyed(signal) for signal in identity.signals(person)} if person else {}
        before = CandidateFingerprint.objects.filter(candidate=candidate_id)
        make = partial(CandidateFingerprint, candidate_id=candidate_id, made_with=candidate_method())
        _renew(before, [make(value=value) for value in _or_none(values.values(), person)])
        pairs = _pairs(SuspectedDuplicate.objects.of_candidate(candidate_id), candidate_id)
        found: dict[int, Likeness] = {}
        if person and values:
            counted, sharing = bearers(values.values())
            shared_by = {signal: counted[value] for signal, value in values.items()}
            worth_comparing = {*sharing, *pairs} - {candidate_id}
            found = {
                pk: alike
                for pk, other in (people(worth_comparing) if worth_comparing else {}).items()
                if (alike := identity.likeness(person, other, bearers=shared_by))
            }
        _suspect(kind, candidate_id, pairs, found, now)


def bearers_of_contact(text: str) -> list[int]:
    """Inner ids of those, not too many, who have a contact: a whole e-mail address, a telephone number in international
    form or the address of a LinkedIn profile. One statement; none where the text is no contact."""
    values = [_keyed(signal) for signal in identity.contacts(text)]
    return sorted(bearers(values)[1]) if values else []


def _keyed(signal: identity.Signal) -> int:
    """A hash of 64 bits with a sign, which nobody makes without the key of this installation's indexes."""
    return int.from_bytes(blind(_INDEX, signal)[:8], "big", signed=True)


def _or_none(values: Iterable[int], compared: object) -> list[int | None]:
    """For a row that is compared and says too little, one fingerprint that nobody shares: it has been looked at."""
    return list(values) or ([None] if compared else [])


def _take_turns(kind: SuspectedDuplicate.Kind, subject_id: int) -> None:
    """Whoever notices a row reads it after those before them are done with it, and writes what it says last. The row
    itself stays unlocked: nobody waits for this who is not noticing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_TURNS[kind], subject_id % (2**31 - 1)])


def _renew(there: QuerySet[Fingerprint], wanted: list[Fingerprint]) -> None:
    """Replace fingerprints, and have those who come with the same ones wait: of two rows that are noticed at the same
    time, the later then sees the earlier."""
    values = sorted({row.value for row in wanted if row.value is not None})
    with connection.cursor() as cursor:
        # In the array's order, the same for everybody, so that nobody waits in a circle.
        cursor.execute("SELECT pg_advisory_xact_lock(value) FROM unnest(%s::bigint[]) AS value", [values])
    before = {(row.value, row.made_with): row.pk for row in there}
    after = {(row.value, row.made_with): row for row in wanted}
    if gone := [pk for key, pk in before.items() if key not in after]:
        there.filter(pk__in=gone).delete()
    there.model._default_manager.bulk_create([row for key, row in after.items() if key not in before])


def _pairs(suspected: QuerySet[SuspectedDuplicate], subject_id: int) -> dict[int, SuspectedDuplicate]:
    """What is known of a row by inner id of the other, locked."""
    locked = suspected.select_for_update(no_key=True).order_by("pk")
    return {pair.other_than(subject_id): pair for pair in locked}


def _suspect(
    kind: SuspectedDuplicate.Kind,
    subject_id: int,
    pairs: Mapping[int, SuspectedDuplicate],
    found: Mapping[int, Likeness],
    now: datetime,
    *,
    sketch: Callable[[int], bytes] = lambda pk: b"",
) -> None:
    """Bring the `pairs` of a row in line with what was `found`, both by inner id of the other. What holds no longer is
    dropped, what staff decided stays, and what they dismissed comes back only with something new."""
    still_open = 0
    for other_id, pair in pairs.items():
        if pair.state == SuspicionState.OPEN and other_id in found:
            still_open += 1
        elif pair.state == SuspicionState.OPEN:
            _tell(pair, "DuplicateSuspicionDropped", now)
            pair.delete()
    for other_id, alike in sorted(found.items(), key=lambda one: (-one[1].strength, -one[0])):
        low_id, high_id = sorted((subject_id, other_id))
        told = {
            "strength": alike.strength,
            "reasons": list(alike.reasons),
            "low_sketch": sketch(low_id),
            "high_sketch": sketch(high_id),
        }
        known = pairs.get(other_id)
        if known is not None:
            _suspect_again(known, told, now)
        elif still_open < MOST_OPEN:
            still_open += 1
            sides = {f"low_{kind}_id": low_id, f"high_{kind}_id": high_id}
            pair = SuspectedDuplicate.objects.create(kind=kind, found_at=now, **sides, **told)
            _tell(pair, "DuplicateSuspected", now)


def _suspect_again(pair: SuspectedDuplicate, told: dict[str, Any], now: datetime) -> None:
    if pair.state == SuspicionState.OPEN:
        SuspectedDuplicate.objects.filter(pk=pair.pk).update(**told)
        return
    is_news = (
        identity.says_more(told["reasons"], pair.reasons)
        or similarity.has_changed_materially(bytes(pair.low_sketch), told["low_sketch"])
        or similarity.has_changed_materially(bytes(pair.high_sketch), told["high_sketch"])
    )
    if pair.state == SuspicionState.DISMISSED and is_news:
        undecided = {"decided_by_id": None, "decided_at": None, "found_at": now}
        system = Actor.system()
        move(pair, SUSPICION, "suspect", actor=system, by=ActorKind.SYSTEM, now=now, extra_fields={**undecided, **told})


def _tell(pair: SuspectedDuplicate, event: str, now: datetime) -> None:
    low_id, high_id = pair.sides
    payload = {"kind": pair.kind, "low": low_id, "high": high_id}
    append(pair, event, actor=Actor.system(), by=ActorKind.SYSTEM, now=now, payload=payload)


# Staff


def confirm_duplicate(*, actor: Actor, duplicate_id: UUID, now: datetime) -> SuspectedDuplicate:
    """Record that two rows are one; what follows from it is for staff to do. Raises IllegalTransition, NotFound,
    NotPermitted."""
    return _decide(actor, duplicate_id, "confirm", now)


def dismiss_duplicate(*, actor: Actor, duplicate_id: UUID, now: datetime) -> SuspectedDuplicate:
    """Record that two rows are two. They are suspected again only where a text has changed materially since, or where
    more speaks for one person. Raises IllegalTransition, NotFound, NotPermitted."""
    return _decide(actor, duplicate_id, "dismiss", now)


def _decide(actor: Actor, duplicate_id: UUID, action: str, now: datetime) -> SuspectedDuplicate:
    require_staff(actor)
    with transaction.atomic():
        pair = (
            SuspectedDuplicate.objects.select_for_update(no_key=True, of=("self",))
            .select_related("low_candidate", "high_candidate")
            .filter(public_id=duplicate_id)
            .first()
        )
        if pair is None:
            raise NotFound("suspected duplicate")
        about = {person.user_id for person in (pair.low_candidate, pair.high_candidate) if person}
        if actor.user_id is not None and actor.user_id in about:
            raise NotPermitted("decide this, which nobody does about themselves")
        decided = {"decided_by_id": actor.user_id, "decided_at": now}
        by = kind_for(actor, pair)
        move(pair, SUSPICION, action, actor=actor, by=by, now=now, extra_fields=decided)
    return pair
