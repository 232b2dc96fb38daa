"""``shopward screen password``: may this password be chosen, as one JSON verdict a line.

Promise: it needs no server; stolen passwords are asked about only where a store or a range service is named. A password on the
command line can be seen by others on the machine and stays in the shell's history: give ``-`` and standard input instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from shopward.cli.screen import answer, in_language, profile_of_file, with_profile
from shopward.http.passwords import PasswordAsked, PasswordReasonView, PasswordScreened
from shopward.screening.passwords import Rules, screen_password
from shopward.service.passwords import open_corpora

if TYPE_CHECKING:
    from shopward.screening import Profile


@click.command()
@click.argument("value", metavar="[PASSWORD or -]")
@click.option(
    "--store",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A store of shopward passwords build.",
)
@click.option("--range-url", default="", help="A range service, such as https://api.pwnedpasswords.com.")
@with_profile
@in_language
def password(
    value: str, store: Path | None, range_url: str, profile_file: Path | None, language: str
) -> None:
    r"""May this password be chosen? Stolen and guessable ones, names of the person and of the shop are rejected.

    Lines of - are {"id","password","context":{...}}: words of the person by any name, and sole_factor true or false.

    \b
    Examples:
      shopward screen password - --store pwned.bin --profile shop.toml < candidates.ndjson
    """
    _, corpora = open_corpora("" if store is None else str(store), range_url)
    rules = Rules(words=_shop_words(profile_of_file(profile_file)))

    def judge(asked: PasswordAsked) -> Any:
        found = screen_password(
            asked.password, rules=rules, corpora=corpora, context=asked.context, language=language
        )
        return PasswordScreened(
            found.verdict, [PasswordReasonView(each.code, each.text) for each in found.reasons], found.breach_count,
            found.strength, found.guesses_log10, asked.id,
        )  # fmt: skip

    answer(value, PasswordAsked, lambda given: msgspec.convert({"password": given}, PasswordAsked), judge)


def _shop_words(profile: Profile) -> tuple[str, ...]:
    return (*profile.names, *profile.official_domains)
