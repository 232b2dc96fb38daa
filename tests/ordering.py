"""Persons with keys, and orders and events as the tests of protection ask for them."""

import msgspec

from shopward.access import Caller
from shopward.protection.orders import OrderRequest

NOW_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
ANNA = Caller("anna-1", "anna", ("analyst",))
BUDI = Caller("budi-1", "budi", ("analyst",))
SHOP = Caller("shop-1", "shop", ("service",))
SOON = "2026-01-08T00:00:00Z"


def asked(kind="freeze", **changes):
    """A request for an order that ends in three days."""
    body = {
        "kind": kind,
        "scope": ["stored_value"],
        "target": {"everyone": True},
        "reason": "credential_stuffing",
        "ends_at": SOON,
    }
    return msgspec.convert(body | changes, OrderRequest)


def pays(number, user="u1", second=None, **changes):
    """A payment from the balance that is about to be made."""
    second = number if second is None else second
    made = {
        "id": f"p-{number}",
        "type": "payment",
        "status": "attempted",
        "time": f"2026-01-05T00:{second // 60:02}:{second % 60:02}Z",
        "user": {"id": user},
        "transaction": {
            "id": f"t-{number}",
            "amount_minor": 1000,
            "currency": "IDR",
            "instrument": "balance",
        },
    }
    return made | changes


def signs_in(number, user="u1", **changes):
    """A successful sign-in with a session."""
    login = {"type": "login", "status": "succeeded", "session": {"id": f"s-{number}"}, "transaction": {}}
    return pays(number, user) | login | changes
