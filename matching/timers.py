"""What happens when a timer of deciding is due. Each calls one action and may run twice."""

from __future__ import annotations

from datetime import datetime

from matching.actions import alerts, allocation


def expire_allocation(subject_id: int, now: datetime) -> None:
    allocation.expire_allocation(subject_id, now)


def alert_opened(subject_id: int, now: datetime) -> None:
    alerts.alert(subject_id, now)


def send_next_wave(subject_id: int, now: datetime) -> None:
    allocation.send_next_wave(subject_id, now)
