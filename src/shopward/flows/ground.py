"""What the stories of protection stand on: transactions, the fence, orders, users, arrows, the clock and the tokens.

Promise: one record of it for all of them, put together by ``service``. It decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.flows.arrows import Arrows
    from shopward.ports import Fence, Records
    from shopward.protection.sets import SetStore
    from shopward.protection.store import OrderStore
    from shopward.protection.users import DeclaredUsers
    from shopward.values import Clock


class Ground(NamedTuple):
    """The common ground.

    Attributes:
        records: transactions.
        fence: keeps captures and changes of orders apart.
        store: the orders.
        users: the declared users.
        arrows: the steps of an order.
        clock: the server's clock.
        blind: gives the token of a value in a domain.
        sets: the victim sets.
    """

    records: Records
    fence: Fence
    store: OrderStore
    users: DeclaredUsers
    arrows: Arrows
    clock: Clock
    blind: Callable[[str, str], str]
    sets: SetStore
