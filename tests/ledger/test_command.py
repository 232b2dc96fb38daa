"""The books on the command line: verified and exported beside whoever uses them."""

from click.testing import CliRunner

from shopward.cli import main
from shopward.ledger import Account, Kind, postings
from shopward.service import TENANT


def test_verify_and_export_on_the_command_line(books, database, tmp_path):
    """Sound is 0, a changed row is 1, and the export is a file."""
    to = Account(Kind.WALLET, "anna")
    books.post(postings.opening(to, amount_minor=5, currency="IDR", as_of="2026-01-05"))

    def run(*words):
        return CliRunner().invoke(main, ["ledger", *words, "--database", database])

    assert books.tenant == TENANT
    said = run("verify")
    assert (said.exit_code, said.output.startswith("1 transfers, 2 entries, 2 accounts: sound")) == (0, True)
    out = tmp_path / "books.beancount"
    assert run("export", "--out", str(out)).exit_code == 0
    assert "Liabilities:Wallet:Oanna  -0.05 IDR" in out.read_text()
    books.records.write(
        lambda each: each.exec_driver_sql("UPDATE ledger_entry SET amount_minor = amount_minor * 2")
    )
    assert run("verify", "--json").exit_code == 1
