"""``shopward policy``: check a policy and run its own tests; the other commands of the group stand beside."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from shopward.cli.lazily import Lazily
from shopward.errors import PolicyInvalid
from shopward.risk.policy import Policy, PolicyFiles
from shopward.risk.policy.selftest import run_tests

_FOLDER = click.option(
    "--policy",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A policy folder; the default policy where left out.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")


def compiled(folder: Path | None) -> Policy:
    """The policy in a folder, or the default one."""
    return (PolicyFiles.shipped() if folder is None else PolicyFiles.read(folder)).compiled()


@click.group(
    cls=Lazily,
    elsewhere={
        "backtest": "backtest:backtest",
        "diff": "backtest:diff",
        "publish": "publishing:publish",
        "rollback": "publishing:rollback",
        "list": "publishing:list_",
    },
)
def policy() -> None:
    """Rules: check, test, backtest, compare, publish, roll back."""


@policy.command()
@_FOLDER
@_JSON
def check(folder: Path | None, *, as_json: bool) -> None:
    """Compile a policy and say what it holds, or what is wrong and where.

    \b
    Examples:
      shopward policy check
      shopward policy check --policy ./my-policy
    """
    try:
        made = compiled(folder)
    except PolicyInvalid as wrong:
        if not as_json:
            raise
        click.echo(msgspec.json.encode({"ok": False, "message": wrong.message, **wrong.diagnostics()}))
        sys.exit(1)
    rules, features = len(made.rules), len(made.spec.features)
    if as_json:
        click.echo(
            msgspec.json.encode({"ok": True, "policy": made.version, "rules": rules, "features": features})
        )
    else:
        click.echo(f"{made.version}: {rules} rules over {features} features compile")


@policy.command()
@_FOLDER
@_JSON
def test(folder: Path | None, *, as_json: bool) -> None:
    """Run the tests that stand beside the rules; exit code 1 where one fails.

    \b
    Examples:
      shopward policy test
      shopward policy test --policy ./my-policy --json
    """
    results = list(run_tests(compiled(folder)))
    failed = [result for result in results if not result.passed]
    if as_json:
        body = {"passed": len(results) - len(failed), "failed": [result._asdict() for result in failed]}
        click.echo(msgspec.json.encode(body))
    else:
        for result in failed:
            click.echo(f"FAILED {result.rule} test {result.number}: {result.message}")
        click.echo(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)
