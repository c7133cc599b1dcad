"""Skills and occupations."""

from typing import Any
from uuid import UUID

import strawberry

from accounts.api.fields import given
from accounts.api.nodes import Node, node_type
from accounts.api.peers import batched, related, related_list, together
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.api.enums import SkillKind
from marketplace.models import Occupation, Skill, SkillBroader


def _access_skill(actor: Actor, skill_id: UUID) -> Skill:
    """The taxonomy is public."""
    skill = Skill.objects.filter(public_id=skill_id).first()
    if skill is None:
        raise NotFound("skill")
    return skill


def _access_occupation(actor: Actor, occupation_id: UUID) -> Occupation:
    occupation = Occupation.objects.filter(public_id=occupation_id).first()
    if occupation is None:
        raise NotFound("occupation")
    return occupation


@node_type(Skill, name="Skill", description="Something people can do or know.", access=_access_skill)
class SkillType(Node):
    name: str = strawberry.field(description="Its preferred label.")
    kind: SkillKind = strawberry.field(description="What sort of skill it is.")
    description = given("description", str, "What it is.")

    @strawberry.field(description="Other labels by which it is found.")
    def labels(root: strawberry.Parent[Any]) -> list[str]:
        return sorted(label.label for label in related_list(root, "labels"))

    @strawberry.field(description="The skills it is a kind of.")
    def broader(root: strawberry.Parent[Any]) -> list["SkillType"]:
        def load(rows: list[Skill]) -> dict[int, list[Skill]]:
            links = SkillBroader.objects.filter(skill__in=rows).values_list("skill_id", "broader_id")
            wanted = list(links)
            skills = {skill.pk: skill for skill in together(Skill.objects.filter(pk__in={to for _, to in wanted}))}
            found: dict[int, list[Skill]] = {}
            for narrow, broad in wanted:
                found.setdefault(narrow, []).append(skills[broad])
            return {key: sorted(values, key=lambda skill: (skill.name, skill.pk)) for key, values in found.items()}

        return batched(root, "broader", load, [])

    @strawberry.field(description="The skill it has become, where the two mean the same.")
    def merged_into(root: strawberry.Parent[Any]) -> "SkillType | None":
        return related(root, "merged_into")


@node_type(Occupation, name="Occupation", description="A kind of work.", access=_access_occupation)
class OccupationType(Node):
    name: str = strawberry.field(description="Its preferred label.")
    description = given("description", str, "What it is.")
    isco_code = given("isco_code", str, "Its group in the International Standard Classification of Occupations.")
