"""Ranking texts where the query lists what it asks for, and everybody is of the same trade."""

from __future__ import annotations

import random

import numpy as np
import pytest

from matching.core.affinity.asked import asked_words
from matching.core.affinity.collection import Collection, terms_of
from matching.core.affinity.common_trades import common_trades
from matching.core.affinity.meanings import answers, directions_of
from matching.core.affinity.occupations import Occupations
from matching.core.affinity.ranker import Knowledge, TextRanker
from matching.core.affinity.texts import plain, read_text
from matching.core.evaluation.judgements import Judgements
from matching.word_vectors import word_vectors
from tests.matching.core.test_text_ranking import better_than_bm25, ranked, text, trades

NAMES = {
    "Kubernetes": "k8s",
    "PostgreSQL": "Postgres",
    "JavaScript": "JS",
    "TypeScript": "TS",
    "Go": "Golang",
    "Docker": "Docker",
    "Kafka": "Apache Kafka",
    "Python": "Python",
    "Redis": "Redis",
    "Java": "Java",
    "React": "React.js",
    "Terraform": "Terraform",
    "GraphQL": "GraphQL",
    "MongoDB": "Mongo",
    "Linux": "Linux",
    "Django": "Django",
}
"""A skill, and what other people call it."""
WORK = (
    "Shipped a checkout from design to rollout.",
    "Mentored two junior colleagues.",
    "Took part in the on-call rota and wrote post-mortems.",
    "Worked with designers in two-week iterations.",
    "Rewrote a legacy module without downtime.",
)


def developers(seed: int, *, prose: int, own: int = 0) -> Judgements:
    """Adverts for software engineers that ask for six skills each, and people who have some of these under either name,
    and some others. The grade is how many of the six they have. An advert has so many words that no other has."""
    draw = random.Random(seed)
    adverts, people, grades = {}, {}, {}
    for at in range(16):
        asked = draw.sample(sorted(NAMES), 6)
        adverts[f"advert {at}"] = " ".join(
            [
                "Software engineer.",
                *("".join(draw.choices("bcdfghklmnprst", k=9)) for _ in range(own)),
                *draw.sample(WORK, prose),
                f"You know {', '.join(asked[:-1])} and {asked[-1]}.",
            ]
        )
        grades[f"advert {at}"] = graded = {}
        for of in range(16):
            has = [skill for skill in asked if draw.random() < of / 15]
            others = draw.sample(sorted(NAMES.keys() - set(asked)), 4)
            said = [f"Built services with {NAMES[one] if draw.random() < 0.5 else one}." for one in [*has, *others]]
            said += draw.sample(WORK, prose)
            draw.shuffle(said)
            people[f"person {at} {of}"] = " ".join(["Software engineer.", *said])
            graded[f"person {at} {of}"] = float(len(has))
    return Judgements(adverts, people, grades)


@pytest.mark.parametrize(("prose", "own", "clearly"), [(0, 0, 0.01), (3, 0, 0.05), (3, 200, 0.05)])
def test_who_has_most_of_what_an_advert_lists_comes_first(prose: int, own: int, clearly: float) -> None:
    """Whatever is known of occupations: all of these people are of one. And however much else the advert says."""
    knowledge = Knowledge(occupations=Occupations.of(common_trades(), few=True))
    low, _ = better_than_bm25(developers(1, prose=prose, own=own), knowledge)
    assert low > clearly


def test_a_query_in_prose_is_no_list() -> None:
    """There what a text is about counts as before."""
    queries = [text(each) for each in trades().queries.values()]
    candidates = [text(each) for each in trades().candidates.values()]
    weights = [TextRanker(queries, candidates).weights(query) for query in range(len(queries))]
    assert np.mean([one["asked words"] for one in weights]) < 0.1
    assert np.mean([one["asked skills"] for one in weights]) < 0.3
    listed = developers(1, prose=0)
    ranker = TextRanker(*([text(each) for each in of.values()] for of in (listed.queries, listed.candidates)))
    assert ranker.weights(0)["asked skills"] > 4
    assert ranker.weights(0)["latent"] < weights[0]["latent"] / 2


def test_of_those_who_stand_out_from_all_others_the_better_one_comes_first() -> None:
    """One in a hundred has anything of what is asked: many standard deviations from the mean, both of them."""
    query = "Falconer for hawks, eagles, kestrels, owls and vultures"
    people = [f"Clerk of the {street} office" for street in map(str, range(10_000, 10_200))]
    people[70], people[130] = "Kept hawks and owls", "Kept hawks, eagles, kestrels, owls and vultures"
    assert ranked(query, people)[:2] == [130, 70]


def test_the_share_of_what_is_asked_counts_words_once_and_rare_ones_more() -> None:
    counted = [terms_of(read_text(each)) for each in ("welder welder baker", "welder", "welder baker", "pilot")]
    asked = asked_words(Collection(counted[:1], counted[1:]))
    shares = asked.share(0, np.arange(3))
    assert shares[1] == pytest.approx(1)
    assert shares[0] < 0.5
    assert shares[2] == 0
    assert asked.number.tolist() == [2]
    assert asked.shown(0, np.array([], dtype=np.int64)) == 0


@pytest.mark.parametrize(
    ("written", "kept", "dropped"),
    [
        ("Docker. No experience with Kubernetes yet. Linux", {"Docker", "Linux"}, {"Kubernetes"}),
        ("I have never used Spark, Flink or Storm but I know Python", {"Python"}, {"Spark", "Flink", "Storm"}),
        ("No commercial experience in Go; five years of Rust", {"Rust"}, {"Go"}),
        ("Keen to learn Django\nBuilt shops in Flask", {"Flask"}, {"Django"}),
        ("Not yet familiar with dbt, however fluent in SQL", {"SQL"}, {"dbt"}),
        ("No less than five years of Kafka", {"Kafka"}, set()),
        ("No experience in nursing needed", {"nursing"}, set()),
        ("Experience with Kafka", {"Kafka"}, set()),
    ],
)
def test_what_somebody_says_they_lack_does_not_speak_for_them(written: str, kept: set[str], dropped: set[str]) -> None:
    words = set(plain(written).replace(".", " ").replace(",", " ").split())
    assert kept <= words
    assert not dropped & words


DUTIES = {
    "wound dressing": "changed surgical dressings",
    "IV cannulation": "sited intravenous lines",
    "medication rounds": "gave out medicines",
    "catheter care": "changed urinary catheters",
    "infection control": "isolation nursing and hygiene",
    "palliative care": "end-of-life nursing",
    "diabetes management": "insulin and blood sugars",
    "venepuncture": "took bloods",
    "care planning": "wrote care plans",
    "patient handovers": "briefed the next shift",
    "vital signs monitoring": "observed pulse and pressure",
    "tracheostomy care": "suctioned trachys",
}
"""What adverts ask of nurses, and how nurses say it."""


def nurses(seed: int) -> Judgements:
    """Adverts that list five duties, and people who had some of these, half of them in their own words, and others."""
    draw = random.Random(seed)
    adverts, people, grades = {}, {}, {}
    for at in range(24):
        asked = draw.sample(sorted(DUTIES), 5)
        adverts[f"advert {at}"] = "\n- ".join(["Ward nurse", *asked])
        grades[f"advert {at}"] = graded = {}
        for of in range(16):
            has = [duty for duty in asked if draw.random() < of / 15]
            others = draw.sample(sorted(DUTIES.keys() - set(asked)), 4)
            said = [DUTIES[duty] if draw.random() < 0.5 else duty for duty in [*has, *others]]
            draw.shuffle(said)
            people[f"person {at} {of}"] = ". ".join(["Ward nurse", *said])
            graded[f"person {at} {of}"] = float(len(has))
    return Judgements(adverts, people, grades)


def test_each_thing_that_a_list_asks_for_may_be_answered_in_other_words() -> None:
    vectors = word_vectors()
    if vectors is None:
        pytest.skip("the extra `embeddings` is not installed")
    low, high = better_than_bm25(nurses(1), Knowledge(vectors=vectors))
    assert low > 0.01
    assert low + high > sum(better_than_bm25(nurses(1), Knowledge())) + 0.02


def test_sentences_are_held_against_each_other_whoever_else_is_asked_for() -> None:
    vectors = word_vectors()
    if vectors is None:
        pytest.skip("the extra `embeddings` is not installed")
    texts = [
        read_text(each) for each in ("Wound dressing.\nCannulation.", "Cannulation. Football", "Football. Bees", "")
    ]
    counted = [terms_of(each) for each in texts]
    collection = Collection(counted[:1], counted[1:])
    answered = answers(collection, texts, directions_of(collection, texts, vectors))
    found = answered(0, np.arange(3))
    assert found[0] > found[1]
    assert found[2] == 0
    assert answered(0, np.array([2, 0])).tolist() == pytest.approx([0, found[0]])
    assert not len(answered(0, np.array([], dtype=np.int64)))


def test_sentences_of_prose_and_technologies_are_not_held_against_each_other() -> None:
    vectors = word_vectors()
    if vectors is None:
        pytest.skip("the extra `embeddings` is not installed")
    for judged in (trades(), developers(1, prose=0)):
        sides = [[text(each) for each in side.values()] for side in (judged.queries, judged.candidates)]
        ranker = TextRanker(*sides, Knowledge(vectors=vectors))
        assert np.mean([ranker.weights(query)["answers"] for query in range(len(judged.queries))]) < 0.5
