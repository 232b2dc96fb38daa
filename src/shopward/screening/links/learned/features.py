"""What the learned part sees of a link: short pieces of its text, and named features, as words.

Promise: pure; the same link gives the same words for ever under one ``SCHEMA``. The host's words never speak of the path, so
that a bare host and a full link have the same host part; the path's words speak of what follows alone. The public suffix
stands in words of its own, crossed with the shape of the name: a random name under ``.cn`` is not one under ``.org``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shopward.screening.links.address import Address

SCHEMA: Final = "links/2"
SIZE: Final = 4
"""Length of the pieces; three, four and five together find no more of held-out fraud and cost twice the time."""
HOST_MAX: Final = 80
PATH_MAX: Final = 64
"""Characters that are cut into pieces; what follows counts in the named features alone."""
_DIGITS: Final = re.compile(r"\d")
_RUNS: Final = (re.compile(r"\d+"), re.compile(r"[a-z]+"))
_WORDS: Final = re.compile(r"[a-z]{2,}")
_CLASSES: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz0123456789", "vcccvcccvcccccvcccccvccccc0000000000"
)
_CONSONANTS: Final = str.maketrans(dict.fromkeys("aeiouy0123456789-_.", " "))
_FILE: Final = re.compile(r"\.([a-z0-9]{2,5})$")


def host_words(address: Address) -> tuple[list[str], list[str]]:
    """Pieces and named features of a host; the second begin with what they are, as ``name=value``."""
    return words_of_host(address.kind, address.shown, address.suffix)


def words_of_host(kind: str, shown: str, suffix: str) -> tuple[list[str], list[str]]:
    """``host_words`` of what alone it depends on."""
    shown = shown[-HOST_MAX:]
    own = shown[: -len(suffix) - 1] if suffix and len(suffix) < len(shown) else shown
    sub, _, name = own.rpartition(".")
    return _pieces("^" + own + "$"), _named(kind, suffix, own, sub, name)


def path_words(address: Address) -> tuple[list[str], list[str]]:
    """Pieces and named features of what follows the host; both empty where nothing does."""
    path, query = address.path, address.query
    if path in ("/", "") and not query:
        return [], []
    rest = (path + query)[:PATH_MAX].lower()
    tail = _FILE.search(path.lower())
    depth = min(path.count("/"), 8)
    digits = len(_DIGITS.findall(rest))
    named = [
        f"p.depth={depth}",
        f"p.size={min(len(path), 200) // 8}",
        f"p.query={min(len(query), 200) // 10}",
        f"p.fields={min(query.count('='), 8)}",
        f"p.file={tail[1] if tail else '-'}",
        f"p.digits={min(digits, 20) // 2}",
        f"p.ending={address.suffix},{depth}",
        f"p.shape={_shape(rest[:24])}",
        f"p.case={path != path.lower()}",
        f"p.escapes={min((path + query).count('%'), 6)}",
    ]
    named += [f"p.word={word}" for word in dict.fromkeys(_WORDS.findall(rest)[:16])]
    return _pieces(rest + "$"), named


def _named(kind: str, suffix: str, own: str, sub: str, name: str) -> list[str]:
    classes, shape = name.translate(_CLASSES), _shape(name)
    size = min(len(name), 25)
    half = min(size, 15) // 2
    digits = min(classes.count("0"), 6)
    vowels = 5 * classes.count("v") // max(1, len(name))
    hyphens, labels = min(own.count("-"), 5), min(own.count("."), 5)
    run = min(max(map(len, name.translate(_CONSONANTS).split()), default=0), 7)
    letters = min(len(set(name)), 12)
    named = [
        f"ending={suffix}", f"kind={kind}", f"letters={min(size, 16)},{letters}", f"host={min(len(own), 60) // 3}",
        f"shape={shape}", f"shape.{suffix}={shape}", f"classes={classes[:12]}", f"sub.size={min(len(sub), 36) // 3}",
        f"digits,size={digits},{half}", f"vowels,size={vowels},{half}", f"labels,size={labels},{half}",
        f"run,size={run},{half}", f"size.{suffix}={size}", f"digits.{suffix}={digits}", f"vowels.{suffix}={vowels}",
        f"hyphens.{suffix}={hyphens}", f"labels.{suffix}={labels}", f"run.{suffix}={run}",
        f"digits,size.{suffix}={digits},{half}", f"vowels,size.{suffix}={vowels},{half}",
        f"labels,size.{suffix}={labels},{half}", f"run,size.{suffix}={run},{half}",
    ]  # fmt: skip
    named += ["word=" + word for word in _WORDS.findall(own)[:8]]
    if sub:
        for label in sub.split(".")[:6]:
            named += [f"sub={label}", f"sub.{suffix}={label}"]
    return named


def _pieces(text: str) -> list[str]:
    return [text[at : at + SIZE] for at in range(len(text) - SIZE + 1)]


def _shape(text: str) -> str:
    """A text with each run of digits as 0 and each run of letters as a."""
    return _RUNS[1].sub("a", _RUNS[0].sub("0", text))[:12]
