"""What a proof can be refused for: one table of stable codes, one error that carries them.

Promise: a refusal names what was expected and found in words of ours; never a code, a secret, an address or any byte
that somebody typed. ``resets_in_s`` says when waiting helps. Codes are public: they are never renamed.
"""

from __future__ import annotations

from typing import Final, Literal

from shopward.errors import Refused

RefusalCode = Literal[
    "already_enrolled", "cancelled", "channel_unavailable", "clock_jumped", "cloned_passkey", "excluded_factor",
    "expired", "factor_disabled", "malformed_answer", "no_factor_left", "no_proof", "not_offered",
    "password_too_short",
    "replayed", "too_many_codes", "too_many_factors", "too_many_tries", "unknown_challenge", "unknown_factor",
    "weak_factor", "wrong_answer",
    "wrong_factor", "wrong_subject",
]  # fmt: skip

REFUSALS: Final[dict[RefusalCode, tuple[int, str, str]]] = {
    "already_enrolled": (
        409, "this factor is enrolled already", "use it, or remove it first"
    ),
    "cancelled": (
        403, "the challenge was cancelled", "start the operation again"
    ),
    "channel_unavailable": (
        503, "the code could not be sent", "offer another factor, or try again"
    ),
    "clock_jumped": (
        503, "the clock of this server went back", "check its time service; the challenge stays as it is"
    ),
    "cloned_passkey": (
        403, "the passkey's counter went back: there may be a copy of it", "use another factor and enrol a new passkey"
    ),
    "excluded_factor": (
        403, "the threat may own this factor", "use one of the offered factors"
    ),
    "expired": (
        403, "the time to answer is over", "start the operation again"
    ),
    "factor_disabled": (
        403, "this factor failed too often in a row", "use another factor and enrol this one again"
    ),
    "malformed_answer": (
        422, "the answer has not the form of this factor", "send what the customer typed or the authenticator gave"
    ),
    "no_factor_left": (
        403, "no factor is left that the threat does not own", "refuse the operation and lead the customer to recovery"
    ),
    "no_proof": (
        403, "this needs a passed challenge", "ask for a challenge for this operation, then spend it once"
    ),
    "not_offered": (
        409, "this installation does not offer this factor", "set shop_domain and shop_origins, or use another factor"
    ),
    "password_too_short": (
        422, "the password is too short", "a sentence is easy to remember and long enough"
    ),
    "replayed": (
        403, "this proof was used before", "wait for the next code, or start the operation again"
    ),
    "too_many_codes": (
        429, "too many codes were sent", "use the newest code, another factor, or wait"
    ),
    "too_many_factors": (
        409, "no more factors of this kind can be enrolled", "remove one first"
    ),
    "too_many_tries": (
        429, "too many tries", "use another factor, or wait"
    ),
    "unknown_challenge": (
        404, "there is no such challenge", "send the id that was given with the challenge"
    ),
    "unknown_factor": (
        404, "this user has no such factor", "send an id of the list of factors"
    ),
    "weak_factor": (
        403, "the operation asks for a stronger factor", "use one of the offered factors"
    ),
    "wrong_answer": (
        403, "the answer is wrong", "try again"
    ),
    "wrong_factor": (
        403, "this factor was not asked for", "use one of the offered factors"
    ),
    "wrong_subject": (
        403, "the challenge belongs to something else", "answer on the device and for the operation that were challenged"
    ),
}  # fmt: skip
"""Status over HTTP, sentence, what to do."""


class StepUpRefused(Refused):
    """A proof, an enrolment or a code is refused; ``code`` says why.

    Args:
        code: one of ``REFUSALS``.
        expected: what would have been right, in words; never a secret.
        found: what was there instead, in words; never what somebody typed.
        resets_in_s: after how many seconds trying again makes sense, where waiting helps.
    """

    def __init__(
        self,
        code: RefusalCode,
        *,
        expected: str | None = None,
        found: str | None = None,
        resets_in_s: int | None = None,
    ) -> None:
        status, message, hint = REFUSALS[code]
        super().__init__(
            message, code=code, expected=expected, found=found, hint=hint, retry_after_s=resets_in_s
        )
        self.status = status

    @property
    def resets_in_s(self) -> float | None:
        """When waiting helps: for how long."""
        return self.retry_after_s
