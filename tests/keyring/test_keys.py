"""A key in a file is made once and whole, is its owner's alone, and is never made anew beside what hangs from it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from shopward.errors import Misconfigured
from shopward.keyring import KEY_BYTES, KeyFile, open_key, read_key

FILE = KeyFile("some.key", "key of this test", "the key that was there")


def test_many_that_make_a_key_at_once_get_the_first(tmp_path):
    """Whoever comes second reads the key of the first; nothing half made stays behind, and nobody else may read it."""
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _n: open_key(folder, FILE, in_use=False), range(32)))
    assert keys == {read_key(folder, FILE)}
    assert [each.name for each in folder.iterdir()] == ["some.key"]
    assert stat.S_IMODE((folder / "some.key").stat().st_mode) == 0o600


def test_a_key_that_is_missed_is_not_made(tmp_path):
    """A lost key is said, with its name and what it was for; so are bytes that are no key, and a folder that is none."""
    with pytest.raises(Misconfigured, match="key of this test is missing") as refused:
        open_key(tmp_path, FILE, in_use=True)
    assert (refused.value.path, refused.value.expected) == ("some.key", "the key that was there")
    assert read_key(tmp_path, FILE) is None
    (tmp_path / "some.key").write_bytes(bytes(KEY_BYTES - 1))
    for in_use in (True, False):
        with pytest.raises(Misconfigured, match="no key"):
            open_key(tmp_path, FILE, in_use=in_use)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Misconfigured):
        open_key(tmp_path / "file", FILE, in_use=False)


def test_rights_that_a_copy_lost_come_back(tmp_path):
    """A key that others could read is mended when it is read."""
    open_key(tmp_path, FILE, in_use=False)
    (tmp_path / "some.key").chmod(0o644)
    read_key(tmp_path, FILE)
    assert stat.S_IMODE((tmp_path / "some.key").stat().st_mode) == 0o600
