"""An open Shopward over each database, with its own clock, and what the tests of partners ask of it."""

from __future__ import annotations

import json

import pytest

from serving import POLICY
from shopward.access import Caller
from shopward.config import Settings
from shopward.flows.pulling import PullAsk
from shopward.partners.partner import day_ms
from shopward.service import Shopward
from shopward.values import ManualClock
from stores import empty_store

ADMIN = Caller(key="shop", person="ani", roles=("admin",))


class Office:
    """The desks of partners and what stands around them."""

    def __init__(self, shop, clock):
        self.shop, self.clock = shop, clock
        self.records, self.desk, self.marks = shop.records, shop.partners, shop.vault.marks

    def pulled(self, partner_id, share_id, page, token):
        """The whole story of a pull, with the real engine."""
        pending = self.shop.pulls.prepare(PullAsk(partner_id, share_id, page, token))
        return self.shop.pulls.finish(pending, [self.shop.decide(pending.event).decision])

    def pull(self, *asked):
        """The sealed page of a pull."""
        return self.pulled(*asked).sealed

    def deeds(self):
        """The audit log's deeds with their details."""
        lines = self.records.read(lambda at: self.shop.trail.read(at, after_seq=0, limit=500))
        return [(each.deed, json.loads(each.details)) for each in lines]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path):
    """An office on an empty store."""
    clock = ManualClock(day_ms("2026-06-01", path=""))
    with empty_store(request.param, tmp_path) as url:
        settings = Settings(data=str(tmp_path / "data"), policy=str(POLICY), database=url)
        with Shopward.open(settings, clock=clock) as shop:
            yield Office(shop, clock)
