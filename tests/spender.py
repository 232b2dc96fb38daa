"""A process that authorises and captures as fast as it can: ``spender.py URL KEY_HEX FIRST COUNT``.

It prints ``ready``, waits for a line, then one line for each capture: the database's own commit clock is not needed,
since what is counted is what stands in the table. It ends when its first capture is stopped, or after COUNT.
"""

import sys

from shopward.adapters.sql import open_engine
from shopward.adapters.sql.records import SqlRecords, fence_of
from shopward.errors import Conflict
from shopward.events import FactsMaker, Tokeniser, decode_event
from shopward.flows.arrows import Arrows
from shopward.flows.authorize import AuthorizationDesk
from shopward.flows.engine import DecisionRecord
from shopward.flows.ground import Ground
from shopward.flows.oversee import Overseer
from shopward.protection.authorizations import Authorizations
from shopward.protection.sets import SetStore
from shopward.protection.store import OrderStore
from shopward.protection.users import DeclaredUsers
from shopward.values import SystemClock, SystemIds


def desk_on(url, key, clock):
    """An authorisation desk over a store that somebody else opened."""
    engine, maker = open_engine(url), FactsMaker(Tokeniser(key))
    records, fence = SqlRecords(engine), fence_of(engine, "main")
    store, sets = OrderStore("main", SystemIds()), SetStore("main")
    users = DeclaredUsers("main", maker.blind, sets)
    ground = Ground(records, fence, store, users, Arrows(store, None, None, None), clock, maker.blind, sets)
    overseer = Overseer(ground, steady_s=lambda: clock.now_ms() / 1000)
    return AuthorizationDesk(
        records=records, fence=fence, book=Authorizations("main", store, users), overseer=overseer, maker=maker,
        clock=clock,
    )  # fmt: skip


def authorized(desk, number, clock, user):
    """The id of a payment that was allowed just now."""
    event = decode_event(
        b'{"id":"p-%d","type":"payment","status":"attempted","time":"2026-01-05T00:00:00Z","user":{"id":"%s"},'
        b'"transaction":{"id":"t-%d","amount_minor":100,"currency":"IDR","instrument":"balance"}}'
        % (number, user.encode(), number)
    )
    return desk.open(event, DecisionRecord("d", event.id, "allow", 0.0), clock.now_ms()).id


def main():
    """Spend."""
    url, key, first, count = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    clock = SystemClock()
    desk = desk_on(url, key, clock)
    print("ready", flush=True)  # noqa: T201 -- how it speaks
    sys.stdin.readline()
    for number in range(first, first + count):
        try:
            desk.capture(authorized(desk, number, clock, f"u{number % 50}"))
        except Conflict as stopped:
            print("stopped", stopped.code, number - first, flush=True)  # noqa: T201 -- how it speaks
            return
    print("finished", count, flush=True)  # noqa: T201 -- how it speaks


if __name__ == "__main__":
    main()
