"""An open Shopward over a fresh store of each kind, with its vault; and people who use it."""

from __future__ import annotations

import pytest

from protection.conftest import clock, database  # noqa: F401 -- fixtures
from shopward.access.keys import Caller
from shopward.config import Settings
from shopward.flows.looks import RevealAsk
from shopward.service import Shopward
from shopward.vault import RevealRequest, Write

ANI = Caller("key-ani", "ani", ("analyst",))
BUDI = Caller("key-budi", "budi", ("analyst",))
SHOP = Caller("key-shop", "shop", ("service",))
ORDER = {
    "order_id": "1001", "name": "Budi Santoso", "phone": "0812-3456-7890", "email": "Budi@Contoh.id",
    "province": "DKI Jakarta", "city": "Jakarta", "street": "Jl. Sudirman No. 5", "waybill": "JP1234567890",
}  # fmt: skip


@pytest.fixture
def settings(database, tmp_path):  # noqa: F811 -- a fixture
    """Settings of a fresh store of each kind."""
    return Settings(data=str(tmp_path / "data"), database=database)


@pytest.fixture
def shop(settings, clock):  # noqa: F811 -- a fixture
    """An open Shopward over each kind of store."""
    with Shopward.open(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def lite(tmp_path, clock):  # noqa: F811 -- a fixture
    """An open Shopward on SQLite, where the database makes no difference."""
    with Shopward.open(Settings(data=str(tmp_path / "data")), clock=clock) as opened:
        yield opened


def order(number=1, user="u1", **changes):
    """An order of a customer."""
    return Write(f"o-{number}", user, "", "order", ORDER | {"order_id": str(1000 + number)} | changes, "ID")


def ask(*records, fields=("name", "phone"), purpose="delivery", case_id="", order_id="1001"):
    """A reveal for a courier."""
    return RevealAsk(records or ("o-1",), fields, purpose, case_id, order_id)


def reveal(shop, caller, asked, request_id=""):
    """The whole story of a reveal, with the real engine."""
    pending = shop.vault.reveals.prepare(caller, asked, request_id)
    if isinstance(pending, RevealRequest):
        return pending
    decisions = [shop.decide(event).decision for event in pending.events]
    return shop.vault.reveals.finish(caller, pending, decisions)


def deeds(shop):
    """The words of the audit log, in order."""
    return [
        line.deed for line in shop.records.read(lambda each: shop.trail.read(each, after_seq=0, limit=500))
    ]
