"""Reading one's notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from accounts.access import require_user
from accounts.core.actor import Actor
from marketplace.models import Notification


def mark_notifications_read(*, actor: Actor, notification_ids: Sequence[UUID] | None = None, now: datetime) -> int:
    """Mark the actor's notifications as read, all of them if none are named; the number of those that were unread.

    Others' ids, and ids of none, are passed over: whoever cleans up twice has nothing to be told. Raises LoginRequired.
    """
    rows = Notification.objects.unread().filter(user_id=require_user(actor))
    if notification_ids is not None:
        rows = rows.filter(public_id__in=list(notification_ids))
    return rows.update(read_at=now)
