"""Keyed tokens: the only form in which features and rules see what could name a person.

Promise: a token is 128 bits of keyed BLAKE2b (RFC 7693) over a domain word and the value, 22 characters of
base64url. Without the key it tells nothing; equal values give equal tokens inside one domain and unrelated ones
across domains. The key never leaves the data folder of the shop.

It is no encryption: nothing can be read back. Values stay in memory only as keys of a bounded cache.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from binascii import b2a_base64
from typing import Final

from shopward.errors import InvalidField

KEY_BYTES: Final = 32
_CACHE_MAX: Final = 100_000
"""Values of one domain that are kept with their tokens; a token costs 0.7 us, a kept one 0.03 us."""
_PASSING: Final = frozenset({"transaction"})
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"({_OCTET}\.{_OCTET}\.{_OCTET}\.){_OCTET}")


class Domain(dict[str, str]):
    """Tokens of one domain by value, made when they are first asked for; the empty value has the empty token."""

    def __init__(self, key: bytes, word: str) -> None:
        super().__init__({"": ""})
        self._keyed = hashlib.blake2b(digest_size=16, key=key, person=word.encode())

    def __missing__(self, value: str) -> str:
        if len(self) >= _CACHE_MAX:
            self.clear()
            self[""] = ""
        token = self[value] = self.compute(value)
        return token

    def compute(self, value: str) -> str:
        """The token of a value, which is not kept."""
        digest = self._keyed.copy()
        try:
            digest.update(value.encode())
        except (
            UnicodeEncodeError
        ):  # half of a surrogate pair, which only a caller in this process can hand over
            digest.update(value.encode("utf-8", "surrogatepass"))
        return b2a_base64(digest.digest())[:22].decode("ascii").replace("+", "-").replace("/", "_")


class PassingDomain(Domain):
    """Tokens of values that come once or twice: none is kept, since to keep it costs more than to make it again."""

    __missing__ = Domain.compute


class Tokeniser:
    """Makes tokens under one key.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the token key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self._domains: dict[str, Domain] = {}
        self._networks: dict[str, tuple[str, str]] = {"": ("", "")}

    def domain(self, word: str) -> Domain:
        """The tokens of a domain; for whoever asks often."""
        domain = self._domains.get(word)
        if domain is None:
            kind = PassingDomain if word in _PASSING else Domain
            domain = self._domains[word] = kind(self._key, word)
        return domain

    def token(self, domain: str, value: str) -> str:
        """The token of ``value`` in ``domain``; the empty value has the empty token."""
        return self.domain(domain)[value]

    def address(self, ip: str) -> tuple[str, str]:
        """Tokens of an IP address and of its network (/24 of IPv4, /48 of IPv6).

        Raises:
            InvalidField: where ``ip`` is no address.
        """
        cached = self._networks.get(ip)
        if cached is None:
            if len(self._networks) >= _CACHE_MAX:
                self._networks = {"": ("", "")}
            cached = self._networks[ip] = self._address(ip)
        return cached

    def _address(self, ip: str) -> tuple[str, str]:
        usual = _IPV4.fullmatch(ip)
        if usual is not None:  # many times cheaper than the library's parser, which takes all the others
            return self._tokens_of(ip, f"{usual[1]}0/24")
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            raise InvalidField(
                "not an IP address",
                path="context.ip",
                expected="an IPv4 or IPv6 address",
                found="another text",
            ) from None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        prefix = 24 if address.version == 4 else 48
        network = ipaddress.ip_network((address, prefix), strict=False)
        return self._tokens_of(str(address), str(network))

    def _tokens_of(self, address: str, network: str) -> tuple[str, str]:
        return self.domain("ip").compute(address), self.domain("net")[network]
