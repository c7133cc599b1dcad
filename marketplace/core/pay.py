"""Reading pay from the text of an advert: how much, in what, for how long, where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.places import Place, places_in

_SYMBOLS = {
    "US$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "AU$": "AUD",
    "A$": "AUD",
    "NZ$": "NZD",
    "S$": "SGD",
    "HK$": "HKD",
    "R$": "BRL",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₦": "NGN",
    "zł": "PLN",
    "Kč": "CZK",
    "Euro": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "Fr.": "CHF",
}
_CODE_LIST = (
    "USD EUR GBP CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN INR JPY CNY SGD HKD AED ZAR NGN KES BRL MXN TRY ILS"
)
_CODES = _CODE_LIST.split()
_CURRENCY = "(?:" + "|".join(sorted(map(re.escape, [*_SYMBOLS, *_CODES]), key=len, reverse=True)) + ")"
_NUMBER = r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"


def _amount(name: str) -> str:
    return (
        rf"(?P<before_{name}>(?<![A-Za-z]){_CURRENCY})?\s?(?P<number_{name}>{_NUMBER})"
        rf"(?:\s?(?P<kilo_{name}>[kK])(?![A-Za-z]))?(?:\s?(?P<after_{name}>{_CURRENCY})(?![A-Za-z])(?!\s?\d))?"
    )


_TO = r"\s*(?:-|–|—|\bto\b|\bbis\b|\band\b|à)\s*"
_RANGE = re.compile(rf"(?<![\w.,]){_amount('low')}(?:{_TO}{_amount('high')})?")

# Period: the words after "per", "a" or a stroke, and the words that stand alone.
_PERIODS = {
    "hour": (r"hours?|hr|h|std\.?|stunde", r"hourly|p/?h|stündlich"),
    "day": (r"day|tag|jour", r"daily|p/?d|day rate|täglich"),
    "week": (r"week|wk|woche", r"weekly|p/?w|wöchentlich"),
    "month": (r"month|mo|monat|mois", r"monthly|pcm|monatlich"),
    "year": (r"year|yr|annum|jahr|an", r"yearly|annually|annual|p\.\s?a\.?|pa|jährlich"),
}
_AFTER = {
    period: re.compile(
        rf"[\s,*()]*(?:(?:gross|brutto|base|net|plus)\b[\s,(]*)?(?:(?:per|an?|each|pro|par|je|every|/)\s*(?:{unit})|(?:{adverb}))"
        r"(?!(?-i:[a-z]))",
        re.IGNORECASE,
    )
    for period, (unit, adverb) in _PERIODS.items()
}
_BEFORE = {
    "hour": re.compile(r"hourly|per hour|stundenlohn", re.IGNORECASE),
    "day": re.compile(r"day rate|daily|per day|tagessatz", re.IGNORECASE),
    "week": re.compile(r"weekly (?:pay|wage|rate|salary)", re.IGNORECASE),
    "month": re.compile(r"monthly (?:pay|wage|salary|gross)|monatsgehalt|monatslohn|gross monthly", re.IGNORECASE),
    "year": re.compile(r"annual|per year|yearly|per annum|jahresgehalt|base salary", re.IGNORECASE),
}
_PAY = re.compile(
    r"salar|\bpay\b|\bpays\b|paid|compensation|\brate\b|wage|remunerat|gehalt|lohn|vergütung|\bearn|package|\bOTE\b",
    re.IGNORECASE,
)
_REFERRAL = re.compile(r"\brefer", re.IGNORECASE)
_NOT_PAY = re.compile(
    r"bonus|stipend|allowance|budget|equity|funding|raised|revenue|turnover|\bARR\b|valuation|voucher|discount|"
    r"relocation|"
    r"reimburse|401|pension|insurance|invest|contribution|\bfine\b|donat|subsid|signing|sign-on|million|billion|"
    r"learning",
    re.IGNORECASE,
)
_GRADE = re.compile(r"\b(?:zone|tier|region|area|band|group|grade|level)\s+(?:\d+|[A-Z]\b|[IVX]+\b)", re.IGNORECASE)
_SALARY_AT_LEAST = Decimal(12_000)  # an amount from here on, of which no period is said, is a year's


@dataclass(frozen=True, slots=True)
class ReadPay:
    minimum: Decimal
    maximum: Decimal
    currency: str  # ISO 4217
    period: str  # hour, day, week, month, year
    places: tuple[Place, ...] = ()  # empty: wherever the work is

    def __str__(self) -> str:
        return f"{self.currency} {self.minimum}–{self.maximum} a {self.period}"


@dataclass(frozen=True, slots=True)
class PayReading:
    bands: tuple[ReadPay, ...] = ()
    referral_reward: tuple[Decimal, str] | None = None
    unread: tuple[str, ...] = ()


def number(written: str) -> Decimal:
    """`60.000` and `60,000` are sixty thousand, `18.50` and `18,50` eighteen and a half."""
    digits = re.sub(r"['’\u00a0\u202f ]", "", written)
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", digits):
        return Decimal(re.sub(r"[.,]", "", digits))
    whole, mark, rest = digits, "", ""
    found = re.fullmatch(r"(.*)[.,](\d{1,2})", digits)
    if found:
        whole, mark, rest = found[1], ".", found[2]
    return Decimal(re.sub(r"[.,]", "", whole) + mark + rest)


def _line_around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands on the same line before and after."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    return text[begin:start], text[end : len(text) if stop < 0 else stop]


def _period(text: str, start: int, end: int) -> str:
    for period, pattern in _AFTER.items():
        if pattern.match(text, end):
            return period
    before, after = _line_around(text, start, end)
    for period, pattern in _BEFORE.items():
        if pattern.search(before[-60:]) or pattern.search(after[:30]):
            return period
    return ""


def _grade_places(text: str, grade: str) -> list[Place]:
    """The places of "Zone 1", wherever the text says which these are."""
    places: list[Place] = []
    for line in text.splitlines():
        at = line.casefold().find(grade.casefold())
        if at >= 0 and not _RANGE_OF_MONEY.search(line):
            places += places_in(line[at + len(grade) :])
    return list(dict.fromkeys(places))


_RANGE_OF_MONEY = re.compile(rf"{_CURRENCY}\s?\d")


def read_pay(text: str) -> PayReading:
    """All pay bands of an advert, each place in at most one of them. What looks like pay and is not usable is said."""
    found: list[ReadPay] = []
    unread: list[str] = []
    reward: tuple[Decimal, str] | None = None
    previous_end = 0
    for match in _RANGE.finditer(text):
        mark = match["before_low"] or match["after_low"] or match["before_high"] or match["after_high"]
        if mark is None:
            continue
        currency = _SYMBOLS.get(mark, mark)
        low = number(match["number_low"])
        high = number(match["number_high"]) if match["number_high"] else low
        kilo_low, kilo_high = bool(match["kilo_low"]), bool(match["kilo_high"])
        if match["number_high"] and kilo_high and not kilo_low and low < high * 10:
            kilo_low = True  # $130-150K
        low, high = (
            low * (1000 if kilo_low else 1),
            high * (1000 if kilo_high or (kilo_low and not match["number_high"]) else 1),
        )
        start, end = match.span()
        before, after = _line_around(text, start, end)
        before = before[max(0, len(before) - 300) :]
        near = before[-45:] + " " + after[:45]
        between = text[max(previous_end, start - len(before)) : start]
        previous_end = end
        is_range = match["number_high"] is not None
        period = _period(text, start, end)
        if _REFERRAL.search(near) and not is_range:
            reward = reward or (low, currency)
            continue
        if _NOT_PAY.search(re.split(r"[.;,]\s", after, maxsplit=1)[0][:35]) or (
            _NOT_PAY.search(before[-30:]) and not _PAY.search(before[-30:])
        ):
            continue
        announced = bool(_PAY.search(before))
        if not (period or announced or (is_range and low >= _SALARY_AT_LEAST)):
            continue
        written = " ".join(match[0].split())
        if low > high or low <= 0:
            unread.append(f"pay {written!r}: the least is more than the most" if low > high else f"pay {written!r}")
            continue
        if not period:
            if low < _SALARY_AT_LEAST:
                unread.append(f"pay {written!r}: for how long is not said")
                continue
            period = "year"
        segment = re.split(r"[;|•]\s*|\.\s+", between)[-1]
        places = places_in(segment)
        grade = _GRADE.search(segment)
        if not places and grade:
            places = _grade_places(text, grade[0])
        if not places:
            following = re.match(r"[^;|•\d$€£]{0,24}?(?:\bin\b|\bfor\b|\(|@)\s*([^;|•\d$€£\n]{2,60})", after)
            places = places_in(following[1]) if following else []
        found.append(ReadPay(low, high, currency, period, tuple(places)))
    return _reading(found, reward, unread)


def _reading(found: list[ReadPay], reward: tuple[Decimal, str] | None, unread: list[str]) -> PayReading:
    """The first statement about a place holds; what another says of the same place is reported instead of guessed."""
    bands: list[ReadPay] = []
    taken: dict[Place | None, ReadPay] = {}
    terms = set()
    for pay in found:
        said = (pay.minimum, pay.maximum, pay.currency, pay.period)
        if said in terms and not pay.places:
            continue
        free = [place for place in pay.places if place not in taken]
        if (pay.places and not free) or (not pay.places and None in taken):
            if said not in terms:
                unread.append(f"pay {pay}: another band holds for the same place")
            continue
        terms.add(said)
        band = ReadPay(pay.minimum, pay.maximum, pay.currency, pay.period, tuple(free))
        taken.update(dict.fromkeys(free, band) if free else {None: band})
        bands.append(band)
    return PayReading(tuple(bands), reward, tuple(unread))
