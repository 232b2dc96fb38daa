"""The configuration of a transmitter (SSF 1.0, 7): where it stands, and what of it can be relied on.

Promise: the path of the well-known document is inserted between host and path of the issuer, as the specification says, never
put at the end; what is read names the issuer that was asked, to the letter, or is refused. Every address in it is https, or
http on this machine where the issuer is, too. Fails closed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from shopward.errors import InvalidField
from shopward.values import is_loopback, stays_private

WELL_KNOWN: Final = "/.well-known/ssf-configuration"
WELL_KNOWN_OLD: Final = "/.well-known/risc-configuration"
PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
METHODS: Final = {"push": PUSH, "poll": POLL}
URL_MAX: Final = 2_048


class Metadata(Struct, frozen=True):
    """What a transmitter says of itself, as far as it is used here."""

    issuer: str
    jwks_uri: str = ""
    delivery_methods_supported: tuple[str, ...] = ()
    configuration_endpoint: str = ""
    verification_endpoint: str = ""
    critical_subject_members: tuple[str, ...] = ()
    spec_version: str = ""


def well_known(issuer: str, path: str = WELL_KNOWN) -> str:
    """Where an issuer's document is."""
    parts = urlsplit(issuer)
    return urlunsplit((parts.scheme, parts.netloc, path + parts.path.rstrip("/"), "", ""))


def read_metadata(raw: bytes, issuer: str) -> Metadata:
    """The configuration; raises ``InvalidField`` where it is none, or another issuer's."""
    told: Any = None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told = msgspec.json.decode(raw, type=Metadata)
    if not isinstance(told, Metadata) or told.issuer != issuer:
        raise InvalidField(
            "no configuration of this transmitter", path="issuer", expected="a document that names this very issuer",
            found="another document",
        )  # fmt: skip
    for name in ("jwks_uri", "configuration_endpoint", "verification_endpoint"):
        if getattr(told, name):
            check_address(getattr(told, name), path=name, near=issuer)
    return told


def check_address(url: str, *, path: str, near: str = "") -> None:
    """Refuse an address that is not https; http on this machine is taken where ``near``, or the address itself, is there."""
    if len(url) > URL_MAX or not _is_safe(url, near or url):
        raise InvalidField(
            "not an address to be trusted", path=path, expected="https://, or http on this machine", found="another address",
        )  # fmt: skip


def _is_safe(url: str, near: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port, other = parts.hostname or "", parts.port, urlsplit(near).hostname or ""
    except ValueError:  # a host or a port that is none
        return False
    on_machine = is_loopback(host) and is_loopback(other)
    is_near = on_machine or not is_loopback(host)
    return (
        stays_private(parts.scheme, host) and is_near and port != 0 and not (parts.username or parts.fragment)
    )
