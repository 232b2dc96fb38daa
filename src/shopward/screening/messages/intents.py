"""What a message is after: rules over words and things, with what they weigh.

Promise: a rule is a few alternatives that all have to be there (request, object, destination); ``asks_secret`` and its kin look
at one sentence and heed negation, so that a shop's own "never share your code" asks for nothing. Weights are log odds: they were
set by hand from what the sources of this context say, and a trained bundle only adds to them. Pure, linear in the words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.screening.messages.extract import KINDS
from shopward.screening.messages.lexicon import groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.screening.messages.extract import Thing
    from shopward.screening.messages.lexicon import Hit

BIAS: Final = -4.0
"""Log odds of a message of which nothing is known."""
_SENTENCE_END: Final = re.compile(
    r"[!?;\n](?![a-z0-9])|\.(?=\s|$)|(?<=[\u4e00-\u9fff]{2})\.(?=[\u4e00-\u9fff]{2})"
)
"""A dot between single characters is a disguise and ends nothing."""
_REACH: Final = 60
"""A request and its object stand no further apart, in characters."""
_NEGATION_REACH: Final = 45
_CONTACT: Final = frozenset(("phone", "handle", "call"))
_WAY: Final = frozenset(("link", "phone", "handle"))


class Rule(NamedTuple):
    """A rule.

    Attributes:
        code: of its reason; one that weighs less than nothing gives none.
        weight: log odds.
        needs: alternatives, of each of which one has to be there; the reason's place is that of the first.
    """

    code: str
    weight: float
    needs: tuple[frozenset[str], ...]


class Fired(NamedTuple):
    """A rule that holds: its code and weight, and where in the normalised text."""

    code: str
    weight: float
    start: int
    end: int


def _any(words: str) -> frozenset[str]:
    return frozenset(words.split())


RULES: Final = (
    Rule("lure_prize", 2.2, (_any("prize"), _WAY)),
    Rule("lure_prize_money", 0.6, (_any("prize"), _any("amount"))),
    Rule("lure_refund", 1.6, (_any("refund"), _WAY)),
    Rule(
        "lure_points", 1.8, (_any("points"), _any("link phone handle"), _any("enter urgency threat customer"))
    ),
    Rule("lure_parcel", 1.4, (_any("parcel"), _any("link app"), _any("click enter pay threat urgency app"))),
    Rule("threat_account", 2.2, (_any("threat"), _WAY, _any("customer enter click call staff"))),
    Rule(
        "asks_payment",
        2.4,
        (_any("pay"), _any("account"), _any("account urgency relative call number phone")),
    ),
    Rule("asks_giftcard", 2.0, (_any("giftcard"), _any("ask pay relative"))),
    Rule("poses_relative", 2.2, (_any("relative"), _any("pay giftcard ask"))),
    Rule("poses_staff", 1.2, (_any("staff"), _any("link phone handle account"))),
    Rule("addresses_customer", 0.9, (_any("customer"), _WAY)),
    Rule(
        "enters_data",
        1.4,
        (_any("enter"), _any("link"), _any("customer threat secret identity points prize refund")),
    ),
    Rule(
        "asks_identity_documents", 1.2, (_any("identity"), _any("ask enter click"), _any("link phone handle"))
    ),
    Rule("remote_access", 2.4, (_any("remote"), _any("click enter ask call staff link app"))),
    Rule("installs_app", 2.6, (_any("app"), _any("link click parcel threat staff app_file"))),
    Rule("app_attached", 3.0, (_any("app_file"),)),
    Rule("presses", 0.5, (_any("urgency"), _any("link phone handle account"))),
    Rule("easy_money", 0.8, (_any("job invest loan"), _any("phone handle link"))),
    Rule("leads_to_number", 0.5, (_any("call"), _any("phone"))),
    Rule("warns", -2.5, (_any("warning"),)),
    Rule("advises_against", -1.5, (_any("warning secret"), _any("negate"))),
    Rule("gives_code", -2.0, (_any("code"), _any("secret"))),
    Rule("opt_out", -0.8, (_any("opt_out"),)),
    Rule("offers", -0.6, (_any("offer"),)),
)
WEIGHTS: Final = {rule.code: rule.weight for rule in RULES} | {"asks_secret": 3.4}
"""Of all rules, that of ``_asks_secret`` too."""
FLOORS: Final = {"asks_secret": 0.7, "app_attached": 0.6, "asks_giftcard": 0.5, "remote_access": 0.5}
"""What some of them weigh at least as findings, however harmless the rest is worded: no honest sender asks for these. Not in a
message that warns or negates."""
ALL_CODES: Final = tuple(WEIGHTS)


_BIT: Final = {name: 1 << number for number, name in enumerate(dict.fromkeys((*groups(), *KINDS)))}
_NEEDS: Final = tuple(
    (rule, tuple(sum(_BIT[name] for name in need) for need in rule.needs)) for rule in RULES
)
_SPEAKING: Final = sum(
    bit for name, bit in _BIT.items() if name not in ("number", "code", "amount", "ask", "negate", "call")
)
"""Without any of these no rule holds."""


def fired(text: str, things: Sequence[Thing], hits: Sequence[Hit]) -> list[Fired]:
    """Which rules hold.

    Args:
        text: normalised.
        things: of it.
        hits: words of it.
    """
    present = 0
    for hit in hits:
        present |= _BIT[hit.group]
    for thing in things:
        present |= _BIT[thing.kind]
    if not present & _SPEAKING:
        return []
    holding = [rule for rule, needs in _NEEDS if all([present & need for need in needs])]
    wants_secret = present & _BIT["secret"] and present & _BIT["ask"]
    if not holding and not wants_secret:
        return []
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for hit in hits:
        places[hit.group].append((hit.start, hit.end))
    for thing in things:
        places[thing.kind].append((thing.start, thing.end))
    found = [Fired(rule.code, rule.weight, *_hull(places, rule.needs[0])) for rule in holding]
    return found + _asks_secret(text, places) if wants_secret else found


def _asks_secret(text: str, places: dict[str, list[tuple[int, int]]]) -> list[Fired]:
    """A request for a code, in one sentence and not negated."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    for start, end in places.get("ask", ()):
        for first, last in places["secret"]:
            apart = max(start, first) - min(end, last)
            if not 0 <= apart <= _REACH:  # a word that is part of the other asks for nothing
                continue
            low, high = min(start, first), max(end, last)
            if (
                any(low < each < high for each in ends)
                or _is_negated(low, places, ends)
                or _is_negated(start, places, ends)
            ):
                continue
            return [Fired("asks_secret", WEIGHTS["asks_secret"], low, high)]
    return []


def _is_negated(place: int, places: dict[str, list[tuple[int, int]]], ends: list[int]) -> bool:
    """Whether a negation stands before a place, in its sentence."""
    for group in ("negate", "warning"):
        for start, _ in places.get(group, ()):
            near = start <= place and place - start <= _NEGATION_REACH
            if near and not any(start < each <= place for each in ends):
                return True
    return False


def _hull(places: dict[str, list[tuple[int, int]]], need: frozenset[str]) -> tuple[int, int]:
    """From the first to the last of what a rule is first about."""
    spans = [span for group in need for span in places.get(group, ())]
    return min(start for start, _ in spans), max(end for _, end in spans)
