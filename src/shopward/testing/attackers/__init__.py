"""Attackers, one class for each row of the detection catalogue that a shop's stream can show.

Promise: an attack is a frozen record of its numbers with one verb, ``launch``; ``standard_attacks`` gives one of each
(twice the stuffing), sized to the shop. What it does not do: no attack knows the engine, so none can be tuned to it.
"""

from __future__ import annotations

from shopward.testing.attackers.codes import (
    OtpBombing,
    OtpPhishing,
    OtpPumping,
    RecoveryAbuse,
    SimSwap,
    WhatsAppTap,
)
from shopward.testing.attackers.insider import InsiderScrape
from shopward.testing.attackers.loot import BalanceDrain, GiftCardEnumeration, LinkedIdentityDrain, MuleFanIn
from shopward.testing.attackers.raid import Attack, Guise, Raid
from shopward.testing.attackers.stuffing import (
    FAST,
    SLOW,
    BoughtPasswords,
    DistributedStuffing,
    OneAddressStuffing,
    PasswordSpray,
    ScriptedLogins,
)
from shopward.testing.attackers.takeover import (
    DormantTakeover,
    ImpossibleTravel,
    NewDeviceThenChange,
    RefundHijack,
    SessionTheft,
)

FULL_SIZE_USERS = 30_000
ROUND_DAYS = 30

LABELS = {
    "stuffing": "a failed try of a stuffing campaign",
    "stuffing_hit": "a try that got in, of stuffing or of spraying",
    "spray": "a failed try of a spraying campaign",
    "ato": "anything done by an intruder in somebody's account: sign-in, code, change, payment",
    "linked_drain": "a payment through a stolen linked identity",
    "mule": "a transfer to a mule, or the step before it",
    "enumeration": "a question about a guessed gift card",
    "otp_pumping": "a code asked for to earn its fee",
    "otp_bombing": "a code asked for to flood somebody",
    "tap": "a strange device that is linked to a business account, and what it reads",
    "refund_hijack": "a step of sending somebody's refund elsewhere",
    "recovery_abuse": "a password reset that the owner did not ask for",
    "insider": "a read or an export by staff that no case asks for",
}


def standard_attacks(users: int, days: int) -> list[Attack]:
    """Every attack, once for each 30 days; large ones in proportion to the users, none too small for its row."""

    def size(full: int, least: int) -> int:
        return max(least, round(full * min(1.0, users / FULL_SIZE_USERS)))

    fast = DistributedStuffing(tries=size(1400, 110), hits=size(60, 6), minutes=FAST.minutes)
    slow = DistributedStuffing(
        tries=size(1400, 110), hits=size(60, 6), minutes=min(SLOW.minutes, days * 24 * 60 / 4)
    )
    one_round: list[Attack] = [
        OneAddressStuffing(tries=size(300, 60), hits=size(8, 3)),
        fast,
        slow,
        PasswordSpray(users=size(200, 40), hits=size(6, 2)),
        ImpossibleTravel(victims=size(12, 4)),
        NewDeviceThenChange(victims=size(20, 4)),
        BalanceDrain(victims=size(12, 3)),
        GiftCardEnumeration(checks=size(200, 60)),
        OtpPhishing(victims=size(55, 8)),
        OtpPumping(requests=size(400, 120)),
        OtpBombing(),
        SessionTheft(victims=size(15, 4)),
        WhatsAppTap(),
        LinkedIdentityDrain(victims=size(53, 8)),
        MuleFanIn(victims=size(16, 8)),
        InsiderScrape(reads=90, exports=1),
        DormantTakeover(victims=size(15, 4)),
        RefundHijack(victims=size(10, 4)),
        RecoveryAbuse(),
    ]
    return one_round * max(1, days // ROUND_DAYS)


__all__ = [
    "FAST",
    "LABELS",
    "SLOW",
    "Attack",
    "BalanceDrain",
    "BoughtPasswords",
    "DistributedStuffing",
    "DormantTakeover",
    "GiftCardEnumeration",
    "Guise",
    "ImpossibleTravel",
    "InsiderScrape",
    "LinkedIdentityDrain",
    "MuleFanIn",
    "NewDeviceThenChange",
    "OneAddressStuffing",
    "OtpBombing",
    "OtpPhishing",
    "OtpPumping",
    "PasswordSpray",
    "Raid",
    "RecoveryAbuse",
    "RefundHijack",
    "ScriptedLogins",
    "SessionTheft",
    "SimSwap",
    "WhatsAppTap",
    "standard_attacks",
]
