"""What customers send to a line, as WhatsApp's webhook tells it.

Promise: pure. A text, a caption, the title of a button that was pressed; of everything else its kind in brackets. A change of a customer's
device or number is told apart from what customers say. The customer's name at the platform is not read.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

from shopward.values import SECOND_MS

TEXT_CHARS_MAX: Final = 8_000
MESSAGES_MAX: Final = 200
"""Of one change."""
Change = Literal["", "identity", "number"]


class Inbound(Struct, frozen=True):
    """A message, or a change of the customer.

    Attributes:
        key: names it without naming anybody: the platform's own id holds the number.
        number: the customer's, with a plus.
        phone_id: the line's, at the platform.
        changed: what changed about the customer; empty for a message.
    """

    key: str
    number: str
    phone_id: str
    at_ms: int
    text: str
    changed: Change = ""


class _Text(Struct, frozen=True):
    body: str = ""


class _Media(Struct, frozen=True):
    caption: str = ""


class _Button(Struct, frozen=True):
    text: str = ""


class _Reply(Struct, frozen=True):
    title: str = ""


class _Interactive(Struct, frozen=True):
    button_reply: _Reply = _Reply()
    list_reply: _Reply = _Reply()


class _System(Struct, frozen=True):
    type: str = ""


class _Message(Struct, frozen=True, rename={"sender": "from"}):
    id: str = ""
    sender: str = ""
    timestamp: str = ""
    type: str = ""
    text: _Text = _Text()
    image: _Media = _Media()
    video: _Media = _Media()
    document: _Media = _Media()
    button: _Button = _Button()
    interactive: _Interactive = _Interactive()
    system: _System = _System()


class _Metadata(Struct, frozen=True):
    phone_number_id: str = ""


class _Value(Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    messages: list[_Message] = []


_value: Final = msgspec.json.Decoder(_Value).decode
_CHANGES: Final[dict[str, Change]] = {
    "customer_identity_changed": "identity", "user_changed_number": "number", "user_identity_changed": "identity",
}  # fmt: skip


def inbound_in(raw: bytes, *, now_ms: int) -> list[Inbound]:
    """The messages of one change, in the order told; raises ``msgspec.MsgspecError`` for another shape."""
    value = _value(raw)
    found = []
    for each in value.messages[:MESSAGES_MAX]:
        number = "".join(digit for digit in each.sender if digit in "0123456789")[:15]
        changed = _CHANGES.get(each.system.type, "")
        if not number or not each.id or (each.type == "system" and not changed):
            continue
        at_ms = int(each.timestamp[:11]) * SECOND_MS if each.timestamp.isdecimal() else now_ms
        key = hashlib.sha256(each.id.encode()).hexdigest()[:32]
        text = "" if changed else _said(each)[:TEXT_CHARS_MAX]
        found.append(
            Inbound(
                key,
                f"+{number}",
                value.metadata.phone_number_id[:64],
                min(at_ms, now_ms),
                text,
                changed,
            )
        )
    return found


def _said(message: _Message) -> str:
    said = (
        message.text.body or message.button.text or message.interactive.button_reply.title
        or message.interactive.list_reply.title or message.image.caption or message.video.caption or message.document.caption
    )  # fmt: skip
    return said.replace("\x00", "") or f"[{message.type[:32] or 'message'}]"
