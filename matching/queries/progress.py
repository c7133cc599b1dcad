"""How far runs have come, for those who wait."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from matching.models import AllocationRun


def versions(run_pks: Collection[int]) -> dict[int, Hashable]:
    """By run, what differs as soon as there is something new to tell of it. One statement."""
    rows = AllocationRun.objects.filter(pk__in=run_pks)
    return {
        pk: (state, updated_at) for pk, state, updated_at in rows.values_list("pk", "state", "progress__updated_at")
    }
