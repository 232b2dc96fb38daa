"""Event types of OpenID Shared Signals (SSF, RISC, CAEP 1.0) and what the payload of each has to say.

Promise: a payload of a type that is known here is held against its definition; an attribute that no definition names is left
alone, since extensions are allowed. A type that nobody knows here is no fault of the sender's: its payload is an object and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEMAS: Final = "https://schemas.openid.net/secevent/"
SSF: Final = _SCHEMAS + "ssf/event-type/"
RISC: Final = _SCHEMAS + "risc/event-type/"
CAEP: Final = _SCHEMAS + "caep/event-type/"
OAUTH: Final = _SCHEMAS + "oauth/event-type/"
"""Google's alone: ``tokens-revoked`` and ``token-revoked``."""

VERIFICATION: Final = SSF + "verification"
VERIFICATIONS: Final = (VERIFICATION, RISC + "verification")
"""The second one is Google's, from before SSF."""
STREAM_UPDATED: Final = SSF + "stream-updated"
ACCOUNT_DISABLED: Final = RISC + "account-disabled"
CREDENTIAL_COMPROMISE: Final = RISC + "credential-compromise"
CHANGE_REQUIRED: Final = RISC + "account-credential-change-required"
IDENTIFIER_CHANGED: Final = RISC + "identifier-changed"
RECOVERY_CHANGED: Final = RISC + "recovery-information-changed"
SESSION_REVOKED: Final = CAEP + "session-revoked"
RISK_LEVEL_CHANGE: Final = CAEP + "risk-level-change"


class Definition(NamedTuple):
    """What a payload says: attributes that are required, and those whose words are a closed set."""

    required: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = {}


_ENTITIES: Final = {"initiating_entity": ("admin", "user", "policy", "system")}
_LEVELS: Final = ("LOW", "MEDIUM", "HIGH")
_COMPLIANCE: Final = ("compliant", "not-compliant")
_CHANGES: Final = ("create", "revoke", "update", "delete")
_STATUSES: Final = ("enabled", "paused", "disabled")
_PLAIN: Final = Definition()
_CAEP: Final = Definition((), _ENTITIES)

DEFINITIONS: Final[Mapping[str, Definition]] = {
    VERIFICATION: _PLAIN,
    STREAM_UPDATED: Definition(("status",), {"status": _STATUSES}),
    ACCOUNT_DISABLED: Definition((), {"reason": ("hijacking", "bulk-account")}),
    CREDENTIAL_COMPROMISE: Definition(("credential_type",)),
    **{
        RISC + name: _PLAIN
        for name in (
            "account-credential-change-required", "account-enabled", "account-purged", "identifier-changed",
            "identifier-recycled", "opt-in", "opt-out-initiated", "opt-out-cancelled", "opt-out-effective",
            "recovery-activated", "recovery-information-changed", "sessions-revoked",
        )
    },
    SESSION_REVOKED: _CAEP,
    CAEP + "session-established": _CAEP,
    CAEP + "session-presented": _CAEP,
    CAEP + "token-claims-change": Definition(("claims",), _ENTITIES),
    CAEP + "credential-change": Definition(("credential_type", "change_type"), _ENTITIES | {"change_type": _CHANGES}),
    CAEP + "assurance-level-change": Definition(("namespace", "current_level"), _ENTITIES),
    CAEP + "device-compliance-change": Definition(
        ("previous_status", "current_status"),
        _ENTITIES | {"previous_status": _COMPLIANCE, "current_status": _COMPLIANCE},
    ),
    RISK_LEVEL_CHANGE: Definition(
        ("principal", "current_level"), _ENTITIES | {"current_level": _LEVELS, "previous_level": _LEVELS}
    ),
    OAUTH + "tokens-revoked": _PLAIN,
    OAUTH + "token-revoked": _PLAIN,
}  # fmt: skip


def fault_of(event: str, payload: Mapping[str, Any]) -> str | None:
    """The attribute for which a payload is not what its event is defined to be; none where it is."""
    definition = DEFINITIONS.get(event, _PLAIN)
    for name in definition.required:
        if not payload.get(name):
            return name
    for name, words in definition.words.items():
        if name in payload and payload[name] not in words:
            return name
    stamp = payload.get("event_timestamp", 0)
    return None if isinstance(stamp, int | float) and not isinstance(stamp, bool) else "event_timestamp"
