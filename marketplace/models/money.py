"""Amounts, currencies, pay periods and dated exchange rates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from accounts.models import PublicModel
from accounts.models.table_state import changes_renew_the_state

# Amounts are kept to a thousandth: the finest minor unit of any ISO 4217 currency.
AMOUNT: dict[str, Any] = {"max_digits": 15, "decimal_places": 3}


class Period(models.TextChoices):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    PROJECT = "project"
    TASK = "task"


class ExchangeRateSet(PublicModel):
    """All rates of one day, as edited by staff. Verdicts, matches and runs name the set that they used."""

    on = models.DateField(help_text="the day these rates hold from")
    source = models.CharField(max_length=100)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-on", "-id"]
        get_latest_by = ["on", "id"]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"{self.on} ({self.source})"


class ExchangeRate(models.Model):
    """Units of `currency` for one euro."""

    rate_set = models.ForeignKey(ExchangeRateSet, on_delete=models.CASCADE, related_name="rates")
    currency = models.CharField(max_length=3)
    per_euro = models.DecimalField(max_digits=18, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rate_set", "currency"], name="one_rate_per_set_and_currency"),
            models.CheckConstraint(condition=models.Q(per_euro__gt=0), name="exchange_rate_is_positive"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="exchange_rate_currency_is_a_code"
            ),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"1 EUR = {self.per_euro} {self.currency}"
