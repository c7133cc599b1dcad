"""Reading the taxonomy."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import Max

from marketplace.core.everyday import EVERYDAY_LABELS
from marketplace.core.occupations import Occupations
from marketplace.core.recognition import Label, Recogniser
from marketplace.models import Occupation, OccupationLabel, Skill, SkillLabel, TaxonomyRevision


def taxonomy_revision() -> int:
    """The number of the present state; 0 before the first import."""
    return TaxonomyRevision.objects.aggregate(last=Max("number"))["last"] or 0


def recogniser() -> Recogniser:
    """All skills by all their names, ready for free text. Built once per process and state of the taxonomy: with all
    of ESCO and O*NET that takes some seconds and a hundred megabytes."""
    return _recogniser(taxonomy_revision())


def forget_recogniser() -> None:
    """Let go of it, and of occupations, as for another database."""
    _recogniser.cache_clear()
    _occupations.cache_clear()


@lru_cache(maxsize=1)
def _recogniser(revision: int) -> Recogniser:
    labels: list[Label] = []
    technologies: dict[int, bool] = {}
    for pk, name, folded, kind in (
        Skill.objects.current()
        .exclude(kind=Skill.Kind.GROUP)
        .values_list("pk", "name", "folded", "kind")
        .iterator(10_000)
    ):
        technologies[pk] = kind == Skill.Kind.TECHNOLOGY
        labels.append(Label(pk, name, 0 if folded in EVERYDAY_LABELS else 1, technologies[pk]))
    for pk, label, folded in SkillLabel.objects.values_list("skill_id", "label", "folded").iterator(10_000):
        if pk in technologies:
            labels.append(Label(pk, label, 0 if folded in EVERYDAY_LABELS else 2, technologies[pk]))
    return Recogniser(labels)


def occupations() -> Occupations:
    """All occupations by all their names, ready for titles. Built once per process and state of the taxonomy."""
    return _occupations(taxonomy_revision())


@lru_cache(maxsize=1)
def _occupations(revision: int) -> Occupations:
    return Occupations(
        Occupation.objects.values_list("pk", "name").iterator(10_000),
        OccupationLabel.objects.values_list("occupation_id", "label").iterator(10_000),
    )
