"""What step-up works with: store, key, hasher, the shop's names, and where randomness, ids and codes go.

Promise: nothing here reads a clock or makes randomness of its own; ``service`` picks every part. Without a channel, no
code is ever offered (``NoCodeChannel``); without a domain, neither codes nor passkeys are, which are bound to it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self, TypeVar

from shopward.stepup.code_channel import NoCodeChannel, checked_domain
from shopward.stepup.store import Store
from shopward.stepup.witness import NoWitness

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.ports import Records
    from shopward.stepup.code_channel import CodeChannel
    from shopward.stepup.keys import Keys
    from shopward.stepup.passkeys import RelyingParty
    from shopward.stepup.passwords import Hasher
    from shopward.stepup.witness import Witness
    from shopward.values import IdSource

T = TypeVar("T")


class Desk:
    """The parts, together.

    Args:
        records: transactions on the store, its schema up to date.
        keys: from the step-up key of the data folder.
        hasher: for recovery codes.
        party: the shop as authenticators know it; its ``id`` is the domain that codes are bound to, empty for none.
        entropy: ``secrets.token_bytes`` in earnest.
        ids: makes ids of challenges and factors.
        channel: carries codes.
        store: the tables of a tenant.

    Raises:
        Misconfigured: the domain is none.
    """

    def __init__(
        self,
        *,
        records: Records,
        keys: Keys,
        hasher: Hasher,
        party: RelyingParty,
        entropy: Entropy,
        ids: IdSource,
        channel: CodeChannel | None = None,
        store: Store | None = None,
    ) -> None:
        if party.id:
            checked_domain(party.id)
        self._records = records
        self.keys = keys
        self.hasher = hasher
        self.party = party
        self.entropy = entropy
        self.ids = ids
        self.channel: CodeChannel = channel or NoCodeChannel()
        self.store = store or Store()
        self.witness: Witness = NoWitness()

    def witnessed(self, witness: Witness) -> Self:
        """The same desk, whose deeds this witness hears of."""
        twin = copy.copy(self)
        twin.witness = witness
        return twin

    @property
    def carries(self) -> frozenset[str]:
        """The channels over which codes can go; none without a domain to bind them to."""
        return self.channel.carries if self.party.id else frozenset()

    def run(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` gives, committed; nothing of it is kept where it raises."""
        return self._records.write(work)

    def look(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` reads; it writes nothing and waits for nobody who does."""
        return self._records.read(work)

    def code_context(self, challenge_id: str, channel: str) -> tuple[str, ...]:
        """What the keyed hash of a sent code is bound to."""
        return ("code", self.store.tenant, challenge_id, channel)

    def secret_context(self, user: str, factor_id: str) -> tuple[str, ...]:
        """What a sealed secret of TOTP is bound to."""
        return ("totp", self.store.tenant, user, factor_id)

    def user_handle(self, user: str) -> bytes:
        """The name under which authenticators keep a user."""
        return self.keys.user_handle(self.store.tenant, user)
