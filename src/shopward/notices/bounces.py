"""What a mail server says of a message that it could not deliver: a delivery status notification (RFC 3464), read.

Promise: pure. Only a report that says ``failed`` with a permanent status (5.x.x, RFC 3463) about a message of ours is one that is lost;
a delay or a full mailbox for now (4.x.x) is refused with a code of its own, so that whoever feeds reports knows that nothing was done.
No address of the report goes anywhere.
"""

from __future__ import annotations

import email
import re
from email.message import Message
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS: Final = re.compile(r"<(n-[0-9a-f]{32})@[^<>\s]+>")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class Lost(NamedTuple):
    """A message that did not arrive, and a word for why."""

    message: str
    why: str


def lost_message(raw: bytes) -> Lost:
    """What a report says is lost.

    Raises:
        InvalidField: ``not_a_bounce`` where it is no report, speaks of no message of ours, or does not give it up.
    """
    report = email.message_from_bytes(raw)
    found = _OURS.search(_original_id(report))
    status = next(_failures(report), None)
    if found is None or status is None:
        raise InvalidField(
            "this report gives up no message of ours", code="not_a_bounce", path="(the body)",
            expected="a delivery status notification (RFC 3464) with Action: failed, a status 5.x.x, and the message's id",
            found="another message" if status is None else "a report about another message",
        )  # fmt: skip
    return Lost(found[1], f"dsn_{status}")


def _failures(report: Message) -> Iterator[str]:
    """The permanent statuses of recipients that were given up."""
    for part in report.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in _below(part):
            status = _STATUS.search(str(fields.get("Status", "")))
            is_failed = str(fields.get("Action", "")).strip().lower() == "failed"
            if is_failed and status and status[0].startswith("5"):
                yield status[0]


def _original_id(report: Message) -> str:
    """The id of the message that a report returns, whole or its headers alone."""
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            return next((str(each.get("Message-ID", "")) for each in _below(part)), "")
        if kind == "text/rfc822-headers":
            headers = part.get_payload(decode=True)
            if isinstance(headers, bytes):
                return str(email.message_from_bytes(headers).get("Message-ID", ""))
    return ""


def _below(part: Message) -> list[Message]:
    below = part.get_payload()
    return [each for each in below if isinstance(each, Message)] if isinstance(below, list) else []
