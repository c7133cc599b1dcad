"""What happened, who was told, what is due: history, which nobody rewrites."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.actions.deliveries import retry_delivery
from accounts.admin.console import ReadOnlyAdmin, ReadOnlyInline
from accounts.admin.rendering import NOTHING, as_json, link, link_to, state_column
from accounts.admin.steps import Step
from accounts.models import Delivery, Event, IdempotencyRecord, Timer, Transition

APPS = ("accounts", "marketplace", "matching")


def subject_link(model_name: str, pk: int) -> str:
    """A link to what an event or a transition is about, told by its model's name; nothing is loaded."""
    text = f"{model_name} {pk}"
    for app in APPS:
        if model_name in apps.all_models[app]:
            return link_to(apps.get_model(app, model_name), pk, text)
    return text


class DeliveriesInline(ReadOnlyInline):
    model = Delivery
    fields = ("consumer", "state", "attempts", "due_at", "done_at", "last_error")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """No date hierarchy: it would read the whole table, which grows without end."""

    list_display = ("name", "subject", "sequence", "actor", "actor_kind", "at", "request_id")
    list_select_related = ("actor",)
    list_filter = ("aggregate_type", "actor_kind", ("at", RangeDateTimeFilter))
    search_fields = ("=name", "=request_id", "=actor__email", "=aggregate_id")
    ordering = ("-id",)
    inlines = (DeliveriesInline,)
    fields = ("name", "subject", "sequence", "what", "actor", "actor_kind", "request_id", "at", "public_id")

    @display(description="About")
    def subject(self, event: Event) -> str:
        return subject_link(event.aggregate_type, event.aggregate_id)

    @display(description="Payload")
    def what(self, event: Event) -> str:
        return as_json(event.payload)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event_link", "consumer", "state_label", "attempts", "due_at", "done_at", "error")
    list_select_related = ("event",)
    list_filter = ("state", "consumer", ("due_at", RangeDateTimeFilter))
    search_fields = ("=event__name", "=event__request_id", "consumer", "last_error")
    ordering = ("-id",)
    fields = ("event", "consumer", "state", "attempts", "due_at", "done_at", "last_error")
    state_label = state_column()
    steps = (
        Step(
            name="retry",
            title="Try again",
            call=retry_delivery,
            subject="delivery_id",
            key="pk",
            shown=lambda delivery: delivery.state == Delivery.State.FAILED,
            icon="replay",
            description="It goes back in line and starts counting its attempts anew.",
            bulk=True,
        ),
    )

    @display(description="Event", ordering="event")
    def event_link(self, delivery: Delivery) -> str:
        return link(delivery.event)

    @display(description="Last error")
    def error(self, delivery: Delivery) -> str:
        return delivery.last_error[:80] or NOTHING


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin):
    list_display = ("subject", "action", "from_label", "to_label", "actor", "actor_kind", "reason", "at")
    list_select_related = ("actor",)
    list_filter = ("subject_type", "action", "to_state", "actor_kind", ("at", RangeDateTimeFilter))
    search_fields = ("=subject_id", "=actor__email", "reason")
    ordering = ("-id",)
    fields = ("subject", "action", "from_state", "to_state", "actor", "actor_kind", "reason", "at", "event")
    from_label = state_column("from_state", "From")
    to_label = state_column("to_state", "To")

    @display(description="Of")
    def subject(self, transition: Transition) -> str:
        return subject_link(transition.subject_type, transition.subject_id)


@admin.register(Timer)
class TimerAdmin(ReadOnlyAdmin):
    list_display = ("kind", "subject_id", "due_at", "fired_at", "attempts", "error")
    list_filter = ("kind", ("fired_at", admin.EmptyFieldListFilter), ("due_at", RangeDateTimeFilter))
    search_fields = ("=subject_id", "kind")
    ordering = ("fired_at", "due_at")
    fields = ("kind", "subject_id", "due_at", "fired_at", "attempts", "last_error")

    @display(description="Last error")
    def error(self, timer: Timer) -> str:
        return timer.last_error[:80] or NOTHING


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    """The answer is kept for whoever asked; it may hold what only they may see, so it is not shown."""

    list_display = ("operation", "principal", "key", "is_answered", "leased_until", "created_at")
    list_filter = ("operation", ("created_at", RangeDateTimeFilter))
    search_fields = ("=key", "=principal", "operation")
    ordering = ("-id",)
    fields = ("operation", "principal", "key", "fingerprint", "is_answered", "leased_until", "created_at")

    @display(description="Answered", boolean=True)
    def is_answered(self, record: IdempotencyRecord) -> bool:
        return record.response != ""
