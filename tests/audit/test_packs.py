"""An evidence pack holds as it was sealed, and not with one byte of it changed."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.audit import SigningKey, check_pack, sealed_pack
from shopward.audit.chain import GENESIS
from shopward.audit.links import Links
from shopward.audit.packs import CHECKPOINT, ENTRIES, Excerpt, archived
from shopward.audit.records import AuditEntry, CheckedLine

KEY = SigningKey(bytes(range(32)))


def sealed(*, key=KEY, skip=0, files=None):
    """A pack about inc-7 of a log of five lines and a checkpoint."""
    links = Links("main", seq=0, last=GENESIS)
    for number in range(5):
        subject = "inc-7" if number == 2 else "o-1"
        links.add(CheckedLine(at_ms=number, actor="k", deed="incident:step", subject=subject, details="{}"))
    checkpoint = links.sign(key, at_ms=9, actor="k")
    entries = [AuditEntry(**row) for row in links.entries]
    excerpt = Excerpt(entries[1].hash, [each for each in entries[2:] if each.seq != skip])
    files = {"index.html": b"<p>x</p>", "incident.json": b"{}"} if files is None else files
    return sealed_pack(files, subject="inc-7", excerpt=excerpt, checkpoint=checkpoint, key=key)


def changed(raw, change):
    """The pack with its files changed, and archived as it should be."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    change(files)
    return archived(files)


def fault(raw, key=KEY):
    """The part that is wrong, or None."""
    found = check_pack(raw, public_key=key.public_key).fault
    return None if found is None else found.part


def test_it_holds_and_is_the_same_each_time():
    """The same content gives the same bytes, and the report says how far it goes."""
    report = check_pack(sealed(), public_key=KEY.public_key)
    assert (report.holds, report.subject, report.files, report.first_seq, report.last_seq) == (
        True, "inc-7", 6, 3, 6,
    )  # fmt: skip
    assert sealed() == sealed()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_byte_can_be_flipped_and_no_tail_cut(data):
    """Wherever a byte of the archive differs, in a file or between them, it is found."""
    raw = sealed()
    at = data.draw(st.integers(0, len(raw) - 1))
    other = bytearray(raw)
    other[at] ^= data.draw(st.integers(1, 255))
    assert fault(bytes(other)) is not None
    assert fault(raw[:at]) is not None
    assert fault(raw + raw[:at][:1] + b"x") is not None


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda files: files.update({"more.json": b"{}"}), "archive"),
        (lambda files: files.update({"case.json": files.pop("incident.json")}), "archive"),
        (lambda files: files.pop("index.html"), "archive"),
        (lambda files: files.update({"incident.json": b"{ }"}), "incident.json"),
        (lambda files: files.update({ENTRIES: files[ENTRIES].replace(b"o-1", b"o-2")}), ENTRIES),
        (lambda files: files.pop(CHECKPOINT), CHECKPOINT),
        (lambda files: files.update({"manifest.json": files["manifest.json"] + b" "}), "manifest.json"),
        (lambda files: files.update({"SHA256SUMS": files["SHA256SUMS"] + b"\n"}), "SHA256SUMS"),
    ],
)
def test_what_was_changed_is_named(change, part):
    """A file added, renamed, taken out or rewritten in an archive that is whole."""
    assert fault(changed(sealed(), change)) == part


def test_a_pack_of_another_key_or_with_a_gap_in_its_log_does_not_hold():
    """A forger's pack is whole under his own key; a signed one whose log leaves an entry out is none."""
    foreign = SigningKey(bytes(32))
    assert (fault(sealed(key=foreign)), fault(sealed(key=foreign), foreign)) == ("manifest.json", None)
    assert fault(sealed(skip=4)) == ENTRIES


@pytest.mark.parametrize("raw", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"x" * 4_000])
def test_no_archive_is_no_pack(raw):
    """Nothing is raised."""
    assert fault(raw) is not None


def test_a_compressed_archive_is_not_read():
    """What would unpack to more than it is, is refused before it is unpacked."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", bytes(1_000_000))
    assert fault(made.getvalue()) == "archive"
