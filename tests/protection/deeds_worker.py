"""A process that does one deed of protection after another until it is killed: ``deeds_worker.py DATA DATABASE SEED``.

Before each deed it prints what it is about to do, after it what became of it: whoever reads knows what was answered and
what may or may not have happened. Each deed is a call of its own; nothing waits for anything.
"""

import itertools
import random
import sys

import msgspec

from ordering import ANNA, BUDI, asked
from serving import POLICY
from shopward.config import Settings
from shopward.errors import ShopwardError
from shopward.flows.advise import AdvisoryAsked
from shopward.flows.victims import SealAsked, SetAsked
from shopward.protection import Declared
from shopward.service import Shopward

ENDS = "2030-01-08T00:00:00Z"


class Deeds:
    """The deeds, each a method that gives back what it was about."""

    def __init__(self, shop, rng, seed):
        self.shop, self.rng, self.seed = shop, rng, seed
        self.names = [f"{seed}-{number}" for number in range(4)]

    def an_order(self):
        """Of those in force."""
        found = self.shop.overseer.newest(state="active", before=None, limit=50)
        return self.rng.choice(found).id if found else "o-none"

    def place(self):
        """A freeze of everybody who is linked."""
        where = {"predicate": '"apple" in identity_providers'}
        return self.shop.protection.place(
            ANNA, asked(target=where, ends_at=ENDS), f"k-{self.rng.randrange(20)}"
        ).id

    def release(self):
        """Asked for and approved."""
        order_id = self.an_order()
        self.shop.protection.release(ANNA, order_id)
        return self.shop.protection.approve(BUDI, order_id).id

    def advise(self):
        """Two orders at once."""
        body = {
            "provider": "apple", "incident": self.rng.choice(self.names), "ends_at": ENDS,
            "limit": {"amount_minor": 0, "currency": "IDR", "window_s": 3600},
        }  # fmt: skip
        self.name = self.shop.advisories.place(ANNA, msgspec.convert(body, AdvisoryAsked)).id
        return self.name

    def end_advisory(self):
        """Both at once."""
        name = self.advise()
        self.shop.advisories.release(ANNA, name)
        return self.shop.advisories.approve(BUDI, name).id

    def fill(self):
        """A sealed set and an order about it."""
        made = self.shop.victims.make(ANNA, SetAsked("stuffed"))
        for page in range(3):
            self.shop.victims.put_page(ANNA, made.id, page, [f"{page}-{number}" for number in range(50)])
        self.shop.victims.seal(ANNA, made.id, SealAsked(150))
        return self.shop.protection.place(ANNA, asked(target={"victim_set_id": made.id}, ends_at=ENDS)).id

    def let_out(self):
        """One user of one order."""
        order_id = self.an_order()
        self.shop.protection.exempt(
            ANNA, order_id, [f"u{self.rng.randrange(9)}"], cause="staff_release", evidence=""
        )
        return order_id

    def declare(self):
        """Somebody."""
        self.shop.overseer.declare({f"u{self.rng.randrange(9)}": Declared(identity_providers=("apple",))})
        return "declared"


def main():
    """Until killed."""
    data, database, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rng = random.Random(seed)
    with Shopward.open(Settings(data=data, policy=str(POLICY), database=database)) as shop:
        deeds = Deeds(shop, rng, seed)
        kinds = [
            deeds.place,
            deeds.release,
            deeds.advise,
            deeds.end_advisory,
            deeds.fill,
            deeds.let_out,
            deeds.declare,
        ]
        print("ready", flush=True)  # noqa: T201 -- how it speaks
        for number in itertools.count():
            deed = rng.choice(kinds)
            try:
                said = deed()
            except ShopwardError as refused:
                said = refused.code
            print("done", number, deed.__name__, said, flush=True)  # noqa: T201 -- how it speaks


if __name__ == "__main__":
    main()
