"""Finding skills in free text by their labels.

Labels meet text word by word, plurals and accents aside, the longest label first. What makes this safe on real text
is what it does not accept: an acronym in the wrong case, an ordinary word that happens to be a product ("Excel at
what you do", "Go to our page"), one or two letters that somebody once entered as a label. Such words count only in
the company of other technologies ("Python, Go and R") or after words that announce a skill.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from marketplace.core.everyday import EVERYDAY_LABELS
from marketplace.core.folding import fold, singular, without_qualifier
from marketplace.core.stemming import root

_TOKEN = re.compile(r"(?<![\w.])\.net\b|[^\W_]+(?:\+\+|#)?", re.IGNORECASE)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# What may stand between two words of one label; a comma or a new paragraph may not.
_GAP = re.compile(r"(?:[ \t\u00a0]|[-‐‑–/.'’&+](?!\s{2})|\n(?!\s*\n)){0,3}")
_LIST = re.compile(r"[\s,;/|&+•·*_()\[\]:]*(?:(?:and|or|und|oder|et|e\.g\.|i\.e\.|incl\.|including|like)[\s,(]*)?")
_ANNOUNCED = re.compile(
    r"(?:experience|expertise|knowledge|proficien\w+|fluen\w+|skill\w*|skilled|competen\w+|familiar\w*|command|"
    r"background)"
    r"\s+(?:\w+\s+)?(?:in|of|with|using)\s+(?:\w+\s+){0,1}[*_(]*$",
    re.IGNORECASE,
)
_FOLLOWED = re.compile(
    r"[*_)]*\s+(?:programming|languages?|developers?|engineers?|code|codebases?|ecosystems?|development|framework|"
    r"applications?|spreadsheets?)\b",
    re.IGNORECASE,
)

_MOST_WORDS = 12  # of a label
_LONGEST_WORD = 60  # letters; a longer one is cut
_MOST_KNOWN = 200_000  # words as written that a recogniser keeps the forms of, some 40 MB
_WORD_BITS = 24

_Token = tuple[int, int, str, int]  # where it begins and ends, its singular, the number of its root or -1

# Names that are also ordinary words, or too short to be told from other uses of the same letters.
_AMBIGUOUS_WORDS = """
    access ada airflow android ant atom backbone bash beam blender bootstrap box c canvas cassandra celery chef
    clipper concur consul crystal cypress d dart delphi drive eclipse edge elm ember envoy epic excel exchange express
    flask flow flutter forest go groovy harvest helm hibernate hive ignite illustrator jasmine jest julia kinesis lean
    less lightning linear logo looker lua make mantis maven meteor mocha monday mongo nest next node notes notion
    numbers office outlook packer pages pascal phoenix photos pilot play postman project prolog publisher puppet r rails
    react redux rest route ruby rust sage salt scala scratch segment sentry sketch slack spark spring square storm
    stripe stylus swift teams temporal toast torch travel tig mig unity unreal vault vue word workday zoom ts js es
    ml sem k8 kube
"""
AMBIGUOUS = frozenset(_AMBIGUOUS_WORDS.split())
# Labels of the taxonomies that say nothing in running text.
_SAYS_NOTHING = """
    it ict re rs st ng io ct cts rt ste tie bms ti ics ic art ai technology technologies computer technology
    training job work team teams experience support design management skills system systems software business
    service services people office code search market performance routing placement instrumentation logging
    ecosystem ecosystems plan plans organise equipment base
"""
_NEVER = frozenset(
    (
        *_SAYS_NOTHING.split(),
        *["computer technology", "best practice", "code of conduct", "health insurance", "job description"],
    )
)


class Label(NamedTuple):
    """One name of a skill. `rank` decides between skills of the same label: 0 is what everyone says, 1 a skill's own
    name, 2 an alternative label."""

    key: int
    text: str
    rank: int = 1
    technology: bool = False


class Span(NamedTuple):
    """`text[start:end]` names skill `key`."""

    start: int
    end: int
    key: int
    text: str


class _Entry(NamedTuple):
    rank: int
    key: int
    text: str  # as written in the taxonomy
    exact: bool  # the case must agree
    guarded: bool  # counts only in company
    technology: bool


class _Found(NamedTuple):
    start: int
    end: int
    entry: _Entry


def _bare(text: str) -> str:
    """Text of the same length without accents, so that positions stay true."""
    return _NOT_ASCII.sub(lambda letter: unicodedata.normalize("NFD", letter[0])[0], text)


def _forms(written: str) -> tuple[str, str]:
    """A word as it stands in a text, without its plural and without any inflection."""
    word = written.casefold()[:_LONGEST_WORD]
    return singular(word), root(word)


def _words(text: str) -> list[str]:
    return [match[0] for match in _TOKEN.finditer(_bare(text))]


def _entry(label: Label, words: int) -> _Entry | None:
    """How a label of so many words may be found, None for one that must not be."""
    text = without_qualifier(label.text).strip()
    folded = fold(text)
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or folded in _NEVER:
        return None
    everyday = folded in EVERYDAY_LABELS
    capitals = sum(letter.isupper() for letter in letters)
    if words > 1:
        return _Entry(label.rank, label.key, text, False, False, label.technology)
    if len(text) <= 2 and not everyday and label.rank > 1:
        return None
    if label.rank > 1 and not everyday and not label.technology and capitals < 2:
        return None  # "clean", "standards", "balances": alternative labels of skills that the word alone does not name
    guarded = folded in AMBIGUOUS
    exact = guarded or (len(letters) <= 4 and capitals > 0 and not (everyday and len(letters) >= 3))
    if not everyday and capitals:
        exact = True
    if label.technology and not everyday:
        # O*NET has thousands of products; one whose name is a single capitalised word may be any word.
        guarded = guarded or (capitals == 1 and text[0].isupper() and label.rank > 0)
    return _Entry(label.rank, label.key, text, exact, guarded, label.technology)


class Recogniser:
    """All labels of a taxonomy, made ready once, for any number of texts.

    Labels lie in a tree, word by word. A label of one word is found in singular and plural alone: "bill" is not what
    "billing" means. In one of several words the others say what is meant, so each may be inflected: "managed budgets".
    The tree is one flat dictionary, (node, word) → node, since a dictionary for each of a quarter million nodes would
    take four times the memory; a text of n words costs n look-ups and one more for each word that continues a label.
    """

    def __init__(self, labels: Iterable[Label]) -> None:
        self._singles: dict[str, list[_Entry]] = {}
        self._roots: dict[str, int] = {}
        self._known: dict[str, tuple[str, int]] = {}  # words as written in texts → singular, number of the root
        self._edges: dict[int, int] = {}
        self._entries: dict[int, list[tuple[str, _Entry]]] = {}
        technologies: set[int] = set()
        for label in labels:
            if label.technology:
                technologies.add(label.key)
            words = [_forms(word) for word in _words(without_qualifier(label.text))]
            if not words or len(words) > _MOST_WORDS:
                continue
            entry = _entry(label, len(words))
            if entry is None:
                continue
            if len(words) == 1:
                self._singles.setdefault(words[0][0], []).append(entry)
            else:
                node = self._grown([rooted for _, rooted in words])
                self._entries.setdefault(node, []).append((" ".join(one for one, _ in words), entry))
        self.technologies = frozenset(technologies)  # skills
        for entries in self._singles.values():
            entries.sort()
        for written in self._entries.values():
            written.sort(key=lambda pair: pair[1])

    def _grown(self, roots: list[str]) -> int:
        """The node of these words, which is made if there is none. Nodes count from 1; 0 is the top of the tree."""
        node = 0
        for each in roots:
            word = self._roots.setdefault(each, len(self._roots))
            node = self._edges.setdefault(node << _WORD_BITS | word, len(self._edges) + 1)
        return node

    def _tokens(self, text: str) -> list[_Token]:
        known, roots = self._known, self._roots
        if len(known) > _MOST_KNOWN:
            known.clear()
        tokens = []
        for match in _TOKEN.finditer(_bare(text)):
            written = match[0]
            word = known.get(written)
            if word is None:
                one, rooted = _forms(written)
                known[written[:_LONGEST_WORD]] = word = one, roots.get(rooted, -1)
            start, end = match.span()
            tokens.append((start, end, *word))
        return tokens

    def _at(self, text: str, tokens: list[_Token], at: int) -> tuple[int, _Found] | None:
        """The longest label that begins at a token, and how many tokens it takes."""
        reached: list[tuple[int, list[tuple[str, _Entry]]]] = []
        node = self._edges.get(tokens[at][3])
        if node is not None:
            for ahead in range(at + 1, len(tokens)):
                word = tokens[ahead][3]
                node = None if word < 0 else self._edges.get(node << _WORD_BITS | word)
                if node is None or not _GAP.fullmatch(text, tokens[ahead - 1][1], tokens[ahead][0]):
                    break
                if node in self._entries:
                    reached.append((ahead + 1 - at, self._entries[node]))
        for length, entries in reversed(reached):
            found = self._several(text, tokens[at : at + length], entries)
            if found is not None:
                return length, found
        single = self._singles.get(tokens[at][2])
        found = None if single is None else _agreeing(text, tokens[at][0], tokens[at][1], single)
        return None if found is None else (1, found)

    def _several(self, text: str, tokens: list[_Token], entries: list[tuple[str, _Entry]]) -> _Found | None:
        """Of the labels whose words have these roots, one that is written like the text before any other."""
        if len(entries) > 1:
            written = " ".join(token[2] for token in tokens)
            entries = sorted(entries, key=lambda pair: pair[0] != written)
        return _agreeing(text, tokens[0][0], tokens[-1][1], [entry for _, entry in entries])

    def find(self, text: str) -> list[Span]:
        """Every mention, in the order of the text, none overlapping another."""
        tokens = self._tokens(text)
        found: list[_Found] = []
        at = 0
        while at < len(tokens):
            _, _, one, rooted = tokens[at]
            hit = self._at(text, tokens, at) if rooted in self._edges or one in self._singles else None
            if hit is None:
                at += 1
            else:
                found.append(hit[1])
                at += hit[0]
        return [Span(each.start, each.end, each.entry.key, text[each.start : each.end]) for each in _kept(text, found)]

    def skills(self, text: str) -> list[int]:
        """The skills mentioned, each once, in the order of their first mention."""
        return list(dict.fromkeys(span.key for span in self.find(text)))


def _agreeing(text: str, start: int, end: int, entries: list[_Entry]) -> _Found | None:
    """The first of these labels that the text may mean there."""
    # "JS" inside "Foo.js" and "C" inside "c.f." are parts of something else.
    if text[start - 1 : start] == "." and text[start - 2 : start - 1].isalnum():
        return None
    if text[end : end + 1] == "." and text[end + 1 : end + 2].isalnum():
        return None
    written = text[start:end]
    for entry in entries:
        if "/" in written and "/" not in entry.text:
            continue  # "Java/Spring" is two skills, "CI/CD" one
        if not entry.exact or written == entry.text or written.rstrip("s") == entry.text:
            return _Found(start, end, entry)
    return None


def _kept(text: str, found: list[_Found]) -> list[_Found]:
    """Without the guarded mentions that stand alone. Company may be passed on: in "Python, Go, R" R is next to Go."""

    def joined(one: _Found, other: _Found) -> bool:
        between = text[one.end : other.start]
        return len(between) <= 16 and not between.isspace() and bool(_LIST.fullmatch(between))

    sure = []
    for each in found:
        alone = each.entry.guarded and not (
            _ANNOUNCED.search(text, max(0, each.start - 60), each.start) or _FOLLOWED.match(text, each.end)
        )
        sure.append(not alone)
    for order in (range(1, len(found)), range(len(found) - 2, -1, -1)):
        for at in order:
            neighbour = at - 1 if order.step > 0 else at + 1
            one, other = sorted((found[at], found[neighbour]))
            # Two doubtful names side by side in a list vouch for each other: "Go, R".
            if not sure[at] and (sure[neighbour] or found[neighbour].entry.guarded) and joined(one, other):
                sure[at] = True
    return [each for each, is_sure in zip(found, sure, strict=True) if is_sure]
