"""The kernel against a naive recomputation from the list of all events."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shopward.events import Facts
from shopward.risk.features import FeatureSpec, Kernel, Layout, Outcome
from shopward.risk.features.declare import FIELDS
from shopward.risk.features.series import NEVER_S
from shopward.risk.vocabulary import CelFilters

MINUTE = 60_000

FEATURES = (
    FeatureSpec(name="n10", measure="count", key=("user.id",), window="10m", panes=10),
    FeatureSpec(name="n60", measure="count", key=("user.id",), window="1h", panes=60),
    FeatureSpec(name="n10_before", measure="count", key=("user.id",), window="10m", panes=10, offset="20m"),
    FeatureSpec(name="failed", measure="count", key=("context.ip",), window="30m", panes=3, where='status == "failed"'),
    FeatureSpec(name="site", measure="count", window="5m", panes=5),
    FeatureSpec(name="spent", measure="sum", of="transaction.amount_minor", key=("user.id",), window="1h", panes=4),
    FeatureSpec(name="spent_s", measure="sum", of="transaction.amount_minor", key=("user.id",), window="15m", panes=1),
    FeatureSpec(name="users10", measure="distinct", of="user.id", key=("context.ip",), window="10m", panes=10),
    FeatureSpec(name="users60", measure="distinct", of="user.id", key=("context.ip",), window="1h", panes=60),
    FeatureSpec(name="pair_age", measure="age", key=("user.id", "context.ip"), keep="2h"),
    FeatureSpec(name="pair_first", measure="first_seen", key=("user.id", "context.ip"), keep="2h"),
    FeatureSpec(name="fail_since", measure="since", key=("user.id",), where='status == "failed"'),
    FeatureSpec(name="fail_last", measure="last_seen", key=("user.id",), where='status == "failed"'),
    FeatureSpec(name="last_ip", measure="last", of="context.ip", key=("user.id",), where='type == "login"'),
    FeatureSpec(name="ratio", measure="ratio", numerator="n10", denominator="n60"),
    FeatureSpec(name="known", measure="known", key=("user.id", "context.ip"), phase="decision", ripe="30m"),
    FeatureSpec(name="bad_ip", measure="condemned", key=("context.ip",)),
    FeatureSpec(
        name="late", measure="count", key=("context.ip",), window="30m", panes=3, phase="decision",
        where='f.users10 >= 2 && decision.kind == "deny"',
    ),
    FeatureSpec(name="score", measure="last", of="decision.score_centi", key=("user.id",), phase="decision"),
)  # fmt: skip

events = st.lists(
    st.fixed_dictionaries(
        {
            "step_ms": st.sampled_from(
                [0, 1, 999, MINUTE - 1, MINUTE, 7 * MINUTE, 31 * MINUTE, 3 * 60 * MINUTE]
            ),
            "type": st.sampled_from(["login", "payment"]),
            "status": st.sampled_from(["attempted", "succeeded", "failed"]),
            "user": st.sampled_from(["", "u1", "u2", "u3"]),
            "ip": st.sampled_from(["", "i1", "i2"]),
            "transaction": st.sampled_from(["", "t1", "t2", "t3", "t4"]),
            "amount_minor": st.integers(0, 5),
            "currency": st.sampled_from(["IDR", "USD"]),
            "kind": st.sampled_from(["allow", "review", "challenge", "deny"]),
            "condemn": st.booleans(),
        }
    ),
    max_size=40,
)


def make_kernel() -> Kernel:
    return Kernel(Layout(FEATURES, CelFilters(FEATURES), condemnable=frozenset({"context.ip"})))


def feed(kernel: Kernel, stream: list[dict[str, Any]], at_ms: int = 1_000_000_000) -> list[dict[str, Any]]:
    """Observe and settle a stream; what was read at each event."""
    rows = []
    for position, raw in enumerate(stream):
        at_ms += raw["step_ms"]
        facts = Facts(
            f"e{position}", raw["type"], raw["status"], at_ms, at_ms, user=raw["user"], ip=raw["ip"],
            transaction=raw["transaction"], amount_minor=raw["amount_minor"], currency=raw["currency"],
        )  # fmt: skip
        readings = kernel.observe(facts)
        rows.append({spec.name: readings[index] for index, spec in enumerate(FEATURES)})
        until = at_ms + 20 * MINUTE
        condemned = (("context.ip", raw["ip"], until),) if raw["condemn"] and raw["ip"] else ()
        kernel.settle(facts, readings, Outcome(raw["kind"], 100 * position, condemned))
    return rows


class Naive:
    """What each feature means, computed from the whole past each time."""

    def __init__(self, stream: list[dict[str, Any]], at_ms: int = 1_000_000_000) -> None:
        self.past: list[dict[str, Any]] = []
        for position, raw in enumerate(stream):
            at_ms += raw["step_ms"]
            self.past.append(raw | {"at_ms": at_ms, "position": position})
        counted: set[tuple[str, str, str]] = set()
        for event in self.past:
            for name in ("n10", "failed", "site", "spent", "n60", "n10_before", "spent_s"):
                mark = (structure(name), event["type"], event["transaction"])
                matches = matching(name, event) and (name not in ("spent", "spent_s") or event["currency"])
                event[f"counts:{name}"] = matches and not (event["transaction"] and mark in counted)
            for name in ("n10", "failed", "site", "spent", "spent_s"):
                if event["transaction"] and event[f"counts:{name}"]:
                    counted.add((structure(name), event["type"], event["transaction"]))

    def window(
        self,
        name: str,
        now: dict[str, Any],
        same: tuple[str, ...],
        width_ms: int,
        panes: int,
        offset: int = 0,
    ):
        newest = now["at_ms"] // width_ms - offset
        for event in self.past[: now["position"] + 1]:
            inside = newest - panes < event["at_ms"] // width_ms <= newest
            if inside and event[f"counts:{name}"] and all(event[field] == now[field] for field in same):
                yield event

    def before(self, now: dict[str, Any]) -> list[dict[str, Any]]:
        return self.past[: now["position"]]


def structure(name: str) -> str:
    """Counts of one key, filter and pane width share a structure, and so count a transaction once between them."""
    return {"n60": "n10", "n10_before": "n10"}.get(name, name)


def matching(name: str, event: dict[str, Any]) -> bool:
    if name == "failed":
        return bool(event["status"] == "failed" and event["ip"])
    return bool(event["user"]) if name != "site" else True


@settings(max_examples=200, deadline=None)
@given(events)
def test_windows_equal_a_naive_recomputation(stream: list[dict[str, Any]]) -> None:
    """Counts, sums and distinct counts equal what the written pane semantics say, event by event."""
    naive = Naive(stream)
    for now, row in zip(naive.past, feed(make_kernel(), stream), strict=True):
        user, ip = bool(now["user"]), bool(now["ip"])
        count = lambda *args: sum(1 for _ in naive.window(*args))  # noqa: E731
        assert row["n10"] == (count("n10", now, ("user",), MINUTE, 10) if user else 0)
        assert row["n60"] == (count("n60", now, ("user",), MINUTE, 60) if user else 0)
        assert row["n10_before"] == (count("n10_before", now, ("user",), MINUTE, 10, 20) if user else 0)
        assert row["failed"] == (count("failed", now, ("ip",), 10 * MINUTE, 3) if ip else 0)
        assert row["site"] == count("site", now, (), MINUTE, 5)
        spent = naive.window("spent", now, ("user", "currency"), 15 * MINUTE, 4)
        assert row["spent"] == (sum(event["amount_minor"] for event in spent) if user else 0)
        short = naive.window("spent_s", now, ("user", "currency"), 15 * MINUTE, 1)
        assert row["spent_s"] == (sum(event["amount_minor"] for event in short) if user else 0)
        for name, panes in (("users10", 10), ("users60", 60)):
            seen = {
                event["user"]
                for event in naive.past[: now["position"] + 1]
                if event["ip"] == now["ip"]
                and event["user"]
                and 0 <= now["at_ms"] // MINUTE - event["at_ms"] // MINUTE < panes
            }
            assert row[name] == (len(seen) if ip else 0)
        assert row["ratio"] == (row["n10"] / row["n60"] if row["n60"] else 0.0)


@settings(max_examples=200, deadline=None)
@given(events)
def test_sightings_equal_a_naive_recomputation(stream: list[dict[str, Any]]) -> None:
    """Ages, times since and last values speak of the events that the declaration says."""
    naive = Naive(stream)
    for now, row in zip(naive.past, feed(make_kernel(), stream), strict=True):
        failed = [
            event
            for event in naive.before(now)
            if event["user"] == now["user"] and event["status"] == "failed"
        ]
        some = bool(now["user"] and failed)
        assert row["fail_since"] == ((now["at_ms"] - failed[-1]["at_ms"]) // 1000 if some else NEVER_S)
        assert row["fail_last"] == (failed[-1]["at_ms"] // 1000 if some else 0)
        logins = [
            event for event in naive.before(now) if event["user"] == now["user"] and event["type"] == "login"
        ]
        assert row["last_ip"] == (logins[-1]["ip"] if now["user"] and logins else "")
        if now["user"] and now["ip"]:
            same = [
                event
                for event in naive.past[: now["position"] + 1]
                if (event["user"], event["ip"]) == (now["user"], now["ip"])
            ]
            first = same[0]["at_ms"]
            for earlier, later in itertools.pairwise(same):
                if later["at_ms"] - earlier["at_ms"] > 120 * MINUTE:
                    first = later["at_ms"]
            assert row["pair_age"] == (now["at_ms"] - first) // 1000
            assert row["pair_first"] == first // 1000


@settings(max_examples=300, deadline=None)
@given(events)
def test_known_is_only_what_was_earned(stream: list[dict[str, Any]]) -> None:
    """A pair is known by succeeded, passed use that is old enough and younger than no condemnation of its parts."""
    naive = Naive(stream)
    for now, row in zip(naive.past, feed(make_kernel(), stream), strict=True):
        ends = [
            event["at_ms"] + 20 * MINUTE
            for event in naive.before(now)
            if event["condemn"] and event["ip"] == now["ip"]
        ]
        cutoff = max(ends, default=0)
        assert row["bad_ip"] == bool(now["ip"] and cutoff >= now["at_ms"])
        good = []
        for event in naive.before(now):
            if (event["user"], event["ip"]) != (now["user"], now["ip"]) or not (now["user"] and now["ip"]):
                continue
            until = max(
                (
                    past["at_ms"] + 20 * MINUTE
                    for past in naive.before(event)
                    if past["condemn"] and past["ip"] == now["ip"]
                ),
                default=0,
            )
            if (
                event["status"] == "succeeded"
                and event["kind"] in ("allow", "review")
                and event["at_ms"] > until
            ):
                good.append(event["at_ms"])
        good = [at_ms for at_ms in good if at_ms > cutoff]
        assert row["known"] == bool(good and now["at_ms"] - good[0] >= 30 * MINUTE)


@settings(max_examples=100, deadline=None)
@given(events, st.integers(0, 40))
def test_a_dumped_state_goes_on_as_if_nothing_had_happened(stream: list[dict[str, Any]], cut: int) -> None:
    """Loading a dump in mid-stream gives the same readings and the same state as never having stopped."""
    whole = make_kernel()
    expected = feed(whole, stream)
    first = make_kernel()
    head = stream[:cut]
    feed(first, head)
    second = make_kernel()
    second.load(first.dump())
    start = 1_000_000_000 + sum(event["step_ms"] for event in head)
    tail = [event | {"position": position} for position, event in enumerate(stream)][cut:]
    rows = feed(second, tail, start)
    names = [name for name in rows[0] if name != "score"] if rows else []
    assert [{name: row[name] for name in names} for row in rows] == [
        {name: row[name] for name in names} for row in expected[cut:]
    ]


@settings(max_examples=100, deadline=None)
@given(events)
def test_sweeping_idle_keys_changes_no_reading(stream: list[dict[str, Any]]) -> None:
    """A kernel that sweeps before every new key reads the same as one that never does."""
    swept, kept = make_kernel(), make_kernel()
    sweep = swept.sweep

    def eager(family: int, at_ms: int) -> None:
        sweep(family, at_ms)
        swept.limits[family] = 0

    swept.sweep = eager  # type: ignore[method-assign]
    swept.limits = [0] * len(swept.limits)
    assert feed(swept, stream) == feed(kept, stream)


def test_a_transaction_counts_once_in_late_counters_too() -> None:
    """``attempted`` and then ``succeeded`` is one payment for a feature that is written after the decision."""
    late = FeatureSpec(name="late", measure="count", key=("user.id",), window="1h", panes=1, phase="decision")
    kernel = Kernel(Layout((late,), CelFilters((late,))))
    for position, (status, transaction) in enumerate(
        (("attempted", "t1"), ("succeeded", "t1"), ("attempted", "t2"))
    ):
        facts = Facts(f"e{position}", "payment", status, 1000, 1000, user="u", transaction=transaction)
        kernel.settle(facts, kernel.observe(facts), Outcome("allow", 0))
    assert kernel.observe(Facts("e9", "login", "succeeded", 1000, 1000, user="u"))[0] == 2


def test_a_derived_feature_that_type_and_status_decide_is_asked_of_no_other_event() -> None:
    """What names a deed of one type is known to be false for all others: nothing is left to ask, and nothing is counted."""
    cold = FeatureSpec(
        name="cold", measure="derived", value='type == "login" && status == "failed" && user.known'
    )
    colder = FeatureSpec(name="colder", measure="derived", value="f.cold && !context.automation")
    late = FeatureSpec(
        name="late", measure="count", key=("user.id",), window="1h", panes=1, phase="decision", where="f.colder"
    )  # fmt: skip
    layout = Layout((cold, colder, late), CelFilters((cold, colder, late)))
    kernel = Kernel(layout)
    for position, (type_, status) in enumerate(
        (("login", "failed"), ("login", "succeeded"), ("payment", "failed"))
    ):
        facts = Facts(f"e{position}", type_, status, 1000, 1000, user="u")
        kernel.settle(facts, kernel.observe(facts), Outcome("allow", 0))
    assert kernel.observe(Facts("e9", "login", "failed", 1000, 1000, user="u"))[2] == 1
    assert [len(layout.plan("login", status).late) for status in ("failed", "succeeded")] == [1, 0]


def test_two_ripening_times_are_two_features() -> None:
    """Known after an hour and known after a day do not share what they keep."""
    hour = FeatureSpec(name="hour", measure="known", key=("user.id",), phase="decision", ripe="1h")
    day = FeatureSpec(name="day", measure="known", key=("user.id",), phase="decision", ripe="24h")
    kernel = Kernel(Layout((hour, day), CelFilters((hour, day))))
    first = Facts("e1", "login", "succeeded", MINUTE, MINUTE, user="u")
    kernel.settle(first, kernel.observe(first), Outcome("allow", 0))
    readings = kernel.observe(Facts("e2", "login", "succeeded", 120 * MINUTE, 120 * MINUTE, user="u"))
    assert (readings[0], readings[1]) == (True, False)


def test_staff_who_read_an_account_earn_nothing_in_it() -> None:
    """A member of staff's device and network never become known to the customers whose data they read."""
    pair = FeatureSpec(
        name="pair", measure="known", key=("user.id", "context.ip"), phase="decision", ripe="1h"
    )
    some = FeatureSpec(
        name="some",
        measure="known",
        key=("user.id",),
        phase="decision",
        ripe="1h",
        where="transaction.amount_minor == 0",
    )
    kernel = Kernel(Layout((pair, some), CelFilters((pair, some))))
    for actor_type, expected in (("staff", False), ("customer", True)):
        at_ms = MINUTE if actor_type == "staff" else 300 * MINUTE
        read = Facts("e1", "pii_view", "succeeded", at_ms, at_ms, user="u", ip="i", actor_type=actor_type)
        kernel.settle(read, kernel.observe(read), Outcome("allow", 0))
        later = at_ms + 120 * MINUTE
        readings = kernel.observe(Facts("e2", "login", "succeeded", later, later, user="u", ip="i"))
        assert (readings[0], readings[1]) == (expected, expected)


def test_every_field_of_the_vocabulary_is_an_attribute_of_facts() -> None:
    """The one table of names fits the struct that it reads."""
    facts = Facts("e", "login", "failed")
    kinds = {"token": str, "string": str, "int": int, "bool": bool}
    for field in FIELDS.values():
        assert type(getattr(facts, field.attribute)) is kinds[field.kind]
