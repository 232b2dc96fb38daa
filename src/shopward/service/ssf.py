"""Shared Signals, put together over the store of the desks: who tells us, and what of it becomes alerts.

Promise: ``signals.key`` is made once; a key that is missing beside secrets that it sealed is refused (``Misconfigured``) before
anything is served.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from shopward.adapters.outward import HttpOutward
from shopward.flows.poll import Poller
from shopward.flows.receive import Receiver
from shopward.flows.transmitters import TransmitterDesk
from shopward.keyring import KeyFile, Sealer, derived, open_key
from shopward.protection.links import AccountLinks
from shopward.service.desks import TENANT
from shopward.ssf.store import TransmitterStore
from shopward.ssf.tables import ssf_transmitter

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.flows.history import History
    from shopward.service.desks import Desks
    from shopward.values import Clock

SIGNALS_KEY: Final = KeyFile(
    "signals.key", "key of Shared Signals of this store", "the key under which their secrets were sealed"
)


class SharedSignals(NamedTuple):
    """The desks."""

    transmitters: TransmitterDesk
    receiver: Receiver
    poller: Poller


def open_shared_signals(settings: Settings, desks: Desks, *, history: History, clock: Clock) -> SharedSignals:
    """The desks over the store of the settings."""
    in_use = desks.records.read(
        lambda each: each.execute(select(ssf_transmitter.c.id).limit(1)).first() is not None
    )
    key = open_key(settings.folder, SIGNALS_KEY, in_use=in_use)
    hint = "restore signals.key and the store from one backup; otherwise register those companies anew"
    sealer = Sealer(derived(key, b"shopward/signals/1/seal"), what="a secret of Shared Signals", hint=hint)
    store, outward = TransmitterStore(TENANT, sealer, secrets.token_bytes), HttpOutward()
    transmitters = TransmitterDesk(
        records=desks.records, store=store, outward=outward, trail=desks.trail, clock=clock, entropy=secrets.token_bytes,
        address=settings.signals_url,
    )  # fmt: skip
    receiver = Receiver(
        records=desks.records, store=store, desk=transmitters, links=lambda each: AccountLinks(each, TENANT),
        blind=desks.ground.blind, history=history, outbox=desks.outbox, clock=clock,
    )  # fmt: skip
    poller = Poller(records=desks.records, store=store, receiver=receiver, outward=outward, clock=clock)
    return SharedSignals(transmitters, receiver, poller)
