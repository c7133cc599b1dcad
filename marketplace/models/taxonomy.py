"""Skills and occupations: one list, many sources."""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models import PublicModel
from accounts.models.table_state import changes_renew_the_state


class TaxonomyRevision(models.Model):
    """A numbered state of the taxonomy. A verdict names the revision at which it resolved merged skills."""

    number = models.PositiveIntegerField(unique=True)
    summary = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"revision {self.number}"


class SkillQuerySet(models.QuerySet["Skill"]):
    def current(self) -> SkillQuerySet:
        """Skills that have not been merged into another."""
        return self.filter(merged_into=None)


class Skill(PublicModel):
    class Kind(models.TextChoices):
        SKILL = "skill"
        KNOWLEDGE = "knowledge"
        TECHNOLOGY = "technology"
        LANGUAGE = "language"
        ATTITUDE = "attitude"
        GROUP = "group"  # a heading above skills, not a skill that somebody has

    name = models.CharField(max_length=255)
    folded = models.CharField(max_length=255, db_index=True, help_text="the name, folded for comparison")
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.SKILL)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")

    objects = SkillQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="skill_has_a_name"),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("id")),
                name="skill_is_not_merged_into_itself",
            ),
        ]
        triggers = [
            *changes_renew_the_state(),
            pgtrigger.Trigger(
                name="skill_merges_have_no_cycle",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("merged_into_id"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__merged_into__isnull=False),
                declare=[("hop", "bigint"), ("hops", "int := 0")],
                func="""
                    -- Two merges at once, each the other's way round, would not see one another.
                    PERFORM pg_advisory_xact_lock(hashtext('skill_merges_have_no_cycle'));
                    hop := NEW.merged_into_id;
                    WHILE hop IS NOT NULL LOOP
                        IF hop = NEW.id OR hops > 1000 THEN
                            RAISE EXCEPTION 'skill merges have a cycle' USING ERRCODE = 'check_violation',
                                CONSTRAINT = 'skill_merges_have_no_cycle';
                        END IF;
                        hops := hops + 1;
                        SELECT merged_into_id INTO hop FROM marketplace_skill WHERE id = hop;
                    END LOOP;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SkillSource(models.Model):
    """Where a skill comes from: an ESCO URI, an O*NET commodity title, our own list."""

    class Scheme(models.TextChoices):
        ESCO = "esco"
        ONET = "onet"
        MUSTER = "muster"

    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="sources")
    scheme = models.CharField(max_length=10, choices=Scheme)
    uri = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return self.uri


class SkillLabel(models.Model):
    """An alternative label, by which a skill is also found."""

    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="labels")
    label = models.CharField(max_length=255)
    folded = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["skill", "folded"], name="skill_label_is_unique_per_skill")]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.label


class SkillBroader(models.Model):
    """`skill` is a narrower kind of `broader`."""

    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="broader_links")
    broader = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="narrower_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["skill", "broader"], name="skill_broader_link_is_unique"),
            models.CheckConstraint(
                condition=~models.Q(skill=models.F("broader")), name="skill_is_not_broader_than_itself"
            ),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"{self.skill_id} < {self.broader_id}"


class Occupation(PublicModel):
    name = models.CharField(max_length=255)
    folded = models.CharField(max_length=255, db_index=True)
    description = models.TextField(blank=True)
    isco_code = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ["name", "id"]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return self.name


class OccupationSource(models.Model):
    occupation = models.ForeignKey(Occupation, on_delete=models.CASCADE, related_name="sources")
    scheme = models.CharField(max_length=10, choices=SkillSource.Scheme)
    uri = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return self.uri


class OccupationLabel(models.Model):
    occupation = models.ForeignKey(Occupation, on_delete=models.CASCADE, related_name="labels")
    label = models.CharField(max_length=255)
    folded = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["occupation", "folded"], name="occupation_label_is_unique_per_occupation")
        ]

    def __str__(self) -> str:
        return self.label


class OccupationSkill(models.Model):
    """A skill that an occupation's profile names, as essential or optional."""

    occupation = models.ForeignKey(Occupation, on_delete=models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="occupations")
    essential = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["occupation", "skill"], name="occupation_names_a_skill_once"),
        ]

    def __str__(self) -> str:
        return f"{self.occupation_id} needs {self.skill_id}"
