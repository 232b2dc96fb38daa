"""What step-up works with: store, key, hasher, the shop's names, and where randomness, ids and codes go.

Promise: nothing here reads a clock or makes randomness of its own; ``service`` picks every part. Without a channel, no
code is ever offered (``NoCodeChannel``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from shopward.stepup.code_channel import NoCodeChannel, checked_domain
from shopward.stepup.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from shopward.keyring import Entropy
    from shopward.ports import Records
    from shopward.stepup.code_channel import CodeChannel
    from shopward.stepup.keys import Keys
    from shopward.stepup.passkeys import RelyingParty
    from shopward.stepup.passwords import Hasher
    from shopward.values import IdSource

T = TypeVar("T")


class Desk:
    """The parts, together.

    Args:
        records: transactions on the store, its schema up to date.
        keys: from the step-up key of the data folder.
        hasher: for recovery codes.
        party: the shop as authenticators know it; its ``id`` is the domain that codes are bound to.
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
        checked_domain(party.id)
        self._records = records
        self.keys = keys
        self.hasher = hasher
        self.party = party
        self.entropy = entropy
        self.ids = ids
        self.channel: CodeChannel = channel or NoCodeChannel()
        self.store = store or Store()

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
