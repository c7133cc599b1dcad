"""The log of what was shown to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from accounts.core.actor import Actor
from matching.models import Decision, Match


def log_shown(*, actor: Actor, surface: str, matches: Iterable[Match], first_rank: int = 1, now: datetime) -> int:
    """Record a page of matches as it was shown, from `first_rank` on; how many. `surface` is a `Decision.Surface`.

    The order is deterministic, so whoever was shown at a rank was certain to be: a propensity of 1.
    """
    surface = Decision.Surface(surface)
    shown = [
        Decision(
            viewer_id=actor.user_id,
            surface=surface,
            opportunity_id=match.opportunity_id,
            candidate_id=match.candidate_id,
            model_id=match.model_id,
            rank=rank,
            propensity=1.0,
            features=features_of(match),
            at=now,
        )
        for rank, match in enumerate(matches, start=first_rank)
    ]
    Decision.objects.bulk_create(shown, batch_size=1000)
    return len(shown)


def features_of(match: Match) -> dict[str, int]:
    """Feature → value in thousandths, as far as any head of the model looked at it."""
    return {
        part["feature"]: part["value"]
        for head in sorted(match.contributions)
        for part in match.contributions[head]
        if part["feature"] != "intercept"
    }
