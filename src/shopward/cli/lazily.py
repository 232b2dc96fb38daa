"""Commands that are imported when they are asked for.

Promise: to run one command costs the import of that command and not of all the others; help that lists them imports them all, since
each tells its own first line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lazily(click.Group):
    """A group whose commands lie in modules of their own.

    Args:
        elsewhere: by name, where a command lies: ``module:attribute`` below ``shopward.cli``.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._elsewhere = dict(elsewhere or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Its own and those that lie elsewhere, by name."""
        return sorted({*super().list_commands(ctx), *self._elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, imported where it has to be."""
        place = self._elsewhere.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(f"shopward.cli.{module}"), attribute)
        return command
