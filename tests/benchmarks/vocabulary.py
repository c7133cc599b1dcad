"""What the made-up people and opportunities of the benchmarks are called, and what is written of them.

Trades are those of life. Words of texts and the names of skills are made up of syllables, so that there are as many as
in life, some of them beginning alike and some differing by a letter.
"""

from __future__ import annotations

import random
from bisect import bisect
from itertools import accumulate

from django.db import connection

from marketplace.models import Skill, SkillBroader, SkillLabel
from matching.core.attributes import Subject
from matching.core.search.words import STOP_WORDS, searched_words, stem
from matching.models import SearchWord

SKILLS = 3_000
"""Skills 1 … 3000, from the one that nearly every fourth person has to one that one in two thousand has."""

FAMILIES = 30
"""Each skill is narrower than one of these headings."""

_ROLES = (
    "accountant analyst architect baker barista bricklayer butcher carpenter carer cashier chef cleaner clerk coach "
    "consultant controller cook courier decorator dentist designer developer dispatcher driver editor electrician "
    "engineer farmer firefighter fitter florist gardener guard hairdresser housekeeper interpreter janitor joiner "
    "journalist lawyer librarian locksmith machinist manager mechanic midwife miller nurse operator optician painter "
    "paramedic pharmacist photographer pilot planner plasterer plumber porter printer receptionist roofer sailor "
    "salesperson scientist shepherd surveyor tailor teacher technician tester tiler trainer translator tutor vet "
    "waiter welder writer"
)
_KINDS = ("", "senior", "junior", "lead", "night", "industrial", "trainee")

_ONSETS = (*"bcdfghjklmnprstvw", "br", "ch", "cl", "dr", "fl", "gr", "kl", "pl", "qu", "sh", "sk", "sp", "st", "tr")
_NUCLEI = (*"aeiou", "ai", "ea", "ou")
_CODAS = (*[""] * 8, "l", "m", "n", "nd", "r", "rk", "t", "x")


def made_up(count: int, seed: int) -> list[str]:
    """So many different words that no ending comes off, and that are no trade's."""
    draw = random.Random(seed)
    taken = STOP_WORDS.union(_ROLES.split(), _KINDS)
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = (
            draw.choice(_ONSETS) + draw.choice(_NUCLEI) + draw.choice(_CODAS) for _ in range(draw.choice((2, 2, 3)))
        )
        word = "".join(syllables)
        if word not in taken and stem(word) == word:
            found[word] = None
    return list(found)


def trades() -> tuple[str, ...]:
    """A few hundred, the most common first."""
    found = [f"{kind} {role}".strip() for kind in _KINDS for role in _ROLES.split()]
    random.Random(1).shuffle(found)
    return tuple(found)


TRADES = trades()
WORDS = tuple(made_up(20_000, seed=2))
"""Words of descriptions, the most common first."""

_OF_SKILLS = made_up(2_400, seed=3)
SKILL_NAMES = tuple(
    word if number < 1_500 else f"{word} {_OF_SKILLS[number % 90]}"
    for number, word in enumerate((_OF_SKILLS * 2)[: SKILLS + FAMILIES])
)
"""Of skills 1 … 3030; the last ones are headings."""


def skill_name(skill_id: int) -> str:
    return SKILL_NAMES[skill_id - 1]


def family_of(skill_id: int) -> int:
    """The heading that a skill is a narrower kind of: 3002 of skill 1, 3030 of 29, 3001 of 30 …"""
    return SKILLS + 1 + skill_id % FAMILIES


def skill_words(skill_id: int, weight: str) -> str:
    """What the vectors of whoever has a skill hold of it: the words of its name in the third field, and the skill."""
    words = lexemes(skill_name(skill_id), 3, weight)
    return f"{words} '§{skill_id}' '~{skill_id}' '~{family_of(skill_id)}'"


def skill_label(skill_id: int) -> str:
    """Another label of a skill, short like k8s."""
    return f"{skill_name(skill_id)[0]}{skill_id}{skill_name(skill_id)[-1]}"


def lexemes(text: str, position: int, weight: str) -> str:
    """The words of a text, as the literal of a `tsvector` has them that are in the field of this weight."""
    return " ".join(f"'{word}':{position}{weight}" for word in sorted(searched_words([text])))


class Zipf:
    """Draws from 0 … count - 1, each in proportion to one by its rank; `flat` keeps the first from being in every
    text."""

    def __init__(self, count: int, flat: int = 5) -> None:
        self._bounds = list(accumulate(1 / (rank + flat) for rank in range(count)))

    def one(self, draw: random.Random) -> int:
        return bisect(self._bounds, draw.random() * self._bounds[-1])


def name_skills(about: Subject, *texts: str) -> None:
    """Write the skills, their labels and headings, and list the words in use: theirs, and those of the trades and of
    these texts. For an empty database whose triggers are off."""
    ids = range(1, SKILLS + FAMILIES + 1)
    Skill.objects.bulk_create(
        Skill(
            pk=one,
            name=skill_name(one),
            folded=skill_name(one),
            kind=Skill.Kind.GROUP if one > SKILLS else Skill.Kind.SKILL,
        )
        for one in ids
    )
    SkillLabel.objects.bulk_create(
        SkillLabel(skill_id=one, label=skill_label(one).upper(), folded=skill_label(one)) for one in ids
    )
    SkillBroader.objects.bulk_create(
        SkillBroader(skill_id=one, broader_id=family_of(one)) for one in range(1, SKILLS + 1)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('marketplace_skill', 'id'), %s)", [len(ids)])
        cursor.execute("ANALYZE marketplace_skill, marketplace_skilllabel, marketplace_skillbroader")
    SearchWord.objects.bulk_create(
        SearchWord(subject_type=about.value, word=word, initial=word[0], length=len(word))
        for word in sorted(searched_words([*TRADES, *SKILL_NAMES, *texts]))
    )
