"""Codes sent by e-mail or WhatsApp: made here, carried by a port.

Promise: a code has 8 random digits, holds for 10 minutes (ASVS V6.5.5), belongs to one challenge and channel, and is kept
as a keyed hash. A newer code makes the older one worthless. The text names the operation, says that nobody from the
shop ever asks for the code, and ends in the shop's origin-bound line (WICG, Origin-bound one-time codes delivered via
SMS), so that a browser offers it on the shop's own page alone.

Not here: senders (``adapters.codes``), addresses (the flow hands one over; none is kept), counting (``limits``). A code
over a channel can be read by whoever reads the channel; that is why the threat may exclude it.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from msgspec import Struct

from shopward.errors import InvalidField, Misconfigured
from shopward.stepup.refusals import StepUpRefused
from shopward.values import MINUTE_MS

if TYPE_CHECKING:
    from shopward.keyring import Entropy

DIGITS: Final = 8
LIFETIME_MS: Final = 10 * MINUTE_MS
Language = Literal["id", "zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("id", "zh", "en")

_CODE: Final = re.compile(r"[0-9]{8}")
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_ADDRESSES: Final = {
    "email": re.compile(
        r"(?=.{3,254}$)[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]+@[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]+"
    ),
    "whatsapp": re.compile(r"\+[1-9][0-9]{6,14}"),
}
_TEXTS: Final = Path(__file__).with_name("messages.toml")
_RANDOM_BYTES: Final = 16


class CodeMessage(Struct, frozen=True):
    """What a channel has to deliver. It holds the code: send it, keep it nowhere.

    Attributes:
        channel: ``email`` or ``whatsapp``.
        to: the address or number.
        language: id, zh or en.
        subject: for channels that have one; without the code, since previews show it.
        text: the whole message, the origin-bound line last.
    """

    channel: str
    to: str
    language: Language
    subject: str
    text: str

    def __repr__(self) -> str:
        """Without address and code, so that no log and no traceback shows them."""
        return f"CodeMessage(channel={self.channel!r}, language={self.language!r})"


class ChannelDown(Exception):
    """The channel could not take the message; no reason of the provider's is repeated."""


class CodeChannel(Protocol):
    """Carries codes to customers. One suite of tests holds for every adapter."""

    @property
    def carries(self) -> frozenset[str]:
        """The channels that it serves: ``email``, ``whatsapp``, both or none."""
        ...

    def send(self, message: CodeMessage) -> None:
        """Hand the message over, or raise ``ChannelDown``; never keep or log it."""
        ...


class NoCodeChannel:
    """No channel: factors that need one are never offered."""

    carries: frozenset[str] = frozenset()

    def send(self, message: CodeMessage) -> None:
        """Always down."""
        raise ChannelDown(message.channel)


def new_code(entropy: Entropy) -> str:
    """Eight random digits; 128 random bits keep every code equally likely for all that can be measured."""
    return f"{int.from_bytes(entropy(_RANDOM_BYTES), 'big') % 10**DIGITS:0{DIGITS}d}"


def parsed_code(answer: str) -> str:
    """The digits of what was typed; blanks and hyphens between them are no matter.

    Raises:
        StepUpRefused: ``malformed_answer``.
    """
    typed = answer.replace(" ", "").replace("-", "")
    if not _CODE.fullmatch(typed):
        raise StepUpRefused("malformed_answer", expected=f"{DIGITS} digits", found="something else")
    return typed


def checked_domain(domain: str) -> str:
    """A domain that the origin-bound line can carry.

    Raises:
        Misconfigured: it is no plain host name in small letters.
    """
    if not _DOMAIN.fullmatch(domain):
        raise Misconfigured(
            "the shop's domain cannot be bound to a code",
            path="domain",
            expected="a host name in small letters such as shop.example",
            found=f"{len(domain)} characters of another form",
        )
    return domain


def checked_address(channel: str, to: str) -> str:
    """An address that a channel can take; what could be two addresses, or a header, is none.

    Raises:
        InvalidField: it is none; the message repeats nothing of it.
    """
    form = _ADDRESSES.get(channel)
    if form is None or not form.fullmatch(to):
        raise InvalidField(
            "no code can be sent there", path="to",
            expected="one e-mail address" if channel == "email" else "a number such as +6281234567890",
            found=f"{len(to)} characters of another form",
        )  # fmt: skip
    return to


def message(
    *, channel: str, to: str, code: str, operation: str, domain: str, shop: str, language: Language
) -> CodeMessage:
    """The message for a code, in the customer's language."""
    texts = _texts()[language]
    deed = texts["operations"].get(operation, texts["operations"]["other"])
    shown = f"{code[:4]} {code[4:]}"
    text = texts["text"].format(code=shown, deed=deed, shop=shop, minutes=LIFETIME_MS // MINUTE_MS)
    return CodeMessage(
        channel,
        to,
        language,
        texts["subject"].format(shop=shop),
        f"{text.strip()}\n\n@{checked_domain(domain)} #{code}",
    )


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
