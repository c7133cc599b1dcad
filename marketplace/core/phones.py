"""Telephone numbers in one form, that of ITU-T E.164: `+` and up to 15 digits, the country's calling code first."""

from __future__ import annotations

import unicodedata

import phonenumbers

SHORTEST = 6  # digits of a national number
FEWEST_DIGITS = 3  # different ones: of fewer is what people type where something has to be


def phone_number(text: str, country: str = "") -> str:
    """The first number in a text, in international form; empty where it cannot be told or is none.

    A number without a calling code is one of `country` (ISO 3166-1).

    >>> phone_number("030 / 123 456-7", "DE"), phone_number("0049 (0)30 1234567", "DE"), phone_number("ring me")
    ('+49301234567', '+49301234567', '')
    """
    written = unicodedata.normalize("NFKC", text)
    if written.lstrip().startswith("00"):  # dialled so from nearly everywhere, whatever the country
        found = _first(f"+{written.lstrip()[2:]}", "")
        if found:
            return found
    return _first(written, country)


def _first(text: str, country: str) -> str:
    matcher = phonenumbers.PhoneNumberMatcher(text, country or None, leniency=phonenumbers.Leniency.POSSIBLE)
    for match in matcher:
        national = str(match.number.national_number)
        # Short ones are extensions and services, or are dialled so within one town alone.
        is_whole = (
            phonenumbers.is_possible_number_with_reason(match.number) == phonenumbers.ValidationResult.IS_POSSIBLE
        )
        if is_whole and len(national) >= SHORTEST and len(set(national)) >= FEWEST_DIGITS:
            return phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
    return ""
