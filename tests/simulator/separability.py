"""How well one raw field alone tells attackers' units from honest ones: target rates, judged on a held-out half."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any
from zlib import crc32

UNITS = {"login", "payment", "gift_card_redeem", "phone_change", "address_add", "otp", "wallet_transfer"}
SMOOTHING = 4.0
FEWEST = 25


def fields(event: dict[str, Any], popularity: Counter[str]) -> dict[str, object]:
    """The raw fields of one event, amounts and popularity in half-octaves."""
    context, money = event["context"], event.get("transaction", {})
    seen = {
        name: context.get(name)
        for name in ("asn", "country", "city", "os", "browser", "device_type", "language")
    }
    seen["browser_name"] = context["browser"].rpartition(" ")[0]
    seen["user_agent"] = context.get("user_agent")
    seen["hour"] = event["time"][11:13]
    seen["minute"] = event["time"][14:16]
    seen["breached"] = event.get("credential", {}).get("breached")
    seen["has_session"] = "session" in event
    seen["parts"] = tuple(sorted(event))
    seen["context_parts"] = tuple(sorted(context))
    if money:
        seen["amount"] = octave(money["amount_minor"])
        seen["round"] = money["amount_minor"] % 100 in {0, 95, 99}
        seen["instrument"] = money["instrument"]
        seen["provider"] = money.get("identity_provider")
        seen["balance"] = octave(money.get("balance_before_minor", 0))
        seen["payee_popularity"] = octave(popularity[money.get("payee_id", "")])
        seen["payee_kind"] = money.get("payee_id", "-")[:1]
        seen["money_parts"] = tuple(sorted(money))
    registered = event["user"].get("registered_at", "")[:4]
    seen["registered_year"] = registered
    return seen


def octave(amount: int) -> int:
    """The half-octave that a number falls into."""
    return round(2 * math.log2(amount + 1))


def held_out_auc(values: list[object], guilty: list[bool], users: list[str]) -> float:
    """The AUC, on one half of the users, of each value's share of guilty events in the other half's events.

    Halves are of users, not of events: three payments from one stolen device say one thing, not three.
    """
    first = [crc32(user.encode()) % 2 == 0 for user in users]
    half = sum(first)
    counts: dict[object, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for i in (i for i, mine in enumerate(first) if mine):
        counts[values[i]][guilty[i]] += 1
    base = sum(c[1] for c in counts.values()) / max(1, half)
    rate = {v: (c[1] + SMOOTHING * base) / (c[0] + c[1] + SMOOTHING) for v, c in counts.items()}
    scored: Counter[tuple[float, bool]] = Counter(
        (rate.get(values[i], base), guilty[i]) for i, mine in enumerate(first) if not mine
    )
    below = area = 0.0
    for score in sorted({s for s, _ in scored}):
        area += scored[score, True] * (below + scored[score, False] / 2)
        below += scored[score, False]
    positives = sum(n for (_, g), n in scored.items() if g)
    return max(0.5, area / (positives * below)) if positives and below else 0.5


def worst_fields(worlds: list[tuple[list[dict[str, Any]], dict[str, str]]]) -> dict[tuple[str, str], float]:
    """The AUC of every (type, field) over several worlds together; types with too few attacks are left out."""
    table: dict[str, dict[str, list[object]]] = defaultdict(lambda: defaultdict(list))
    guilty: dict[str, list[bool]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for number, (events, labels) in enumerate(worlds):
        popularity = Counter(e["transaction"].get("payee_id") for e in events if "transaction" in e)
        for event in events:
            if event["type"] in UNITS and event["status"] == "succeeded":
                guilty[event["type"]].append(event["id"] in labels)
                users[event["type"]].append(f"{number}/{event['user']['id']}")
                for name, value in fields(event, popularity).items():
                    table[event["type"]][name].append(value)
    return {
        (kind, name): held_out_auc(values, guilty[kind], users[kind])
        for kind, columns in table.items()
        if sum(guilty[kind]) >= FEWEST * 2
        for name, values in columns.items()
    }
