"""``shopward doctor``: what is unsafe or misconfigured here, and how to mend it.

Promise: it takes the settings as ``serve`` does, reads and changes nothing, and ends with 1 where something is unsafe, so
that a pipeline can stand on it. What it could not look at is said and counts as no fault.
"""

from __future__ import annotations

import os
import sys

import click
import msgspec

from shopward.config import settings_from
from shopward.values import SystemClock

_MARKS = {"ok": "ok     ", "unknown": "unknown", "warn": "warn   ", "unsafe": "UNSAFE "}


@click.command()
@click.option(
    "--data", metavar="DIR", help="Folder of keys, snapshot and database.  [default: ./shopward-data]"
)
@click.option("--database", metavar="URL", help="The log: sqlite:///FILE or postgresql://USER@HOST/DB.")
@click.option("--policy", metavar="DIR", help="Folder of the policy.  [default: what was published]")
@click.option("--host", metavar="H", help="Address that the server listens on.  [default: 127.0.0.1]")
@click.option("--tls-cert", metavar="FILE", help="PEM certificate chain of the server.")
@click.option("--tls-key", metavar="FILE", help="PEM key of the certificate.")
@click.option("--behind-proxy", is_flag=True, default=None, help="A proxy in front ends TLS.")
@click.option(
    "--advisories",
    default="",
    metavar="PATH",
    help="Known vulnerabilities of Python packages: OSV's all.zip of PyPI, or a folder of its records.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, as_json: bool, advisories: str, **flags: str | bool | None) -> None:
    """Say what is unsafe or misconfigured here, and how to mend it; exit code 1 where something is unsafe.

    Give it the options and the environment of the server, as the server's user.

    \b
    Examples:
      shopward doctor --data /srv/shopward
      shopward doctor --advisories all.zip --json
    """
    from shopward.service.doctor import judge, look, worst  # noqa: PLC0415 -- the other commands need no store

    checks = judge(look(settings_from(os.environ, **flags), SystemClock(), advisories=advisories))
    level = worst(checks)
    if as_json:
        click.echo(msgspec.json.encode({"worst": level, "checks": checks}))
    else:
        for each in checks:
            click.echo(f"{_MARKS[each.level]}  {each.check:12} {each.says}")
            if each.mend and each.level != "ok":
                click.echo(f"{'':23}mend it: {each.mend}")
    sys.exit(1 if level == "unsafe" else 0)
