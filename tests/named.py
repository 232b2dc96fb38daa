"""What simulated customers are known by."""

from __future__ import annotations

_PERSONAL = ("ip", "device_id", "user_agent", "city")


def personal_values(events):
    """Addresses, devices, tokens of contacts, sessions, cards and payees of all events."""
    found = set()
    for event in events:
        context = event.get("context", {})
        found |= {context[name] for name in _PERSONAL if context.get(name)}
        found |= set(event.get("user", {}).get("tokens", {}).values())
        found.add(event.get("session", {}).get("id", ""))
        transaction = event.get("transaction", {})
        found |= {transaction.get("instrument_id", ""), transaction.get("payee_id", "")}
        found.add(event.get("credential", {}).get("password_hmac", ""))
        found |= {
            change.get(side, "") for change in event.get("changes", ()) for side in ("old_token", "new_token")
        }
    return {value for value in found if isinstance(value, str) and len(value) >= 7}
