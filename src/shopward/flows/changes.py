"""Changes: what happened to an account since a moment, from the ordered log.

Promise: read from the log and from nothing else; what Shopward cannot see it does not list. The newest
``ENTRIES_MAX`` entries of a user are looked at, and it says when there were more. Nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from shopward.events import Facts
from shopward.recovery.view import ChangeView
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.ports import EventLog, LogEntry

ENTRIES_MAX: Final = 10_000
CHANGES_MAX: Final = 200
_PAGE: Final = 500
_KINDS: Final = {
    "device_link": "device",
    "payee_add": "payee",
    "payment_method_add": "payment_method",
    "address_add": "address",
    "address_change": "address",
    "identity_link": "identity",
    "email_change": "contact",
    "phone_change": "contact",
    "mfa_enroll": "factor",
    "api_token_create": "api_token",
}
"""What somebody who was in the account leaves behind. A sign-in is listed once for each device."""
CODES_ADDED: Final = "-codes"
"""How the id of the event ends that tells of new recovery codes (``enrol``)."""
_facts: Final = msgspec.json.Decoder(Facts)


class Changes(NamedTuple):
    """What changed.

    Attributes:
        listed: newest first, for the owner to look through.
        types: of all events that succeeded.
        passwords: tokens of passwords that were used.
        complete: false where more happened than was looked at.
    """

    listed: tuple[ChangeView, ...]
    types: frozenset[str]
    passwords: frozenset[str]
    complete: bool

    @property
    def codes_added(self) -> bool:
        """Whether new recovery codes were made."""
        return any(each.kind == "factor" and each.event_id.endswith(CODES_ADDED) for each in self.listed)


def changes_since(log: EventLog, user: str, *, since_ms: int, until_ms: int) -> Changes:
    """What happened to a user's account between two moments; passwords from further back too, as far as it looks."""
    listed: list[ChangeView] = []
    types: set[str] = set()
    passwords: set[str] = set()
    devices: set[str] = set()
    looked_at = 0
    for entry in _newest(log, user):
        looked_at += 1
        facts = _facts.decode(entry.facts)
        passwords.add(facts.password)
        if (
            not since_ms <= entry.at_ms <= until_ms
            or facts.status != "succeeded"
            or facts.actor_type == "staff"
        ):
            continue
        types.add(facts.type)
        kind = _KINDS.get(facts.type, "")
        if facts.type == "login" and facts.device not in devices:
            devices.add(facts.device)
            kind = "sign_in"
        if kind and len(listed) < CHANGES_MAX:
            listed.append(
                ChangeView(
                    facts.id,
                    kind,
                    facts.type,
                    to_rfc3339(entry.at_ms),
                    facts.os,
                    facts.browser,
                    facts.country,
                )
            )
    complete = looked_at < ENTRIES_MAX and len(listed) < CHANGES_MAX
    return Changes(tuple(listed), frozenset(types), frozenset(passwords - {""}), complete)


def _newest(log: EventLog, user: str) -> Iterator[LogEntry]:
    before, left = None, ENTRIES_MAX
    while left > 0:
        page = log.timeline(user, before_seq=before, limit=min(_PAGE, left))
        yield from page
        if len(page) < _PAGE:
            return
        left -= len(page)
        before = page[-1].seq
