"""The reader of the published page reads a store of ours with no code of ours."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from shopward.config import Settings
from shopward.flows.complain import Complained
from shopward.service import Shopward
from vault.conftest import ORDER, SHOP, order
from vault.test_store import put_apart

PAGE = Path(__file__).parents[2] / "docs" / "vault-envelope.md"


@pytest.mark.parametrize("width", ["customer", "shop"])
def test_the_published_reader_reads_the_vault(width, clock, tmp_path, monkeypatch):
    """Its values are the ones that were put, of both widths and forms; it is short and imports nothing of Shopward."""
    settings = Settings(data=str(tmp_path / "data"), vault_keys=width)
    (source,) = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert "shopward" not in source.replace("vault of Shopward", "").replace("shopward.db", "")
    assert len(source.splitlines()) < 98
    with Shopward.open(settings, clock=clock) as shop:
        shop.vault.custody.put(SHOP, [order(), order(2, phone="13800138000")])
        put_apart(shop, "o-2", ORDER | {"order_id": "1002", "phone": "13800138000"})
        complaint = shop.complaints.file(SHOP, Complained("u1", "service", "nobody answers"))
        subject = shop.vault.room.subject("u1")
    msgpack = ModuleType("msgpack")
    msgpack.unpackb = msgspec.msgpack.decode
    monkeypatch.setitem(sys.modules, "msgpack", msgpack)
    reader = {"__name__": "reader"}
    exec(compile(source, "reader.py", "exec"), reader)  # noqa: S102 -- the page's own source
    found = dict(reader["read"](tmp_path / "data", subject))
    assert found == {
        "o-1": ORDER,
        "o-2": ORDER | {"order_id": "1002", "phone": "13800138000"},
        complaint.id: {"complaint": "nobody answers"},
    }
