"""Codes that staff choose from a list instead of remembering: countries, currencies, time zones, languages."""

from __future__ import annotations

import zoneinfo
from functools import cache

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldAdminURLInputWidget

Choices = tuple[tuple[str, str], ...]


@cache
def countries() -> Choices:
    import pycountry

    return tuple(sorted(((c.alpha_2, f"{c.name} ({c.alpha_2})") for c in pycountry.countries), key=lambda c: c[1]))


@cache
def currencies() -> Choices:
    from moneyed import CURRENCIES

    return tuple((code, f"{code} {CURRENCIES[code].name}") for code in sorted(CURRENCIES))


@cache
def timezones() -> Choices:
    return tuple((name, name) for name in sorted(zoneinfo.available_timezones()))


def check_language(code: str) -> None:
    """ISO 639-1, or 639-3 where there is none. Raises ValidationError."""
    import pycountry

    language = pycountry.languages.get(alpha_2=code) or pycountry.languages.get(alpha_3=code)
    if language is None or getattr(language, "alpha_2", code) != code:
        raise ValidationError("This is not an ISO 639 language: two letters, or three where there are no two.")


def formfield(field: models.Field) -> forms.Field | None:
    """The form field of a model field that holds a code, told by its name, or an address; None for all others."""
    label, help_text = capfirst(field.verbose_name), field.help_text
    required = not field.blank
    if isinstance(field, models.URLField):  # Django 6 assumes https; so do we, and are not warned
        return forms.URLField(
            assume_scheme="https",
            max_length=field.max_length,
            required=required,
            label=label,
            help_text=help_text,
            widget=UnfoldAdminURLInputWidget(),
        )
    if field.name == "language":
        return forms.CharField(
            max_length=3,
            required=required,
            label=label,
            help_text=help_text,
            validators=[check_language],
            widget=UnfoldAdminTextInputWidget(),
        )
    choices: Choices
    if field.name == "country":
        choices = countries()
    elif field.name == "currency" or field.name.endswith("_currency"):
        choices = currencies()
    elif field.name == "timezone":
        choices = timezones()
    else:
        return None
    return forms.ChoiceField(
        choices=(("", "–"), *choices),
        required=required,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminSelectWidget(),
    )
