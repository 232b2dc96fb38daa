"""A small stream of card payments with late labels: some payees are compromised for a while, and nothing else is odd."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
DELAY = timedelta(days=7)


def payments(*, seed: int = 3, days: int = 50, a_day: int = 120) -> list[dict[str, Any]]:
    """Payments of 60 cards at 40 payees; of ten, all payments are fraud for 20 days. Labels come a week later, in order."""
    rng = random.Random(seed)
    bad = {f"m{number}": rng.randrange(0, days - 20) for number in range(10)}
    events: list[tuple[datetime, dict[str, Any]]] = []
    for number in range(days * a_day):
        at = START + timedelta(days=number / a_day)
        payee = f"m{rng.randrange(40)}"
        event = {
            "id": f"p{number}",
            "type": "payment",
            "status": "attempted",
            "time": stamp(at),
            "user": {"id": f"c{rng.randrange(60)}"},
            "transaction": {
                "id": f"x{number}",
                "amount_minor": rng.randrange(500, 9_000),
                "currency": "EUR",
                "instrument": "card",
                "payee_id": payee,
            },
        }
        events.append((at, event))
        if 0 <= (at - START).days - bad.get(payee, days) < 20:
            label = {
                "id": f"l{number}",
                "type": "label",
                "status": "fraud",
                "time": stamp(at + DELAY),
                "user": event["user"],
                "label": {"event_id": event["id"]},
            }
            events.append((at + DELAY, label))
    events.sort(key=lambda each: each[0])
    return [event for _at, event in events]


def stamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
