"""What the platform's own log knows of a disputed item, and what of it speaks against the customer.

Promise: pure, from the account's own events and nothing else. Only two kinds follow from the log, and both ask for much:
- ``strong_authentication_by_owner``: a challenge for this very event was passed with a passkey or TOTP that had stood on
  the account for thirty days. A code that was sent proves little: it is what thieves ask for;
- ``device_binding``: the device had been used with success for thirty days before, and before the incident began.
The other two kinds (the customer's own admission, a pattern of false claims) are entered by a person with a reference.

Where the log does not reach back, it is silent, and silence is for the customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.claims.claim import Known
from shopward.values import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shopward.claims.claim import Item, PlatformEvidence

STANDING_MS: Final = 30 * DAY_MS
"""So long a device or a factor has to have been the customer's own."""
PROOF_MS: Final = 10 * MINUTE_MS
"""A challenge speaks for what follows within this time (contract)."""
STRONG: Final = frozenset({"passkey", "totp"})


class Seen(NamedTuple):
    """An event of the account, as far as it matters here; tokens for device and session."""

    event_id: str
    type: str
    status: str
    at_ms: int
    device: str = ""
    session: str = ""
    factor: str = ""
    challenged: str = ""
    decision: str = ""
    orders: tuple[str, ...] = ()


def known_of(event_id: str, account: Sequence[Seen]) -> Known:
    """What is known of an event's moment.

    Args:
        event_id: of the disputed event, one of ``account``.
        account: the account's events, oldest first.
    """
    place = next((index for index, each in enumerate(account) if each.event_id == event_id), None)
    if place is None:
        return Known()
    event, before = account[place], account[:place]
    factor = _factor_of(event, account)
    if not before:  # as of every claim that is filed for a victim, by the thousand
        return Known(decision=event.decision, factor=factor, orders=event.orders)
    return Known(
        decision=event.decision,
        device_since_ms=_first(before, lambda each: bool(event.device) and each.device == event.device),
        login_ms=_last(before, lambda each: each.type == "login" and each.session == event.session != ""),
        factor=factor,
        factor_since_ms=_first(
            before, lambda each: each.type == "mfa_enroll" and each.factor == factor != ""
        ),
        orders=event.orders,
    )


def against(item: Item, *, window_from_ms: int) -> tuple[PlatformEvidence, ...]:
    """What of it speaks against the customer.

    Args:
        item: with what is known.
        window_from_ms: when the incident began; 0 where there is none.
    """
    known = item.known
    found: list[PlatformEvidence] = []
    if known.factor in STRONG and 0 < known.factor_since_ms <= item.at_ms - STANDING_MS:
        found.append("strong_authentication_by_owner")
    began_ms = min(item.at_ms, window_from_ms or item.at_ms)
    if 0 < known.device_since_ms <= began_ms - STANDING_MS:
        found.append("device_binding")
    return tuple(found)


def _factor_of(event: Seen, account: Iterable[Seen]) -> str:
    """By which a challenge for this event was passed, shortly before it or on its own decision."""
    for each in account:
        if each.type != "challenge" or each.status != "succeeded" or each.device != event.device:
            continue
        is_recent = 0 <= event.at_ms - each.at_ms <= PROOF_MS
        if is_recent or each.challenged.removeprefix("d-") == event.event_id:
            return each.factor
    return ""


def _first(events: Iterable[Seen], fits: Callable[[Seen], bool]) -> int:
    return next((each.at_ms for each in events if each.status == "succeeded" and fits(each)), 0)


def _last(events: Sequence[Seen], fits: Callable[[Seen], bool]) -> int:
    return next((each.at_ms for each in reversed(events) if each.status == "succeeded" and fits(each)), 0)
