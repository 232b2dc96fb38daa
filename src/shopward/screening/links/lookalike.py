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
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import ahocorasick

from shopward.screening.folding import plain, shape, skeleton, squeezed
from shopward.screening.links.address import is_public_suffix, split_host
from shopward.screening.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shopward.screening.links.address import Address

NAME_MIN: Final = 3
WRITTEN_MIN: Final = 2
"""Of names that are not in Latin letters: two Chinese characters are a name."""
INSIDE_MIN: Final = 6
"""From this length a name is looked for inside words; measured on ordinary hosts (docs/screening.md)."""
SLIP_MIN: Final = 6
EMBEDDED_MAX: Final = 6
"""Labels of an official domain that is looked for inside others."""
ENDING_LABELS: Final = 2
INSIDE_SLIP_MIN: Final = 6
"""Shorter slips, and those that leave a letter out or change the first, count as whole words alone: ``istan`` stands in more
than Isetan."""
EDGE_MAX: Final = 6
"""A slip of so few letters inside a word has to begin or end it: ``ibetan`` stands in Tibetan."""
SHAPE_MIN: Final = 5
CONSONANTS_FEW: Final = 4
"""With so few consonants a scrambled name keeps them all, or Mistore is in every meteor."""
SHAPE_SLIP_MIN: Final = 6
NAME_MAX: Final = 40
NAMES_MAX: Final = 400
LABEL_MAX: Final = 63
LABELS_KEPT: Final = 4_096
"""Labels of which it is remembered what they pretend: every second host begins with ``www``."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_WORD: Final = re.compile(r"[a-z]+|\d+")
_SEPARATORS: Final = re.compile(r"[-_]+")
_WEIGHTS: Final = {
    "brand_homograph": 0.92, "brand_other_ending": 0.8, "brand_in_host": 0.8, "brand_typo": 0.7, "brand_scrambled": 0.6, "embedded_suffix": 0.7,
    "official_inside": 0.95, "brand_in_userinfo": 0.95, "brand_in_path": 0.3,
}  # fmt: skip
_PLAINLY: Final = frozenset(("brand_other_ending", "brand_in_host"))
"""What letters of another script make a homograph of."""


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
    """Texts that are looked for inside others, all in one pass (Aho-Corasick)."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._automaton = ahocorasick.Automaton()

    def add(self, part: str, code: str, name: str) -> None:
        """Look for ``part``, which stands for a name in the way of ``code``; what was added before stands."""
        self._known.setdefault(part, (code, name))

    def close(self) -> None:
        """Nothing more is added."""
        for part, known in self._known.items():
            self._automaton.add_word(part, (_WEIGHTS[known[0]], len(part), known))
        if self._known:
            self._automaton.make_automaton()

    def find(self, text: str) -> tuple[str, str] | None:
        """The strongest way in which a part of ``text`` stands for a name, and that name; of equals the one that begins first."""
        if not self._known:
            return None
        found = [
            (weight, size - end, -size, known)
            for end, (weight, size, known) in self._automaton.iter(text)
            if known[0] != "brand_typo" or size > EDGE_MAX or end in (size - 1, len(text) - 1)
        ]
        return max(found)[3] if found else None


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
        self._endings = frozenset(suffix for suffix, _registered in map(split_host, domains))
        folded = [squeezed(name) for name in names]
        folded += [squeezed(registered.partition(".")[0]) for _, registered in map(split_host, domains)]
        self.ways = tuple(
            _way(name, common)
            for name in dict.fromkeys(folded)
            if (NAME_MIN if name.isascii() else WRITTEN_MIN) <= len(name) <= NAME_MAX
        )[:NAMES_MAX]  # fmt: skip
        self._ordinary = ordinary
        self._whole = {way.name: way.name for way in self.ways}
        self._said = frozenset(name for name in self._whole if len(name) >= INSIDE_MIN - 1)
        self._skeletons = {skeleton(way.name): way.name for way in self.ways if len(way.name) > NAME_MIN}
        self._parts, self._disguised = Parts(), Parts()
        self._typos: dict[str, str] = {}
        for way in self.ways:
            if way.inside:
                self._parts.add(way.name, "brand_in_host", way.name)
                self._disguised.add(skeleton(way.name), "brand_homograph", way.name)
        for way in self.ways:
            for slip in _slips(way.name) if way.slips else ():
                if slip not in self._whole and ordinary.isdisjoint((slip, slip[1:], slip[:-1])):
                    self._typos.setdefault(slip, way.name)
                    if slip[0] == way.name[0] and len(slip) >= max(len(way.name), INSIDE_SLIP_MIN):
                        self._parts.add(slip, "brand_typo", way.name)
        self._shapes: dict[str, str] = {}
        for way in self.ways:
            if way.slips:
                self._shapes |= _shapes(way.name)
        self._parts.close()
        self._disguised.close()
        initials = frozenset(skeleton(name[:1]) for name in self._shapes.values())
        self._seen = lru_cache(LABELS_KEPT)(self._in_label)
        self._openings = initials | frozenset(each for each in _LETTERS if skeleton(each) in initials)

    def in_host(self, address: Address) -> list[Finding]:
        """What of a host that is nobody's whom we know pretends to be the shop; the strongest of each label."""
        if address.kind != "name":
            return []
        suffix_labels = address.suffix.count(".") + 1 if address.suffix else 0
        labels = (address.shown if address.shown.isascii() else plain(address.shown)).split(".")
        own = len(labels) - suffix_labels if suffix_labels < len(labels) else len(labels)
        given = labels if address.shown is address.host else address.host.split(".")
        findings = []
        for position in range(own):
            found = self._seen(labels[position][:LABEL_MAX])
            if found is not None:
                code, name = found
                is_foreign = given[position].startswith("xn--")
                if code == "brand_other_ending" and position < own - 1:
                    code = "brand_in_host"
                if code in _PLAINLY and is_foreign:
                    code = "brand_homograph"
                findings.append(
                    Finding(
                        code,
                        _WEIGHTS[code],
                        *_span_of(address, given, position),
                        about=address.shown if code in ("brand_homograph", "brand_other_ending") else name,
                    )
                )
        if own > ENDING_LABELS:
            findings += self._embedded(address, given, own)
        return findings

    def names_shop(self, finding: Finding) -> bool:
        """Whether a finding tells of this shop: an ending in the wrong place does where the shop has one like it."""
        return finding.code != "embedded_suffix" or finding.about in self._endings

    def in_rest(self, address: Address) -> list[Finding]:
        """The shop before an ``@``, or in the path of another site."""
        findings = []
        if address.username:
            said = squeezed(address.username)
            if any(name in said for name in self._said):
                findings.append(
                    Finding(
                        "brand_in_userinfo",
                        _WEIGHTS["brand_in_userinfo"],
                        address.start,
                        address.host_end,
                        address.host,
                    )
                )
        rest = (address.path + address.query)[:512]
        if len(rest) > 1:
            words = _WORD.findall(rest.lower() if rest.isascii() else plain(rest))
            if not self._said.isdisjoint(words):
                word = next(each for each in words if each in self._said)
                findings.append(
                    Finding("brand_in_path", _WEIGHTS["brand_in_path"], address.host_end, address.end, word)
                )
        return findings

    def _in_label(self, label: str) -> tuple[str, str] | None:
        """The strongest way in which a label pretends to be a name, and that name; it may be the whole of it."""
        tokens = _SEPARATORS.split(label) if "-" in label or "_" in label else [label]
        joined = "".join(tokens) if len(tokens) > 1 else label
        if joined in self._whole:
            return "brand_other_ending", joined
        for token in tokens:
            if token in self._whole:
                return "brand_in_host", token
        found = self._parts.find(joined)
        if found is None or found[0] == "brand_typo":
            found = self._in_skeleton(joined, tokens) or found or self._slipped(joined, tokens)
            found = found or self._scrambled(tokens)
        return None if found is None or self._is_ordinary(label) else found

    def _slipped(self, joined: str, tokens: list[str]) -> tuple[str, str] | None:
        """The name that a label, or a word of it, is one slip away from."""
        for each in (joined, *tokens):
            if each in self._typos:
                return "brand_typo", self._typos[each]
        return None

    def _in_skeleton(self, joined: str, tokens: list[str]) -> tuple[str, str] | None:
        """The name that digits and letter pairs imitate."""
        folded = skeleton(joined)
        if folded == joined:
            return None
        whole = self._skeletons.get(folded)
        if whole is None and len(tokens) > 1:
            parts = (self._skeletons.get(skeleton(token)) for token in tokens if token not in self._ordinary)
            whole = next(filter(None, parts), None)
        return self._disguised.find(folded) if whole is None else ("brand_homograph", whole)

    def _scrambled(self, tokens: list[str]) -> tuple[str, str] | None:
        """The name whose letters a token shuffles; its first letter stays, or nobody would read it as the name."""
        for token in tokens:
            if len(token) >= SLIP_MIN and token[0] in self._openings and token not in self._ordinary:
                name = self._shapes.get(shape(token))
                if name is not None and skeleton(token[0]) == skeleton(name[0]):
                    return "brand_scrambled", name
        return None

    def _is_ordinary(self, label: str) -> bool:
        """Whether a label is made of ordinary words alone."""
        return all(word in self._ordinary or word.isdigit() for word in _WORD.findall(label))

    def _embedded(self, address: Address, given: list[str], own: int) -> Iterator[Finding]:
        """The shop's address, or an ending of two parts, before the real ending."""
        for size in range(min(own - 1, EMBEDDED_MAX), 1, -1):
            for first in range(own - size):
                inner = ".".join(given[first : first + size])
                code = "official_inside" if inner in self._domains else ""
                if not code and size == ENDING_LABELS and _is_real_ending(inner) and is_public_suffix(inner):
                    code = "embedded_suffix"
                if code:
                    start, _ = _span_of(address, given, first)
                    yield Finding(code, _WEIGHTS[code], start, address.host_end, inner)
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
    near = [slip for slip in _slips(whole) if _keeps(slip, whole)] if len(whole) >= SHAPE_SLIP_MIN else []
    return {each: name for each in (whole, *near) if each[:1] == whole[:1] and len(each) >= SHAPE_MIN}


def _keeps(slip: str, whole: str) -> bool:
    """Whether a slip of a shape leaves enough of the name's consonants."""
    consonants, left = whole.replace("a", ""), slip.replace("a", "")
    return len(consonants) > CONSONANTS_FEW or left == consonants or len(left) > len(consonants)


def _span_of(address: Address, given: list[str], position: int) -> tuple[int, int]:
    """Where a label stands; the whole host where it was written in another way."""
    width = address.host_end - address.host_start
    if width != len(address.host):
        return address.host_start, address.host_end
    start = address.host_start + sum(len(each) + 1 for each in given[:position])
    return start, start + len(given[position])
