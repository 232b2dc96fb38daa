"""What a row of a foreign file becomes: a checked event with a label beside it, or a refusal with its line.

Promise: ``build_event`` gives an event that ``decode_event`` would accept, or raises ``BadInput`` that never repeats
a value. ``ip_of`` gives one spelling of an address. ``address_of_host`` gives a host name a stable stand-in address:
one of IPv6's unique local range (RFC 4193, fd00::/8), whose 120 free bits are a hash of the name, so that each host
is a network (/48) of its own and none can be taken for a real address of the internet. Nothing looks a name up.
"""

from __future__ import annotations

import hashlib
import socket
from datetime import datetime  # noqa: TC003 -- a field of a public tuple
from typing import Any, Final, NamedTuple

import msgspec

from shopward.errors import BadInput, InputTooLarge, InvalidField
from shopward.events import Event
from shopward.events.intake import check_event, refusal_of
from shopward.values import digest16

GENUINE: Final = "genuine"
"""The label of an event that is known to be none of an attack; any other word means an attack."""
ID_CHARS_MAX: Final = 128
REPEATS_MAX: Final = 100_000
_CLIPPED_CHARS: Final = 95


class Imported(NamedTuple):
    """An event, and what its row says besides.

    Attributes:
        label: that the row carries; "" for none. It is not part of the event.
        line: of the row.
        label_time: since when the label was known, where the row says that.
    """

    event: Event
    label: str = ""
    line: int = 0
    label_time: datetime | None = None


class Refusal(NamedTuple):
    """A row that is no event: its line in the file, from 1, and why."""

    line: int
    error: BadInput


def build_event(shape: dict[str, Any], *, strict: bool = True) -> Event:
    """The event of nested plain values; with ``strict`` off, text may stand for numbers and booleans.

    Raises:
        BadInput: like ``decode_event``.
    """
    try:
        event = msgspec.convert(shape, Event, strict=strict)
    except msgspec.ValidationError as invalid:
        refused = refusal_of(str(invalid), b"")
        if refused.found and refused.found.startswith("a value outside it"):
            refused.found = "a value outside it"
        raise refused from None
    except RecursionError:
        raise InputTooLarge("event nested too deeply", expected="a depth that an event needs") from None
    check_event(event)
    return event


def parsed_ip(text: str) -> str | None:
    """An IPv4 or IPv6 address in its usual spelling, without zone index; None where ``text`` is none."""
    try:
        if ":" not in text:
            socket.inet_pton(socket.AF_INET, text)
            return text
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text.partition("%")[0]))
    except (OSError, ValueError):
        return None


def ip_of(text: str) -> str:
    """Like ``parsed_ip``; raises ``InvalidField`` where ``text`` is no address."""
    address = parsed_ip(text)
    if address is None:
        raise InvalidField(
            "not an IP address", path="context.ip", expected="an IPv4 or IPv6 address", found="another text"
        )
    return address


def address_of_host(name: str) -> str:
    """The stand-in address of a host name; case and a final dot make no difference."""
    told = name.lower().removesuffix(".").encode()
    digest = hashlib.blake2b(told, digest_size=15, person=b"shopward host").digest()
    return socket.inet_ntop(socket.AF_INET6, b"\xfd" + digest)


def clipped(text: str) -> str:
    """``text`` within an id's length: a longer one keeps its beginning and ends in a hash of the whole."""
    if len(text) <= ID_CHARS_MAX:
        return text
    return f"{text[:_CLIPPED_CHARS]}~{digest16(text.encode()).hex()}"


def repeats_of(text: str) -> int:
    """How many events a row stands for; raises ``BadInput`` unless it is from 1 to ``REPEATS_MAX``."""
    if not (text.isascii() and text.isdigit()) or int(text[:20]) == 0:
        raise InvalidField(
            "not a number of events", path="repeat", expected="a whole number from 1", found="another text"
        )
    if len(text) > 10 or int(text) > REPEATS_MAX:
        raise InputTooLarge(
            "one row stands for too many events",
            path="repeat",
            expected=f"at most {REPEATS_MAX}",
            found="more",
        )
    return int(text)
