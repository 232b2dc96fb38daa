"""``shopward vault canary``: records of nobody that tell who read or leaked them.

Promise: the ids are printed to who plants them and to nobody later.
"""

from __future__ import annotations

from typing import Any

import click

from shopward.cli.talk import say, server_options, talk_to
from shopward.leaks.decoys import LANGUAGES


@click.command()
@click.option("--count", type=click.IntRange(1, 200), default=5, show_default=True, help="How many.")
@click.option(
    "--region", type=click.Choice(list(LANGUAGES)), required=True, help="Of which country their orders look."
)
@click.option("--phones", required=True, help="How the numbers of your own pool begin, such as +62851000.")
@click.option("--domain", required=True, help="A domain of yours whose mailbox takes every address.")
@click.option(
    "--partner", default="", help="For whom: its shares carry them.  [default: traps for everybody]"
)
@server_options
def canary(count: int, region: str, phones: str, domain: str, partner: str, **server: Any) -> None:
    """Plant canaries in the vault. Who asks for a trap is locked at once; what a partner leaks names it.

    \b
    Examples:
      shopward vault canary --count 5 --region ID --phones +62851000 --domain shop.example --partner fast-courier
    """
    asked = {"count": count, "region": region, "phones": phones, "domain": domain, "partner": partner}
    said = talk_to(**server).ask("POST", "/v1/vault/canaries", asked)
    text = f"planted for {said['recipient'] or 'nobody'}: {' '.join(said['records'])}"
    say(said, text, as_json=server["as_json"])
