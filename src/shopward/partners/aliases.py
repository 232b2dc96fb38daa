"""Aliases: a number or an address that stands for a customer's on a partner's page, until the share ends.

Promise: an alias is for one field of one record in one share; it says nothing of what it stands for. ``state_of`` tells what
became of it; a number is free again only after a quarantine, so that a late call does not reach somebody else.

It routes no call and no mail: the shop's relay does, and asks what is behind an alias each time.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

AliasKind = Literal["phone", "email"]
AliasState = Literal["free", "taken", "quarantine"]
KINDS_OF_ALIAS: Final[tuple[AliasKind, ...]] = ("phone", "email")
SUFFIX: Final = "_alias"
QUARANTINE_MS: Final = 30 * 86_400_000
ALIAS_BYTES: Final = 10
"""80 random bits: nobody guesses another address of the domain."""
POOL_MAX: Final = 5_000
"""Numbers of one import."""
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class Alias(NamedTuple):
    """One alias; of a number that nobody has, all but ``alias`` and ``kind`` is empty.

    Attributes:
        subject: the token of the record's customer, so that a record of another under the same id is not reached.
        field: of the record.
        expires_ms: when the share ends, or ended.
    """

    alias: str
    kind: str
    partner: str = ""
    share: str = ""
    record: str = ""
    subject: str = ""
    field: str = ""
    expires_ms: int = 0


def alias_fields(fields: Iterable[str]) -> list[AliasKind]:
    """The kinds of aliases that a share's fields name: ``phone_alias``, ``email_alias``."""
    named = set(fields)
    return [kind for kind in KINDS_OF_ALIAS if kind + SUFFIX in named]


def email_alias(domain: str, entropy: Callable[[int], bytes]) -> str:
    """A new address of the relay's domain."""
    return f"x{base64.b32encode(entropy(ALIAS_BYTES)).decode().lower()}@{domain}"


def state_of(alias: Alias, now_ms: int) -> AliasState:
    """Whether it stands for somebody, is kept back for a while, or can be taken."""
    if alias.share and now_ms < alias.expires_ms:
        return "taken"
    return "quarantine" if alias.share and now_ms < alias.expires_ms + QUARANTINE_MS else "free"


def check_numbers(numbers: Sequence[str]) -> None:
    """Raise ``InvalidField`` for an import with what is no number (ITU-T E.164)."""
    if not 1 <= len(numbers) <= POOL_MAX:
        raise InvalidField("so many numbers are not imported at once", path="numbers", expected=f"1 to {POOL_MAX}", found=str(len(numbers)))  # fmt: skip
    for place, number in enumerate(numbers):
        if not _E164.fullmatch(number):
            raise InvalidField("not a number", path=f"numbers[{place}]", expected="+ and 7 to 15 digits", found="another text")  # fmt: skip
