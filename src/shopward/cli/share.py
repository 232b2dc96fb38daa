"""``shopward vault share``: records of the vault for a partner.

Promise: no value passes here; the server seals pages to the partner's key when they are pulled. The token that opens the share is
printed once.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from shopward.cli.talk import say, server_options, talk_to


@click.command()
@click.argument("partner", metavar="PARTNER")
@click.argument("records", nargs=-1, required=True, metavar="RECORD...")
@click.option("--field", "fields", multiple=True, required=True, help="What to share; may be repeated.")
@click.option("--purpose", required=True, help="Why: a purpose of the partner's scope.")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How long it lives.")
@server_options
def share(
    partner: str, records: tuple[str, ...], fields: tuple[str, ...], purpose: str, days: int, **server: Any
) -> None:
    """Share records with a partner: marked for it, sealed to its key, until the days are over.

    \b
    Examples:
      shopward vault share fast-courier o-1 o-2 --purpose delivery --field name --field address
    """
    asked = {"purpose": purpose, "fields": fields, "records": records, "days": days}
    said = talk_to(**server).ask("POST", f"/v1/partners/{quote(partner, safe='')}/shares", asked)
    text = f"{said['id']}: {said['rows']} records, {said['pages']} pages, until {said['expires_at']}\ntoken: {said['token']}"
    say(said, text, as_json=server["as_json"])
