"""Recovery codes: ten printed codes for the day when nothing else is at hand.

Promise: a code is one digit that names it and 16 characters of 80 random bits in Crockford's alphabet, which has no
I, L, O and U; small letters, hyphens, blanks and the look-alikes are read as meant. Only Argon2id hashes are kept, each
with its own salt (ASVS V6.5.2). The digit finds the hash, so an answer costs one hash and not ten, also for a user who
has no codes. A code works once; a new set makes the old one worthless.

Not here: keeping and using up (``store``), counting tries (``limits``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from shopward.keyring import Entropy
    from shopward.stepup.passwords import Hasher

CODES: Final = 10
CODE_BYTES: Final = 10
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_TYPED: Final = re.compile(f"([0-9])([{ALPHABET}]{{16}})")
_TYPED_MAX: Final = 64


class KeptCode(Struct, frozen=True):
    """A code as it is kept: its digit, its hash, and when it was used."""

    slot: int
    hash: str
    used_ms: int | None = None


def new_codes(entropy: Entropy) -> tuple[str, ...]:
    """Ten codes such as ``3-K7QM-9TXA-2BCD-EFGH``, to be shown once."""
    return tuple(f"{slot}-{_grouped(entropy(CODE_BYTES))}" for slot in range(CODES))


def hashed(codes: tuple[str, ...], hasher: Hasher) -> tuple[KeptCode, ...]:
    """The codes as they are kept."""
    parts = [_parts(code) for code in codes]
    return tuple(KeptCode(slot, hasher.hash(secret)) for slot, secret in parts)


def verify_recovery_code(*, answer: str, kept: tuple[KeptCode, ...], hasher: Hasher) -> int:
    """The slot of the code, to be marked as used.

    Args:
        answer: what was typed.
        kept: the user's codes, empty where there are none.
        hasher: any; hashes name their own profile.

    Raises:
        StepUpRefused: ``malformed_answer``, ``wrong_answer`` or ``replayed``.
    """
    slot, secret = _parts(answer)
    code = next((each for each in kept if each.slot == slot), None)
    right = hasher.verify_nothing(secret) if code is None else hasher.matches(code.hash, secret)
    if code is None or not right:
        raise StepUpRefused("wrong_answer", expected="an unused recovery code", found="another code")
    if code.used_ms is not None:
        raise StepUpRefused("replayed", expected="an unused recovery code", found="one that was used")
    return slot


def _grouped(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    letters = "".join(ALPHABET[(number >> shift) & 31] for shift in range(8 * CODE_BYTES - 5, -1, -5))
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _parts(code: str) -> tuple[int, str]:
    """The slot and the secret of what was typed."""
    match = _TYPED.fullmatch(code.upper().translate(_MEANT)) if len(code) <= _TYPED_MAX else None
    if match is None:
        raise StepUpRefused(
            "malformed_answer", expected="a digit and 16 letters or digits", found="something else"
        )
    return int(match[1]), match[2]
