"""How many résumés a minute one core finds the skills of, by all names of the taxonomy.

Needs ESCO and O*NET as released, in the folder that BENCH_DATA names (`esco/`, `onet/`; else beside the
repository, in `shared/data`). Without it the taxonomy is
made up, of as many labels. Résumés are written from the taxonomy: titles, sentences of occupations, lists of labels.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import ahocorasick

from config.bench import Measured, benchmark, size
from marketplace.core.esco import read_esco
from marketplace.core.everyday import EVERYDAY, EVERYDAY_LABELS
from marketplace.core.folding import fold
from marketplace.core.onet import read_onet
from marketplace.core.recognition import Label, Recogniser
from tests.benchmarks.vocabulary import made_up

DATA = Path(os.environ.get("BENCH_DATA") or Path(__file__).parents[3] / "shared" / "data")
RESUMES = size("RESUMES", 2_000)
RESUME_LETTERS = 4_000
_MADE_UP_LABELS = 100_000
_SENTENCES = (
    "Responsible for the daily running of the team and reported to the head of department.",
    "Led a project from first idea to delivery, on time and within budget.",
    "Worked closely with colleagues from sales, finance and operations in three countries.",
    "References are available on request.",
    "In my free time I go hiking, play the piano and cook for friends.",
    "Improved throughput by 30 % and reduced costs by € 120,000 a year.",
    "Bachelor of Science, University of Leeds, 2009 – 2012",
)


@benchmark("scoring.skill_recognition", unit="résumés/min")
def skill_recognition() -> Measured:
    labels, sentences = _taxonomy()
    recogniser = Recogniser(labels)
    automaton = _automaton(labels)
    resumes = list(islice(_resumes(labels, sentences), RESUMES))
    found = sum(len(recogniser.skills(resume)) for resume in resumes[:200])
    print(
        f"  {len(labels):,} labels; {found / len(resumes[:200]):.1f} skills in a résumé of {RESUME_LETTERS:,} letters"
    )
    return Measured(
        value=_a_minute(recogniser.skills, resumes),
        baseline=_a_minute(lambda resume: _plainly(automaton, resume), resumes),
        baseline_name="an Aho-Corasick automaton in C of the same labels in lower case: whole words, longest first, "
        "without inflection and without telling words from names",
    )


def _a_minute(find: Callable[[str], object], resumes: Sequence[str]) -> float:
    started = time.process_time()
    for resume in resumes:
        find(resume)
    return 60 * len(resumes) / (time.process_time() - started)


def _taxonomy() -> tuple[list[Label], list[str]]:
    """All labels, and sentences that say what occupations do."""
    everyday = [
        Label(key, name, 0, entry.technology)
        for key, entry in enumerate(EVERYDAY)
        for name in (entry.name, *entry.labels)
    ]
    if not (DATA / "esco").is_dir():
        words = made_up(8_000, seed=11)
        draw = random.Random(12)
        names = [" ".join(draw.choices(words, k=draw.choice((1, 2, 2, 3, 4)))) for _ in range(_MADE_UP_LABELS)]
        sentences = [" ".join(draw.choices(words, k=30)) + "." for _ in range(3_000)]
        return [*everyday, *(Label(len(EVERYDAY) + at // 6, name, 2) for at, name in enumerate(names))], sentences
    esco, onet = read_esco(sorted((DATA / "esco").glob("*.zip"))), read_onet(DATA / "onet")
    labels = everyday
    rows = [row for row in (*esco.skills, *onet.skills) if row.kind != "group"]
    for key, row in enumerate(rows, len(EVERYDAY)):
        for rank, name in ((1, row.name), *((2, name) for name in row.labels)):
            labels.append(Label(key, name, 0 if fold(name) in EVERYDAY_LABELS else rank, row.kind == "technology"))
    return labels, [row.description for row in (*esco.occupations, *onet.occupations) if row.description]


def _resumes(labels: Sequence[Label], sentences: Sequence[str]) -> Iterator[str]:
    draw = random.Random(1)
    while True:
        parts = ["Chloé Müller\nProfile\n"]
        while sum(map(len, parts)) < RESUME_LETTERS:
            parts.append(f"\nAcme Ltd | {draw.randint(2001, 2015)} – {draw.randint(2016, 2025)}\n")
            parts += [f"- {sentence}\n" for sentence in draw.sample(_SENTENCES, 3)]
            parts.append(f"- Skills: {', '.join(label.text for label in draw.sample(labels, 6))}\n")
            parts.append(draw.choice(sentences)[:300] + "\n")
        yield "".join(parts)[:RESUME_LETTERS]


def _automaton(labels: Sequence[Label]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for label in labels:
        text = label.text.lower()
        automaton.add_word(text, (len(text), label.key))
    automaton.make_automaton()
    return automaton


def _plainly(automaton: ahocorasick.Automaton, text: str) -> list[int]:
    lower = f" {text.lower()} "
    return list(
        {
            key: None
            for end, (length, key) in automaton.iter_long(lower)
            if not lower[end - length].isalnum() and not lower[end + 1].isalnum()
        }
    )
