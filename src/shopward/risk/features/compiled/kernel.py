"""The compiled kernel: ``features.Kernel`` with its state in one array and its work in machine code.

Promise:
- every reading equals the reference's, for the same facts and outcomes in the same order, whatever the memory does;
- one call of machine code observes an event, at most one settles it; nothing waits for a whole table to grow;
- keys and values are told apart by all their 128 bits, sums have 128 bits, what a row holds is freed when it is idle.

What Python still does for an event: it writes the record, asks the filters that type and status leave open, makes texts
and distances out of what the machine reads. A dump fits this kernel and layout alone; the reference refuses it, and this
one refuses the reference's: the log then rebuilds the state.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shopward.errors import SnapshotInvalid
from shopward.risk.features.compiled import machine
from shopward.risk.features.compiled.columns import Columns, Record
from shopward.risk.features.compiled.fields import (
    KIND,
    SCORE,
    Codes,
    degrees_of,
    place_of,
    token_text,
    token_words,
)
from shopward.risk.features.compiled.many import Many
from shopward.risk.features.compiled.memory import FAMILIES, LIMIT, NEED, USED
from shopward.risk.features.compiled.program import Program, is_ready
from shopward.risk.features.compiled.readings import CompiledReadings
from shopward.risk.features.compiled.room import Room
from shopward.risk.features.compiled.tables import TABLE_WORDS
from shopward.risk.features.compiled.texts import Texts
from shopward.risk.features.declare import FIELDS
from shopward.risk.features.readings import NoCampaigns
from shopward.risk.features.slots import distance_km, empty_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.events.facts import Facts
    from shopward.risk.features.compiled.program import Plan
    from shopward.risk.features.layout import Layout
    from shopward.risk.features.readings import Campaigns, Outcome

FORMAT: Final = "compiled-2"
_STEP_WORDS: Final = 1 << 17
"""Memory grows by an eighth, and by a mebibyte at least."""
_BITS: Final = (1 << machine.BITS_A_WORD) - 1


class CompiledKernel:
    """State of all declared features, in one array.

    Args:
        layout: the compiled declarations.
    """

    name: Final = "compiled"

    def __init__(self, layout: Layout) -> None:
        if sys.byteorder != "little":
            raise ImportError("the compiled kernel reads little-endian words")
        self.layout = layout
        self.seq = 0
        self.condemned: dict[str, dict[str, int]] = {}
        self.campaigns: Campaigns = NoCampaigns()
        self.readers: list[Callable[[Any], Any]] = [
            self._reader(index) if place is not None else layout.stateless[index]
            for index, place in enumerate(layout.places)
        ]
        self._texts = Texts()
        self._program = Program(layout, {"code": Codes(), "text": self._texts.number, "place": place_of})
        self._plans: dict[tuple[str, str], Plan] = {}
        self._wanted: dict[tuple[str, str], frozenset[int]] = {}
        self._probes: dict[int, Plan] = {}
        self._take_room(Room(self._program.memory_words))
        self._room.words[USED] = self._program.memory_words
        self._record = Record(self._program)
        self._aside = Record(self._program)
        self._has_spelled = False
        kept = self._program.kept_texts
        self._kind_at = self._record.at + kept[KIND] if KIND in kept else 0
        self._score_at = self._record.at + self._program.fields.at[SCORE]
        self._late_at = self._record.at + self._program.fields.late_bits_at
        self._compile()

    def observe(self, facts: Facts) -> CompiledReadings:
        """Apply an event before the decision; ``facts.at_ms`` never goes back."""
        self.seq += 1
        kind = (facts.type, facts.status)
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = self._program.plan(*kind, self._wanted.get(kind, frozenset()))
        if self._has_spelled or self._texts.is_full:
            self._tidy()
        return CompiledReadings(self, facts, plan, self._run(facts, plan, self._record))

    def settle(self, facts: Facts, readings: CompiledReadings, outcome: Outcome) -> None:
        """Write back what the decision teaches: earned pairs, features of phase ``decision``, condemned sources."""
        plan = readings.plan
        if readings.seq != self.seq:
            raise ValueError("an event is settled before the next one is observed")
        bits = plan.due(facts, readings, outcome)
        if outcome.passed:
            bits |= plan.earned[0]
            if facts.actor_type == "customer":
                bits |= plan.earned[1]
        if bits or (plan.has_marks and facts.transaction):
            self._settle(bits, outcome)
        for path, token, until_ms in outcome.condemned:
            tokens = self.condemned.setdefault(path, {})
            tokens[token] = max(until_ms, tokens.get(token, 0))

    def keys(self) -> int:
        """How many keys are held, over all families."""
        tables_at = range(FAMILIES, self._program.memory_words - TABLE_WORDS, TABLE_WORDS)
        return sum(int(self._room.words[table]) for table in tables_at)

    def state_bytes(self) -> int:
        """How many bytes of memory are in use."""
        return 8 * int(self._room.words[USED])

    def dump(self) -> bytes:
        """The whole state as MessagePack: a head, and the memory as it stands."""
        memory = self._room.words[: int(self._room.words[USED])].copy()
        memory[LIMIT] = memory[NEED] = 0  # how much lay ready is no part of the state
        return _encoder.encode(
            _Saved(FORMAT, self.seq, self.condemned, self._texts.all, memory.view(np.uint8).data)
        )

    def load(self, data: bytes) -> None:
        """Take over a dumped state of the same layout; raises ``SnapshotInvalid`` and leaves the state as it was."""
        try:
            saved = _decoder.decode(data)
        except msgspec.MsgspecError as broken:
            raise SnapshotInvalid(
                "the saved state cannot be read", expected="MessagePack of a compiled kernel"
            ) from broken
        words = np.frombuffer(saved.memory, np.int64) if len(saved.memory) % 8 == 0 else np.zeros(0, np.int64)
        is_whole = len(words) >= self._program.memory_words and int(words[USED]) == len(words)
        if saved.format != FORMAT or not is_whole:
            raise SnapshotInvalid(
                "the saved state is of another kernel", expected=FORMAT, found=f"{len(words)} words"
            )
        room = Room(len(words) + _STEP_WORDS)
        room.words[: len(words)] = words
        self._take_room(room)
        self.seq, self.condemned = saved.seq, saved.condemned
        self._texts.take(saved.texts)

    def columns(self, type_: str, status: str, features: Sequence[str], *, count: int) -> Columns:
        """Room for many events of one kind, as columns; for kinds whose decisions teach nothing."""
        wanted = frozenset(self.layout.index[name] for name in features)
        plan = self._program.plan(type_, status, wanted)
        return Columns(self._program, plan, Record(self._program, count), self.observe_records)

    def observe_records(self, record: Record, count: int) -> None:
        """Observe records that are filled and have no decision to wait for, in one call if memory lasts."""
        self.seq += count
        record.words[machine.IS_FINAL] = 1
        done = 0
        while done < count:
            done = machine.observe(self._address, self._program.address, record.address, done, count)
            if done < count:
                self._grow()

    def text_words(self, text: str) -> tuple[int, int]:
        """The words of a text that is no token, for columns."""
        words: tuple[int, int] = self._program.names["code"](text)
        return words

    def read_aside(self, index: int, facts: Facts) -> Any:
        """A feature that the event's plan does not read along; plans of its kind will, from the next event on."""
        kind = (facts.type, facts.status)
        self._wanted[kind] = self._wanted.get(kind, frozenset()) | {index}
        self._plans.pop(kind, None)
        probe = self._probes.get(index)
        if probe is None:
            probe = self._probes[index] = self._program.probe(index)
        return CompiledReadings(self, facts, probe, self._run(facts, probe, self._aside))[index]

    def many(self, wanted: frozenset[int], count: int) -> Many:
        """Room to observe up to ``count`` events at once, where features learn nothing from decisions."""
        return Many(self, self._program, Record(self._program, count), wanted, self._run_filled)

    def _run_filled(self, record: Record, facts: Sequence[Facts], plans: Sequence[Plan]) -> None:
        """Observe records that are filled and have no decision to wait for."""
        if self._texts.is_full:
            self._tidy()
        self.seq += len(facts)
        record.words[machine.IS_FINAL] = 1
        first, done = record.at, 0
        while True:
            done = machine.observe(self._address, self._program.address, record.address, done, len(facts))
            if done == len(facts):
                return
            if record.words[machine.STATUS] == machine.SHORT:
                self._grow()
                continue
            record.at = first + done * self._program.fields.words
            self._spell(facts[done], plans[done], record)
            record.at = first

    def _run(self, facts: Facts, plan: Plan, record: Record) -> list[int]:
        """Observe one record; the cells that it read."""
        plan.fill(facts, record.bytes, 8 * record.at)
        if plan.untils and (self.condemned or record.has_untils):
            self._write_untils(facts, plan, record)
        while machine.observe(self._address, self._program.address, record.address, 0, 1) == 0:
            if record.words[machine.STATUS] == machine.SHORT:
                self._grow()
            else:
                self._spell(facts, plan, record)
        return record.words[record.cells_at : record.cells_at + plan.cells].tolist()

    def _write_untils(self, facts: Facts, plan: Plan, record: Record) -> None:
        """Until when what known pairs stand on is condemned: hardly ever anything of an event is."""
        condemned = self.condemned
        for path, attribute in plan.sources:
            if path in condemned and getattr(facts, attribute) in condemned[path]:
                break
        else:
            if record.has_untils:
                for word in self._program.untils.values():
                    record.words[record.at + word] = 0
                record.has_untils = False
            return
        record.has_untils = True
        for word, until in plan.untils:
            record.words[record.at + word] = until(self, facts)

    def _settle(self, bits: int, outcome: Outcome) -> None:
        record = self._record
        for word in range(self._program.fields.bit_words):
            record.words[self._late_at + word] = bits >> machine.BITS_A_WORD * word & _BITS
        if self._kind_at:
            record.words[self._kind_at] = self._texts.number(outcome.kind)
        record.words[self._score_at] = outcome.score_centi
        while not machine.settle(self._address, self._program.address, record.address):
            self._grow()

    def _spell(self, facts: Facts, plan: Plan, record: Record) -> None:
        """Write the tokens of a record in Python: one of them is no token of ours."""
        for field, attribute, text_word in plan.tokens:
            text = getattr(facts, attribute)
            words = token_words(text)
            if words is None:
                words = self._program.names["code"](text)
                if text_word and text:
                    record.words[record.at + text_word] = self._texts.number(text)
                    self._has_spelled = True
            record.words[record.at + field], record.words[record.at + field + 1] = words
        record.words[record.at + machine.TEXT_LENGTH] = machine.SPELLED

    def _tidy(self) -> None:
        """Forget what the event before had to spell; forget texts that nothing holds any more."""
        for record in (self._record, self._aside):
            for word in self._program.kept_texts.values():
                record.words[record.at + word] = 0
        self._has_spelled = False
        if self._texts.is_full:
            used = np.zeros(len(self._texts.all), np.int64)
            for family, slot in self._program.text_slots():
                machine.texts_in_use(self._address, self._program.address, family, slot, used.ctypes.data)
            self._texts.keep(used)

    def _grow(self) -> None:
        """Make memory longer, by what is missing at least; on Linux the system moves its pages, nothing is copied."""
        words = self._room.words
        more = max(_STEP_WORDS, len(words) // 8, 2 * int(words[NEED]))
        del words  # the room moves only while nobody looks at it
        self._room.grow(more)
        self._take_room(self._room)

    def _take_room(self, room: Room) -> None:
        """Keep the memory in this room: say in it how long it is, and where it stands."""
        room.words[LIMIT] = len(room.words)
        self._room, self._address = room, room.words.ctypes.data

    def _reader(self, index: int) -> Callable[[CompiledReadings], Any]:
        """How a feature that keeps a slot is read where its plan has no value ready."""
        spec = self.layout.features[index]
        if is_ready(spec):
            return lambda readings: self.read_aside(index, readings.facts)
        empty = empty_reading(spec)
        is_token = spec.of in FIELDS and FIELDS[spec.of].kind == "token"

        def read(readings: CompiledReadings) -> Any:
            cell = readings.plan.raw.get(index)
            if cell is None:
                return self.read_aside(index, readings.facts)
            value = readings.cells[cell]
            if spec.measure == "distance_km":
                return distance_km(degrees_of(value) if value else None, readings.facts)
            how = readings.cells[cell + 2]
            if how == 0:
                return empty
            if how == 2 or not is_token:
                return self._texts.all[value]
            return token_text(value, readings.cells[cell + 1])

        return read

    def _compile(self) -> None:
        """Have the machine's functions compiled or fetched now, and not in the first request."""
        record = self._aside
        record.words[record.at + machine.PLAN] = self._program.idle
        machine.observe(self._address, self._program.address, record.address, 0, 0)
        machine.settle(self._address, self._program.address, record.address)
        first = int(self._program.code[machine.FAMILIES_AT])
        machine.texts_in_use(self._address, self._program.address, first, 0, self._address)


class _Saved(msgspec.Struct):
    format: str
    seq: int
    condemned: dict[str, dict[str, int]]
    texts: list[str]
    memory: memoryview


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Saved)
