"""The program: a layout written down as numbers that the machine runs, and what Python has to do for it.

Promise: one ``Plan`` for each event type and status says which keys are looked up, which slots change and which features
are read along. Read along are the features that change with the event, and those that an earlier event of its kind asked
for: a plan learns them one by one, so that a policy need not say what it reads. Reading along changes nothing.

What the numbers mean stands in ``machine``, ``slots`` and ``tables``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shopward.risk.features.compiled import machine, slots, tables
from shopward.risk.features.compiled.fields import KIND, PLACE, SCORE, TRANSACTION, Fields, present
from shopward.risk.features.compiled.memory import FAMILIES
from shopward.risk.features.compiled.readings import reading_function, sum_expression
from shopward.risk.features.declare import FIELDS, SIGHTED, FeatureSpec
from shopward.risk.features.slots import condemned_until
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.features.layout import Asked, Layout
    from shopward.risk.features.slots import Place

_KINDS: Final = {
    "count": slots.COUNT, "sum": slots.SUM, "distinct": slots.DISTINCT, "known": slots.KNOWN, "last": slots.LAST,
    "distance_km": slots.PLACE, **dict.fromkeys(SIGHTED, slots.SIGHTED),
}  # fmt: skip
_READS: Final = {
    "count": slots.READ_COUNT, "sum": slots.READ_SUM, "distinct": slots.READ_DISTINCT, "known": slots.READ_KNOWN,
    "first_seen": slots.READ_FIRST_SEEN, "age": slots.READ_AGE, "last_seen": slots.READ_LAST_SEEN,
    "since": slots.READ_SINCE, "last": slots.READ_LAST, "distance_km": slots.READ_PLACE,
}  # fmt: skip
_CELLS: Final = {"sum": 2, "last": 3}
"""Words that a reading takes; one where it is not said."""
_RAW: Final = frozenset({"known", "last", "distance_km"})
"""Measures whose cells are not yet what the feature reads."""
_BEFORE: Final = frozenset({"last_seen", "since", "last", "distance_km"})
"""Measures that speak of the state before the event."""
_NARROW_WIDTH_MS: Final = 4_000
"""From this width on a pane's number fits the 35 bits that a count's entry has for it, until the year 9999."""
_MARKS_KEPT_MS: Final = 7 * DAY_MS


class Plan(NamedTuple):
    """What one kind of event does.

    Attributes:
        fill: ``fill(facts, buffer, at)`` writes a record.
        tokens: ``(field, attribute, word of its text or 0)`` of the tokens, for an event whose tokens are none.
        plain: features whose one cell is their reading, in the order of the cells.
        sums: ``(feature, cell)`` of those that take two cells.
        read: ``read(readings, cells)`` writes what the features read that need no more than their cells.
        raw: the first cell of the others that are read along.
        cells: how many cells the plan writes.
        untils: ``(word, until)`` for the condemnations that known pairs ask for.
        sources: ``(path, attribute)`` of the values that may be condemned there.
        earned: late bits of what good use makes known: by anybody, and by the customer alone.
        due: asks the filters of the other operations after the decision: late bits.
        has_late: whether there are any.
        has_marks: whether a transaction counts once in something here.
        number: where it stands in the program.
        has_filters: whether some filter is asked for each event.
    """

    fill: Callable[[Any, Any, int], None]
    tokens: tuple[tuple[int, str, int], ...]
    plain: tuple[int, ...]
    sums: tuple[tuple[int, int], ...]
    read: Callable[[dict[int, Any], list[int]], None]
    raw: dict[int, int]
    cells: int
    untils: tuple[tuple[int, Callable[[Any, Any], int]], ...]
    sources: tuple[tuple[str, str], ...]
    earned: tuple[int, int]
    due: Asked
    has_late: bool
    has_marks: bool
    number: int
    has_filters: bool


class Program:
    """The numbers of a layout.

    Args:
        layout: the compiled declarations.
        names: what the fillers of records name: ``code``, ``text`` and ``place``.

    Attributes:
        code: what the machine runs, at ``address``; grows with each plan.
        fields: where everything stands in a record.
        scratch_words: words before the first record.
        memory_words: words of an empty memory.
        idle: a plan without fields, families and late operations.
        kept_texts: the word of each field whose text is kept, by its path.
    """

    def __init__(self, layout: Layout, names: dict[str, Any]) -> None:
        self.layout = layout
        self.names = names
        self.owners = layout.owners()
        marked = [place[:2] for spec, place in self.owners if spec.measure in ("count", "sum")]
        self.marks = {place: position for position, place in enumerate(marked)}
        self.mark_words = len(marked) // machine.BITS_A_WORD + 1
        knowns = [place[:2] for spec, place in self.owners if spec.measure == "known"]
        texts = sorted(
            {spec.of for spec, _place in self.owners if spec.measure == "last" and not _is_number(spec.of)}
        )
        self.fields = Fields(
            _paths(layout),
            bits=len(self.owners),
            knowns=len(knowns),
            texts=len(texts),
            cells=sum(_CELLS.get(_measure(spec), 1) for spec in layout.features),
        )
        self.untils = {place: self.fields.untils_at + each for each, place in enumerate(knowns)}
        self.kept_texts = {path: self.fields.texts_at + 1 + each for each, path in enumerate(texts)}
        self.slots: dict[tuple[int, int], int] = {}
        families = len(layout.families) + 1
        self._widths = sorted({spec.width_ms for spec, _place in self.owners if spec.window})
        self._panes_at = machine.SCRATCH_WORDS + self.mark_words
        rows_at = self._panes_at + 3 * len(self._widths)
        self.scratch_words = rows_at + families * (1 + machine.AHEAD * machine.KEY_STRIDE)
        self.memory_words = FAMILIES + families * tables.TABLE_WORDS
        self.code: npt.NDArray[np.int64] = np.zeros(1 << 12, np.int64)
        self.address = self.code.ctypes.data
        self._end = machine.HEAD_WORDS
        head = {
            machine.FAMILIES_AT: self._put_families(),
            machine.MARK_FAMILY: families - 1,
            machine.MARK_WORDS: self.mark_words,
            machine.MARKS_AT: machine.SCRATCH_WORDS,
            machine.ROWS_AT: rows_at,
            machine.KEYS_AT: rows_at + families,
            machine.RECORDS_AT: self.scratch_words,
            machine.RECORD_WORDS: self.fields.words,
            machine.BITS_AT: self.fields.bits_at,
            machine.LATE_BITS_AT: self.fields.late_bits_at,
            machine.NUMBERS_AT: self.fields.numbers_at,
            machine.TEXT_AT: self.fields.text_at,
            machine.PANES_AT: self._panes_at,
            machine.PANES: len(self._widths),
            machine.KEYS_WORDS: families * machine.KEY_STRIDE,
        }
        for at, value in head.items():
            self.code[at] = value
        self.idle = self.put([0, 0, -1, 0, 0, 0])

    def plan(self, type_: str, status: str, wanted: frozenset[int]) -> Plan:
        """What an event of this type and status does, reading ``wanted`` features along."""
        return Draft(self, type_, status, wanted).plan()

    def probe(self, index: int) -> Plan:
        """A plan that changes nothing and reads one feature."""
        return Draft(self, "", "", frozenset({index})).probe()

    def put(self, words: list[int]) -> int:
        """Append words to the program; where they stand."""
        start, self._end = self._end, self._end + len(words)
        while self._end > len(self.code):
            self.code = np.concatenate([self.code, np.zeros_like(self.code)])
            self.address = self.code.ctypes.data
        self.code[start : self._end] = words
        return start

    def set_widths(self, io: npt.NDArray[np.int64]) -> None:
        """Write the widths of panes into fresh scratch; 0 is the start of pane 0 for each."""
        for each, width_ms in enumerate(self._widths):
            io[self._panes_at + 3 * each] = width_ms

    def text_slots(self) -> list[tuple[int, int]]:
        """Family and slot, as numbers of the code, of each slot that may hold a text."""
        first = int(self.code[machine.FAMILIES_AT])
        return [
            (first + tables.FAMILY_WORDS * place.family, self.slots[place[:2]])
            for spec, place in self.owners
            if spec.of in self.kept_texts and spec.measure == "last"
        ]

    def _put_families(self) -> int:
        """Describe every family and slot, and the family that remembers transactions behind them."""
        described: list[int] = []
        for number, family in enumerate(self.layout.families):
            parts = len(family.key) + family.per_currency
            owned = [(spec, place) for spec, place in self.owners if place.family == number]
            described += self._put_family(number, 2 * parts, [self._slot(*each) for each in owned], owned)
        marks = [slots.MARKS, 0, _MARKS_KEPT_MS, 1, 0, 0, 0, 0, 0]
        described += self._put_family(len(self.layout.families), 3, [(marks, 1 + self.mark_words)], [])
        return self.put(described)

    def _put_family(
        self,
        number: int,
        key_words: int,
        described: list[tuple[list[int], int]],
        owned: list[tuple[FeatureSpec, Place]],
    ) -> list[int]:
        words, numbers = key_words, []
        for slot, length in described:
            slot[slots.WORD] = words
            words += length
            numbers += slot
        first = self.put(numbers)
        for position, (_spec, place) in enumerate(owned):
            self.slots[place[:2]] = first + position * slots.SLOT_WORDS
        lifetime = min(
            max(slot[slots.WIDTH] * slot[slots.KEPT], slot[slots.KEEP]) for slot, _length in described
        )
        table = FAMILIES + number * tables.TABLE_WORDS
        return [table, max(words, 1), key_words, len(described), first, lifetime]

    def _slot(self, spec: FeatureSpec, place: Place) -> tuple[list[int], int]:
        """The description of a slot and its length in words."""
        kind = _KINDS[_measure(spec)]
        windowed = bool(spec.window)
        described = [
            kind,
            0,
            spec.width_ms if windowed else 1,
            place.structure.panes_kept if windowed else 0,
            0 if windowed else spec.keep_ms,
            spec.ripe_ms,
            self.untils.get(place[:2], 0),
            self.kept_texts.get(spec.of, self.fields.texts_at),
            self._panes_at + 3 * self._widths.index(spec.width_ms) + 2 if windowed else 0,
        ]
        return described, slots.WORDS_OF[kind]


class Draft:
    """A plan in the making."""

    def __init__(self, program: Program, type_: str, status: str, wanted: frozenset[int]) -> None:
        self._program = program
        self._layout = program.layout
        self._type, self._status = type_, status
        self._wanted = wanted
        self._names: dict[str, Any] = dict(program.names)
        self._guards: list[str] = []
        self._operations: dict[int, list[int]] = {}
        self._before: dict[int, list[int]] = {}
        self._after: dict[int, list[int]] = {}
        self._late: list[int] = []
        self._used: list[tuple[FeatureSpec, Place]] = []

    def plan(self) -> Plan:
        """The finished plan, put into the program."""
        for spec, place in self._program.owners:
            if spec.phase == "event":
                self._change(spec, place)
        changed = {place[:2] for _spec, place in self._used}
        return self._finished(changed, *self._settle())

    def probe(self) -> Plan:
        """A plan that only reads."""
        return self._finished(set(), (0, 0), [])

    def _finished(
        self,
        changed: set[tuple[int, int]],
        earned: tuple[int, int],
        late: list[tuple[str | bool, int]],
    ) -> Plan:
        plain, sums, values, raw, cells, known = self._read(changed)
        tokens, numbers = self._inputs()
        number = self._put(tokens, numbers)
        fields = self._program.fields
        known |= {place for spec, place in self._used if spec.measure == "known"}
        untils = tuple(
            (self._program.untils[place[:2]], condemned_until(self._layout.families[place.family].key, self._layout.condemnable))
            for place in sorted(known, key=lambda place: place[:2])
            if not self._layout.condemnable.isdisjoint(self._layout.families[place.family].key)
        )  # fmt: skip
        sources = {path for place in known for path in self._layout.families[place.family].key}
        sources &= self._layout.condemnable
        return Plan(
            fields.filler(
                number,
                [FIELDS[path].attribute for path in tokens],
                [expression for _target, expression in numbers if expression],
                self._guards,
                self._names,
            ),
            tuple(
                (fields.at[path], FIELDS[path].attribute, self._program.kept_texts.get(path, 0))
                for path in tokens
            ),
            plain,
            sums,
            reading_function(values),
            raw,
            cells,
            untils,
            tuple((path, FIELDS[path].attribute) for path in sorted(sources)),
            earned,
            self._layout.filters.asked(late),
            bool(late),
            any(spec.measure in ("count", "sum") for spec, _place in self._used),
            number,
            bool(self._guards),
        )

    def _change(self, spec: FeatureSpec, place: Place) -> None:
        """One operation before the decision, where its filter can let it through."""
        test = self._layout.filters.event_filter(spec, self._type, self._status)
        if test is False:
            return
        bit = -1
        if test is not True:
            bit = len(self._guards)
            self._names[f"guard{bit}"] = test
            key = (
                (*spec.key, "transaction.currency")
                if self._layout.families[place.family].per_currency
                else spec.key
            )
            self._guards.append(f"{present(key)} and guard{bit}(e)")
        self._operations.setdefault(place.family, []).extend(self._operation(spec, place, bit))
        self._used.append((spec, place))

    def _settle(self) -> tuple[tuple[int, int], list[tuple[str | bool, int]]]:
        """The operations after the decision: bits of what is earned, and filters of the others with their bits."""
        earned = [0, 0]
        late: list[tuple[str | bool, int]] = []
        for spec, place in self._program.owners:
            if spec.phase == "event":
                continue
            test = self._layout.filters.decision_filter(spec, self._type, self._status)
            if test is False:
                continue
            bit = len(self._late) // 5
            self._late += [*self._operation(spec, place, bit), place.family]
            if spec.measure == "known" and test is True:
                earned["user.id" in spec.key] |= 1 << bit
            else:
                late.append((test, 1 << bit))
            self._used.append((spec, place))
        return (earned[0], earned[1]), late

    def _operation(self, spec: FeatureSpec, place: Place, bit: int) -> list[int]:
        field = -1
        if spec.measure == "distance_km":
            field = self._program.fields.at[PLACE]
        elif spec.of:
            field = self._program.fields.at[spec.of]
        mark = self._program.marks.get(place[:2], -1)
        return [self._program.slots[place[:2]], field, bit, mark]

    def _read(
        self, changed: set[tuple[int, int]]
    ) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...], dict[int, str], dict[int, int], int, set[Place]]:
        """The features that are read along, plain ones first, and the pairs among them that may be known."""
        along = [
            (index, spec, place)
            for index, (spec, place) in enumerate(
                zip(self._layout.features, self._layout.places, strict=True)
            )
            if place is not None and (place[:2] in changed or index in self._wanted)
        ]
        along.sort(key=lambda each: (each[1].measure in _RAW, _measure(each[1]) == "sum"))
        plain, sums, known = [], [], set()
        values: dict[int, str] = {}
        raw: dict[int, int] = {}
        cell = 0
        for index, spec, place in along:
            measure = _measure(spec)
            reading = [
                self._program.slots[place[:2]],
                _READS[measure],
                spec.panes,
                spec.offset_panes,
                self._program.fields.cells_at + cell,
            ]
            part = self._before if spec.measure in _BEFORE else self._after
            part.setdefault(place.family, []).extend(reading)
            if is_ready(spec):
                values[index] = _value(spec, cell)
            else:
                raw[index] = cell
            if spec.measure == "known":
                known.add(place)
            elif measure == "sum":
                sums.append((index, cell))
            elif spec.measure not in _RAW:
                plain.append(index)
            cell += _CELLS.get(measure, 1)
        return tuple(plain), tuple(sums), values, raw, cell, known

    def _families(self) -> list[int]:
        return sorted({*self._operations, *self._before, *self._after, *self._late[4::5]})

    def _key(self, number: int) -> tuple[str, ...]:
        family = self._layout.families[number]
        return (*family.key, "transaction.currency") if family.per_currency else family.key

    def _inputs(self) -> tuple[list[str], list[tuple[int, str]]]:
        """The tokens that a record holds as text, and its numbers as words and expressions."""
        paths = {path for number in self._families() for path in self._key(number)}
        paths |= {spec.of for spec, _place in self._used if spec.of in FIELDS}
        if any(spec.measure in ("count", "sum") for spec, _place in self._used):
            paths.add(TRANSACTION)
        at = self._program.fields.at
        tokens = sorted(path for path in paths if FIELDS[path].kind == "token")
        numbers: list[tuple[int, str]] = []
        for path in sorted(paths.difference(tokens)):
            attribute = FIELDS[path].attribute
            if FIELDS[path].kind == "string":
                numbers += [(at[path], f"*code(e.{attribute})"), (at[path] + 1, "")]
                if path in self._program.kept_texts:
                    numbers.append((self._program.kept_texts[path], f"text(e.{attribute})"))
            else:
                numbers.append((at[path], f"e.{attribute}"))
        if any(spec.measure == "distance_km" for spec, _place in self._used):
            numbers.append((at[PLACE], "place(e)"))
        return tokens, numbers

    def _put(self, tokens: list[str], numbers: list[tuple[int, str]]) -> int:
        at = self._program.fields.at
        has_marks = any(spec.measure in ("count", "sum") for spec, _place in self._used)
        words = [len(tokens), *(at[path] for path in tokens)]
        words += [len(numbers), *(target for target, _expression in numbers)]
        words += [at[TRANSACTION] if has_marks else -1, _word(self._type)]
        families = self._families()
        words.append(len(families))
        for number in families:
            parts = [at[path] for path in self._key(number)]
            operations, before = self._operations.get(number, []), self._before.get(number, [])
            after = self._after.get(number, [])
            words += [number, len(parts), *parts, len(before) // 5, len(operations) // 4, len(after) // 5]
            words += [*before, *operations, *after]
        return self._program.put([*words, len(self._late) // 5, *self._late])


def is_ready(spec: FeatureSpec) -> bool:
    """Whether a feature that keeps a slot needs no more than its cells to be read."""
    return spec.measure not in ("last", "distance_km") or (spec.measure == "last" and _is_number(spec.of))


def _value(spec: FeatureSpec, cell: int) -> str:
    """An expression over the cells ``c`` for what such a feature reads; 0 in the third cell of a last value means none."""
    if _measure(spec) == "sum":
        return sum_expression(cell)
    if spec.measure == "known":
        return f"c[{cell}] != 0"
    if spec.measure != "last":
        return f"c[{cell}]"
    if spec.of in FIELDS and FIELDS[spec.of].kind == "bool":
        return f"c[{cell}] != 0 and c[{cell + 2}] != 0"
    return f"c[{cell}] if c[{cell + 2}] else 0"


def _paths(layout: Layout) -> set[str]:
    """Every field that a key or a slot needs."""
    paths = {path for family in layout.families for path in family.key}
    if any(family.per_currency for family in layout.families):
        paths.add("transaction.currency")
    return paths | {spec.of for spec in layout.features if spec.of in FIELDS}


def _measure(spec: FeatureSpec) -> str:
    """How a feature is kept: finer panes, and counts of a whole shop, need more than a word, and are sums of ones."""
    if spec.measure == "count" and (spec.width_ms < _NARROW_WIDTH_MS or not spec.key):
        return "sum"
    return spec.measure


def _is_number(path: str) -> bool:
    return path == SCORE or (path != KIND and FIELDS[path].kind in ("int", "bool"))


def _word(text: str) -> int:
    """A word for an event type; types are few."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
