"""Backtests as an analyst runs them: over a store's log, beside a running server, and over files."""

from __future__ import annotations

import json

import pytest

from serving import POLICY, Server
from shopward.adapters.sql import SqlEventLog
from shopward.flows.replay import Replay
from shopward.risk.policy import Policy, load_default_policy, load_policy

KINDS = ("allow", "review", "challenge", "deny")


def account(done):
    """The JSON of a command that went well."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_policy_that_wrote_a_log_gives_its_decisions_again(recorded, command):
    """No decision, score or reason differs, and every event of the log is looked at."""
    data = recorded()
    report = account(command("backtest", "--data", data, "--json"))
    assert report["differs"] == 0
    assert report["changes"] == []
    assert report["events"] > 1_000
    assert report["total"]["events"] > 0
    assert report["decisions"]["allow"] < report["events"]


def test_a_log_is_read_beside_its_server_and_not_changed(tmp_path, stream, command):
    """The server decides before, during and after; its store ends where it ended."""
    data = tmp_path / "data"
    with Server(data) as server:
        body = "".join(json.dumps(event) + "\n" for event in stream[:500]).encode()
        assert server.post("/v1/decisions/batch", body, "application/x-ndjson")[0] == 200
        before = rows(data)
        report = account(command("backtest", "--data", data, "--policy", POLICY, "--json"))
        assert rows(data) == before
        assert server.decide(stream[600])[0] == 200
    assert report["events"] == 500
    assert report["differs"] == 0


def rows(data):
    log = SqlEventLog.open_to_read(f"sqlite:///{data / 'shopward.db'}")
    try:
        return log.last_seq(), [entry.digest for entry in log.read(after_seq=0, limit=10_000)]
    finally:
        log.close()


def test_another_policy_says_what_would_change(recorded, command, small_policy):
    """A stricter rule: more alerts, named as new, with counts, users and examples; nothing of a person."""
    data = recorded(POLICY)
    stricter = small_policy(
        ("f.user_failures_1h >= 4", "f.user_failures_1h >= 1"), ("version = 1", "version = 2")
    )
    done = command("backtest", "--data", data, "--policy", stricter, "--json")
    report = account(done)
    rule = next(each for each in report["rules"] if each["rule"] == "many_failures")
    assert report["policy"] == "small@2"
    assert rule["new"] > 0
    assert rule["alerts"]["events"] >= rule["new"]
    assert rule["overlap"].get("many_failures", 0) <= rule["alerts"]["events"]
    assert sum(change["events"] for change in report["changes"]) <= report["differs"]
    assert all(change["examples"] for change in report["changes"])
    for private in ("10.", "192.", "ShopApp", "Jakarta"):
        assert private not in done.stdout.replace(str(data), "")


def test_the_figures_of_files_are_those_of_a_replay(stream_file, stream, command, tmp_path):
    """Alerts, users, precision and recall recomputed by hand from the replay and a file of labels."""
    records = {
        facts.id: (facts, record)
        for facts, record in Replay(Policy(load_default_policy())).run(
            json.dumps(each).encode() for each in stream
        )
    }
    alerted = {event_id for event_id, (_facts, record) in records.items() if record.decision != "allow"}
    fraud = {event["id"] for number, event in enumerate(stream) if number % 7 == 0}
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "event_id,label,note\n" + "".join(f"{event_id},attack,x\n" for event_id in sorted(fraud))
    )
    report = account(command("backtest", stream_file, "--labels", labels, "--label-delay", "0", "--json"))
    assert report["total"]["events"] == len(alerted)
    assert report["decisions"] == {
        kind: sum(record.decision == kind for _facts, record in records.values()) for kind in KINDS
    }
    units = {}
    for event_id, (facts, _record) in records.items():
        unit = (facts.type, facts.transaction) if facts.transaction else event_id
        units.setdefault(unit, set()).add(event_id)
    fraud_units = {unit for unit, ids in units.items() if ids & fraud}
    # a label by event speaks of its transaction's other events only where the stream told the transaction with it
    caught = {unit for unit in fraud_units if units[unit] & alerted}
    touched = {unit for unit, ids in units.items() if ids & alerted}
    assert report["total"]["fraud"] == len(caught)
    assert report["total"]["precision"] == pytest.approx(len(caught) / len(touched), abs=1e-4)
    assert report["total"]["recall"] == pytest.approx(len(caught) / len(fraud_units), abs=1e-4)


def test_a_label_of_a_file_counts_from_when_it_was_known(stream_file, stream, command, tmp_path):
    """Known by the end of the stream, it is fraud; known a year later, it is not told yet."""
    last = max(each["time"] for each in stream)
    labels = tmp_path / "labels.csv"

    def fraud(labelled_at):
        rows = "".join(f"{each['id']},attack,{labelled_at}\n" for each in stream)
        labels.write_text("event_id,label,labelled_at\n" + rows)
        told = account(command("backtest", stream_file, "--labels", labels, "--label-delay", "0", "--json"))
        return told["total"]["fraud"]

    assert fraud("") == fraud(last) > 0
    assert fraud("2036-01-01T00:00:00Z") == 0


def test_files_are_compared_with_a_policy_that_is_given(stream_file, command):
    """The same policy twice differs nowhere; without one nothing is compared."""
    same = account(command("backtest", stream_file, "--policy", POLICY, "--against", POLICY, "--json"))
    assert same["differs"] == 0
    assert same["compared_with"] == Policy(load_policy(POLICY)).version
    alone = account(command("backtest", stream_file, "--policy", POLICY, "--json"))
    assert alone["differs"] is None
    assert [rule["new"] for rule in alone["rules"]] == [None, None]


def test_the_table_has_the_figures_of_the_json(stream_file, command):
    """What a person reads: the period, decisions, each rule that fired, and those that never did."""
    done = command("backtest", stream_file, "--policy", POLICY)
    assert done.exit_code == 0
    for word in ("small@1 over", "decisions: allow", "per day", "precision", "never fired: ", "examples"):
        assert word in done.stdout
    assert done.stderr == ""


def test_bad_lines_are_told_and_the_rest_is_counted(stream, command, tmp_path):
    """Exit code 1, the account all the same."""
    path = tmp_path / "bad.ndjson"
    path.write_text(json.dumps(stream[0]) + "\nnonsense\n" + json.dumps(stream[1]) + "\n")
    done = command("backtest", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["events"] == 2
    assert "1 lines were refused" in done.stderr


@pytest.mark.parametrize(
    "words",
    [(), ("x.ndjson", "--data", "d"), ("nowhere.ndjson",), ("--data", "d", "--against", POLICY)],
    ids=["nothing", "both", "no such file", "against a log"],
)
def test_wrong_use_is_told(words, command):
    """Exit code 2 and a sentence, nothing opened."""
    assert command("backtest", *words).exit_code == 2


def test_a_folder_without_a_log_is_not_made_one(command, tmp_path):
    """Looking does not create a store."""
    done = command("backtest", "--data", tmp_path / "empty")
    assert done.exit_code == 1
    assert not (tmp_path / "empty").exists()


def test_a_bad_row_of_parquet_spoils_no_other(stream, command, tmp_path):
    """Flat columns under dotted names; the row without a type is told with its number, the others are counted."""
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    rows = [
        {
            "id": event["id"],
            "type": event["type"],
            "status": event["status"],
            "time": event["time"],
            "user.id": "u1",
        }
        for event in stream[:5]
    ]
    rows[2]["type"] = None
    path = tmp_path / "events.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    done = command("backtest", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["events"] == 4
    assert "row 3" in done.stderr
