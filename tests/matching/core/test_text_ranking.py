"""Ranking texts by texts: what is read of them, and that it does better than comparing words."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from marketplace.core.everyday import EVERYDAY
from marketplace.core.recognition import Label, Recogniser
from marketplace.core.stemming import root
from matching.core.affinity.baselines import Bm25, TfIdf, skill_coverage
from matching.core.affinity.collection import Collection, latent_directions, rarity_of, terms_in, terms_of
from matching.core.affinity.common_trades import TRADES as TRADES_TEXT
from matching.core.affinity.common_trades import common_trades
from matching.core.affinity.occupations import Occupations, profile
from matching.core.affinity.ranker import Knowledge, Text, TextRanker
from matching.core.affinity.texts import MOST_LETTERS, plain, read_text
from matching.core.evaluation.judgements import Judgements, read_judgements
from matching.core.evaluation.metrics import bootstrap_interval, ndcg_at, reciprocal_rank
from matching.core.evaluation.report import evaluated
from matching.word_vectors import word_vectors

JUDGED = Path(__file__).parents[1] / "judged"
TRADES = JUDGED / "trades.csv"


@cache
def trades() -> Judgements:
    """Fourteen adverts and forty-two people of as many trades, who seldom use the same words for the same work."""
    return read_judgements(TRADES.read_bytes())


@cache
def everyday() -> Recogniser:
    return Recogniser(
        Label(key, name, 0, entry.technology)
        for key, entry in enumerate(EVERYDAY)
        for name in (entry.name, *entry.labels)
    )


def text(written: str) -> Text:
    skills = frozenset(everyday().skills(plain(written)))
    return Text(read_text(written), skills, skills & everyday().technologies)


def ranked(query: str, candidates: list[str], knowledge: Knowledge | None = None) -> list[int]:
    ranker = TextRanker([text(query)], [text(each) for each in candidates], knowledge or Knowledge())
    scores = ranker.scores(0, np.arange(len(candidates)))
    return sorted(range(len(candidates)), key=lambda at: -scores[at])


def better_than_bm25(judgements: Judgements, knowledge: Knowledge) -> tuple[float, float]:
    """The interval of the difference in nDCG@10."""
    queries = [text(each) for each in judgements.queries.values()]
    candidates = [text(each) for each in judgements.candidates.values()]
    ours = TextRanker(queries, candidates, knowledge)
    bm25 = Bm25([terms_of(each.read, pairs=False) for each in candidates])
    report = evaluated(
        judgements,
        {
            "ours": ours.scores,
            "BM25": lambda query, places: bm25.scores(terms_of(queries[query].read, pairs=False), places),
        },
    )
    interval = report.differences["BM25"]["nDCG@10"].interval
    assert interval is not None
    return interval


def made_up_trades(seed: int) -> Judgements:
    """Twelve trades of ten words each. An advert has four of its trade, a person others of the same trade more often
    than not, and everybody has some of forty words that mean nothing."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(160)]
    trade_words, chatter = [words[at : at + 10] for at in range(0, 120, 10)], words[120:]

    def written(trade: int, telling: int) -> str:
        said = [*draw.sample(trade_words[trade], telling), *draw.choices(chatter, k=25)]
        draw.shuffle(said)
        return " ".join(said)

    adverts = {f"advert {at}": written(at % 12, 4) for at in range(24)}
    people = {f"person {at}": written(at % 12, 4) for at in range(96)}
    grades = {
        advert: {person: float(at % 12 == of % 12) for of, person in enumerate(people)}
        for at, advert in enumerate(adverts)
    }
    return Judgements(adverts, people, grades)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_words_that_come_with_each_other_make_a_ranking_clearly_better_than_bm25(seed: int) -> None:
    """With nothing but the texts: no taxonomy, no vectors of words."""
    assert better_than_bm25(made_up_trades(seed), Knowledge())[0] > 0


@cache
def common() -> Occupations:
    found = Occupations.of(common_trades(), few=True)
    assert found is not None
    return found


@pytest.mark.parametrize("named", ["trades", "vacancies"])
def test_texts_are_ranked_clearly_better_than_by_bm25_where_nothing_was_imported(named: str) -> None:
    """Neither a taxonomy nor vectors of words."""
    judgements = read_judgements((JUDGED / f"{named}.csv").read_bytes())
    low, high = better_than_bm25(judgements, Knowledge(occupations=common()))
    assert low > 0.05
    plain = better_than_bm25(judgements, Knowledge())
    assert low + high > sum(plain) + 0.1


@pytest.mark.parametrize("named", ["trades", "vacancies"])
def test_vectors_of_words_make_rankings_better_still(named: str) -> None:
    vectors = word_vectors()
    if vectors is None:
        pytest.skip("the extra `embeddings` is not installed")
    judgements = read_judgements((JUDGED / f"{named}.csv").read_bytes())
    with_vectors, without, alone = (
        better_than_bm25(judgements, knowledge)
        for knowledge in (
            Knowledge(occupations=common(), vectors=vectors),
            Knowledge(occupations=common()),
            Knowledge(vectors=vectors),
        )
    )
    assert with_vectors[0] > 0.1
    assert alone[0] > 0.02
    assert sum(with_vectors) > sum(without)


def test_of_work_that_no_known_trade_is_like_the_known_trades_say_nothing() -> None:
    written = ["Welder wanted: MIG and TIG, steel plate, blueprints.", "Seeking a zeppelin whisperer with three moons."]
    texts = [read_text(each) for each in written]
    sure = common().sureness(common().weighed([terms_of(each) for each in texts], texts), texts)
    assert sure[0] > 0.4
    assert sure[1] == 0


def test_what_all_occupations_are_called_in_one_language_says_nothing_of_a_text_in_another() -> None:
    every = Occupations.of(common_trades())
    assert every is not None
    written = ["Patients, medication, hospital, care plans.", "Schweißer gesucht: Schutzgas und Baustellen.", ""]
    texts = [read_text(each) for each in written]
    assert every.sureness(every.weighed([terms_of(each) for each in texts], texts), texts).tolist() == [1, 0, 0]


def test_each_common_trade_has_names_and_words_of_its_own() -> None:
    lines = [line for line in TRADES_TEXT.read_text().splitlines() if line and not line.startswith("#")]
    assert len(common_trades()) == len(lines) > 150
    for line in lines:
        names, words = line.split(":")
        assert all(name.strip() for name in names.split(",")), line
        assert len([word for word in words.split(",") if word.strip()]) >= 6, line


def test_vectors_know_that_words_are_alike() -> None:
    vectors = word_vectors()
    if vectors is None:
        pytest.skip("the extra `embeddings` is not installed")
    nurse, doctor, lorry = vectors.of(["nurse", "doctor", "lorry"])
    assert nurse @ doctor / np.linalg.norm(doctor) > nurse @ lorry / np.linalg.norm(lorry)
    assert not vectors.of([""]).any()


def test_an_occupation_brings_texts_together_that_share_no_word() -> None:
    profiles = [
        profile(
            ["bricklayer", "mason"], "builds walls of brick and stone", [terms_in("mortar"), terms_in("scaffolds")]
        ),
        profile(["baker", "pastry cook"], "makes bread and cakes", [terms_in("dough"), terms_in("ovens")]),
        profile(["brick salesperson"], "sells brick and stone", [terms_in("cash")]),
        profile(["cook"], "makes meals and bread", [terms_in("ovens"), terms_in("mortar")]),
        profile(["mason's labourer"], "carries mortar and brick", [terms_in("scaffolds")]),
        profile(["dough maker"], "prepares dough for cakes", [terms_in("pastry")]),
    ]
    people = ["Filled shelves with dough and cakes", "Years with mortar on scaffolds", "Drove a van", "Sold cars"]
    assert ranked("Mason wanted", people)[:1] != [1] or ranked("Pastry cook wanted", people)[:1] != [0]
    knowledge = Knowledge(occupations=Occupations.of(profiles))
    assert ranked("Mason wanted", people, knowledge)[0] == 1
    assert ranked("Pastry cook wanted", people, knowledge)[0] == 0


def test_other_names_of_a_skill_count() -> None:
    people = ["I paint walls.", "Clusters on Kubernetes.", "I wash cars."]
    assert ranked("Wanted: somebody for k8s", people)[0] == 1


def test_boilerplate_is_no_reason() -> None:
    advert = "Welder\nMIG and TIG welding of steel.\nWe are an equal opportunity employer: race, religion, gender."
    people = ["Scholar of religion, race and gender. Equal opportunity officer.", "Welded steel pipes for ten years."]
    assert ranked(advert, people) == [1, 0]


def test_a_text_is_read_without_mark_up_and_wrong_letters() -> None:
    read = read_text("<p>Job title:&nbsp;Senior Caf&eacute; Manager</p><br/>Donâ€™t write to boss@cafe.example!")
    assert {root("cafe"), "manager"} <= set(read.title)
    assert read.seniority == 3
    assert not {"nbsp", "br", "eacute", "boss", "exampl"} & set(read.words)


def test_words_that_a_scraper_joined_are_parted_and_names_are_not() -> None:
    words = read_text("ResponsibilitiesDesign of JavaScript widgets").words
    assert {"design", "javascript", "widget"} <= set(words)


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("5+ years of experience", 5),
        ("at least three years", 3),
        ("2-4 years, later 6 yrs", 6),
        ("since 1998, 99 years old", None),
        ("", None),
    ],
)
def test_years_are_read(written: str, years: int | None) -> None:
    assert read_text(written).years == years


def test_texts_of_nothing_and_of_anything_are_ranked() -> None:
    texts = ["", " \n\t", "\x00\ud800", "<" * 1_000, "the of and", "1 2 3", "Ärztin 医者 врач"]
    for query in texts:
        assert sorted(ranked(query, texts)) == list(range(len(texts)))
    assert TextRanker([text("")], [text("")]).scores(0, [0]).tolist() == [0]
    assert len(TextRanker([text("baker")], [text("baker")]).scores(0, [])) == 0


def test_a_text_of_megabytes_is_cut() -> None:
    read = read_text("welder " * 700_000 + "baker")
    assert len(read.words) <= MOST_LETTERS / 6
    assert "baker" not in read.words
    for odd in ("5" + " " * 1_000_000 + "x", "<a " * 500_000, "a@" * 1_000_000, "\n" * 1_000_000, "É" * 1_000_000):
        read_text(odd)


def test_scores_repeat_and_do_not_depend_on_who_else_is_asked_for() -> None:
    queries = [text(each) for each in trades().queries.values()]
    candidates = [text(each) for each in trades().candidates.values()]
    ranker, again = TextRanker(queries, candidates), TextRanker(queries, candidates)
    everybody = ranker.scores(3, np.arange(len(candidates)))
    assert everybody.dtype == np.int64
    assert (everybody == again.scores(3, np.arange(len(candidates)))).all()
    assert ranker.scores(3, [7, 2]).tolist() == [everybody[7], everybody[2]]


def test_what_every_advert_says_weighs_less_than_what_few_say() -> None:
    counted = [terms_of(read_text(f"travel {trade}")) for trade in ("baker", "welder", "nurse", "pilot")]
    people = [terms_of(read_text(trade)) for trade in ("baker", "welder", "travel nurse", "pilot")]
    collection = Collection(counted, people)
    assert collection.idf[collection.terms["travel"]] < collection.idf[collection.terms["baker"]]


def test_baselines_are_what_they_say() -> None:
    """By hand, of the words a a b | b c with the query a: n = 1 of N = 2."""
    one, other = terms_of(read_text("apple apple boat")), terms_of(read_text("boat corn"))
    asked = terms_of(read_text("apple"))
    scores = Bm25([one_only(one), one_only(other)]).scores(one_only(asked), np.arange(2))
    idf = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert scores.tolist() == pytest.approx([idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2.5)), 0])
    cosines = TfIdf([one_only(one), one_only(other)]).scores(one_only(asked), np.arange(2))
    rare, common = np.log(3 / 2) + 1, 1.0
    assert cosines.tolist() == pytest.approx([2 * rare / np.hypot(2 * rare, common), 0])
    assert skill_coverage(frozenset({1, 2}), [frozenset({2, 3}), frozenset()]).tolist() == [0.5, 0]
    assert skill_coverage(frozenset(), [frozenset({2})]).tolist() == [0]


def one_only(counted):
    """Without pairs of words."""
    return type(counted)({term: count for term, count in counted.items() if term.isalpha()})


def test_latent_directions_are_the_first_singular_vectors() -> None:
    counted = [terms_of(read_text(each)) for each in trades().candidates.values()]
    collection = Collection(counted[:3], counted[3:])
    found = latent_directions(collection.counts, 5)
    _, strengths, exact = np.linalg.svd(collection.counts.toarray(), full_matrices=False)
    assert np.linalg.norm(collection.counts.dot(found), axis=0) == pytest.approx(strengths[:5], rel=0.01)
    assert abs(found[:, 0] @ exact[0]) == pytest.approx(1, abs=1e-3)


def test_rarity_is_a_share() -> None:
    rarity = rarity_of([terms_in("red brick"), terms_in("brick"), terms_in("stone"), terms_in("stone")])
    assert rarity.of("brick") == 0.5
    assert 0 < rarity.of("unheard") < 0.01


def test_metrics_of_the_trades_are_worth_something() -> None:
    """No ranker gets them right by chance: every advert has one person who fits and at most six who come near."""
    for of in trades().grades.values():
        grades = sorted(of.values(), reverse=True)
        assert grades[0] == 3
        assert ndcg_at(grades[::-1], 10) == 0
        assert reciprocal_rank([grade > 0 for grade in grades]) == 1
    assert bootstrap_interval([1.0, 1.0], 1) == (1.0, 1.0)
