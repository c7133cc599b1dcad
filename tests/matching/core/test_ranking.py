from hypothesis import given
from hypothesis import strategies as st

from matching.core.ranking import Ranked, order_key, rank, top

KEY = b"a key"
pairs = st.lists(
    st.builds(Ranked, st.integers(1, 5), st.integers(1, 50), st.integers(-3, 3)),
    unique_by=lambda pair: (pair.opportunity_id, pair.candidate_id),
)


@given(pairs, st.randoms())
def test_ranking_does_not_depend_on_the_order_of_arrival(items, random):
    ranked = rank(items, key=KEY)
    shuffled = items[:]
    random.shuffle(shuffled)
    assert rank(shuffled, key=KEY) == ranked
    assert [one.score for one in ranked] == sorted((one.score for one in items), reverse=True)


@given(pairs, st.integers(0, 60))
def test_top_is_the_beginning_of_the_ranking(items, k):
    assert top(iter(items), k, key=KEY) == rank(items, key=KEY)[:k]


@given(pairs)
def test_no_two_pairs_tie(items):
    keys = {order_key(0, opportunity_id=one.opportunity_id, candidate_id=one.candidate_id, key=KEY) for one in items}
    assert len(keys) == len(items)


def test_ties_do_not_favour_low_ids_and_change_with_the_key():
    equal = [Ranked(1, candidate, 0) for candidate in range(1, 201)]
    first = [one.candidate_id for one in rank(equal, key=KEY)]
    assert first != sorted(first)
    assert 60 < sum(first[:100]) / 100 < 140
    assert [one.candidate_id for one in rank(equal, key=b"another")] != first


def test_ids_that_read_alike_together_do_not_hash_alike():
    one = order_key(0, opportunity_id=1, candidate_id=23, key=KEY)
    other = order_key(0, opportunity_id=12, candidate_id=3, key=KEY)
    assert one[1] != other[1]
