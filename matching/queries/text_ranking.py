"""Rankings of texts by what the tables know: skills by all their names, occupations by their titles and skills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from marketplace.core.everyday import EVERYDAY
from marketplace.core.recognition import Label, Recogniser
from marketplace.models import Occupation, OccupationLabel, OccupationSkill, Skill, SkillBroader
from marketplace.queries.taxonomy import recogniser, taxonomy_revision
from matching.core.affinity.baselines import Bm25, TfIdf, skill_coverage
from matching.core.affinity.collection import terms_in, terms_of
from matching.core.affinity.common_trades import common_trades
from matching.core.affinity.occupations import Occupations, profile
from matching.core.affinity.ranker import Knowledge, Text, TextRanker
from matching.core.affinity.texts import plain, read_text
from matching.core.evaluation.judgements import Judgements
from matching.core.evaluation.report import Ranking
from matching.models import ScoringModel
from matching.queries.model_on_texts import ModelOnTexts
from matching.queries.scorers import scorer_of
from matching.word_vectors import word_vectors

ENOUGH = 500
"""Occupations of a taxonomy, from which on it knows all work better than what everyone knows."""

OURS, BM25, TF_IDF, COVERAGE = "Muster", "BM25", "TF-IDF", "skill coverage"


def text_rankings(judgements: Judgements, model: ScoringModel | None = None) -> Mapping[str, Ranking]:
    """Our ranker of texts and the baselines, by name, over the texts of judged pairs; and a model, by its version.
    Nothing of these people needs to be in the tables; labels are not looked at."""
    found = text_recogniser()
    queries = [text_of(text, found) for text in judgements.queries.values()]
    candidates = [text_of(text, found) for text in judgements.candidates.values()]
    asked = [terms_of(text.read, pairs=False) for text in queries]
    had = [terms_of(text.read, pairs=False) for text in candidates]
    ours, bm25, tf_idf = TextRanker(queries, candidates, text_knowledge()), Bm25(had), TfIdf(had)

    def coverage(query: int, places: NDArray[np.int64]) -> NDArray[np.float64]:
        return skill_coverage(queries[query].skills, [candidates[place].skills for place in places])

    rankings: dict[str, Ranking] = {
        OURS: ours.scores,
        BM25: lambda query, places: bm25.scores(asked[query], places),
        TF_IDF: lambda query, places: tf_idf.scores(asked[query], places),
        COVERAGE: coverage,
    }
    if model is not None:
        rankings[model.version] = ModelOnTexts(scorer_of(model), queries, candidates).scores
    return rankings


def text_of(text: str, found: Recogniser) -> Text:
    skills = frozenset(found.skills(plain(text)))
    return Text(read_text(text), skills, skills & found.technologies)


def text_recogniser() -> Recogniser:
    """That of the taxonomy; before the first import, of the everyday names that come with Muster."""
    return recogniser() if Skill.objects.exists() else _everyday_recogniser()


@lru_cache(maxsize=1)
def _everyday_recogniser() -> Recogniser:
    return Recogniser(
        Label(key, name, 0, entry.technology)
        for key, entry in enumerate(EVERYDAY)
        for name in (entry.name, *entry.labels)
    )


def text_knowledge() -> Knowledge:
    """What is known beside the texts. With all of ESCO and O*NET it takes some ten seconds and 200 MB, once per process
    and state of the taxonomy."""
    return _knowledge(taxonomy_revision())


@lru_cache(maxsize=1)
def _knowledge(revision: int) -> Knowledge:
    titles: dict[int, list[str]] = defaultdict(list)
    for occupation, label in OccupationLabel.objects.order_by("id").values_list("occupation_id", "label"):
        titles[occupation].append(label)
    skills: dict[int, list[int]] = defaultdict(list)
    for occupation, skill in OccupationSkill.objects.order_by("id").values_list("occupation_id", "skill_id"):
        skills[occupation].append(skill)
    names = {pk: terms_in(name) for pk, name in Skill.objects.values_list("pk", "name").iterator(10_000)}
    profiles = [
        profile([name, *titles[pk]], description, [names[skill] for skill in skills[pk]])
        for pk, name, description in Occupation.objects.order_by("id").values_list("pk", "name", "description")
    ]
    broader: dict[int, list[int]] = defaultdict(list)
    for narrow, broad in SkillBroader.objects.order_by("id").values_list("skill_id", "broader_id"):
        broader[narrow].append(broad)
    few = len(profiles) < ENOUGH
    return Knowledge(
        occupations=Occupations.of([*profiles, *common_trades()] if few else profiles, few=few),
        broader={narrow: tuple(broad) for narrow, broad in broader.items()},
        vectors=word_vectors(),
    )
