"""Commands as a person runs them: real processes, exit codes, streams."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def shopward(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "shopward", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


LOGIN = {
    "id": "e-1",
    "type": "login",
    "status": "failed",
    "time": "2026-01-05T00:00:00Z",
    "user": {"id": "u"},
}


def test_the_demo_tells_what_happened_and_ends_well() -> None:
    """The bundled week goes through the real server: three attacks, each stopped, and an exit code of 0."""
    done = shopward("demo")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "events decided in" in text
    for attack in ("distributed_stuffing-0", "linked_drain-1", "insider-2"):
        line = next(line for line in text.splitlines() if f"attack {attack}" in line)
        assert "first stopped at its event" in line
    for kind in ("stuffing", "linked_drain"):
        assert f"campaign found: {kind}" in text
    assert "orders in force: 1" in text
    assert "from the first attack event to the first notice:" in text
    told = next(line for line in text.splitlines() if line.startswith("notices: "))
    assert not told.startswith("notices: 0")


def test_replay_decides_each_line_and_names_the_bad_ones() -> None:
    """Good lines are decided in order, a bad one is named on standard error, and the exit code says that one was bad."""
    lines = [json.dumps(LOGIN), "{", json.dumps(LOGIN | {"id": "e-2"}), json.dumps(LOGIN)]
    done = shopward("replay", "-", stdin="\n".join(lines).encode())
    assert done.returncode == 1
    decisions = [json.loads(line) for line in done.stdout.splitlines()]
    assert [decision["event_id"] for decision in decisions] == ["e-1", "e-2"]
    assert {"event_id", "decision", "score", "reasons"} <= decisions[0].keys()
    assert b"refused" in done.stderr
    assert b"1 events repeated an id" in done.stderr


def test_since_limits_the_output_only() -> None:
    """Events before the time are applied and not printed."""
    later = LOGIN | {"id": "e-2", "time": "2026-01-06T00:00:00Z"}
    done = shopward(
        "replay", "-", "--since", "2026-01-06", stdin=f"{json.dumps(LOGIN)}\n{json.dumps(later)}".encode()
    )
    assert [json.loads(line)["event_id"] for line in done.stdout.splitlines()] == ["e-2"]
    assert shopward("replay", "-", "--since", "yesterday").returncode == 2


def test_what_was_simulated_can_be_replayed(tmp_path: Path) -> None:
    """The product's own simulator writes files that its own replay reads, the same bytes for the same seed."""
    for name in ("a", "b"):
        assert (
            shopward("simulate", "--out", str(tmp_path / name), "--users", "60", "--days", "3").returncode
            == 0
        )
    first, second = ((tmp_path / name / "events.ndjson.gz").read_bytes() for name in ("a", "b"))
    assert first == second
    done = shopward("replay", str(tmp_path / "a" / "events.ndjson.gz"), "--out", str(tmp_path / "decisions"))
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "code"), [(("policy", "check"), 0), (("policy", "test"), 0), (("nonsense",), 2)]
)
def test_exit_codes_are_those_of_the_contract(arguments: tuple[str, ...], code: int) -> None:
    """0 done, 2 wrong use."""
    assert shopward(*arguments).returncode == code


def test_a_policy_that_is_wrong_says_where(tmp_path: Path) -> None:
    """One clear message with the place, no traceback; as JSON where asked for."""
    (tmp_path / "policy.toml").write_text(
        'name = "mine"\nversion = 1\n[score_text]\nid="a"\nzh="b"\nen="c"\n'
    )
    (tmp_path / "features.toml").write_text("")
    (tmp_path / "rules").mkdir()
    rule = '[[rule]]\nname="bad"\ndescription="d"\nwhen=\'type == "lgoin"\'\n[rule.text]\nid="a"\nzh="b"\nen="c"\n'
    (tmp_path / "rules" / "a.toml").write_text(rule)
    done = shopward("policy", "check", "--policy", str(tmp_path))
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"rule bad: when" in done.stderr
    told = shopward("policy", "check", "--policy", str(tmp_path), "--json")
    assert (told.returncode, json.loads(told.stdout)["ok"]) == (1, False)


def test_replay_writes_the_campaigns_that_it_found(tmp_path: Path) -> None:
    """One line a campaign, with its reach and the events that made its members."""
    events = [
        {
            "id": f"e{n}", "type": "login", "status": "failed", "time": f"2026-01-05T01:{n:02}:00Z",
            "user": {"id": f"u{n}"}, "context": {"ip": "203.0.113.7", "device_id": "d1"},
        }
        for n in range(20)
    ]  # fmt: skip
    stream, found = tmp_path / "events.ndjson", tmp_path / "campaigns.ndjson"
    stream.write_text("".join(json.dumps(event) + "\n" for event in events))
    done = shopward("replay", str(stream), "--out", str(tmp_path / "out.ndjson"), "--campaigns", str(found))
    assert done.returncode == 0, done.stderr
    (campaign,) = [json.loads(line) for line in found.read_text().splitlines()]
    assert campaign["kind"] == "stuffing"
    assert campaign["state"] == "live"
    assert campaign["accounts"] == len(campaign["members"]) == 20
    assert {member["event_id"] for member in campaign["members"]} == {event["id"] for event in events}
