"""Does the whole market add up? What the constraints cannot say across tables, asked of all rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, Q

from accounts.models import AggregateSequence, Delivery, Event, Transition
from accounts.subscriptions import consumers_of
from marketplace.core.workflow import LIVE_PLACEMENT_STATES, MACHINES
from marketplace.models import Application, Offer, Placement, Seat


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that does not hold, and how many rows break it."""

    promise: str
    rows: int


@dataclass(frozen=True, slots=True)
class Audit:
    """`figures` are counts that belong together; `violations` is empty where all is well."""

    figures: dict[str, int]
    violations: tuple[Violation, ...]


def audit() -> Audit:
    """Read everything once. Means to be run at rest: work under way shows as deliveries that are still pending."""
    figures = {
        "accepted_offers": Offer.objects.filter(state="accepted").count(),
        "placements": Placement.objects.count(),
        "live_placements": Placement.objects.live().count(),
        "filled_seats": Seat.objects.filter(state="filled").count(),
        "spent_seats": Seat.objects.filter(state="spent").count(),
        "held_seats": Seat.objects.filter(state="held").count(),
        "open_seats": Seat.objects.filter(state="open").count(),
        "live_reserved_offers": Offer.objects.live().filter(kind="reserved").count(),
        "events": Event.objects.count(),
        "transitions": Transition.objects.count(),
        "deliveries": Delivery.objects.count(),
    }
    return Audit(figures, tuple(Violation(promise, rows) for promise, rows in _broken(figures) if rows))


def _broken(figures: dict[str, int]) -> Iterator[tuple[str, int]]:
    yield "accepted offers = placements", abs(figures["accepted_offers"] - figures["placements"])
    yield "live placements = filled seats", abs(figures["live_placements"] - figures["filled_seats"])
    yield (
        "placements that are over = spent seats",
        abs(figures["placements"] - figures["live_placements"] - figures["spent_seats"]),
    )
    yield "live reserved offers = held seats", abs(figures["live_reserved_offers"] - figures["held_seats"])
    holders = Q(offers__state__in=["sent", "accepted"])
    yield (
        "no seat has two holders",
        Seat.objects.annotate(n=Count("offers", filter=holders)).filter(n__gt=1).count(),
    )
    yield (
        "a placement sits on the seat of its offer",
        Placement.objects.exclude(seat_id=F("offer__seat_id")).count(),
    )
    yield (
        "a filled seat has a live placement",
        Seat.objects.filter(state="filled").exclude(placement__state__in=LIVE_PLACEMENT_STATES).count(),
    )
    yield (
        "who accepted an offer is hired",
        Application.objects.filter(offers__state="accepted").exclude(status="hired").count(),
    )
    yield from _history()
    yield from _deliveries()


def _history() -> Iterator[tuple[str, int]]:
    moves = {move.event for machine in MACHINES for move in machine.moves.values()}
    yield (
        "every recorded move has its log row",
        Event.objects.filter(name__in=moves, transition=None).count(),
    )
    gaps = AggregateSequence.objects.raw(
        """
        SELECT s.id FROM accounts_aggregatesequence s
        LEFT JOIN accounts_event e USING (aggregate_type, aggregate_id)
        GROUP BY s.id, s.last HAVING count(e.id) <> s.last
        """
    )
    yield "event sequences have no gaps", len(gaps)
    for model in (Offer, Seat, Placement, Application):
        name = model._meta.model_name
        field = "status" if model is Application else "state"
        last = Transition.objects.raw(
            f"""
            SELECT DISTINCT ON (t.subject_id) t.id FROM accounts_transition t
            JOIN {model._meta.db_table} r ON r.id = t.subject_id
            WHERE t.subject_type = %s AND t.id = (
                SELECT max(id) FROM accounts_transition WHERE subject_type = %s AND subject_id = r.id
            ) AND t.to_state <> r.{field}
            """,
            [name, name],
        )
        yield f"the log of every {name} ends in its state", len(last)


def _deliveries() -> Iterator[tuple[str, int]]:
    yield "all deliveries are done", Delivery.objects.exclude(state=Delivery.State.DONE).count()
    names = Event.objects.order_by("name").values_list("name", flat=True).distinct()
    missing = sum(
        Event.objects.filter(name=name).annotate(n=Count("deliveries")).exclude(n=len(consumers_of(name))).count()
        for name in names
    )
    yield "every event has one delivery per subscribed consumer", missing
    unknown = Delivery.objects.exclude(consumer__in=list(settings.CONSUMERS)).count()
    yield "every delivery's consumer is configured", unknown
