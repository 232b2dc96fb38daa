from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shopward.adapters.formats import Source, read_rba, with_label_events
from shopward.errors import BadInput, MalformedInput
from shopward.events import canonical_bytes, decode_event

HEADER = (
    "index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,User Agent String,"
    "Browser Name and Version,OS Name and Version,Device Type,Login Successful,Is Attack IP,Is Account Takeover\n"
)
GOOD = '7,2021-03-01 10:00:00.250,-17,88.0,192.0.2.9,NO,Viken,Oslo,64500,"Mozilla/5.0 (X11, like)",Chrome 1,Linux,desktop,True,False,True\n'
SPARSE = "8,2021-03-01 10:00:01,-18,,192.0.2.10,NO,-,-,64500,,-,,mobile,False,True,False\n"


def test_a_row_is_a_login(written, split):
    """Every column that an event has a place for is there, and nothing of the attack columns."""
    [event], labels, refused = split(read_rba(Source(written("r.csv", HEADER + GOOD))))
    assert refused == []
    assert (event.id, event.type, event.status, event.user.id) == ("rba-7", "login", "succeeded", "-17")
    assert event.time == datetime(2021, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert (event.context.ip, event.context.asn, event.context.country) == ("192.0.2.9", 64500, "NO")
    assert (event.context.city, event.context.browser, event.context.os) == ("Oslo", "Chrome 1", "Linux")
    assert event.context.user_agent == "Mozilla/5.0 (X11, like)"
    assert event.context.device_id == ""
    assert event.properties == {"region": "Viken", "round_trip_ms": 88}
    assert labels == {"rba-7": "ato"}
    assert b"ttack" not in canonical_bytes(event)


def test_empty_cells_and_dashes_are_absent(written, split):
    """A sparse row gives no empty fields."""
    [event], labels, _ = split(read_rba(Source(written("r.csv", HEADER + SPARSE))))
    assert event.status == "failed"
    assert canonical_bytes(event) == (
        b'{"id":"rba-8","type":"login","status":"failed","time":"2021-03-01T10:00:01Z","user":{"id":"-18"},'
        b'"context":{"ip":"192.0.2.10","asn":64500,"country":"NO","device_type":"mobile"}}'
    )
    assert labels == {}


def test_without_index_rows_are_counted(written, split):
    """A file without the index column takes the row's number, from 0."""
    lines = [line.partition(",")[2] for line in (HEADER, GOOD, SPARSE)]
    events, _, _ = split(read_rba(Source(written("r.csv", "".join(lines)))))
    assert [event.id for event in events] == ["rba-0", "rba-1"]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("2021-03-01 10:00:00.250", "yesterday", "Login Timestamp"),
        ("192.0.2.9", "192.0.2.900", "context.ip"),
        ("64500", "AS64500", "ASN"),
        ("64500", "99999999999", "context.asn"),
        ("NO", "Norway", "context.country"),
        ("True,False,True", "maybe,False,True", "Login Successful"),
        ("desktop,", "", None),
        ("Oslo", "\udcff", None),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_spoils_no_other(written, split, old, new, path):
    """The refusal names line and path; the rows around it stand."""
    bad = GOOD.replace(old, new)
    body = (HEADER + SPARSE + bad + SPARSE.replace("8,", "9,", 1)).encode(errors="surrogateescape")
    events, _, [refusal] = split(read_rba(Source(written("r.csv", body))))
    assert [event.id for event in events] == ["rba-8", "rba-9"]
    assert refusal.line == 3
    assert isinstance(refusal.error, BadInput)
    assert refusal.error.path == path


def test_another_header_is_refused_at_once(written):
    """A CSV of another kind names the column that is missing and the one that is like it."""
    with pytest.raises(MalformedInput) as refused:
        list(read_rba(Source(written("r.csv", HEADER.replace("User ID", "UserID") + GOOD))))
    assert "'User ID'" in refused.value.expected
    assert "UserID" in refused.value.hint


def test_label_events_stand_where_their_time_belongs(written):
    """With a delay of one second the label of 10:00:00.250 comes before the login of 10:00:02, the rest at the end."""
    later = SPARSE.replace("8,2021-03-01 10:00:01", "9,2021-03-01 10:00:02")
    taken = GOOD.replace("7,2021-03-01 10:00:00.250", "10,2021-03-01 10:00:03")
    items = read_rba(Source(written("r.csv", HEADER + GOOD + SPARSE + later + taken)))
    events = [item.event for item in with_label_events(items, delay_ms=1_000)]
    assert [event.id for event in events] == [
        "rba-7",
        "rba-8",
        "rba-7-label",
        "rba-9",
        "rba-10",
        "rba-10-label",
    ]
    label = events[2]
    assert (label.type, label.status, label.label.event_id, label.user.id) == (
        "label",
        "fraud",
        "rba-7",
        "-17",
    )
    assert label.time - events[0].time == timedelta(seconds=1)
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert all(decode_event(canonical_bytes(event)) for event in events)


def test_the_published_rows_import(shared_data, split):
    """The first 19 rows of the data set are 19 valid events in the order of time."""
    events, labels, refused = split(read_rba(Source(shared_data("logins-rba-sample/rba_first_rows.csv"))))
    assert (len(events), labels, refused) == (19, {}, [])
    assert [event.id for event in events] == [f"rba-{number}" for number in range(19)]
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert all(decode_event(canonical_bytes(event)) == event for event in events)
