"""A plain-text job advert, read into the fields of a draft.

Adverts have no format, so each field is read by the few conventions that people keep: headings, bullets, "Label:
value" lines, the words around an amount. Whatever is not found that way stays empty and is named in `unread`; the
text itself is always kept whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.pay import ReadPay, read_pay
from marketplace.core.places import Place, places_in
from marketplace.core.recognition import Recogniser

TITLE_AT_MOST = 200

_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\s]*\)")
_INLINE_HEADING = re.compile(r"(?<=[^\s#])\s*(#{1,4} )")
_EMPTY_BULLET = re.compile(r"^([-*•]) *\n+(?=\S)", re.MULTILINE)
_FIELD = re.compile(r"^(?P<label>[A-Za-zÄÖÜäöü/ -]{2,30}?)\s*:\s*(?P<value>\S.*)$")

_PREFERRED = re.compile(
    r"nice[ -]to[ -]have|preferred|bonus|\bplus(?:es)?\b|desirable|desired|advantage|good to have|ideally|"
    r"wünschenswert|"
    r"von vorteil|extra credit|interested in candidates|would be great|not required|beneficial|an asset",
    re.IGNORECASE,
)
_REQUIRED = re.compile(
    r"requirement|required|qualification|must[ -]have|what you(?:['’]ll| will)? (?:need|bring|have)|looking for|"
    r"who you are|"
    r"you (?:have|bring|are)\b|your profile|dein profil|ihr profil|anforderungen|^(?:key |technical |core )?skills|"
    r"tech(?:nical|nology)? stack|"
    r"essential|minimum|about you|what it takes|experience (?:needed|and)|person specification|you(?:['’]ll|"
    r" will) need|certificat",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"responsibilit|you(?:['’]ll| will) (?:be )?(?:do|build|work)|duties|\btasks\b|aufgaben|the role|benefits|"
    r"we offer|what we offer|"
    r"wir bieten|perks|about (?:us|the)|^why\b|apply|salary|compensation|rewards|example|job description|company|"
    r"summary|"
    r"what the job|day to day|equal opportunit|project lead|earn .* refer",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\brequires?\b|\brequired\b|must have|\bmust be\b|you need|mandatory|essential", re.IGNORECASE)
_EITHER = re.compile(
    r"at least one|one or more|\bany of\b|\bone of\b|or (?:a )?(?:similar|comparable|equivalent) (?:language|tool|"
    r"framework)",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"^(?:apply for this job|create a job alert|\*? ?indicates a required field|first name\*?|.*name\*email\*phone)",
    re.IGNORECASE,
)

_NEGATED_REMOTE = re.compile(r"\b(?:no|not|non)[ -](?:a )?remote|remote (?:work )?is not", re.IGNORECASE)
_HYBRID = re.compile(r"\bhybrid(?! cloud| cars?| vehicle| app)", re.IGNORECASE)
_REMOTE = re.compile(
    r"remote(?! sensing| control| monitoring| support| access| site| patient)|work from (?:home|anywhere)|"
    r"home[ -]?office",
    re.IGNORECASE,
)
_ONSITE = re.compile(
    r"\bon[ -]?site\b|in[ -]person|in[ -]office|vor ort|at our (?:site|premises|workshop|warehouse|clinic|hospital|"
    r"restaurant)",
    re.IGNORECASE,
)
_COMMITMENTS = (
    ("full_time", re.compile(r"full[ -]?time|vollzeit|temps plein", re.IGNORECASE)),
    ("part_time", re.compile(r"part[ -]?time|teilzeit|temps partiel", re.IGNORECASE)),
    (
        "contract",
        re.compile(
            r"\bcontract(?:or|ing)\b|freelanc|\bday rate\b|\bcontract (?:role|position|basis|job)|(?:outside|"
            r"inside) IR35|\d+[ -]months? contract",
            re.IGNORECASE,
        ),
    ),
    (
        "temporary",
        re.compile(r"\btemporary\b|\btemp (?:role|job|position)|seasonal|fixed[ -]term|befristet", re.IGNORECASE),
    ),
    ("internship", re.compile(r"\binternship (?:position|program|role)|\bpraktikum\b", re.IGNORECASE)),
    ("volunteer", re.compile(r"\bvolunteer (?:role|position|opportunity)|\bunpaid\b", re.IGNORECASE)),
)
_HOURS = re.compile(
    r"\b(\d{1,2})(?:\s*(?:-|–|to)\s*(\d{1,2}))?\s*(?:h|hrs?|hours?|std\.?|stunden)\s*(?:/|per|a|pro|"
    r"each)?\s*(?:week|wk|woche)\b",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(\d{1,2})\s*(?:\+|plus)?\s*(?:(?:-|–|to)\s*\d{1,2}\s*)?\+?\s*(?:years?|yrs|jahre)", re.IGNORECASE)
_TITLE_NOISE = re.compile(
    r"\s*[-–—|:]\s*job (?:description|advert|posting|ad)\s*$|^\s*(?:job title|position|title|role|vacancy|job|"
    r"stelle)\s*:\s*|"
    r"\s*\((?:[mwfdx][/|]){1,3}[mwfdx]\)|\s*\(all genders\)",
    re.IGNORECASE,
)
_PLACE_CUE = re.compile(
    r"(?:\bbased (?:in|at|near)\b|\blocated (?:in|at)\b|\boffices? in\b|\banywhere in\b|\bremote(?:ly)? (?:from|in|"
    r"within|across)\b|"
    r"\bsites? in\b|\b(?:clinic|hospital|workshop|restaurant|warehouse|hotel|school|shop|depot|studio|kitchen|home|"
    r"yard|plant|team) in\b|"
    r"\bwork (?:in|from)\b|\bour (?=[A-Z]))(?P<rest>[^.;!?]{2,80})"
)
_PLACE_FIELDS = ("location", "locations", "place of work", "office", "standort", "arbeitsort", "where", "city", "lieu")


@dataclass(frozen=True, slots=True)
class ReadAdvert:
    """Skills are keys of the recogniser's. `alternatives` are groups of which an advert wants at least one member;
    those members are among the preferred, since none of them alone is required."""

    title: str
    description: str
    pay: tuple[ReadPay, ...]
    locations: tuple[Place, ...]
    arrangement: str  # onsite, hybrid, remote or empty
    commitment: str
    weekly_hours: int | None
    years_experience: Decimal | None
    required: tuple[int, ...]
    preferred: tuple[int, ...]
    alternatives: tuple[tuple[int, ...], ...]
    referral_reward: tuple[Decimal, str] | None
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str  # without marks
    section: str  # required, preferred, other
    label: str = ""  # of a "Label: value" line
    first_heading: bool = False

    @property
    def field(self) -> str:
        return self.label.casefold()

    def __str__(self) -> str:
        return f"{self.label}: {self.text}" if self.label else self.text


def _plain(text: str) -> str:
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    text = _LINK.sub(r" \1 ", text)
    text = _INLINE_HEADING.sub(r"\n\1", text)
    return _EMPTY_BULLET.sub(r"\1 ", text)


def _section_of(heading: str) -> str:
    for section, pattern in (("preferred", _PREFERRED), ("required", _REQUIRED), ("other", _OTHER)):
        if pattern.search(heading):
            return section
    return ""


def _is_heading(raw: str, bare: str) -> bool:
    if raw.startswith("#") or re.fullmatch(r"\*\*[^*]+\*\*:?|__[^_]+__:?", raw):
        return True
    if raw.startswith(("-", "*", "•", "·")) or len(bare) > 70 or len(bare.split()) > 9:
        return False
    if bare.endswith(":"):
        return True
    return bool(_section_of(bare)) and not bare.endswith((".", "!", "?", ",")) and len(bare.split()) <= 6


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    section, seen_heading, listed = "other", False, False
    for raw in map(str.strip, text.splitlines()):
        bare = re.sub(r"^(?:#+|>|[-*•·])\s+", "", raw)
        bare = re.sub(r"\*\*|__|&\*|(?<=\w):\*", lambda mark: ":" if mark[0] == ":*" else "", bare).strip(" \t*")
        if not bare:
            continue
        if _FORM.match(bare):
            section = "form"
        field = _FIELD.match(bare)
        if section == "form":
            lines.append(_Line(bare, "form"))
        elif (field is None or raw.startswith("#")) and _is_heading(raw, bare):
            section, listed = _section_of(bare) or "other", False
            lines.append(_Line(bare.rstrip(":"), "heading", first_heading=raw.startswith("# ") and not seen_heading))
            seen_heading = seen_heading or raw.startswith("# ")
        elif field and not raw.startswith(("-", "•", "* ")):
            label = field["label"].strip()
            within = _section_of(label)
            lines.append(_Line(field["value"], within if within in ("required", "preferred") else "other", label))
        else:
            if raw.startswith(("-", "*", "•", "·")):
                listed = True
            elif listed and len(bare) > 150:
                section = "other"  # a paragraph after a list is about something else
            lines.append(_Line(bare, section))
    return lines


def _title(lines: list[_Line]) -> str:
    named = [
        line.text for line in lines if line.field in ("title", "job title", "position", "role", "vacancy", "stelle")
    ]
    headed = [line.text for line in lines if line.first_heading]
    for candidate in (*named, *headed, *(line.text for line in lines[:1])):
        title = _TITLE_NOISE.sub("", candidate).strip(" -–—|:*")
        if title:
            return title[:TITLE_AT_MOST]
    return ""


def _locations(lines: list[_Line], text: str, paid: list[Place]) -> list[Place]:
    places: list[Place] = []
    for line in lines:
        if line.field in _PLACE_FIELDS or line.field.endswith("location"):
            places += places_in(line.text)
    if not places:
        for cue in _PLACE_CUE.finditer(text):
            places += places_in(cue["rest"])
    places = places or paid
    if not places:  # "Nurse, Leeds", or a line that is a place and nothing else
        for line in lines[:6]:
            if len(line.text) <= 80:
                places += places_in(line.text)
    return list(dict.fromkeys(places))


def _arrangement(lines: list[_Line]) -> str:
    """The fields first, then all of the text: "Work Location: In person" is plainer than any sentence."""
    fields = [
        line.text
        for line in lines
        if line.field in _PLACE_FIELDS
        or "location" in line.field
        or line.field in ("arrangement", "workplace", "work model")
    ]
    for texts in (fields, [line.text for line in lines if line.section != "form"], [line.text for line in lines]):
        text = _NEGATED_REMOTE.sub(" onsite ", "\n".join(texts))
        if _HYBRID.search(text):
            return "hybrid"
        remote, onsite = _REMOTE.search(text), _ONSITE.search(text)
        if remote and onsite:
            return (
                "hybrid"
                if abs(remote.start() - onsite.start()) < 60
                else ("remote" if remote.start() < onsite.start() else "onsite")
            )
        if remote or onsite:
            return "remote" if remote else "onsite"
    return ""


def _commitment(title: str, text: str) -> str:
    if re.search(r"\bintern(?:ship)?\b|\bpraktik", title, re.IGNORECASE):
        return "internship"
    found = [(match.start(), name) for name, pattern in _COMMITMENTS if (match := pattern.search(text))]
    return min(found)[1] if found else ""


def _years(lines: list[_Line]) -> Decimal | None:
    asked = [
        int(match[1])
        for line in lines
        if line.section == "required" or _ASKS.search(line.text)
        for match in _YEARS.finditer(line.text)
        if re.search(r"experience|working|practice|erfahrung|in (?:a|the)|as an?\b", line.text, re.IGNORECASE)
    ]
    return Decimal(max(asked)) if asked and max(asked) <= 40 else None


def _skills(lines: list[_Line], recogniser: Recogniser) -> tuple[list[int], list[int], list[tuple[int, ...]]]:
    """(required, preferred, alternatives). Where no section and no sentence says what is required, what the advert
    mentions anywhere is preferred: better said weakly than invented."""
    required: dict[int, None] = {}
    preferred: dict[int, None] = {}
    mentioned: dict[int, None] = {}
    alternatives: list[tuple[int, ...]] = []
    for line in lines:
        if line.section in ("form", "heading"):
            continue
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", line.text):
            keys = recogniser.skills(sentence)
            if not keys:
                continue
            wish = line.section == "preferred" or (_PREFERRED.search(sentence) and not _ASKS.search(sentence))
            must = line.section == "required" or _ASKS.search(sentence)
            either = _EITHER.search(sentence)
            if wish:
                preferred.update(dict.fromkeys(keys))
            elif must and either:
                # "at least one programming language (Python, Go, Rust)": the brackets hold the choice.
                opening = sentence.find("(", either.end())
                chosen = recogniser.skills(sentence[max(opening, either.end()) :])
                keys = recogniser.skills(sentence[: either.start()])
                preferred.update(dict.fromkeys(chosen))
                required.update(dict.fromkeys(key for key in keys if key not in chosen))
                if len(chosen) > 1:
                    alternatives.append(tuple(chosen))
            elif must:
                required.update(dict.fromkeys(keys))
            else:
                mentioned.update(dict.fromkeys(keys))
    if not required and not preferred:
        preferred = mentioned
    alternatives = [group for group in alternatives if not any(key in required for key in group)]
    return list(required), [key for key in preferred if key not in required], alternatives


def read_advert(text: str, recogniser: Recogniser) -> ReadAdvert:
    """Never fails: an empty text gives an empty draft that says so."""
    plain = _plain(text)
    lines = _lines(plain)
    body = "\n".join(line.text for line in lines if line.section != "form")
    title = _title(lines)
    pay = read_pay("\n".join(str(line) for line in lines if line.section != "form"))
    paid = [place for band in pay.bands for place in band.places]
    locations = _locations([line for line in lines if line.section != "form"], body, paid)
    everything = "\n".join(line.text for line in lines)
    arrangement, commitment = _arrangement(lines), _commitment(title, everything)
    hours = _HOURS.search(everything)
    weekly_hours = int(hours[2] or hours[1]) if hours else None
    years = _years(lines)
    required, preferred, alternatives = _skills(lines, recogniser)
    missing = (
        ("title", title),
        ("pay", pay.bands),
        ("locations", locations),
        ("work arrangement", arrangement),
        ("commitment", commitment),
        ("required skills", required),
        ("preferred skills", preferred),
        ("years of experience", years),
        ("weekly hours", weekly_hours),
    )
    return ReadAdvert(
        title=title,
        description=text.replace("\x00", "").strip(),
        pay=pay.bands,
        locations=tuple(locations),
        arrangement=arrangement,
        commitment=commitment,
        weekly_hours=weekly_hours if weekly_hours and weekly_hours <= 80 else None,
        years_experience=years,
        required=tuple(required),
        preferred=tuple(preferred),
        alternatives=tuple(alternatives),
        referral_reward=pay.referral_reward,
        unread=tuple(name for name, value in missing if not value) + pay.unread,
    )
