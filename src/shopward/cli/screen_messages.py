"""``shopward screen train-messages``: the learned part of message screening, from messages that the user supplies.

Promise: the bundle is written whole or not at all; it holds short strings of letters with weights, and no message. What it was
judged on was held out, by groups of near-duplicates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from shopward.errors import MalformedInput, Misconfigured
from shopward.keyring.files import write_private
from shopward.screening.messages.learned import pack

_FOLDS = 5


@click.command("train-messages")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the bundle here."
)
@click.option(
    "--cues",
    default=20_000,
    show_default=True,
    type=click.IntRange(100, 50_000),
    help="Strings to keep of each reading.",
)
@click.option(
    "--keep-rules",
    is_flag=True,
    help="Let the rules weigh what they weigh without data: for few messages, or for some of the languages alone.",
)
def train_messages(files: tuple[Path, ...], out: Path, cues: int, *, keep_rules: bool) -> None:
    r"""Learn what frauds are worded like, from NDJSON lines {"text","label","group"}; label is fraud or any other word.

    group is shared by near-duplicates; a fifth of the groups judges what was learnt from the others, then all are learnt.
    Needs the extra models. Train only on messages whose licence, and whose senders, let you.

    \b
    Examples:
      shopward screen train-messages reported.ndjson ordinary.ndjson --out messages.bundle
      shopward screen message - --bundle messages.bundle --profile shop.toml < new.ndjson
    """
    try:
        from shopward.screening.messages import training  # noqa: PLC0415 -- an extra
    except ImportError:
        raise Misconfigured(
            "training needs numpy and scipy",
            expected="the extra models",
            hint="pip install 'shopward[models]'",
        ) from None
    messages = [each for file in files for each in training.read_labelled(file.read_bytes())]
    frauds = sum(each.is_fraud for each in messages)
    if not 0 < frauds < len(messages):
        raise MalformedInput(
            "nothing to tell apart", expected="messages of fraud and others", found="one kind"
        )
    folds = training.groups_apart(messages, folds=_FOLDS)
    learnt = [each for each, fold in zip(messages, folds, strict=True) if fold]
    held_out = [each for each, fold in zip(messages, folds, strict=True) if not fold]
    judged = training.train(learnt, about={}, cues=cues, keep_rules=keep_rules)
    figures: dict[str, Any] = training.judged_on(judged, held_out)
    about = {"trained_on": [file.name for file in files], "held_out": figures}
    write_private(out, pack(training.train(messages, about=about, cues=cues, keep_rules=keep_rules)))
    click.echo(msgspec.json.encode({"messages": len(messages), "frauds": frauds, "held_out": figures}))
