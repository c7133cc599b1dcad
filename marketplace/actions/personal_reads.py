"""Logging who read what of whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import islice

from accounts.actions.audit import Act, record_each
from accounts.core.actor import Actor
from accounts.core.audit import AuditKind
from marketplace.models import Candidate

MOST_NAMED = 20  # ways by which one answer came about


def log_personal_reads(
    *, actor: Actor, reads: Mapping[int, tuple[int | None, Collection[str]]], through: Collection[str], now: datetime
) -> None:
    """Record that the actor was shown personal data: by candidate (inner id) the organisation (inner id) to which it is
    open and the names of the fields. `through` says by what: fields of the schema, or a page. One statement; none where
    nothing was read. What raises here must keep the answer from being sent.
    """
    if not reads:
        return
    ways = list(islice(sorted(set(through)), MOST_NAMED))
    told: dict[frozenset[str], dict[str, list[str]]] = {}  # most of a page show the same
    acts = []
    for candidate_id, (organisation_id, fields) in sorted(reads.items()):
        data = told.setdefault(frozenset(fields), {"fields": sorted(fields), "through": ways})
        acts.append(Act(candidate_id, organisation_id, data))
    record_each(AuditKind.PERSONAL_DATA_READ, actor=actor, now=now, subject=Candidate, acts=acts)
