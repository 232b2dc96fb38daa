"""Units: what of a stream was fraud, genuine or too young to tell, by the labels that stand in it.

Promise: memory is some 30 bytes an event, and some 80 more while the end is told; ids and transactions are 64-bit
hashes, and two of ten million share one with a chance of about one in 400,000. Nothing else is approximate.

How labels count:
- the unit is a transaction where the event has one (``attempted`` and ``succeeded`` are one try), else the event;
- a label names its event by id, and every event of that event's transaction with it, or by transaction alone;
- a label is known only from its own place in the stream on; what stands there at the stream's end is what is known,
  and the last word on a unit wins;
- a unit without a label counts as genuine once it is older than the label delay at the end; a younger one is unknown
  and counts in neither precision nor recall.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from shopward.events.catalogue import EVENT_TYPES
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from shopward.events import Facts

TYPE_CODES: Final = {name: code for code, name in enumerate(EVENT_TYPES)}


class Units:
    """The events of a period in columns, and the labels of the whole stream."""

    def __init__(self) -> None:
        self.units, self.types, self.at_s = array("q"), array("B"), array("I")
        self._ids, self._transactions = array("q"), array("q")
        self._event_words: dict[int, int] = {}
        self._transaction_words: dict[int, int] = {}
        self._words = 0

    def add(self, facts: Facts) -> int:
        """Keep an event; its row."""
        row = len(self._ids)
        event_id, of = hash(facts.id), facts.transaction
        transaction = hash(of) if of else 0
        self._ids.append(event_id)
        self._transactions.append(transaction)
        self.units.append(hash((facts.type, transaction)) if transaction else event_id)
        self.types.append(TYPE_CODES[facts.type])
        self.at_s.append(facts.at_ms // SECOND_MS if facts.at_ms > 0 else 0)
        return row

    def label(self, *, event_id: str, transaction: str, is_fraud: bool) -> None:
        """Keep a label, by event, by transaction's token, or both; a later one has the last word."""
        self._words += 1
        word = self._words if is_fraud else -self._words
        if event_id:
            self._event_words[hash(event_id)] = word
        if transaction:
            self._transaction_words[hash(transaction)] = word

    def known(self, *, at_ms: int, delay_ms: int) -> Known:
        """What is known of every unit at a time."""
        is_fraud: dict[int, bool] = {}
        types_of_fraud: dict[int, int] = {}
        young: set[int] = set()
        mature_s = (at_ms - delay_ms) // SECOND_MS
        rows = zip(self._ids, self._transactions, self.units, self.at_s, self.types, strict=True)
        for event_id, transaction, unit, at_s, type_code in rows:
            word = self._event_words.get(event_id, 0)
            if transaction:
                word = max(word, self._transaction_words.get(transaction, 0), key=abs)
            if word:
                is_fraud[unit] = word > 0
                if word > 0:
                    types_of_fraud[unit] = type_code
            elif at_s > mature_s:
                young.add(unit)
        return Known(is_fraud, types_of_fraud, young - is_fraud.keys())


class Known:
    """What is known of units: a label, or no label for long enough, or nothing yet."""

    def __init__(self, is_fraud: dict[int, bool], types_of_fraud: dict[int, int], young: set[int]) -> None:
        self._is_fraud = is_fraud
        self._types_of_fraud = types_of_fraud
        self._young = young

    def counts(self, units: Iterable[int]) -> tuple[int, int, int]:
        """Fraud, genuine and unknown among some units, each counted once."""
        different = set(units)
        fraud = sum(self._is_fraud.get(unit, False) for unit in different)
        unknown = len(different & self._young)
        return fraud, len(different) - fraud - unknown, unknown

    def is_genuine(self, unit: int) -> bool:
        """Whether a unit was no fraud as far as is known: it is labelled so, or nobody labelled it for long enough."""
        return unit not in self._young and not self._is_fraud.get(unit, False)

    def frauds_of(self, types: Collection[str]) -> int:
        """Fraud units of these event types; of all where empty."""
        codes = {TYPE_CODES[name] for name in types}
        return sum(1 for code in self._types_of_fraud.values() if not codes or code in codes)
