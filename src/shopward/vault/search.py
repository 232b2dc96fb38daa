"""Blind indexes: finding a record by a value without keeping the value (keyed HMAC, RFC 2104).

Promise: an index value is HMAC-SHA256 under a key of its own for tenant, field, transform and version, cut to the width that
the field declares, so that equal values of two fields do not match. Without the index key it tells nothing. With it every
guess can be tested: all telephone numbers of a country in about half an hour of one core, so the key weighs as much as the
values, and is wrapped by the root like the others.

What the store still shows to who reads it without a key: how many records share a value of one field. ``leakage`` says what
that is worth for a field before it is switched on. Order is never kept, and n-grams only where somebody asked for them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from shopward.errors import InvalidField
from shopward.keyring import derived
from shopward.vault.kinds import KINDS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

NGRAM_FIELDS: Final = frozenset({"name", "street"})
"""What n-grams may be kept of, where somebody switches them on."""
_BITS: Final = {
    ("email", "exact"): 64, ("order_id", "exact"): 64, ("waybill", "exact"): 64, ("wechat", "exact"): 64,
    ("case_id", "exact"): 64, ("phone", "exact"): 32, ("number", "exact"): 32, ("name", "exact"): 32,
    ("phone", "last4"): 16,
}  # fmt: skip
_NGRAM_BITS: Final = 24
_HAN_RUN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]+")
_NO_DIGIT: Final = re.compile(r"\D+")
_PLAIN_NO_DIGIT: Final = bytes(each for each in range(128) if not 0x30 <= each <= 0x39)
_INDONESIAN: Final = re.compile(r"0?8\d{7,12}")
_CHINESE: Final = re.compile(r"1[3-9]\d{9}")
_WITH_COUNTRY: Final = re.compile(r"62\d{8,13}|861[3-9]\d{9}")
_UNSEEN: Final = re.compile("[\u200b-\u200f\u2060\ufeff]")
_HMAC_PER_S: Final = 5.1e6
"""Guesses a second on one core, measured with OpenSSL."""
_PHONES: Final = 1e10


def index_name(kind: str, field: str, transform: str) -> str:
    """What an index is called."""
    return f"{kind}.{field}.{transform}"


_NAMES: Final = {
    kind: tuple(
        (field, transform, index_name(kind, field, transform))
        for field, spec in each.fields.items()
        for transform in (*spec.search, *(("ngram",) if field in NGRAM_FIELDS else ()))
    )
    for kind, each in KINDS.items()
}
"""Of each kind what it can be found by: field, transform and index."""
KEPT: Final = tuple(
    name for each in _NAMES.values() for _field, transform, name in each if transform == "exact"
)
"""The indexes whose rows outlive a correction, to tell a leaked old value (``vault.past``)."""
EXACT: Final = {
    field: tuple(
        name for each in _NAMES.values() for one, _transform, name in each if one == field and name in KEPT
    )
    for each in _NAMES.values()
    for field, transform, _name in each
    if transform == "exact"
}
"""Of each field that can be found exactly, its indexes in all kinds of records."""


def normalised(field: str, value: str, region: str = "") -> str:
    """A value as it is compared: written one way, whoever typed it."""
    text = (value if value.isascii() else _UNSEEN.sub("", unicodedata.normalize("NFKC", value))).strip()
    if field == "phone":
        return phone(text, region)
    if field in {"number", "waybill"}:
        return re.sub(r"[\s.-]", "", text).upper()
    return " ".join(text.casefold().split())


def phone(text: str, region: str = "") -> str:
    """A telephone number as ``+`` and digits where its country can be told, else its digits (ITU-T E.164)."""
    digits = _digits(text)
    if text.startswith("+"):
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    if _INDONESIAN.fullmatch(digits) and region != "CN":
        return "+62" + digits.lstrip("0")
    if _CHINESE.fullmatch(digits) and region != "ID":
        return "+86" + digits
    if _WITH_COUNTRY.fullmatch(digits):
        return "+" + digits
    return digits


def _digits(text: str) -> str:
    """The digits of a text, without an engine for patterns where it is plain."""
    if text.isascii():
        return text.encode().translate(None, _PLAIN_NO_DIGIT).decode()
    return _NO_DIGIT.sub("", text)


def terms(field: str, transform: str, value: str, region: str = "") -> tuple[str, ...]:
    """What a value is found by; several for n-grams, none where there is nothing to find it by."""
    return _terms_of(normalised(field, value, region), transform)


def _terms_of(text: str, transform: str) -> tuple[str, ...]:
    """What a normalised value is found by."""
    if transform == "exact":
        return (text,) if text else ()
    if transform == "last4":
        digits = _digits(text)
        return (digits[-4:],) if len(digits) >= 4 else ()
    return tuple(dict.fromkeys(_ngrams(text)))


def matches(field: str, transform: str, value: str, asked: str, region: str = "") -> bool:
    """Whether a value is what was asked for, and no neighbour with the same short index."""
    if transform == "exact":
        return normalised(field, value, region) == normalised(field, asked, region)
    if transform == "last4":
        return terms(field, transform, value, region) == terms(field, transform, asked)
    return normalised(field, asked) in normalised(field, value)


def check_asked(kind: str, field: str, transform: str, value: str) -> None:
    """Raise ``InvalidField`` where a record cannot be looked for like this."""
    spec = KINDS[kind].fields.get(field) if kind in KINDS else None
    known = spec is not None and (
        transform in spec.search or (transform == "ngram" and field in NGRAM_FIELDS)
    )
    if not known:
        raise InvalidField(
            "no such index", path="field", expected="a field and a transform that are kept", found="another"
        )
    if transform == "ngram" and not _long_enough(normalised(field, value)):
        raise InvalidField(
            "too short to look for a part", path="value", expected="two Han characters or four others"
        )
    if not terms(field, transform, value):
        raise InvalidField("nothing to look for", path="value", expected="a value of this field")


class IndexKey:
    """Makes the index values of one tenant and key version.

    Args:
        key: 32 secret bytes.
        version: of that key.
    """

    def __init__(self, key: bytes, version: int) -> None:
        self._key = key
        self._states: dict[str, tuple[HMAC, int]] = {}
        self._found_by: dict[str, list[tuple[str, str, str, HMAC, int]]] = {}
        self.version = version

    def value(self, name: str, term: str) -> bytes:
        """The index value of a term."""
        return _cut(*self._state(name), term)

    def rows(
        self, kind: str, values: Mapping[str, str], region: str, ngrams: frozenset[str]
    ) -> list[tuple[str, bytes]]:
        """Name and value of everything that a record is found by, each once."""
        found: list[tuple[str, bytes]] = []
        last, text = "", ""  # a field with two transforms is normalised once
        for field, transform, name, state, size in self._found_by.get(kind) or self._of_kind(kind):
            value = values.get(field)
            if value:
                if field != last:
                    last, text = field, normalised(field, value, region)
                if transform == "exact":
                    if text:
                        found.append((name, _cut(state, size, text)))
                elif transform == "last4":
                    found += [(name, _cut(state, size, term)) for term in _terms_of(text, transform)]
                elif name in ngrams:
                    # So short an index gives two parts of a text one value now and then.
                    found += dict.fromkeys(
                        (name, _cut(state, size, term)) for term in _terms_of(text, transform)
                    )
        return found

    def _of_kind(self, kind: str) -> list[tuple[str, str, str, HMAC, int]]:
        """By what records of a kind are found, with what makes the values."""
        made = [(field, transform, name, *self._state(name)) for field, transform, name in _NAMES[kind]]
        self._found_by[kind] = made
        return made

    def _state(self, name: str) -> tuple[HMAC, int]:
        """The keyed state of an index, kept since making it costs more than using it, and the bytes of its values."""
        kept = self._states.get(name)
        if kept is None:
            _kind, field, transform = name.split(".")
            bits = _NGRAM_BITS if transform == "ngram" else _BITS[field, transform]
            state = HMAC(derived(self._key, b"shopward index " + name.encode()), SHA256())
            kept = self._states[name] = (state, bits // 8)
        return kept


def _cut(state: HMAC, size: int, term: str) -> bytes:
    """The index value of a term: so many bytes of its HMAC."""
    one = state.copy()
    one.update(term.encode())
    return one.finalize()[:size]


class Leakage(NamedTuple):
    """What an index would show to who has the store and no key.

    Attributes:
        rows: how many rows the index has.
        values: how many different ones.
        largest: how many records share the most frequent one.
        unique_share: the share of rows that nobody else has the like of.
        entropy_bits: of the frequencies (Shannon); an attacker who knows how frequent values are in public matches on these.
        guess_minutes: to try every value of the domain where the index key is stolen too; 0 where the domain is open.
    """

    rows: int
    values: int
    largest: int
    unique_share: float
    entropy_bits: float
    guess_minutes: float


def leakage(field: str, transform: str, counts: Counter[bytes]) -> Leakage:
    """What an index with these frequencies shows."""
    rows = sum(counts.values())
    entropy = -sum(n / rows * math.log2(n / rows) for n in counts.values()) if rows else 0.0
    alone = sum(1 for n in counts.values() if n == 1)
    domain = {"last4": 1e4}.get(transform, _PHONES if field == "phone" else 0.0)
    return Leakage(
        rows, len(counts), max(counts.values(), default=0), round(alone / rows, 4) if rows else 0.0,
        round(entropy, 2), round(domain / _HMAC_PER_S / 60, 2),
    )  # fmt: skip


def _ngrams(text: str) -> list[str]:
    """Pairs of Han characters, and threes of other letters within words."""
    pairs = [run[at : at + 2] for run in _HAN_RUN.findall(text) for at in range(len(run) - 1)]
    words = re.findall(r"[^\W_]+", _HAN_RUN.sub(" ", text))
    return pairs + [word[at : at + 3] for word in words for at in range(len(word) - 2)]


def _long_enough(text: str) -> bool:
    han = sum(map(len, _HAN_RUN.findall(text)))
    return han >= 2 or len(re.sub(r"\W", "", text)) - han >= 4
