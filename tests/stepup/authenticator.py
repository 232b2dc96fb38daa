"""A software authenticator: real keys, real signatures, CBOR and flags as WebAuthn Level 3 lays them out.

It is written from the specification (sections 6.1, 6.5.1, 8.7) and shares no code with what it tests but CBOR.
"""

from __future__ import annotations

import base64
import hashlib
import json

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Authenticator:
    """One passkey on one device."""

    def __init__(
        self, rng, *, algorithm="ES256", counter=0, origin="https://shop.example", rp_id="shop.example"
    ):
        self.algorithm = algorithm
        self.credential_id = rng.randbytes(32)
        self.counter = counter
        self.origin = origin
        self.rp_id = rp_id
        self.flags = UP | UV | BE | BS
        self.extra = {}
        self.user_handle = b""
        if algorithm == "ES256":
            self.key = ec.derive_private_key(int.from_bytes(rng.randbytes(31), "big") + 1, ec.SECP256R1())
        else:
            self.key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))

    def create(self, options):
        """The answer to ``navigator.credentials.create()``."""
        options = json.loads(options)
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        data = self._client_data("webauthn.create", options["challenge"])
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose()
        authenticator_data = self._authenticator_data(self.flags | AT) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
        return self._credential({"clientDataJSON": b64(data), "attestationObject": b64(attestation)})

    def get(self, options, *, counts=True):
        """The answer to ``navigator.credentials.get()``."""
        options = json.loads(options)
        if counts and self.counter:
            self.counter += 1
        data = self._client_data("webauthn.get", options["challenge"])
        authenticator_data = self._authenticator_data(self.flags)
        signature = self._sign(authenticator_data + hashlib.sha256(data).digest())
        return self._credential(
            {
                "clientDataJSON": b64(data),
                "authenticatorData": b64(authenticator_data),
                "signature": b64(signature),
                "userHandle": b64(self.user_handle),
            }
        )

    def _credential(self, response):
        name = b64(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _client_data(self, type_, challenge):
        made = {"type": type_, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(made | self.extra).encode()

    def _authenticator_data(self, flags):
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _sign(self, data):
        return self.key.sign(data, ec.ECDSA(SHA256())) if self.algorithm == "ES256" else self.key.sign(data)

    def _cose(self):
        if self.algorithm == "ES256":
            numbers = self.key.public_key().public_numbers()
            x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
            return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self.key.public_key().public_bytes_raw()})
