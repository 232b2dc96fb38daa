"""Argon2id (RFC 9106) for staff passwords and for what is kept like them.

Promise: a hash is made under a named profile with its source, and says so in itself: ``needs_rehash`` tells at the next
sign-in that the profile has moved on. The whole password counts, byte for byte, never cut or changed (ASVS V6.2.8); any
characters are fine, there is no rule of composition and no expiry. An unknown user costs as much as a known one
(``verify_nothing``). Memory is bounded: so many hashes at once, the others wait.

Not here: lists of known and breached passwords (``screening``), counting tries (``limits``), storage.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
from msgspec import Struct

from shopward.errors import InputTooLarge, Misconfigured
from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from shopward.keyring import Entropy

SALT_BYTES: Final = 16
PASSWORD_BYTES_MAX: Final = 1024
LENGTH_ALONE_MIN: Final = 15
LENGTH_WITH_FACTOR_MIN: Final = 8
AT_ONCE_MAX: Final = 4


class Profile(Struct, frozen=True):
    """Named costs of Argon2id, and where they come from."""

    name: str
    time_cost: int
    memory_kib: int
    parallelism: int
    source: str


RFC_9106_SECOND: Final = Profile(
    "RFC_9106_SECOND",
    RFC_9106_LOW_MEMORY.time_cost,
    RFC_9106_LOW_MEMORY.memory_cost,
    RFC_9106_LOW_MEMORY.parallelism,
    "RFC 9106 section 4, second recommended option: t=3, m=64 MiB, p=4; 95 ms measured on 2 shared cores",
)
OWASP_46_MIB: Final = Profile(
    "OWASP_46_MIB",
    1,
    47_104,
    1,
    "OWASP Password Storage Cheat Sheet, first Argon2id option: m=46 MiB, t=1, p=1; 56 ms measured on 2 shared cores",
)
CHEAP_FOR_TESTS: Final = Profile(
    "CHEAP_FOR_TESTS",
    CHEAPEST.time_cost,
    CHEAPEST.memory_cost,
    CHEAPEST.parallelism,
    "argon2-cffi profiles.CHEAPEST: protects nothing; for tests alone",
)
"""0.06 ms. ``Hasher`` takes it only with ``unsafe_for_tests``."""


class Hasher:
    """Makes and checks hashes under one profile.

    Args:
        profile: the costs.
        entropy: where salts come from.
        at_once_max: hashes computed in parallel; each takes the profile's memory.
        unsafe_for_tests: say so to use a profile that protects nothing.
    """

    def __init__(
        self,
        profile: Profile = OWASP_46_MIB,
        *,
        entropy: Entropy,
        at_once_max: int = AT_ONCE_MAX,
        unsafe_for_tests: bool = False,
    ) -> None:
        if profile.memory_kib < OWASP_46_MIB.memory_kib and not unsafe_for_tests:
            raise Misconfigured(
                "this profile of Argon2id protects nothing",
                path="profile",
                expected=f"{OWASP_46_MIB.memory_kib} KiB or more",
                found=f"{profile.memory_kib} KiB",
            )
        self.profile = profile
        self._entropy = entropy
        self._room = threading.BoundedSemaphore(at_once_max)
        self._argon2 = PasswordHasher(
            time_cost=profile.time_cost,
            memory_cost=profile.memory_kib,
            parallelism=profile.parallelism,
            salt_len=SALT_BYTES,
            type=Type.ID,
        )
        self._nothing = self.hash(entropy(SALT_BYTES).hex())

    def hash(self, secret: str) -> str:
        """The hash to keep, with its profile and salt inside.

        Raises:
            InputTooLarge: more than ``PASSWORD_BYTES_MAX`` bytes.
        """
        raw = _bounded(secret)
        with self._room:
            return self._argon2.hash(raw, salt=self._entropy(SALT_BYTES))

    def matches(self, kept: str, secret: str) -> bool:
        """Whether the secret is the one; fails closed on a hash that cannot be read."""
        raw = _bounded(secret)
        with self._room:
            try:
                return self._argon2.verify(kept, raw)
            except (VerificationError, InvalidHashError):
                return False

    def verify_nothing(self, secret: str) -> bool:
        """Always false, for as long as ``matches`` takes: nobody learns from the time that a user is unknown."""
        self.matches(self._nothing, secret)
        return False

    def needs_rehash(self, kept: str) -> bool:
        """Whether a hash was made under another profile than today's."""
        try:
            return self._argon2.check_needs_rehash(kept)
        except InvalidHashError:
            return True


def check_length(password: str, *, with_second_factor: bool) -> None:
    """Refuse a new password that is too short: 8 beside a second factor, 15 alone (NIST SP 800-63B-4, Passwords).

    Raises:
        StepUpRefused: ``password_too_short``.
    """
    least = LENGTH_WITH_FACTOR_MIN if with_second_factor else LENGTH_ALONE_MIN
    if len(password) < least:
        raise StepUpRefused("password_too_short", expected=f"{least} characters or more", found="fewer")


def _bounded(secret: str) -> bytes:
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) > PASSWORD_BYTES_MAX:
        raise InputTooLarge(
            "the password is too long",
            expected=f"at most {PASSWORD_BYTES_MAX} bytes",
            found=f"{len(raw)} bytes",
        )
    return raw
