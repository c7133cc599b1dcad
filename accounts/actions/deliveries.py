"""Carrying events to their consumers, each exactly once as far as the database goes."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.access import require_staff
from accounts.core.actor import Actor
from accounts.errors import NotFound
from accounts.models import Delivery
from accounts.subscriptions import handler_of

logger = logging.getLogger(__name__)

BATCH = 200


def due_consumers(now: datetime) -> list[str]:
    """Consumers that have something due: what the sweeper rings for."""
    return list(Delivery.objects.due(now).order_by("consumer").values_list("consumer", flat=True).distinct())


def deliver_due(consumer: str, now: datetime, *, limit: int = BATCH) -> int:
    """Deliver what is due to one consumer, oldest first; the number that was tried.

    One transaction per delivery: the consumer's writes and the mark that it is done commit together or not at all, so
    a killed worker repeats nothing that was kept. Two workers skip each other's rows.
    """
    ids = list(
        Delivery.objects.due(now)
        .filter(consumer=consumer)
        .order_by("due_at", "id")
        .values_list("id", flat=True)[:limit]
    )
    return sum(_deliver(delivery_id, now) for delivery_id in ids)


def _deliver(delivery_id: int, now: datetime) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # A crash may lose the last moments of commits, effect and mark together: then it is simply due again.
            cursor.execute("SET LOCAL synchronous_commit = off")
        delivery = (
            Delivery.objects.due(now)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("event")
            .filter(id=delivery_id)
            .first()
        )
        if delivery is None:
            return False
        try:
            with transaction.atomic():
                handler_of(delivery.consumer)(delivery.event)
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


def _postpone(delivery: Delivery, error: Exception, now: datetime) -> None:
    """Try again after 2, 4, 8 … seconds, and give up to the staff after `MAX_ATTEMPTS`."""
    delivery.attempts += 1
    delivery.last_error = f"{type(error).__name__}: {error}"[:500]
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
