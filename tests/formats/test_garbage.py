from __future__ import annotations

import gzip
import io
from datetime import UTC
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.adapters.formats import (
    Imported,
    Source,
    SshdLog,
    load_map,
    read_csv,
    read_events,
    read_rba,
    with_label_events,
)
from shopward.adapters.formats.csv_spec import parse_map
from shopward.adapters.formats.times import moment_of, zone_of
from shopward.errors import ShopwardError
from shopward.events import canonical_bytes, decode_event

RBA_HEADER = (
    b"index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,User Agent String,"
    b"Browser Name and Version,OS Name and Version,Device Type,Login Successful,Is Attack IP,Is Account Takeover\n"
)
SSH_HEADER = b"ts,pid,account,src_ip,success,unknown_account,repeat,weak_label_attack\n"
LINUX_HEADER = b"ts,service,account,src_host,success\n"
SPECS = {b"openssh": load_map("loghub-openssh"), b"linux": load_map("loghub-linux")}

cells = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["True", "False", "-", "", "1", "2021-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "192.0.2.1",
         "::1", "NO", "64500", '"', '"x', "a\nb", "²", "1e9", "host.example", "sshd"]
    ),
)  # fmt: skip


def rows(width):
    """Rows of cells, most of them as wide as they should be."""
    row = st.lists(cells, min_size=width, max_size=width) | st.lists(cells, max_size=width + 2)
    return st.lists(row.map(",".join), max_size=5).map(
        lambda lines: "\n".join(lines).encode(errors="replace")
    )


def check(items):
    """Whatever comes is a valid event or a refusal; nothing but our errors is raised."""
    try:
        for item in islice(items, 5_000):
            if isinstance(item, Imported):
                assert decode_event(canonical_bytes(item.event))
            else:
                assert str(item.error)
    except ShopwardError as refused:
        assert str(refused)


def source(content):
    """A source of these bytes."""
    return Source("-", stdin=io.BytesIO(content))


@given(st.binary(max_size=400) | rows(16))
def test_any_login_csv(body):
    """Garbage under the data set's header, or without it."""
    check(with_label_events(read_rba(source(RBA_HEADER + body)), delay_ms=86_400_000))
    check(read_rba(source(body)))


@given(st.binary(max_size=400) | rows(8) | rows(5))
def test_any_mapped_csv(body):
    """Garbage under a map's header, or without it."""
    for header, spec in (
        (SSH_HEADER, SPECS[b"openssh"]),
        (LINUX_HEADER, SPECS[b"linux"]),
        (b"", SPECS[b"linux"]),
    ):
        check(with_label_events(read_csv(source(header + body), spec), delay_ms=86_400_000))


names = st.text(max_size=30) | st.sampled_from(["root", "x from 192.0.2.9 port 1 ssh2", "a" * 300])
messages = st.builds(
    "{} {} from {} port {} ssh2".format,
    st.sampled_from(["Failed password for invalid user", "Failed password for", "Accepted password for", "Invalid user"]),
    names, names | st.just("192.0.2.1"), st.integers(),
)  # fmt: skip
repeated = st.builds("message repeated {} times: [ {}]".format, st.integers(-1, 50) | st.just("²"), messages)
stamps = st.sampled_from(
    ["Dec 10 06:55:48", "Jan  1 00:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"]
)
log_lines = st.builds(
    "{} h sshd[1]: {}".format, stamps | st.text(max_size=20), messages | repeated | st.text(max_size=40)
)


@given(
    st.binary(max_size=300)
    | st.lists(log_lines, max_size=6).map(lambda x: "\n".join(x).encode(errors="replace"))
)
def test_any_log(body):
    """Garbage lines, and lines that are nearly those of sshd."""
    check(SshdLog(source(body), zone=UTC, year=9_998))


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 255))
def test_any_stream(body, at, value):
    """Garbage as it is, behind each magic, and a damaged archive of it."""
    packed = bytearray(gzip.compress(body))
    packed[at % len(packed)] = value
    for content in (body, b"\x1f\x8b" + body, b"\x28\xb5\x2f\xfd" + body, b"PAR1" + body, bytes(packed)):
        try:
            lines = list(read_events("-", stdin=io.BytesIO(content)))
        except ShopwardError as refused:
            assert str(refused)
        else:
            assert all(isinstance(line, bytes) for line in lines)


@pytest.fixture(scope="module")
def parquet_bytes(tmp_path_factory):
    """A path to write to, and the bytes of a valid file."""
    path = tmp_path_factory.mktemp("garbage") / "e.parquet"
    pq.write_table(pa.table({"id": ["e-1"], "type": ["login"], "context.ip": ["192.0.2.1"]}), path)
    return path, path.read_bytes()


@settings(max_examples=60)
@given(st.integers(4, 10_000), st.binary(min_size=1, max_size=4))
def test_any_parquet(parquet_bytes, at, change):
    """A Parquet file with changed bytes is a refusal."""
    path, whole = parquet_bytes
    at = 4 + at % (len(whole) - 4)
    path.write_bytes(whole[:at] + change + whole[at + len(change) :])
    with pytest.raises(ShopwardError):
        list(read_events(path))


@given(st.text(max_size=200) | st.recursive(st.text(max_size=5), lambda x: st.lists(x, max_size=3)).map(str))
def test_any_map(text):
    """Any text as a map is a refusal or a map."""
    for body in (text, f'[time]\ncolumn = "t"\n[event]\ntype = "a"\nstatus = "b"\n{text}'):
        try:
            assert parse_map(body.encode(errors="replace")).columns()
        except ShopwardError as refused:
            assert str(refused)


@given(
    st.text(max_size=12),
    st.text(max_size=30),
    st.sampled_from(["iso", "unix_s", "unix_ms"]) | st.text(max_size=6),
)
def test_any_zone_and_time(zone, text, form):
    """Any zone, time and format is a moment or a refusal."""
    try:
        assert moment_of(text, (form,), zone_of(zone)).tzinfo
    except ShopwardError as refused:
        assert str(refused)
