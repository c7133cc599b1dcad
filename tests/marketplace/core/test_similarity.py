"""Which postings of one organisation are one, posted twice."""

from __future__ import annotations

import random
from datetime import date
from itertools import combinations

import pytest

from marketplace.core.similarity import (
    ALIKE,
    LEAST_SHINGLES,
    Posting,
    fingerprints,
    has_changed_materially,
    likeness,
    likenesses,
    read_posting,
    resemblance,
    sketch,
)
from marketplace.demo.market import Profile, draw_market
from marketplace.demo.trades import CURATED

ABOUT = """\
Steelyard is a family business in its third generation, with workshops in four towns and a yard of its own.
We pay on time, train our people, and keep the tools in good order. Everybody knows everybody by name.
You have thirty days off, a pension, a card for trains and buses, and a hot lunch for 3 euros."""
WELDER = f"""\
You weld frames and rails of steel from drawings, in our hall and sometimes at the customer's.
You check your own seams and write down what you did, so that the next shift can go on.
You bring a certificate for MIG or TIG welding and two years of practice, and lift up to 25 kg.
{ABOUT}
The work is in Berlin and is paid 21 to 26 euros an hour. Call us on 030 1234567."""
PLUMBER = f"""\
You lay pipes for heating and water in old houses, find leaks, and leave every bathroom cleaner than it was.
You talk with those who live there, order what you need, and drive one of our vans from site to site.
You bring a finished apprenticeship and a licence to drive, and mind neither cellars nor roofs.
{ABOUT}
The work is in Berlin and is paid 21 to 26 euros an hour. Call us on 030 1234567."""
FORM = (
    "{firm} is looking for 2 people to work as {role} in {town}. You join a small team, are paid what is written here, "
    "and hear from us within a week."
)

TODAY = date(2027, 3, 1)
PROFILES = [Profile(key, row.name, tuple(range(key, key + 6)), ()) for key, row in enumerate(CURATED.occupations, 1)]


def posting(title: str, description: str, *, organisation: int = 1, city: str = "") -> Posting:
    return read_posting(title, description, organisation=organisation, cities=[city] if city else [])


def shuffled(text: str) -> str:
    lines = text.split("\n")
    random.Random(1).shuffle(lines)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Welder", WELDER),
        ("URGENT: experienced WELDER (m/f/d) wanted!", WELDER),
        ("Join the team in our hall", WELDER),
        ("Welder", shuffled(WELDER)),
        ("Welder", WELDER.replace("21 to 26", "23.50 to 31").replace("3 euros", "4 euros")),
        ("Welder, Hamburg", WELDER.replace("Berlin", "Hamburg").replace("030 1234567", "040 7654321")),
        ("Welder", WELDER.upper() + "\n🔥🔥🔥"),
        ("Welder", WELDER.replace("\n", " ") + " We look forward to hearing from you."),
        ("Welder (night shift)", shuffled(WELDER).replace("Berlin", "Leeds").replace("26", "29")),
    ],
    ids=["same", "louder", "retitled", "swapped", "pay", "town", "capitals", "one line", "all of it"],
)
def test_an_edited_copy_is_found_and_shares_a_fingerprint(title: str, description: str) -> None:
    original, copy = posting("Welder, Berlin", WELDER, city="Berlin"), posting(title, description)
    alike = likeness(original, copy)
    assert alike is not None
    assert alike == likeness(copy, original)
    assert alike.strength == resemblance(original, copy) >= ALIKE
    assert set(fingerprints(original)) & set(fingerprints(copy))


def test_a_likeness_says_what_it_is_made_of() -> None:
    original = posting("Welder", WELDER)
    said = {
        title: found.reasons if (found := likeness(original, posting(title, description))) else None
        for title, description in (
            ("Welder!", shuffled(WELDER)),
            ("Senior welder", WELDER.replace("Everybody knows everybody", "People know each other")),
            ("Metal worker", WELDER),
            (
                "Metal work",
                WELDER.replace("hot lunch", "free breakfast").replace("train our people", "send you abroad"),
            ),
        )
    }
    assert said == {
        "Welder!": ("same_text", "same_title"),
        "Senior welder": ("similar_text", "similar_title"),
        "Metal worker": ("same_text", "other_title"),
        "Metal work": None,  # another title, and not the same text
    }


def test_other_roles_and_other_organisations_are_not_taken_for_one() -> None:
    welder = posting("Welder", WELDER)
    assert likeness(welder, posting("Plumber", PLUMBER)) is None
    assert likeness(welder, posting("Craftsman", PLUMBER)) is None
    assert likeness(welder, posting("Welder", WELDER, organisation=2)) is None
    assert not set(fingerprints(welder)) & set(fingerprints(posting("Welder", WELDER, organisation=2)))


def test_a_form_filled_in_for_many_roles_is_not_one_posting_but_for_two_towns_it_is() -> None:
    roles = [row.name for row in CURATED.occupations]
    forms = [
        (role, posting(f"{role}, {town}", FORM.format(firm="Steelyard", role=role, town=town), city=town))
        for role in roles
        for town in ("Berlin", "Detmold")
    ]
    found = [(one, other) for (one, a), (other, b) in combinations(forms, 2) if likeness(a, b)]
    assert found == [(role, role) for role in roles]


def test_in_the_demo_market_copies_are_found_and_different_roles_are_not() -> None:
    """An evaluation: every opportunity copied in five ways, and held against all others of its organisation."""
    jobs = [
        job for seed in (1, 2, 3) for job in draw_market(PROFILES, seed=seed, today=TODAY, candidates=1).opportunities
    ]
    missed = [
        (job.title, title)
        for job in jobs
        for title, description in (
            (f"Experienced {job.title.lower()} wanted (m/w/d)", job.description),
            (job.title, " ".join(reversed(job.description.split(". ")))),
            (job.title, job.description.replace(f" {job.seats} ", " 90 ")),
            (job.title.replace(job.town.city, "Detmold"), job.description.replace(job.town.city, "Detmold")),
            ("Come and work with us", f"{job.description} 🔥"),
        )
        if not likeness(
            posting(job.title, job.description, city=job.town.city), posting(title, description, city="Detmold")
        )
    ]
    assert missed == []
    mistaken = [
        (one.title, other.title)
        for one, other in combinations(jobs, 2)
        if one.organisation == other.organisation and one.occupation != other.occupation
        if likeness(
            posting(one.title, one.description, city=one.town.city),
            posting(other.title, other.description, city=other.town.city),
        )
    ]
    assert mistaken == []


def test_what_an_organisation_writes_everywhere_tells_no_role() -> None:
    noted = dict(enumerate(posting(title, ABOUT) for title in ("Welder", "Plumber", "Cook")))
    assert set(likenesses(posting("Driver", ABOUT), {0: noted[0]})) == {0}
    assert likenesses(posting("Driver", ABOUT), noted) == {}
    assert set(likenesses(posting("Cook (m/w/d)", ABOUT), noted)) == {2}


@pytest.mark.parametrize(
    "description",
    ["", "   \n\t", "Nurse", "Nurse for nights, ward 3. Start now.", "work " * 2_000, "🔥" * 5_000, "12 34 " * 99],
)
def test_what_says_too_little_is_like_nothing(description: str) -> None:
    one, same = posting("Nurse", description), posting("Nurse", description)
    assert not one.says_enough
    assert likeness(one, same) is None
    assert fingerprints(one) == []


def test_texts_without_spaces_between_words_are_read_by_letters() -> None:
    chinese = "我们正在柏林寻找一名焊工负责按照图纸焊接钢架并检查焊缝工资每小时二十一欧元"
    assert len(posting("焊工", chinese).shingles) >= LEAST_SHINGLES
    assert likeness(posting("焊工", chinese), posting("焊工", chinese.replace("柏林", "汉堡"))) is not None


def test_fingerprints_are_the_same_on_every_machine() -> None:
    assert fingerprints(posting("Welder", WELDER))[:2] == [6954500235236858736, 8324372863148884148]
    assert len(sketch(posting("Welder", WELDER))) == 320


def test_nearly_all_texts_that_are_alike_share_a_fingerprint_and_few_others_do() -> None:
    chance = random.Random(3)
    words = [f"{a}{b}" for a in "bcdfghjklm" for b in ("a", "e", "i", "o", "u")]
    shared: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(300):
        text, rate = [chance.choice(words) for _ in range(120)], chance.choice((0.04, 0.5))
        changed = [chance.choice(words) if chance.random() < rate else word for word in text]
        one, other = (posting("Welder", " ".join(each)) for each in (text, changed))
        share = resemblance(one, other)
        if share >= ALIKE or share < 40:
            shared[share >= ALIKE].append(bool(set(fingerprints(one)) & set(fingerprints(other))))
    assert min(len(each) for each in shared.values()) > 50
    assert sum(shared[True]) / len(shared[True]) > 0.98
    assert sum(shared[False]) / len(shared[False]) < 0.2


def test_a_text_has_changed_materially_when_a_fifth_of_it_is_another() -> None:
    before = sketch(posting("Welder", WELDER))
    assert not has_changed_materially(before, sketch(posting("Cook", WELDER.replace("26", "28") + "\nCall soon.")))
    assert has_changed_materially(before, sketch(posting("Welder", PLUMBER)))
    assert has_changed_materially(before, b"")
    assert not has_changed_materially(b"", b"")
