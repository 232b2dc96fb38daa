"""The learned model in machine code (``onepass``), for many links. Needs the extra ``fast`` (numba, numpy).

Promise: every score and every share of a group equals the plain ``Reader``'s, to the unit (``tests/screening/test_compiled.py``
holds one against the other on random links). A text that is not ASCII is read in plain Python, and so is a bundle in which two
words have one key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shopward.screening.hashing import START, table_of, word_key
from shopward.screening.links.address import read_address
from shopward.screening.links.learned.features import KINDS, SIZE, has_path, host_of
from shopward.screening.links.learned.model import Reader, Seen
from shopward.screening.links.learned.onepass import PIECE_BIT, SOUND_BIT, host_seen, path_score
from shopward.screening.links.learned.trees import LEAVES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shopward.screening.links.address import Address
    from shopward.screening.links.learned.features import Host
    from shopward.screening.links.learned.model import Half, LinkModel
    from shopward.screening.links.learned.trees import Trees

WORD: Final = 8
"""Bytes of a word; of what is left of the trees each has one."""
_ANY: Final = read_address("https://a.example/b?c")
_NO_ROW: Final[list[int]] = []


class CompiledReader(Reader):
    """Reads links by a model, in machine code. Raises ``ModelInvalid`` as ``Reader`` does.

    Args:
        model: of a bundle.
    """

    def __init__(self, model: LinkModel) -> None:
        super().__init__(model)
        self._host = _words_of(model.host, model.sounds, self.host_trees)
        self._path = _words_of(model.path, model.sounds, self.path_trees)
        self.path(
            _ANY, self.host(host_of(_ANY.kind, _ANY.shown, _ANY.suffix)).score
        )  # compiles now, not with the first link

    def host(self, host: Host) -> Seen:
        """What speaks against a host."""
        own, suffix, half = host.own, host.suffix, self.model.host
        if self._host is None or not own.isascii():
            return super().host(host)
        score, *moved = host_seen(
            f"^{own}$".encode(), half.weights.get("ending=" + suffix, 0), half.endings.get(suffix, 0),
            len(suffix), suffix.count("."), KINDS.get(host.kind, 0), self._host,
        )  # fmt: skip
        return Seen(score, tuple(moved), _NO_ROW)

    def path(self, address: Address, before: int) -> int:
        """What the path of a link adds to what its host scored, in hundredths of a logit."""
        if self._path is None or not (address.path + address.query).isascii() or not has_path(address):
            return super().path(address, before)
        odds = self.model.path.endings.get(address.suffix, 0)
        host = address.host
        added: int = path_score(
            address.path.encode(), address.query.encode(), before, odds, len(host), host.count("."), len(address.suffix),
            self._path,
        )  # fmt: skip
        return added


def _words_of(half: Half, sounds: Mapping[str, int], trees: Trees) -> Any:
    """A half as one array, which is handed over at once; ``None`` where two words have one key."""
    weights: dict[int, int] = {}
    for key, weight in _keyed(half.weights, sounds):
        if key in weights:
            return None
        weights[key] = weight
    leaves = np.zeros((trees.size, LEAVES_MAX, 1 + len(trees.groups)), np.int64)
    for tree, of_tree in enumerate(trees.leaves):
        for number in range(LEAVES_MAX):
            leaf = of_tree[min(number, len(of_tree) - 1)]
            leaves[tree, number] = [leaf.value, *leaf.moved.values()]
    width = -(-trees.size // WORD)
    answers = b"".join(
        each.to_bytes(WORD * width, "little") for column in trees.columns for each in column.answers
    )
    parts: list[Any] = [
        table_of(weights), np.cumsum([0, *(len(column.thresholds) for column in trees.columns)]),
        np.array([each for column in trees.columns for each in column.thresholds], np.int64),  # even where nothing is asked
        np.frombuffer(answers, np.int64), leaves.ravel(),
    ]  # fmt: skip
    return np.concatenate([[len(part) for part in parts], *parts])


def _keyed(weights: Mapping[str, int], sounds: Mapping[str, int]) -> Iterable[tuple[int, int]]:
    """Keys and weights of what an ASCII text can hold; a string as long as a piece may be a word, too."""
    for word, weight in weights.items():
        text = word.encode()
        if word.isascii() and weight and len(text) == SIZE:
            yield int.from_bytes(text, "little") | int(PIECE_BIT), weight
        if word.isascii() and weight and (len(text) != SIZE or "=" in word):
            yield int(word_key(text, 0, len(text), START)), weight
    for letters, weight in sounds.items():
        if letters.isascii() and len(letters) == SIZE - 1:
            yield int.from_bytes(letters.encode(), "little") | int(SOUND_BIT), weight
