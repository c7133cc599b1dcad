"""Access tokens for demo people: what allauth's headless login would hand out, for many at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.login.sessions import SessionStore
from accounts.login.tokens import ACCESS, signed
from accounts.models import User

A_DAY = timedelta(days=1)


def access_tokens(users: Iterable[User]) -> dict[int, str]:
    """User id → a token good for a day, tied to a session of the user's own."""
    store: Any = SessionStore()  # names keys that nobody has
    expires = timezone.now() + A_DAY
    sessions, tokens = [], {}
    for user in users:
        key = store._get_new_session_key()
        data = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[-1],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        sessions.append(Session(session_key=key, session_data=SessionStore(key).encode(data), expire_date=expires))
        seconds = int(A_DAY.total_seconds())
        tokens[user.pk], _ = signed(ACCESS, user.pk, key, seconds=seconds)
    Session.objects.bulk_create(sessions, batch_size=1000)
    return tokens
