"""Tiny releases of ESCO and O*NET in the layouts of the real ones."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

S = "http://data.europa.eu/esco/skill/"
O = "http://data.europa.eu/esco/occupation/"  # noqa: E741 - as in the real addresses
ICT = "http://data.europa.eu/esco/isced-f/06"
SKILL_COLUMNS = [
    "conceptType",
    "conceptUri",
    "skillType",
    "reuseLevel",
    "preferredLabel",
    "altLabels",
    "status",
    "description",
]
FILES: dict[str, list[list[str]]] = {
    "skills_en.csv": [
        SKILL_COLUMNS,
        [
            "K",
            f"{S}1",
            "knowledge",
            "cross-sector",
            "Python (computer programming)",
            "Python 3\nCPython",
            "released",
            'A, "quoted"\ntext',
        ],
        ["K", f"{S}2", "skill/competence", "sector-specific", "weld metal", "welding\nweld metals", "released", ""],
        ["K", f"{S}3", "knowledge", "cross-sector", "SQL", "", "released", ""],
    ],
    "skillGroups_en.csv": [
        ["conceptUri", "preferredLabel", "altLabels", "status", "description"],
        [ICT, "information and communication technologies", "", "released", ""],
    ],
    "occupations_en.csv": [
        ["conceptUri", "iscoGroup", "preferredLabel", "altLabels", "status", "description"],
        [f"{O}1", "7212", "welder", "metal welder\nfabricator", "released", "Welds."],
    ],
    "broaderRelationsSkillPillar.csv": [
        ["conceptType", "conceptUri", "broaderType", "broaderUri"],
        ["K", f"{S}1", "SkillGroup", ICT],
        ["K", f"{S}3", "SkillGroup", ICT],
    ],
    "occupationSkillRelations.csv": [
        ["occupationUri", "relationType", "skillType", "skillUri"],
        [f"{O}1", "essential", "skill/competence", f"{S}2"],
        [f"{O}1", "optional", "knowledge", f"{S}1"],
        [f"{O}gone", "optional", "knowledge", f"{S}1"],
    ],
}
RELATIONS = ("broaderRelationsSkillPillar.csv", "occupationSkillRelations.csv")


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def write_esco(folder: Path, **replaced: bytes | None) -> list[Path]:
    """Two archives; `replaced` gives other bytes for a file by its stem, None leaves it out."""
    paths = [folder / "classification.zip", folder / "relations.zip"]
    for path, relations in zip(paths, (False, True), strict=True):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, rows in FILES.items():
                content = replaced.get(name.partition(".")[0], as_csv(rows))
                if (name in RELATIONS) is relations and content is not None:
                    archive.writestr(name, content)
    return paths


def write_onet(folder: Path, **replaced: str) -> Path:
    texts = {
        "Occupation Data": "O*NET-SOC Code\tTitle\tDescription\n"
        "51-4121.00\tWelders\tWeld.\n15-1252.00\tSoftware Developers\tDevelop.\n",
        "Alternate Titles": "O*NET-SOC Code\tTitle\tAlternate Title\tShort Title\tSource(s)\n"
        "51-4121.00\tWelders\tArc Welder\t\t08\n",
        "Technology Skills": (
            "O*NET-SOC Code\tTitle\tExample\tCommodity Code\tCommodity Title\tHot Technology\tIn Demand\n"
            "15-1252.00\tSoftware Developers\tPython\t1\tObject oriented software\tY\tY\n"
            "15-1252.00\tSoftware Developers\tStructured query language SQL\t1\tQuery software\tY\tN\n"
            "15-1252.00\tSoftware Developers\tKubernetes\t1\tDevelopment software\tY\tN\n"
        ),
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(replaced.get(name.replace(" ", "_"), text), encoding="utf-8")
    return folder
