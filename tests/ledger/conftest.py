"""Books over an empty store of each kind, in transactions of their own."""

import pytest

from protection.conftest import NOW_MS, database  # noqa: F401 -- a fixture
from shopward.adapters.sql import bring_up_to_date, open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.errors import ShopwardError
from shopward.ledger import Book, Reading, verify

TENANT = "main"


class Books:
    """What a stranger does with books: each call is a transaction."""

    def __init__(self, url, tenant=TENANT):
        self.tenant = tenant
        engine = open_engine(url)
        bring_up_to_date(engine)
        self.records = SqlRecords(engine)
        self.book, self.reading, self.now_ms = Book(tenant), Reading(tenant), NOW_MS

    def post(self, *transfers):
        return self.records.write(lambda each: self.book.post(each, transfers, at_ms=self.now_ms))

    def codes(self, *transfers):
        """``ok``, ``again``, or the code of the refusal."""
        return [
            each.code if isinstance(each, ShopwardError) else "again" if each.is_replay else "ok"
            for each in self.post(*transfers)
        ]

    def balance(self, account, currency="IDR"):
        """Posted, or all three where something is pending."""
        found = self.records.read(lambda each: self.reading.balances(each, account))
        standing = {each.currency: each[2:] for each in found}.get(currency, (0, 0, 0))
        return standing if any(standing[1:]) else standing[0]

    def verify(self):
        return self.records.read(lambda each: verify(each, self.tenant))

    def close(self):
        self.records.close()


@pytest.fixture
def books(database):  # noqa: F811 -- the fixture
    """Open books."""
    opened = Books(database)
    yield opened
    opened.close()
