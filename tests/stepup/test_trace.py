"""The trace: every requirement named for step-up exists in its standard and is held by a test that exists."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from pathlib import Path

import pytest

import shopward.stepup

HERE = Path(__file__).parent
TABLE = Path(shopward.stepup.__file__).with_name("requirements.toml")
ROWS = tomllib.loads(TABLE.read_text(encoding="utf-8"))["row"]
SHARED = Path(os.environ.get("SHOPWARD_SHARED", HERE.parents[2] / "shared"))
ASVS = SHARED / "data" / "vectors" / "asvs" / "asvs_5.0.0_en.flat.json"

NAMED = [
    "6.1.1",
    "6.1.2",
    "6.2.1",
    "6.2.4",
    "6.2.10",
    "6.2.11",
    "6.2.12",
    "6.3.5",
    "6.3.6",
    "6.3.7",
    "6.3.8",
    "6.4.3",
    "6.4.4",
    "6.4.6",
    "6.5.1",
    "6.5.2",
    "6.5.5",
    "6.5.6",
    "6.6.1",
    "6.6.2",
    "6.6.3",
    "6.8.1",
    "7.4.2",
    "7.4.3",
    "7.4.5",
    "7.5.1",
    "7.5.3",
    "2.3.5",
    "16.4.2",
]
"""The rows of the project's own list of credential hygiene."""


def requirements():
    """The ids of ASVS 5.0.0; without the file a skip, in CI a failure."""
    if not ASVS.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{ASVS} is not there: in CI the trace is held against the standard itself")
        pytest.skip("the machine-readable ASVS is not on this machine (SHOPWARD_SHARED)")
    return {each["req_id"]: each for each in json.loads(ASVS.read_text(encoding="utf-8"))["requirements"]}


def test_every_requirement_exists_in_its_standard():
    """No row names a requirement that ASVS 5.0.0 does not have; NIST rows name the publication."""
    known = requirements()
    for row in ROWS:
        assert row["id"] in known or row["id"].startswith("63B-4 "), row["id"]


def test_every_requirement_that_was_asked_for_has_a_row():
    """The project's list is covered, each once."""
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids))
    assert {f"V{each}" for each in NAMED} <= set(ids)
    assert sum(each.startswith("63B-4 ") for each in ids) >= 7


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_every_row_has_a_test_that_exists_or_says_whose_it_is(row):
    """Each named test is a function of its file; a row without tests says where the matter belongs."""
    assert set(row) <= {"id", "says", "tests", "elsewhere", "partly"}
    assert ("tests" in row) != ("elsewhere" in row)
    for name in row.get("tests", ()):
        file, _, function = name.partition("::")
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in found, name


def test_the_page_has_the_rows_and_the_codes():
    """docs/step-up.md shows every requirement and every code of a refusal, and none that is gone."""
    page = (HERE.parents[1] / "docs" / "step-up.md").read_text(encoding="utf-8")
    assert [row["id"] for row in ROWS if f"| {row['id']} |" not in page] == []
    codes = set(re.findall(r"^\| `(\w+)` \| [0-9]{3} \|", page, re.MULTILINE))
    assert codes == set(shopward.stepup.REFUSALS)
