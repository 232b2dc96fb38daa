"""The witness: hears of every deed of step-up inside the transaction of the deed.

Promise: what a witness writes stands with the deed or falls with it; one that raises undoes the deed. It is told last, so
that a lock that it takes is held for as short a time as there is. ``NoWitness`` is its null twin.

It is told tokens, ids of ours and words, and never a secret, a code or an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection

StepUpDeed = Literal[
    "challenge:create", "challenge:pass", "challenge:fail", "challenge:lock", "challenge:cancel", "factor:enrol",
    "factor:remove",
]  # fmt: skip


class Witness(Protocol):
    """Who has to know."""

    def saw(
        self, connection: Connection, deed: StepUpDeed, *, user: str, subject: str, what: str, at_ms: int
    ) -> None:
        """A deed, told in its transaction.

        Args:
            connection: of the transaction.
            deed: what was done.
            user: whose account, as a keyed token.
            subject: the id of the challenge or of the factor.
            what: the factor, the operation or the code of the refusal, as the deed has it.
            at_ms: the server's time.
        """
        ...


class NoWitness:
    """Nobody has to know."""

    def saw(
        self, connection: Connection, deed: StepUpDeed, *, user: str, subject: str, what: str, at_ms: int
    ) -> None:
        """Nothing is written."""
