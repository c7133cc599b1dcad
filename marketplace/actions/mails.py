"""Notifications by mail: at least once, recognisable as the same by their Message-ID."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from accounts.core.faults import described
from marketplace.models import Notification

logger = logging.getLogger(__name__)

BATCH = 100
FIRST_WAIT = timedelta(seconds=15)
"""Before the second attempt; each further wait is twice as long. Eight attempts take half an hour."""


def send_due(now: datetime, *, limit: int = BATCH) -> int:
    """Send what is due; the number that was tried. One transaction each; workers skip each other's rows.

    The row is locked while its mail goes out and marked in the same transaction: a crash in between sends it again,
    under the same Message-ID.
    """
    ids = list(Notification.objects.to_mail(now).order_by("mail_due_at", "pk").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    mailer = get_connection()
    return sum(_send(pk, mailer, now) for pk in ids)


def _send(pk: int, mailer: BaseEmailBackend, now: datetime) -> bool:
    with transaction.atomic():
        claimed = Notification.objects.to_mail(now).select_for_update(skip_locked=True, of=("self",))
        notification = claimed.select_related("user").filter(pk=pk).first()
        if notification is None:
            return False
        try:
            _message(notification, mailer).send()
        except Exception as error:  # whatever a mail server does wrong, the next mail must still go out
            # Of an error type and place: what it says quotes addresses.
            logger.warning("mail of notification %s failed: %s", pk, described(error))
            _postpone(notification, error, now)
        else:
            notification.mail_state = Notification.Mail.SENT
            notification.mail_error = ""
        notification.mail_attempts += 1
        notification.save(update_fields=["mail_state", "mail_attempts", "mail_due_at", "mail_error"])
    return True


def _message(notification: Notification, mailer: BaseEmailBackend) -> EmailMessage:
    return EmailMessage(
        subject=notification.text,
        body=f"{notification.text}\n\n{settings.FRONTEND_URL}\n",
        to=[notification.user.email],
        headers={"Message-ID": f"<notification-{notification.public_id}@muster>"},
        connection=mailer,
    )


def _postpone(notification: Notification, error: Exception, now: datetime) -> None:
    notification.mail_error = described(error)
    if notification.mail_attempts + 1 >= Notification.MAX_ATTEMPTS:
        notification.mail_state = Notification.Mail.FAILED
    else:
        notification.mail_due_at = now + FIRST_WAIT * 2**notification.mail_attempts


def forget_mails(addresses: Collection[str]) -> int:
    """Remove the files of mails to these addresses, where mails are written to files; how many. Such a file holds what
    one connection sent, other people's mails among it: nobody else has to read them, they are for developers."""
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if not folder or not addresses:
        return 0
    known = [address.lower().encode() for address in addresses]
    found = [path for path in Path(folder).glob("*.log") if any(one in path.read_bytes().lower() for one in known)]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
