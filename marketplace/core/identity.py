"""When two profiles are likely one person's.

Facts are brought into a form in which those of one person agree, and their agreements and disagreements are weighed and
added up (I. Fellegi, A. Sunter, "A theory for record linkage", 1969). A weight is the binary logarithm of how much more
often the fact agrees among two profiles of one person than among two people's; those below are set by hand, in whole
bits. At `LIKELY` one person is as probable as two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from marketplace.core.folding import fold
from marketplace.core.phones import phone_number
from marketplace.core.similarity import Likeness

LIKELY = 14
WEIGHTS = {
    "same_email": 24,
    "same_linkedin": 24,
    "same_phone": 21,  # families share one
    "same_rare_name": 9,
    "same_employer": 6,
    "same_name": 5,
    "same_region": 4,
    "same_job_title": 4,
    "same_skills": 3,  # most of those of one trade are
    "same_country": 2,
    "other_phone": -2,
    "other_region": -3,
    "other_country": -3,
    "other_name": -4,
    "other_linkedin": -6,
}
"""What speaks for one person and, below nought, for two. One of the first three is enough whatever name and place are,
but not against another LinkedIn profile as well."""

MOST_BEARERS = 20
"""What more profiles share is an agency's address, a hostel's telephone, a name like many: it identifies nobody."""
RARE_NAME = 4
"""A name that at most so many profiles of a country bear is rare there."""

METHOD = 1
"""Grows with every change of how facts are read, so that fingerprints made before are made anew."""

Signal = tuple[str, ...]
"""A fact that people are looked up by: its kind, then its values in their compared form."""

_ONE_MAILBOX = {"googlemail.com": "gmail.com"}
_MOST_EMPLOYERS = 10
_FEWEST_SKILLS = 3  # in common, to say anything
_LINKEDIN = re.compile(r"(?:[a-z]{2,3}\.)?linkedin\.com")


@dataclass(frozen=True, slots=True)
class Person:
    """What of a profile is compared, in its compared form; empty where it says nothing."""

    name: str
    emails: frozenset[str]
    phone: str
    linkedin: str
    country: str
    region: str
    employers: tuple[str, ...]  # latest first
    titles: frozenset[str]
    skills: frozenset[int]


def read_person(
    *,
    name: str,
    emails: Iterable[str] = (),
    phone: str = "",
    linkedin: str = "",
    country: str = "",
    region: str = "",
    employers: Iterable[str] = (),
    titles: Iterable[str] = (),
    skills: Iterable[int] = (),
) -> Person:
    """A profile as it was typed: countries and regions are codes of ISO 3166, employers come latest first."""
    return Person(
        name=" ".join(sorted(fold(name).replace(".", " ").split())),
        emails=frozenset(filter(None, map(email_address, emails))),
        phone=phone_number(phone, country),
        linkedin=linkedin_profile(linkedin),
        country=country,
        region=region,
        employers=tuple(dict.fromkeys(filter(None, map(fold, employers))))[:_MOST_EMPLOYERS],
        titles=frozenset(filter(None, map(fold, titles))),
        skills=frozenset(skills),
    )


def email_address(text: str) -> str:
    """An address as mailboxes tell them apart: without what follows a plus (RFC 5233), and at Gmail without dots.

    Only Gmail is known to leave out the dots; elsewhere they tell people apart.

    >>> email_address("Ann.Lee+jobs@GoogleMail.com"), email_address("ann.lee+jobs@example.org"), email_address("ann")
    ('annlee@gmail.com', 'ann.lee@example.org', '')
    """
    local, at, domain = text.strip().casefold().rpartition("@")
    local = local.partition("+")[0] or local
    domain = _ONE_MAILBOX.get(domain, domain)
    if domain == "gmail.com":
        local = local.replace(".", "") or local
    return f"{local}@{domain}" if local and at and domain else ""


def linkedin_profile(address: str) -> str:
    """A profile's own part of its address, without scheme, country and what follows; empty where there is none.

    >>> linkedin_profile("https://de.linkedin.com/in/Ann-Lee%2D1/?locale=de"), linkedin_profile("http://linkedin.com")
    ('in/ann-lee-1', '')
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError:  # brackets, letters that look like a slash …
        return ""
    steps = [step for step in unquote(parts.path).casefold().split("/") if step]
    if not _LINKEDIN.fullmatch((parts.hostname or "").removeprefix("www.")) or len(steps) < 2:
        return ""
    return "/".join(steps[:2] if steps[0] == "in" else steps)  # /in/ann-lee/de is the same profile in German


def contacts(text: str) -> list[Signal]:
    """What somebody is looked up by whose contact this is; none where it is no contact."""
    read = (("email", email_address(text)), ("phone", phone_number(text)), ("linkedin", linkedin_profile(text)))
    return [(kind, value) for kind, value in read if value]


def signals(person: Person) -> list[Signal]:
    """What a person is looked up by: contacts, and the name together with the country or an employer."""
    found: list[Signal] = [("email", each) for each in sorted(person.emails)]
    found += [(kind, value) for kind, value in (("phone", person.phone), ("linkedin", person.linkedin)) if value]
    if person.name:
        found.append(_name_in_country(person))
        found += [("name", person.name, "at", employer) for employer in person.employers]
    return found


def _name_in_country(person: Person) -> Signal:
    return ("name", person.name, "in", person.country)


def likeness(one: Person, other: Person, *, bearers: Mapping[Signal, int]) -> Likeness | None:
    """Whether two profiles are likely one person's. `bearers` tells how many profiles, at most `MOST_BEARERS` + 1 of
    them counted, have each signal of `one`."""
    reasons = [
        *_contacts(one, other, bearers), *_names(one, other, bearers), *_places(one, other), *_careers(one, other),
    ]  # fmt: skip
    if "other_name" in reasons:  # who shares a household shares its place, too
        reasons = [reason for reason in reasons if reason not in ("same_region", "same_country")]
    reasons.sort(key=list(WEIGHTS).index)
    bits = sum(WEIGHTS[reason] for reason in reasons)
    return Likeness(_percent(bits - LIKELY), tuple(reasons)) if bits >= LIKELY else None


def says_more(reasons: Collection[str], before: Collection[str]) -> bool:
    """Whether something speaks for one person that did not before. How rare a name is, is others' doing."""

    def speaking(given: Collection[str]) -> set[str]:
        return {reason.replace("_rare", "") for reason in given if WEIGHTS.get(reason, 0) > 0}

    return not speaking(reasons) <= speaking(before)


def _percent(bits: int) -> int:
    """The probability of odds of 1 : 2 to the power of `-bits`, short of certainty."""
    return min(99, round(100 / (1 + 2.0**-bits)))


def _contacts(one: Person, other: Person, bearers: Mapping[Signal, int]) -> Iterable[str]:
    def tells(kind: str, values: Collection[str]) -> bool:
        return any(bearers.get((kind, value), 0) <= MOST_BEARERS for value in values)

    if tells("email", one.emails & other.emails):
        yield "same_email"
    for kind, mine, its in (("phone", one.phone, other.phone), ("linkedin", one.linkedin, other.linkedin)):
        if mine and its and mine != its:
            yield f"other_{kind}"
        elif mine and its and tells(kind, [mine]):
            yield f"same_{kind}"


def _names(one: Person, other: Person, bearers: Mapping[Signal, int]) -> Iterable[str]:
    if not (one.name and other.name):
        return
    mine, its = set(one.name.split()), set(other.name.split())
    if one.name == other.name:
        yield "same_rare_name" if bearers.get(_name_in_country(one), 0) <= RARE_NAME else "same_name"
    elif not (mine <= its or its <= mine):  # a second name left out says neither
        yield "other_name"


def _places(one: Person, other: Person) -> Iterable[str]:
    if not (one.country and other.country):
        return
    if one.country != other.country:
        yield "other_country"
    elif not (one.region and other.region):
        yield "same_country"
    else:
        yield "same_region" if one.region == other.region else "other_region"


def _careers(one: Person, other: Person) -> Iterable[str]:
    if set(one.employers) & set(other.employers):
        yield "same_employer"
    if one.titles & other.titles:
        yield "same_job_title"
    shared = len(one.skills & other.skills)
    if shared >= _FEWEST_SKILLS and 2 * shared >= len(one.skills | other.skills):
        yield "same_skills"
