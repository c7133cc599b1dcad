"""Who is told of what: the consumers named in `settings.CONSUMERS`, each of which declares what it listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Event

Handler = Callable[[Event], None]


def consumes(events: Iterable[str]) -> Callable[[Handler], Handler]:
    """Declare the events, by name, that a handler is to be told of. It runs once for each of them."""

    def declare(handler: Handler) -> Handler:
        subscribed: Any = handler
        subscribed.events = frozenset(events)
        return handler

    return declare


@cache
def handler_of(consumer: str) -> Handler:
    """The function that carries out a delivery. KeyError if no such consumer is configured any more."""
    handler: Handler = import_string(settings.CONSUMERS[consumer])
    return handler


@cache
def consumers_of(event_name: str) -> tuple[str, ...]:
    """Names of the consumers subscribed to an event, in the settings' order."""
    return tuple(name for name in settings.CONSUMERS if event_name in handler_of(name).events)  # type: ignore[attr-defined]
