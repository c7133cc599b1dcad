"""People as columns: everything agrees with the specification, person by person."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from matching.core.attributes import ATTRIBUTES, Attribute, Kind, declare
from matching.core.columns import COLUMNS, Crowd, JudgedRule, Leaves, Segment, Split, joined, leaves
from matching.core.columns.bits import Tally, all_of, packed, size, unpacked
from matching.core.columns.passing import accepted, passing
from matching.core.columns.reading import segment_from
from matching.core.columns.segments import MISSING, SCALE, Column, Form, Numbers, columns_for
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.relaxing import nodes, stepped, steps
from matching.core.rules import (
    OPEN_TO_ALL,
    OPEN_TO_NOBODY,
    AtLeast,
    Criterion,
    Literal,
    Quorum,
    Rule,
    literals,
    load,
    normal,
)
from matching.core.truth import truth
from matching.queries.projection import columns_of
from tests.conformance.generators import TODAY, Chance, facts, rule


def line(person: CandidateFacts) -> str:
    """A person as COPY writes them."""
    stored = columns_of(person)
    return (
        "\t".join([str(person.candidate_id), *(written(stored[column.name], column.form) for column in COLUMNS)]) + "\n"
    )


def written(value: object, form: Form) -> str:
    if value is None:
        return r"\N"
    match form:
        case Form.MEMBERS:
            return "{" + ",".join(map(str, value)) + "}"  # type: ignore[call-overload]
        case Form.ENTRIES:
            return json.dumps(value)
    return str(value)


def segment(people: list[CandidateFacts]) -> Segment:
    return segment_from("".join(map(line, people)).encode())


def crowd(*segments: Segment) -> Crowd:
    counted = [packed(np.ones(each.people, np.bool_)) for each in segments]
    return Crowd([Leaves(each) for each in segments], np.concatenate(counted))


def drawn(seed: int, people: int = 150) -> tuple[Chance, list[CandidateFacts]]:
    chance = Chance(seed)
    return chance, [facts(chance, candidate_id) for candidate_id in range(1, people + 1)]


def split(people: list[CandidateFacts], judged: Rule) -> Split:
    found = Counter(truth(judged, person, on=TODAY) for person in people)
    return Split(found[True], found[None], found[False])


def test_whom_a_rule_surely_accepts_is_found_without_counting():
    chance, people = drawn(3)
    everybody = crowd(segment(people[:90]), segment(people[90:]))
    for asked in (OPEN_TO_NOBODY, OPEN_TO_ALL, *(rule(chance) for _ in range(120))):
        expected = sorted(person.candidate_id for person in people if truth(asked, person, on=TODAY) is True)
        assert sorted(everybody.ids_of(accepted(normal(asked), everybody, TODAY))) == expected


@pytest.mark.parametrize("few_of", [0, 10**6])  # looking at those alone who are left whenever it can, and never
def test_whom_a_rule_does_not_surely_refuse_is_found_without_counting(monkeypatch, few_of):
    monkeypatch.setattr(leaves, "FEW_OF", few_of)
    chance, people = drawn(4)
    for _ in range(60):
        asked = rule(chance)
        everybody = crowd(segment(people[:90]), segment(people[90:]))
        expected = sorted(person.candidate_id for person in people if truth(asked, person, on=TODAY) is not False)
        assert sorted(everybody.ids_of(passing(normal(asked), everybody, TODAY))) == expected, asked
        for known in (asked, rule(chance)):  # what was found for few is not remembered for all
            assert JudgedRule(normal(known), everybody, TODAY).criteria([])[0] == split(people, known), known


def test_a_rule_splits_people_as_the_specification_does_however_they_are_segmented():
    chance, people = drawn(1)
    parts = [segment(people[:70]), segment(people[70:75]), segment(people[75:])]
    crowds = [crowd(*parts), crowd(joined(parts)), crowd(joined([joined(parts[:2]), parts[2]]))]
    for _ in range(120):
        asked = rule(chance)
        for each in crowds:
            assert JudgedRule(normal(asked), each, TODAY).criteria([])[0] == split(people, asked), asked


@pytest.mark.parametrize("rounds", [15, pytest.param(400, marks=pytest.mark.soak)])
def test_criteria_are_counted_as_if_everybody_met_each_in_turn(rounds):
    chance, people = drawn(2)
    whole = crowd(segment(people))
    for _ in range(rounds):
        asked = rule(chance)
        tree = normal(asked)
        for one in JudgedRule(tree, whole, TODAY).criteria(list(literals(tree)))[1]:
            without = [truth(met(asked, one.literal.path), person, on=TODAY) for person in people]
            assert one.without.eligible == without.count(True)
            assert one.without.ineligible == without.count(False)
            holds = [truth(one.literal.criterion, person, on=TODAY) for person in people]
            assert one.alone.eligible == holds.count(one.literal.wanted)


def met(asked: Rule, path: str) -> Rule:
    """The rule with one criterion replaced by something that is always so, or never where it is negated."""
    places = {where: wanted for where, _, wanted in nodes(asked)}
    always = load({"all": [{"any": [known(True), known(False)]}]})
    never = load({"all": [known(True), known(False)]})
    return put(asked, path, always if places[path] else never)


def known(value: bool) -> dict[str, object]:
    return {"attribute": "country", "op": "exists", "value": value}


def put(asked: Rule, path: str, part: Rule) -> Rule:
    from matching.core.relaxing import Step

    return stepped(asked, Step(path, part, 0))


def test_every_step_is_counted_as_the_rule_after_it_and_loses_nobody():
    chance, people = drawn(3)
    whole = crowd(segment(people))
    counted = 0
    for _ in range(60):
        asked = rule(chance)
        tree = normal(asked)
        judged = JudgedRule(tree, whole, TODAY)
        before = judged.criteria([])[0]
        for step in steps(asked):
            after = split(people, stepped(asked, step))
            assert after.eligible >= before.eligible, (asked, step)
            assert after.ineligible <= before.ineligible, (asked, step)
            if step.part is not None:
                assert judged.loosened([in_normal_form(tree, asked, step.path, step.part)]) == [after], (asked, step)
                counted += 1
    assert counted > 100


def in_normal_form(tree, asked: Rule, path: str, part: Rule) -> Literal | Quorum:
    places = {where: wanted for where, _, wanted in nodes(asked)}
    if isinstance(part, AtLeast):
        [quorum] = [each for each in quorums(tree) if each.path == path]
        return Quorum(quorum.n - 1, quorum.of, path)
    assert isinstance(part, Criterion)
    return Literal(part, places[path], path)


def quorums(node) -> list[Quorum]:
    return [] if isinstance(node, Literal) else [node, *(one for part in node.of for one in quorums(part))]


def test_people_who_do_not_count_are_left_out_of_every_number():
    _, people = drawn(4)
    whole = segment(people)
    counted = np.arange(whole.people) % 3 == 0
    some = Crowd([Leaves(whole)], packed(counted))
    asked = load({"all": [{"skill": 1}, {"attribute": "weekly_hours", "op": "gte", "value": 20}]})
    kept = [person for person in people if (person.candidate_id - 1) % 3 == 0]
    assert JudgedRule(normal(asked), some, TODAY).criteria([])[0] == split(kept, asked)


def test_joining_keeps_whom_it_is_told_to_and_orders_them_by_id():
    _, people = drawn(5)
    odd, even = segment(people[::2]), segment(people[1::2])
    kept = [odd.ids % 5 > 0, np.ones(even.people, np.bool_)]
    both = joined([odd, even], kept)
    left = [person for person in people if person.candidate_id % 2 == 0 or person.candidate_id % 5]
    assert both.ids.tolist() == [person.candidate_id for person in left]
    for asked in ({"skill": 3, "minYears": 1.5}, {"vetted": "identity"}, {"language": "en", "minLevel": "B1"}):
        assert JudgedRule(normal(load(asked)), crowd(both), TODAY).criteria([])[0] == split(left, load(asked))
    assert both.rows_of(np.array([5, 2, 151])).tolist() == [both.ids.tolist().index(2)]
    skills = both.lists["skills"]
    for skill in skills.slots:
        rows, fields = skills.held(skill)
        has = [(place, person.skills[skill].level) for place, person in enumerate(left) if skill in person.skills]
        assert list(zip(rows.tolist(), fields["level"].ten_thousandths // SCALE, strict=True)) == has


def test_a_segment_of_nobody_is_one_of_nobody():
    nobody = segment_from(b"")
    assert nobody.people == joined([nobody, nobody]).people == 0
    assert JudgedRule(normal(load({"skill": 1})), crowd(nobody), TODAY).criteria([])[0] == Split(0, 0, 0)


@pytest.mark.parametrize(
    ("values", "unit", "dtype"),
    [
        ([10_000, 20_000, MISSING], 10_000, np.int8),
        ([25_000, MISSING], 1_000, np.int8),
        ([199_999, 200_001], 1, np.int32),
        ([999_999_999_999], 1, np.int64),
        ([-128 * 10_000], 10_000, np.int16),
        ([], 10_000, np.int8),
    ],
)
def test_numbers_take_the_narrowest_form_that_holds_all_of_them(values, unit, dtype):
    numbers = Numbers.of(np.array(values, np.int64))
    assert (numbers.unit, numbers.stored.dtype) == (unit, dtype)
    assert numbers.missing.tolist() == [value == MISSING for value in values]
    for threshold in (-(10**15), -1, 0, 19_999, 20_000, 20_001, 10**15):
        assert numbers.at_least(threshold).tolist() == [value != MISSING and value >= threshold for value in values]


def test_numbers_and_days_are_read_exactly():
    people = [
        CandidateFacts(1, hourly_rate=Decimal("20.0001"), available_from=date(1969, 12, 31), utc_offset_minutes=-210),
        CandidateFacts(2, hourly_rate=Decimal("99999999.9999"), available_from=date(2024, 2, 29)),
        CandidateFacts(3, skills={2_000_000_000: SkillFact(5, Decimal("0.1"), date(2000, 3, 1))}),
    ]
    whole = crowd(segment(people))
    for asked in (
        {"attribute": "hourly_rate", "op": "gt", "value": 20},
        {"attribute": "hourly_rate", "op": "gt", "value": 20.0001},
        {"attribute": "hourly_rate", "op": "eq", "value": 99_999_999},
        {"attribute": "available_from", "op": "lt", "value": "1970-01-01"},
        {"attribute": "available_from", "op": "between", "value": ["2024-02-29", "2024-02-29"]},
        {"attribute": "utc_offset_minutes", "op": "eq", "value": -210},
        {"skill": 2_000_000_000, "minYears": 0.1, "usedWithinMonths": 316},
        {"skill": 2_000_000_000, "minYears": 0.1, "usedWithinMonths": 315},
    ):
        assert JudgedRule(normal(load(asked)), whole, TODAY).criteria([])[0] == split(people, load(asked)), asked


def test_codes_are_counted_among_some_people():
    people = [
        CandidateFacts(n, country=("DE", "FR", None)[n % 3], commitments=frozenset({"contract"})) for n in range(9)
    ]
    whole = crowd(segment(people))
    some = packed(np.array([person.candidate_id < 5 for person in people]))
    assert whole.codes_among("country", some) == {"DE": 2, "FR": 2}
    assert whole.codes_among("commitments", some) == {"contract": 5}


def test_every_declared_attribute_is_kept_and_a_new_one_needs_no_code():
    assert {attribute.column for attribute in ATTRIBUTES.values()} <= {column.name for column in COLUMNS}
    new = Attribute("shoe_size", Kind.DECIMAL, "shoe size", "", "", fact="free_hours", column="shoe_size")
    assert [column.form for column in columns_for(declare(new)) if column.name == "shoe_size"] == [Form.NUMBER]


def test_a_tally_tells_who_is_in_so_many_sets():
    random = np.random.default_rng(1)
    sets = random.random((11, 130)) < 0.4
    tally = Tally(3)
    for one in sets:
        tally.add(packed(one))
    for n in range(-1, 14):
        assert unpacked(tally.at_least(n), 130).tolist() == (sets.sum(axis=0) >= n).tolist()
    assert size(all_of(3)) == 192


def test_the_least_used_criterion_is_forgotten():
    leaves = Leaves(segment([CandidateFacts(1)]), remembered=2)
    asked = [load({"skill": number}) for number in (1, 2, 3)]
    first = leaves.judged(asked[0], TODAY)
    leaves.judged(asked[1], TODAY)
    assert leaves.judged(asked[0], TODAY) is first
    leaves.judged(asked[2], TODAY)
    assert leaves.judged(asked[0], TODAY) is first
    assert leaves.judged(asked[1], TODAY) is not None


def test_arrays_are_read_with_nulls_left_out_and_words_that_read_so_kept():
    columns = (Column("numbers", Form.MEMBERS, by_id=True), Column("words", Form.MEMBERS))
    text = '1\t{3,NULL,5}\t{c++,"null",of.net}\n2\t{NULL}\t{NULL,NULLS}\n3\t{}\t{"",ärztin}\n'
    read = segment_from(text.encode(), columns)
    lists = {
        name: {key: each.rows[each.entries(key)].tolist() for key in each.slots} for name, each in read.lists.items()
    }
    assert lists["numbers"] == {3: [0], 5: [0]}
    assert lists["words"] == {"c++": [0], "null": [0], "of.net": [0], "NULLS": [1], "": [2], "ärztin": [2]}


def test_an_array_that_holds_what_is_no_key_is_refused():
    with pytest.raises(ValueError, match="no key"):
        segment_from(b"1\t{3,x}\n", (Column("numbers", Form.MEMBERS, by_id=True),))
