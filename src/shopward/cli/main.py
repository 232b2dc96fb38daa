"""The ``shopward`` command and how errors leave it."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from shopward.cli.lazily import Lazily
from shopward.errors import Misconfigured, ShopwardError

COMMANDS: Final = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "doctor": "doctor:doctor",
    "replay": "replay:replay",
    "train": "train:train",
    "report": "report:report",
    "simulate": "simulate:simulate",
    "import": "import_:import_",
    "screen": "screen:screen",
    "scrub": "scrub:scrub_",
    "vault": "vault:vault",
    "partner": "partner:partner",
    "signals": "signals:signals",
    "staff": "staff:staff",
    "training": "training:training",
    "policy": "policy:policy",
    "order": "order:order",
    "recovery": "recovery:recovery",
    "audit": "audit:audit",
    "webhook": "webhook:webhook",
    "passwords": "passwords:passwords",
    "case": "case:case",
    "claim": "claim:claim",
    "complaint": "complaint:complaint",
    "consent": "consent:consent",
    "processing": "consent:processing",
    "incident": "incident:incident",
    "line": "line:line",
    "conversation": "conversation:conversation",
    "ledger": "ledger:ledger",
}
"""Where each lies."""


class _Shopward(Lazily):
    """A group whose commands end with one clear line where something is wrong, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ShopwardError as error:
            click.echo(f"shopward: {error.message}", err=True)
            for name, value in error.diagnostics().items():
                click.echo(f"  {name}: {value}", err=True)
            sys.exit(2 if isinstance(error, Misconfigured) else 1)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)


@click.group(
    cls=_Shopward,
    elsewhere=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="shopward")
def main() -> None:
    """Shopward keeps a shop's promise: your account and your data are safe with us.

    \b
    Try it:   shopward demo
    Run it:   shopward serve --data ./shopward-data
    Learn:    shopward replay events.ndjson.gz --out decisions.ndjson
    """
