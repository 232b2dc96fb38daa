"""The compiled kernel against the reference: the same readings for any declarations, log and state of memory."""

from __future__ import annotations

import random
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from shopward.errors import SnapshotInvalid
from shopward.events import Facts
from shopward.risk.features import FeatureSpec, Kernel, Layout, Outcome
from shopward.risk.features.compiled import jit
from shopward.risk.features.compiled.fields import token_words
from shopward.risk.features.compiled.kernel import CompiledKernel
from shopward.risk.features.compiled.memory import LIMIT, NEED
from shopward.risk.features.compiled.room import Room
from shopward.risk.vocabulary import CelFilters
from sources import taken_from

MINUTE = 60_000
DAY = 86_400_000
CONDEMNABLE = frozenset({"context.ip", "user.id"})


def token(number: int) -> str:
    """A token as the tokeniser writes it."""
    return urlsafe_b64encode(number.to_bytes(16, "big"))[:22].decode()


TOKENS = [
    "",
    token(0),
    token(1),
    token(2),
    token(2**127),
    token(2**64),
    token(3 << 64 | 1),
    "odd",
    "ü",
    "x" * 22,
    "x" * 60,
]
WINDOWS = [("10m", 10), ("1h", 60), ("1h", 4), ("24h", 24), ("5s", 5), ("7d", 7), ("400d", 400)]
KEYS = [
    (), ("user.id",), ("context.ip",), ("user.id", "context.device_id"), ("context.asn",), ("context.country",),
    ("context.country", "context.asn"), ("user.id", "context.ip", "context.os"), ("context.located",),
]  # fmt: skip
OF = [
    "user.id",
    "context.ip",
    "context.asn",
    "context.os",
    "context.country",
    "context.located",
    "transaction.id",
]
AMOUNTS = [
    "transaction.amount_minor",
    "access.records",
    "user.registered_at_ms",
    "transaction.balance_before_minor",
]
EVENT_FILTERS = [
    "",
    'status == "failed"',
    "access.records > 7",
    'type != "login" || context.os == "a"',
    'type == "label"',
]
DECISION_FILTERS = [
    "",
    'decision.kind == "deny"',
    'status == "succeeded"',
    "decision.score_centi > 150",
    "access.records != 14",
]


@st.composite
def declarations(draw: st.DrawFn) -> tuple[FeatureSpec, ...]:
    """Features of every measure, some of which share keys and slots."""
    features = []
    for number in range(draw(st.integers(1, 12))):
        measure = draw(st.sampled_from(
            ["count", "sum", "distinct", "first_seen", "last_seen", "age", "since", "last", "distance_km", "known"]
        ))  # fmt: skip
        phase = "decision" if measure == "known" else draw(st.sampled_from(["event", "event", "decision"]))
        fields: dict[str, Any] = {"phase": phase, "key": draw(st.sampled_from(KEYS))}
        fields["where"] = draw(st.sampled_from(EVENT_FILTERS if phase == "event" else DECISION_FILTERS))
        if measure in ("count", "sum", "distinct"):
            fields["window"], fields["panes"] = draw(st.sampled_from(WINDOWS))
            width = FeatureSpec(name="w", measure="count", **fields).width_ms
            if measure != "distinct" and draw(st.booleans()) and 3 * width < DAY and width % 1000 == 0:
                fields["offset"] = f"{3 * width // 1000}s"
        else:
            fields["keep"], fields["ripe"] = (
                draw(st.sampled_from(["1h", "2d", "400d"])),
                draw(st.sampled_from(["1s", "30m"])),
            )
        if measure == "sum":
            fields["of"] = draw(st.sampled_from(AMOUNTS))
        elif measure == "distinct":
            fields["of"] = draw(st.sampled_from(OF))
        elif measure == "last":
            decided = ["decision.kind", "decision.score_centi"] if phase == "decision" else []
            fields["of"] = draw(st.sampled_from(OF + AMOUNTS + decided))
        features.append(FeatureSpec(name=f"f{number}", measure=measure, **fields))
    features.append(FeatureSpec(name="bad", measure="condemned", key=("context.ip",)))
    features.append(FeatureSpec(name="part", measure="ratio", numerator="f0", denominator="f0") if features[0].measure == "count"
                    else FeatureSpec(name="part", measure="derived", value="access.records + 1"))  # fmt: skip
    return tuple(features)


events = st.fixed_dictionaries(
    {
        "step_ms": st.sampled_from([0, 0, 1, 999, 5_000, MINUTE, 7 * MINUTE, 3 * 60 * MINUTE, DAY, 8 * DAY, 500 * DAY]),
        "type": st.sampled_from(["login", "payment", "label"]),
        "status": st.sampled_from(["attempted", "succeeded", "failed"]),
        "user": st.sampled_from(TOKENS),
        "ip": st.sampled_from(TOKENS),
        "device": st.sampled_from(TOKENS[:4]),
        "asn": st.integers(0, 3),
        "country": st.sampled_from(["", "ID", "SG"]),
        "os": st.sampled_from(["", "a", "b", "ü", "long" * 50]),
        "place": st.sampled_from([None, (0, 0), (-90, 180), (-6, 107)]),
        "transaction": st.sampled_from(["", *TOKENS[2:6]]),
        "amount_minor": st.sampled_from([0, 1, 5, 2**62, 2**63 - 1]),
        "registered_at_ms": st.sampled_from([0, -5, 10**12]),
        "currency": st.sampled_from(["", "IDR", "USD"]),
        "actor_type": st.sampled_from(["customer", "staff"]),
        "kind": st.sampled_from(["allow", "review", "challenge", "deny"]),
        "condemn": st.booleans(),
        "settled": st.sampled_from([True, True, True, False]),
    }
)  # fmt: skip


@dataclass
class Both:
    """The two kernels under one log."""

    features: tuple[FeatureSpec, ...]
    at_ms: int = 0
    position: int = 0
    tight: bool = False

    def __post_init__(self) -> None:
        layout = Layout(self.features, CelFilters(self.features), condemnable=CONDEMNABLE)
        self.layout = layout
        self.reference, self.compiled = Kernel(layout), self.fresh()

    def fresh(self) -> CompiledKernel:
        kernel = CompiledKernel(self.layout)
        if self.tight:

            def by_what_is_missing() -> None:
                missing = int(kernel._room.words[NEED])
                limit = int(kernel._room.words[LIMIT]) + missing
                kernel._room.grow(missing)
                kernel._take_room(kernel._room)
                kernel._room.words[LIMIT] = limit

            kernel._room.words[LIMIT] = kernel._program.memory_words
            kernel._grow = by_what_is_missing  # type: ignore[method-assign]
        return kernel

    def event(self, raw: dict[str, Any], asked: list[int] | None = None) -> None:
        """One event through both, and what both read."""
        self.at_ms += raw["step_ms"]
        facts = Facts(
            f"e{self.position}", raw["type"], raw["status"], self.at_ms, self.at_ms, user=raw["user"], ip=raw["ip"],
            device=raw["device"], asn=raw["asn"], country=raw["country"], os=raw["os"], located=raw["place"] is not None,
            lat_deg=(raw["place"] or (0, 0))[0], lon_deg=(raw["place"] or (0, 0))[1], transaction=raw["transaction"],
            amount_minor=raw["amount_minor"], records=raw["asn"] * 7, registered_at_ms=raw["registered_at_ms"],
            currency=raw["currency"], actor_type=raw["actor_type"],
        )  # fmt: skip
        ours, theirs = self.compiled.observe(facts), self.reference.observe(facts)
        for index in range(len(self.features)) if asked is None else asked:
            found, expected = ours[index], theirs[index]
            assert (type(found), found) == (type(expected), expected), (self.position, self.features[index])
        self.position += 1
        if raw["settled"]:
            until = self.at_ms + 20 * MINUTE
            condemned = (("context.ip", raw["ip"], until),) if raw["condemn"] and raw["ip"] else ()
            outcome = Outcome(raw["kind"], 50 * (self.position % 7), condemned)
            self.compiled.settle(facts, ours, outcome)
            self.reference.settle(facts, theirs, outcome)


relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(declarations(), st.lists(events, max_size=30))
def test_any_log_under_any_declarations_reads_the_same(features, stream):
    """Every feature of every event, its type included, whatever is declared and whatever comes."""
    both = Both(features)
    for raw in stream:
        both.event(raw)


@relaxed
@given(declarations(), st.lists(st.tuples(events, st.lists(st.integers(0, 13), max_size=3)), max_size=30))
def test_a_feature_asked_for_late_reads_the_same(features, stream):
    """What a plan does not read along yet is read aside, with the value that it has for this event."""
    both = Both(features)
    for raw, asked in stream:
        both.event(raw, [index for index in asked if index < len(features)])


@relaxed
@given(declarations(), st.lists(events, max_size=25), st.integers(0, 25))
def test_memory_that_runs_short_at_each_step_changes_no_reading(features, stream, cut):
    """A step that is made again after the memory grew by one piece is made once; so it is after dump and load."""
    both = Both(features, tight=True)
    for position, raw in enumerate(stream):
        if position == cut:
            restored = both.fresh()
            restored.load(both.compiled.dump())
            both.compiled = restored
        both.event(raw)


def crowd(
    seed: int, size: int, *, users: int, addresses: int, steps: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Many events over many keys."""
    choose = random.Random(seed)
    return [
        {
            "step_ms": choose.choice(steps), "type": "payment", "status": choose.choice(["attempted", "succeeded"]),
            "user": token(choose.randrange(1, users) * 2**70 + 5), "ip": token(choose.randrange(1, addresses) * 2**90), "device": "",
            "asn": choose.randrange(4), "country": "ID", "os": choose.choice(["a", "b"]), "place": None,
            "transaction": token(choose.randrange(2**100)), "amount_minor": choose.randrange(10**9), "registered_at_ms": 0,
            "currency": "IDR", "actor_type": "customer", "kind": "allow", "condemn": False, "settled": True,
        }
        for _ in range(size)
    ]  # fmt: skip


CROWDED = (
    FeatureSpec(name="n", measure="count", key=("user.id",), window="1h", panes=60),
    FeatureSpec(
        name="spent", measure="sum", of="transaction.amount_minor", key=("user.id",), window="24h", panes=24
    ),
    FeatureSpec(name="users", measure="distinct", of="user.id", key=("context.ip",), window="1h", panes=60),
    FeatureSpec(
        name="users_10m", measure="distinct", of="user.id", key=("context.ip",), window="10m", panes=10
    ),
    FeatureSpec(name="pairs", measure="age", key=("user.id", "context.ip"), keep="2h"),
    FeatureSpec(name="os", measure="last", of="context.os", key=("user.id",), keep="2h"),
    FeatureSpec(name="good", measure="known", key=("user.id",), phase="decision", keep="2h", ripe="1m"),
)


@pytest.mark.parametrize(
    ("users", "addresses", "steps"),
    [(3_000, 4, (0, 900, 4_000)), (40, 3_000, (0, 10, 60_000)), (5_000, 5_000, (0, 0, 0, 900, 1_800_000))],
)
def test_growth_and_expiry_change_no_reading(users, addresses, steps):
    """Tables and sets that grow by thousands of keys, and drop them while time moves on, read as the reference does."""
    both = Both(CROWDED)
    for raw in crowd(1, 12_000, users=users, addresses=addresses, steps=steps):
        both.event(raw)
    assert both.compiled.keys() > 0


def test_idle_keys_give_their_memory_back():
    """Ever new keys over a long time hold no more memory than the keys of a window."""
    both = Both(CROWDED)
    sizes = []
    for part in range(8):
        for raw in crowd(part, 1_500, users=2**20, addresses=2**20, steps=(60_000,)):
            both.event(raw | {"transaction": ""}, [])
        sizes.append(both.compiled.state_bytes())
    assert sizes[-1] < 1.5 * sizes[2]
    assert both.compiled.keys() < 4 * 1_500 * 4


@pytest.mark.parametrize("is_looked_at", [False, True])
def test_room_that_grows_keeps_its_words(is_looked_at):
    """What stands in the memory stands there afterwards, and the rest is zero, even while somebody looks at the old words."""
    room = Room(1)
    held = room.words if is_looked_at else None
    before = len(room.words)
    room.words[:] = 7
    room.grow(before + 1)
    assert len(room.words) > 2 * before
    assert set(room.words[:before].tolist()) == {7}
    assert not room.words[before:].any()
    assert held is None or set(held.tolist()) == {7}


def test_a_sum_beyond_a_word_is_exact():
    """Two to the sixty-third and more reads as the whole number that it is."""
    features = (
        FeatureSpec(name="s", measure="sum", of="access.records", key=("user.id",), window="1h", panes=1),
    )
    kernel = CompiledKernel(Layout(features, CelFilters(features)))
    for times in range(1, 9):
        facts = Facts(f"e{times}", "pii_view", "succeeded", 1, 1, user=token(1), records=2**62)
        assert kernel.observe(facts)[0] == times * 2**62


def test_texts_that_nothing_holds_are_forgotten():
    """A text that changes with each event does not fill the memory."""
    features = (FeatureSpec(name="os", measure="last", of="context.os", key=("user.id",)),)
    kernel = CompiledKernel(Layout(features, CelFilters(features)))
    for position in range(50_000):
        readings = kernel.observe(
            Facts(f"e{position}", "login", "failed", 1, 1, user=token(1), os=f"os {position}")
        )
        assert readings[0] == (f"os {position - 1}" if position else "")
    assert len(kernel._texts.all) < 25_000


def test_each_kernel_refuses_the_other_ones_state():
    """A dump of the other kernel, a cut one and noise are refused with a reason, and the state stays as it was."""
    both = Both(CROWDED)
    for raw in crowd(3, 50, users=9, addresses=9, steps=(900,)):
        both.event(raw)
    ours, theirs = both.compiled.dump(), both.reference.dump()
    for kernel, data in (
        (both.compiled, theirs),
        (both.reference, ours),
        (both.compiled, ours[:-9]),
        (both.compiled, b"\xff"),
    ):
        with pytest.raises(SnapshotInvalid) as caught:
            kernel.load(data)
        assert caught.value.expected
    for raw in crowd(4, 50, users=9, addresses=9, steps=(900,)):
        both.event(raw)


def test_columns_read_as_one_by_one():
    """Thousands of events given as columns read what the plain kernel reads of each, over several calls."""
    plain = CROWDED[:4]
    layout = Layout(plain, CelFilters(plain))
    reference, compiled = Kernel(layout), CompiledKernel(layout)
    columns = compiled.columns("payment", "attempted", [spec.name for spec in plain], count=700)
    columns.field("transaction.currency")[:] = compiled.text_words("IDR")
    stream = [
        event | {"status": "attempted"}
        for event in crowd(5, 2_100, users=60, addresses=9, steps=(0, 900, 60_000))
    ]
    at_ms = 0
    for start in range(0, len(stream), 700):
        expected = []
        for position, raw in enumerate(stream[start : start + 700]):
            at_ms += raw["step_ms"]
            facts = Facts(
                f"e{start + position}", "payment", "attempted", at_ms, at_ms, user=raw["user"], ip=raw["ip"],
                transaction=raw["transaction"], amount_minor=raw["amount_minor"], currency="IDR",
            )  # fmt: skip
            readings = reference.observe(facts)
            expected.append([readings[index] for index in range(len(plain))])
            reference.settle(facts, readings, Outcome("allow", 0))
            columns.at_ms[position] = at_ms
            columns.field("transaction.amount_minor")[position, 0] = raw["amount_minor"]
            for path, name in (("user.id", "user"), ("context.ip", "ip"), ("transaction.id", "transaction")):
                columns.field(path)[position] = token_words(raw[name])
        columns.observe(700)
        found = zip(*(columns.readings(spec.name).tolist() for spec in plain), strict=True)
        assert [list(row) for row in found] == expected
    with pytest.raises(ValueError, match="one by one"):
        CompiledKernel(Layout(CROWDED, CelFilters(CROWDED))).columns("payment", "succeeded", [], count=1)


def test_an_event_is_settled_before_the_next_is_observed():
    """Readings of an earlier event cannot be settled by mistake."""
    kernel = CompiledKernel(Layout(CROWDED, CelFilters(CROWDED)))
    facts = Facts("e", "login", "succeeded", 1, 1, user=token(1))
    first = kernel.observe(facts)
    kernel.observe(facts)
    with pytest.raises(ValueError, match="settled before"):
        kernel.settle(facts, first, Outcome("allow", 0))


def test_kept_code_is_not_that_of_other_constants():
    """Whatever the kernel's compiled files take from others is part of what their code is kept under."""
    files = [
        each
        for each in jit.SOURCES
        if re.search("^@(compiled|inlined)", each.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(files) > 5
    assert {each for file in files for each in taken_from(file)} <= set(jit.SOURCES)


def test_without_a_place_that_can_be_written_nothing_is_kept(monkeypatch, tmp_path):
    """A cache folder that cannot be made means compiling at each start, no error."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert jit._folder() is None
