"""Who is told of what: the consumers named in `settings.CONSUMERS`, each of which declares what it listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Event

Handler = Callable[[Event], None]
ManyHandler = Callable[[Sequence[Event]], None]


def consumes(events: Iterable[str], *, but: Callable[[Event], bool] | None = None) -> Callable[[Handler], Handler]:
    """Declare the events, by name, that a handler is to be told of. It runs once for each of them, but for those that
    it has no use for, as far as they tell that themselves: these are done with many at a time."""

    def declare(handler: Handler) -> Handler:
        return _declared(handler, events, many=False, but=but)

    return declare


def consumes_many(events: Iterable[str]) -> Callable[[ManyHandler], ManyHandler]:
    """The same for a handler that is told of many at once, in one transaction: of each of them once. It locks whatever
    it locks in one order, however many there are."""

    def declare(handler: ManyHandler) -> ManyHandler:
        return _declared(handler, events, many=True)

    return declare


def _declared(handler: Any, events: Iterable[str], *, many: bool, but: Callable[[Event], bool] | None = None) -> Any:
    handler.events = frozenset(events)
    handler.takes_many = many
    handler.passes_over = but
    return handler


@cache
def handler_of(consumer: str) -> Any:
    """The function that carries out deliveries. KeyError if no such consumer is configured any more."""
    return import_string(settings.CONSUMERS[consumer])


def takes_many(consumer: str) -> bool:
    """Whether a consumer is told of many events at once; not one that is not configured any more."""
    return consumer in settings.CONSUMERS and bool(handler_of(consumer).takes_many)


@cache
def consumers_of(event_name: str) -> tuple[str, ...]:
    """Names of the consumers subscribed to an event, in the settings' order."""
    return tuple(name for name in settings.CONSUMERS if event_name in handler_of(name).events)
