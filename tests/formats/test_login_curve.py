"""The command of docs/login-curve.md, on made logins and on the first rows of the real set."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "login_curve.py"
HEADER = (
    "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,User Agent String,"
    "Browser Name and Version,OS Name and Version,Device Type,Login Successful,Is Attack IP,Is Account Takeover\n"
)


@pytest.fixture(scope="module")
def script():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("login_curve", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["login_curve"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def points(script):
    """The curve of made logins, by attacker, rate and size of history."""
    lines = list(script.curve(script.made(400, 3), users_max=400, seed=3))
    return {(line["attacker"], line["stopped"], line["logins"]): line["asked_again_median"] for line in lines}


def test_who_knows_more_of_the_victim_costs_customers_more(points):
    """At one rate, stopping a targeted attacker asks customers at least as often as a naive one."""
    for rate in (0.98, 0.995):
        assert points["naive", rate, 12] <= points["vpn", rate, 12] <= points["targeted", rate, 12]


def test_stopping_more_asks_more_often(points):
    """The curve rises with the share that is stopped, for every attacker and history."""
    for attacker in ("naive", "vpn", "targeted"):
        for size in (4, 12, 20):
            asked = [points[attacker, rate, size] for rate in (0.98, 0.99, 0.995, 0.999)]
            assert asked == sorted(asked)
            assert asked[0] >= 0
            assert asked[-1] <= 1


def test_a_takeover_of_the_file_is_an_attack_and_no_login_of_the_customer(script, tmp_path):
    """Rows of the set are read by its columns; a marked row gives points of its own and teaches nothing."""
    rows = [
        f"{number},2020-02-03 12:43:{number:02}.000,7,,10.0.0.1,NO,-,-,2119,Mozilla,Chrome 80,Windows 10,desktop,True,False,False\n"
        for number in range(5)
    ]
    taken = "9,2020-02-09 12:00:00.000,7,,11.0.0.1,BR,-,-,9999,Opera,Opera 9,Linux,desktop,True,True,True\n"
    path = tmp_path / "rba.csv"
    path.write_text(HEADER + "".join(rows) + taken)
    logins = list(script.read(path))
    assert [login.is_takeover for login in logins] == [False] * 5 + [True]
    lines = list(script.curve(logins, users_max=10, seed=1))
    taken_over = [line for line in lines if line["attacker"] == "takeover"]
    assert {line["attacks"] for line in taken_over} == {1}
    assert {line["asked_again_median"] for line in taken_over} == {0.0}


def test_the_command_runs_on_the_first_rows_of_the_set(shared_data):
    """The header and the cells of the published file are read; so few rows give no point or a few."""
    path = shared_data("logins-rba-sample/rba_first_rows.csv")
    done = subprocess.run([sys.executable, SCRIPT, "--csv", path], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        assert json.loads(line)["attacker"] in {"naive", "vpn", "targeted", "takeover"}
