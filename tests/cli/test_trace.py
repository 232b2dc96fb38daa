"""``shopward vault trace`` on files, as an investigator runs it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from shopward.cli import main
from shopward.leaks import Marks
from shopward.leaks.channels import write


@pytest.fixture
def files(tmp_path):
    """A shop of 400 orders and three recipients, one of whom saw little."""
    orders = [
        {"id": str(number), "name": f"Buyer {number}", "phone": f"0813{number:08}", "address": f"Jl. Kenari No. {number}, RT 1/RW 2"}
        for number in range(400)
    ]  # fmt: skip
    names = ",".join(orders[0])
    (tmp_path / "orders.csv").write_text(
        "\n".join([names, *[",".join(f'"{value}"' for value in row.values()) for row in orders]])
    )
    seen = [("packer", range(400)), ("courier", range(0, 400, 2)), ("agent", range(0, 60, 3))]
    (tmp_path / "seen.csv").write_text(
        "\n".join(["recipient,record,fields", *[f"{name},{number},name phone address" for name, rows in seen for number in rows]])
    )  # fmt: skip
    key = bytes(range(32))
    (tmp_path / "marks.key").write_bytes(key)
    marks = Marks(key)
    leaked = [write(orders[number], lambda name, number=number: marks.bit("courier", f"{number}/{name}")) for number in range(0, 120, 2)]  # fmt: skip
    (tmp_path / "leaked.ndjson").write_text("\n".join(json.dumps(row) for row in leaked))
    return tmp_path


def run(files, *extra):
    """The command on the files."""
    return CliRunner().invoke(
        main,
        ["vault", "trace", str(files / "leaked.ndjson"), "--orders", str(files / "orders.csv"), "--seen", str(files / "seen.csv"), *extra],
    )  # fmt: skip


def test_marked_copies_prove_who_leaked(files) -> None:
    """With the key the courier is proven; without it he is not, and no value stands in either answer."""
    said = json.loads(run(files, "--marks", str(files / "marks.key"), "--json").stdout)
    assert next((each["recipient"], each["standing"]) for each in said["candidates"]) == ("courier", "proof")
    plain = run(files)
    assert plain.exit_code == 0
    assert "proof" not in plain.stdout
    assert "none of the logged" in plain.stdout
    assert "Buyer" not in plain.stdout
    assert "0813" not in plain.stdout


def test_a_file_of_another_shop_is_refused(files) -> None:
    """Where no row is ours nobody is named."""
    (files / "leaked.ndjson").write_text('{"phone": "089912345678"}')
    said = run(files)
    assert said.exit_code == 1
    assert "no row of the file is of this shop" in said.stderr


def test_a_file_that_cannot_be_read_is_refused_without_its_content(files) -> None:
    """Bytes that are no text end the command with one line."""
    (files / "leaked.ndjson").write_bytes(b'{"phone": "08\xff')
    said = run(files)
    assert said.exit_code == 1
    assert "cannot be read" in said.stderr
