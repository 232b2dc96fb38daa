"""Backtest: what a policy would have done to a recorded stream, beside what was done.

Promise: the live code path from empty state, with the policy on trial as if it had been in force: its own decisions
teach the features. It carries out no action and writes nowhere. The policy that wrote a log gives that log's decisions
again, without a difference.

Two sources:
- the log: facts as they were recorded, and beside each the decision that was answered. Where no policy is on trial, those
  that decided it are run again, each from its own entry on (``over_log_itself``). An event on which a protection
  order had a say keeps its recorded decision: the order would have stood whatever the policy. It is counted apart.
- files: events from empty state, as ``replay`` decides them, and beside it another policy where one is given, which
  runs over the same facts with a state of its own.

It does not guess what customers would have done next: the stream stays as it was.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shopward.errors import ShopwardError
from shopward.events import FactsMaker, Tokeniser
from shopward.flows.engine import Engine
from shopward.flows.recorded import (
    EVENT,
    POLICY,
    facts_of_entry,
    facts_of_span,
    mark_of_entry,
    record_of_entry,
    records_of_span,
)
from shopward.flows.replay import REPLAY_KEY, MemoryRecall, Replay
from shopward.flows.tally import RuleName
from shopward.ports import LogEntry, Span
from shopward.risk.policy.difference import same_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shopward.events import Facts
    from shopward.flows.engine import DecisionRecord
    from shopward.flows.replay import Line
    from shopward.ports import EventLog
    from shopward.risk.policy import Policy


Stretch: TypeAlias = "Span | Sequence[LogEntry]"
"""Entries of a log that follow each other, as they can be had."""


class Trial(NamedTuple):
    """One event: what the policy on trial says, and what stands beside it, if anything."""

    facts: Facts
    record: DecisionRecord
    before: DecisionRecord | None
    held: bool = False


class Editions(NamedTuple):
    """Policies that decided a log: the one before any was published, and the published ones by digest."""

    first: Policy
    by_digest: dict[str, Policy]


def rule_names(*policies: Policy) -> tuple[RuleName, ...]:
    """What a report says of each rule; of rules of one name, the last policy's."""
    rules = {rule.name: rule for policy in policies for rule in policy.spec.rules}
    return tuple(RuleName(rule.name, rule.decision, rule.shadow, rule.on) for rule in rules.values())


def over_log(policy: Policy, entries: Iterable[LogEntry]) -> Iterator[Trial]:
    """A policy over the entries of a log, from its first one on."""
    engine = _engine(policy)
    for entry in entries:
        if entry.kind != EVENT:
            continue
        yield _weighed(engine, entry)


def stretches_of(
    log: EventLog, *, last: int, limit: int = 2_000, update: Callable[[int], object] | None = None
) -> Iterator[Stretch]:
    """A log up to a position, in spans of nothing but events where there are any; ``update`` hears of each step."""
    after = 0
    while after < last:
        spans = log.spans(after_seq=after, limit=min(limit, last - after))
        begun = after
        for span in spans:
            until = min(span.last_seq, last)
            whole = span.is_events and until == span.last_seq
            yield span if whole else log.read(after_seq=after, limit=until - after)
            after = until
        if not spans:
            page = log.read(after_seq=after, limit=min(limit, last - after))
            if not page:
                return
            yield page
            after = page[-1].seq
        if update is not None:
            update(after - begun)


def over_log_by_columns(policy: Policy, stretches: Iterable[Stretch]) -> Iterator[Trial]:
    """A policy that ``fits`` over a log, from its first entry on, thousands of events at once (``columns``)."""
    from shopward.flows.columns import STRIDE, ColumnTrial  # noqa: PLC0415 -- needs numpy, an extra

    trial = ColumnTrial(_engine(policy))
    facts: list[Facts] = []
    recorded: list[DecisionRecord] = []
    for stretch in chain(stretches, (None,)):
        if stretch is not None:
            _read(stretch, facts, recorded)
        while len(facts) >= STRIDE or (stretch is None and facts):
            part, before = facts[:STRIDE], recorded[:STRIDE]
            del facts[:STRIDE], recorded[:STRIDE]
            held = [bool(each.orders) for each in before]
            stand = [each if each.orders else None for each in before] if any(held) else None
            yield from map(Trial, part, trial.judged(part, held=stand), before, held)


def over_log_itself(
    editions: Editions, entries: Iterable[LogEntry], *, reread: Callable[[int], Iterable[LogEntry]]
) -> Iterator[Trial]:
    """The policies that decided a log over its entries, changing over where the log says so.

    Args:
        editions: the policies by their digests, and the first one.
        entries: of the log, from its first one on.
        reread: the entries up to a position, from the first one on, for a policy that keeps another state.
    """
    engine = _engine(editions.first)
    for entry in entries:
        if entry.kind == POLICY:
            engine = _succeeded(engine, editions, entry, reread)
        elif entry.kind == EVENT:
            yield _weighed(engine, entry)


def over_files(
    policy: Policy, stream: Iterable[Line], *, against: Policy | None = None
) -> Iterator[Trial | ShopwardError]:
    """A policy over recorded events, beside another one where it is given; a refusal where a line is no event."""
    beside = None if against is None else _engine(against)
    for result in Replay(policy).run(stream):
        if isinstance(result, ShopwardError):
            yield result
            continue
        facts, record = result
        yield Trial(facts, record, None if beside is None else beside.weigh(facts))


def over_log_against(policy: Policy, against: Policy, entries: Iterable[LogEntry]) -> Iterator[Trial]:
    """Two policies over a log, each with a state of its own; recorded decisions count only where an order held them."""
    beside = _engine(against)
    for trial in over_log(policy, entries):
        held = trial.before if trial.held else None
        yield trial._replace(before=beside.weigh(trial.facts, held=held))


def _weighed(engine: Engine, entry: LogEntry) -> Trial:
    facts, before, held = _recorded(entry)
    return Trial(facts, engine.weigh(facts, held=before if held else None), before, held)


def _recorded(entry: LogEntry) -> tuple[Facts, DecisionRecord, bool]:
    """An event as the log has it, and whether an order had a say."""
    before = record_of_entry(entry)
    return facts_of_entry(entry), before, bool(before.orders)


def _read(stretch: Stretch, facts: list[Facts], recorded: list[DecisionRecord]) -> None:
    """Add the events of a stretch, and what was decided."""
    if isinstance(stretch, Span):
        facts += facts_of_span(stretch)
        recorded += records_of_span(stretch)
        return
    events = [entry for entry in stretch if entry.kind == EVENT]
    facts += map(facts_of_entry, events)
    recorded += map(record_of_entry, events)


def _succeeded(
    engine: Engine, editions: Editions, entry: LogEntry, reread: Callable[[int], Iterable[LogEntry]]
) -> Engine:
    """The engine of the policy that an entry brings into force."""
    mark = mark_of_entry(entry)
    policy = editions.by_digest[mark.digest]
    if same_state(engine.policy.spec, policy.spec):
        engine.take_policy(policy)
    else:
        before, engine = engine, _engine(policy)
        engine.satisfied_for_ms = before.satisfied_for_ms
        for earlier in reread(entry.seq):
            if earlier.kind == EVENT:
                engine.reapply(facts_of_entry(earlier), record_of_entry(earlier))
            elif earlier.kind == POLICY:
                engine.mark(mark_of_entry(earlier))
    engine.mark(mark)
    return engine


def _engine(policy: Policy) -> Engine:
    """An engine on empty state for facts that are made already."""
    return Engine(policy, FactsMaker(Tokeniser(REPLAY_KEY)), MemoryRecall())
