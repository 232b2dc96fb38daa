"""Money operations in two steps: what is kept of one between authorise and capture.

Promise: it holds what orders are held against, and nothing that names a customer. It is worth something for ``VALID_MS``
after the decision was recorded, whoever asks for it and however often.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from shopward.values import SECOND_MS

VALID_MS: Final = 10 * SECOND_MS
"""How long an authorisation is worth something: the longest that an order can be overtaken by what was decided before."""
AuthorizationState = Literal["authorized", "captured", "voided", "stopped"]


class Authorization(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A money operation that was allowed and not yet carried out.

    Attributes:
        id: ``a-`` and the event's id.
        facts: what orders are held against.
        version: of the set of orders that the decision knew.
        orders: who stopped it.
    """

    id: str
    state: AuthorizationState
    user: str
    type: str
    instrument: str
    actor_type: str
    actor: str
    registered_at_ms: int = 0
    identity_provider: str = ""
    currency: str = ""
    amount_minor: int = 0
    operations: int = 0
    version: int = 0
    expires_ms: int
    settled_ms: int = 0
    orders: tuple[str, ...] = ()
