"""Sessions in the database, sealed: whoever begins to log in leaves their address in one.

    session_data = base64(sealed JSON), bound to the session's key

Those under a former key of `FIELD_KEYS` open while it is there. Nobody seals them anew: they run out.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as PlainStore

from accounts.core.seal import CannotOpen, bound_to
from accounts.field_keys import seal, unseal


class SessionStore(PlainStore):
    def encode(self, session_dict: dict[str, Any]) -> str:
        text = json.dumps(session_dict, separators=(",", ":"))
        return base64.b64encode(seal(text, bound=self._bound())).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Nothing is in one that does not open, as in one that Django did not sign: its owner logs in again."""
        if ":" in str(session_data):  # signed, and not sealed, by who ran before us
            return dict(super().decode(session_data))
        try:
            text = unseal(base64.b64decode(session_data, validate=True), bound=self._bound())
        except (ValueError, CannotOpen):
            return {}
        return dict(json.loads(text))

    def _bound(self) -> bytes:
        return bound_to("sessions.session.session_data", [self.session_key])
