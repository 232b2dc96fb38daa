"""Which records leaked rows are, under a keyed index.

Promise: values are compared as keyed hashes of their plain form, so an index can be built and asked without values in
clear in a store. A row is a record where a value that is one person's alone agrees (phone, mail, waybill, order id), or two
others do; where two records fit as well, it is left unmatched. Order, case, punctuation and missing fields do not matter.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN: Final = frozenset(("id", "phone", "email", "waybill"))
"""Fields whose value is one record's or one person's alone."""
_SHARED_RECORDS_MAX: Final = 200
"""A value that more records share says too little to be followed."""
_STREET_WORDS: Final = re.compile(r"\b(?:jalan|jln|jl|gang|gg|no|nomor|rt|rw)\b")
_NOT_WORD: Final = re.compile(r"[\W_]+")
_LEADING_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")


class Matched(NamedTuple):
    """A row and the record that it is; ``fields`` are those that agreed."""

    record: str
    fields: frozenset[str]


def normalised(field: str, value: str) -> str:
    """A value without what people write differently."""
    text = unicodedata.normalize("NFKC", value).casefold()
    if field == "phone":
        digits = "".join([letter for letter in text if letter.isdigit()])
        return re.sub(r"^(?:0062|62|0086|86|0)(?=\d{8})", "", digits)
    if field == "email":
        return text.strip()
    if field == "address":
        text = _LEADING_ZEROS.sub("", _STREET_WORDS.sub(" ", text.replace(".", " ")))
    return _NOT_WORD.sub("", text)


class Matcher:
    """An index of records; holds hashes and record ids alone.

    Args:
        key: secret bytes of this index.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._records: dict[bytes, list[str]] = {}

    def add(self, record: str, fields: Mapping[str, str]) -> None:
        """A record, or another version of one."""
        for token in self._tokens(fields).values():
            known = self._records.setdefault(token, [])
            if record not in known[-1:]:
                known.append(record)

    def match(self, row: Mapping[str, str]) -> Matched | None:
        """The record that a row is, if one fits best."""
        agreed: dict[str, set[str]] = {}
        for field, token in self._tokens(row).items():
            records = self._records.get(token, ())
            if len(records) <= _SHARED_RECORDS_MAX:
                for record in records:
                    agreed.setdefault(record, set()).add(field)
        weights = Counter({record: sum(2 if field in OWN else 1 for field in fields) for record, fields in agreed.items()})  # fmt: skip
        best = weights.most_common(2)
        if not best or best[0][1] < 2 or (len(best) == 2 and best[0][1] == best[1][1]):
            return None
        return Matched(best[0][0], frozenset(agreed[best[0][0]]))

    def match_all(self, rows: Iterable[Mapping[str, str]]) -> list[Matched | None]:
        """Each row's record."""
        return [self.match(row) for row in rows]

    def _tokens(self, fields: Mapping[str, str]) -> dict[str, bytes]:
        tokens = {}
        for field, value in fields.items():
            if len(plain := normalised(field, value)) >= 3 and "*" not in value:
                message = field.encode() + b"\0" + plain.encode()
                tokens[field] = hmac.digest(self._key, message, hashlib.sha256)[:12]
        return tokens
