"""The address in a link as people paste it, read as a browser would (WHATWG URL, by the ada parser).

Promise: ``read_address`` never raises and takes time linear in what it reads, which is bounded; what it cannot read as a
link is told from what it can. It opens nothing and asks no network. Spans are positions in the text as given; where what
was given was disguised beyond finding, the span is the whole link.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from ada_url import parse_url
from publicsuffixlist import PSLFILE, PublicSuffixList

LINK_MAX: Final = 8_192
"""Characters that are read; browsers take more, people do not."""
HOST_MAX: Final = 253
"""RFC 1035, 2.3.4."""
OVERLONG: Final = 2_048
_WEB: Final = frozenset(("http", "https", "ftp", "ws", "wss"))
_SCRIPTS: Final = frozenset(("javascript", "data", "vbscript"))
_OPAQUE: Final = _SCRIPTS | {
    "about", "alipay", "alipays", "bitcoin", "blob", "cid", "content", "fb", "file", "geo", "intent", "itms-apps", "line",
    "magnet", "mailto", "market", "sip", "sms", "smsto", "tel", "tg", "urn", "viber", "weixin", "whatsapp",
}  # fmt: skip
"""Schemes that need no slashes; any other word before a colon is a name with a port, or a user."""
_PLAIN: Final = re.compile(
    r"(https?)://((?:[a-z0-9][a-z0-9\-]*+(?<!-)\.)++[a-z]{2,24})(?:(/[!$&'()*+,\-./:;=@\w%~|]*+)(\?[!$&()*+,\-./:;=?@\w%~|]*+)?+)?+",
    re.ASCII,
)
"""Links that mean what they look like; the parser is not asked about them (a test holds the two against each other)."""
_PARTS: Final = ("protocol", "username", "password", "hostname", "port", "pathname", "search", "hash")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.\-]{0,40}):", re.IGNORECASE)
_DEFANGED: Final = (
    (re.compile(r"^h[x*]{2}p(s?)(?=:|\[)", re.IGNORECASE), r"http\1"),
    (re.compile(r"\[\s?(?:\.|dot)\s?\]|\(\s?(?:\.|dot)\s?\)|\{\s?(?:\.|dot)\s?\}", re.IGNORECASE), "."),
    (re.compile(r"\[:(//)?\]"), r":\1"),
)
_WRAPPING: Final = "<>\"'`()[]{}\u00ab\u00bb\u201c\u201d\u2018\u2019\u300c\u300d\u300e\u300f\u300a\u300b\u3010\u3011\uff08\uff09,;!\u3001\uff0c\u3002\uff1b\uff01"
"""Brackets, quotation marks and commas of three languages."""
_HIDDEN: Final = re.compile(
    "[\t\n\r\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_DISGUISED: Final = re.compile(
    "[\uff01-\uff5e\u3002\uff61\u2024\u2044\u2215\u29f8\U0001d400-\U0001d7ff\u2460-\u24ff]"
)
_IPV4: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_HOST: Final = re.compile(
    r"^(?:[a-z][a-z0-9+.\-]*:(?=[/\\]))?[/\\]*(?:[^/\\?#]*@)?([^/\\?#:\s]*)", re.IGNORECASE
)

Kind = Literal["name", "ipv4", "ipv6", "script", "other", "none"]


class Address(NamedTuple):
    """A link, taken apart.

    Attributes:
        kind: ``name`` and the two IPs are web addresses; ``script`` runs code; ``other`` is another scheme (mailto, tel, an
            app's own); ``none`` is no link.
        host: ASCII, lower case, without a trailing dot; empty where there is none.
        shown: the host with its letters as a browser may show them (punycode decoded).
        suffix, registered: by the public suffix list with its private section; ``registered`` is empty for a bare suffix.
        username: what stands before an ``@``, as given.
        path, query: as a browser sends them.
        start, end: of the link in what was given; ``host_start``, ``host_end`` of its host.
        marks: what about its spelling is unusual: ``hidden``, ``disguised``, ``ip_spelling``, ``overlong``.
    """

    kind: Kind
    scheme: str = ""
    host: str = ""
    shown: str = ""
    suffix: str = ""
    registered: str = ""
    username: str = ""
    port: str = ""
    path: str = ""
    query: str = ""
    start: int = 0
    end: int = 0
    host_start: int = 0
    host_end: int = 0
    marks: tuple[str, ...] = ()


def read_address(given: str) -> Address:
    """The address in a link as it was pasted: without a scheme, defanged, in full-width letters, in brackets."""
    plain = _PLAIN.fullmatch(given) if len(given) <= OVERLONG else None
    if plain is not None and "xn--" not in given and given[-1] not in _EDGE_RIGHT:
        path = plain[3] or "/"
        if "/." not in path and "%2" not in path:
            scheme, host = plain[1], plain[2]
            if len(host) <= HOST_MAX:
                suffix, registered = split_host(host)
                return Address(
                    "name", scheme, host, host, suffix, registered, "", "", path, plain[4] or "",
                    0, len(given), plain.start(2), plain.end(2),
                )  # fmt: skip
    return _read(given)


def _read(given: str) -> Address:
    """The long way, for all that is unusual."""
    text = given[:LINK_MAX]
    start, end = _trimmed(text)
    body = text[start:end]
    marks = ["overlong"] if len(given) > OVERLONG else []
    if not body.isascii() or "\t" in body or "\n" in body or "\r" in body:
        body = body.encode("utf-8", "replace").decode()
        if _HIDDEN.search(body):
            marks.append("hidden")
        if _DISGUISED.search(body):
            marks.append("disguised")
            body = _DISGUISED.sub(
                lambda each: unicodedata.normalize("NFKC", each[0]).replace("\u3002", "."), body
            )
    parts = _parsed(_refanged(body))
    if parts is None:
        return Address("none", start=start, end=end, marks=tuple(marks))
    scheme = parts["protocol"].rstrip(":")
    if scheme not in _WEB:
        kind: Kind = "script" if scheme in _SCRIPTS else "other"
        return Address(kind, scheme, path=parts["pathname"], start=start, end=end, marks=tuple(marks))
    host = parts["hostname"].removesuffix(".")
    if not host or len(host) > HOST_MAX:
        return Address("none", scheme, start=start, end=end, marks=tuple(marks))
    host_start, host_end = _host_span(text, start, end)
    kind = "name"
    if host.startswith("["):
        kind = "ipv6"
    elif _IPV4.fullmatch(host):
        kind = "ipv4"
        if text[host_start:host_end] != host:
            marks.append("ip_spelling")
    suffix, registered = split_host(host) if kind == "name" else ("", "")
    return Address(
        kind, scheme, host, shown_host(host), suffix, registered,
        parts["username"], parts["port"], parts["pathname"], parts["search"],
        start, end, host_start, host_end, tuple(marks),
    )  # fmt: skip


@lru_cache(maxsize=16_384)
def split_host(host: str) -> tuple[str, str]:
    """The public suffix of a name and the registered domain above it, empty where the name is a suffix itself."""
    head, _, last = host.rpartition(".")
    second = head.rpartition(".")[2]
    ending = f"{second}.{last}"
    if (
        second
        and ending not in _deep
        and "*." + last not in _deep
        and "xn--" not in ending
        and ".." not in host
    ):
        return (last, ending) if host[0] != "." else ("", "")  # no rule is about more than the last label
    registered = _suffixes.privatesuffix(host)
    if registered:
        return registered.partition(".")[2], registered
    return _suffixes.publicsuffix(host) or "", ""


def is_public_suffix(host: str) -> bool:
    """Whether anybody can have a name of their own below it, as far as the list knows."""
    return _suffixes.is_public(host)


def shown_host(host: str) -> str:
    """A host with punycode decoded; labels that do not decode stay as they are."""
    if "xn--" not in host:
        return host
    labels = host.split(".")
    for position, label in enumerate(labels):
        if label.startswith("xn--"):
            with suppress(UnicodeError):
                labels[position] = label[4:].encode("ascii").decode("punycode")
    return ".".join(labels)


def _trimmed(text: str) -> tuple[int, int]:
    """Where the link is in what was pasted around it."""
    end = len(text)
    start = len(text) - len(text.lstrip(_EDGE_LEFT))
    trimmed = len(text.rstrip(_EDGE_RIGHT))
    end = max(start, trimmed)
    if end < len(text) and text[end] in ")]" and ("(" if text[end] == ")" else "[") in text[start:end]:
        end += 1  # a bracket that was opened inside the link belongs to it
    return start, end


_SPACES: Final = "".join(map(chr, (*range(33), 0x85, 0xA0, 0x3000, 0x2028, 0x2029)))
_EDGE_LEFT: Final = _SPACES + _WRAPPING
_EDGE_RIGHT: Final = _SPACES + _WRAPPING + ".?:"


def _refanged(body: str) -> str:
    """A link that somebody made harmless, as it was before."""
    if "[" in body or "(" in body or "{" in body or body[:2] in ("hx", "hX", "Hx", "HX", "h*"):
        for pattern, replacement in _DEFANGED:
            body = pattern.sub(replacement, body)
    return body


def _parsed(body: str) -> dict[str, str] | None:
    """The parts of a link, one without a scheme read as a browser's address bar does; ``None`` where it is none."""
    scheme = _SCHEME.match(body)
    if scheme is None:
        body = "https://" + body.lstrip("/\\:")
    elif scheme[1].lower() not in _WEB | _OPAQUE and not body.startswith(("/", "\\"), scheme.end()):
        body = "https://" + body  # a name with a port, or a user with a password
    try:
        return parse_url(body, attributes=_PARTS)  # type: ignore[return-value]
    except ValueError:
        pass
    head = body.split(None, 1)[0] if body.split() else ""
    if head and head != body:  # a link with a sentence behind it
        try:
            return parse_url(head, attributes=_PARTS)  # type: ignore[return-value]
        except ValueError:
            pass
    return None


def _host_span(text: str, start: int, end: int) -> tuple[int, int]:
    found = _HOST.match(text[start:end])
    if found is None or found.start(1) == found.end(1):
        return start, end
    return start + found.start(1), start + found.end(1)


def _deep_endings() -> frozenset[str]:
    """The last two labels of all rules of the list that have two or more; a wildcard is one."""
    rules = (line.split(None, 1)[0] for line in Path(PSLFILE).read_text("utf-8").splitlines() if line.strip())
    return frozenset(
        ".".join(rule.lstrip("!").split(".")[-2:])
        for rule in rules
        if "." in rule and not rule.startswith("//")
    )


_suffixes: Final = PublicSuffixList()
_deep: Final = _deep_endings()
