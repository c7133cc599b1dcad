"""`manage.py model evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from marketplace.models import Occupation, OccupationLabel, OccupationSkill, SkillLabel, TaxonomyRevision
from marketplace.queries.taxonomy import taxonomy_revision
from matching.queries import text_ranking
from tests.marketplace.factories import NOW, a_skill

pytestmark = pytest.mark.django_db

TRADES = Path(__file__).parent / "judged" / "trades.csv"
HEADER = "query_id,query_text,candidate_id,candidate_text,grade\n"


@pytest.fixture(autouse=True)
def _nothing_is_kept_between_taxonomies() -> Iterator[None]:
    yield
    text_ranking._knowledge.cache_clear()


def evaluate(path: Path, *options: str) -> str:
    printed = StringIO()
    call_command("model", "evaluate", "--labels", str(path), *options, stdout=printed)
    return printed.getvalue()


def read(path: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(evaluate(path, "--json", *options))
    return found


def written(folder: Path, body: str) -> Path:
    path = folder / "judged.csv"
    path.write_text(HEADER + body, encoding="utf-8")
    return path


def test_every_measure_stands_beside_the_baselines_with_its_interval() -> None:
    report = read(TRADES)
    assert (report["queries"], report["candidates"], report["judged_pairs"], report["ranked_pairs"]) == (
        14,
        42,
        588,
        588,
    )
    assert list(report["rankers"]) == ["Muster", "BM25", "TF-IDF", "skill coverage"]
    for measures in report["rankers"].values():
        assert list(measures) == ["nDCG@10", "MAP", "MRR", "AUC", "pairwise accuracy"]
        for figure in measures.values():
            assert 0 <= figure["interval"][0] <= figure["value"] <= figure["interval"][1] <= 1
    assert list(report["differences"]) == ["BM25", "TF-IDF", "skill coverage"]
    difference = report["differences"]["BM25"]["nDCG@10"]
    ours, bm25 = (report["rankers"][name]["nDCG@10"]["value"] for name in ("Muster", "BM25"))
    assert difference["value"] == pytest.approx(ours - bm25, abs=1e-5)
    assert difference["interval"][0] > 0


def test_a_report_repeats_to_the_letter() -> None:
    assert evaluate(TRADES) == evaluate(TRADES)


def test_tables_say_the_same_for_people() -> None:
    report, table = read(TRADES, "--k", "5"), evaluate(TRADES, "--k", "5")
    assert "14 queries, 42 candidates, 588 judged pairs; judged candidates ranked; relevant from 1" in table
    assert f"{report['rankers']['BM25']['nDCG@5']['value']:.3f}" in table
    assert f"{report['differences']['BM25']['MAP']['value']:+.3f}" in table


def test_options_reach_the_report(tmp_path: Path) -> None:
    path = written(tmp_path, "q,Baker,a,Bakes bread,3\nq,,b,Sells cars,1\np,Driver,b,,2\n")
    few = read(path, "--relevant-at", "2", "--k", "1")
    assert (few["relevant_at"], few["all"], few["ranked_pairs"]) == (2, False, 3)
    assert few["rankers"]["BM25"]["AUC"]["queries"] == 1
    everyone = read(path, "--relevant-at", "2", "--all")
    assert (everyone["all"], everyone["ranked_pairs"]) == (True, 4)
    assert everyone["rankers"]["BM25"]["AUC"]["queries"] == 2


def test_a_version_of_a_model_is_ranked_beside_them() -> None:
    report = read(TRADES, "--version", "linear-2")
    assert list(report["rankers"])[-1] == list(report["differences"])[-1] == "linear-2"
    assert report["rankers"]["linear-2"]["AUC"]["value"] > 0.55
    with pytest.raises(CommandError, match="no model linear-99"):
        evaluate(TRADES, "--version", "linear-99")


def test_what_cannot_be_measured_is_null(tmp_path: Path) -> None:
    path = written(tmp_path, "q,,a,,0\n")
    report = read(path)
    assert report["relevant_at"] is None
    assert report["rankers"]["Muster"]["MAP"] == {"value": None, "interval": None, "queries": 0}
    assert "–" in evaluate(path)


@pytest.mark.parametrize("option", [("--k", "0"), ("--k", "ten"), ("--relevant-at", "0"), ("--relevant-at", "nan")])
def test_options_without_sense_are_refused(option: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        evaluate(TRADES, *option)


def test_a_file_with_a_fault_is_refused_and_nothing_is_printed(tmp_path: Path) -> None:
    path = written(tmp_path, "q,Baker,a,Bakes,1\nq,,a,,2\n")
    printed = StringIO()
    with pytest.raises(CommandError, match=r"judged\.csv: line 3: .*grade 2 here and 1 on line 2"):
        call_command("model", "evaluate", "--labels", str(path), stdout=printed)
    assert printed.getvalue() == ""
    for absent in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            evaluate(absent)


def test_skills_are_those_of_the_taxonomy_under_any_of_their_names(tmp_path: Path) -> None:
    path = written(tmp_path, "q,Wanted: quern dressing,a,Ten years of millstone sharpening,1\nq,,b,Sells cars,0\n")
    assert read(path)["rankers"]["skill coverage"]["AUC"]["value"] == 0.5
    skill = a_skill("quern dressing")
    SkillLabel.objects.create(skill=skill, label="millstone sharpening", folded="millstone sharpening")
    TaxonomyRevision.objects.create(number=taxonomy_revision() + 1, summary="querns", at=NOW)
    assert read(path)["rankers"]["skill coverage"]["AUC"]["value"] == 1


def test_before_the_first_import_everyday_names_are_known(tmp_path: Path) -> None:
    path = written(tmp_path, "q,k8s,a,Kubernetes,1\nq,,b,Sells cars,0\n")
    assert read(path)["rankers"]["skill coverage"]["AUC"]["value"] == 1


def test_occupations_of_the_taxonomy_bring_texts_together(monkeypatch) -> None:
    skill = a_skill("sharpen millstones")
    for name in ("miller", "grinder"):
        occupation = Occupation.objects.create(name=name, folded=name, description="Mills grain.")
        OccupationLabel.objects.create(occupation=occupation, label=f"{name}wright", folded=f"{name}wright")
        OccupationSkill.objects.create(occupation=occupation, skill=skill, essential=True)
    text_ranking._knowledge.cache_clear()
    occupations = text_ranking.text_knowledge().occupations
    assert occupations is not None
    assert {"sharpen", "mill", "agent"} <= set(occupations.terms)
    assert occupations.few

    # Of enough occupations the taxonomy speaks alone.
    monkeypatch.setattr(text_ranking, "ENOUGH", 2)
    text_ranking._knowledge.cache_clear()
    occupations = text_ranking.text_knowledge().occupations
    assert occupations is not None
    assert {"sharpen", "mill"} <= set(occupations.terms)
    assert "agent" not in occupations.terms
    assert not occupations.few
