"""The desk over each database, with its own clock."""

from __future__ import annotations

import json
import random

import pytest

from shopward.access import Caller
from shopward.adapters.sql import bring_up_to_date, open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.audit import AuditTrail
from shopward.flows.partner import PartnerDesk
from shopward.leaks import Marks
from shopward.outbox.messages import Outbox
from shopward.partners.partner import day_ms
from shopward.partners.store import PartnerStore
from shopward.values import ManualClock, SystemIds
from stores import empty_store

ADMIN = Caller(key="shop", person="ani", roles=("admin",))
MARKS = Marks(b"m" * 32)


class Office:
    """The desk and what stands around it."""

    def __init__(self, engine):
        self.records = SqlRecords(engine)
        self.clock = ManualClock(day_ms("2026-06-01", path=""))
        self.trail = AuditTrail("main")
        self.desk = PartnerDesk(
            records=self.records, store=PartnerStore("main"), marks=MARKS, trail=self.trail,
            outbox=Outbox("main", SystemIds()), clock=self.clock, ids=SystemIds(), entropy=random.Random(7).randbytes,
        )  # fmt: skip

    def deeds(self):
        """The audit log's deeds with their details."""
        return [(each.deed, json.loads(each.details)) for each in self.records.read(lambda at: self.trail.read(at, after_seq=0, limit=500))]  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path):
    """An office on an empty store."""
    with empty_store(request.param, tmp_path) as url:
        engine = open_engine(url)
        bring_up_to_date(engine)
        made = Office(engine)
        yield made
        made.records.close()
