"""The key file is made once and whole; a checkpoint file is taken as it was made or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.conftest import KEY
from shopward.audit import export_checkpoint, import_checkpoint, open_signing_key, read_signing_key
from shopward.audit.checkpoints import signed_checkpoint
from shopward.audit.keys import is_signed
from shopward.errors import MalformedInput, Misconfigured

# RFC 8032, section 7.1, test 1
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
KEPT = signed_checkpoint(KEY, tenant="main", seq=7, at_ms=9, entry_hash=bytes(32))


def test_the_key_is_made_once_and_private(tmp_path):
    """A second start gets the same key; nobody else may read it, and nothing half made stays behind."""
    folder = tmp_path / "data"
    first = open_signing_key(folder, has_checkpoints=False)
    again = open_signing_key(folder, has_checkpoints=True)
    assert first.public_key == again.public_key == read_signing_key(folder).public_key
    assert [(file.name, file.stat().st_mode & 0o777) for file in folder.iterdir()] == [("audit.key", 0o600)]
    assert (folder / "audit.key").read_bytes().hex()[:8] not in repr(first)


def test_many_that_make_the_key_at_once_get_the_same(tmp_path):
    """Whoever comes second takes the key of the first."""
    with ThreadPoolExecutor(8) as pool:
        keys = list(
            pool.map(lambda _n: open_signing_key(tmp_path, has_checkpoints=False).public_key, range(32))
        )
    assert len(set(keys)) == 1


def test_a_key_that_others_can_read_is_mended(tmp_path):
    """Rights that a copy lost come back."""
    open_signing_key(tmp_path, has_checkpoints=False)
    (tmp_path / "audit.key").chmod(0o644)
    read_signing_key(tmp_path)
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600


def test_no_new_key_is_made_beside_old_checkpoints(tmp_path):
    """A lost key is said, not replaced; and bytes that are no key are not taken for one."""
    with pytest.raises(Misconfigured):
        open_signing_key(tmp_path, has_checkpoints=True)
    assert read_signing_key(tmp_path) is None
    (tmp_path / "audit.key").write_bytes(b"short")
    with pytest.raises(Misconfigured):
        open_signing_key(tmp_path, has_checkpoints=False)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Misconfigured):
        open_signing_key(tmp_path / "file", has_checkpoints=False)


def test_signatures_are_those_of_the_rfc(tmp_path):
    """The first vector of RFC 8032, and nothing that is near it."""
    (tmp_path / "audit.key").write_bytes(SEED)
    key = read_signing_key(tmp_path)
    assert (key.public_key, key.sign(b"")) == (PUBLIC, SIGNATURE)
    assert is_signed(b"", signature=SIGNATURE, public_key=PUBLIC)
    assert not is_signed(b"x", signature=SIGNATURE, public_key=PUBLIC)
    assert not is_signed(b"", signature=b"", public_key=PUBLIC)
    assert not is_signed(b"", signature=SIGNATURE, public_key=b"")


def test_no_flipped_byte_of_a_checkpoint_file_goes_unseen():
    """It is no checkpoint any more, or its signature is wrong; spaces between the fields do not matter."""
    content = export_checkpoint(KEPT)
    assert import_checkpoint(content) == KEPT
    for at in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[at] ^= 1 << bit
            try:
                kept = import_checkpoint(bytes(changed))
            except MalformedInput:
                continue
            assert kept == KEPT or not kept.is_signed_by(KEY.public_key)
            assert kept != KEPT or content[at : at + 1].isspace()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        export_checkpoint(KEPT)[:-3],
        export_checkpoint(KEPT).replace(b'"seq": 7', b'"seq": 0'),
        export_checkpoint(KEPT).replace(b'"seq": 7', b'"seq": 7.5'),
        export_checkpoint(KEPT).replace(b'"version": 1', b'"version": 2'),
        export_checkpoint(KEPT).replace(b'"kind"', b'"kin"'),
        export_checkpoint(KEPT).replace(b"{", b"{" + b" " * 5_000),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(content):
    """Anything but what was written is malformed."""
    with pytest.raises(MalformedInput):
        import_checkpoint(content)
