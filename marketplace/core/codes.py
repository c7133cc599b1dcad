"""Codes of the world: currencies, countries, regions, languages, time zones.

The lists are those of well-kept libraries, which only look things up: no file of ours to go stale.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from accounts.core.text import clean_line
from accounts.errors import InvalidInput

# fmt: off
_NO_MONEY = frozenset({
    "BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "USS", "UYI", "UYW", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD",
    "XDR", "XFO", "XFU", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX", "XYZ",
})
# fmt: on
"""What ISO 4217 also lists and nobody is paid in: metals, funds, test codes."""


def check_currency(code: object, *, field: str) -> str:
    """An ISO 4217 code of money that somebody can be paid in. Raises InvalidInput, as do all checks here."""
    if not isinstance(code, str) or code not in currencies():
        raise InvalidInput(field, "is not an ISO 4217 currency")
    return code


def check_country(code: object, *, field: str) -> str:
    """ISO 3166-1 alpha-2."""
    if not isinstance(code, str) or code not in countries():
        raise InvalidInput(field, "is not an ISO 3166-1 country")
    return code


def check_region(code: object, *, field: str, country: str = "") -> str:
    """ISO 3166-2, of the given country if one is named."""
    if not isinstance(code, str) or code not in regions():
        raise InvalidInput(field, "is not an ISO 3166-2 region")
    if country and not code.startswith(f"{country}-"):
        raise InvalidInput(field, f"is not a region of {country}")
    return code


def check_area(code: object, *, field: str) -> str:
    """A country or a region."""
    if not isinstance(code, str) or (code not in countries() and code not in regions()):
        raise InvalidInput(field, "is neither an ISO 3166-1 country nor an ISO 3166-2 region")
    return code


def check_place(code: object, *, field: str) -> str:
    """A country, a region, or a city in one of them (`US-CA/Los Angeles`); empty for everywhere else."""
    if code == "":
        return ""
    if not isinstance(code, str):
        raise InvalidInput(field, "must be text")
    area, stroke, city = code.partition("/")
    check_area(area, field=field)
    return f"{area}/{clean_line(city, field=field, max_length=100)}" if stroke else area


def check_language(code: object, *, field: str) -> str:
    """ISO 639-1, or 639-3 where there is none: one code for one language."""
    if not isinstance(code, str) or code not in languages():
        raise InvalidInput(field, "is not an ISO 639 language")
    return code


def check_timezone(name: object, *, field: str) -> str:
    if not isinstance(name, str) or name not in timezones():
        raise InvalidInput(field, "is not an IANA time zone")
    return name


@cache
def currencies() -> frozenset[str]:
    from moneyed import CURRENCIES

    return frozenset(code for code in CURRENCIES if len(code) == 3) - _NO_MONEY


@cache
def countries() -> frozenset[str]:
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def regions() -> frozenset[str]:
    import pycountry

    return frozenset(region.code for region in pycountry.subdivisions)


@cache
def place_name(code: str) -> str:
    """What a country or a region is called; empty for a code that is neither's."""
    import pycountry

    place: Any = pycountry.subdivisions.get(code=code) if "-" in code else pycountry.countries.get(alpha_2=code)
    return str(place.name) if place is not None else ""


@cache
def languages() -> frozenset[str]:
    import pycountry

    return frozenset(getattr(language, "alpha_2", None) or language.alpha_3 for language in pycountry.languages)


@cache
def timezones() -> frozenset[str]:
    return frozenset(available_timezones())
