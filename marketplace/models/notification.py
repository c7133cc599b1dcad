"""What people are told, in the app and by mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from accounts.models import Event, PublicModel


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)

    def to_mail(self, now) -> NotificationQuerySet:
        return self.filter(mail_state=Notification.Mail.PENDING, mail_due_at__lte=now)


class Notification(PublicModel):
    """One event told to one person. Its `public_id` is the mail's Message-ID, so a retry is recognised as the same."""

    class Mail(models.TextChoices):
        NONE = "none"
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    MAX_ATTEMPTS = 8

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60, help_text="the event's name")
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    created_xid = models.BigIntegerField(
        db_default=Cast(Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        editable=False,
        help_text="transaction that wrote the row",
    )
    read_at = models.DateTimeField(null=True, blank=True)
    mail_state = models.CharField(max_length=10, choices=Mail, default=Mail.PENDING)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mail_due_at = models.DateTimeField()
    mail_error = models.TextField(blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="one_notification_per_event_and_user")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_inbox_idx"),
            models.Index(fields=["user", "created_xid"], name="notification_followed_idx"),
            models.Index(
                fields=["mail_due_at"], condition=models.Q(mail_state="pending"), name="notification_mail_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id}"
