"""Protection: orders that stop, limit, delay or ask, for one account or ten million, and the way out of each.

Promise: an order is one row with a reason, an author, an end or a date of review, and conditions of release; it is in
force from the moment its transaction commits, whatever the number of users that it covers; orders only ever add to each
other (``resolve``); every step along ``states.ARROWS`` is audited in its own transaction. What decisions see is a
versioned set in memory (``inforce``), a pure function of the log.

Not here: who may do what (``access``), the stories (``flows.protect``, ``flows.authorize``), sending anything to anybody.
``store``, ``users`` and ``authorizations`` speak SQL; nothing else here does.
"""

from shopward.protection.attributes import Declared, DeclaredLine, DeclaredUser, declared
from shopward.protection.index import OrderIndex
from shopward.protection.inforce import Change, OrdersInForce
from shopward.protection.orders import Order, OrderRequest, Standing
from shopward.protection.resolve import Ruling, resolve

__all__ = [
    "Change",
    "Declared",
    "DeclaredLine",
    "DeclaredUser",
    "Order",
    "OrderIndex",
    "OrderRequest",
    "OrdersInForce",
    "Ruling",
    "Standing",
    "declared",
    "resolve",
]
