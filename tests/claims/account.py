"""An account with a past, and what happened to it."""

from shopward.access.keys import Caller
from shopward.values import DAY_MS, MINUTE_MS, to_rfc3339

SERVICE = Caller("shop", "shop", ("service",))
SITI = Caller("siti-laptop", "siti", ("analyst",))
BUDI = Caller("budi-laptop", "budi", ("analyst",))
DEWI = Caller("dewi-laptop", "dewi", ("analyst",))
ADMIN = Caller("root", "ayu", ("admin",))


def event(event_id, at_ms, kind="login", *, user="anna", device="own", session="s-own", **more):
    """An event that succeeded."""
    return {
        "id": event_id, "type": kind, "status": "succeeded", "time": to_rfc3339(at_ms), "user": {"id": user},
        "context": {"ip": "203.0.113.7", "device_id": device}, "session": {"id": session}, **more,
    }  # fmt: skip


def payment(
    event_id, at_ms, amount_minor, *, currency="IDR", user="anna", device="own", session="s-own", **more
):
    """A movement of value that succeeded."""
    transaction = {
        "id": f"t-{event_id}", "amount_minor": amount_minor, "currency": currency, "instrument": "balance",
        "payee_id": "m-1",
    }  # fmt: skip
    return event(
        event_id, at_ms, "payment", user=user, device=device, session=session, transaction=transaction, **more
    )


def past(now_ms, user="anna"):
    """Forty days of her own phone, and one small purchase."""
    began = now_ms - 40 * DAY_MS
    return [
        event(f"{user}-login", began, user=user),
        payment(f"{user}-own", began + MINUTE_MS, 10_000_00, user=user),
    ]


def theft(now_ms, user="anna", amounts=(300_000_00, 200_000_00)):
    """A stranger's device, an hour ago, and what it took."""
    at = now_ms - 60 * MINUTE_MS
    return [
        event(f"{user}-thief", at, user=user, device="thief", session="s-thief"),
        *(
            payment(f"{user}-stolen-{number}", at + MINUTE_MS * (1 + number), amount, user=user, device="thief",
                    session="s-thief")
            for number, amount in enumerate(amounts)
        ),
    ]  # fmt: skip
