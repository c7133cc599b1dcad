"""Many who accept at once, one hot opportunity: our acceptance against the same transaction written by hand in SQL.

Both take seats of an open call, first come, first served, from as many processes with one connection each, and leave
the same rows behind: seat, offer, placement with its terms, application, timer, and for each change its event with the
next number, a delivery for each consumer, and a line of the log of transitions; both ring for the worker afterwards. By
hand nothing else is done: it knows who asks, that they may, and that they are eligible, and sends for each step the one
statement that it takes.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.actions import bell
from accounts.core.actor import Actor
from accounts.models import Timer, User
from accounts.subscriptions import consumers_of
from config.bench import Measured, benchmark, own_copy, size
from marketplace.actions.offers import accept_offer
from marketplace.models import Application, Candidate, Offer, Opportunity, Placement, Seat
from tests.marketplace.factories import a_published_opportunity

SEATS = size("ACCEPTS_SEATS", 10_000)
OFFERS = size("ACCEPTS", 1_000)
CLIENTS = size("ACCEPTS_CLIENTS", 8)
ROUNDS = 4  # by turns, so that both meet the machine in the same moods

Job = tuple[int, UUID, int]  # user, public and inner id of the offer


@benchmark("offers.accepts", unit="accepts/s")
def accepts() -> Measured:
    """Acceptances in a second, from CLIENTS processes at once, of an opportunity with SEATS seats."""
    with own_copy("accepts"):
        ours, by_hand = (_hot_opportunity(now := timezone.now(), OFFERS + ROUNDS * CLIENTS) for _ in range(2))
        share = OFFERS // ROUNDS + CLIENTS
        took: dict[str, list[float]] = {"ours": [], "by hand": []}
        seconds = dict.fromkeys(took, 0.0)
        for turn in range(ROUNDS):
            for name, accept, jobs in (("ours", _ours, ours), ("by hand", _by_hand, by_hand)):
                spent, each = _all_at_once(accept, jobs[turn * share : (turn + 1) * share])
                seconds[name] += spent
                took[name] += each
        _check(now)
        for name, each in took.items():
            print(
                f"  {name:<8} {len(each) / seconds[name]:7.1f} a second   p50 {1000 * median(each):6.1f} ms"
                f"   p95 {1000 * quantiles(each, n=20)[-1]:6.1f} ms",
                flush=True,
            )
        return Measured(
            len(took["ours"]) / seconds["ours"], len(took["by hand"]) / seconds["by hand"], "the same by hand in SQL"
        )


def _hot_opportunity(now: datetime, offers: int) -> list[Job]:
    """An opportunity with SEATS open seats and so many open calls for it, in bulk: how they came is not measured."""
    opportunity = a_published_opportunity(seats=1, weekly_hours=20, now=now)
    Seat.objects.bulk_create(
        [Seat(opportunity=opportunity, number=number, opened_at=now) for number in range(2, SEATS + 1)]
    )
    tag = uuid4().hex[:8]
    users = User.objects.bulk_create([User(email=f"{tag}-{n}@benchmark.example", name=f"P {n}") for n in range(offers)])
    people = Candidate.objects.bulk_create([Candidate(user=user, name=user.name, weekly_hours=40) for user in users])
    revision = opportunity.current_revision
    applications = Application.objects.bulk_create(
        [
            Application(
                reference=Application.new_reference(),
                candidate=one,
                opportunity=opportunity,
                revision=revision,
                verdict={},
                created_at=now,
            )
            for one in people
        ]
    )
    made = Offer.objects.bulk_create(
        [
            Offer(
                reference=Offer.new_reference(),
                application=application,
                opportunity=opportunity,
                candidate=application.candidate,
                revision=revision,
                kind="open_call",
                pay_amount=Decimal(25),
                pay_currency="EUR",
                pay_period="hour",
                weekly_hours=20,
                starts_on=now.date(),
                expires_at=now + timedelta(days=3),
                created_at=now,
            )
            for application in applications
        ]
    )
    Timer.objects.bulk_create(
        [Timer(kind="offer_expiry", subject_id=offer.pk, due_at=offer.expires_at) for offer in made]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return [(user.pk, offer.public_id, offer.pk) for user, offer in zip(users, made, strict=True)]


def _all_at_once(accept: Callable[[Job], None], jobs: Sequence[Job]) -> tuple[float, list[float]]:
    """Seconds in all, and of each acceptance. The first of each client is not counted: it warms up its process."""
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(CLIENTS + 1), context.SimpleQueue()

    def client(share: Sequence[Job]) -> None:
        each: list[float] = []
        try:
            accept(share[0])
            barrier.wait(60)
            for job in share[1:]:
                began = time.perf_counter()
                accept(job)
                each.append(time.perf_counter() - began)
        finally:
            queue.put(each)
            connections.close_all()

    for one in connections.all():
        one.close()
        one.close_pool()  # type: ignore[attr-defined]
    clients = [context.Process(target=client, args=(jobs[n::CLIENTS],)) for n in range(CLIENTS)]
    for process in clients:
        process.start()
    barrier.wait(60)
    began = time.perf_counter()
    each = [seconds for _ in clients for seconds in queue.get()]
    spent = time.perf_counter() - began
    for process in clients:
        process.join()
    assert len(each) == len(jobs) - CLIENTS, "some acceptances failed"
    return spent, each


def _ours(job: Job) -> None:
    user_id, public_id, _ = job
    accepted = accept_offer(actor=Actor(user_id=user_id), offer_id=public_id, now=timezone.now())
    assert accepted.state == "accepted"


def _by_hand(job: Job) -> None:
    user_id, _, offer_id = job
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:

        def one(statement: str, *values: Any) -> tuple[Any, ...]:
            cursor.execute(statement, values)
            row: tuple[Any, ...] = cursor.fetchone()
            return row

        def moved(kind: str, pk: int, name: str, action: str, before: str, after: str, payload: dict[str, int]) -> None:
            event = happened(kind, pk, name, {"from": before, "to": after, **payload})
            cursor.execute(
                "INSERT INTO accounts_transition (subject_type, subject_id, from_state, to_state, action, actor_id,"
                " actor_kind, reason, at, event_id) VALUES (%s, %s, %s, %s, %s, %s, 'candidate', '', %s, %s)",
                [kind, pk, before, after, action, user_id, now, event],
            )

        def happened(kind: str, pk: int, name: str, payload: dict[str, Any]) -> int:
            (sequence,) = one(
                "INSERT INTO accounts_aggregatesequence (aggregate_type, aggregate_id, last) VALUES (%s, %s, 1)"
                " ON CONFLICT ON CONSTRAINT one_sequence_per_aggregate"
                " DO UPDATE SET last = accounts_aggregatesequence.last + 1 RETURNING last",
                kind, pk,
            )  # fmt: skip
            (event,) = one(
                "INSERT INTO accounts_event (public_id, aggregate_type, aggregate_id, sequence, name, payload,"
                " actor_id, actor_kind, request_id, at) VALUES (%s, %s, %s, %s, %s, %s, %s, 'candidate', '', %s)"
                " RETURNING id",
                uuid4(), kind, pk, sequence, name, json.dumps(payload), user_id, now,
            )  # fmt: skip
            consumers = list(consumers_of(name))
            if consumers:
                cursor.execute(
                    "INSERT INTO accounts_delivery (event_id, consumer, state, attempts, due_at, last_error)"
                    " SELECT %s, consumer, 'pending', 0, %s, '' FROM unnest(%s::text[]) consumer",
                    [event, now, consumers],
                )
                transaction.on_commit(lambda: bell.ring(consumers), robust=True)
            return int(event)

        application, opportunity = one(
            "SELECT application_id, opportunity_id FROM marketplace_offer WHERE id = %s", offer_id
        )
        one("SELECT 1 FROM marketplace_opportunity WHERE id = %s FOR KEY SHARE", opportunity)
        one("SELECT 1 FROM marketplace_application WHERE id = %s FOR NO KEY UPDATE", application)
        candidate, hours, starts_on, ends_on, amount, currency, period = one(
            "SELECT candidate_id, weekly_hours, starts_on, ends_on, pay_amount, pay_currency, pay_period"
            " FROM marketplace_offer WHERE id = %s AND state = 'sent' FOR NO KEY UPDATE",
            offer_id,
        )
        one("SELECT 1 FROM marketplace_candidate WHERE id = %s FOR NO KEY UPDATE", candidate)
        (seat,) = one(
            "SELECT id FROM marketplace_seat WHERE opportunity_id = %s AND state = 'open' ORDER BY number LIMIT 1"
            " FOR NO KEY UPDATE SKIP LOCKED",
            opportunity,
        )
        subject = {"opportunity": opportunity, "candidate": candidate}
        cursor.execute("UPDATE marketplace_seat SET state = 'filled', filled_at = %s WHERE id = %s", [now, seat])
        moved("seat", seat, "SeatFilled", "fill", "open", "filled", {"opportunity": opportunity})
        cursor.execute(
            "UPDATE marketplace_offer SET state = 'accepted', seat_id = %s, answered_at = %s WHERE id = %s",
            [seat, now, offer_id],
        )
        moved("offer", offer_id, "OfferAccepted", "accept", "sent", "accepted", subject)
        (placement,) = one(
            "INSERT INTO marketplace_placement (public_id, reference, offer_id, seat_id, opportunity_id, candidate_id,"
            " state, weekly_hours, starts_on, ends_on, end_reason, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, 'onboarding', %s, %s, %s, '', %s) RETURNING id",
            uuid4(), Placement.new_reference(), offer_id, seat, opportunity, candidate, hours, starts_on,
            ends_on, now,
        )  # fmt: skip
        cursor.execute(
            "INSERT INTO marketplace_placementterms (placement_id, weekly_hours, pay_amount, pay_currency, pay_period,"
            " from_on) VALUES (%s, %s, %s, %s, %s, %s)",
            [placement, hours, amount, currency, period, starts_on],
        )
        happened("placement", placement, "PlacementCreated", subject)
        cursor.execute("UPDATE marketplace_application SET status = 'hired' WHERE id = %s", [application])
        moved("application", application, "ApplicationHired", "hire", "active", "hired", subject)
        cursor.execute("DELETE FROM accounts_timer WHERE kind = 'offer_expiry' AND subject_id = %s", [offer_id])
        cursor.execute(
            "DELETE FROM marketplace_waitlistentry WHERE opportunity_id = %s AND candidate_id = %s",
            [opportunity, candidate],
        )


def _check(since: datetime) -> None:
    """Both left the same behind, and no seat was sold twice."""
    left = {
        opportunity.pk: (
            opportunity.seats.filter(state="filled").count(),
            Placement.objects.filter(opportunity=opportunity).values("seat").distinct().count(),
            Application.objects.filter(opportunity=opportunity, status="hired").count(),
        )
        for opportunity in Opportunity.objects.order_by("-pk")[:2]
    }
    accepted = (OFFERS // ROUNDS + CLIENTS) * ROUNDS
    assert set(left.values()) == {(accepted, accepted, accepted)}, left
    assert not Timer.objects.filter(kind="offer_expiry", due_at__gte=since).exclude(
        subject_id__in=Offer.objects.live().values("pk")
    )
