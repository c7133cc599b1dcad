"""What of the marketplace can be followed while it happens."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry
from django.conf import settings

from accounts.access import require_user
from accounts.api.connections import Key, Order
from accounts.api.context import Info
from accounts.api.nodes import row_type
from accounts.api.peers import together
from accounts.api.watching import Watch, in_thread
from accounts.errors import InvalidInput
from marketplace.api.notifications import NotificationType
from marketplace.models import Notification
from marketplace.queries.notifications import Moment, MomentUnknown, inboxes, present_moment, told_since

_inboxes: Watch[int] = Watch(inboxes, pause_seconds=settings.STREAM_LOOK_SECONDS)
_MOMENTS = Order("notifications told", (Key("since"), Key("until"), Key("after_id")))


@dataclass(frozen=True)
class News:
    """What somebody was told, and where that ends."""

    notifications: list[Notification]
    position: str


@row_type(News, name="NotificationNews", description="What you have been told since the event before.")
class NewsType:
    notifications: list[NotificationType] = strawberry.field(
        description="Oldest first, at most a hundred: of more the next event tells, at once."
    )
    position: str = strawberry.field(description="Where this ends: `after`, to go on from here in another stream.")


@strawberry.type
class MarketplaceSubscription:
    @strawberry.subscription(
        description=(
            "What you are told, as it comes: at once an event without any, which says from where on; then one whenever"
            " there is something new. Whoever goes on `after` an event, or comes back with its id as `Last-Event-ID`,"
            " is told all that they have missed, and nothing twice."
        )
    )
    async def notifications(
        self,
        info: Info,
        after: Annotated[
            str | None, strawberry.argument(description="The `position` of the event to go on after.")
        ] = None,
    ) -> AsyncGenerator[NewsType, None]:
        user_id = require_user(info.context.actor)
        known = info.context.known or after  # a browser comes back with the address that it began with, and a newer id
        moment = _moment(known) if known else await in_thread(present_moment)
        if not known:
            yield _told(info, [], moment)
        async for _ in _inboxes.changes(user_id):
            has_more = True
            while has_more:
                try:
                    found = await in_thread(told_since, user_id, moment)
                except MomentUnknown:
                    raise _unknown() from None
                moment, has_more = found.moment, found.has_more
                if found.rows:
                    yield _told(info, found.rows, moment)


def _told(info: Info, rows: list[Notification], moment: Moment) -> Any:
    info.context.position = _MOMENTS.sealed([moment.since, moment.until, moment.after_id])
    return News(together(rows), info.context.position)


def _moment(position: str) -> Moment:
    try:
        return Moment(*_MOMENTS.values(position))
    except InvalidInput:
        raise _unknown() from None


def _unknown() -> InvalidInput:
    return InvalidInput("after", "is not the position of an event of this stream")
