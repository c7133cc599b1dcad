"""Tokens of API clients: a short-lived JWT, and one to renew it with.

Both belong to a session, which is looked up each time: a logout, a session ended from elsewhere, another password or a
deactivated account ends them at once. Whoever renews gets another refresh token, and the one used before is void; if it
is used again, two have it, and the session ends for both (RFC 9700, 4.14.2).

    header   alg RS256, kid
    claims   iss, aud, sub (user), sid (session, sealed), jti, iat, exp, token_use access | refresh
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import datetime
from typing import Any, NamedTuple

import jwt
from allauth.core.internal.httpkit import authenticated_user, get_authorization_credential
from allauth.headless import app_settings
from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions.audit import record
from accounts.core.actor import Actor
from accounts.core.audit import AuditKind
from accounts.login.keys import signing_key, trusted_key
from accounts.models import User

logger = logging.getLogger("muster.login")

ALGORITHM = "RS256"
AUDIENCE = "muster"
ACCESS, REFRESH = "access", "refresh"
CLAIMS = ("iss", "aud", "sub", "sid", "jti", "iat", "exp", "token_use")
LONGEST_TOKEN = 4_096


class Tokens(JWTTokenStrategy):
    """What allauth's endpoints give out and take."""

    def create_access_token(self, request: HttpRequest) -> str:
        return access_token(authenticated_user(request), request.session)

    def create_access_token_payload(self, request: HttpRequest) -> dict[str, Any] | None:
        return {
            "access_token": self.create_access_token(request),
            "refresh_token": refresh_token(authenticated_user(request), request.session),
            "expires_in": app_settings.JWT_ACCESS_TOKEN_EXPIRES_IN,
        }

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        return renewed(refresh_token)

    def _get_access_token(self, request: HttpRequest) -> dict[str, Any] | None:
        token = get_authorization_credential(request, app_settings.JWT_AUTHORIZATION_HEADER_SCHEME)
        found = valid_access_token(token) if token is not None else None
        return found.claims if found else None


def access_token(user: Any, session: SessionBase) -> str:
    """A JWT for a session that is stored already."""
    return signed(ACCESS, user.pk, _key_of(session), seconds=app_settings.JWT_ACCESS_TOKEN_EXPIRES_IN)[0]


def refresh_token(user: Any, session: SessionBase) -> str:
    """The one refresh token of a session, noted in it; whoever calls saves it."""
    token, claims = signed(REFRESH, user.pk, _key_of(session), seconds=app_settings.JWT_REFRESH_TOKEN_EXPIRES_IN)
    state = internal.get_refresh_token_state(session)
    state.clear()
    state[claims["jti"]] = claims["exp"]
    session.modified = True
    return token


class Valid(NamedTuple):
    """An access token that holds: whose it is, of which session, and what it says."""

    user: User
    session: SessionBase
    claims: dict[str, Any]


def valid_access_token(token: str) -> Valid | None:
    """None unless it holds, now: its session is looked up."""
    claims = _claims(token, ACCESS)
    session = internal.get_token_session(claims) if claims else None
    user = internal.validate_token_user(claims, session) if claims and session is not None else None
    return Valid(user, session, claims) if isinstance(user, User) and claims and session is not None else None


def renewed(token: str) -> tuple[str, str] | None:
    """Another access token and another refresh token, for one that was not used before; None for any other."""
    claims = _claims(token, REFRESH)
    session_key = internal.session_key_from_sid(claims["sid"]) if claims else None
    if claims is None or not session_key:
        return None
    with transaction.atomic():
        # Of two who come with the same token at once, the second finds it used.
        if not Session.objects.select_for_update().filter(session_key=session_key).exists():
            return None
        session = lookup_session(session_key)
        user = internal.validate_token_user(claims, session) if session is not None else None
        if session is None or user is None:
            return None
        if claims["jti"] not in internal.get_refresh_token_state(session):
            logger.warning("a refresh token of user %s was used twice: their session ends", user.pk)
            UserSession.objects.filter(session_key=session_key).delete()
            session.flush()
            record(AuditKind.TOKEN_USED_TWICE, actor=Actor.anonymous(), now=timezone.now(), subject=user)
            return None
        pair = access_token(user, session), refresh_token(user, session)
        session.save()
    return pair


def signed(use: str, user_id: int, session_key: str, *, seconds: int) -> tuple[str, dict[str, Any]]:
    """A token and its claims."""
    now = int(time.time())
    claims = {
        "iss": settings.SERVER_URL,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": internal.session_key_to_sid(session_key),
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + seconds,
        "token_use": use,
    }
    key = signing_key(timezone.now())
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid}), claims


def _claims(token: str, use: str) -> dict[str, Any] | None:
    """What a token says that one of our keys has signed for this use and that has not run out."""
    if len(token) > LONGEST_TOKEN:
        return None
    now: datetime = timezone.now()
    try:
        header = jwt.get_unverified_header(token)
        key = trusted_key(str(header.get("kid", "")), now)
        if key is None:
            return None
        claims: dict[str, Any] = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=[ALGORITHM],  # whatever the header says
            audience=AUDIENCE,
            issuer=settings.SERVER_URL,
            options={"require": list(CLAIMS), "verify_iat": False},  # clocks of our servers differ a little
        )
    except jwt.PyJWTError:
        return None
    texts = all(isinstance(claims[name], str) for name in ("sub", "sid", "jti"))
    return claims if texts and claims["token_use"] == use else None


def _key_of(session: SessionBase) -> str:
    assert session.session_key, "a session is stored before tokens are given out for it"
    return session.session_key
