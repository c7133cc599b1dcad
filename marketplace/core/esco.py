"""Reading the official CSV release of ESCO (1.1 and later), as it is downloaded: zipped.

A release comes as two archives, the classification and the relations between its concepts; they may be given in
any order, or as one archive that holds both. https://esco.ec.europa.eu/en/use-esco/download
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from marketplace.core.sources import (
    BrokenSource,
    OccupationRow,
    RejectedRow,
    SkillRow,
    TaxonomySource,
    distinct_labels,
    tidy,
)

# What must be there, and the columns that are read. The language is part of a file's name: skills_en.csv.
SKILLS = "skills"
SKILL_GROUPS = "skillGroups"
OCCUPATIONS = "occupations"
BROADER = "broaderRelationsSkillPillar"
OCCUPATION_SKILLS = "occupationSkillRelations"
COLUMNS: dict[str, tuple[str, ...]] = {
    SKILLS: ("conceptUri", "skillType", "preferredLabel", "altLabels", "status", "description"),
    SKILL_GROUPS: ("conceptUri", "preferredLabel", "altLabels", "status", "description"),
    OCCUPATIONS: ("conceptUri", "iscoGroup", "preferredLabel", "altLabels", "status", "description"),
    BROADER: ("conceptUri", "broaderUri"),
    OCCUPATION_SKILLS: ("occupationUri", "relationType", "skillUri"),
}

# ISCED-F 06, the field of study under which ESCO files the knowledge of hardware, software and methods.
INFORMATION_TECHNOLOGIES = "http://data.europa.eu/esco/isced-f/06"

# A few links of every official release name concepts that were withdrawn from it. Many mean that the two archives
# are of different releases, or that one is cut short.
DANGLING_TOLERATED = 0.02

Progress = Callable[[str, int], None]  # (file, rows read so far)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: dict[str, str]


class _File:
    """One CSV file inside an archive, read row by row, its faults told by line."""

    def __init__(self, archive: zipfile.ZipFile, member: str, noun: str, rejected: list[RejectedRow]) -> None:
        self.archive, self.member, self.noun, self.rejected = archive, member, noun, rejected
        self.label = f"{Path(archive.filename or '').name}/{member}"

    def reject(self, line: int, reason: str) -> None:
        self.rejected.append(RejectedRow(self.label, line, reason))

    def rows(self) -> Iterator[_Row]:
        line = 1
        short: tuple[int, int] | None = None
        try:
            with self.archive.open(self.member) as raw:
                reader = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""), strict=True)
                header = next(reader, None)
                if header is None:
                    raise BrokenSource(self.label, "the file is empty")
                missing = [column for column in COLUMNS[self.noun] if column not in header]
                if missing:
                    raise BrokenSource(self.label, f"columns are missing: {', '.join(missing)}", 1)
                wanted = [(column, header.index(column)) for column in COLUMNS[self.noun]]
                line = reader.line_num + 1
                for record in reader:
                    if short is not None:
                        self.reject(short[0], f"{short[1]} columns instead of {len(header)}")
                        short = None
                    if len(record) != len(header):
                        if record:  # an empty line is no row
                            short = (line, len(record))
                    else:
                        yield _Row(line, {column: record[at] for column, at in wanted})
                    line = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise BrokenSource(self.label, f"not UTF-8 ({error.reason})", line) from error
        except csv.Error as error:
            raise BrokenSource(self.label, f"not well-formed CSV ({error})", line) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise BrokenSource(self.label, f"the archive is damaged ({error})", line) from error
        if short is not None:
            # A short row in the middle is one bad row; at the very end it is the mark of a file cut off.
            raise BrokenSource(self.label, f"ends in the middle of a row ({short[1]} columns)", short[0])


def _members(archives: Sequence[zipfile.ZipFile], rejected: list[RejectedRow]) -> dict[str, _File]:
    found: dict[str, _File] = {}
    for archive in archives:
        for member in archive.namelist():
            noun = re.sub(r"_[a-z]{2}$", "", PurePosixPath(member).stem)
            if not member.endswith(".csv") or noun not in COLUMNS:
                continue
            if noun in found:
                raise BrokenSource(Path(archive.filename or "").name, f"{member} is given twice")
            found[noun] = _File(archive, member, noun, rejected)
    missing = [noun for noun in COLUMNS if noun not in found]
    if missing:
        names = ", ".join(Path(archive.filename or "").name for archive in archives)
        raise BrokenSource(names, f"files are missing: {', '.join(f'{noun}.csv' for noun in missing)}")
    return found


def _concepts(file: _File, progress: Progress | None) -> Iterator[tuple[_Row, str, str, tuple[str, ...]]]:
    """(row, uri, name, labels) of each usable concept of a file."""
    seen: dict[str, int] = {}
    for count, row in enumerate(file.rows(), 1):
        if progress is not None and count % 500 == 0:
            progress(file.noun, count)
        uri, name = row.values["conceptUri"].strip(), " ".join(row.values["preferredLabel"].split())
        if not uri.startswith(("http://", "https://")):
            file.reject(row.line, f"conceptUri is no address: {uri[:80]!r}")
        elif uri in seen:
            file.reject(row.line, f"{uri} was already on line {seen[uri]}")
        elif not name:
            file.reject(row.line, f"{uri} has no preferred label")
        elif row.values["status"].strip() not in ("released", ""):
            file.reject(row.line, f"{uri} is {row.values['status'].strip()}, not released")
        else:
            seen[uri] = row.line
            yield row, uri, name, distinct_labels(name, row.values["altLabels"].split("\n"))
    if not seen:
        raise BrokenSource(file.label, "holds no usable row")


def _links(
    file: _File, ends: tuple[str, str], known: tuple[set[str], set[str]], progress: Progress | None
) -> Iterator[tuple[_Row, str, str]]:
    """(row, from, to) of each link whose two ends exist, each pair once."""
    seen: set[tuple[str, str]] = set()
    dangling = count = 0
    for count, row in enumerate(file.rows(), 1):
        if progress is not None and count % 500 == 0:
            progress(file.noun, count)
        start, end = (row.values[column].strip() for column in ends)
        absent = [uri for uri, among in ((start, known[0]), (end, known[1])) if uri not in among]
        if absent:
            dangling += 1
            file.reject(row.line, f"names {absent[0] or 'nothing'}, which is not in this release")
        elif (start, end) in seen:
            file.reject(row.line, f"{start} and {end} are linked twice")
        elif start == end:
            file.reject(row.line, f"{start} is linked to itself")
        else:
            seen.add((start, end))
            yield row, start, end
    if dangling > max(DANGLING_TOLERATED * count, 100):
        raise BrokenSource(
            file.label,
            f"{dangling} of {count} links name concepts that the release does not have; are both of one release?",
        )


def _technologies(skills: Sequence[SkillRow], broader: Sequence[tuple[str, str]]) -> set[str]:
    """Knowledge that lies under information and communication technologies: languages, products, methods."""
    below: dict[str, list[str]] = {}
    for narrow, broad in broader:
        below.setdefault(broad, []).append(narrow)
    reached, ahead = set(), [INFORMATION_TECHNOLOGIES]
    while ahead:
        for uri in below.get(ahead.pop(), ()):
            if uri not in reached:
                reached.add(uri)
                ahead.append(uri)
    return {row.uri for row in skills if row.kind == "knowledge" and row.uri in reached}


def read_esco(paths: Sequence[Path], progress: Progress | None = None) -> TaxonomySource:
    """The whole release, in memory. Raises BrokenSource; bad rows are left out and named in `rejected`."""
    if not paths:
        raise BrokenSource("ESCO", "no file was given")
    rejected: list[RejectedRow] = []
    archives: list[zipfile.ZipFile] = []
    try:
        for path in paths:
            try:
                archives.append(zipfile.ZipFile(path))
            except (zipfile.BadZipFile, OSError) as error:
                raise BrokenSource(Path(path).name, f"cannot be read as a zip archive ({error})") from error
        files = _members(archives, rejected)
        skills = [
            SkillRow(uri, name, labels, tidy(row.values["description"]), "group")
            for row, uri, name, labels in _concepts(files[SKILL_GROUPS], progress)
        ]
        groups = {skill.uri for skill in skills}
        for row, uri, name, labels in _concepts(files[SKILLS], progress):
            if uri in groups:
                files[SKILLS].reject(row.line, f"{uri} is already a skill group")
                continue
            kind = "knowledge" if row.values["skillType"].strip() == "knowledge" else "skill"
            skills.append(SkillRow(uri, name, labels, tidy(row.values["description"]), kind))
        occupations = [
            OccupationRow(uri, name, labels, tidy(row.values["description"]), row.values["iscoGroup"].strip())
            for row, uri, name, labels in _concepts(files[OCCUPATIONS], progress)
        ]
        skill_uris, occupation_uris = {row.uri for row in skills}, {row.uri for row in occupations}
        broader = [
            (narrow, broad)
            for _, narrow, broad in _links(
                files[BROADER], ("conceptUri", "broaderUri"), (skill_uris, skill_uris), progress
            )
        ]
        links = []
        ends = ("occupationUri", "skillUri")
        for row, occupation, skill in _links(files[OCCUPATION_SKILLS], ends, (occupation_uris, skill_uris), progress):
            relation = row.values["relationType"].strip()
            if relation not in ("essential", "optional"):
                files[OCCUPATION_SKILLS].reject(row.line, f"relation is neither essential nor optional: {relation!r}")
                continue
            links.append((occupation, skill, relation == "essential"))
    finally:
        for archive in archives:
            archive.close()
    technologies = _technologies(skills, broader)
    skills = [replace(row, kind="technology") if row.uri in technologies else row for row in skills]
    return TaxonomySource("esco", tuple(skills), tuple(broader), tuple(occupations), tuple(links), tuple(rejected))
