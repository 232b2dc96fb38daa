"""Shared Signals, put together over the store of the desks: who tells us and what of it becomes alerts, and who hears from us."""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING, NamedTuple

from shopward.adapters.outward import HttpOutward
from shopward.flows.poll import Poller
from shopward.flows.receive import Receiver
from shopward.flows.receivers import ReceiverDesk
from shopward.flows.streams import StreamDesk
from shopward.flows.transmit import Pusher, Teller
from shopward.flows.transmitters import TransmitterDesk
from shopward.keyring import BoundSealer
from shopward.partners.store import PartnerStore
from shopward.protection.links import AccountLinks
from shopward.service.desks import TENANT
from shopward.ssf.key_store import KeyStore
from shopward.ssf.receiver_store import ReceiverStore
from shopward.ssf.store import TransmitterStore
from shopward.values import SystemIds

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.flows.history import History
    from shopward.service.desks import Desks
    from shopward.values import Clock


class SharedSignals(NamedTuple):
    """The desks."""

    transmitters: TransmitterDesk
    receiver: Receiver
    poller: Poller
    receivers: ReceiverDesk
    streams: StreamDesk
    pusher: Pusher
    teller: Teller


def open_shared_signals(settings: Settings, desks: Desks, *, history: History, clock: Clock) -> SharedSignals:
    """The desks over the store of the settings."""
    bound = BoundSealer(TENANT, desks.signals_sealer, secrets.token_bytes)
    records, issuer = desks.records, settings.signals_url.rstrip("/")
    heard, outward = TransmitterStore(TENANT, bound), HttpOutward()
    transmitters = TransmitterDesk(
        records=records, store=heard, outward=outward, trail=desks.trail, clock=clock, entropy=secrets.token_bytes,
        address=issuer,
    )  # fmt: skip
    receiver = Receiver(
        records=records, store=heard, desk=transmitters, links=lambda each: AccountLinks(each, TENANT),
        blind=desks.ground.blind, history=history, outbox=desks.outbox, clock=clock,
    )  # fmt: skip
    told, partners = ReceiverStore(TENANT), PartnerStore(TENANT)
    keys = KeyStore(TENANT, bound)
    teller = Teller(told, keys, bound, issuer)
    return SharedSignals(
        transmitters, receiver,
        Poller(records=records, store=heard, receiver=receiver, outward=outward, clock=clock),
        ReceiverDesk(
            records=records, store=told, keys=keys, partners=partners, sealer=bound, blind=desks.ground.blind, trail=desks.trail,
            clock=clock, entropy=secrets.token_bytes,
        ),
        StreamDesk(
            records=records, store=told, keys=keys, partners=partners, sealer=bound, blind=desks.ground.blind, teller=teller,
            clock=clock, ids=SystemIds(), issuer=issuer,
        ),
        Pusher(
            records=records, store=told, teller=teller, sealer=bound, partners=partners, outward=outward, clock=clock,
            issuer=issuer, random=random.Random(),  # noqa: S311 -- spreads pauses
        ),
        teller,
    )  # fmt: skip
