"""What of logins, passwords, addresses, second factors and sessions the audit log is told. Never an address itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import Signal, receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions.audit import record, record_many
from accounts.core.actor import Actor
from accounts.core.audit import AuditKind
from accounts.login.second_factors import acts_as_staff, came_with_second_factor
from accounts.models import User

# Of a user, by themselves: signal → what it means.
TOLD: dict[Signal, AuditKind] = {
    account.user_signed_up: AuditKind.SIGNED_UP,
    account.password_set: AuditKind.PASSWORD_CHANGED,
    account.password_changed: AuditKind.PASSWORD_CHANGED,
    account.password_reset: AuditKind.PASSWORD_RESET,
    account.email_added: AuditKind.ADDRESS_ADDED,
    account.email_changed: AuditKind.ADDRESS_CHANGED,
    account.email_removed: AuditKind.ADDRESS_REMOVED,
    mfa.authenticator_added: AuditKind.SECOND_FACTOR_ADDED,
    mfa.authenticator_removed: AuditKind.SECOND_FACTOR_REMOVED,
    mfa.authenticator_reset: AuditKind.SECOND_FACTOR_RENEWED,
    mfa.authentication_failed: AuditKind.SECOND_FACTOR_FAILED,
    user_logged_out: AuditKind.LOGGED_OUT,
}


def actor_in(request: HttpRequest | None, user: User) -> Actor:
    """Somebody who is proving, or has proved, who they are."""
    session = getattr(request, "session", None)
    return Actor(
        user_id=user.pk,
        is_staff=session is not None and acts_as_staff(user, session),
        request_id=getattr(request, "request_id", ""),
    )


def _told(kind: AuditKind) -> Any:
    def tell(user: Any = None, request: HttpRequest | None = None, authenticator: Any = None, **kwargs: Any) -> None:
        if isinstance(user, User):  # nobody logs out who was not logged in
            data = {"type": authenticator.type} if isinstance(authenticator, Authenticator) else {}
            record(kind, actor=actor_in(request, user), now=timezone.now(), subject=user, data=data)

    return tell


for _signal, _kind in TOLD.items():
    _signal.connect(_told(_kind), weak=False, dispatch_uid=f"audit {_kind} {id(_signal)}")


@receiver(user_logged_in)
def _logged_in(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if isinstance(user, User):
        data = {"second_factor": came_with_second_factor(user, request.session)}
        record(AuditKind.LOGGED_IN, actor=actor_in(request, user), now=timezone.now(), subject=user, data=data)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    address = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email=address).first() if address else None
    if user is not None:
        actor = Actor.anonymous(getattr(request, "request_id", ""))
        record(AuditKind.LOGIN_FAILED, actor=actor, now=timezone.now(), subject=user)


@receiver(account.email_confirmed)
def _confirmed(request: HttpRequest, email_address: Any, **kwargs: Any) -> None:
    user = email_address.user
    record(AuditKind.ADDRESS_CONFIRMED, actor=actor_in(request, user), now=timezone.now(), subject=user)


@receiver(social.social_account_added)
def _connected(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    user = sociallogin.user
    record(AuditKind.IDENTITY_CONNECTED, actor=actor_in(request, user), now=timezone.now(), subject=user)


@receiver(social.social_account_removed)
def _disconnected(request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    user = socialaccount.user
    record(AuditKind.IDENTITY_REMOVED, actor=actor_in(request, user), now=timezone.now(), subject=user)


class Sessions(DefaultUserSessionsAdapter):
    """Sessions that somebody ends from elsewhere."""

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        for user in {session.user for session in ended}:
            actor, number = Actor(user_id=user.pk), sum(session.user == user for session in ended)
            record_many(
                AuditKind.SESSION_ENDED, actor=actor, now=timezone.now(), subjects=[user], data={"sessions": number}
            )
