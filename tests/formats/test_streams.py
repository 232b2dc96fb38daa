from __future__ import annotations

import gzip
import io
import json
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from shopward.adapters.formats import Source, read_events
from shopward.errors import BadInput, InputTooLarge, InvalidField, MalformedInput, Misconfigured, NotFound
from shopward.events import Event, decode_event

LINES = [
    json.dumps(
        {
            "id": f"e-{n}",
            "type": "login",
            "status": "failed",
            "time": "2026-01-05T00:00:00Z",
            "user": {"id": f"u{n}"},
        }
    ).encode()
    for n in range(500)
]
BODY = b"\n".join(LINES) + b"\n"
PACKERS = {
    "e.ndjson": lambda body: body,
    "e.ndjson.gz": gzip.compress,
    "e.ndjson.zst": zstandard.compress,
    "unnamed-gzip": gzip.compress,
    "unnamed-zstd": zstandard.compress,
}


def until_error(stream):
    """What a stream gives, and the refusal that it ends in."""
    given = []
    try:
        for item in stream:
            given.append(item)  # noqa: PERF402 -- what came before the refusal is kept
    except BadInput as refused:
        return given, refused
    return given, None


@pytest.mark.parametrize("name", PACKERS)
def test_every_packing_gives_the_same_lines(written, name):
    """Plain, gzip and zstd give the lines as they stand, in order, whatever the name."""
    assert list(read_events(written(name, PACKERS[name](BODY)))) == LINES


@pytest.mark.parametrize("name", PACKERS)
def test_standard_input_may_be_packed(name):
    """``-`` reads standard input and knows its packing by the first bytes."""
    stream = read_events("-", stdin=io.BytesIO(PACKERS[name](BODY)))
    assert list(stream) == LINES
    assert stream.bytes_total is None
    assert stream.name == "standard input"


def test_blank_lines_are_passed_over_and_counted(written):
    """A blank line gives nothing, and the number of the next line is right."""
    stream = read_events(written("e.ndjson", b"\n" + LINES[0] + b"\r\n  \n\n" + LINES[1]))
    assert next(stream) == LINES[0] + b"\r"
    assert stream.line == 2
    assert next(stream) == LINES[1]
    assert stream.line == 5
    assert list(stream) == []


def test_several_members_are_one_stream(written):
    """Archives set one after the other, padded or not, read as one."""
    half = len(BODY) // 2
    first, second = BODY[:half], BODY[half:]
    assert (
        list(read_events(written("a.gz", gzip.compress(first) + b"\0" * 700 + gzip.compress(second))))
        == LINES
    )
    assert (
        list(read_events(written("a.zst", zstandard.compress(first) + zstandard.compress(second)))) == LINES
    )


def test_progress_reaches_the_size_of_the_file(written):
    """Bytes read before unpacking end at the file's size."""
    path = written("e.ndjson.gz", gzip.compress(BODY))
    stream = read_events(path)
    assert stream.bytes_read == 0
    assert stream.bytes_total == path.stat().st_size
    list(stream)
    assert stream.bytes_read == stream.bytes_total


@pytest.mark.parametrize("name", ["e.ndjson.gz", "e.ndjson.zst"])
def test_a_truncated_archive_gives_its_good_lines_and_then_says_where(written, name):
    """The whole lines before the cut come, then a refusal with file, line and byte; no half line comes."""
    lines = [json.dumps({"n": n, "noise": n**7 % 1_000_003}).encode() for n in range(40_000)]
    packed = PACKERS[name](b"\n".join(lines))
    given, refused = until_error(read_events(written(name, packed[: len(packed) * 2 // 3])))
    assert isinstance(refused, MalformedInput)
    assert name in refused.message
    assert refused.path == f"line {len(given) + 1}"
    assert "byte" in refused.found
    assert 0 < len(given) < len(lines)
    assert given == lines[: len(given)]


@pytest.mark.parametrize("name", ["e.ndjson.gz", "e.ndjson.zst", "e.parquet"])
@pytest.mark.parametrize("content", [b"", BODY])
def test_a_name_that_promises_another_content_is_refused(written, name, content):
    """What is called .gz, .zst or .parquet and is not is refused by name."""
    given, refused = until_error(read_events(written(name, content)))
    assert given == []
    assert isinstance(refused, MalformedInput)
    assert name in refused.message


@pytest.mark.parametrize("name", ["e.ndjson.gz", "e.ndjson.zst"])
def test_damage_inside_an_archive_is_found(written, name):
    """A changed byte gives a refusal and never other lines."""
    packed = bytearray(PACKERS[name](BODY))
    packed[len(packed) // 2] ^= 0xFF
    given, refused = until_error(read_events(written(name, bytes(packed))))
    assert refused is not None or given == LINES


def test_a_line_beyond_the_limit_is_refused_and_the_next_one_is_read(written):
    """A line of 3 MB comes cut, intake refuses it as too large, and the next is whole."""
    stream = list(read_events(written("e.ndjson", b'{"id":"' + b"x" * 3_000_000 + b'"}\n' + LINES[0])))
    assert len(stream) == 2
    with pytest.raises(InputTooLarge):
        decode_event(stream[0])
    assert stream[1] == LINES[0]


@pytest.mark.parametrize("size", [7, 8, 9, 10, 11, 262_143, 262_144, 262_145, 600_000])
def test_cutting_never_moves_the_lines_after_it(written, size):
    """Wherever a long line ends against the chunks, the lines around it stand."""
    source = Source(written("x", b"a\n" + b"y" * size + b"\nb\n\nc"), line_bytes_max=8)
    assert list(source.lines()) == [b"a", b"y" * min(size, 9), b"b", b"", b"c"]
    assert source.line == 5


@pytest.mark.parametrize("path", ["no/such/file.ndjson", "bad\0name"])
def test_what_cannot_be_opened_is_refused(path):
    """A missing file and an impossible name are refusals that name it."""
    with pytest.raises((NotFound, BadInput)):
        list(read_events(path))


def test_a_folder_is_no_stream(tmp_path):
    """A folder is refused."""
    with pytest.raises(BadInput):
        list(read_events(tmp_path))


@pytest.mark.parametrize("module", ["zstandard", "pyarrow"])
def test_a_missing_extra_names_the_command(written, tmp_path, monkeypatch, module):
    """Without the extra, the refusal says what to install."""
    path = written("e.zst", zstandard.compress(BODY))
    if module == "pyarrow":
        path = tmp_path / "e.parquet"
        pq.write_table(pa.table({"id": ["e"]}), path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Misconfigured) as refused:
        list(read_events(path))
    assert "pip install" in refused.value.hint


def row(number, **fields):
    """A row of the nested shape."""
    plain = {
        "id": f"e-{number}",
        "type": "payment",
        "status": "attempted",
        "time": datetime(2026, 1, 5, 0, 0, number, tzinfo=UTC),
        "user": {"id": "u1", "known": None},
        "context": {"ip": "192.0.2.1", "asn": 64500, "lat": None},
        "transaction": {"amount_minor": 1250, "currency": "IDR"},
        "properties": {"basket": 3, "note": None},
    }
    return plain | fields


@pytest.fixture
def parquet(tmp_path):
    """A function that writes a table and gives the path."""

    def write(table):
        path = tmp_path / "e.parquet"
        pq.write_table(table, path)
        return path

    return write


def test_parquet_with_nested_columns(parquet):
    """Structs are the event's objects, nulls are absent, times keep their zone."""
    path = parquet(pa.Table.from_pylist([row(1), row(2, context=None)]))
    stream = read_events(path)
    first, second = list(stream)
    assert isinstance(first, Event)
    assert (first.id, first.context.ip, first.context.asn, first.user.id) == ("e-1", "192.0.2.1", 64500, "u1")
    assert first.time == datetime(2026, 1, 5, 0, 0, 1, tzinfo=UTC)
    assert first.properties == {"basket": 3}
    assert not second.context
    assert stream.bytes_read == stream.bytes_total == path.stat().st_size


def test_parquet_with_dotted_columns_and_fine_times_without_zone(parquet):
    """Dotted names nest; nanoseconds are cut to microseconds; a time without zone is UTC."""
    table = pa.table(
        {
            "id": ["e-1"],
            "type": pa.array(["login"]).dictionary_encode(),
            "status": ["failed"],
            "time": pa.array([1_767_571_200_123_456_789], pa.timestamp("ns")),
            "user.id": ["u1"],
            "user.tokens.email": ["t1"],
            "context.ip": ["192.0.2.1"],
            "context.city": pa.array([None], pa.string()),
        }
    )
    [event] = read_events(parquet(table))
    assert event.time == datetime(2026, 1, 5, 0, 0, 0, 123_456, tzinfo=UTC)
    assert event.user.tokens.email == "t1"
    assert event.context.ip == "192.0.2.1"


def test_a_parquet_row_that_is_no_event_names_row_and_path(parquet):
    """Without a listener the refusal is raised; with one the next row goes on."""
    path = parquet(pa.Table.from_pylist([row(1), row(2, type="logn"), row(3, context={"asn": -1}), row(4)]))
    given, refused = until_error(read_events(path))
    assert [event.id for event in given] == ["e-1"]
    assert isinstance(refused, InvalidField)
    assert "row 2" in refused.message
    assert refused.path == "type"
    heard = []
    assert [event.id for event in read_events(path, on_refused=heard.append)] == ["e-1", "e-4"]
    assert [error.path for error in heard] == ["type", "context.asn"]
    assert "row 3" in heard[1].message


def test_a_column_that_the_event_has_not_is_refused(parquet):
    """An unknown column is an unknown field."""
    _, refused = until_error(read_events(parquet(pa.Table.from_pylist([row(1, colour="red")]))))
    assert refused.code == "unknown_field"


def test_two_columns_for_one_field_are_refused(parquet):
    """A column ``context`` of text beside ``context.ip`` clashes."""
    table = pa.table({"context": ["x"], "context.ip": ["192.0.2.1"]})
    _, refused = until_error(read_events(parquet(table)))
    assert isinstance(refused, InvalidField)


def test_a_truncated_parquet_file_is_refused(parquet):
    """Half a Parquet file is a refusal that names it."""
    path = parquet(pa.Table.from_pylist([row(1)]))
    path.write_bytes(path.read_bytes()[:-9])
    _, refused = until_error(read_events(path))
    assert isinstance(refused, MalformedInput)
    assert "e.parquet" in refused.message


def test_the_shared_stream_is_read_whole(shared_data):
    """The first thousand lines of the shared shop stream are events."""
    stream = read_events(shared_data("shop/events.ndjson.gz"))
    assert all(decode_event(next(stream)).id for _ in range(1_000))
