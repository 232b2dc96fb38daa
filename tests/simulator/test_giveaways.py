from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from shopward.testing import ShopSimulator

HIGHEST_AUC = 0.70
# Fan-in to a payee is itself what row 17 of the catalogue is about; a transfer's payee may therefore say something.
FAN_IN = {("wallet_transfer", "payee_popularity")}


def load():
    """The helper beside this file, which is no test module."""
    path = Path(__file__).with_name("separability.py")
    spec = importlib.util.spec_from_file_location("separability", path)
    module = sys.modules["separability"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def aucs():
    """The AUC of every (type, raw field) over eight worlds together."""
    worlds = []
    for seed in range(1, 9):
        simulator = ShopSimulator(seed=seed, users=2_000, days=30)
        worlds.append((list(simulator), {label.event_id: label.label for label in simulator.labels()}))
    return load().worst_fields(worlds)


def test_no_raw_field_separates(aucs):
    """No field alone tells attacked units from honest ones better than an AUC of 0.70 on users not looked at."""
    telling = {at: round(auc, 3) for at, auc in aucs.items() if auc > HIGHEST_AUC and at not in FAN_IN}
    assert not telling


def test_the_units_were_looked_at(aucs):
    """The units that are scored had enough attacks to be judged."""
    judged = {kind for kind, _ in aucs}
    assert judged >= {"login", "payment", "gift_card_redeem", "phone_change", "address_add", "otp"}


def test_the_measure_can_fail():
    """A field that gives attackers away would be found."""
    separability = load()
    users = [f"u{n}" for n in range(400)]
    guilty = [n % 8 == 0 for n in range(400)]
    told = separability.held_out_auc(["bad" if g else "good" for g in guilty], guilty, users)
    untold = separability.held_out_auc([n % 3 for n in range(400)], guilty, users)
    assert told == 1.0
    assert untold < 0.65
