"""The ``shopward`` command and how errors leave it."""

from __future__ import annotations

import sys
from typing import Any

import click

from shopward.cli.audit import audit
from shopward.cli.backtest import backtest, diff
from shopward.cli.case import case
from shopward.cli.claim import claim
from shopward.cli.complaint import complaint
from shopward.cli.consent import consent, processing
from shopward.cli.conversation import conversation
from shopward.cli.demo import demo
from shopward.cli.doctor import doctor
from shopward.cli.import_ import import_
from shopward.cli.incident import incident
from shopward.cli.ledger import ledger
from shopward.cli.line import line
from shopward.cli.order import order
from shopward.cli.partner import partner
from shopward.cli.passwords import passwords
from shopward.cli.policy import policy
from shopward.cli.publishing import list_, publish, rollback
from shopward.cli.recovery import recovery
from shopward.cli.replay import replay
from shopward.cli.report import report
from shopward.cli.screen import screen
from shopward.cli.screen_bundle import bundle as screen_bundle
from shopward.cli.screen_messages import train_messages
from shopward.cli.screen_passwords import password
from shopward.cli.screen_train import train as train_links
from shopward.cli.scrub import scrub_
from shopward.cli.serve import serve
from shopward.cli.signals import signals
from shopward.cli.simulate import simulate
from shopward.cli.train import train
from shopward.cli.vault import vault
from shopward.cli.victims import set_
from shopward.cli.webhook import webhook
from shopward.errors import Misconfigured, ShopwardError


class _Shopward(click.Group):
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
    cls=_Shopward, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="shopward")
def main() -> None:
    """Shopward keeps a shop's promise: your account and your data are safe with us.

    \b
    Try it:   shopward demo
    Run it:   shopward serve --data ./shopward-data
    Learn:    shopward replay events.ndjson.gz --out decisions.ndjson
    """


for command in (
    demo,
    serve,
    doctor,
    replay,
    train,
    report,
    simulate,
    import_,
    screen,
    scrub_,
    vault,
    partner,
    signals,
    policy,
    order,
    recovery,
    audit,
    webhook,
    passwords,
    case,
    claim,
    complaint,
    consent,
    processing,
    incident,
    line,
    conversation,
    ledger,
):
    main.add_command(command)
order.add_command(set_)
for command in (password, train_links, train_messages, screen_bundle):
    screen.add_command(command)
for command in (backtest, diff, publish, rollback, list_):
    policy.add_command(command)
