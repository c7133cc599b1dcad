"""Digests: made up when they are due, and mailed at least once, recognisable as the same by their Message-ID.

One mail is about one search: so its link stops what it is about and nothing else, and none waits for another.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.urls import reverse

from accounts.access import require_staff
from accounts.core.actor import Actor
from accounts.core.faults import described
from accounts.errors import NotFound
from marketplace.actions.mails import FIRST_WAIT
from marketplace.core.money import pay_text
from marketplace.models import Opportunity, PayBand
from matching.actions.unsubscribing import token_of
from matching.core.search.digests import MOST_TOLD, Frequency, Listed, body, subject
from matching.models import Digest, FoundOpportunity, SavedSearch
from matching.queries.findings import still_found

logger = logging.getLogger(__name__)

BATCH = 100


def make_up_due(now: datetime, *, limit: int = BATCH) -> int:
    """Make digests of what waits with searches that are due; the number of searches. One transaction each; workers skip
    each other's. What is too much for a mail is left to the app."""
    ids = list(SavedSearch.objects.due(now).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(_make_up(pk, now) for pk in ids)


def _make_up(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        due = SavedSearch.objects.due(now).select_for_update(skip_locked=True, no_key=True)
        search = due.filter(pk=pk).first()
        if search is None:
            return False
        waiting = FoundOpportunity.objects.filter(search=search, waits=True)
        latest = list(waiting.order_by("-pk").values_list("pk", flat=True)[:MOST_TOLD])
        if latest:
            digest = Digest.objects.create(search=search, frequency=search.frequency, due_at=now, created_at=now)
            FoundOpportunity.objects.filter(pk__in=latest).update(waits=False, digest=digest)
            waiting.update(waits=False)
        search.due_at = None
        search.save(update_fields=["due_at"])
        return True


def send_due(now: datetime, *, limit: int = BATCH) -> int:
    """Send what is due; the number that was tried. One transaction each; workers skip each other's rows.

    The row is locked while its mail goes out and marked in the same transaction: a crash in between sends it again,
    under the same Message-ID.
    """
    ids = list(Digest.objects.due(now).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    if not ids:
        return 0
    mailer = get_connection()
    return sum(_send(pk, mailer, now) for pk in ids)


def _send(pk: int, mailer: BaseEmailBackend, now: datetime) -> bool:
    with transaction.atomic():
        due = Digest.objects.due(now).select_for_update(skip_locked=True, of=("self",))
        digest = due.filter(pk=pk).first()
        if digest is None:
            return False
        try:
            with transaction.atomic():
                is_sent = _mail(digest, mailer, now)
        except Exception as error:  # whatever a mail server does wrong, the next mail must still go out
            logger.warning("digest %s failed: %s", pk, error)
            _postpone(digest, error, now)
        else:
            digest.state = Digest.State.SENT if is_sent else Digest.State.DROPPED
            digest.sent_at = now if is_sent else None
            digest.last_error = ""
        digest.attempts += 1
        digest.save(update_fields=["state", "attempts", "due_at", "sent_at", "last_error"])
    return True


def _mail(digest: Digest, mailer: BaseEmailBackend, now: datetime) -> bool:
    """Whether there was somebody to be told, and something to tell. What is not told now may be found again."""
    rows = SavedSearch.objects.followed().exclude(frequency=Frequency.NONE)
    search = rows.select_related("candidate__user").filter(pk=digest.search_id).first()
    if search is None or search.candidate.user is None:
        return False
    noted = list(digest.found.order_by("-pk").values_list("opportunity_id", flat=True))
    told = {one.pk: one for one in still_found(search, noted, now=now)}
    digest.found.exclude(opportunity__in=told).delete()
    if not told:
        return False
    _message(digest, search, [told[pk] for pk in noted if pk in told], mailer).send()
    return True


def _message(digest: Digest, search: SavedSearch, told: list[Opportunity], mailer: BaseEmailBackend) -> EmailMessage:
    assert search.candidate.user is not None
    stop = f"{settings.SERVER_URL}{reverse('unsubscribe', args=[token_of(search)])}"
    return EmailMessage(
        subject=subject(search.name, len(told)),
        body=body(
            search.name,
            [_listed(one) for one in told],
            frequency=Frequency(digest.frequency),
            home=settings.FRONTEND_URL,
            stop=stop,
        ),
        to=[search.candidate.user.email],
        headers={
            "Message-ID": f"<digest-{digest.public_id}@muster>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        },
        connection=mailer,
    )


def _listed(opportunity: Opportunity) -> Listed:
    return Listed(
        title=opportunity.title,
        organisation=opportunity.posting_organisation.name,
        pay=_pay(opportunity.pay_bands.all()),
        address=f"{settings.FRONTEND_URL}/opportunities/{opportunity.reference}",
    )


def _pay(bands: Iterable[PayBand]) -> str:
    """From the least to the most, whatever the place: `20–30 EUR an hour`."""
    alike: dict[tuple[str, str], list[PayBand]] = defaultdict(list)
    for band in bands:
        alike[band.currency, band.period].append(band)
    return " or ".join(
        pay_text(min(one.minimum for one in some), max(one.maximum for one in some), *kind)
        for kind, some in sorted(alike.items())
    )


def _postpone(digest: Digest, error: Exception, now: datetime) -> None:
    digest.last_error = described(error)
    if digest.attempts + 1 >= Digest.MAX_ATTEMPTS:
        digest.state = Digest.State.FAILED
    else:
        digest.due_at = now + FIRST_WAIT * 2**digest.attempts


def retry_digest(*, actor: Actor, digest_id: UUID, now: datetime) -> Digest:
    """Put a failed digest back in line. Staff only; raises NotFound where there is no failed one."""
    require_staff(actor)
    with transaction.atomic():
        failed = Digest.objects.filter(public_id=digest_id, state=Digest.State.FAILED)
        digest = failed.select_for_update().first()
        if digest is None:
            raise NotFound("failed digest")
        digest.state, digest.attempts, digest.due_at = Digest.State.PENDING, 0, now
        digest.save(update_fields=["state", "attempts", "due_at"])
        return digest
