"""The shapes of publication."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Kind = Literal["start", "publish", "rollback", "folder"]
CHOSEN: Final[tuple[Kind, ...]] = ("publish", "rollback")
"""Kinds that somebody chose over HTTP; the others note what a start of the server found in force."""


class Mark(Struct, frozen=True):
    """What the log holds of a publication: from here on it decided.

    Attributes:
        number: of the publication.
        id: of the entry.
        digest: of the policy's files.
        policy: how decisions name it.
        satisfied_for_ms: how long its passed challenges satisfy, which a rebuild of the state needs.
    """

    number: int
    id: str
    digest: str
    policy: str
    satisfied_for_ms: int


class Publication(Struct, frozen=True):
    """One change of the policy in force.

    Attributes:
        number: from 1, without gaps.
        id: names its entry in the log.
        digest: of the policy's files.
        policy: how decisions name it.
        kind: ``publish`` or ``rollback`` by a person; ``folder`` where the server was started with ``--policy``;
            ``start`` for what was in force before, or came back when the server was started without.
        at_ms: when, by the server's clock.
        person: who; the server's own name where nobody.
        note: why, in the person's words.
        satisfied_for_ms: as in its mark.
    """

    number: int
    id: str
    digest: str
    policy: str
    kind: Kind
    at_ms: int
    person: str
    note: str
    satisfied_for_ms: int

    @property
    def mark(self) -> Mark:
        """What the log holds of it."""
        return Mark(self.number, self.id, self.digest, self.policy, self.satisfied_for_ms)
