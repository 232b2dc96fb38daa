"""The context of an event from a web request: address, device, browser, language.

Promise:
- the client's address is the connection's, unless that is a proxy which the shop trusts; then ``X-Forwarded-For`` is read
  from its right end for as long as the hops are trusted proxies. What a customer writes into that header is never
  believed, and where it is no address, the nearest hop that is one stands;
- bounded: a long or strange header costs nothing and is left out;
- nothing here raises for what a request holds.

It reads no cookie: the shop says which device it is.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from shopward.agents import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOPS_MAX: Final = 32
_HEADER_MAX: Final = 2_048
_AGENT_MAX: Final = 1_024
_DEVICE_MAX: Final = 128

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Networks whose ``X-Forwarded-For`` is believed.

    Args:
        networks: ``10.0.0.0/8``, ``127.0.0.1``, ...

    Raises:
        ValueError: one is no network.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(each) for each in networks]

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def client_of(self, peer: str, forwarded: str) -> str:
        """The client's address.

        Args:
            peer: of the connection.
            forwarded: ``X-Forwarded-For``; several headers joined by commas, in their order.
        """
        address = _address(peer)
        if address is None:  # a socket of the machine itself has no address
            return ""
        if address not in self:
            return str(address)
        for hop in reversed(forwarded[-_HEADER_MAX:].split(",")[-_HOPS_MAX:]):
            found = _address(hop)
            if found is None:
                break
            address = found
            if address not in self:
                break
        return str(address)


def from_wsgi(environ: Mapping[str, Any], proxies: TrustedProxies, *, device_id: str = "") -> dict[str, Any]:
    """The context of a WSGI request (PEP 3333); also of Django's ``request.META``."""
    return _context(
        proxies.client_of(str(environ.get("REMOTE_ADDR", "")), str(environ.get("HTTP_X_FORWARDED_FOR", ""))),
        str(environ.get("HTTP_USER_AGENT", "")),
        str(environ.get("HTTP_ACCEPT_LANGUAGE", "")),
        device_id,
    )


def from_asgi(scope: Mapping[str, Any], proxies: TrustedProxies, *, device_id: str = "") -> dict[str, Any]:
    """The context of an ASGI request."""
    headers: dict[bytes, list[str]] = {}
    for name, value in scope.get("headers", ()):
        headers.setdefault(bytes(name).lower(), []).append(bytes(value).decode("latin-1"))
    peer = scope.get("client")
    return _context(
        proxies.client_of(str(peer[0]) if peer else "", ",".join(headers.get(b"x-forwarded-for", ()))),
        ",".join(headers.get(b"user-agent", ())),
        ",".join(headers.get(b"accept-language", ())),
        device_id,
    )


def _context(ip: str, agent: str, languages: str, device_id: str) -> dict[str, Any]:
    agent = agent[:_AGENT_MAX]
    language = (
        languages[:_HEADER_MAX].split(",", maxsplit=1)[0].split(";", maxsplit=1)[0].strip().lower()[:35]
    )
    made = {
        "ip": ip,
        "user_agent": agent,
        "language": language if language.replace("-", "").isalnum() else "",
        "device_id": device_id[:_DEVICE_MAX],
        **described(agent),
    }
    return {name: value for name, value in made.items() if value}


def _address(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):  # [2001:db8::1]:443, as some proxies write it
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
