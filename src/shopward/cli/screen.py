"""``shopward screen``: whose is a link or a sender, as one JSON verdict a line.

Promise: it needs the shop's profile and nothing else: no server, no store, no network. ``-`` reads one JSON object a line
and gives one answer a line, in order; a line that is refused is answered with its error and spoils no other. Without
``--profile`` nothing is official, and what speaks against a link by itself is still told.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from shopward.cli.lazily import Lazily
from shopward.errors import InvalidField, MalformedInput, ShopwardError
from shopward.flows.screen import LinkAsked, MessageAsked, SenderAsked
from shopward.screening import LANGUAGES, LinkLists, Reason, check_link, check_sender, load_profile, screened
from shopward.screening.links.learned.bundle import scorer_of, shipped_scorer
from shopward.screening.links.lists import read_entries
from shopward.screening.lint import lint_template
from shopward.screening.messages import check_message, load_model, shipped_model
from shopward.screening.profile import nobodys_profile, refuse_faults, warnings_of
from shopward.screening.wording import reason_of
from shopward.values import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.screening import Profile
    from shopward.screening.links.learned.model import LinkScorer

T = TypeVar("T")
FLAGGED: Final = frozenset(("suspicious", "dangerous", "reject"))
"""Verdicts that end the command with 1 where one thing was asked about."""

with_profile: Final = click.option(
    "--profile", "profile_file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The shop's profile, TOML.",
)  # fmt: skip
in_language: Final = click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the reasons."
)


@click.group(
    cls=Lazily,
    elsewhere={
        "password": "screen_passwords:password",
        "train": "screen_train:train",
        "train-messages": "screen_messages:train_messages",
        "bundle": "screen_bundle:bundle",
    },
)
def screen() -> None:
    """Ask whose a link, a message or a sender is, and whether a password may be used.

    Exit code 1 where one VALUE was asked about and it is suspicious, dangerous or rejected, or where lines were refused.
    """


@screen.command()
@click.argument("value", metavar="[URL or -]")
@with_profile
@click.option(
    "--bundle",
    "bundle",
    metavar="BUNDLE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The learned part, of shopward screen train.  [default: the one that ships]",
)
@click.option(
    "--list",
    "lists",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Reported links, one JSON object a line: link, scope, source, seen; may be repeated.",
)
@in_language
def link(
    value: str, profile_file: Path | None, bundle: Path | None, lists: tuple[Path, ...], language: str
) -> None:
    r"""Whose is this link, and whom does it imitate? Nothing is opened.

    \b
    Examples:
      shopward screen link https://tokonusa.co.id.example.net/login --profile shop.toml
      shopward screen link - --profile shop.toml --language id < links.ndjson
    """
    profile = profile_of_file(profile_file)
    scorer = _scorer(bundle, is_many=value == "-")
    learned = None if scorer is None else scorer.findings
    version = "" if scorer is None else scorer.version
    listed = LinkLists(entry for file in lists for entry in read_entries(file.read_bytes()))
    for entry, reason in listed.refused:
        click.echo(f"not listed: an entry of {entry.source}: {reason}", err=True)
    at_ms = SystemClock().now_ms()

    def judge(asked: LinkAsked) -> Any:
        verdict = check_link(asked.url, profile, lists=listed, learned=learned, at_ms=at_ms)
        return screened(verdict, asked.url, language, profile=profile.version, model=version, id_=asked.id)

    answer(value, LinkAsked, lambda given: LinkAsked(url=given), judge)


@screen.command()
@click.argument("value", metavar="[TEXT or -]")
@click.option("--channel", default="", help="Where it came: sms, whatsapp, email, ...")
@click.option("--sender", default="", help="Who it is from, as the phone shows it.")
@click.option(
    "--bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The learned part for wording, of shopward screen train-messages.  [default: the one that ships]",
)
@click.option(
    "--link-bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The learned part for its links, of shopward screen train.  [default: the one that ships]",
)
@with_profile
@in_language
def message(
    value: str,
    channel: str,
    sender: str,
    bundle: Path | None,
    link_bundle: Path | None,
    profile_file: Path | None,
    language: str,
) -> None:
    r"""What does this message ask for, whom does it claim to be, where does it lead?

    \b
    Examples:
      shopward screen message "Kirim kode OTP Anda ke 0812-3456-7890" --channel whatsapp --profile shop.toml
      shopward screen message - --profile shop.toml < messages.ndjson
    """
    profile = profile_of_file(profile_file)
    is_many = value == "-"
    model = shipped_model(fast=is_many) if bundle is None else load_model(bundle.read_bytes(), fast=is_many)
    scorer = _scorer(link_bundle, is_many=is_many)
    learned = None if scorer is None else scorer.findings  # of its links, as a server judges them

    def judge(asked: MessageAsked) -> Any:
        verdict = check_message(
            asked.text, profile, channel=asked.channel, sender=asked.sender, model=model, learned=learned
        )
        return screened(
            verdict, asked.text, language, profile=profile.version, model=model.version, id_=asked.id
        )

    answer(value, MessageAsked, lambda given: MessageAsked(text=given, channel=channel, sender=sender), judge)


@screen.command()
@click.argument("value", metavar="[SENDER or -]")
@click.option("--channel", default="", help="Where it was met: sms, whatsapp, call, email, ...")
@with_profile
@in_language
def sender(value: str, channel: str, profile_file: Path | None, language: str) -> None:
    r"""Is this number, address or account really the shop's?

    \b
    Examples:
      shopward screen sender "+62 811-1000-200" --channel whatsapp --profile shop.toml
      shopward screen sender - --profile shop.toml < senders.ndjson
    """
    profile = profile_of_file(profile_file)

    def judge(asked: SenderAsked) -> Any:
        verdict = check_sender(asked.sender, profile, channel=asked.channel)
        return screened(verdict, asked.sender, language, profile=profile.version, id_=asked.id)

    answer(value, SenderAsked, lambda given: SenderAsked(sender=given, channel=channel), judge)


class TemplateAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template; ``has_code`` where its words do not tell."""

    text: str
    id: str | None = None
    has_code: bool | None = None


@screen.command()
@click.argument("value", metavar="[TEXT or -]")
@with_profile
@in_language
def lint(value: str, profile_file: Path | None, language: str) -> None:
    r"""Check the shop's own templates: official links only, codes bound to its site, and the sentence that it never asks.

    Exit code 1 where a template has a fault, so that it can stand in continuous integration.

    \b
    Examples:
      shopward screen lint "Kode OTP Anda {code}" --profile shop.toml
      shopward screen lint - --profile shop.toml < templates.ndjson
    """
    profile = profile_of_file(profile_file)
    faulty = False

    def judge(asked: TemplateAsked) -> Any:
        nonlocal faulty
        faults = [
            reason_of(each, language) for each in lint_template(asked.text, profile, has_code=asked.has_code)
        ]
        faulty = faulty or bool(faults)
        return Linted(asked.id, not faults, faults)

    answer(value, TemplateAsked, lambda given: TemplateAsked(text=given), judge, is_bad=lambda: faulty)


class Linted(msgspec.Struct, frozen=True):
    """What is wrong with a template."""

    id: str | None
    ok: bool
    faults: list[Reason]


@screen.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def profile(file: Path, *, as_json: bool) -> None:
    r"""Check a profile as a publication would, and say what is unwise about it.

    \b
    Examples:
      shopward screen profile shop.toml
    """
    checked = load_profile(file.read_bytes())
    refuse_faults(checked)
    warnings = warnings_of(checked)
    if as_json:
        click.echo(msgspec.json.encode({"version": checked.version, "warnings": warnings}))
        return
    click.echo(f"{checked.spec.name}, version {checked.version}: good")
    for warning in warnings:
        click.echo(f"  {warning}")


def _scorer(bundle: Path | None, *, is_many: bool) -> LinkScorer | None:
    """What scores links; in machine code for many of them alone, since that takes long to load."""
    return shipped_scorer(fast=is_many) if bundle is None else scorer_of(bundle.read_bytes(), fast=is_many)


def profile_of_file(file: Path | None) -> Profile:
    """The profile that a file holds, refused where it would judge the shop's own wrongly; nobody's where there is none."""
    if file is None:
        return nobodys_profile()
    loaded = load_profile(file.read_bytes())
    refuse_faults(loaded)
    return loaded


def answer(
    value: str,
    shape: type[T],
    asked_of: Callable[[str], T],
    judge: Callable[[T], Any],
    *,
    is_bad: Callable[[], bool] | None = None,
) -> None:
    """The verdict on a value, or, for ``-``, on each line of standard input; ``is_bad`` decides how it ends."""
    if value != "-":
        said = judge(asked_of(value))
        click.echo(msgspec.json.encode(said))
        sys.exit(1 if (is_bad() if is_bad else said.verdict in FLAGGED) else 0)
    decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(shape)
    refused = False
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            said = judge(decoded(decoder, line))
        except ShopwardError as wrong:
            refused = True
            said = {"line": number, "code": wrong.code, "detail": wrong.message, **wrong.diagnostics()}
        click.echo(msgspec.json.encode(said))
    sys.exit(1 if refused or (is_bad is not None and is_bad()) else 0)


def decoded(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    """A line of standard input as what was asked; refused without a word of its content."""
    try:
        return decoder.decode(line)
    except msgspec.ValidationError as wrong:
        text, _, path = str(wrong).partition(" - at `$")
        raise InvalidField(
            "the line cannot be used", path=path.strip("`.") or None, expected=text[:160]
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedInput("not a JSON object", expected="one JSON object in UTF-8") from None
