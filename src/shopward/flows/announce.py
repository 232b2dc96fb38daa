"""Announcing: what is done about a customer here is to be told to partners that may hear of them.

Promise:
- what is to be told is written down in the transaction that did it, for every receiver that the shop named the customer to, that
  wants to hear of them, and whose stream has this type of event; for nobody else;
- it says what happened in closed words, and names the customer by token until it leaves (``flows.transmit``);
- hearsay is not passed on: what another company told us is its own to tell, and two that listen to each other would never end;
- orders about single users and lists of users are told. One about a predicate, a stored set or everybody is not: it says nothing
  of any one customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.ssf.events import (
    ACCOUNT_DISABLED,
    CHANGE_REQUIRED,
    CREDENTIAL_COMPROMISE,
    IDENTIFIER_CHANGED,
    RECOVERY_CHANGED,
    RISK_LEVEL_CHANGE,
    SESSION_REVOKED,
)
from shopward.ssf.receiver_store import Told
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.flows.follow import Heard
    from shopward.protection.orders import Order, Standing
    from shopward.ssf.receiver_store import ReceiverStore
    from shopward.values import IdSource

HEARSAY: Final = "linked_identity_breach"
HIJACKED: Final = frozenset({"takeover", "credential_stuffing", "phishing", "account_at_risk"})
"""Reasons for which a freeze says that somebody else has the account."""
COMPROMISED: Final = frozenset({"takeover", "credential_stuffing", "phishing", "data_breach"})
"""Reasons for which another password says that somebody else has the old one."""
_CHANGES: Final = {"email_change": "email", "phone_change": "phone_number"}
_CONTACT: Final = tuple(f'"type":"{kind}"'.encode() for kind in _CHANGES)


class Announcer:
    """Writes down what is to be told; works inside the caller's transaction.

    Args:
        store: the receivers.
        ids: names tokens.
    """

    def __init__(self, store: ReceiverStore, ids: IdSource) -> None:
        self._store = store
        self._ids = ids

    def order_began(self, connection: Any, order: Order, now_ms: int) -> None:
        """An order has come into force."""
        said = _said_of(order.standing, "policy" if order.decision else "admin", now_ms // SECOND_MS)
        if said is not None:
            event, payload = said
            self._tell(
                connection, order.standing.target.tokens, {event: payload}, order.decision or order.id, now_ms
            )

    def hears(self, facts: bytes, decisions: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether it may be about a customer's contact."""
        return any(each in facts for each in _CONTACT)

    def act(self, connection: Any, heard: Heard) -> bool:
        """A customer's contact changed; who knows them by it hears that, too. No order changes."""
        facts = heard.facts
        if facts.type in _CHANGES and facts.status == "succeeded" and facts.user:
            events: Mapping[str, dict[str, Any]] = {RECOVERY_CHANGED: {}, IDENTIFIER_CHANGED: {}}
            self._tell(
                connection, [facts.user], events, heard.record.id, heard.recorded_ms, _CHANGES[facts.type]
            )
        return False

    def _tell(
        self, connection: Any, users: Sequence[str], events: Mapping[str, dict[str, Any]], cause: str, now_ms: int,
        identifier: str = "",
    ) -> None:  # fmt: skip
        for user, named, receiver in self._store.hearing_of(connection, users):
            for event, payload in events.items():
                is_meant = event != IDENTIFIER_CHANGED or named == identifier
                if is_meant and receiver.hears(event):
                    told = Told(
                        event=event, payload=payload, made_s=now_ms // SECOND_MS, user=user, cause=cause
                    )
                    self._store.tell(connection, receiver.id, self._ids.new("set", now_ms), told)


def _said_of(standing: Standing, entity: str, at_s: int) -> tuple[str, dict[str, Any]] | None:
    """The event that an order is, for others."""
    kind, reason = standing.kind, standing.reason
    if reason == HEARSAY or standing.target.kind not in ("user", "victim_set"):
        return None
    common = {
        "event_timestamp": at_s,
        "initiating_entity": entity,
        "reason_admin": {"en": reason.replace("_", " ")},
    }
    if kind == "freeze" and reason in HIJACKED:
        return ACCOUNT_DISABLED, {"reason": "hijacking"}
    if kind == "reset":
        is_known = reason in COMPROMISED
        return (CREDENTIAL_COMPROMISE, {"credential_type": "password", "event_timestamp": at_s}) if is_known else (CHANGE_REQUIRED, {})  # fmt: skip
    if kind == "revoke":
        return SESSION_REVOKED, common
    if kind in ("freeze", "limit", "step_up", "delay"):
        return RISK_LEVEL_CHANGE, common | {
            "principal": "USER",
            "current_level": "HIGH",
            "risk_reason": reason.upper(),
        }
    return None
