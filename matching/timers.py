"""What happens when a timer of deciding is due. Each calls one action and may run twice."""

from __future__ import annotations

from datetime import datetime

from matching.actions import allocation


def expire_allocation(subject_id: int, now: datetime) -> None:
    allocation.expire_allocation(subject_id, now)
