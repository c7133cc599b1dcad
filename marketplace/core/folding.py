"""When two names mean the same.

`fold` is the one form in which labels are compared, searched and stored beside the original. `merge_keys` goes
further and gives every form under which a technology of one source may be the same as one of another: ESCO says
"Java (computer programming)", O*NET says "Oracle Java", everybody says "Java".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Marks that carry meaning in the names of technologies: C++, C#, .NET, Node.js.
_PUNCTUATION = re.compile(r"[^\w+#.&]+")
_STRAY_PLUS_OR_SHARP = re.compile(r"(?<![\w+#])[+#]+")
_STRAY_DOT = re.compile(r"\.(?![\w])|(?<=\s)\.(?=\d)")
_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")

# Words that say that something is a product without saying which.
_GENERIC_WORDS = (
    "a an and application applications computer of for in on or program programming programs programme software "
    "suite system systems technology the tool tools use using with language languages edition version"
)
_GENERIC = frozenset(_GENERIC_WORDS.split())

# Makers that O*NET puts in front of a product's name and people leave out.
MAKERS = (
    "adobe",
    "amazon",
    "amazon web services",
    "apache",
    "apple",
    "atlassian",
    "autodesk",
    "bentley",
    "cisco",
    "corel",
    "dassault systemes",
    "esri",
    "google",
    "hashicorp",
    "ibm",
    "intuit",
    "microsoft",
    "national instruments",
    "oracle",
    "qlik tech",
    "rapid7",
    "red hat",
    "statacorp",
    "the mathworks",
    "trimble",
    "vmware",
)


def fold(text: str) -> str:
    """Case, accents, spacing and ordinary punctuation off; what tells C, C++ and C# apart kept.

    >>> fold("  Node.JS, "), fold("Objective-C"), fold("C ♯"), fold(".NET")
    ('node.js', 'objective c', 'c', '.net')
    """
    text = unicodedata.normalize("NFKC", text.replace("♯", "#"))
    decomposed = unicodedata.normalize("NFD", text.casefold())
    # All marks, those of vowels in Indic scripts too: whatever is left inside a word would part it.
    bare = "".join(letter for letter in decomposed if not unicodedata.category(letter).startswith("M"))
    bare = bare.replace("'", "").replace("’", "").replace("_", " ")
    bare = _PUNCTUATION.sub(" ", bare).replace("&", " and ")
    bare = _STRAY_PLUS_OR_SHARP.sub(" ", bare)
    bare = _STRAY_DOT.sub(" ", bare)
    return " ".join(bare.split())


def singular(word: str) -> str:
    """A folded English word without its plural ending; the same crude cut for every text that is compared.

    >>> [singular(word) for word in ("apis", "technologies", "analysis", "class", "sas", "boxes")]
    ['api', 'technology', 'analysis', 'class', 'sas', 'box']
    """
    if len(word) <= 3 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us")) and (len(word) == 4 or not word.endswith("is")):
        return word[:-1]
    return word


def without_qualifier(name: str) -> str:
    """`Ruby (computer programming)` → `Ruby`: ESCO qualifies in brackets what would otherwise be ambiguous."""
    return _QUALIFIER.sub("", name).strip() or name


def without_maker(folded: str) -> str:
    """A folded name without its maker, unless nothing would remain."""
    for maker in sorted(MAKERS, key=len, reverse=True):
        if folded.startswith(maker + " "):
            return folded[len(maker) + 1 :]
    return folded


def acronym_at_end(folded: str) -> tuple[str, str] | None:
    """`structured query language sql` → (`structured query language`, `sql`) when the letters are the words' own.

    Letters may come from inside a word (`extensible markup language xml`), but in order, and the words must be at
    least as many as half of the letters, so that a product's name is not mistaken for an acronym of its maker.
    """
    words = folded.split()
    if len(words) < 3:
        return None
    *spelled, letters = words
    if not 2 <= len(letters) <= 6 or not letters.isalnum() or len(spelled) * 2 < len(letters):
        return None
    position = 0
    joined = " ".join(spelled)
    for letter in letters:
        position = joined.find(letter, position) + 1
        if not position:
            return None
    # The last word must take part, or "amazon web services aws" would pass as readily as "amazon webs aws".
    initials = {word[0] for word in spelled}
    if len(initials & set(letters)) * 2 < len(letters):
        return None
    return " ".join(spelled), letters


def without_generic_ending(folded: str) -> str:
    words = folded.split()
    while len(words) > 1 and words[-1] in {"software", "system", "systems", "platform"}:
        words.pop()
    return " ".join(words)


# Products of one name that are not one thing: the folded short form must not be reached by leaving the maker out.
_HOMONYMS = frozenset({"cisco ios", "apache spark", "cisco ios software"})


def _telling(folded: str) -> frozenset[str]:
    return frozenset(singular(word) for word in folded.split()) - _GENERIC


def says_the_same(label: str, name: str) -> bool:
    """Whether of two folded names one says all that the other says, apart from what every product is called.

    ESCO lists examples among its alternative labels ("Git" under "tools for software configuration management");
    an example is not another name of the thing, and nothing may merge through it.
    """
    one, other = _telling(label), _telling(name)
    return bool(one and other) and (one <= other or other <= one)


def _is_proper(name: str) -> bool:
    """Whether a name is written as a product's: capitals beyond those of a sentence."""
    return any(letter.isupper() for letter in (name if " " not in name.strip() else name.strip()[1:]))


def _compared(folded: str) -> str:
    """Plurals off, but not from a single word: Canva and Canvas are two products."""
    words = folded.split()
    return folded if len(words) == 1 else " ".join(singular(word) for word in words)


@dataclass(frozen=True, slots=True)
class MergeKeys:
    """Under what a technology meets another. `shorts` were reached by leaving something out, and meet only whole
    names of products: "Oracle Java" is Java, but "Oracle Database" is not what "database" means, and the clouds of
    two makers are two clouds.
    """

    names: frozenset[str]
    labels: frozenset[str]
    products: frozenset[str]
    shorts: frozenset[str]


def merge_keys(name: str, labels: Iterable[str] = (), *, trusted: bool = False) -> MergeKeys:
    """The keys of a technology. `trusted` labels are all other names of it; else only those that say the same."""
    unqualified = without_qualifier(name)
    plain = fold(unqualified)
    short = without_generic_ending(plain)
    names, shorts = {fold(name), plain}, {short} - {plain}
    products = {plain} if _is_proper(unqualified) else set()
    if plain not in _HOMONYMS:
        unmade = without_generic_ending(without_maker(short))
        if unmade != short:
            shorts.add(unmade)
        for form in (short, unmade):
            split = acronym_at_end(form)
            if split is not None:
                names.add(split[0])
                shorts.add(split[1])
                if short != plain:  # "computer aided design CAD software" is "CAD software", whatever else CAD is
                    names.add(f"{split[1]} software")
    others = set()
    for label in labels:
        folded = fold(without_qualifier(label))
        if folded and (trusted or says_the_same(folded, plain)):
            others.add(folded)

    def compared(keys: set[str]) -> frozenset[str]:
        return frozenset(_compared(key) for key in keys if key and key not in _GENERIC)

    return MergeKeys(compared(names), compared(others - names), compared(products), compared(shorts))


class MergeIndex:
    """Technologies by their merge keys; the first one entered keeps a key."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._products: dict[str, int] = {}
        self._shorts: dict[str, int] = {}

    def add(self, key: int, keys: MergeKeys) -> None:
        pairs = (
            (self._names, keys.names),
            (self._labels, keys.labels),
            (self._products, keys.products),
            (self._shorts, keys.shorts),
        )
        for index, entered in pairs:
            for each in entered:
                index.setdefault(each, key)

    def find(self, keys: MergeKeys) -> int | None:
        """The technology of the same name, else the one that is the same but for its maker, else the one that has the
        name as a label or whose name is a label of this.

        Among equals the lowest key wins, so that the answer does not depend on the order of a set.
        """
        pairs = (
            (self._names, keys.names),
            (self._products, keys.shorts),
            (self._shorts, keys.products),
            (self._labels, keys.names),
            (self._names, keys.labels),
        )
        for index, sought in pairs:
            found = [index[each] for each in sought if each in index]
            if found:
                return min(found)
        return None
