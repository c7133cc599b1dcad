"""What people type: cleaned the same way wherever it comes in."""

from __future__ import annotations

import unicodedata

from accounts.errors import InvalidInput


def clean_line(value: object, *, field: str, max_length: int, required: bool = True) -> str:
    """One line of text: NFC, stripped, inner white space folded. Raises InvalidInput."""
    text = _clean(value, field=field, max_length=max_length, required=required, allowed="")
    return " ".join(text.split())


def clean_text(value: object, *, field: str, max_length: int, required: bool = False) -> str:
    """Text of several lines: NFC, stripped, line ends unified. Raises InvalidInput."""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return _clean(value, field=field, max_length=max_length, required=required, allowed="\n\t")


def _clean(value: object, *, field: str, max_length: int, required: bool, allowed: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(field, "must be text")
    # Measured before any other work: ten megabytes must not cost ten megabytes' worth of normalising.
    if len(value) > 4 * max_length:
        raise InvalidInput(field, f"must have at most {max_length} characters")
    text = unicodedata.normalize("NFC", value).strip()
    if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in allowed for c in text):
        raise InvalidInput(field, "must not contain control characters")
    if len(text) > max_length:
        raise InvalidInput(field, f"must have at most {max_length} characters")
    if required and not text:
        raise InvalidInput(field, "must not be empty")
    return text
