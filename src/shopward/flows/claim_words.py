"""What people write into a claim, why it was opened again and where evidence can be seen, lies sealed (``flows.words``).

Promise: the claim in the store names such a step and not what was written; who reads a claim is given both. Everything else in its
history is a word of a closed set, and stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.claims.claim import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.claims.claim import Claim, Happened
    from shopward.flows.words import Words

KIND: Final = "claim"
"""What its words are called."""


def sealed(words: Words, connection: Any, claim: Claim) -> Claim:
    """A claim as its row has it; what people wrote is kept apart."""
    history = list(claim.history)
    for at, each in enumerate(history):
        if each.step in WRITTEN and each.reason:
            words.keep(connection, KIND, _name(claim, at), each.reason, subject=claim.user)
            history[at] = msgspec.structs.replace(each, reason="")
    return msgspec.structs.replace(claim, history=tuple(history))


def with_reasons(words: Words, connection: Any, claims: Sequence[Claim]) -> list[Claim]:
    """Claims with what people wrote; nothing where it was erased."""
    names = [
        _name(claim, at)
        for claim in claims
        for at, each in enumerate(claim.history)
        if each.step in WRITTEN and not each.reason
    ]
    told = words.of(connection, KIND, names)
    return [_filled(each, told) for each in claims] if told else list(claims)


def _filled(claim: Claim, told: dict[str, str]) -> Claim:
    def filled(at: int, each: Happened) -> Happened:
        reason = told.get(_name(claim, at))
        return each if reason is None else msgspec.structs.replace(each, reason=reason)

    return msgspec.structs.replace(
        claim, history=tuple(filled(at, each) for at, each in enumerate(claim.history))
    )


def _name(claim: Claim, at: int) -> str:
    return f"{claim.id}:{at}"
