"""What the taxonomies of others come to, whichever file they came from: rows, links and what was rejected."""

from __future__ import annotations

from dataclasses import dataclass, field


class BrokenSource(Exception):
    """A file is not what it says it is, or not all of it; nothing of it may be used."""

    def __init__(self, file: str, reason: str, line: int | None = None) -> None:
        self.file, self.reason, self.line = file, reason, line
        where = file if line is None else f"{file}, line {line}"
        super().__init__(f"{where}: {reason}")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row left out. `line` counts from 1 and is where the row begins, the header being line 1."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SkillRow:
    uri: str
    name: str
    labels: tuple[str, ...] = ()  # alternative labels, without the name itself
    description: str = ""
    kind: str = "skill"  # skill, knowledge, technology (what may merge across sources) or group


@dataclass(frozen=True, slots=True)
class OccupationRow:
    uri: str
    name: str
    labels: tuple[str, ...] = ()
    description: str = ""
    isco_code: str = ""  # four digits of ISCO-08; empty where the source has another classification


@dataclass(frozen=True, slots=True)
class TaxonomySource:
    """A whole release of one scheme, as read. Links name their ends by URI, and both ends are among the rows."""

    scheme: str  # esco, onet, muster
    skills: tuple[SkillRow, ...] = ()
    broader: tuple[tuple[str, str], ...] = ()  # (narrower skill, broader skill)
    occupations: tuple[OccupationRow, ...] = ()
    occupation_skills: tuple[tuple[str, str, bool], ...] = ()  # (occupation, skill, essential)
    rejected: tuple[RejectedRow, ...] = field(default=())


def tidy(text: str) -> str:
    """Text without control characters (Postgres refuses NUL) and without odd or doubled spaces within lines."""
    lines = (" ".join(line.split()) for line in text.replace("\x00", "").splitlines())
    return "\n".join(lines).strip()


def distinct_labels(name: str, labels: list[str]) -> tuple[str, ...]:
    """The labels in their order, each once, none of them the name itself."""
    seen = {name}
    kept = []
    for label in labels:
        clean = " ".join(label.replace("\x00", "").split())
        if clean and clean not in seen:
            seen.add(clean)
            kept.append(clean)
    return tuple(kept)
