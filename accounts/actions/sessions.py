"""Ending sessions of somebody who is to be nobody."""

from __future__ import annotations

import json
from collections.abc import Collection
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils.http import int_to_base36

AT_ONCE = 500


def forget_sessions(*, users: Collection[int], addresses: Collection[str]) -> int:
    """Delete the sessions of these users (inner ids), and those in which somebody has given one of these addresses and
    not proved yet who they are; how many. What a session holds cannot be asked for: those of nobody are all opened."""
    logged_in, beginning = {str(pk) for pk in users}, {int_to_base36(pk) for pk in users}
    # As it stands in JSON, quotes and all: an address may be the end of another.
    quoted = [json.dumps(address) for address in addresses]
    store = import_module(settings.SESSION_ENGINE).SessionStore
    gone = []
    tracked = UserSession.objects.filter(session_key=OuterRef("session_key"))
    of_nobody = Session.objects.exclude(Exists(tracked.exclude(user__in=users)))
    for session in of_nobody.order_by("pk").iterator(chunk_size=AT_ONCE):
        held = store(session.pk).decode(session.session_data)
        begun = held.get("account_login") or {}
        is_theirs = held.get("_auth_user_id") in logged_in or begun.get("user_pk") in beginning
        if is_theirs or any(one in json.dumps(held, default=str) for one in quoted):
            gone.append(session.pk)
    return Session.objects.filter(pk__in=gone).delete()[0]
