"""Reading free texts for the skills that they mention, and titles for their occupations, once per text and taxonomy.

Reading takes milliseconds a text and a recogniser in memory, so it is the workers' to do, before they project a
candidate or score an opportunity as a whole; whoever decides finds what was read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.field_keys import blind
from marketplace.core.occupations import Occupations
from marketplace.core.recognition import Recogniser
from marketplace.models import CandidateMentions, Opportunity, OpportunityMentions
from marketplace.queries.mentions import texts_of_candidates, unread_candidates
from marketplace.queries.taxonomy import occupations, recogniser, taxonomy_revision

# Of two who read at the same time, the one who saw the newer texts, or the newer taxonomy, stays.
_KEEP = """
    INSERT INTO marketplace_candidatementions (candidate_id, skill_ids, occupation_ids, digest, taxonomy, revision)
    VALUES {rows}
    ON CONFLICT (candidate_id) DO UPDATE SET skill_ids = excluded.skill_ids,
        occupation_ids = excluded.occupation_ids, digest = excluded.digest, taxonomy = excluded.taxonomy,
        revision = excluded.revision
    WHERE excluded.revision >= marketplace_candidatementions.revision
        AND excluded.taxonomy >= marketplace_candidatementions.taxonomy
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the texts of one candidate mention."""

    candidate_id: int
    skill_ids: list[int]
    occupation_ids: list[int]
    digest: bytes
    taxonomy: int
    revision: int


def read_candidates(candidate_ids: Collection[int]) -> list[Reading]:
    """What has to be kept of these (inner ids); nothing is written. Texts that are as they were are not read again."""
    taxonomy = taxonomy_revision()
    unread = unread_candidates(candidate_ids, taxonomy=taxonomy)
    if not unread:
        return []
    known = CandidateMentions.objects.in_bulk(unread)
    reader, readings = _Reader(), []
    for pk, (revision, texts, titles) in texts_of_candidates(unread).items():
        digest = _digest(texts)
        before = known.get(pk)
        if before is not None and bytes(before.digest) == digest and before.taxonomy == taxonomy:
            skill_ids, occupation_ids = before.skill_ids, before.occupation_ids
        else:
            skill_ids, occupation_ids = reader.skills(texts), reader.occupations(titles)
        readings.append(Reading(pk, skill_ids, occupation_ids, digest, taxonomy, revision))
    return readings


def keep_readings(readings: Collection[Reading]) -> None:
    """Store what was read. Twice is once, and what is older than what is stored is left out."""
    if not readings:
        return
    rows = sorted(readings, key=lambda one: one.candidate_id)  # the same order for everybody: none wait in a circle
    values = [
        (one.candidate_id, one.skill_ids, one.occupation_ids, one.digest, one.taxonomy, one.revision) for one in rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP.format(rows=", ".join(["(%s, %s::int[], %s::int[], %s, %s, %s)"] * len(values))),
            [value for row in values for value in row],
        )


def read_opportunities(opportunity_ids: Collection[int]) -> None:
    """Bring what titles and descriptions of these (inner ids) mention up to date."""
    taxonomy = taxonomy_revision()
    known = OpportunityMentions.objects.in_bulk(list(opportunity_ids))
    rows = Opportunity.objects.filter(pk__in=opportunity_ids).order_by("pk")
    reader, stale = _Reader(), []
    for pk, *texts in rows.values_list("pk", "title", "description"):
        digest, before = _digest(texts), known.get(pk)
        if before is None or bytes(before.digest) != digest or before.taxonomy != taxonomy:
            stale.append(
                OpportunityMentions(
                    opportunity_id=pk,
                    skill_ids=reader.skills(texts),
                    occupation_ids=reader.occupations(texts[:1]),
                    digest=digest,
                    taxonomy=taxonomy,
                )
            )
    if stale:
        OpportunityMentions.objects.bulk_create(
            stale,
            update_conflicts=True,
            unique_fields=["opportunity"],
            update_fields=["skill_ids", "occupation_ids", "digest", "taxonomy"],
        )


def _digest(texts: Iterable[str]) -> bytes:
    """Keyed: of a short text, or one of few, a plain hash would tell what it says."""
    return blind("mentions", [f"{len(text)} {text}" for text in texts])[:16]


class _Reader:
    """Reads texts. What it reads with is made ready when there is something to read, and looked up once."""

    def __init__(self) -> None:
        self._recogniser: Recogniser | None = None
        self._occupations: Occupations | None = None

    def occupations(self, titles: Iterable[str]) -> list[int]:
        """Ascending."""
        if self._occupations is None:
            self._occupations = occupations()
        return self._occupations.of(titles)

    def skills(self, texts: Iterable[str]) -> list[int]:
        """Ascending."""
        told = [text for text in texts if text.strip()]
        if not told:
            return []
        if self._recogniser is None:
            self._recogniser = recogniser()
        return sorted({skill_id for text in told for skill_id in self._recogniser.skills(text)})
