"""Reading the releases of ESCO and O*NET, whole and broken."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from marketplace.core.esco import read_esco
from marketplace.core.onet import read_onet
from marketplace.core.sources import BrokenSource
from tests.marketplace.taxonomy_files import FILES, O, S, as_csv, write_esco, write_onet


def test_a_release_is_read_in_either_order_of_its_archives(tmp_path: Path) -> None:
    paths = write_esco(tmp_path)

    release = read_esco(paths[::-1])

    assert release == read_esco(paths)
    python = next(row for row in release.skills if row.uri == f"{S}1")
    assert (python.name, python.labels, python.kind) == (
        "Python (computer programming)",
        ("Python 3", "CPython"),
        "technology",
    )
    assert python.description == 'A, "quoted"\ntext'
    assert release.occupations[0].isco_code == "7212"
    assert release.occupation_skills == ((f"{O}1", f"{S}2", True), (f"{O}1", f"{S}1", False))


def test_a_link_to_a_withdrawn_concept_is_rejected_with_its_line(tmp_path: Path) -> None:
    (rejected,) = read_esco(write_esco(tmp_path)).rejected

    assert (rejected.file, rejected.line) == ("relations.zip/occupationSkillRelations.csv", 4)
    assert "gone" in rejected.reason


def test_rejected_rows_are_named_by_the_line_on_which_they_begin(tmp_path: Path) -> None:
    header, python, weld, sql = FILES["skills_en.csv"]
    nameless = [*sql[:1], f"{S}4", *sql[2:4], " ", *sql[5:]]
    rows = as_csv([header, python, python, ["too", "short"], nameless, weld, sql])

    release = read_esco(write_esco(tmp_path, skills_en=rows))

    assert [(row.line, row.reason.partition(" ")[0]) for row in release.rejected[:3]] == [
        (5, f"{S}1"),  # each of Python's records takes three lines
        (8, "2"),
        (9, f"{S}4"),
    ]


@pytest.mark.parametrize(
    ("replaced", "says"),
    [
        ({"skills_en": None}, "skills.csv"),
        ({"skills_en": b""}, "empty"),
        ({"skills_en": b"conceptUri,preferredLabel\n"}, "columns are missing"),
        ({"skills_en": as_csv(FILES["skills_en.csv"])[:-20]}, "ends in the middle"),
        ({"skills_en": as_csv(FILES["skills_en.csv"])[:200]}, "not well-formed|ends in the middle"),
        ({"skills_en": as_csv(FILES["skills_en.csv"]).replace(b"weld", b"w\xffld")}, "not UTF-8"),
        (
            {
                "occupationSkillRelations": as_csv(
                    [FILES["occupationSkillRelations.csv"][0]]
                    + [[f"{O}x", "essential", "", f"{S}{n}"] for n in range(200)]
                )
            },
            "one release",
        ),
    ],
)
def test_a_broken_file_is_refused_and_named(tmp_path: Path, replaced: dict[str, bytes | None], says: str) -> None:
    with pytest.raises(BrokenSource, match=says):
        read_esco(write_esco(tmp_path, **replaced))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(BrokenSource, match=r"a\.zip"):
        read_esco([tmp_path / "a.zip"])
    with pytest.raises(BrokenSource):
        read_esco([tmp_path / "absent.zip"])


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    classification, relations = write_esco(tmp_path)
    with zipfile.ZipFile(classification) as archive:
        start = archive.getinfo("skills_en.csv").header_offset + 60
    damaged = bytearray(classification.read_bytes())
    damaged[start : start + 40] = bytes(40)
    classification.write_bytes(bytes(damaged))

    with pytest.raises(BrokenSource):
        read_esco([classification, relations])


def test_onet_gives_occupations_their_titles_and_technologies(tmp_path: Path) -> None:
    release = read_onet(write_onet(tmp_path))

    assert [(row.name, row.labels) for row in release.occupations] == [
        ("Welders", ("Arc Welder",)),
        ("Software Developers", ()),
    ]
    assert [row.name for row in release.skills] == ["Python", "Structured query language SQL", "Kubernetes"]
    assert [essential for _, _, essential in release.occupation_skills] == [True, False, False]


def test_onet_rows_that_cannot_be_used_are_rejected_with_their_line(tmp_path: Path) -> None:
    header = "O*NET-SOC Code\tTitle\tAlternate Title\tShort Title\tSource(s)\n"
    release = read_onet(
        write_onet(tmp_path, Alternate_Titles=header + "99-9999.00\tX\tY\t\t08\nshort\trow\n51-4121.00\tW\tZ\t\t08\n")
    )

    assert [(row.line, row.reason[:5]) for row in release.rejected] == [(2, "names"), (3, "2 col")]


def test_a_truncated_onet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenSource, match="ends in the middle"):
        read_onet(write_onet(tmp_path, Occupation_Data="O*NET-SOC Code\tTitle\tDescription\n51-4121.00\tWel"))
