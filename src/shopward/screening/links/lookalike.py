"""Look-alikes: which part of a host pretends to be the shop, and how.

Promise: a name is compared in the ways that its length and its likeness to ordinary words allow, decided once when the
profile is built: a long name also inside words and one slip away, a short one as a whole word alone. All look-ups are
dictionaries of what a slip can make of a name, so that a host costs microseconds however many names a shop has. A
look-alike is a reason, not a detector: two thirds of real phishing hosts hold no trace of the brand.

A slip is one letter more, less, other, or two exchanged (Damerau 1964). A scrambled name keeps its first letter and the
order of its consonants, give or take one slip.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.screening.folding import plain, shape, skeleton, squeezed
from shopward.screening.links.address import is_public_suffix, split_host
from shopward.screening.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.screening.links.address import Address

NAME_MIN: Final = 3
INSIDE_MIN: Final = 6
"""From this length a name is looked for inside words; measured on ordinary hosts (docs/screening.md)."""
SLIP_MIN: Final = 6
SHAPE_MIN: Final = 5
SHAPE_SLIP_MIN: Final = 6
NAME_MAX: Final = 40
NAMES_MAX: Final = 400
BEGINNING: Final = 3
"""Letters by which parts are looked up; no part is shorter."""
LABEL_MAX: Final = 63
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_WORD: Final = re.compile(r"[a-z]+|\d+")
_TOKEN: Final = re.compile(r"[^-_.]+")
_WEIGHTS: Final = {
    "brand_homograph": 0.92, "brand_other_ending": 0.8, "brand_in_host": 0.8, "brand_typo": 0.7, "brand_scrambled": 0.6, "embedded_suffix": 0.7,
    "official_inside": 0.95, "brand_in_userinfo": 0.95, "brand_in_path": 0.3,
}  # fmt: skip


class Way(NamedTuple):
    """In which ways a name is compared.

    Attributes:
        name: folded.
        inside: also inside words.
        slips: also one slip away.
    """

    name: str
    inside: bool
    slips: bool


class Parts:
    """Texts that are looked for inside others, by how they begin: most places of a host are passed over at once.

    Args:
        known: what is looked for, and the name that it stands for.
    """

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        sizes: dict[str, set[int]] = {}
        for part in known:
            sizes.setdefault(part[:BEGINNING], set()).add(len(part))
        self._sizes = {beginning: tuple(sorted(found)) for beginning, found in sizes.items()}

    def find(self, text: str) -> str:
        """The name behind the first part of ``text`` that is known; empty where none is."""
        for at in range(len(text) - BEGINNING + 1):
            for size in self._sizes.get(text[at : at + BEGINNING], ()):
                found = self._known.get(text[at : at + size])
                if found is not None:
                    return found
        return ""


class Lookalikes:
    """The names of one shop.

    Args:
        names: as customers know the shop.
        domains: its official hosts; their registered names count as names.
        ordinary: words that ordinary hosts are made of; they are no slip of a name.
        common: the commonest of them; a name among these is compared as a whole word alone.
    """

    def __init__(
        self, names: Iterable[str], domains: Iterable[str], ordinary: frozenset[str], common: frozenset[str]
    ) -> None:
        domains = tuple(domains)
        self._domains = frozenset(domains)
        folded = [squeezed(name) for name in names]
        folded += [squeezed(registered.partition(".")[0]) for _, registered in map(split_host, domains)]
        self.ways = tuple(
            _way(name, common)
            for name in dict.fromkeys(folded)
            if NAME_MIN <= len(name) <= NAME_MAX
        )[:NAMES_MAX]  # fmt: skip
        self._ordinary = ordinary
        self._whole = {way.name: way.name for way in self.ways}
        self._skeletons = {skeleton(way.name): way.name for way in self.ways}
        inside = [way.name for way in self.ways if way.inside]
        self._inside = Parts({name: name for name in inside})
        self._inside_skeletons = Parts({skeleton(name): name for name in inside})
        slips: dict[str, str] = {}
        for way in self.ways:
            if way.slips:
                for slip in _slips(way.name):
                    if ordinary.isdisjoint((slip, slip[1:], slip[:-1])) and slip not in self._whole:
                        slips.setdefault(slip, way.name)
        self._slips = Parts(slips)
        self._shapes: dict[str, str] = {}
        for way in self.ways:
            if way.slips:
                self._shapes |= _shapes(way.name)

    def in_host(self, address: Address) -> Iterator[Finding]:
        """What of a host that is nobody's whom we know pretends to be the shop; the strongest of each label."""
        if address.kind != "name":
            return
        suffix_labels = address.suffix.count(".") + 1 if address.suffix else 0
        labels = plain(address.shown).split(".")
        given = address.host.split(".")
        own = labels[: len(labels) - suffix_labels] if suffix_labels < len(labels) else labels
        for position, label in enumerate(own):
            is_registered = position == len(own) - 1
            found = self._in_label(
                label[:LABEL_MAX], is_registered=is_registered, is_foreign=given[position].startswith("xn--")
            )
            if found is not None:
                code, name = found
                yield Finding(
                    code,
                    _WEIGHTS[code],
                    *_span_of(address, given, position),
                    about=address.shown if code in ("brand_homograph", "brand_other_ending") else name,
                )
        yield from self._embedded(address, given, len(own))

    def in_rest(self, address: Address) -> Iterator[Finding]:
        """The shop before an ``@``, or in the path of another site."""
        if address.username:
            said = squeezed(address.username)
            if any(name in said for name in self._whole if len(name) >= INSIDE_MIN - 1):
                yield Finding(
                    "brand_in_userinfo",
                    _WEIGHTS["brand_in_userinfo"],
                    address.start,
                    address.host_end,
                    address.host,
                )
        rest = plain((address.path + address.query)[:512])
        if len(rest) > 1:
            for word in _WORD.findall(rest):
                if word in self._whole and len(word) >= INSIDE_MIN - 1:
                    yield Finding(
                        "brand_in_path", _WEIGHTS["brand_in_path"], address.host_end, address.end, word
                    )
                    return

    def _in_label(self, label: str, *, is_registered: bool, is_foreign: bool) -> tuple[str, str] | None:
        """The strongest way in which a label pretends to be a name, and that name."""
        tokens = _TOKEN.findall(label)
        joined = "".join(tokens)
        if joined in self._whole:
            plainly = "brand_other_ending" if is_registered else "brand_in_host"
            return "brand_homograph" if is_foreign else plainly, self._whole[joined]
        is_ordinary = self._is_ordinary(label)
        found = next((self._whole[token] for token in tokens if token in self._whole), "")
        if not found and not is_ordinary:
            found = self._inside.find(joined)
        if found:
            return "brand_homograph" if is_foreign else "brand_in_host", found
        if is_ordinary:
            return None
        for code, look in (
            ("brand_homograph", self._disguised),
            ("brand_typo", self._slipped),
            ("brand_scrambled", self._scrambled),
        ):
            found = look(joined, tokens)
            if found:
                return code, found
        return None

    def _disguised(self, joined: str, tokens: list[str]) -> str:
        """The name that digits and letter pairs imitate."""
        folded = skeleton(joined)
        if folded == joined:
            return ""
        found = self._skeletons.get(folded, "") or self._inside_skeletons.find(folded)
        parts = (self._skeletons.get(skeleton(token), "") for token in tokens if token not in self._ordinary)
        found = found or next(filter(None, parts), "")
        return found if len(found) > NAME_MIN else ""

    def _slipped(self, joined: str, _tokens: list[str]) -> str:
        """The name that is one slip away."""
        return self._slips.find(joined)

    def _scrambled(self, _joined: str, tokens: list[str]) -> str:
        """The name whose letters a token shuffles; its first letter stays, or nobody would read it as the name."""
        for token in tokens if self._shapes else ():
            if len(token) >= SLIP_MIN and token not in self._ordinary:
                name = self._shapes.get(shape(token), "")
                if name and skeleton(token[:1]) == skeleton(name[:1]):
                    return name
        return ""

    def _is_ordinary(self, label: str) -> bool:
        """Whether a label is made of ordinary words alone."""
        return all(word in self._ordinary or word.isdigit() for word in _WORD.findall(label))

    def _embedded(self, address: Address, given: list[str], own: int) -> Iterator[Finding]:
        """The shop's address, or an ending of several parts, before the real ending."""
        for size in range(min(own - 1, 6), 1, -1):
            for first in range(own - size):
                inner = ".".join(given[first : first + size])
                if inner in self._domains or split_host(inner)[1] in self._domains:
                    start, _ = _span_of(address, given, first)
                    yield Finding(
                        "official_inside", _WEIGHTS["official_inside"], start, address.host_end, inner
                    )
                    return
                if is_public_suffix(inner) and first + size < own and _is_real_ending(inner):
                    start, _ = _span_of(address, given, first)
                    yield Finding(
                        "embedded_suffix", _WEIGHTS["embedded_suffix"], start, address.host_end, inner
                    )
                    return


def _is_real_ending(inner: str) -> bool:
    """Whether an ending of two parts is one of a country's own, such as ``co.id``; private ones are names of companies."""
    first, _, last = inner.partition(".")
    return len(last) == 2 and len(first) <= 3 and "." not in last


def _way(name: str, common: frozenset[str]) -> Way:
    is_word = name in common
    return Way(
        name, inside=len(name) >= INSIDE_MIN and not is_word, slips=len(name) >= SLIP_MIN and not is_word
    )


def _slips(name: str) -> Iterator[str]:
    """All that one slip makes of a name."""
    for at in range(len(name) + 1):
        head, tail = name[:at], name[at:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def _shapes(name: str) -> dict[str, str]:
    """What scrambling makes of a name: its shape, and all that are one slip away and begin alike."""
    whole = shape(name)
    if len(whole) < SHAPE_MIN:
        return {}
    near = _slips(whole) if len(whole) >= SHAPE_SLIP_MIN else ()
    return {each: name for each in (whole, *near) if each[:1] == whole[:1] and len(each) >= SHAPE_MIN}


def _span_of(address: Address, given: list[str], position: int) -> tuple[int, int]:
    """Where a label stands; the whole host where it was written in another way."""
    width = address.host_end - address.host_start
    if width != len(address.host):
        return address.host_start, address.host_end
    start = address.host_start + sum(len(each) + 1 for each in given[:position])
    return start, start + len(given[position])
