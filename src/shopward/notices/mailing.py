"""A mailing as a value, and when it may start.

Promise: pure. A mailing that ``refuse_unready`` lets through has a subject and a text in every language of its recipients, and no link
in any of them: a first alert with a link looks like the thief's own.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Conflict, InvalidField

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Language = Literal["id", "zh", "en"]
MailingState = Literal["filling", "sending", "paused", "done"]
RecipientState = Literal["queued", "sent", "refused", "bounced"]
Channel = Literal["email", "whatsapp", "shop"]
"""``shop`` is the shop's own endpoint, which reaches its customer by itself."""
UNREACHED: Final = ("refused", "bounced")
"""States of somebody for whom no route is left: the notice is owed to them still."""
TEMPLATE_CHARS_MAX: Final = 1_024
LINK: Final = re.compile(
    r"(?i)\bhttps?:|\bwww\.|\b[a-z0-9-]+\.(?:com|net|org|info|biz|id|cn|co|shop|store|link|top|xyz|example)(?:[/\s.,]|$)"
)
"""What looks like a link to a customer; an e-mail address of the shop does not stand behind it either."""
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\r\n]+\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=20_000)]


class Letter(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said in one language."""

    subject: Line
    text: Text


class Mailing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing told to many.

    Attributes:
        incident: what it is about.
        rule: the duty that it meets, if one.
        letters: by language.
        languages: of the recipients so far; ``channels`` that some of them are told by.
        via: in which order somebody's routes are tried.
        template: of WhatsApp, approved there, with the letter's text as its one parameter.
        per_minute: at most so many are told in a minute; 0 for as many as can be.
    """

    id: str
    incident: str
    state: MailingState
    created_ms: int
    created_by: str
    letters: dict[Language, Letter]
    rule: str = ""
    languages: tuple[Language, ...] = ()
    channels: tuple[Channel, ...] = ()
    via: tuple[Channel, ...] = ("email", "whatsapp", "shop")
    template: str = ""
    per_minute: int = 0
    started_ms: int = 0
    started_by: str = ""
    done_ms: int = 0


class Recipient(NamedTuple):
    """Somebody to be told: a token, sealed routes, a language, and where it is.

    Attributes:
        due_ms: when it is tried, or tried again where whoever had it did not come back.
        message: the id of the message, the same over all tries of a route.
        said: the last word about it.
        route: which of the routes is tried.
        receipt: by which the channel speaks of the message.
    """

    user_token: str
    language: Language
    address: bytes
    state: RecipientState
    due_ms: int
    tries: int
    message: str
    said: str = ""
    route: int = 0
    receipt: str = ""


class Way(NamedTuple):
    """A way to somebody: a channel, and an address on it."""

    channel: Channel
    to: str


def message_id(mailing: str, user_token: str, route: int = 0) -> str:
    """The id of the message to somebody by a route: the same however often it is made."""
    name = f"{mailing}/{user_token}" + (f"/{route}" if route else "")
    return "n-" + hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def sealed_form(routes: Iterable[Way]) -> bytes:
    """Routes as they are sealed."""
    return msgspec.json.encode(list(routes))


def routes_of(plain: bytes) -> list[Way]:
    """Routes as they were sealed; an address alone, as older mailings have it, is e-mail."""
    try:
        return msgspec.json.decode(plain, type=list[Way])
    except msgspec.MsgspecError:
        return [Way("email", plain.decode())]


def refuse_links(letters: Iterable[Letter]) -> None:
    """Raise where a customer would be sent a link."""
    for letter in letters:
        if LINK.search(letter.subject) or LINK.search(letter.text):
            raise InvalidField(
                "a notice to customers holds no link", code="notice_link", path="letters",
                expected="text without a web address", found="one that holds one",
            )  # fmt: skip


def refuse_unready(mailing: Mailing, recipients: int, channels: Collection[str]) -> None:
    """Raise where it may not start yet."""
    if not recipients:
        raise Conflict(
            "nobody is on this mailing",
            code="mailing_state",
            path="id",
            expected="at least one recipient",
            found="none",
        )
    missing = [each for each in mailing.languages if each not in mailing.letters]
    if missing:
        raise Conflict(
            "some would be told nothing", code="mailing_state", path="letters",
            expected="a letter in " + ", ".join(missing), found="none",
        )  # fmt: skip
    without = [each for each in mailing.channels if each not in channels]
    if without:
        raise Conflict(
            "there is no such channel here", code="mailing_state", path="channels",
            expected="settings for " + ", ".join(without), found="none", hint="see docs/notices.md",
        )  # fmt: skip
    too_long = any(len(each.text) > TEMPLATE_CHARS_MAX for each in mailing.letters.values())
    if "whatsapp" in mailing.channels and (not mailing.template or too_long):
        raise Conflict(
            "WhatsApp takes templates alone", code="mailing_state", path="template", found="none, or a longer letter",
            expected=f"the name of an approved template, and letters of at most {TEMPLATE_CHARS_MAX} characters",
        )  # fmt: skip


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Mailing).decode
