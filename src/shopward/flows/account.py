"""The account of a backtest: its shapes, as ``--json`` prints them. They hold no person and decide nothing."""

from __future__ import annotations

from msgspec import Struct


class Alerts(Struct, frozen=True):
    """What one rule, or all of them, did in the period.

    Attributes:
        events: how many.
        per_day: on the average of the period.
        users: how many different ones.
        fraud: units of them that a label calls fraud.
        genuine: units that a label calls genuine, or that had no label within the delay.
        unknown: units too young to tell.
        precision: fraud / (fraud + genuine); none where both are 0.
        recall: of all fraud units of the event types looked at; none where there are none.
        examples: ids of events, of different users where there are several.
    """

    events: int
    per_day: float
    users: int
    fraud: int
    genuine: int
    unknown: int
    precision: float | None
    recall: float | None
    examples: list[str]


class RuleAlerts(Struct, frozen=True):
    """One rule: how often it fired, what it decided, and who else saw the same.

    Attributes:
        decides: events whose decision it carried, alone or with others of its strength.
        alone: events on which no other rule of the policy fired.
        new: events that the policy compared with let through; none where nothing is compared.
        overlap: rules of the policy compared with that fired on the same events, with how many; most first.
    """

    rule: str
    decision: str
    shadow: bool
    alerts: Alerts
    decides: int
    alone: int
    new: int | None
    overlap: dict[str, int]


class Change(Struct, frozen=True):
    """Events whose decision becomes another."""

    before: str
    after: str
    events: int
    users: int
    types: dict[str, int]
    fraud: int
    genuine: int
    unknown: int
    examples: list[str]


class Report(Struct, frozen=True):
    """The whole account of one policy over one stream.

    Attributes:
        compared_with: the policy whose decisions stand beside; empty where there is none.
        fraud: units of the period that a label calls fraud.
        genuine: units without a label for longer than the delay, or with one that says so.
        unknown: units too young to tell.
        held_by_orders: events that a protection order had a say on; they keep their decision and are not compared.
        differs: compared events whose decision, score or reasons are not the same; none where nothing is compared.
        total: events that were not allowed, by any rule or the score.
    """

    policy: str
    compared_with: str
    since: str
    until: str
    days: float
    events: int
    fraud: int
    genuine: int
    unknown: int
    held_by_orders: int
    differs: int | None
    decisions: dict[str, int]
    total: Alerts
    changes: list[Change]
    rules: list[RuleAlerts]
