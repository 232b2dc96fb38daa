"""Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, steps of 30 seconds, as every app knows them.

Promise: a secret has 160 random bits. A code holds for its own step and one to either side (RFC 6238 section 5.2), by
the server's clock. The step it belongs to is given back for the caller to keep: that step, or an earlier one, is
refused from then on, so a code works once, also when the clock jumps back.

Not here: counting tries (``limits``), keeping secret and step (``store``), encrypting the secret (``keys``).
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import TYPE_CHECKING, Final

import pyotp

from shopward.errors import InvalidField
from shopward.stepup.refusals import StepUpRefused
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from shopward.keyring import Entropy

SECRET_BYTES: Final = 20
STEP_MS: Final = 30 * SECOND_MS
STEPS_EITHER_SIDE: Final = 1
NO_STEP: Final = -1
"""The last used step of a secret that was never used."""

_CODE: Final = re.compile(r"[0-9]{6}")
_LABEL_MAX: Final = 64


def new_secret(entropy: Entropy) -> bytes:
    """A fresh secret."""
    return entropy(SECRET_BYTES)


def provisioning_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """The ``otpauth`` URI for a QR code; it holds the secret, so show it once and log it never.

    Args:
        secret: from ``new_secret``.
        account: how the customer tells accounts apart in the app.
        issuer: the shop's name.

    Raises:
        InvalidField: a name is empty, too long, or has a colon, which would end it early.
    """
    for path, name in (("account", account), ("issuer", issuer)):
        if not name or len(name) > _LABEL_MAX or ":" in name:
            raise InvalidField(
                "a name for the app cannot be used",
                path=path,
                expected=f"1 to {_LABEL_MAX} characters without a colon",
                found=f"{len(name)} characters",
            )
    return _totp(secret).provisioning_uri(name=account, issuer_name=issuer)


def verify_totp(*, code: str, secret: bytes, last_step: int, at_ms: int) -> int:
    """The step that a code belongs to, to be kept as the new ``last_step``.

    Args:
        code: what was typed; blanks between digits are no matter.
        secret: the opened secret.
        last_step: the last step used; ``NO_STEP`` at first.
        at_ms: the server's time.

    Raises:
        StepUpRefused: ``malformed_answer``, ``wrong_answer`` or ``replayed``.
    """
    typed = code.replace(" ", "")
    if not _CODE.fullmatch(typed):
        raise StepUpRefused("malformed_answer", expected="6 digits", found="something else")
    now = at_ms // STEP_MS
    totp = _totp(secret)
    # Every step is compared, so that the time taken does not tell which one fits.
    fitting = [
        step
        for step in range(max(0, now - STEPS_EITHER_SIDE), now + STEPS_EITHER_SIDE + 1)
        if hmac.compare_digest(totp.generate_otp(step), typed)
    ]
    if not fitting:
        raise StepUpRefused(
            "wrong_answer", expected="the app's code of this half minute", found="another code"
        )
    fresh = [step for step in fitting if step > last_step]
    if not fresh:
        raise StepUpRefused(
            "replayed",
            expected="a code that was not used before",
            found="one of a step that was used",
            resets_in_s=max(1, -(-((last_step + 1) * STEP_MS - at_ms) // SECOND_MS)),
        )
    return min(fresh)


def _totp(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(secret).decode())
