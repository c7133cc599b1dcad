"""Reading judged pairs, and rankers side by side on them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from matching.core.evaluation.judgements import Judgements, UnreadableJudgements, read_judgements
from matching.core.evaluation.report import evaluated

HEADER = "query_id,query_text,candidate_id,candidate_text,grade\n"


def read(body: str) -> Judgements:
    return read_judgements((HEADER + body).encode())


def test_texts_may_be_given_once_and_pairs_twice() -> None:
    found = read('q1,"A baker,\nby night",c1,Bakes,2\nq1,,c2,Sells,0\nq1,,c1,,2.0\n\nq2,Van,c2,"Sells ",0.5\n')
    assert dict(found.queries) == {"q1": "A baker,\nby night", "q2": "Van"}
    assert dict(found.candidates) == {"c1": "Bakes", "c2": "Sells"}
    assert {query: dict(of) for query, of in found.grades.items()} == {"q1": {"c1": 2, "c2": 0}, "q2": {"c2": 0.5}}
    assert found.pairs == 3
    assert found.lowest_positive_grade == 0.5


def test_a_text_may_come_after_the_first_row_of_its_id_or_never() -> None:
    found = read("q1,,c1,,1\nq1,A baker,c2,,0\n")
    assert found.queries["q1"] == "A baker"
    assert dict(found.candidates) == {"c1": "", "c2": ""}


def test_columns_may_come_in_any_order_among_others_after_a_mark_of_byte_order() -> None:
    raw = "\ufeffgrade,judge,candidate_text,candidate_id, query_text,query_id\r\n1,me,Bakes,c,A baker,q\r\n"
    found = read_judgements(raw.encode())
    assert found.grades["q"]["c"] == 1
    assert found.candidates["c"] == "Bakes"


@pytest.mark.parametrize(
    ("raw", "line", "reason"),
    [
        (b"", None, "empty"),
        (HEADER.encode(), None, "no judged pair"),
        (b"query_id,candidate_id,grade\n", 1, "columns are missing: query_text, candidate_text"),
        (HEADER.replace("grade", "grade,grade").encode(), 1, "given twice: grade"),
        (HEADER.encode() + b"q,A,c,B,1\nq,A,d,\xff,1\n", 3, "not UTF-8"),
        (HEADER.encode() + b"q,A,c,B,1\nq,A,d\n", 3, "3 columns instead of 5"),
        (HEADER.encode() + b'q,"A\nB",c,B,1\nq,A B,d,D,much\n', 4, "grade must be a number of at least 0, not 'much'"),
        (HEADER.encode() + b"q,A,c,B,-1\n", 2, "at least 0"),
        (HEADER.encode() + b"q,A,c,B,nan\n", 2, "at least 0"),
        (HEADER.encode() + b"q,A,c,B,inf\n", 2, "at least 0"),
        (HEADER.encode() + b"q,A,c,B,1e308\n", 2, "at most 1,000,000,000"),
        (HEADER.encode() + b"q,A,c,B,1_0\n", 2, "at least 0"),
        (HEADER.encode() + b"q,A,c,B,\n", 2, "at least 0"),
        (HEADER.encode() + b",A,c,B,1\n", 2, "query_id is missing"),
        (HEADER.encode() + b"q,A, ,B,1\n", 2, "candidate_id is missing"),
        (HEADER.encode() + b"q,A,c,B,1\nq,A,d,D,1\nq,A,c,B,2\n", 4, "grade 2 here and 1 on line 2"),
        (HEADER.encode() + b"q,A,c,B,1\nq,Z,d,D,1\n", 3, "query 'q' has another text here than on line 2"),
        (HEADER.encode() + b"q,A,c,B,1\np,P,c,Z,1\n", 3, "candidate 'c' has another text here than on line 2"),
        (HEADER.encode() + b'q,A,c,B,1\nq,"A,c,B,1\n', 3, "not well-formed CSV"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_line(raw: bytes, line: int | None, reason: str) -> None:
    with pytest.raises(UnreadableJudgements) as refusal:
        read_judgements(raw)
    assert refusal.value.line == line
    assert reason in refusal.value.reason


def test_a_text_of_megabytes_is_read_and_the_limit_of_others_stays_what_it_was() -> None:
    before = csv.field_size_limit()
    assert len(read(f"q,A,c,{'x' * 5_000_000},1\n").candidates["c"]) == 5_000_000
    with pytest.raises(UnreadableJudgements):
        read(f"q,A,c,{'x' * 21_000_000},1\n")
    assert csv.field_size_limit() == before


JUDGED = Judgements(
    queries={"q": "", "p": "", "none": ""},
    candidates={"a": "", "b": "", "c": "", "d": ""},
    grades={"q": {"a": 2, "b": 0, "c": 1}, "p": {"d": 1, "a": 0}, "none": {"a": 0, "b": 0}},
)


def by_place(*scores: float):
    return lambda query, places: np.array(scores)[places]


def test_only_judged_candidates_are_ranked() -> None:
    report = evaluated(JUDGED, {"good": by_place(4, 1, 3, 9), "bad": by_place(1, 9, 3, 0)})
    assert report.ranked == report.pairs == 7
    assert report.figures["good"]["nDCG@10"].value == 1
    assert report.figures["good"]["nDCG@10"].queries == 2  # of the third no order is better than another
    assert report.figures["bad"]["MRR"].value == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert report.figures["bad"]["AUC"].value == 0
    assert report.differences["bad"]["AUC"].value == 1
    assert set(report.differences) == {"bad"}


def test_all_candidates_are_ranked_where_that_is_asked_for() -> None:
    report = evaluated(JUDGED, {"good": by_place(4, 1, 3, 9)}, everyone=True)
    assert report.ranked == 12
    assert report.figures["good"]["MRR"].value == pytest.approx((1 / 2 + 1) / 2)  # d comes before all for q


def test_what_is_relevant_is_what_the_caller_says() -> None:
    from_two = evaluated(JUDGED, {"one": by_place(1, 0, 3, 9)}, relevant_at=2)
    assert from_two.figures["one"]["MRR"].queries == 1
    assert from_two.figures["one"]["MRR"].value == 1 / 2
    assert evaluated(JUDGED, {"one": by_place(1, 0, 3, 9)}).relevant_at == 1
    beyond = evaluated(JUDGED, {"one": by_place(1, 0, 3, 9)}, relevant_at=7)
    assert (beyond.figures["one"]["MAP"].value, beyond.figures["one"]["MAP"].interval) == (None, None)
    with pytest.raises(ValueError, match="relevant_at"):
        evaluated(JUDGED, {"one": by_place(1, 0, 3, 9)}, relevant_at=0)


def test_equal_scores_are_ordered_alike_for_all_and_not_as_in_the_file() -> None:
    names = [f"c{at}" for at in range(200)]
    queries = {f"q{at}": "" for at in range(60)}
    judged = Judgements(
        queries, dict.fromkeys(names, ""), {query: {name: float(name == "c0") for name in names} for query in queries}
    )
    flat = by_place(*[0] * 200)
    report = evaluated(judged, {"one": flat, "other": flat})
    assert report.differences["other"]["MRR"].interval == (0, 0)
    # The first of the file comes first once in two hundred times.
    mrr = report.figures["one"]["MRR"].value
    assert mrr is not None
    assert mrr < 0.2
    assert report.figures["one"]["AUC"].value == 0.5


def test_a_difference_is_paired() -> None:
    """Queries differ much, rankers little but always: unpaired intervals overlap, the paired one is above zero."""
    draw = np.random.default_rng(2)
    names = [f"c{at}" for at in range(30)]
    grades = {f"q{at}": {name: float(draw.random() < 0.02 + 0.03 * at) for name in names} for at in range(20)}
    judged = Judgements(dict.fromkeys(grades, ""), dict.fromkeys(names, ""), grades)
    noise = draw.random((20, 30))
    truth = np.array([[of[name] for name in names] for of in grades.values()])
    report = evaluated(
        judged,
        {
            "better": lambda query, places: (noise + 0.15 * truth)[query][places],
            "worse": lambda query, places: (noise + 0.05 * truth)[query][places],
        },
    )
    better, worse = (report.figures[name]["MAP"].interval for name in ("better", "worse"))
    paired = report.differences["worse"]["MAP"].interval
    assert better is not None
    assert worse is not None
    assert paired is not None
    assert better.low < worse.high
    assert paired.low > 0
