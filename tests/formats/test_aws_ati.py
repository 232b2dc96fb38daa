from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.adapters.formats import Imported, Source, read_aws_ati, with_label_events
from shopward.cli.import_ import import_
from shopward.errors import BadInput, MalformedInput
from shopward.events import canonical_bytes, decode_event

HEADER = (
    "EVENT_ID,ENTITY_ID,ENTITY_TYPE,EVENT_TIMESTAMP,EVENT_LABEL,LABEL_TIMESTAMP,ip,useragent,fp,session_id,"
    "are_credentials_valid\n"
)
FRAUD = 'e1,budi,user,2026-02-03T12:43:30Z,fraud,2026-02-20T00:00:00Z,192.0.2.9,"Mozilla/5.0 (X11, like)",f9,s7,true\n'
LEGIT = "e2,ani,user,2026-02-03T12:44:00Z,legit,2026-02-05T00:00:00Z,192.0.2.10,curl,,,False\n"
BARE = "e3,unknown,user,2026-02-03T12:45:00Z,,,192.0.2.11,curl,,,0\n"


def test_a_row_is_a_login(written, split):
    """Address, agent, device, session and status are there, and nothing of the label."""
    [event], labels, refused = split(read_aws_ati(Source(written("a.csv", HEADER + FRAUD))))
    assert refused == []
    assert (event.id, event.type, event.status, event.user.id) == ("e1", "login", "succeeded", "budi")
    assert event.time == datetime(2026, 2, 3, 12, 43, 30, tzinfo=UTC)
    assert (event.context.ip, event.context.device_id, event.session.id) == ("192.0.2.9", "f9", "s7")
    assert event.context.user_agent == "Mozilla/5.0 (X11, like)"
    assert labels == {"e1": "fraud"}
    assert b"fraud" not in canonical_bytes(event)


def test_a_sparse_row_gives_no_empty_fields(written, split):
    """An unknown entity is a login of no account; credentials that were not valid are a failure."""
    [event], labels, _ = split(read_aws_ati(Source(written("a.csv", HEADER + BARE))))
    assert canonical_bytes(event) == (
        b'{"id":"e3","type":"login","status":"failed","time":"2026-02-03T12:45:00Z",'
        b'"context":{"ip":"192.0.2.11","user_agent":"curl"}}'
    )
    assert labels == {}


def test_labels_stand_at_their_own_time(written):
    """A label event comes when the label was known, and says genuine where it is."""
    items = read_aws_ati(Source(written("a.csv", HEADER + FRAUD + LEGIT + BARE)))
    events = [item.event for item in with_label_events(items, delay_ms=1) if isinstance(item, Imported)]
    assert [(event.id, event.status) for event in events[3:]] == [
        ("e2-label", "genuine"),
        ("e1-label", "fraud"),
    ]
    assert events[4].time == datetime(2026, 2, 20, tzinfo=UTC)


def test_other_names_of_the_variables_are_known(written, split):
    """The format lets everyone name variables; the usual names are found, other columns passed over."""
    header = "shoe_size,EVENT_TIMESTAMP,ENTITY_ID,ip_address,user_agent,valid_cred\n"
    events, _, refused = split(
        read_aws_ati(Source(written("a.csv", header + "43,2026/02/03 12:43:30,budi,192.0.2.9,curl,1\n")))
    )
    assert refused == []
    assert (events[0].id, events[0].status) == ("ati-2", "succeeded")
    assert events[0].time == datetime(2026, 2, 3, 12, 43, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelt", ["2026-02-03T12:43:30Z", "2026/02/03 12:43:30", "02/03/2026 12:43:30", "02/03/26 12:43:30", "02/03/2026 12:43:30 PM"]
)  # fmt: skip
def test_every_spelling_of_a_time_of_that_format_is_read(written, split, spelt):
    """One moment, however it is written."""
    path = written("a.csv", HEADER + FRAUD.replace("2026-02-03T12:43:30Z", spelt))
    [event], _, _ = split(read_aws_ati(Source(path)))
    assert event.time == datetime(2026, 2, 3, 12, 43, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("2026-02-03T12:43:30Z", "yesterday", "EVENT_TIMESTAMP"),
        ("2026-02-20T00:00:00Z", "later", "LABEL_TIMESTAMP"),
        ("192.0.2.9", "192.0.2.900", "context.ip"),
        ("s7,true", "s7,maybe", "credentials valid"),
    ],
)
def test_a_bad_cell_refuses_its_row_alone(written, split, old, new, path):
    """The refusal names the column, never the value; the next row is read."""
    events, _, [refusal] = split(
        read_aws_ati(Source(written("a.csv", HEADER + FRAUD.replace(old, new) + LEGIT)))
    )
    assert [event.id for event in events] == ["e2"]
    assert (refusal.line, refusal.error.path) == (2, path)
    assert new not in str(refusal.error)


@pytest.mark.parametrize(
    "missing", ["ip", "useragent", "are_credentials_valid", "EVENT_TIMESTAMP", "ENTITY_ID"]
)
def test_a_column_that_has_to_be_there_is_told(written, missing):
    """Which names would do is in the refusal."""
    header = ",".join("other" if name == missing else name for name in HEADER.strip().split(",")) + "\n"
    with pytest.raises(MalformedInput) as caught:
        list(read_aws_ati(Source(written("a.csv", header + FRAUD))))
    assert missing in (caught.value.expected or "")


def test_the_command_writes_events_and_labels(written, tmp_path):
    """As an analyst types it; the words for fraud are a choice."""
    labels = tmp_path / "labels.csv"
    path = written("a.csv", HEADER + FRAUD.replace(",fraud,", ",Stolen,") + LEGIT)
    words = ["aws-ati", str(path), "--labels", str(labels), "--fraud-label", "stolen"]
    done = CliRunner().invoke(import_, words)
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["e1", "e2"]
    assert labels.read_text() == "event_id,label\ne1,fraud\ne2,genuine\n"


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(st.sampled_from(["", "-", "true", "fraud", "2026-02-03", "192.0.2.1", '"', "x" * 300, "unknown", "9999-12-31"]), min_size=11, max_size=11), max_size=6))  # fmt: skip
def test_no_cells_break_it(rows, tmp_path_factory):
    """Whatever stands there is a valid event or a refusal."""
    path = tmp_path_factory.mktemp("ati") / "a.csv"
    path.write_text(HEADER + "".join(",".join(row) + "\n" for row in rows))
    try:
        for item in with_label_events(read_aws_ati(Source(path)), delay_ms=86_400_000):
            if isinstance(item, Imported):
                assert decode_event(canonical_bytes(item.event))
    except BadInput:
        pass
