"""The offline store of stolen passwords: exact, whole, and refused where it is neither."""

from __future__ import annotations

import gzip
import hashlib
from itertools import pairwise

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shopward.cli import main
from shopward.errors import MalformedInput, ModelInvalid, NotFound
from shopward.screening.passwords import HashStore, build_store
from shopward.screening.passwords.building import write_store

PASSWORDS = [f"kata sandi {number}" for number in range(3_000)]
SEEN = {
    hashlib.sha1(each.encode(), usedforsecurity=False).digest(): 1 + number
    for number, each in enumerate(PASSWORDS)
}


def ranges_into(folder, *, packed=False):
    """Range files as the downloader leaves them, of the ranges that are not empty."""
    folder.mkdir()
    by_prefix = {}
    for digest, count in sorted(SEEN.items()):
        digits = digest.hex().upper()
        by_prefix.setdefault(digits[:5], []).append(f"{digits[5:]}:{count}")
    for prefix, lines in by_prefix.items():
        body = "\r\n".join(lines).encode()
        if packed:
            (folder / f"{prefix}.txt.gz").write_bytes(gzip.compress(body))
        else:
            (folder / f"{prefix}.txt").write_bytes(body)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_a_store_answers_what_its_range_files_say(tmp_path, packed):
    """Every password with its count, and no other one; ranges come back as they went in."""
    folder = ranges_into(tmp_path / "ranges", packed=packed)
    told = []
    built = build_store(folder, tmp_path / "s.bin", partial=True, progress=lambda *each: told.append(each))
    assert built.records == len(SEEN)
    assert built.size == (tmp_path / "s.bin").stat().st_size
    assert told[-1][0] == told[-1][1]
    assert all(earlier <= later for earlier, later in pairwise(told))
    with HashStore(tmp_path / "s.bin") as store:
        store.verify()
        assert all(store.count(digest) == count for digest, count in SEEN.items())
        assert not any(
            store.count(hashlib.sha1(each.encode() + b"!", usedforsecurity=False).digest())
            for each in PASSWORDS
        )
        digits = next(iter(SEEN)).hex().upper()
        assert (digits[5:], 1) in list(store.range(digits[:5]))


@given(st.dictionaries(st.binary(min_size=20, max_size=20), st.integers(1, 2**40), max_size=60))
@example({b"\xff" * 20: 1, bytes(20): 2, bytes(2) + b"\xff" * 18: 3})
@settings(max_examples=40, deadline=None)
def test_any_digests_are_found_and_their_neighbours_are_not(tmp_path_factory, seen):
    """Counts beyond 32 bits are cut to the largest; a range holds its own digests and no others."""
    path = tmp_path_factory.mktemp("store") / "s.bin"
    write_store(path, sorted(seen.items()), expected=10)
    with HashStore(path) as store:
        for digest, count in seen.items():
            assert store.count(digest) == min(count, 2**32 - 1)
            other = bytes([*digest[:-1], digest[-1] ^ 1])
            assert store.count(other) == min(seen.get(other, 0), 2**32 - 1)
            prefix = digest.hex()[:5]
            own = [each.hex()[5:].upper() for each in sorted(seen) if each.hex().startswith(prefix)]
            assert [tail for tail, _ in store.range(prefix)] == own


def test_a_large_store_answers_as_a_small_one_does(tmp_path):
    """Its table is entered with three bytes instead of two."""
    write_store(tmp_path / "s.bin", sorted(SEEN.items()), expected=10**8)
    with HashStore(tmp_path / "s.bin") as store:
        assert all(store.count(digest) == count for digest, count in SEEN.items())
        digits = next(iter(SEEN)).hex().upper()
        assert (digits[5:], 1) in list(store.range(digits[:5]))


def test_a_search_across_two_records_finds_nothing(tmp_path):
    """Bytes that happen to stand across the border of two digests are no digest."""
    first, second = bytes([1, 2]) + bytes(9) + b"\x07" * 9, bytes([1, 2]) + b"\x07" * 9 + bytes(9)
    write_store(tmp_path / "s.bin", [(first, 1), (second, 2)], expected=2)
    with HashStore(tmp_path / "s.bin") as store:
        assert store.count(bytes([1, 2]) + b"\x07" * 18) == 0
        assert (store.count(first), store.count(second)) == (1, 2)


def test_one_file_of_digests_in_order_is_taken_too(tmp_path):
    """Plain or packed, with padding lines and an empty last line."""
    lines = (
        "".join(f"{digest.hex()}:{count}\n" for digest, count in sorted(SEEN.items())) + f"{'F' * 40}:0\n\n"
    )
    (tmp_path / "all.txt.gz").write_bytes(gzip.compress(lines.encode()))
    assert build_store(tmp_path / "all.txt.gz", tmp_path / "s.bin").records == len(SEEN)


@pytest.mark.parametrize(
    "body",
    [b"no record\n", b"00" * 19 + b":3\n", b"0" * 40 + b":-1\n", b"0" * 40 + b":1\n" + b"0" * 40 + b":1\n"],
)
def test_a_bad_line_leaves_no_store_behind(tmp_path, body):
    """No record, too short, a negative count, doubled: refused with its place, and the old store stays."""
    (tmp_path / "all.txt").write_bytes(body)
    (tmp_path / "s.bin").write_bytes(b"the old one")
    with pytest.raises(MalformedInput):
        build_store(tmp_path / "all.txt", tmp_path / "s.bin")
    assert (tmp_path / "s.bin").read_bytes() == b"the old one"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["all.txt", "s.bin"]


def test_a_folder_with_holes_is_refused_unless_it_is_said(tmp_path):
    """A hole would say "not stolen"."""
    with pytest.raises(MalformedInput, match="ranges are missing"):
        build_store(ranges_into(tmp_path / "ranges"), tmp_path / "s.bin")
    with pytest.raises(NotFound):
        build_store(tmp_path / "nothing", tmp_path / "s.bin")


def test_a_cut_or_foreign_file_is_no_store(tmp_path):
    """Cut anywhere, empty, of another kind: refused at opening; a flipped byte by verify."""
    path = tmp_path / "s.bin"
    write_store(path, sorted(SEEN.items()), expected=len(SEEN))
    whole = path.read_bytes()
    for broken in (b"", whole[:63], whole[:70_000], whole[:-1], whole + b"\0", b"x" + whole[1:]):
        path.write_bytes(broken)
        with pytest.raises(ModelInvalid):
            HashStore(path)
    path.write_bytes(whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])
    with HashStore(path) as store, pytest.raises(ModelInvalid):
        store.verify()


def test_a_person_builds_and_verifies_a_store(tmp_path):
    """The commands say what was built, and exit with 1 where it is damaged."""
    folder, store = ranges_into(tmp_path / "ranges"), tmp_path / "s.bin"
    built = CliRunner().invoke(main, ["passwords", "build", str(folder), "--out", str(store), "--partial"])
    assert (built.exit_code, "3,000 digests" in built.output) == (0, True)
    assert CliRunner().invoke(main, ["passwords", "verify", str(store)]).exit_code == 0
    store.write_bytes(store.read_bytes()[:-4] + b"\1\2\3\4")
    assert CliRunner().invoke(main, ["passwords", "verify", str(store)]).exit_code == 1
