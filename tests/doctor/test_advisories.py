"""Known vulnerabilities of what is installed: OSV's evaluation, aliases, damaged lists, and the command that prints them."""

import json
import zipfile
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from shopward.cli import main
from shopward.service.doctor import advisories
from shopward.service.doctor.advisories import advisories_in


def record(id_="GHSA-1", *, package="thing", events=(), versions=(), **more):
    """An OSV record of PyPI."""
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    affected = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": ranges,
        "versions": list(versions),
    }
    return {"id": id_, "modified": "2026-11-20T10:00:00Z", "affected": [affected]} | more


def listed(folder, *records):
    """A zip file of records, as OSV publishes them."""
    path = folder / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, each in enumerate(records):
            archive.writestr(f"{number}.json", each if isinstance(each, str) else json.dumps(each))
    return path


@pytest.mark.parametrize(
    ("at", "events", "fixed"),
    [
        ("1.0", [{"introduced": "0"}, {"fixed": "1.1"}], "1.1"),
        ("1.1", [{"introduced": "0"}, {"fixed": "1.1"}], None),
        ("0.1a1", [{"introduced": "0"}, {"fixed": "1.1"}], "1.1"),
        ("1.0", [{"introduced": "1.1"}], None),
        ("1.1", [{"introduced": "1.1"}], ""),
        ("1.1", [{"introduced": "0"}, {"last_affected": "1.1"}], ""),
        ("1.1.post1", [{"introduced": "0"}, {"last_affected": "1.1"}], None),
        ("2.5", [{"introduced": "0"}, {"fixed": "1.1"}, {"introduced": "2.0"}, {"fixed": "2.6"}], "2.6"),
        ("1.5", [{"introduced": "2.0"}, {"fixed": "2.6"}, {"introduced": "0"}, {"fixed": "1.1"}], None),
        ("2.0rc1", [{"introduced": "0"}, {"fixed": "2.0"}], "2.0"),
        ("1.0", [{"introduced": "0"}, {"limit": "main"}], ""),
        ("1.0", [{"introduced": "not a version"}], None),
    ],
)
def test_a_version_is_affected_as_the_schema_says(tmp_path, at, events, fixed):
    """Introduced, fixed and last affected, in any order, by the order of Python's versions."""
    said = advisories_in(listed(tmp_path, record(events=events)), {"thing": at})
    assert [each.fixed for each in said.found] == ([] if fixed is None else [fixed])


def test_versions_are_named_one_by_one_too(tmp_path):
    """A list of versions beside no range; spellings of one version are the same."""
    assert advisories_in(listed(tmp_path, record(versions=["1.0"])), {"thing": "1.0.0"}).found
    assert not advisories_in(listed(tmp_path, record(versions=["1.0"])), {"thing": "1.0.1"}).found


def test_one_vulnerability_is_named_once(tmp_path):
    """Two databases name it and each other; the graver word and the version that mends it stay."""
    events = [{"introduced": "0"}, {"fixed": "2.0"}]
    said = advisories_in(
        listed(
            tmp_path,
            record("PYSEC-1", versions=["1.0"], aliases=["CVE-1"]),
            record("GHSA-1", events=events, aliases=["CVE-1"], database_specific={"severity": "HIGH"}),
            record("GHSA-2", events=events),
            record("GHSA-3", events=events, withdrawn="2026-11-21T00:00:00Z"),
            record("GHSA-4", package="Other.Thing", events=events),
        ),
        {"thing": "1.0", "other-thing": "3.0"},
    )
    assert [(each.id, each.fixed, each.is_grave) for each in said.found] == [
        ("PYSEC-1", "2.0", True),
        ("GHSA-2", "2.0", False),
    ]


def test_a_broken_record_spoils_no_other(tmp_path):
    """It is counted; other ecosystems' packages of the same name are none of ours."""
    foreign = record("RUST-1", versions=["1.0"])
    foreign["affected"][0]["package"]["ecosystem"] = "crates.io"
    said = advisories_in(listed(tmp_path, "{", "[]", foreign, record(versions=["1.0"])), {"thing": "1.0"})
    assert (said.records, said.broken, len(said.found), said.newest) == (2, 2, 1, "2026-11-20")


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_record_that_is_too_long_is_counted(tmp_path, monkeypatch, is_folder):
    """It is not read, and the list is not taken for whole."""
    path = listed(tmp_path, record(versions=["1.0"]))
    if is_folder:
        path = tmp_path / "list"
        path.mkdir()
        (path / "1.json").write_text(json.dumps(record(versions=["1.0"])))
    monkeypatch.setattr(advisories, "RECORD_BYTES_MAX", 10)
    said = advisories_in(path, {"thing": "1.0"})
    assert (said.records, said.broken, said.found) == (0, 1, ())


@pytest.mark.parametrize(
    ("severity", "level", "code"), [("CRITICAL", "unsafe", 1), ("MODERATE", "warn", 0), (None, "warn", 0)]
)
def test_the_command_names_what_is_installed_here(tmp_path, severity, level, code):
    """A vulnerable version of a package that really is installed, with the command that mends it."""
    specific = {"database_specific": {"severity": severity}} if severity else {}
    path = listed(
        tmp_path, record(package="Jinja2", events=[{"introduced": "0"}, {"fixed": "9999"}], **specific)
    )
    ended = CliRunner().invoke(
        main, ["doctor", "--json", "--data", str(tmp_path / "none"), "--advisories", str(path)]
    )
    said = [each for each in json.loads(ended.output)["checks"] if each["check"] == "advisories"]
    assert (ended.exit_code, said[0]["level"]) == (code, level)
    assert said[0]["says"] == f"jinja2 {version('jinja2')}: GHSA-1"
    assert said[0]["mend"] == "pip install -U 'jinja2>=9999'"


@pytest.mark.parametrize("content", [None, b"no zip at all"])
def test_a_list_that_cannot_be_read_is_not_taken_for_safe(tmp_path, content):
    """Missing, or no zip file: unknown, and nothing else is spoilt."""
    path = tmp_path / "all.zip"
    if content is not None:
        path.write_bytes(content)
    ended = CliRunner().invoke(
        main, ["doctor", "--json", "--data", str(tmp_path / "none"), "--advisories", str(path)]
    )
    checks = {each["check"]: each["level"] for each in json.loads(ended.output)["checks"]}
    assert (checks["advisories"], checks["settings"]) == ("unknown", "ok")
