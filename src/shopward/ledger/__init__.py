"""The ledger: what was lost, owed, paid and got back, in double entry.

Promise:
- a transfer is whole or not there: its entries sum to zero in each currency, and it is never changed or removed;
- the same key with the same body is the same transfer, whenever it comes; with another body it is refused;
- a pending transfer is posted or voided once, a posted one reversed once, by a transfer that names it;
- what the shop owes (a customer's balance, a claim that is payable) is never overdrawn, also by what is pending;
- balances are kept beside the entries and can be derived from them; ``verify`` does, and finds any changed row.

Not here: why money moves (``claims``), who carries it (a payout port), and the shop's own accounting: the books hold what
protection and restitution move, and are exported for those who keep all the others.
"""

from shopward.ledger.accounts import SHOP, Account, Kind
from shopward.ledger.book import Book
from shopward.ledger.reading import Balance, Reading
from shopward.ledger.rows import Recorded
from shopward.ledger.transfers import Entry, Stage, Transfer
from shopward.ledger.verifier import Fault, Report, verify

__all__ = [
    "SHOP",
    "Account",
    "Balance",
    "Book",
    "Entry",
    "Fault",
    "Kind",
    "Reading",
    "Recorded",
    "Report",
    "Stage",
    "Transfer",
    "verify",
]
