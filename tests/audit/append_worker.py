"""A process that appends: URL, its number, how many deeds; every third of them is rolled back."""

import sys

from audit.conftest import KEY, say
from shopward.adapters.sql import open_engine
from shopward.audit import AuditTrail


def append_some(engine, worker, count):
    """Append lines in transactions of their own; how many stayed."""
    trail, kept = AuditTrail(signer=KEY, every=10), 0
    for number in range(count):
        with engine.connect() as connection, connection.begin() as transaction:
            say(trail, connection, number, actor=f"k:{worker}")
            if number % 3 == 2:
                transaction.rollback()
                continue
        kept += 1
    return kept


if __name__ == "__main__":
    engine = open_engine(sys.argv[1])
    print(append_some(engine, int(sys.argv[2]), int(sys.argv[3])))  # noqa: T201
    engine.dispose()
