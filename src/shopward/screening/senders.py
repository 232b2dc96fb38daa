"""Whose a sender is: numbers, mail addresses and account names, as the shop declared them.

Promise: equal means equal. A number is compared by its digits with and without its country's prefix, an address by its
letters without case, a name without spaces and case; look-alike letters never make a stranger official, they make it worse
(``sender_imitates``). Pure; one look-up costs microseconds whatever is declared.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.screening.channels import channel_word
from shopward.screening.folding import skeleton, squeezed
from shopward.screening.links.check import check_link
from shopward.screening.verdict import Finding, Verdict, judged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.screening.profile.profile import Profile
    from shopward.screening.profile.spec import ProfileSpec

SENDER_MAX: Final = 320
"""Characters that are read; RFC 5321 allows no longer address."""
NAME_MIN: Final = 4
"""Shorter names stand in too many others to tell of an imitation."""
_NUMBER: Final = re.compile(r"\+?[\d\s().\-/]{5,40}")
_NOT_DIGITS: Final = re.compile(r"\D+", re.ASCII)
_PREFIX_DIGITS: Final = (1, 2, 3)
"""Lengths of country codes (ITU-T E.164)."""
_INTERNATIONAL_MIN: Final = 10


class SenderOwner(NamedTuple):
    """Whose a sender is.

    Attributes:
        relation: ``official`` or ``partner``.
        name: of the shop or partner.
        channels: on which it was declared.
    """

    relation: str
    name: str
    channels: frozenset[str]


class SenderBook:
    """What a profile declares, by what a sender is looked up by.

    Args:
        spec: what the shop says.
    """

    def __init__(self, spec: ProfileSpec) -> None:
        self._owners: dict[str, SenderOwner] = {}
        self._skeletons: dict[str, str] = {}
        for partner in spec.partners:
            for each in partner.senders:
                self._declare(SenderOwner("partner", partner.name, frozenset((each.channel,))), each.sender)
        for each in spec.official_senders:
            self._declare(SenderOwner("official", spec.name, frozenset((each.channel,))), each.sender)

    def owner(self, sender: str) -> SenderOwner | None:
        """Who declared it, whatever the channel."""
        return next((self._owners[key] for key in _asked_keys(sender) if key in self._owners), None)

    def imitated(self, sender: str) -> str:
        """The declared sender that this one looks like without being it; empty where there is none."""
        return self._skeletons.get(skeleton(squeezed(_local(sender))), "")

    def _declare(self, owner: SenderOwner, sender: str) -> None:
        for key in _declared_keys(sender):
            before = self._owners.get(key)
            if before is not None and before[:2] == owner[:2]:
                self._owners[key] = owner._replace(channels=before.channels | owner.channels)
            else:
                self._owners[key] = owner
        if not _NUMBER.fullmatch(_read(sender)):
            self._skeletons[skeleton(squeezed(_local(sender)))] = sender


def check_sender(sender: str, profile: Profile, *, channel: str = "") -> Verdict:
    """Whether a number, an address or an account is the shop's.

    Args:
        sender: as the phone or the mail shows it.
        profile: of the shop.
        channel: where it was met; empty where nobody said.
    """
    given = sender[:SENDER_MAX]
    end = len(given)
    channel = channel_word(channel)
    owner = profile.senders.owner(given)
    if owner is not None:
        return _declared(owner, end, profile, channel)
    if "@" in given.lstrip("@ "):
        return _mail(given, profile)
    if profile.has_account(given):
        return Verdict("official", 0.0, (Finding("official_account", 0.0, 0, end),), profile.spec.name)
    imitated = profile.senders.imitated(given)
    if imitated:
        return judged((Finding("sender_imitates", 0.9, 0, end, imitated),), profile.spec.name)
    if _names_shop(given, profile):
        return judged((Finding("sender_uses_name", 0.8, 0, end, profile.spec.name),), profile.spec.name)
    return judged((Finding("unknown_sender", 0.2, 0, end),))


def _declared(owner: SenderOwner, end: int, profile: Profile, channel: str) -> Verdict:
    shop = profile.spec.name if owner.relation == "official" else ""
    if channel and channel not in owner.channels:
        return judged(
            (Finding("sender_other_channel", 0.5, 0, end, ", ".join(sorted(owner.channels))),), shop
        )
    if shop:
        return Verdict("official", 0.0, (Finding("official_sender", 0.0, 0, end),), shop)
    return Verdict("known_good", 0.0, (Finding("partner_sender", 0.0, 0, end, owner.name),))


def _mail(given: str, profile: Profile) -> Verdict:
    """An address that nobody declared: the domain says whose it could be, and that alone makes nothing official."""
    start = given.rfind("@") + 1
    judged_domain = check_link(given[start:].strip(" <>"), profile)
    end = len(given)
    if judged_domain.level == "official":
        return judged((Finding("sender_on_official_domain", 0.1, start, end),), profile.spec.name)
    moved = [each._replace(start=start, end=end) for each in judged_domain.findings if each.weight]
    if _names_shop(given[:start], profile):
        moved.append(Finding("sender_uses_name", 0.8, 0, start, profile.spec.name))
    moved.append(Finding("unknown_sender", 0.2, 0, end))
    brand = profile.spec.name if judged_domain.brand or len(moved) > 1 else ""
    return judged(moved, brand)


def _names_shop(given: str, profile: Profile) -> bool:
    said = squeezed(given)
    return any(len(name) >= NAME_MIN and name in said for name in map(squeezed, profile.names))


def _read(sender: str) -> str:
    return (
        unicodedata.normalize("NFKC", sender).casefold().strip().removeprefix("tel:").removeprefix("mailto:")
    )


def _local(sender: str) -> str:
    return _read(sender).strip("@<> ")


def _declared_keys(sender: str) -> list[str]:
    """What a declared sender is found by: ``I`` international digits, ``N`` without a country, ``T`` declared without one."""
    text = _read(sender)
    if not _NUMBER.fullmatch(text):
        return _name_keys(text)
    digits = _NOT_DIGITS.sub("", text)
    if text.startswith("+") or digits.startswith("00"):
        digits = digits.lstrip("0")
        return ["I" + digits, *("N" + digits[size:] for size in _PREFIX_DIGITS)]
    if digits.startswith("0"):
        return ["T" + digits.lstrip("0")]
    return ["I" + digits, "T" + digits]


def _asked_keys(sender: str) -> Iterable[str]:
    text = _read(sender)
    if not _NUMBER.fullmatch(text):
        return _name_keys(text)
    digits = _NOT_DIGITS.sub("", text)
    is_international = text.startswith("+") or digits.startswith("00")
    if digits.startswith("0") and not is_international:
        national = digits.lstrip("0")
        return ["N" + national, "T" + national]
    digits = digits.lstrip("0")
    keys = ["I" + digits] if is_international else ["I" + digits, "T" + digits]
    if is_international or len(digits) >= _INTERNATIONAL_MIN:
        keys += ["T" + digits[size:] for size in _PREFIX_DIGITS]
    return keys


def _name_keys(text: str) -> list[str]:
    text = text.strip("<> ")
    if "@" in text.lstrip("@"):
        return ["M" + text]
    return ["A" + "".join(text.lstrip("@").split())]
