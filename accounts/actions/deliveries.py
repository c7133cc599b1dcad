"""Carrying events to their consumers, each exactly once as far as the database goes."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.access import require_staff
from accounts.core.actor import Actor
from accounts.core.faults import described
from accounts.errors import NotFound
from accounts.models import Delivery
from accounts.subscriptions import handler_of, takes_many

logger = logging.getLogger(__name__)

BATCH, ALONE = 200, 20  # taken by who takes many at once; by others, so that a task is soon done


def due_consumers(now: datetime) -> list[str]:
    """Consumers that have something due: what the sweeper rings for."""
    return list(Delivery.objects.due(now).order_by("consumer").values_list("consumer", flat=True).distinct())


def batch_of(consumer: str) -> int:
    """How many are delivered to a consumer before others have their turn."""
    return BATCH if takes_many(consumer) else ALONE


def deliver_due(consumer: str, now: datetime, *, limit: int | None = None) -> int:
    """Deliver what is due to one consumer, oldest first, a batch unless told otherwise; the number that was tried.

    One transaction per delivery, or for all of a consumer that takes many: its writes and the mark that they are done
    commit together or not at all, so a killed worker repeats nothing that was kept. Two workers skip each other's rows.
    """
    limit = batch_of(consumer) if limit is None else limit
    ids = list(
        Delivery.objects.due(now)
        .filter(consumer=consumer)
        .order_by("due_at", "id")
        .values_list("id", flat=True)[:limit]
    )
    if takes_many(consumer) and (done := _deliver_together(consumer, ids, now)) is not None:
        return done
    passed = _pass_over(consumer, ids, now)
    return len(passed) + sum(_deliver(delivery_id, now) for delivery_id in ids if delivery_id not in passed)


def _pass_over(consumer: str, ids: list[int], now: datetime) -> set[int]:
    """Those of them that the consumer has no use for, which are done now."""
    has_no_use = handler_of(consumer).passes_over if consumer in settings.CONSUMERS else None
    if has_no_use is None or not ids:
        return set()
    with transaction.atomic():
        _commit_soon()
        passed = {delivery.pk for delivery in _claim(ids, now) if has_no_use(delivery.event)}
        _done(passed, now)
        return passed


def _deliver_together(consumer: str, ids: list[int], now: datetime) -> int | None:
    """How many; None where it failed, and one of them at a time may tell which."""
    try:
        with transaction.atomic():
            _commit_soon()
            claimed = list(_claim(ids, now))
            if claimed:
                handler_of(consumer)([delivery.event for delivery in claimed])
            _done([delivery.pk for delivery in claimed], now)
            return len(claimed)
    except Exception:
        logger.exception("%d deliveries to %s failed together", len(ids), consumer)
        return None


def _done(ids: Collection[int], now: datetime) -> None:
    Delivery.objects.filter(id__in=ids).update(
        state=Delivery.State.DONE, done_at=now, attempts=F("attempts") + 1, last_error=""
    )


def _deliver(delivery_id: int, now: datetime) -> bool:
    with transaction.atomic():
        _commit_soon()
        delivery = _claim([delivery_id], now).first()
        if delivery is None:
            return False
        try:
            with transaction.atomic():
                handler = handler_of(delivery.consumer)
                handler([delivery.event] if handler.takes_many else delivery.event)
        except Exception as error:
            logger.exception("delivery %s to %s failed", delivery.pk, delivery.consumer)
            _postpone(delivery, error, now)
        else:
            delivery.state = Delivery.State.DONE
            delivery.done_at = now
            delivery.attempts += 1
            delivery.last_error = ""
        delivery.save(update_fields=["state", "done_at", "attempts", "due_at", "last_error"])
        return True


def _commit_soon() -> None:
    with connection.cursor() as cursor:
        # A crash may lose the last moments of commits, effect and mark together: then it is simply due again.
        cursor.execute("SET LOCAL synchronous_commit = off")


def _claim(ids: list[int], now: datetime) -> QuerySet[Delivery]:
    """Those of them that are due still and nobody else is at, with their events, oldest first."""
    due = Delivery.objects.due(now).filter(id__in=ids).order_by("due_at", "id")
    return due.select_for_update(skip_locked=True, of=("self",)).select_related("event")


def _postpone(delivery: Delivery, error: Exception, now: datetime) -> None:
    """Try again after 2, 4, 8 … seconds, and give up to the staff after `MAX_ATTEMPTS`."""
    delivery.attempts += 1
    delivery.last_error = described(error)
    delivery.due_at = now + timedelta(seconds=2**delivery.attempts)
    if delivery.attempts >= Delivery.MAX_ATTEMPTS:
        delivery.state = Delivery.State.FAILED


def retry_delivery(*, actor: Actor, delivery_id: int, now: datetime) -> Delivery:
    """Put a failed delivery back in line. Staff only; raises NotFound where there is no failed one."""
    require_staff(actor)
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(id=delivery_id, state=Delivery.State.FAILED).first()
        if delivery is None:
            raise NotFound("failed delivery")
        delivery.state, delivery.attempts, delivery.due_at = Delivery.State.PENDING, 0, now
        delivery.save(update_fields=["state", "attempts", "due_at"])
        return delivery
