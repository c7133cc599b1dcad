"""Exchange rates: sets are published whole, and then stand, because verdicts and runs name the one they used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from accounts.admin.console import AddOnlyAdmin, EditableInline, SavedByActionAdmin, rows_of
from accounts.admin.rendering import count_of
from accounts.admin.steps import actor_of
from marketplace.actions.rates import publish_rates
from marketplace.models import ExchangeRate, ExchangeRateSet


class NewRatesFormSet(EditableInline.formset):  # type: ignore[name-defined]
    """A new set starts from the rates of the last one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("data") is None and kwargs["instance"].pk is None:
            kwargs["initial"] = list(last_rates())
        super().__init__(*args, **kwargs)


def last_rates() -> QuerySet[ExchangeRate, Any]:
    last = ExchangeRateSet.objects.order_by("-on", "-id").values("pk")[:1]
    return ExchangeRate.objects.filter(rate_set__in=last).order_by("currency").values("currency", "per_euro")


class RatesInline(EditableInline):
    model = ExchangeRate
    formset = NewRatesFormSet
    fields = ("currency", "per_euro")
    ordering = ("currency",)

    def get_extra(self, request: HttpRequest, obj: ExchangeRateSet | None = None, **kwargs: Any) -> int:
        return 0 if obj else last_rates().count() + 3

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and request.user.has_perm("marketplace.add_exchangerateset")


@admin.register(ExchangeRateSet)
class ExchangeRateSetAdmin(AddOnlyAdmin, SavedByActionAdmin):
    list_display = ("on", "source", "rates_count", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("source",)
    date_hierarchy = "on"
    inlines = (RatesInline,)
    add_fieldsets = ((None, {"fields": ("on", "source")}),)
    fields = ("on", "source", "created_by", "created_at", "public_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeRateSet]:
        return super().get_queryset(request).annotate(rates_n=count_of(ExchangeRate.objects.all(), "rate_set"))

    @display(description="Rates", ordering="rates_n")
    def rates_count(self, rate_set: Any) -> int:
        return rate_set.rates_n

    def save_by_action(
        self, request: HttpRequest, form: ModelForm, formsets: Sequence[BaseInlineFormSet], change: bool
    ) -> ExchangeRateSet:
        rates = {row["currency"]: row["per_euro"] for formset in formsets for row in _filled(formset)}
        return publish_rates(
            actor=actor_of(request),
            on=form.cleaned_data["on"],
            source=form.cleaned_data["source"],
            rates=rates,
            now=timezone.now(),
        )


def _filled(formset: BaseInlineFormSet) -> list[dict[str, Any]]:
    """Also the rates that were taken over unchanged from the last set, which Django takes for empty rows."""
    kept = [
        {"currency": form.initial["currency"], "per_euro": form.initial["per_euro"]}
        for form in formset.forms
        if form.initial and not form.has_changed()
    ]
    return kept + rows_of(formset)
