"""Imports of taxonomies: one list, twice the same, all or nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from marketplace.models import (
    Occupation,
    OccupationSkill,
    Skill,
    SkillBroader,
    SkillLabel,
    SkillSource,
    TaxonomyRevision,
)
from marketplace.queries.taxonomy import recogniser
from tests.marketplace.taxonomy_files import S, write_esco, write_onet

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(command, *arguments, "--quiet", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def counts() -> list[int]:
    return [
        model._default_manager.count()
        for model in (Skill, SkillSource, SkillLabel, SkillBroader, Occupation, OccupationSkill, TaxonomyRevision)
    ]


def test_esco_onet_and_everyday_names_become_one_list(tmp_path: Path) -> None:
    run("import_esco", *write_esco(tmp_path))
    run("import_onet", write_onet(tmp_path))

    python = Skill.objects.get(sources__uri=f"{S}1")
    assert set(python.sources.values_list("scheme", flat=True)) == {"esco", "onet", "muster"}
    assert set(Skill.objects.get(sources__uri=f"{S}3").sources.values_list("scheme", flat=True)) == {
        "esco",
        "onet",
        "muster",
    }
    kubernetes = Skill.objects.get(name="Kubernetes")
    assert kubernetes.labels.filter(label="k8s").exists()
    assert recogniser().skills("k8s and CPython") == [kubernetes.pk, python.pk]
    essential = OccupationSkill.objects.get(skill=python, occupation__name="Software Developers").essential
    assert essential
    assert Occupation.objects.get(sources__uri="onet:occupation:51-4121.00").name == "welder"


@pytest.mark.parametrize("order", [("esco", "onet"), ("onet", "esco")])
def test_a_second_run_changes_nothing(tmp_path: Path, order: tuple[str, str]) -> None:
    given = {"esco": write_esco(tmp_path), "onet": [write_onet(tmp_path)]}
    for scheme in (*order, *order):
        run(f"import_{scheme}", *given[scheme])
    before = counts()

    for scheme in order:
        out, _ = run(f"import_{scheme}", *given[scheme])
        assert "nothing to do" in out

    assert counts() == before
    assert (
        SkillSource.objects.get(uri=f"{S}1").skill_id == SkillSource.objects.get(uri="onet:technology:python").skill_id
    )


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    run("import_esco", *write_esco(tmp_path))
    before = counts()

    with pytest.raises(CommandError, match=r"not UTF-8.*Nothing was changed"):
        run("import_esco", *write_esco(tmp_path, skills_en=b"conceptUri,\xff\n"))

    assert counts() == before


def test_rejected_rows_are_reported_with_file_line_and_reason(tmp_path: Path) -> None:
    _, err = run("import_esco", *write_esco(tmp_path))

    assert "occupationSkillRelations.csv, line 4: names" in err


def test_a_new_release_corrects_names_and_keeps_the_old_one_findable(tmp_path: Path) -> None:
    run("import_esco", *write_esco(tmp_path))
    skill = Skill.objects.get(sources__uri=f"{S}2")
    first = TaxonomyRevision.objects.first()
    from tests.marketplace.taxonomy_files import FILES, as_csv

    changed = as_csv(FILES["skills_en.csv"]).replace(b"weld metal,", b"join metal,")
    run("import_esco", *write_esco(tmp_path, skills_en=changed))

    skill.refresh_from_db()
    assert (skill.name, skill.folded) == ("join metal", "join metal")
    assert skill.labels.filter(folded="weld metal").exists()
    assert TaxonomyRevision.objects.first().number > first.number
