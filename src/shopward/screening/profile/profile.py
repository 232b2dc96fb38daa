"""A profile made fit for use: whose host, sender or account it is, in a few look-ups.

Promise: built once, never changed, safe to share between threads; ``version`` is a digest of what the shop said, so that a
verdict tells what judged it. Building refuses what cannot be (``InvalidField``): an official domain that anybody can have
a name under, a pattern that RE2 does not take. What a profile would wrongly flag is told by ``screening.publish``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import re2

from shopward.errors import InvalidField
from shopward.screening.folding import squeezed
from shopward.screening.links.address import is_public_suffix, read_address
from shopward.screening.links.lookalike import Lookalikes
from shopward.screening.profile.spec import ProfileSpec
from shopward.screening.senders import SenderBook
from shopward.screening.words import common_words, ordinary_words
from shopward.values import digest16

_RE2_MEMORY: Final = 1 << 20


class Owner(NamedTuple):
    """Whose something is.

    Attributes:
        relation: ``official``, ``short``, ``page`` or ``partner``.
        name: of the shop or partner.
        host: as declared.
        path: that it is limited to; empty for the whole host.
    """

    relation: str
    name: str
    host: str
    path: str = ""


class Profile:
    """See the module.

    Args:
        spec: what the shop says.
    """

    def __init__(self, spec: ProfileSpec) -> None:
        self.spec = spec
        self.version = digest16(msgspec.json.encode(spec)).hex()[:12]
        self.names = tuple(dict.fromkeys((spec.name, *spec.aliases)))
        self._hosts: dict[str, Owner] = {}
        self._pages: dict[str, list[Owner]] = {}
        for relation, declared in (
            (
                "partner",
                [
                    (p.name, d, f"partners[{i}].domains")
                    for i, p in enumerate(spec.partners)
                    for d in p.domains
                ],
            ),
            ("page", [(spec.name, d, "hosted_pages") for d in spec.hosted_pages]),
            ("short", [(spec.name, d, "short_domains") for d in spec.short_domains]),
            ("official", [(spec.name, d, "official_domains") for d in spec.official_domains]),
        ):
            for name, domain, path in declared:
                self._own(relation, name, domain, path)
        self.official_domains = tuple(
            owner.host for owner in self._hosts.values() if owner.relation == "official"
        )
        self.lookalikes = Lookalikes(self.names, self.official_domains, ordinary_words(), common_words())
        self.senders = SenderBook(spec)
        self._accounts = {_account(each.number): each for each in spec.payment_accounts}
        self.order_patterns = tuple(_pattern(each, i) for i, each in enumerate(spec.order_pattern))

    def owner(self, host: str, path: str = "/") -> Owner | None:
        """Whose a host is, by the longest declared name that it equals or is below of; pages by their path."""
        hosts, pages = self._hosts, self._pages
        while True:
            if host in pages:
                for page in pages[host]:
                    if path == page.path or path.startswith((page.path + "/", page.path + "?")):
                        return page
            found = hosts.get(host)
            if found is not None:
                return found
            _, dot, host = host.partition(".")
            if not dot:
                return None

    def has_account(self, number: str) -> bool:
        """Whether the shop is paid on an account of this number."""
        return _account(number) in self._accounts

    def _own(self, relation: str, name: str, domain: str, path: str) -> None:
        address = read_address(domain)
        host = address.host
        if address.kind != "name" or "." not in host or address.username or address.query:
            raise InvalidField(
                "not a domain", path=path, expected="a name such as shop.example, or host/path for a page",
                found="another text",
            )  # fmt: skip
        if relation != "page" and address.path != "/":
            raise InvalidField(
                "a domain has no path", path=path, expected="shop.example", found="a path",
                hint="pages on sites of others are hosted_pages",
            )  # fmt: skip
        if relation == "page" and address.path != "/":
            page = Owner(relation, name, host, address.path.rstrip("/"))
            self._pages.setdefault(host, []).append(page)
            return
        if is_public_suffix(host):
            raise InvalidField(
                "anybody can have a name under this ending", path=path, expected="a domain of its own",
                found="a public suffix", hint="name the host below it, or a page as host/path",
            )  # fmt: skip
        self._hosts[host] = Owner(relation, name, host)


def _account(number: str) -> str:
    return squeezed(number)


def _pattern(text: str, position: int) -> Any:
    options = re2.Options()
    options.max_mem = _RE2_MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error:
        raise InvalidField(
            "not a pattern", path=f"order_pattern[{position}]", expected="an RE2 expression of moderate size",
            found="another text", hint="no look-around and no back-references; counted repeats up to 1000",
        ) from None  # fmt: skip


def nobodys_profile() -> Profile:
    """The profile where there is none: nothing is official, and no name is imitated."""
    return Profile(ProfileSpec(name="", official_domains=()))
