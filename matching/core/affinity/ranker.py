"""Ranking people for a text about work, or work for a text about a person, by texts alone and without any labels.

Several signals that fail differently are added up. Each is brought to one scale over a sample of all candidates of the
query before it is weighed, so that none wins by its unit. Weights are round numbers, the same for every collection;
what is not known (no taxonomy, no vectors of words, too few texts) leaves its signal out and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matching.core.affinity import signals
from matching.core.affinity.asked import asked_skills, asked_words, lists_believed
from matching.core.affinity.collection import Collection, Floats, terms_of
from matching.core.affinity.meanings import answers, directions_of, meaning
from matching.core.affinity.occupations import Occupations
from matching.core.affinity.signals import Places, Signal, Vectors
from matching.core.affinity.texts import ReadText

WEIGHTS: Mapping[str, float] = {
    "words": 0.7,
    "cosine": 0.3,
    "latent": 0.8,
    "skills": 0.4,
    "titles": 0.5,
    "occupations": 1.5,
    "related": 1.5,
    "meaning": 2.0,
    "levels": 0.1,
    "answers": 5.0,
    "asked words": 2.0,
    "asked skills": 6.0,
    "asked technologies": 6.0,
}
"""What looks past the words counts most: that is where comparing words fails. What is asked counts only as far as a
query lists it (see `asked`), and then it comes before all else."""

_PLACED = frozenset({"occupations", "related"})
"""These count as far as the query is about an occupation that is known."""

_TOPICS = frozenset({"latent", "titles", "occupations", "related", "meaning"})
"""What these tell, which trade somebody is of, is of little use where a query lists what it asks for."""
_TOPIC_OF_A_LIST = 0.2
_LEVELS_OF_A_LIST = 0.4

SCALE = 1_000
"""Scores are whole thousandths of standard deviations."""

_SAMPLE = 200  # candidates
_OUTLIER = 3.0  # standard deviations; what lies further out counts little more, but in the same order


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is ranked, with the skills that were recognised in it."""

    read: ReadText
    skills: frozenset[int] = frozenset()
    technologies: frozenset[int] = frozenset()  # among these skills


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known beside the texts; each part may be missing."""

    occupations: Occupations | None = None
    broader: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # skill → the headings above it
    vectors: Vectors | None = None


_NOTHING = Knowledge()


class TextRanker:
    """Made once of all texts; then any query of them is held against any of the candidates."""

    def __init__(self, queries: Sequence[Text], candidates: Sequence[Text], knowledge: Knowledge = _NOTHING) -> None:
        texts = [text.read for text in (*queries, *candidates)]
        named = [text.skills for text in (*queries, *candidates)]
        counted = [terms_of(text) for text in texts]
        of, known = len(queries), knowledge.occupations
        collection = Collection(counted[:of], counted[of:], known.rarity if known else None)
        made: dict[str, Signal | None] = {
            "words": signals.words(collection),
            "cosine": signals.cosine(collection),
            "latent": signals.latent(collection),
            "skills": signals.skills(named, of, knowledge.broader),
            "titles": signals.titles(collection, texts),
            "levels": signals.levels(texts, of),
        }
        self._asked = {"asked words": asked_words(collection)}
        technologies = [text.technologies for text in (*queries, *candidates)]
        for name, skills in (("asked skills", named), ("asked technologies", technologies)):
            if (asked := asked_skills(skills, of)) is not None:
                self._asked[name] = asked
        made |= {name: asked.share for name, asked in self._asked.items()}
        self._sure = np.ones(of)
        if known is not None:
            made["occupations"], made["related"], self._sure = signals.occupations(counted, texts, of, known)
        if knowledge.vectors is not None and collection.terms:
            directions = directions_of(collection, texts, knowledge.vectors)
            made["meaning"] = meaning(collection, directions)
            made["answers"] = answers(collection, texts, directions)
        self.signals: Mapping[str, Signal] = {name: signal for name, signal in made.items() if signal is not None}
        # Spread over all of them, and the same ones each time.
        self._sample = np.unique(np.linspace(0, len(candidates) - 1, min(_SAMPLE, len(candidates))).astype(np.int64))

    def scores(self, query: int, places: Sequence[int] | Places) -> NDArray[np.int64]:
        """Of these candidates, by their places among all, in thousandths: more is better. Only scores of one query may
        be compared."""
        asked = np.asarray(places, dtype=np.int64)
        total = np.zeros(len(asked))
        for name, weight in self.weights(query).items():
            if weight:
                total += weight * self.standing(name, query, asked)
        return np.rint(total * SCALE).astype(np.int64)

    def weights(self, query: int) -> Mapping[str, float]:
        """What each signal counts for this query."""
        believed = lists_believed(self._asked, query, self._sample)
        listed = max(believed.values())
        found = {name: WEIGHTS[name] for name in self.signals}
        for name in _PLACED & found.keys():
            found[name] *= self._sure[query]
        for name in _TOPICS & found.keys():
            found[name] *= 1 - (1 - _TOPIC_OF_A_LIST) * listed
        found["levels"] += (_LEVELS_OF_A_LIST - found["levels"]) * listed
        for name, share in believed.items():
            found[name] *= share
        if "answers" in found:  # a technology is called by its name, and another that is like it answers nothing
            found["answers"] *= believed["asked words"] * (1 - believed.get("asked technologies", 0.0))
        return found

    def standing(self, name: str, query: int, places: Places) -> Floats:
        """One signal in standard deviations from the mean of the sample; 0 where it tells nothing apart."""
        values = self.signals[name](query, np.concatenate([self._sample, places]))
        sampled = values[: len(self._sample)]
        spread = float(sampled.std())
        if spread < 1e-9:
            return np.zeros(len(places))
        return _damped((values[len(self._sample) :] - sampled.mean()) / spread)


def _damped(deviations: Floats) -> Floats:
    """What few have and most lack lies many standard deviations out, and so do all who matter. They must not become
    alike, nor outweigh all other signals."""
    beyond = np.maximum(np.abs(deviations) - _OUTLIER, 0.0)
    return np.asarray(np.clip(deviations, -_OUTLIER, _OUTLIER) + np.sign(deviations) * np.log1p(beyond))
