"""An attack from one device: an account entered before the alarm, then wrong passwords on many."""

from shopward.values import DAY_MS, MINUTE_MS, to_rfc3339

ENTERED = "e-entered"


def login(event_id, at_ms, user, status="failed", device="dx", ip="203.0.113.7"):
    """A login."""
    return {
        "id": event_id, "type": "login", "status": status, "time": to_rfc3339(at_ms), "user": {"id": user},
        "context": {"ip": ip, "device_id": device},
    }  # fmt: skip


def attack(now_ms, targets, first=0):
    """A calm day, one victim, and so many targets a minute apart from each other, over by now."""
    began_ms = now_ms - 50 * MINUTE_MS
    before = [
        login("e-calm", began_ms - 4 * DAY_MS, "calm", "succeeded", "own"),
        login(ENTERED, began_ms, "victim", "succeeded"),
    ]
    return ([] if first else before) + [
        login(f"e-{number}", began_ms + MINUTE_MS * (1 + number), f"target{number}")
        for number in range(first, first + targets)
    ]
