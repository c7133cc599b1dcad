"""What free texts mention: skills recognised in them, and occupations that titles name. Kept so that nobody reads them
again to decide."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from marketplace.models.candidate import Candidate
from marketplace.models.opportunity import Opportunity

READ_FROM_RESUMES = frozenset({"skill_ids", "digest"})
"""Columns of `CandidateMentions` that a résumé has a part in: no words of it. `CandidateProjection.mentioned_skills` is
a copy of the first. Both go with the candidate, and with the next reading after the résumé was taken away."""


class CandidateMentions(models.Model):
    """Skills recognised in a candidate's résumé, headline and experiences; occupations that the headline and titles of
    experiences name. A copy: what was not read since the
    candidate's last revision, or with an older taxonomy, is read anew when the candidate is projected.

    This is all that is kept of a résumé beside the sealed one, and all of it that deciding reads: `READ_FROM_RESUMES`.
    """

    candidate = models.OneToOneField(Candidate, on_delete=models.CASCADE, primary_key=True, related_name="mentions")
    skill_ids = ArrayField(models.IntegerField(), default=list)
    occupation_ids = ArrayField(models.IntegerField(), default=list)
    digest = models.BinaryField(help_text="of the texts: the same ones are not read twice")
    taxonomy = models.PositiveIntegerField(help_text="revision that they were read with")
    revision = models.PositiveIntegerField(help_text="of the candidate whose texts were read")

    class Meta:
        verbose_name_plural = "candidate mentions"

    def __str__(self) -> str:
        return f"{len(self.skill_ids)} skills of candidate {self.candidate_id}"


class OpportunityMentions(models.Model):
    """Skills recognised in an opportunity's title and description, and occupations that its title names; read anew when
    it is scored as a whole."""

    opportunity = models.OneToOneField(Opportunity, on_delete=models.CASCADE, primary_key=True, related_name="mentions")
    skill_ids = ArrayField(models.IntegerField(), default=list)
    occupation_ids = ArrayField(models.IntegerField(), default=list)
    digest = models.BinaryField(help_text="of the texts: the same ones are not read twice")
    taxonomy = models.PositiveIntegerField(help_text="revision that they were read with")

    class Meta:
        verbose_name_plural = "opportunity mentions"

    def __str__(self) -> str:
        return f"{len(self.skill_ids)} skills of opportunity {self.opportunity_id}"
