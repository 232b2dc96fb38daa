"""The events of the reference load: payments that carry every key of ``reference_policy``, in moving time.

Promise: seeded, endless, each id once and random (an id that sorts by time would be kind to every index), keys that
repeat as in a shop (few busy, many idle) and tables that grow: a tenth of all events brings a new user, with a new
device and mostly a new network. About 600 bytes an event, as in the published measurements of web servers.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 5, tzinfo=UTC)
STEP_MS = 250
FIRST_USERS = 20_000
PAYEES = 8_000
AGENT = (
    "Mozilla/5.0 (Linux; Android 14; SM-A546E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile"
)


def reference_events(seed: int = 7) -> Iterator[bytes]:
    """Payments, 250 ms apart."""
    rng = random.Random(seed)
    users, at = FIRST_USERS, START
    while True:
        at += timedelta(milliseconds=STEP_MS)
        if rng.random() < 0.1:
            users += 1
            user = users
        else:
            user = int(users * rng.random() ** 1.5)
        device = user if rng.random() < 0.9 else rng.randrange(users)
        network = user // 4 if rng.random() < 0.7 else rng.randrange(30_000)
        payee = int(PAYEES * rng.random() ** 2)
        yield (
            f'{{"id":"{rng.getrandbits(128):032x}","type":"payment","status":"attempted",'
            f'"time":"{at.isoformat(timespec="milliseconds")}","user":{{"id":"u{user:08d}"}},'
            f'"context":{{"ip":"{10 + (network >> 16)}.{network >> 8 & 255}.{network & 255}.7","asn":4761,'
            f'"country":"ID","city":"Bandung","user_agent":"{AGENT}","os":"Android 14",'
            f'"browser":"Chrome 124","device_id":"d{device:08d}","device_type":"mobile","language":"id"}},'
            f'"session":{{"id":"s{user:08d}{at.hour:02d}"}},'
            f'"transaction":{{"id":"t-{rng.getrandbits(64):016x}","amount_minor":{int(50_000_000 * rng.random() ** 8)},'
            f'"currency":"IDR","instrument":"balance","payee_id":"p{payee:06d}"}}}}'
        ).encode()
