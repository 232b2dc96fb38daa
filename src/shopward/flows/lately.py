"""Lately: what happened in an account, as its owner remembers such things.

Promise: pure, and of facts alone, so that nothing sealed is opened for it: a country and no address, a system and a browser and no
device's id. A thing that was asked for and then done is told once; tries that look alike and follow each other are one line with
their number, so that an attack does not push everything else off the page; the first of a new device stands by itself. What staff,
partners and programs did is not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from shopward.events.catalogue import MONEY_TYPES
from shopward.flows.sim import FIELD as SIM
from shopward.values import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shopward.events import Facts

WINDOW_MS: Final = 30 * DAY_MS
SHOWN_MAX: Final = 30
SETTLED_WITHIN_MS: Final = 15 * MINUTE_MS
"""A thing that was done so soon after it was asked for is that thing."""
Outcome = Literal["done", "failed", "stopped", "asked", "let"]
_AHEAD: Final = ("done", "let")
SHOWN: Final = frozenset(
    {
        "login", "password_change", "password_reset_request", "password_reset", "email_change", "phone_change",
        "profile_update", "address_add", "address_change", "mfa_enroll", "mfa_remove", "device_link", "device_unlink",
        "identity_link", "identity_unlink", "payment_method_add", "payee_add", "order_create", "order_cancel",
        "refund_request", "api_token_create", *MONEY_TYPES,
    }
)  # fmt: skip
"""Types that a customer would know of if it was her."""


class Seen(NamedTuple):
    """An event of the log and its decision, read."""

    event_id: str
    at_ms: int
    facts: Facts
    decision: str


class Happened(NamedTuple):
    """One line of what happened.

    Attributes:
        event_id: of the newest of the line.
        outcome: done, failed, stopped, asked for a proof, or let through without word of what came of it.
        times: how many of the same; ``since_ms`` is the first of them.
        country: of ISO 3166; empty where it is not known.
        is_new_device: whether it went ahead from a device that nothing older that was looked at went ahead from.
        has_moved: whether money or its like may have left.
    """

    event_id: str
    type: str
    outcome: Outcome
    at_ms: int
    since_ms: int
    times: int = 1
    country: str = ""
    os: str = ""
    browser: str = ""
    is_new_device: bool = False
    amount_minor: int = 0
    currency: str = ""
    has_moved: bool = False


def lately(seen: Sequence[Seen], *, at_ms: int) -> list[Happened]:
    """What is shown of events, newest first as they come."""
    settled = list(_settled(seen))
    ahead = [each for each, outcome in settled if outcome in _AHEAD and each.facts.device]
    entry_of = {each.facts.device: each.event_id for each in ahead}  # the oldest of a device is written last
    first = ahead[-1].facts.device if ahead else ""
    lines: list[Happened] = []
    last_key: tuple[str, ...] = ()
    for each, outcome in settled:
        facts = each.facts
        if each.at_ms < at_ms - WINDOW_MS:
            break
        if facts.type not in SHOWN or facts.actor_type != "customer":
            continue
        is_new = entry_of.get(facts.device) == each.event_id and facts.device != first
        key = _key(each, outcome)
        if lines and key and key == last_key and not is_new:
            lines[-1] = lines[-1]._replace(times=lines[-1].times + 1, since_ms=each.at_ms)
            continue
        if len(lines) == SHOWN_MAX:
            break
        last_key = key
        lines.append(_line(each, outcome, is_new=is_new))
    return lines


def outcome_of(seen: Seen) -> Outcome:
    """What came of it: as it was told, or as it was decided where nothing was told afterwards."""
    if seen.facts.status == "succeeded":
        return "done"
    if seen.facts.status == "failed":
        return "failed"
    decided: dict[str, Outcome] = {"deny": "stopped", "challenge": "asked"}
    return decided.get(seen.decision, "let")


def is_breached(seen: Sequence[Seen]) -> bool:
    """Whether the password in use was last seen in a list of stolen ones; newest first."""
    for each in seen:
        if each.facts.breached:
            return True
        if each.facts.type in ("password_change", "password_reset") and each.facts.status == "succeeded":
            return False
    return False


def new_sim_ms(seen: Sequence[Seen]) -> int:
    """When the operator last said that the number moved to another SIM (``flows.sim``); 0 for never. Newest first."""
    told = (
        each
        for each in seen
        if each.facts.type == "custom" and each.facts.actor_type == "service" and each.facts.changed == SIM
    )
    return next((each.at_ms for each in told), 0)


def _settled(seen: Sequence[Seen]) -> Iterator[tuple[Seen, Outcome]]:
    """Events with what came of them; what was asked for and then done stands there once, as what was done."""
    settled: dict[tuple[str, str, str], int] = {}
    for each in seen:
        facts, outcome = each.facts, outcome_of(each)
        same = (facts.type, facts.actor_type, facts.device)
        if facts.status in ("succeeded", "failed"):
            settled[same] = each.at_ms
        elif outcome == "let" and same in settled and settled[same] - each.at_ms <= SETTLED_WITHIN_MS:
            continue
        yield each, outcome


def _key(seen: Seen, outcome: Outcome) -> tuple[str, ...]:
    """What looks alike; nothing looks like a movement of value, and tries to sign in look alike wherever they come from."""
    facts = seen.facts
    if facts.type in MONEY_TYPES:
        return ()
    if facts.type == "login" and outcome in ("failed", "stopped", "asked"):
        return (facts.type, outcome)
    return (facts.type, outcome, facts.device, facts.country)


def _line(seen: Seen, outcome: Outcome, *, is_new: bool) -> Happened:
    facts = seen.facts
    is_money = facts.type in MONEY_TYPES
    return Happened(
        seen.event_id, facts.type, outcome, seen.at_ms, seen.at_ms, country=facts.country, os=facts.os,
        browser=facts.browser, is_new_device=is_new, amount_minor=facts.amount_minor if is_money else 0,
        currency=facts.currency if is_money else "", has_moved=is_money and outcome in ("done", "let"),
    )  # fmt: skip
