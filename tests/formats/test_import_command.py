from __future__ import annotations

import gzip
import json

import pytest
from click.testing import CliRunner

from shopward.cli.import_ import import_
from shopward.errors import MalformedInput, Misconfigured

HEADER = "ts,pid,account,src_ip,success,unknown_account,repeat,weak_label_attack\n"
GOOD = "2026-12-10 06:55:48,1,webmaster,192.0.2.31,False,True,2,True\n"
BAD = "2026-12-10 06:55:49,2,root,192.0.2.3x,False,False,1,True\n"


@pytest.fixture
def run():
    """A function that runs the command and gives its result."""
    return lambda *words, stdin=None: CliRunner().invoke(import_, [str(word) for word in words], input=stdin)


def test_events_go_to_standard_output(run, written):
    """One event a line on standard output, the count on standard error, exit code 0."""
    done = run("csv", written("o.csv", HEADER + GOOD), "--map", "loghub-openssh")
    assert done.exit_code == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [
        "loghub-openssh-2",
        "loghub-openssh-2.1",
    ]
    assert done.stderr == "2 events\n"


def test_refused_rows_are_told_and_the_good_ones_written(run, written, tmp_path):
    """The refusal has its line, expected and found; the exit code is 1; the good rows are in the file."""
    out = tmp_path / "events.ndjson.gz"
    done = run("csv", written("o.csv", HEADER + BAD + GOOD), "--map", "loghub-openssh", "--out", out)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "line 2: not an IP address" in done.stderr
    assert "expected" in done.stderr
    assert "found" in done.stderr
    assert len(gzip.decompress(out.read_bytes()).splitlines()) == 2
    assert not list(tmp_path.glob("*.partial"))


def test_equal_input_gives_equal_bytes(run, written, tmp_path):
    """Two runs write the same archive."""
    path = written("o.csv", HEADER + GOOD)
    for name in ("a.gz", "b.gz"):
        run("csv", path, "--map", "loghub-openssh", "--out", tmp_path / name)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_labels_go_to_their_own_file(run, written, tmp_path):
    """``--labels`` writes them apart; the events have none until ``--label-events``."""
    labels = tmp_path / "labels.csv"
    words = ("csv", written("o.csv", HEADER + GOOD), "--map", "loghub-openssh", "--labels", labels)
    done = run(*words)
    assert '"label"' not in done.stdout
    assert labels.read_text() == "event_id,label\nloghub-openssh-2,attack\nloghub-openssh-2.1,attack\n"
    done = run(*words, "--label-events", "--label-delay", "12h")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events] == ["login", "login", "label", "label"]
    assert events[2]["time"] == "2026-12-10T18:55:48Z"
    assert labels.read_text().count("\n") == 3


def test_standard_input_is_a_file_too(run):
    """``-`` reads standard input."""
    line = "2026-01-05T00:07:12Z shop sshd[1]: Failed password for root from 192.0.2.1 port 1 ssh2\nhello\n"
    done = run("sshd", "-", stdin=line)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["user"] == {"id": "root", "known": True}
    assert "line 2" in done.stderr


def test_a_damaged_archive_keeps_what_came_before(run, written, tmp_path):
    """Good rows before the damage are in the file; the error leaves to the caller."""
    packed = gzip.compress((HEADER + GOOD * 30_000).encode())
    out = tmp_path / "e.ndjson"
    done = run("csv", written("o.csv.gz", packed[:-20]), "--map", "loghub-openssh", "--out", out)
    assert isinstance(done.exception, MalformedInput)
    assert out.read_text().count("\n") > 1_000


@pytest.mark.parametrize(
    "words",
    [
        ("rba", "no-such-file"),
        ("csv", "-", "--map", "nope"),
        ("csv", "-"),
        ("rba", "-", "--label-delay", "soon"),
        ("sshd", "-", "--zone", "Nowhere/Land"),
        ("rba", "-", "--out", "e.ndjson.zst"),
        ("xml", "-"),
    ],
)
def test_wrong_use_is_told_as_such(run, words):
    """Wrong words end with click's 2 or with ``Misconfigured``, which the command line turns into 2."""
    done = run(*words, stdin="")
    assert done.exit_code == 2 or isinstance(done.exception, Misconfigured)


@pytest.mark.parametrize("words", [(), ("rba",), ("sshd",), ("csv",)])
def test_help_has_examples(run, words):
    """Every help shows examples, one a line."""
    shown = run(*words, "--help").stdout
    assert "Examples:\n    shopward import" in shown


def test_the_published_rows_import_from_the_command(run, shared_data):
    """19 rows in, 19 events out."""
    done = run("rba", shared_data("logins-rba-sample/rba_first_rows.csv"))
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 19
