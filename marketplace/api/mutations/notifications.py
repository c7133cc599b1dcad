"""Marking notifications as read."""

from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.errors import InvalidInput
from marketplace.actions.notifications import mark_notifications_read

MOST_AT_ONCE = 100


@strawberry.input(description="Marks notifications as read.")
class MarkNotificationsReadInput(Keyed):
    notification_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Which, at most 100; all of yours if not given."
    )


@strawberry.type(name="NotificationsRead", description="How many notifications were marked.")
class NotificationsRead:
    count: int = strawberry.field(description="Those that were unread before.")


@strawberry.type
class NotificationMutation:
    @mutation(NotificationsRead, "Mark notifications as read.")
    def mark_notifications_read(*, info: Info, input: MarkNotificationsReadInput) -> Any:
        given = input.notification_ids
        if given is not None and len(given) > MOST_AT_ONCE:
            raise InvalidInput("notificationIds", f"must be at most {MOST_AT_ONCE}")
        ids = None
        if given is not None:
            ids = [public_id(one, "Notification", field=f"notificationIds[{at}]") for at, one in enumerate(given)]
        count = mark_notifications_read(actor=info.context.actor, notification_ids=ids, now=info.context.now)
        return NotificationsRead(count=count)
