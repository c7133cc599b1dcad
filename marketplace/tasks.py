"""What workers do for this app. Each task calls one action and may run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from marketplace.actions import mails


@shared_task
def send_mails() -> None:
    """Send until nothing is due."""
    while mails.send_due(timezone.now()):
        pass
