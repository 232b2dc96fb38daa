"""Comparing an answer with what is kept: one function for each factor, no transaction open.

Promise: a comparison changes nothing. It gives back what has to be used up for the answer to count (``Use``), which the
caller does in the transaction in which the challenge passes; or it refuses.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from shopward.stepup import challenges, passkeys, recovery_codes, totp
from shopward.stepup.challenges import Challenge
from shopward.stepup.code_channel import parsed_code
from shopward.stepup.refusals import StepUpRefused
from shopward.stepup.store import ACTIVE, PENDING, SUSPECT

if TYPE_CHECKING:
    from shopward.stepup.desk import Desk
    from shopward.stepup.factors import Factor
    from shopward.stepup.recovery_codes import KeptCode
    from shopward.stepup.store import KeptFactor

Use = Callable[[Connection, Challenge], bool]
"""Uses up what an answer rests on, given the challenge as it is now; false where somebody else was faster."""


class Presented:
    """An answer and what it is held against, as they were when the try was counted.

    Args:
        desk: what step-up works with.
        challenge: that is answered.
        answer: what was typed, or the browser's credential.
        factors: the user's.
        codes: the user's recovery codes.
        now_ms: the time as the challenge sees it.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        challenge: Challenge,
        answer: str,
        factors: tuple[KeptFactor, ...] = (),
        codes: tuple[KeptCode, ...] = (),
        now_ms: int,
    ) -> None:
        self.desk = desk
        self.challenge = challenge
        self.user = challenge.subject.user
        self.answer = answer
        self.factors = factors
        self.codes = codes
        self.now_ms = now_ms


def compare(factor: Factor, presented: Presented) -> Use:
    """What has to be used up for this answer to count.

    Raises:
        StepUpRefused: the answer does not hold.
    """
    return _COMPARE[factor](presented)


def claimed_passkey(presented: Presented) -> KeptFactor | None:
    """The enrolled passkey that an answer claims to be of."""
    claimed = passkeys.credential_id_of(presented.answer)
    counting = [each for each in presented.factors if each.kind == "passkey" and each.state != PENDING]
    return next((each for each in counting if each.credential_id == claimed), None)


def _totp(presented: Presented) -> Use:
    kept = next((each for each in presented.factors if (each.kind, each.state) == ("totp", ACTIVE)), None)
    if kept is None:
        raise StepUpRefused("wrong_answer", expected="an enrolled app", found="none")
    desk, user = presented.desk, presented.user
    step = totp.verify_totp(
        code=presented.answer,
        secret=desk.keys.unseal(kept.secret, context=desk.secret_context(user, kept.factor_id)),
        last_step=kept.counter,
        at_ms=presented.now_ms,
    )
    return lambda connection, _challenge: desk.store.use_counter(connection, user, kept, counter=step)


def _passkey(presented: Presented) -> Use:
    claimed = claimed_passkey(presented)
    if claimed is None:
        raise StepUpRefused("wrong_answer", expected="a passkey of this user", found="another one")
    if claimed.state == SUSPECT:
        raise StepUpRefused(
            "cloned_passkey", expected="a passkey without a copy", found="one under suspicion"
        )
    desk, user = presented.desk, presented.user
    used = passkeys.verify_assertion(
        answer=presented.answer,
        party=desk.party,
        expected_nonce=challenges.nonce_for(presented.challenge),
        expected_user_handle=desk.user_handle(user),
        public_key=claimed.secret,
        last_sign_count=claimed.counter,
    )
    return lambda connection, _challenge: desk.store.use_counter(
        connection, user, claimed, counter=used.sign_count
    )


def _recovery_code(presented: Presented) -> Use:
    desk, user = presented.desk, presented.user
    slot = recovery_codes.verify_recovery_code(
        answer=presented.answer, kept=presented.codes, hasher=desk.hasher
    )
    kept = next(each for each in presented.codes if each.slot == slot)
    return lambda connection, _challenge: desk.store.use_recovery_code(
        connection, user, kept, at_ms=presented.now_ms
    )


def _sent_code(channel: str) -> Callable[[Presented], Use]:
    def of_channel(presented: Presented) -> Use:
        challenge, desk = presented.challenge, presented.desk
        code = parsed_code(presented.answer)
        digest = desk.keys.code_digest(code, context=desk.code_context(challenge.id, channel))
        # Without a sent code there is no digest, and under another channel's name it is another one.
        if not hmac.compare_digest(challenge.code_digest, digest):
            raise StepUpRefused("wrong_answer", expected="the newest code sent", found="another code")
        if presented.now_ms >= challenge.code_expires_ms:
            raise StepUpRefused("expired", expected="a code within its 10 minutes", found="a later answer")
        # A newer code may have been sent meanwhile; then this one is worth nothing.
        return lambda _connection, now: hmac.compare_digest(now.code_digest, digest)

    return of_channel


_COMPARE: Final[dict[Factor, Callable[[Presented], Use]]] = {
    "passkey": _passkey,
    "totp": _totp,
    "recovery_code": _recovery_code,
    "whatsapp": _sent_code("whatsapp"),
    "email": _sent_code("email"),
}
