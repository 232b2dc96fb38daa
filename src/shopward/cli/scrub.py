"""``shopward scrub``: personal values in free text, masked.

Promise: no server, no store, no network; one JSON object a line in, one out, in order, as soon as it is read. A line that
is refused is answered with its error and never with its text; it spoils no other.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import click
import msgspec
from msgspec import Meta, Struct

from shopward.cli.screen import decoded
from shopward.errors import ShopwardError
from shopward.scrubber import Kind, scrub

if TYPE_CHECKING:
    from shopward.scrubber import Scrubbed

TEXT_CHARS_MAX = 1_000_000


class ScrubAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A text to mask; ``id`` comes back as it was."""

    text: Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
    id: str | int | None = None


class SpanFound(Struct, frozen=True):
    """Where a value stood in the text as it was given, in code points, and what it was."""

    start: int
    end: int
    type: Kind


class ScrubGiven(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The masked text."""

    id: str | int | None = None
    text: str
    spans: list[SpanFound]


@click.command("scrub")
@click.argument("value", metavar="[TEXT or -]", default="-")
def scrub_(value: str) -> None:
    r"""Mask personal values in free text: Indonesian, Chinese, English.

    Reads ``{"id","text"}`` a line from standard input and writes ``{"id","text","spans"}``; or takes one TEXT.

    \b
    Examples:
      shopward scrub - < chats.ndjson > masked.ndjson
      shopward scrub "hubungi saya di 0812-3456-7890"
    """
    out = sys.stdout.buffer
    if value != "-":
        out.write(msgspec.json.encode(_given(scrub(value), None)) + b"\n")
        return
    decoder: msgspec.json.Decoder[ScrubAsked] = msgspec.json.Decoder(ScrubAsked)
    refused = False
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        said: Any
        try:
            asked = decoded(decoder, line)
            said = _given(scrub(asked.text), asked.id)
        except ShopwardError as wrong:
            refused = True
            said = {"line": number, "code": wrong.code, "detail": wrong.message, **wrong.diagnostics()}
        out.write(msgspec.json.encode(said) + b"\n")
        out.flush()
    sys.exit(1 if refused else 0)


def _given(masked: Scrubbed, id_: str | int | None) -> ScrubGiven:
    spans = [SpanFound(start, end, kind) for start, end, kind in masked.spans]
    return ScrubGiven(id=id_, text=masked.text, spans=spans)
