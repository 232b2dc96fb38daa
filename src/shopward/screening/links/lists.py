"""Lists of links that were reported: each entry with its source, its scope and its end.

Promise: an entry that ran out does not count; a host or domain on which anybody has a page of his own is never listed as a
whole, only the path that was named, and what could not be taken is told with its reason (``refused``). A look-up is a few
dictionary look-ups, however long the lists.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from shopward.errors import InvalidField
from shopward.screening.links.address import Address, is_public_suffix, read_address
from shopward.screening.links.known import is_shared
from shopward.values import DAY_MS, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

Scope = Literal["url", "path", "host", "domain"]
TTL_MS: Final = 30 * DAY_MS
"""How long an entry counts where it says nothing: most phishing sites live for days, and domains are registered anew."""
ENTRIES_MAX: Final = 2_000_000
_HOST_LABELS_MAX: Final = 12


class ListEntry(Struct, frozen=True, kw_only=True):
    """One reported link.

    Attributes:
        link: as it was reported; it may lack a scheme.
        scope: how much of it: this very url, what is below its path, its host, or its registered domain.
        source: who says so: a feed's name, or ``reports``.
        seen_ms: when it was last seen.
        ends_ms: from when it does not count; 0 for ``TTL_MS`` after it was last seen.
    """

    link: str
    scope: Scope = "host"
    source: str
    seen_ms: int
    ends_ms: int = 0

    @property
    def end_ms(self) -> int:
        """From when it does not count."""
        return self.ends_ms or self.seen_ms + TTL_MS


class LinkLists:
    """Entries by what they cover; built once, shared by threads.

    Args:
        entries: later ones stand over earlier ones of the same scope and link.
    """

    def __init__(self, entries: Iterable[ListEntry] = ()) -> None:
        self._by_key: dict[str, ListEntry] = {}
        self._hosts_with_paths: set[str] = set()
        self.refused: list[tuple[ListEntry, str]] = []
        for entry in entries:
            reason = self._take(entry)
            if reason:
                self.refused.append((entry, reason))

    def __len__(self) -> int:
        return len(self._by_key)

    def match(self, address: Address, at_ms: int) -> ListEntry | None:
        """The narrowest entry that covers an address and has not run out."""
        if not self._by_key:
            return None
        for key in self._keys(address):
            entry = self._by_key.get(key)
            if entry is not None and at_ms < entry.end_ms:
                return entry
        return None

    def _keys(self, address: Address) -> Iterable[str]:
        host = address.host
        if host in self._hosts_with_paths:
            yield f"url {host}{address.path}{address.query}"
            parts = address.path.split("/")[:_HOST_LABELS_MAX]
            for size in range(len(parts), 0, -1):
                yield f"path {host}{'/'.join(parts[:size]).rstrip('/')}"
        yield "host " + host
        yield "domain " + (address.registered or host)

    def _take(self, entry: ListEntry) -> str:
        """Keep an entry; why not, where it cannot be kept."""
        address = read_address(entry.link)
        if address.kind not in ("name", "ipv4", "ipv6"):
            return "not_a_link"
        if len(self._by_key) >= ENTRIES_MAX:
            return "too_many"
        scope, host = entry.scope, address.host
        path = address.path.rstrip("/")
        if scope in ("host", "domain"):
            covered = (address.registered or host) if scope == "domain" else host
            is_everybodys = is_shared(covered) or (address.kind == "name" and is_public_suffix(covered))
            if not is_everybodys:
                self._by_key[f"{scope} {covered}"] = entry
                return ""
            if not path:
                return "shared_host"
            scope = "path"  # of a shared host only what was named is bad
        self._hosts_with_paths.add(host)
        self._by_key[
            f"url {host}{address.path}{address.query}" if scope == "url" else f"path {host}{path}"
        ] = entry
        return ""


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as a file holds it: times in RFC 3339."""

    link: str
    source: str
    seen: datetime
    scope: Scope = "host"
    ends: datetime | None = None


def read_entries(raw: bytes) -> Iterable[ListEntry]:
    """The entries of a file, one JSON object a line; raises ``InvalidField`` with the line where one cannot be read."""
    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            said = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise InvalidField(
                "an entry of a list cannot be read", path=f"line {number}",
                expected='{"link", "source", "seen", "scope", "ends"}, times in RFC 3339', found="something else",
            ) from None  # fmt: skip
        yield ListEntry(
            link=said.link, scope=said.scope, source=said.source, seen_ms=to_ms(said.seen),
            ends_ms=0 if said.ends is None else to_ms(said.ends),
        )  # fmt: skip
