"""``shopward serve``: the decision server.

Promise: it says where it listens on a line of its own, ``listening on http://...``, once it does; it prints the API key
once, at the very first start; it ends cleanly on SIGINT and SIGTERM, with a snapshot. A policy that does not compile
or a setting that would be unsafe ends it at once with exit code 2, a store that another server owns with 1. While the state
is rebuilt from the log, a bar stands on the terminal's standard error; ``/readyz`` tells the same to machines.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from shopward.config import settings_from
from shopward.errors import PolicyInvalid

if TYPE_CHECKING:
    from collections.abc import Callable


def rebuilding() -> Callable[[int, int], None]:
    """A progress bar that appears with the first part of the log and ends with the last."""
    bars: list[Any] = []

    def progress(done: int, of: int) -> None:
        if not bars:
            bars.append(
                click.progressbar(length=of, label="rebuilding the state from the log", file=sys.stderr)
            )
        bars[0].update(done - bars[0].pos)
        if done >= of:
            bars.pop().render_finish()

    return progress


@click.command()
@click.option(
    "--data", metavar="DIR", help="Folder of keys, snapshot and database.  [default: ./shopward-data]"
)
@click.option("--database", metavar="URL", help="The log: sqlite:///FILE or postgresql://USER@HOST/DB.")
@click.option("--state", metavar="URL", help="Where features live; only 'memory' in this version.")
@click.option("--host", metavar="H", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", metavar="P", type=click.IntRange(0, 65_535), help="Port; 0 picks one.  [default: 8700]"
)
@click.option(
    "--policy",
    metavar="DIR",
    help="Folder of the policy.  [default: what was published, or the one that ships]",
)
@click.option(
    "--model",
    metavar="BUNDLE",
    help="Bundles of shopward train, several with ':' between; their scores stand.",
)
@click.option(
    "--profile",
    metavar="FILE",
    help="The shop's profile for screening.  [default: what was published]",
)
@click.option(
    "--link-bundle",
    metavar="BUNDLE",
    help="Learned part of shopward screen train.  [default: the one that ships]",
)
@click.option(
    "--message-bundle",
    metavar="BUNDLE",
    help="Learned part of shopward screen train-messages.  [default: the one that ships]",
)
@click.option("--tls-cert", metavar="FILE", help="PEM certificate chain; serves HTTPS.")
@click.option("--tls-key", metavar="FILE", help="PEM key of the certificate.")
@click.option("--behind-proxy", is_flag=True, default=None, help="Declare that a proxy in front ends TLS.")
def serve(**flags: str | int | bool | None) -> None:
    """Decide a shop's events over HTTP.

    Every option is also an environment variable, SHOPWARD_DATA and so on; more of them stand in
    docs/reference/settings.md.

    \b
    Examples:
      shopward serve
      shopward serve --data /srv/shopward --port 8700
      shopward serve --model takeover.model
      shopward serve --database postgresql://shopward@db/shopward
      shopward serve --host 0.0.0.0 --tls-cert shop.pem --tls-key shop.key
    """
    from shopward.http import serve as run  # noqa: PLC0415 -- the other commands need no server

    try:
        run(settings_from(os.environ, **flags), progress=rebuilding() if sys.stderr.isatty() else None)
    except PolicyInvalid as wrong:
        click.echo(f"shopward: the policy does not compile: {wrong.message}", err=True)
        for name, value in wrong.diagnostics().items():
            click.echo(f"  {name}: {value}", err=True)
        sys.exit(2)
