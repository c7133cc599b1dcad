"""Skills are found by whatever people call them."""

from __future__ import annotations

import pytest

from marketplace.models import Skill, SkillLabel
from matching.queries.named_skills import skills_named
from tests.marketplace.factories import a_skill

pytestmark = pytest.mark.django_db


def test_names_and_labels_find_what_merged_skills_became_and_headings(django_assert_num_queries):
    kubernetes, container = a_skill("Kubernetes"), a_skill("containers", kind=Skill.Kind.GROUP)
    old = a_skill("K8S", merged_into=kubernetes)
    older = a_skill("kube", merged_into=old)
    SkillLabel.objects.create(skill=older, label="Helmsman", folded="helmsman")
    twin = a_skill("Kubernetes")
    with django_assert_num_queries(2):
        found = skills_named({"kubernetes", "k8s", "kube", "helmsman", "containers", "nothing of the kind"})
    assert found == {
        "kubernetes": (kubernetes.pk, twin.pk),
        "k8s": (kubernetes.pk,),
        "kube": (kubernetes.pk,),
        "helmsman": (kubernetes.pk,),
        "containers": (container.pk,),
    }
    for number in range(20):
        a_skill(f"name {number}", merged_into=old if number % 2 else None)
    with django_assert_num_queries(2):
        assert len(skills_named([f"name {number}" for number in range(20)])) == 20
    with django_assert_num_queries(0):
        assert skills_named(()) == {}
