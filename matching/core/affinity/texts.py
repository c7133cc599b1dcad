"""Résumés and job descriptions as people write and scrapers leave them, read into words.

Remains of HTML and of wrong decoding come off, and so do sentences that stand in every advert and are about nobody's
work: equal opportunity, benefits, how to apply. Words are compared by their roots. The title of a text is what its
first words and the usual cues say ("Job title:", "looking for a"), a person's titles also what stands beside years.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.core.stemming import root

MOST_LETTERS = 200_000
"""Of one text; what comes later is not read. A résumé has about 4,000."""

_LONGEST_WORD = 40
_TITLE_WORDS = 12
_SHORT_LINE = 10  # words
_HEAD_LINES = 15
_MOST_YEARS = 40

_BREAKS = re.compile(r"<\s*(?:br|/?p|/?li|/?div|/?h\d|/?tr|/?ul|/?ol)\b[^<>]{0,200}>", re.IGNORECASE)
_TAGS = re.compile(r"<(?:!--|/?[a-z])[^<>]{0,500}>", re.IGNORECASE)
_ADDRESSES = re.compile(r"(?:https?://|www\.)\S{1,500}|\S{1,100}@\S{1,100}", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
# UTF-8 that was once read as Windows-1252.
_MISREAD = re.compile("â€[™˜]|â€[œ\u009d]|â€[“”]|â€¢|Â(?=[\\s\u00a0·])|ï¼\u200b|â€‹|\u200b|\ufeff|\u00ad")
_MISREAD_AS = {"â€™": "'", "â€˜": "'", "â€œ": '"', "â€\u009d": '"', "â€“": "-", "â€”": "-", "â€¢": "\n", "\u00ad": ""}
_SENTENCES = re.compile(r"\n+|(?<=[.!?;])\s+|\s[•·▪●*|–—-]\s")
_WORD = re.compile(r"(?<![\w.])\.net\b|[^\W_]+(?:\+\+|#)?", re.IGNORECASE)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_JOINED = re.compile(r"\b([A-Za-z]*[a-z]{3})([A-Z][a-z]{2,})")
_WRITTEN_SO_NAMES = """
    javascript typescript coffeescript applescript postscript postgres linkedin powerpoint powershell powerbuilder
    youtube quickbooks wordpress salesforce photoshop solidworks openshift openstack github facebook sharepoint
    onedrive elasticsearch mongodb dynamodb cloudformation cloudwatch databricks bigquery fullstack frontend
    backend healthcare autocad captivate indesign kotlin flutter sketchup whatsapp clickhouse datadog pagerduty
    hubspot mailchimp quicksight playwright paypal mastercard webhook openapi fastapi
"""
_WRITTEN_SO = frozenset(_WRITTEN_SO_NAMES.split())
"""Names with a capital in the middle, which are one word."""
_ABOUT_NOBODY = re.compile(
    r"equal[ -](?:employment )?opportunit|regardless of|without regard to|discriminat|protected veteran|"
    r"sexual orientation|gender identity|national origin|reasonable accommodation|applicants? with disabilit|"
    r"affirmative action|background check|drug[ -](?:test|screen|free)|e-verify|401\s?\(?k|"
    r"\b(?:dental|vision) (?:insurance|plan|care|cover)|paid (?:time off|holidays?|vacation|leave)|\bpto\b|"
    r"life insurance|(?:health|private) (?:insurance|health ?care)|pension|parental leave|stock options?|"
    r"(?:we|our) (?:offer|provide|benefits)|benefits\s*(?:include)?:|what we offer|bike leasing|cycle to work|"
    r"free parking|fruit basket|table football|competitive salary|salary range|compensation range|"
    r"(?:to )?apply (?:with|now|online|by|today)|cover letter|no agencies|references (?:are )?(?:available|upon)|"
    r"privacy (?:policy|notice)|all rights reserved|cookies?\b|gleichbehandlung|schwerbehind",
    re.IGNORECASE,
)
_CLAUSE_ENDS = r"(?=[.;:!?\n]|$|\b(?:but|however|although|though)\b)"
_LACKED = re.compile(
    r"\b(?:(?:no|without|lacks?|lacking)(?! less| fewer| more)(?: [\w-]{1,30}){0,3}? (?:experience|knowledge|exposure)"
    r" (?:of|with|in|using|as)|never (?:used|touched|worked (?:with|on|in|as))|"
    r"not (?:yet )?(?:familiar with|experienced (?:in|with)|trained (?:in|on|as)|used|worked (?:with|on|in|as))|"
    r"(?:wants?|wanting|like|hop(?:e|ing)|keen|eager|plan(?:ning)?|willing) to learn|interested in learning)\b"
    rf"(?![^.;:!?\n]{{0,80}}\b(?:needed|required|necessary|expected)\b)[^.;:!?\n]{{0,200}}?{_CLAUSE_ENDS}",
    re.IGNORECASE,
)
"""What somebody says they cannot do yet, up to the end of the clause: "no experience with Kafka yet"."""
_TITLE_CUES = re.compile(
    r"(?:\b(?:job title|title|position|role|vacancy|stelle|objective|current role|desired position)\s*:\s*|"
    r"\b(?:looking|searching|search) for (?:an?|our|the)\s|\b(?:seeking|hiring|seeks|wanted:)\s(?:an?\s)?|"
    r"\bwork(?:ed|ing)? as (?:an?|the)\s|\bthe role of (?:an?\s)?)",
    re.IGNORECASE,
)
_TITLE_ENDS = re.compile(r"[.;:!?\n|(]|,\s|\s(?:who|with|to|for|that|in|at|on|from|and you)\s", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_EXPERIENCE = re.compile(
    r"\b(\d{1,2})\s?(?:\+|plus)?\s?(?:(?:-|–|to)\s?\d{1,2}\s?)?\+?\s?(?:years?|yrs)\b", re.IGNORECASE
)
_NUMBER_WORDS = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_WORDS.split(), 1)}
_SPELT = re.compile(rf"\b({'|'.join(_NUMBERS)})(?=\s+(?:or more\s+)?(?:years?|yrs)\b)", re.IGNORECASE)

_STOP_WORDS = """
    a about above across after again all also am among an and any anyone anything are around as ask at available
    based be because been before being below between both but by came can cannot come could day days did do does
    doing done down during each either etc even ever every few first for from further get give go good had has
    have having he her here hers him his how however i if in including into is it its itself just know last less
    let like ll look looking made make many may me might more most much must my need needed needs new no nor not
    now of off often on once one only or other others our ours out over own per please plus re really s same see
    seek seeking shall she should since so some something such t take than that the their theirs them then there
    these they thing this those through to together too toward two under until up upon us use used using ve very
    via want wanted was way we well were what when where whether which while who whom whose why will wish with
    within without would year years yet you your yours two three four five six seven eight nine ten
"""
_SAYS_NOTHING_OF_WORK = """
    ability able applicant apply benefit bonus candidate career company description dynamic email employee
    employer employment enthusiastic environment exciting experience experienced great ideal individual job join
    month month opportunity passionate people person phone position profile qualification require required
    requirement responsibility responsible resume role salary skill strong successful summary team work worked
    working workplace january february march april june july august september october november december present
    current currently
"""
STOP_ROOTS = frozenset(root(word) for word in (*_STOP_WORDS.split(), *_SAYS_NOTHING_OF_WORK.split()))

_JUNIOR, _SENIOR, _HEAD = 1, 3, 4
_SENIORITY = (
    (_HEAD, re.compile(r"\b(?:head|director|vp|vice president|chief|principal|executive)\b", re.IGNORECASE)),
    (_SENIOR, re.compile(r"\b(?:senior|sr|lead|manager|experienced|supervisor)\b", re.IGNORECASE)),
    (
        _JUNIOR,
        re.compile(r"\b(?:junior|jr|intern|internship|trainee|graduate|entry[ -]level|assistant)\b", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, slots=True)
class ReadText:
    """Words are roots in the order of the text, stop words left out; None parts sentences."""

    words: tuple[str | None, ...]
    written: tuple[str | None, ...]  # the same words, but for case and accents as they were written
    title: tuple[str, ...]
    years: int | None  # the most years of experience that are named
    seniority: int | None  # 1 junior … 4 head, of the title

    @property
    def empty(self) -> bool:
        return not any(self.words)


def plain(text: str) -> str:
    """Text as it was meant: without mark-up, addresses, marks of wrong decoding, and what somebody says they lack."""
    text = text[:MOST_LETTERS].replace("\x00", " ").replace("\r\n", "\n").replace("\r", "\n")
    text = _MISREAD.sub(lambda found: _MISREAD_AS.get(found[0], " "), text)
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAGS.sub(" ", _BREAKS.sub("\n", text))
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", text))
    return _LACKED.sub(" ", _ADDRESSES.sub(" ", text))


def roots_of(text: str) -> Iterator[str]:
    """The telling words of a text, each as its root."""
    return (word for word, _ in _telling(text))


def _telling(text: str) -> Iterator[tuple[str, str]]:
    """(root, word as written but for case and accents). Numbers say little without what they count."""
    bare = _NOT_ASCII.sub(lambda letter: unicodedata.normalize("NFD", letter[0])[0], text)
    for match in _WORD.finditer(bare):
        written = match[0].casefold()[:_LONGEST_WORD]
        word = root(written)
        if word not in STOP_ROOTS and not word.isdigit() and (len(word) > 1 or word in "cr"):
            yield word, written


def read_text(text: str) -> ReadText:
    """Never fails: an empty text has no words."""
    meant = plain(text)
    parted = _JOINED.sub(_parted, meant)
    words: list[tuple[str, str] | None] = []
    for sentence in _SENTENCES.split(parted):
        if sentence and not _ABOUT_NOBODY.search(sentence):
            words += _telling(sentence)
            words.append(None)
    if not any(words):  # nothing but boilerplate is still better than nothing
        words = list(_telling(parted))
    title = " \n ".join(_titles(meant))
    numbered = _SPELT.sub(lambda found: str(_NUMBERS[found[1].lower()]), meant)
    years = [number for found in _EXPERIENCE.finditer(numbered) if (number := int(found[1])) <= _MOST_YEARS]
    return ReadText(
        words=tuple(word and word[0] for word in words),
        written=tuple(word and word[1] for word in words),
        title=tuple(roots_of(_JOINED.sub(_parted, title))),
        years=max(years, default=None),
        seniority=next((level for level, found in _SENIORITY if found.search(title)), None),
    )


def _parted(found: re.Match[str]) -> str:
    """ "ResponsibilitiesDesign" are two words that a scraper joined; "JavaScript" is one."""
    return found[0] if found[0].casefold() in _WRITTEN_SO else f"{found[1]} {found[2]}"


def _titles(text: str) -> Iterator[str]:
    lines = [line.strip(" \t-*•#>|") for line in text.split("\n")]
    lines = [line for line in lines if line]
    if lines:
        yield " ".join(lines[0].split()[:_TITLE_WORDS])
    for number, line in enumerate(lines[1:], 1):
        if len(line.split()) <= _SHORT_LINE and (number < 3 or (number < _HEAD_LINES and _YEAR.search(line))):
            yield line
    for cue in _TITLE_CUES.finditer(text):
        named = _TITLE_ENDS.split(text[cue.end() : cue.end() + 80], maxsplit=1)[0]
        yield " ".join(named.split()[:_TITLE_WORDS])
