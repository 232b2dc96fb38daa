"""Killed in the middle of deeds, again and again: no order, advisory or set is ever half of anything.

A process places, releases, advises, fills and lets out as fast as it can and is killed; the next one goes on with the same
store. After each death every answered deed is there, an advisory is whole, a sealed set is what its digest says, what the
journal leads to is what the rows say is in force, decisions agree with both, and the audit log is intact.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ordering import pays
from serving import POLICY
from shopward.cli.audit import audit
from shopward.config import Settings
from shopward.errors import NotFound
from shopward.flows.advise import advisory_id
from shopward.protection.sets import SetStore
from shopward.service import TENANT, Shopward
from shopward.values import digest16

ROUNDS = int(os.environ.get("SHOPWARD_TEST_KILLS", "2"))
WORKER = Path(__file__).with_name("deeds_worker.py")


def lines_until_killed(data, database, seed):
    """What it said before it was killed, after some deeds and a part of one more."""
    rng = random.Random(seed)
    paths = [str(WORKER.parents[1]), *sys.path]
    worker = subprocess.Popen(
        [sys.executable, str(WORKER), data, database, str(seed)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    said = []
    for line in worker.stdout:
        said.append(line.split())
        if len(said) > rng.randrange(12, 40):
            break
    worker.send_signal(signal.SIGKILL)
    said += [line.split() for line in worker.stdout if line.endswith("\n")]
    worker.wait(timeout=120)
    worker.stdout.close()
    return said


def in_force_by_journal(shop):
    """What the journal leads to."""
    standing, after = set(), 0
    while changes := shop.overseer.changes(after):
        for change in changes:
            after += 1
            assert change.version == after  # without a gap
            if change.kind == "begin":
                standing.add(change.order_id)
            elif change.kind == "end":
                standing.remove(change.order_id)
    return standing


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_is_half_done(database, tmp_path, seed):
    """Two deaths on one store, and what the third process finds."""
    data = str(tmp_path / "data")
    said = [line for life in (0, 1) for line in lines_until_killed(data, database, seed * 2 + life)]
    settings = Settings(data=data, policy=str(POLICY), database=database)
    with Shopward.open(settings) as shop:
        sets = SetStore(TENANT)
        rows = {each.id: each for each in shop.overseer.newest(state=None, before=None, limit=10_000)}
        assert {each.id for each in rows.values() if each.state == "active"} == in_force_by_journal(shop)
        for _done, _number, deed, what in (line for line in said if line[0] == "done"):
            if what.startswith("o-"):
                assert what in rows
            if deed == "end_advisory" and what.startswith("ad-"):
                assert [each.state for each in shop.advisories.get(what).orders] == ["cancelled", "cancelled"]
        for name in (f"{life}-{number}" for life in range(seed * 2, seed * 2 + 2) for number in range(4)):
            try:
                parts = shop.advisories.get(advisory_id("apple", name)).orders
            except NotFound:
                continue
            assert len(parts) == 2
        for each in shop.victims.newest(name=None, limit=100):
            if each.state == "sealed":
                pages = shop.records.read(
                    lambda connection, held=each: b"".join(sets.pages(connection, held.id))
                )
                assert (len(pages), digest16(pages)) == (each.users * 16, each.digest)
        answer = shop.decide(pays(1, "0-1"))
        assert set(answer.orders) <= {each.id for each in rows.values() if each.state == "active"}
        assert {each.id for each in shop.desk.engine.orders.orders} == in_force_by_journal(shop)
    verified = CliRunner().invoke(audit, ["verify", "--data", data, "--database", database])
    assert (verified.exit_code, verified.stdout[:6]) == (0, "intact"), verified.output
