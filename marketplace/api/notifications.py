"""What people are told in the app."""

from datetime import datetime
from typing import Any

import strawberry

from accounts.api.nodes import Node, node_type
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.models import Notification


def _access_notification(actor: Actor, notification_id: Any) -> Notification:
    if actor.user_id is None:
        raise NotFound("notification")
    notification = Notification.objects.filter(public_id=notification_id, user_id=actor.user_id).first()
    if notification is None:
        raise NotFound("notification")
    return notification


@node_type(
    Notification,
    name="Notification",
    description="Something that happened, told to one person.",
    access=_access_notification,
)
class NotificationType(Node):
    kind: str = strawberry.field(description="The event's name, such as `OfferSent`.")
    text: str = strawberry.field(description="A sentence for people.")
    created_at: datetime = strawberry.field(description="When.")
    read_at: datetime | None = strawberry.field(description="When it was read.")
