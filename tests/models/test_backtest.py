"""A backtest with a model in force: a server that decided with one is run again with it."""

from __future__ import annotations

import json

from click.testing import CliRunner

from shopward.cli import main
from shopward.config import Settings
from shopward.risk.models import pack
from shopward.service import Shopward
from shopward.values import ManualClock

LATER_MS = 1_900_000_000_000


def test_a_log_decided_with_a_model_is_the_same_with_it_and_another_without(bundle, stream, tmp_path):
    """0 differences with the bundle, and scores that differ without."""
    path = tmp_path / "payment.model"
    path.write_bytes(pack(bundle))
    data = tmp_path / "data"
    with Shopward.open(Settings(data=str(data), model=str(path)), clock=ManualClock(LATER_MS)) as shopward:
        for start in range(0, 3_000, 500):
            shopward.desk.decide(stream[start : start + 500])

    def differs(*words):
        done = CliRunner().invoke(main, ["policy", "backtest", "--data", str(data), "--json", *words])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["differs"]

    assert differs("--model", str(path)) == 0
    assert differs() > 0
