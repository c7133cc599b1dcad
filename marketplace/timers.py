"""What happens when a timer is due: `settings.TIMERS` names these. Each calls one action and may run twice."""

from __future__ import annotations

from datetime import datetime

from marketplace.actions import invitations, offers, opportunities


def expire_offer(subject_id: int, now: datetime) -> None:
    offers.expire_offer(subject_id, now)


def expire_invitation(subject_id: int, now: datetime) -> None:
    invitations.expire_invitation(subject_id, now)


def close_opportunity(subject_id: int, now: datetime) -> None:
    opportunities.close_due_opportunity(subject_id, now)
