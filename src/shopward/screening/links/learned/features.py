"""What the learned part sees of a link: short pieces of its text and a few words of it, and numbers about both.

Promise: pure; the same link gives the same for ever under one ``SCHEMA``. What is seen of the host never speaks of the path,
so that a bare host and a full link have the same host part; what is seen of the path speaks of what follows alone, and of what
the host already said. All numbers are whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.screening.links.address import Address

SCHEMA: Final = "links/4"
SIZE: Final = 4
"""Length of the pieces; three, four and five together find no more of held-out fraud and cost twice the time."""
HOST_MAX: Final = 80
PATH_MAX: Final = 64
"""Characters that are cut into pieces; what follows counts in the numbers alone."""
HOST_COLUMNS: Final = (
    "total", "pieces", "named", "ending", "highest", "lowest", "pieces_known", "named_known", "own_size", "name_size",
    "sub_size", "labels", "hyphens", "digits", "vowels", "run", "distinct", "suffix_size", "suffix_labels", "sound",
    "sub_digits", "punycode", "kind", "ending_odds",
)  # fmt: skip
PATH_COLUMNS: Final = (
    "before", "total", "pieces", "named", "file", "highest", "lowest", "pieces_known", "named_known", "size", "depth",
    "query_size", "fields", "digits", "capitals", "escapes", "longest", "words", "ending_odds",
    "oddest", "plainest", "host_size", "host_dots", "suffix_size",
)  # fmt: skip
_WORDS: Final = re.compile(r"[a-z]{2,}")
_CLASSES: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz0123456789", "vcccvcccvcccccvcccccvccccc0000000000"
)
_CONSONANTS: Final = str.maketrans(dict.fromkeys("aeiouy0123456789-_.", " "))
_FILE: Final = re.compile(r"\.([a-z0-9]{2,5})$")
HOST_WORDS: Final = 8
SUB_LABELS: Final = 6
PATH_WORDS: Final = 16
"""So many words of a host, labels before its name, and words of a path count."""
REST_MAX: Final = 200
"""Characters of which capitals and words are counted."""
HEARD_MIN: Final = 3
"""Letters of a word of a path whose sound counts."""
KINDS: Final = {"name": 0, "ipv4": 1, "ipv6": 2}
_NO_FILE: Final = "p.file=-"
UNHEARD: Final = -900
"""Of three letters that no word has in a row, in hundredths of a logarithm."""


class Part(NamedTuple):
    """The words of one part of a link; a model weighs them.

    Attributes:
        pieces: of its text, in order.
        named: words that begin with what they are, as ``sub=www``; the first is the ending, or the kind of file.
    """

    pieces: list[str]
    named: list[str]


class Host(NamedTuple):
    """What all of a host's part depends on.

    Attributes:
        kind: of the address.
        own: what stands before the public suffix, as a browser shows it, with its last ``HOST_MAX`` characters.
        suffix: the public suffix.
    """

    kind: str
    own: str
    suffix: str


def host_of(kind: str, shown: str, suffix: str) -> Host:
    """What is seen of a host: of ``Address.kind``, ``shown`` and ``suffix``."""
    shown = shown[-HOST_MAX:]
    return Host(kind, shown[: -len(suffix) - 1] if suffix and len(suffix) < len(shown) else shown, suffix)


def host_words(host: Host) -> Part:
    """The words of a host."""
    sub = host.own.rpartition(".")[0]
    named = ["ending=" + host.suffix, *["word=" + word for word in _WORDS.findall(host.own)[:HOST_WORDS]]]
    if sub:
        named += ["sub=" + label for label in sub.split(".")[:SUB_LABELS]]
    return Part(_pieces("^" + host.own + "$"), named)


def has_path(address: Address) -> bool:
    """Whether anything follows the host."""
    return bool(address.query) or len(address.path) > 1


def path_words(address: Address) -> Part:
    """The words of what follows the host; both empty where nothing does."""
    if not has_path(address):
        return Part([], [])
    rest = (address.path + address.query)[:PATH_MAX].lower()
    tail = _FILE.search(address.path.lower())
    named = [f"p.file={tail[1]}" if tail else _NO_FILE]
    named += ["p.word=" + word for word in dict.fromkeys(_WORDS.findall(rest)[:PATH_WORDS])]
    return Part(_pieces(rest + "$"), named)


def host_row(
    host: Host, part: Part, weights: Mapping[str, int], endings: Mapping[str, int], sounds: Mapping[str, int]
) -> list[int]:
    """The numbers of a host, as ``HOST_COLUMNS`` names them.

    Args:
        host: seen.
        part: its words.
        weights: of words, in hundredths of a logit.
        endings: how much oftener than others an ending is used for fraud, in hundredths of a logit.
        sounds: how common three letters in a row are in words, in hundredths of a logarithm.
    """
    own, suffix = host.own, host.suffix
    sub, _, name = own.rpartition(".")
    pieces, named = _weighed(part.pieces, weights), _weighed(part.named, weights)
    of_pieces, of_named = sum(pieces), sum(named)
    classes = name.translate(_CLASSES)
    return [
        of_pieces + of_named, of_pieces, of_named, weights.get(part.named[0], 0),
        max(pieces, default=0), min(pieces, default=0),
        100 * len(pieces) // max(1, len(part.pieces)), 100 * len(named) // len(part.named),
        len(own), len(name), len(sub), own.count("."), own.count("-"), classes.count("0"),
        100 * classes.count("v") // max(1, len(name)),
        max(map(len, name.translate(_CONSONANTS).split()), default=0), len(set(name)),
        len(suffix), suffix.count("."), _sound(name, sounds),
        sum(map(sub.count, "0123456789")) if sub else 0, int("xn--" in name or not name.isascii()), KINDS.get(host.kind, 0),
        endings.get(suffix, 0),
    ]  # fmt: skip


def path_row(
    address: Address,
    part: Part,
    before: int,
    weights: Mapping[str, int],
    endings: Mapping[str, int],
    sounds: Mapping[str, int],
) -> list[int]:
    """The numbers of what follows a host, as ``PATH_COLUMNS`` names them; ``before`` is what the host's trees said.

    The size of the host stands among them, since what is ordinary below a short name is not below a long one.
    """
    path, query = address.path, address.query
    rest = path + query
    pieces, named = _weighed(part.pieces, weights), _weighed(part.named, weights)
    of_pieces, of_named = sum(pieces), sum(named)
    words = _WORDS.findall(rest[:REST_MAX].lower())
    heard = [_sound(word, sounds) for word in words if len(word) >= HEARD_MIN]
    return [
        before, of_pieces + of_named, of_pieces, of_named, weights.get(part.named[0], 0),
        max(pieces, default=0), min(pieces, default=0),
        100 * len(pieces) // max(1, len(part.pieces)), 100 * len(named) // len(part.named),
        len(path), path.count("/"), len(query), query.count("="), sum(map(rest.count, "0123456789")),
        sum(map(str.isupper, rest[:REST_MAX])), rest.count("%"), max(map(len, words), default=0), len(words),
        endings.get(address.suffix, 0), min(heard, default=0), max(heard, default=0),
        len(address.host), address.host.count("."), len(address.suffix),
    ]  # fmt: skip


def _sound(word: str, sounds: Mapping[str, int]) -> int:
    """How common three letters of a word in a row are, on average."""
    letters = "^^" + word + "$"
    heard = [sounds.get(letters[at : at + 3], UNHEARD) for at in range(len(letters) - 2)]
    return sum(heard) // len(heard)


def _weighed(words: Sequence[str], weights: Mapping[str, int]) -> list[int]:
    """The weights of the words that have one; none is zero."""
    return [weight for weight in map(weights.get, words) if weight]


def _pieces(text: str) -> list[str]:
    return [text[at : at + SIZE] for at in range(len(text) - SIZE + 1)]
