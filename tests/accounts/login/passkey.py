"""An authenticator in software: what a phone or a security key does when a site asks (WebAuthn level 2)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

FLAGS = AuthenticatorData.FLAG


@dataclass
class Passkey:
    """One credential for one site. `origin` is where its browser believes to be."""

    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""
    count: int = 0
    verifies: bool = True  # the finger, or the PIN

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.user_handle = websafe_decode(asked["user"]["id"])
        credential = AttestedCredentialData.create(
            b"\0" * 16, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(
            _hash(asked["rp"]["id"]), self._flags() | FLAGS.AT, self.count, bytes(credential)
        )
        made = self._credential(
            clientDataJSON=self._client_data("webauthn.create", asked["challenge"]),
            attestationObject=bytes(AttestationObject.create("none", data, {})),
            authenticatorData=bytes(data),
        )
        made["response"] |= {"transports": ["internal", "hybrid"], "publicKeyAlgorithm": ES256.ALGORITHM}
        return made

    def sign(self, options: dict[str, Any], *, rp_id: str | None = None) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        asked = options["publicKey"]
        self.count += 1
        data = AuthenticatorData.create(_hash(rp_id or asked["rpId"]), self._flags(), self.count)
        client_data = self._client_data("webauthn.get", asked["challenge"])
        signature = self.key.sign(bytes(data) + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            clientDataJSON=client_data, authenticatorData=bytes(data), signature=signature, userHandle=self.user_handle
        )

    def _flags(self) -> Any:
        return FLAGS.UP | FLAGS.UV if self.verifies else FLAGS.UP

    def _client_data(self, type_: str, challenge: str) -> bytes:
        return json.dumps({"type": type_, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, **response: bytes) -> dict[str, Any]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {name: websafe_encode(value) for name, value in response.items()},
        }


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
