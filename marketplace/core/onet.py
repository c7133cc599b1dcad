"""Reading O*NET's tab-separated text release: occupations, their alternate titles, the technologies they use.

O*NET gives technologies no code of their own; their name is their key, so a source URI is made of it.
https://www.onetcenter.org/database.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from marketplace.core.folding import fold
from marketplace.core.sources import (
    BrokenSource,
    OccupationRow,
    RejectedRow,
    SkillRow,
    TaxonomySource,
    distinct_labels,
    tidy,
)

OCCUPATIONS = "Occupation Data.txt"
TITLES = "Alternate Titles.txt"
TECHNOLOGIES = "Technology Skills.txt"
COLUMNS: dict[str, tuple[str, ...]] = {
    OCCUPATIONS: ("O*NET-SOC Code", "Title", "Description"),
    TITLES: ("O*NET-SOC Code", "Alternate Title", "Short Title"),
    TECHNOLOGIES: ("O*NET-SOC Code", "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"),
}
DANGLING_TOLERATED = 0.02

Progress = Callable[[str, int], None]


def occupation_uri(code: str) -> str:
    return f"onet:occupation:{code}"


def technology_uri(name: str) -> str:
    return f"onet:technology:{fold(name)}"


def _rows(
    folder: Path, name: str, rejected: list[RejectedRow], progress: Progress | None
) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        raw = (folder / name).read_bytes()
    except OSError as error:
        raise BrokenSource(name, f"cannot be read ({error.strerror or error})") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenSource(name, f"not UTF-8 ({error.reason})", raw[: error.start].count(b"\n") + 1) from error
    lines = text.split("\n")
    complete = lines[-1] == ""
    header = lines[0].rstrip("\r").split("\t")
    missing = [column for column in COLUMNS[name] if column not in header]
    if missing:
        raise BrokenSource(name, f"columns are missing: {', '.join(missing)}", 1)
    wanted = [(column, header.index(column)) for column in COLUMNS[name]]
    for number, line in enumerate(lines[1:], 2):
        if progress is not None and number % 500 == 0:
            progress(name, number)
        if not line.strip():
            continue
        values = line.rstrip("\r").split("\t")
        if len(values) != len(header):
            if number == len(lines) and not complete:
                raise BrokenSource(name, f"ends in the middle of a row ({len(values)} columns)", number)
            rejected.append(RejectedRow(name, number, f"{len(values)} columns instead of {len(header)}"))
            continue
        yield number, {column: values[at].strip() for column, at in wanted}


def read_onet(folder: Path, progress: Progress | None = None) -> TaxonomySource:
    """The three files of a release's folder. Raises BrokenSource; bad rows are left out and named in `rejected`."""
    if not folder.is_dir():
        raise BrokenSource(str(folder.name), "is no folder")
    rejected: list[RejectedRow] = []
    occupations: dict[str, tuple[str, str]] = {}
    for line, row in _rows(folder, OCCUPATIONS, rejected, progress):
        code = row["O*NET-SOC Code"]
        if not code or not row["Title"]:
            rejected.append(RejectedRow(OCCUPATIONS, line, "code or title is missing"))
        elif code in occupations:
            rejected.append(RejectedRow(OCCUPATIONS, line, f"{code} was given before"))
        else:
            occupations[code] = (row["Title"], tidy(row["Description"]))
    if not occupations:
        raise BrokenSource(OCCUPATIONS, "holds no usable row")

    dangling: Counter[str] = Counter()
    counted: Counter[str] = Counter()

    def known(file: str, line: int, code: str) -> bool:
        counted[file] += 1
        if code in occupations:
            return True
        dangling[file] += 1
        rejected.append(
            RejectedRow(file, line, f"names occupation {code or 'nothing'}, which this release does not have")
        )
        return False

    titles: dict[str, list[str]] = {code: [] for code in occupations}
    for line, row in _rows(folder, TITLES, rejected, progress):
        code = row["O*NET-SOC Code"]
        if not known(TITLES, line, code):
            continue
        if not row["Alternate Title"]:
            rejected.append(RejectedRow(TITLES, line, "the alternate title is missing"))
            continue
        titles[code] += [title for title in (row["Alternate Title"], row["Short Title"]) if title not in ("", "n/a")]

    names: dict[str, str] = {}
    spellings: dict[str, list[str]] = {}
    commodities: dict[str, str] = {}
    links: dict[tuple[str, str], bool] = {}
    for line, row in _rows(folder, TECHNOLOGIES, rejected, progress):
        code, example = row["O*NET-SOC Code"], row["Example"]
        if not known(TECHNOLOGIES, line, code):
            continue
        if not fold(example):
            rejected.append(RejectedRow(TECHNOLOGIES, line, "the technology has no name"))
            continue
        uri = technology_uri(example)
        names.setdefault(uri, example)
        spellings.setdefault(uri, []).append(example)
        commodities.setdefault(uri, row["Commodity Title"])
        link = (occupation_uri(code), uri)
        links[link] = links.get(link, False) or row["In Demand"] == "Y"
    for file, count in dangling.items():
        if count > max(DANGLING_TOLERATED * counted[file], 100):
            raise BrokenSource(file, f"{count} of {counted[file]} rows name occupations that the release does not have")
    return TaxonomySource(
        "onet",
        skills=tuple(
            SkillRow(uri, name, distinct_labels(name, spellings[uri]), commodities[uri], "technology")
            for uri, name in names.items()
        ),
        occupations=tuple(
            OccupationRow(occupation_uri(code), title, distinct_labels(title, titles[code]), description)
            for code, (title, description) in occupations.items()
        ),
        occupation_skills=tuple((occupation, skill, essential) for (occupation, skill), essential in links.items()),
        rejected=tuple(rejected),
    )
