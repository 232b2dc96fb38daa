"""Context: a message that claims to be the shop while what it leads to is not the shop's.

Promise: the shop's profile is all that it takes: whoever is named, a link, a phone, an account or a sender that the shop did not
declare is not the shop's, whatever it looks like. A message that only speaks of the shop (news, a friend) and leads to an ordinary
site is not taken for one that poses as it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import ahocorasick

from shopward.screening.messages.normalise import normalise
from shopward.screening.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from shopward.screening.messages.extract import Thing
    from shopward.screening.messages.lexicon import Squeezed
    from shopward.screening.messages.normalise import Normal
    from shopward.screening.profile import Profile
    from shopward.screening.verdict import Verdict

_NOT_LETTERS: Final = re.compile(r"[\W_]+")
_NAME_MIN: Final = 2
_PROFILES_KEPT: Final = 32
_POSING: Final = frozenset((
    "customer", "staff", "ask", "enter", "click", "call", "pay", "prize", "refund",
    "points", "threat", "urgency", "secret", "identity", "parcel", "giftcard", "app",
))  # fmt: skip
"""Words that somebody speaks who wants something of the reader; a report about the shop has none of them."""
_OBLIQUE: Final = frozenset(("customer", "staff"))
_LINK_SUSPECT: Final = 0.3
_WORDS_OF_REPORT: Final = 5
_REPORTED: Final = re.compile(r"\b(?:you|your|anda|kamu|kak|ur|u)\b|[您你]")


class Claim(NamedTuple):
    """That a message claims to be of the shop: how surely, and where in the normalised text.

    Attributes:
        weight: 1 by a name or an order number, less where it only speaks as a shop would.
    """

    weight: float
    start: int
    end: int


def claim_of(
    normal: Normal, given: str, squeezed: Squeezed, groups: Collection[str], profile: Profile
) -> Claim | None:
    """Whether and where a message claims to be of the profile's shop."""
    names = _names(profile)
    if names is not None:
        for end, sizes in names.iter(squeezed.letters):
            places, masked = squeezed.places(), squeezed.masked
            for size, alone in sizes:
                start, last = places[end - size + 1], places[end] + 1
                if not (alone and (_latin(masked[start - 1 : start]) or _latin(masked[last : last + 1]))):
                    return Claim(1.0, start, last)
    for pattern in profile.order_patterns:
        found = pattern.search(given)
        if found is not None:
            start, end = found.span()
            if normal.places is not None:
                start = next((at for at, place in enumerate(normal.places) if place >= start), 0)
                end = next((at for at, place in enumerate(normal.places) if place >= end), len(normal.text))
            return Claim(1.0, start, end)
    if groups and profile.names and not _OBLIQUE.isdisjoint(groups):
        return Claim(0.4, 0, 0)
    return None


def link_mismatch(
    claim: Claim | None,
    link: Verdict,
    span: tuple[int, int],
    groups: Collection[str],
    normal: Normal,
    things: Sequence[Thing],
) -> Finding | None:
    """What it says of a message that it leads to a link that is not the shop's."""
    if claim is None or link.level in ("official", "known_good"):
        return None
    if claim.weight < 1.0:
        return Finding("claims_shop_link", 0.3 * claim.weight, *span)
    suspect = any(each.weight >= _LINK_SUSPECT for each in link.findings)
    if not suspect and _is_report(groups, normal.text, things):
        return Finding("names_shop_link", 0.15, *span)
    return Finding("claims_shop_link", 0.8, *span)


def thing_mismatch(
    claim: Claim | None, thing: Thing, span: tuple[int, int], groups: Collection[str], profile: Profile
) -> Finding | None:
    """What it says that a phone, an account or a messenger name in it is not the shop's."""
    if thing.kind == "account":
        if profile.has_account(thing.text):
            return None
        paid = not _PAID.isdisjoint(groups)
        weight = (
            0.85
            if claim is not None and claim.weight == 1.0 and paid
            else 0.3
            if claim is not None and paid
            else 0.0
        )
        return Finding("claims_shop_account", weight, *span) if weight else None
    if claim is None or profile.senders.owner(thing.text) is not None:
        return None
    if thing.text.startswith("@") and profile.owner(thing.text[1:].rstrip(".")) is not None:
        return None  # the last line of an origin-bound code: @shop.example #123456
    asked = not _REACHED.isdisjoint(groups)
    weight = (0.65 if asked else 0.2) * (1.0 if claim.weight == 1.0 else 0.3)
    return Finding("claims_shop_contact", weight, *span)


_PAID: Final = frozenset(("pay", "account", "giftcard"))
_REACHED: Final = frozenset(
    ("call", "ask", "prize", "refund", "threat", "pay", "parcel", "points", "secret", "click")
)


def sender_mismatch(
    claim: Claim | None, sender: Verdict, span: tuple[int, int], groups: Collection[str], *, leads_away: bool
) -> Finding | None:
    """What it says that it claims to be the shop and comes from somebody else."""
    if claim is None or claim.weight < 1.0 or sender.level in ("official", "known_good"):
        return None
    suspect = any(each.weight >= _LINK_SUSPECT for each in sender.findings)
    if suspect:
        return Finding("claims_shop_sender", 0.7, *span)
    wants = leads_away or not {
        "ask",
        "enter",
        "pay",
        "prize",
        "refund",
        "threat",
        "giftcard",
        "app",
        "remote",
    }.isdisjoint(groups)
    return Finding("claims_shop_sender", 0.4 if wants else 0.1, *span)


def _is_report(groups: Collection[str], text: str, things: Sequence[Thing]) -> bool:
    """Whether a message speaks of the shop to nobody in particular and asks for nothing."""
    if not _POSING.isdisjoint(groups) or _REPORTED.search(text) is not None:
        return False
    words = len(text) - sum(each.end - each.start for each in things)
    return words >= _WORDS_OF_REPORT * (2 if any("\u4e00" <= each <= "\u9fff" for each in text) else 5)


@lru_cache(maxsize=_PROFILES_KEPT)
def _names(profile: Profile) -> ahocorasick.Automaton | None:
    """The shop's names by their letters; one in Latin letters has to stand alone."""
    sizes: dict[str, list[tuple[int, bool]]] = {}
    for name in profile.names:
        letters = _NOT_LETTERS.sub("", normalise(name).text)
        if len(letters) >= _NAME_MIN:
            sizes[letters] = [(len(letters), letters.isascii())]
    if not sizes:
        return None
    automaton = ahocorasick.Automaton()
    for letters, known in sizes.items():
        automaton.add_word(letters, known)
    automaton.make_automaton()
    return automaton


def _latin(each: str) -> bool:
    return each.isascii() and each.isalpha()
