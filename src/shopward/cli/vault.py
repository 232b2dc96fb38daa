"""``shopward vault``: customers' data, and who leaked it."""

from __future__ import annotations

import click

from shopward.cli.trace import trace_


@click.group()
def vault() -> None:
    """Trace leaks of customers' data."""


vault.add_command(trace_)
