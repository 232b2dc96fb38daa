"""The desks of partners, put together over the store of the desks and the vault."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shopward.flows.alias import AliasDesk, Rations
from shopward.flows.consign import Consigner
from shopward.flows.partner import PartnerDesk
from shopward.flows.pulling import PullDesk
from shopward.partners.alias_store import AliasStore
from shopward.partners.store import PartnerStore
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.service.desks import Desks
    from shopward.service.vault import Vault
    from shopward.values import Clock, IdSource


def partner_desks(
    settings: Settings, desks: Desks, vault: Vault, clock: Clock, ids: IdSource
) -> tuple[PartnerDesk, PullDesk, AliasDesk]:
    """Who works with partners, who hands pages to them, under one key of marks, and who knows their aliases."""
    store, alias_store = PartnerStore(TENANT), AliasStore(TENANT)
    aliases = AliasDesk(
        records=desks.records, store=store, aliases=alias_store, room=vault.room, reveals=vault.reveals, trail=desks.trail,
        clock=clock, domain=settings.alias_domain, rations=Rations(settings.alias_day_max, settings.relay_day_max),
        entropy=secrets.token_bytes,
    )  # fmt: skip
    consigner = Consigner(vault.room, vault.guard, aliases, secrets.token_bytes)
    office = PartnerDesk(
        records=desks.records, store=store, aliases=alias_store, marks=vault.marks, consigner=consigner, trail=desks.trail,
        outbox=desks.outbox, clock=clock, ids=ids, entropy=secrets.token_bytes,
    )  # fmt: skip
    pulls = PullDesk(
        records=desks.records, store=store, marks=vault.marks, consigner=consigner, trail=desks.trail,
        outbox=desks.outbox, clock=clock, ids=ids,
    )  # fmt: skip
    return office, pulls, aliases
