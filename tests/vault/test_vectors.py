"""Vectors that nobody here wrote: NIST, RFC 8452 and C2SP through cryptography-vectors, and Wycheproof where it is at hand."""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from shopward.vault.xaes import XAES256GCM

VECTORS = Path(cryptography_vectors.__file__).parent / "ciphers" / "AES"
SHARED = Path(os.environ.get("SHOPWARD_SHARED", Path(__file__).parents[3] / "shared"))
WYCHEPROOF = SHARED / "data" / "vectors" / "wycheproof"


def blocks(file):
    """The records of a NIST or OpenSSL file of vectors, with lower-case names."""
    found, record = [], {}
    for line in file.read_text().splitlines():
        name, equals, value = line.partition("=")
        if line.startswith(("#", "[")):
            continue
        if equals:
            record[name.strip().lower()] = value.strip()
        elif line.strip() == "FAIL":
            record["fail"] = "yes"
        elif record:
            found.append(record)
            record = {}
    return [*found, record] if record else found


def raw(record, name):
    return bytes.fromhex(record.get(name, ""))


def test_gcm_is_nists():
    """Every vector of AES-256-GCM with a nonce of 96 bits or more opens, and those that must fail do."""
    tried = 0
    for record in blocks(VECTORS / "GCM" / "gcmDecrypt256.rsp"):
        if len(record.get("iv", "")) < 16 or len(record.get("tag", "")) != 32:
            continue
        cipher, sealed = AESGCM(raw(record, "key")), raw(record, "ct") + raw(record, "tag")
        tried += 1
        if "fail" in record:
            with pytest.raises(InvalidTag):
                cipher.decrypt(raw(record, "iv"), sealed, raw(record, "aad"))
        else:
            assert cipher.decrypt(raw(record, "iv"), sealed, raw(record, "aad")) == raw(record, "pt")
    assert tried > 700


def test_gcm_siv_is_that_of_its_rfc():
    """Every vector of AES-256-GCM-SIV seals and opens."""
    tried = 0
    for record in blocks(VECTORS / "GCM-SIV" / "openssl.txt"):
        if len(record["key"]) != 64 or not record.get("plaintext"):
            continue  # the library takes no empty one
        cipher, sealed = AESGCMSIV(raw(record, "key")), raw(record, "ciphertext") + raw(record, "tag")
        tried += 1
        assert cipher.encrypt(raw(record, "iv"), raw(record, "plaintext"), raw(record, "aad")) == sealed
        assert cipher.decrypt(raw(record, "iv"), sealed, raw(record, "aad")) == raw(record, "plaintext")
    assert tried > 20


@pytest.mark.parametrize(
    ("key", "aad", "sealed"),
    [
        (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_xaes_is_that_of_its_specification(key, aad, sealed):
    """Both vectors of C2SP, with and without a set top bit in the derivation."""
    cipher, nonce = XAES256GCM(bytes([key]) * 32), b"ABCDEFGHIJKLMNOPQRSTUVWX"
    assert cipher.encrypt(nonce, b"XAES-256-GCM", aad).hex() == sealed
    assert cipher.decrypt(nonce, bytes.fromhex(sealed), aad) == b"XAES-256-GCM"


def test_xaes_gives_the_accumulated_hash_of_its_specification():
    """C2SP's 10,000 keys, nonces, texts and data of all lengths up to 255, drawn from SHAKE128, and the hash of what comes out."""
    drawn, made = io.BytesIO(hashlib.shake_128(b"").digest(10_000 * (32 + 24 + 2 * 256))), hashlib.shake_128()
    for _each in range(10_000):
        key, nonce = drawn.read(32), drawn.read(24)
        plain, aad = drawn.read(drawn.read(1)[0]), drawn.read(drawn.read(1)[0])
        made.update(XAES256GCM(key).encrypt(nonce, plain, aad))
    assert made.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


@pytest.mark.parametrize(("name", "cipher"), [("aes_gcm", AESGCM), ("aes_gcm_siv", AESGCMSIV)])
def test_wycheproof_finds_nothing(name, cipher):
    """Each case does what it must; nonces that the vault never makes (not 96 bits) are left out."""
    file, tried = WYCHEPROOF / f"{name}_test.json", 0
    if not file.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"no Wycheproof vectors at {file}; set SHOPWARD_SHARED"
        )
    for group in json.loads(file.read_text())["testGroups"]:
        for case in group["tests"]:
            key, nonce, aad, plain = (bytes.fromhex(case[part]) for part in ("key", "iv", "aad", "msg"))
            if len(nonce) != 12:
                continue
            sealed, tried = bytes.fromhex(case["ct"] + case["tag"]), tried + 1
            if case["result"] == "valid":
                assert cipher(key).encrypt(nonce, plain, aad) == sealed
                assert cipher(key).decrypt(nonce, sealed, aad) == plain
            else:
                with pytest.raises(InvalidTag):
                    cipher(key).decrypt(nonce, sealed, aad)
    assert tried > 100
