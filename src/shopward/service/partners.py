"""The desks of partners, put together over the store of the desks and the vault."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shopward.flows.consign import Consigner
from shopward.flows.partner import PartnerDesk
from shopward.flows.pulling import PullDesk
from shopward.partners.store import PartnerStore
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.service.desks import Desks
    from shopward.service.vault import Vault
    from shopward.values import Clock, IdSource


def partner_desks(desks: Desks, vault: Vault, clock: Clock, ids: IdSource) -> tuple[PartnerDesk, PullDesk]:
    """Who works with partners, and who hands pages to them; under one key of marks."""
    store, consigner = PartnerStore(TENANT), Consigner(vault.room, vault.guard, secrets.token_bytes)
    office = PartnerDesk(
        records=desks.records, store=store, marks=vault.marks, consigner=consigner, trail=desks.trail,
        outbox=desks.outbox, clock=clock, ids=ids, entropy=secrets.token_bytes,
    )  # fmt: skip
    pulls = PullDesk(
        records=desks.records, store=store, marks=vault.marks, consigner=consigner, trail=desks.trail,
        outbox=desks.outbox, clock=clock, ids=ids,
    )  # fmt: skip
    return office, pulls
