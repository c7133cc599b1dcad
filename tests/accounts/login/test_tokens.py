"""JSON web tokens of API clients: renewed, revoked, signed by keys that change."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actions.signing_keys import roll_signing_key, withdraw_signing_key
from accounts.core.rsa import new_rsa_key
from accounts.errors import LastSigningKey, NotFound
from accounts.login import keys as signing
from accounts.login.keys import signing_key
from accounts.models import SigningKey, User
from tests.accounts.login.conftest import App, a_person

AT_ONCE = timedelta(0)


@pytest.fixture
def in_(app: App, ann: User) -> App:
    """Ann's app, logged in."""
    assert app.log_in(ann.email).status_code == 200
    return app


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def listed(app: App) -> set[str]:
    """The ids of the keys that whoever checks our signatures sees; with public parts alone."""
    answer = httpx.get(verify=False, url=f"{app.address}/.well-known/jwks.json")
    assert answer.headers["Cache-Control"].startswith("max-age=")
    found = answer.json()["keys"]
    assert all({"n", "e"} <= set(key) and not {"d", "p", "q"} & set(key) for key in found)
    return {key["kid"] for key in found}


def forged(token: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other claims, unsigned or signed by whatever `header` says; its signature stays."""
    head, body, signature = token.split(".")
    made = [
        base64.urlsafe_b64encode(json.dumps({**json.loads(_decoded(part)), **changes}).encode()).rstrip(b"=").decode()
        for part, changes in ((head, header or {}), (body, claims))
    ]
    return ".".join([*made, signature])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed_by(pem: str, token: str, **header: str) -> str:
    claims = json.loads(_decoded(token.split(".")[1]))
    return jwt.encode(claims, pem, algorithm="RS256", headers=header)


# --- holding


def test_a_login_gives_a_token_that_the_api_takes(in_: App, ann: User) -> None:
    assert in_.me() == ann.email
    claims = jwt.decode(in_.access, options={"verify_signature": False})
    assert claims["exp"] > claims["iat"]
    assert claims["sub"] == str(ann.pk)


def test_a_third_party_checks_the_token_with_the_listed_key(in_: App) -> None:
    client = jwt.PyJWKClient(f"{in_.address}/.well-known/jwks.json")
    key = client.get_signing_key_from_jwt(in_.access)
    assert jwt.decode(in_.access, key.key, algorithms=["RS256"], audience="muster")["token_use"] == "access"


def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(in_: App) -> None:
    assert in_.me(in_.refresh) is None
    assert in_.renew(in_.access).status_code == 400


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512"])
def test_a_token_of_another_algorithm_is_refused(in_: App, alg: str) -> None:
    assert in_.me(forged(in_.access, header={"alg": alg})) is None
    assert in_.me(forged(in_.access, header={"alg": alg}).rpartition(".")[0] + ".") is None


def test_the_public_key_does_not_pass_as_a_shared_secret(in_: App) -> None:
    key = signing_key(timezone.now()).private.public_key()
    public = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = forged(in_.access, header={"alg": "HS256"}).rpartition(".")[0]
    mac = base64.urlsafe_b64encode(hmac.new(public, text.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    assert in_.me(f"{text}.{mac}") is None


def test_a_token_that_was_changed_is_refused(in_: App) -> None:
    other = a_person("other@example.org")
    assert in_.me(forged(in_.access, sub=str(other.pk))) is None


@pytest.mark.parametrize("claims", [{"aud": "else"}, {"iss": "https://else.example"}, {"exp": 1}, {"sid": ""}])
def test_a_token_that_we_signed_for_something_else_is_refused(in_: App, claims: dict[str, Any]) -> None:
    key = signing_key(timezone.now())
    whole = json.loads(_decoded(in_.access.split(".")[1])) | claims
    assert in_.me(jwt.encode(whole, key.private, algorithm="RS256", headers={"kid": key.kid})) is None


def test_an_unknown_key_is_refused_and_looked_up_once_in_a_while(
    in_: App, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    foreign = new_rsa_key()
    monkeypatch.setattr(signing, "ASK_EVERY_SECONDS", 3_600)
    monkeypatch.setattr(signing, "READ_EVERY_SECONDS", 3_600)
    signing.forget_keys()
    with django_assert_max_num_queries(1):
        for _ in range(5):
            assert in_.me(signed_by(foreign, in_.access, kid="unknown")) is None
    assert in_.me(signed_by(foreign, in_.access, kid=kid_of(in_.access))) is None
    assert in_.me(signed_by(foreign, in_.access)) is None
    assert in_.me() is not None


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "é", "x" * 50_000, "..", "eyJhbGciOiJSUzI1NiJ9.e30.AA", "eyJraWQiOltdfQ.e30.AA"],
    ids=["nothing", "short", "three parts", "not ascii", "long", "dots", "no key id", "key id is a list"],
)
def test_what_is_no_token_is_refused(app: App, token: str) -> None:
    answer = httpx.post(
        verify=False,
        url=f"{app.address}/graphql",
        json={"query": "{ __typename }"},
        headers={"Authorization": f"Bearer {token}".strip().encode()},
    )
    assert answer.status_code in (401, 431)


# --- renewing and revoking


def test_renewing_gives_another_pair_and_voids_the_old_refresh_token(in_: App, ann: User) -> None:
    old = in_.refresh
    assert in_.renew().status_code == 200
    assert in_.refresh != old
    assert in_.me() == ann.email


def test_a_refresh_token_used_twice_ends_the_whole_family(in_: App) -> None:
    stolen = in_.refresh
    in_.renew()
    assert in_.me() is not None
    assert App(in_.address).renew(stolen).status_code == 400
    assert in_.me() is None  # whoever had renewed it, too: nobody knows which of the two was the thief
    assert in_.renew().status_code == 400
    assert not Session.objects.exists()


def test_another_session_of_the_same_person_survives(in_: App, ann: User) -> None:
    other = App(in_.address)
    other.log_in(ann.email)
    stolen = in_.refresh
    in_.renew()
    in_.renew(stolen)
    assert other.me() == ann.email


def test_logging_out_ends_both_tokens_at_once(in_: App) -> None:
    assert in_.delete("auth/session").status_code == 401
    assert in_.me() is None
    assert in_.renew().status_code == 400


def test_another_password_ends_the_tokens_given_out_before(in_: App, ann: User) -> None:
    ann.set_password("another-pass-phrase-2")
    ann.save()
    assert in_.me() is None
    assert in_.renew().status_code == 400


def test_a_deactivated_account_has_no_tokens(in_: App, ann: User) -> None:
    ann.is_active = False
    ann.save()
    assert in_.me() is None
    assert in_.renew().status_code == 400


# --- keys that change


def test_tokens_of_the_former_key_hold_until_they_run_out(in_: App, ann: User) -> None:
    former, refresh = kid_of(in_.access), in_.refresh
    key = roll_signing_key(now=timezone.now(), announced=AT_ONCE)
    assert listed(in_) == {former, key.kid}
    assert in_.me() == ann.email
    assert in_.renew(refresh).status_code == 200
    assert kid_of(in_.access) == kid_of(in_.refresh) == key.kid
    assert in_.me() == ann.email


def test_a_key_is_announced_before_it_signs(in_: App) -> None:
    former = kid_of(in_.access)
    key = roll_signing_key(now=timezone.now(), announced=timedelta(minutes=5))
    assert listed(in_) == {former, key.kid}
    in_.renew()
    assert kid_of(in_.access) == former
    SigningKey.objects.update(signs_from=timezone.now() - timedelta(seconds=1))
    SigningKey.objects.filter(kid=former).update(signs_from=timezone.now() - timedelta(days=1))
    signing.forget_keys()
    in_.renew()
    assert kid_of(in_.access) == key.kid


def test_a_former_key_is_forgotten_when_its_last_token_has_run_out(in_: App, settings: Any) -> None:
    former = kid_of(in_.access)
    key = roll_signing_key(now=timezone.now(), announced=AT_ONCE)
    until = SigningKey.objects.get(kid=former).trusted_until
    longest = max(settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN)
    assert until == key.signs_from + timedelta(seconds=longest)
    SigningKey.objects.filter(kid=former).update(trusted_until=timezone.now())
    signing.forget_keys()
    assert in_.me() is None
    assert listed(in_) == {key.kid}
    roll_signing_key(now=timezone.now(), announced=AT_ONCE)
    assert SigningKey.objects.get(kid=former).private_key == ""
    assert former not in listed(in_)  # though the setting still has it


def test_a_withdrawn_key_is_trusted_no_more(in_: App, ann: User) -> None:
    former = kid_of(in_.access)
    with pytest.raises(LastSigningKey):
        withdraw_signing_key(kid=former, now=timezone.now())
    assert in_.me() == ann.email
    roll_signing_key(now=timezone.now(), announced=AT_ONCE)
    withdraw_signing_key(kid=former, now=timezone.now())
    assert in_.me() is None
    assert in_.renew().status_code == 400
    assert former not in listed(in_)
    in_.access = ""
    assert in_.log_in(ann.email).status_code == 200
    assert in_.me() == ann.email
    with pytest.raises(NotFound):
        withdraw_signing_key(kid="unknown", now=timezone.now())


def test_keys_lie_sealed_in_the_database(in_: App) -> None:
    roll_signing_key(now=timezone.now(), announced=AT_ONCE)
    assert SigningKey.objects.count() == 2
    assert not SigningKey.objects.filter(private_key__contains="PRIVATE").exists()


def test_the_command_rolls_lists_and_withdraws(in_: App) -> None:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("signing_keys", *arguments, stdout=out)
        return out.getvalue()

    first = kid_of(in_.access)
    assert f"{first}  signs, until it is replaced" in run("list")
    second = run("roll", "--announced", "0").split()[0]
    assert f"{second}  signs" in run("list")
    assert f"{first}  trusted, until 2" in run("list")
    run("withdraw", first)
    assert first not in run("list")
    with pytest.raises(CommandError, match="No other key signs"):
        run("withdraw", second)
