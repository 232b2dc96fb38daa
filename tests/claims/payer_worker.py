"""A process that carries payouts until it is killed: ``payer_worker.py DATA DATABASE URL SECRET``."""

import sys
import time

from shopward.config import Settings
from shopward.service import Shopward


def main():
    """Carry, and say each round."""
    data, database, url, secret = sys.argv[1:]
    with Shopward.open(Settings(data=data, database=database, payout_url=url, payout_secret=secret)) as shop:
        while True:
            carried = shop.payouts.step()
            print(carried, flush=True)  # noqa: T201 -- how it speaks
            if not carried:
                time.sleep(0.02)


if __name__ == "__main__":
    main()
