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
    from collections.abc import Iterable

Language = Literal["id", "zh", "en"]
MailingState = Literal["filling", "sending", "paused", "done"]
RecipientState = Literal["queued", "sent", "refused", "bounced"]
LINK: Final = re.compile(
    r"(?i)\bhttps?:|\bwww\.|\b[a-z0-9-]+\.(?:com|net|org|info|biz|id|cn|co|shop|store|link|top|xyz|example)(?:[/\s.,]|$)"
)
"""What looks like a link to a customer; an e-mail address of the shop does not stand behind it either."""
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")]
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
        languages: of the recipients so far.
    """

    id: str
    incident: str
    state: MailingState
    created_ms: int
    created_by: str
    letters: dict[Language, Letter]
    rule: str = ""
    languages: tuple[Language, ...] = ()
    started_ms: int = 0
    started_by: str = ""
    done_ms: int = 0


class Recipient(NamedTuple):
    """Somebody to be told: a token, a sealed address, a language, and where it is.

    Attributes:
        due_ms: when it is tried, or tried again where whoever had it did not come back.
        message: the id of the message, the same over all tries.
        said: the last word about it.
    """

    user_token: str
    language: Language
    address: bytes
    state: RecipientState
    due_ms: int
    tries: int
    message: str
    said: str = ""


def message_id(mailing: str, user_token: str) -> str:
    """The id of the message to somebody: the same however often it is made."""
    return "n-" + hashlib.blake2b(f"{mailing}/{user_token}".encode(), digest_size=16).hexdigest()


def refuse_links(letters: Iterable[Letter]) -> None:
    """Raise where a customer would be sent a link."""
    for letter in letters:
        if LINK.search(letter.subject) or LINK.search(letter.text):
            raise InvalidField(
                "a notice to customers holds no link", code="notice_link", path="letters",
                expected="text without a web address", found="one that holds one",
            )  # fmt: skip


def refuse_unready(mailing: Mailing, recipients: int) -> None:
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


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Mailing).decode
