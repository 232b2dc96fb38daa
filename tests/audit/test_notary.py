"""The server signs the audit log by itself, and what it signed can be kept, and held against it, elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import msgspec
from sqlalchemy import delete

from ordering import ANNA, asked
from outbox.reading import owed
from protection.conftest import clock, database, lite, shop  # noqa: F401 -- fixtures
from serving import Server
from shopward.audit import import_checkpoint, verify
from shopward.audit.tables import audit_checkpoint, audit_entry
from shopward.values import DAY_MS, HOUR_MS

LATER = "2026-02-08T00:00:00Z"


def signed(shop):  # noqa: F811
    """What the shop was owed to keep."""
    return [payload for topic, _subject, payload in owed(shop) if topic == "audit.checkpoint"]


def place(shop):  # noqa: F811
    """A deed."""
    shop.protection.place(ANNA, asked(ends_at=LATER))


def test_a_day_on_which_something_was_done_is_signed_once(shop):  # noqa: F811
    """Nothing done, nothing signed; then one a day, however often it is looked; a clock that was ahead holds up none."""
    notary = shop.notary
    assert (notary.sign_if_due(), notary.newest()) == (False, None)
    place(shop)
    assert [notary.sign_if_due() for _look in range(3)] == [True, False, False]
    shop.clock.advance(DAY_MS)
    assert not notary.sign_if_due()
    place(shop)
    assert notary.sign_if_due()
    shop.clock.advance(DAY_MS - HOUR_MS)
    place(shop)
    assert not notary.sign_if_due()
    shop.clock.advance(-5 * DAY_MS)
    assert notary.sign_if_due()
    assert sorted(each["seq"] for each in signed(shop)) == [3, 6, 9]


def test_what_was_told_finds_a_tail_that_is_cut_off(shop):  # noqa: F811
    """The fields of the message are the file; held against the log they say that it is whole, and that it no longer is."""
    place(shop)
    shop.notary.sign_if_due()
    (fields,) = signed(shop)
    assert fields == msgspec.to_builtins(shop.notary.newest())
    kept = import_checkpoint(msgspec.json.encode(fields))

    def report():
        return shop.records.read(lambda connection: verify(connection, public_key=kept.key, checkpoint=kept))

    assert report().fault is None
    seq = fields["seq"]
    shop.records.write(
        lambda connection: connection.execute(delete(audit_entry).where(audit_entry.c.seq >= seq))
    )
    shop.records.write(lambda connection: connection.execute(delete(audit_checkpoint)))
    assert report().fault is not None


def test_another_machine_can_fetch_and_verify(tmp_path):
    """The server signs beside its work; the file of the call is what ``audit verify`` takes."""
    data = tmp_path / "data"
    with Server(data) as server:
        assert server.get("/v1/audit/checkpoint")[0] == 404
        order = {
            "kind": "freeze", "scope": ["login"], "target": {"user": "u1"}, "reason": "takeover",
            "review_at": "2027-01-08T00:00:00Z",
        }  # fmt: skip
        assert server.post("/v1/orders", order)[0] == 201
    with Server(data, key=server.key) as again:
        until = time.monotonic() + 180
        while (answer := again.get("/v1/audit/checkpoint"))[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
    file = tmp_path / "elsewhere.json"
    file.write_bytes(answer[1])
    command = [
        sys.executable,
        "-m",
        "shopward",
        "audit",
        "verify",
        "--data",
        str(data),
        "--checkpoint",
        str(file),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], report["held_against_seq"]) == (
        0,
        True,
        json.loads(answer[1])["seq"],
    )
