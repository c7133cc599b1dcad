"""Who logs in, changes their password or ends a session is in the audit log; no address is."""

from __future__ import annotations

import json

from accounts.models import AuditEntry, User
from tests.accounts.login.conftest import PASSWORD, App


def test_logins_are_recorded(app: App, ann: User) -> None:
    assert app.log_in(ann.email, "wrong").status_code == 400
    app.log_in(ann.email)
    other = App(app.address)
    other.log_in(ann.email)
    sessions = app.get("auth/sessions").json()["data"]
    elsewhere = [one["id"] for one in sessions if not one["is_current"]]
    assert app.delete("auth/sessions", sessions=elsewhere).status_code == 200
    assert (
        app.post("account/password/change", current_password=PASSWORD, new_password="pass-phrase-2").status_code < 400
    )
    told = list(AuditEntry.objects.order_by("id").values_list("kind", "actor_id", "subject_id"))
    assert told[0] == ("LoginFailed", None, ann.pk)
    assert [kind for kind, *_ in told[1:]] == ["LoggedIn", "LoggedIn", "SessionEnded", "PasswordChanged"]
    assert {who for _, *who in told[1:] for who in who} == {ann.pk}
    assert "ann" not in json.dumps(list(AuditEntry.objects.values("data", "request_id", "actor_kind")))


def test_a_token_used_twice_is_recorded(app: App, ann: User) -> None:
    app.log_in(ann.email)
    first = app.refresh
    app.renew()
    assert app.renew(first).status_code == 400
    assert AuditEntry.objects.get(kind="TokenUsedTwice").subject_id == ann.pk
