"""What an event of another company's means for an account of ours: a word, and whether it is a danger.

Promise: one table, pure. A word becomes a field of the ``changes`` of an ``identity_alert``, where rules can see it; what is then
done is ``flows.alerted``'s. A danger is an alert that succeeded; what the other company only asks for or tells is one that was
requested, and no reason by itself to doubt a payment.

Not here: events that say something about the stream and not about an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.ssf.events import (
    ACCOUNT_DISABLED,
    CAEP,
    CHANGE_REQUIRED,
    CREDENTIAL_COMPROMISE,
    DEFINITIONS,
    IDENTIFIER_CHANGED,
    OAUTH,
    RECOVERY_CHANGED,
    RISC,
    RISK_LEVEL_CHANGE,
    SESSION_REVOKED,
)
from shopward.ssf.sets import APPLE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.ssf.sets import SecurityEvent


_WORDS: Final[Mapping[str, str]] = {
    CHANGE_REQUIRED: "change_required",
    IDENTIFIER_CHANGED: "identifier_changed",
    RISC + "identifier-recycled": "identifier_recycled",
    RISC + "recovery-activated": "recovery_changed",
    RECOVERY_CHANGED: "recovery_changed",
    RISC + "account-purged": "purged",
    RISC + "sessions-revoked": "sessions_revoked",
    SESSION_REVOKED: "sessions_revoked",
    OAUTH + "tokens-revoked": "sessions_revoked",
    OAUTH + "token-revoked": "sessions_revoked",
    CAEP + "credential-change": "credential_changed",
    APPLE_EVENTS + "consent-revoked": "purged",
    APPLE_EVENTS + "account-delete": "purged",
}
_PASSWORDS: Final = ("password", "pin")
NO_DANGER: Final = frozenset({"identifier_changed", "purged", "sessions_revoked", "credential_changed"})


def word_of(told: SecurityEvent) -> str:
    """What an event says of the foreign account; empty where nothing follows from it."""
    if told.event == ACCOUNT_DISABLED:
        return "hijacked" if told.payload.get("reason") == "hijacking" else "disabled"
    if told.event == CREDENTIAL_COMPROMISE:
        is_password = told.payload.get("credential_type") in _PASSWORDS
        return "password_compromised" if is_password else "credential_compromised"
    if told.event == RISK_LEVEL_CHANGE:
        return "risk_high" if told.payload.get("current_level") == "HIGH" else ""
    return _WORDS.get(told.event, "")


def short_name(event: str) -> str:
    """An event type as it is counted: the end of a URI that is known here, or ``other``."""
    known = event in DEFINITIONS or event in _WORDS
    return event.rpartition("/")[2] if known else "other"
