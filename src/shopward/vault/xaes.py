"""XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM with a nonce of 192 bits, made of NIST parts alone.

Promise: each nonce's first half derives a key of its own (NIST SP 800-108r1, KDF in counter mode with CMAC), the second half
is the nonce of AES-256-GCM under it: 2**80 messages with random nonces under one key.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HALF: Final = 12
_BLOCK_BITS: Final = 128
_FIELD: Final = 0x87


class XAES256GCM:
    """The cipher under one key; called like those of pyca/cryptography.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._block = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 -- single blocks, as CMAC has them
        first = int.from_bytes(self._blocks(bytes(16)), "big") << 1
        if first >> _BLOCK_BITS:
            first ^= (1 << _BLOCK_BITS) | _FIELD
        self._subkey = first

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Ciphertext and tag."""
        return self._derived(nonce).encrypt(nonce[_HALF:], data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plain bytes; raises ``InvalidTag``."""
        return self._derived(nonce).decrypt(nonce[_HALF:], data, associated_data)

    def _derived(self, nonce: bytes) -> AESGCM:
        if len(nonce) != 2 * _HALF:
            raise ValueError("a nonce of XAES-256-GCM has 24 bytes")
        blocks = b"".join(
            (int.from_bytes(bytes((0, counter)) + b"X\x00" + nonce[:_HALF], "big") ^ self._subkey).to_bytes(
                16, "big"
            )
            for counter in (1, 2)
        )
        return AESGCM(self._blocks(blocks))

    def _blocks(self, blocks: bytes) -> bytes:
        encryptor = self._block.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()
