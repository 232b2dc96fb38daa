"""A process that sends what is due until it is killed: ``mailer_worker.py DATA DATABASE SMTP_URL``."""

import sys
import time

from notices.telling import opened
from shopward.values import SystemClock


def main():
    """Send, and say each round."""
    with opened(*sys.argv[1:], clock=SystemClock()) as shop:
        print("open", flush=True)  # noqa: T201 -- how it speaks
        while True:
            if not shop.notices.step():
                time.sleep(0.02)


if __name__ == "__main__":
    main()
