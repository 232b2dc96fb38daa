"""docs/migrating.md says of every field and word where it goes."""

import re
from pathlib import Path

import pytest

from shopward.http.peers.tables import table_of

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("peer", "title"), [("castle", "## Castle"), ("tirreno", "## tirreno")])
def test_the_page_has_every_row(peer, title):
    """Each field of a table has its row with what it becomes; each word of theirs stands somewhere."""
    section = PAGE.partition(title + "\n")[2].partition("\n## ")[0]
    rows = {row[0]: row[1] for row in re.findall(r"^\| `([\w.-]+)`[^|]*\|([^|]*)\|", section, re.MULTILINE)}
    table = table_of(peer)
    missing = [row.source for row in table.rows if f"`{row.target}" not in rows.get(row.source, "")]
    assert missing == []
    words = (table.types, table.statuses, table.changes, table.transactions, table.instruments, table.factors)
    unsaid = [
        word for group in words for pair in group.items() for word in pair if f"`{word}`" not in section
    ]
    pages = {word for word in table.types if word.startswith("page_")}
    same = {"login", "logout", "registration", "password_reset_request", "challenge", "custom", "attempted", "requested", "succeeded", "failed", "email", "phone", "password"}  # fmt: skip
    assert set(unsaid) <= pages | same
