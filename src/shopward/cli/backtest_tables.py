"""Accounts of a backtest as tables for a terminal.

Promise: the figures are those of the JSON, in the same words; a figure that does not exist is a dash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.account import Alerts, Change, Report, RuleAlerts
    from shopward.risk.policy.difference import Difference

_ALERT_HEADS = ("alerts", "per day", "users", "fraud", "genuine", "unknown", "precision", "recall")
_VALUE_CHARS_MAX = 160


def show_report(report: Report) -> None:
    """The whole account: the period, what changes, every rule, examples."""
    click.echo(
        f"{report.policy} over {report.events:,} events, {report.days:g} days, {report.since} to {report.until}"
    )
    click.echo(
        f"known at the end: {report.fraud:,} fraud, {report.genuine:,} genuine, {report.unknown:,} too young to tell"
    )
    click.echo("decisions: " + ", ".join(f"{kind} {count:,}" for kind, count in report.decisions.items()))
    if report.compared_with:
        click.echo(
            f"compared with {report.compared_with}: {report.differs or 0:,} differ in decision, score or reasons"
            + (f"; {report.held_by_orders:,} held by orders are left out" if report.held_by_orders else "")
        )
    _show_changes(report.changes)
    click.echo()
    heads = (
        "rule",
        "decides as",
        *_ALERT_HEADS,
        "decided",
        "alone",
        *(("new",) if report.compared_with else ()),
    )
    rows = [("all of them", "", *_cells(report.total), "", "", *(("",) if report.compared_with else ()))]
    fired = sorted(report.rules, key=lambda rule: -rule.alerts.events)
    rows += [_rule_row(rule, compared=bool(report.compared_with)) for rule in fired if rule.alerts.events]
    _table(heads, rows)
    silent = [rule.rule for rule in report.rules if not rule.alerts.events]
    if silent:
        click.echo("\nnever fired: " + ", ".join(silent))
    click.echo("\nexamples and overlap")
    for rule in fired:
        if rule.alerts.events:
            seen = ", ".join(f"{name} {count:,}" for name, count in rule.overlap.items())
            click.echo(
                f"  {rule.rule}: {', '.join(rule.alerts.examples)}" + (f"; also {seen}" if seen else "")
            )


def show_differences(before: str, after: str, found: Sequence[Difference], report: Report | None) -> None:
    """What differs between two policies, and whose decision changes where a stream was given."""
    click.echo(f"{before} -> {after}: {len(found)} differences" + ("" if found else ", they mean the same"))
    for each in found:
        words = ", words only" if each.words_only else ""
        click.echo(f"  {each.change} {each.part} {each.name}".rstrip() + words)
        for field, (was, now) in each.fields.items():
            click.echo(f"      {field}: {_short(was)} -> {_short(now)}")
    if report is not None:
        changed = sum(change.events for change in report.changes)
        click.echo(f"\n{changed:,} of {report.events:,} events get another decision")
        _show_changes(report.changes)


def _show_changes(changes: Sequence[Change]) -> None:
    for change in changes:
        types = ", ".join(f"{name} {count:,}" for name, count in change.types.items())
        click.echo(
            f"  {change.before} -> {change.after}: {change.events:,} events, {change.users:,} users"
            f" ({change.fraud:,} fraud, {change.genuine:,} genuine, {change.unknown:,} unknown): {types}"
        )
        click.echo(f"      for example {', '.join(change.examples)}")


def _rule_row(rule: RuleAlerts, *, compared: bool) -> tuple[str, ...]:
    decision = f"{rule.decision}, shadow" if rule.shadow else rule.decision
    new = (f"{rule.new or 0:,}",) if compared else ()
    return (rule.rule, decision, *_cells(rule.alerts), f"{rule.decides:,}", f"{rule.alone:,}", *new)


def _cells(alerts: Alerts) -> tuple[str, ...]:
    whole = (alerts.users, alerts.fraud, alerts.genuine, alerts.unknown)
    shares = (alerts.precision, alerts.recall)
    return (
        f"{alerts.events:,}",
        f"{alerts.per_day:,g}",
        *(f"{value:,}" for value in whole),
        *("-" if share is None else f"{share:.1%}" for share in shares),
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Words to the left, figures to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _VALUE_CHARS_MAX else text[:_VALUE_CHARS_MAX] + "..."
