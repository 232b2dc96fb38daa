from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shopward.adapters.formats import Source, load_map, read_csv, shipped_maps
from shopward.adapters.formats.csv_spec import CsvMap, Rule, parse_map
from shopward.adapters.formats.rows import parsed_ip
from shopward.errors import BadInput, MalformedInput, Misconfigured
from shopward.events import canonical_bytes, decode_event

PAYMENTS = """
name = "shop"
delimiter = ";"
absent = ["", "n/a"]
repeat = "copies"

[time]
column = "when"
formats = ["%d/%m/%Y %H:%M", "unix_ms"]
zone = "+07:00"

[event]
id = { template = "p-{no}" }
type = { constant = "payment" }
status = { column = "ok", values = { yes = "succeeded", no = "failed" }, default = "attempted" }
"user.id" = { template = "{shop}/{customer}" }
"transaction.id" = { template = "t-{no}-{ref}" }
"transaction.amount_minor" = { column = "amount", minor_digits = 2 }
"transaction.currency" = { column = "money", default = "IDR" }
"context.asn" = "asn"
"context.lat" = "lat"
"context.ip" = "ip"
"user.known" = "known"
"properties.basket.size" = "size"

[label]
column = "mark"
values = { bad = "fraud" }
"""
HEADER = "no;when;ok;shop;customer;ref;amount;money;asn;lat;ip;known;size;copies;mark\n"
GOOD = "1;05/01/2026 07:00;yes;s1;anna;r1;12500.5;USD;64500;-6.2;192.0.2.1;True;3;1;bad\n"
SPARSE = "2;1767571200500;n/a;s1;anna;n/a;n/a;;;;;;;;good\n"


@pytest.fixture
def read(written, split):
    """A function from a map and a CSV to events, labels and refusals."""

    def run(spec, body):
        return split(read_csv(Source(written("x.csv", body)), parse_map(spec.encode())))

    return run


def test_columns_constants_templates_and_tables(read):
    """Each kind of rule gives its field, with the type that the event asks for."""
    [event], labels, refused = read(PAYMENTS, HEADER + GOOD)
    assert refused == []
    assert (event.id, event.type, event.status, event.user.id) == ("p-1", "payment", "succeeded", "s1/anna")
    assert event.time == datetime(2026, 1, 5, tzinfo=UTC)
    assert (event.transaction.id, event.transaction.amount_minor, event.transaction.currency) == (
        "t-1-r1",
        1250050,
        "USD",
    )
    assert (event.context.asn, event.context.lat, event.context.ip, event.user.known) == (
        64500,
        -6.2,
        "192.0.2.1",
        True,
    )
    assert event.properties == {"basket": {"size": "3"}}
    assert labels == {"p-1": "fraud"}


def test_absent_cells_give_defaults_or_nothing(read):
    """An absent cell takes the rule's default, or the field and any template with it is left out."""
    [event], labels, _ = read(PAYMENTS, HEADER + SPARSE)
    assert (event.status, event.transaction.currency, event.transaction.id) == ("attempted", "IDR", "")
    assert event.time == datetime(2026, 1, 5, 0, 0, 0, 500_000, tzinfo=UTC)
    assert not event.context
    assert not event.properties
    assert labels == {}


def test_a_row_stands_for_several_events(read):
    """``repeat`` gives that many events, each with an id and the label."""
    events, labels, _ = read(PAYMENTS, HEADER + GOOD.replace(";1;bad", ";3;bad"))
    assert [event.id for event in events] == ["p-1", "p-1.1", "p-1.2"]
    assert set(labels) == {"p-1", "p-1.1", "p-1.2"}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("05/01/2026 07:00", "2026-01-05", "time"),
        (";64500;", ";many;", "context.asn"),
        (";-6.2;", ";-96.2;", "context.lat"),
        ("192.0.2.1", "shop.example", "context.ip"),
        ("12500.5", "12500.505", "transaction.amount_minor"),
        ("12500.5", "1e999", "transaction.amount_minor"),
        ("12500.5", "NaN", "transaction.amount_minor"),
        ("12500.5", "-1", "transaction.amount_minor"),
        (";True;", ";perhaps;", "user.known"),
        (";1;bad", ";0;bad", "repeat"),
        (";1;bad", ";1000000;bad", "repeat"),
        (";yes;", ";oui;", "status"),
        (";1;bad", ";1;bad;more", None),
    ],
)
def test_a_bad_cell_is_refused_with_line_and_path(read, old, new, path):
    """The refusal names the line and the field, and the row after it stands."""
    spec = PAYMENTS.replace(', default = "attempted"', "") if old == ";yes;" else PAYMENTS
    body = HEADER + GOOD.replace(old, new) + GOOD.replace("1;", "9;", 1)
    events, _, [refusal] = read(spec, body)
    assert [event.id for event in events] == ["p-9"]
    assert (refusal.line, refusal.error.path) == (2, path)
    assert isinstance(refusal.error, BadInput)


def test_cells_may_hold_newlines_and_the_next_line_is_still_known(read):
    """A quoted newline stays in the cell; the refusal after it names its own line."""
    body = HEADER + GOOD.replace(";3;", ';"a\nb";') + "broken\n"
    [event], _, [refusal] = read(PAYMENTS, body)
    assert event.properties == {"basket": {"size": "a\nb"}}
    assert refusal.line == 4


def test_an_open_quote_swallows_no_more_than_a_cell(read):
    """A quote that never closes is one refusal, and rows beyond the longest cell are read again."""
    many = "".join(GOOD.replace("1;", f"{n};", 1) for n in range(2, 4_000))
    events, _, refused = read(PAYMENTS, HEADER + GOOD.replace("s1", '"s1') + many)
    assert 0 < len(refused) < 3
    assert events[-1].id == "p-3999"


def test_a_byte_order_mark_and_crlf_are_no_matter(read):
    """A file from a spreadsheet imports as it is."""
    [event], _, refused = read(PAYMENTS, "\ufeff" + (HEADER + GOOD).replace("\n", "\r\n"))
    assert (event.id, refused) == ("p-1", [])


def test_a_missing_column_is_named(read):
    """A header without a column of the map is refused before any row."""
    with pytest.raises(MalformedInput) as refused:
        read(PAYMENTS, HEADER.replace("customer", "Customer") + GOOD)
    assert "'customer'" in refused.value.expected
    assert "Customer" in refused.value.hint


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"context.asn"', '"context.as"', "event.context.as"),
        ('{ template = "p-{no}" }', '{ template = "p", column = "no" }', "event.id"),
        ('{ constant = "payment" }', '{ constant = "payment", default = "x" }', "event.type"),
        ('type = { constant = "payment" }', "", "event.type"),
        ('"context.asn" = "asn"', 'time = "asn"', "event.time"),
        (
            '"context.asn" = "asn"',
            '"context.asn" = { column = "asn", hosts = "properties.h" }',
            "event.context.asn.hosts",
        ),
        ('"context.asn" = "asn"', '"changes" = "asn"', "event.changes"),
        ('"+07:00"', '"Mars/Olympus"', "zone"),
        ('name = "shop"', 'nmae = "shop"', "nmae"),
        ('delimiter = ";"', 'delimiter = ";;"', "delimiter"),
        ('name = "shop"', "name = ", "(the map)"),
    ],
)
def test_a_wrong_map_is_refused_before_the_first_row(old, new, path):
    """Every fault of a map names its place in the map."""
    assert old in PAYMENTS
    with pytest.raises(Misconfigured) as refused:
        parse_map(PAYMENTS.replace(old, new).encode())
    assert refused.value.path == path


def test_a_map_that_is_not_there_lists_those_that_are():
    """The refusal names the shipped maps."""
    assert shipped_maps() == ["loghub-linux", "loghub-openssh"]
    with pytest.raises(Misconfigured) as refused:
        load_map("loghub")
    assert "loghub-openssh" in refused.value.expected


def test_the_maps_of_the_docs_are_maps():
    """Every map that docs/importing.md shows can be used, and the shipped one is shown as it is."""
    text = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    shown = [parse_map(block.encode()) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]
    assert [spec.name for spec in shown] == ["loghub-openssh", "till"]
    shipped = load_map("loghub-openssh")
    assert (shown[0].time, shown[0].event, shown[0].label) == (shipped.time, shipped.event, shipped.label)
    assert all(name in text for name in (*shipped_maps(), *CsvMap.__struct_fields__, *Rule.__struct_fields__))


def test_the_openssh_map_on_rows_of_its_kind(written, split):
    """Unknown accounts, repeats and the label column of the extract, on rows made by hand."""
    body = (
        "ts,pid,account,src_ip,success,unknown_account,repeat,weak_label_attack\n"
        "2026-12-10 06:55:48,1,webmaster,192.0.2.31,False,True,1,True\n"
        "2026-12-10 06:55:49,2,root,192.0.2.32,False,False,5,True\n"
        "2026-12-10 06:55:50,3,anna,192.0.2.33,True,False,1,False\n"
    )
    events, labels, refused = split(read_csv(Source(written("o.csv", body)), load_map("loghub-openssh")))
    assert refused == []
    assert [event.user.known for event in events] == [False] + [True] * 6
    assert [event.status for event in events] == ["failed"] * 6 + ["succeeded"]
    assert len(labels) == 6
    assert all(b"attack" not in canonical_bytes(event) for event in events)


def test_the_linux_map_keeps_host_names_apart(written, split):
    """A host name becomes a stand-in address and is kept; an address stays; ``su`` is no login."""
    body = (
        "ts,service,account,src_host,success\n"
        "2026-06-15 02:04:59,sshd,root,host-1.example,False\n"
        "2026-06-15 02:05:00,sshd,,192.0.2.4,False\n"
        "2026-06-15 04:06:18,su,cyrus,,True\n"
    )
    [named, plain, session], _, _ = split(read_csv(Source(written("l.csv", body)), load_map("loghub-linux")))
    assert named.context.ip.startswith("fd")
    assert named.properties == {"src_host": "host-1.example", "service": "sshd"}
    assert (plain.context.ip, plain.properties) == ("192.0.2.4", {"service": "sshd"})
    assert (session.type, session.user.id) == ("custom", "cyrus")


def test_the_real_openssh_extract_imports_whole(shared_data, split):
    """520 rows are 528 events in the order of time, every one valid; one login succeeded, from the honest source."""
    path = shared_data("logins-ssh/openssh_labsz.csv")
    events, labels, refused = split(read_csv(Source(path), load_map("loghub-openssh")))
    assert refused == []
    assert len(events) == len({event.id for event in events}) == 528
    assert len({event.context.ip for event in events}) == 24
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert [event.id for event in events if event.id not in labels] == [
        e.id for e in events if e.status == "succeeded"
    ]
    tries = Counter(event.context.ip for event in events if event.status == "failed")
    assert tries["183.62.140.253"] == 286
    assert all(decode_event(canonical_bytes(event)) == event for event in events)


def test_the_real_linux_extract_imports_whole(shared_data, split):
    """613 rows are 613 valid events, 527 of them logins, and no two sources fall together."""
    path = shared_data("logins-ssh/linux_combo.csv")
    events, _, refused = split(read_csv(Source(path), load_map("loghub-linux")))
    assert refused == []
    assert Counter(event.type for event in events) == {"login": 527, "custom": 86}
    sources = {event.context.ip for event in events if event.context}
    assert len(sources) == 47
    assert all(parsed_ip(source) == source for source in sources)
    assert all(decode_event(canonical_bytes(event)) == event for event in events)
