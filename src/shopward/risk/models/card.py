"""The model card: what a person should know before a model decides about customers.

Promise: everything on it is taken from the training itself, and what was not measured is said not to be.
After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.forest import Forest
    from shopward.risk.models.bundle import Head
    from shopward.risk.models.evaluation import Evaluation, Figures
    from shopward.risk.policy.spec import ModelSpec

_COLUMNS_SHOWN = 15


def card_of(head: Head, spec: ModelSpec, forest: Forest) -> str:
    """The card in Markdown."""
    return "\n".join(_lines(head, spec, forest)) + "\n"


def _lines(head: Head, spec: ModelSpec, forest: Forest) -> Iterator[str]:
    yield f"# Model `{head.name}`"
    yield ""
    yield spec.description
    yield ""
    yield "## What it is for"
    yield ""
    yield f"Scores {', '.join(head.types)}. A score of 50 says that one in thirty such events is fraud, 90 one in four."
    left_out = [type_ for type_ in spec.types if type_ not in head.types]
    if left_out:
        yield f"Not scored, for too few examples: {', '.join(left_out)}. There the rules go on speaking."
    yield (
        "It adds a score to what rules decide; it is not meant to deny anybody by itself, and not for any purpose but"
        " fraud."
    )
    yield ""
    yield "## What it learnt from"
    yield ""
    yield f"- Events from {to_rfc3339(head.from_ms)} to {to_rfc3339(head.until_ms)}, under policy `{head.policy}`."
    yield f"- {head.frauds} labelled frauds and {head.genuine} genuine events."
    yield (
        f"- An event that nobody labelled counts as genuine once it is {head.label_delay_ms / DAY_MS:g} days old:"
        " fraud that nobody noticed is learnt as genuine."
    )
    yield (
        "- No names, addresses, devices, networks, countries or languages are inputs: features compare a customer with"
        " their own past, or count what happens elsewhere."
    )
    yield ""
    yield "## How well it does"
    yield ""
    if head.evaluation is None:
        yield "Not measured: the last quarter of the examples holds too few labels."
    else:
        yield from _evaluated(head.evaluation)
    yield ""
    yield "## What it looks at most"
    yield ""
    for name, share in _weights(head, forest)[:_COLUMNS_SHOWN]:
        yield f"- `{name}` {share:.1%}"
    yield ""
    yield "## Limits"
    yield ""
    yield "- It knows the attacks of its data window. Train it again when attacks or customers change."
    yield "- Whether it asks some groups of customers more often than others: `shopward report fairness`."
    yield f"- {len(forest.roots)} trees, seed {head.seed}; the same data and versions give the same bytes."


def _evaluated(evaluation: Evaluation) -> Iterator[str]:
    yield (
        f"Learnt from {evaluation.learnt_from} frauds known before {to_rfc3339(evaluation.split_ms)}, scored the"
        f" {evaluation.rows} events after it ({evaluation.frauds} frauds). The model of this bundle learnt from all of"
        " them, so these are the figures of its predecessor with the same settings."
    )
    yield ""
    yield (
        "| score | AUC | average precision | "
        + " | ".join(
            f"caught at {rate} false alarms" for rate in next(iter(evaluation.figures.values())).caught
        )
        + " |"
    )
    yield "|---" * (3 + len(next(iter(evaluation.figures.values())).caught)) + "|"
    for name, figures in evaluation.figures.items():
        yield _row(name, figures)
    for type_, figures in evaluation.by_type.items():
        yield _row(f"model, {type_}", figures)
    if "freeman" in evaluation.figures:
        yield ""
        yield "`freeman` is the login likelihood of Freeman et al. (2016) over logins alone: compare with `model, login`."


def _row(name: str, figures: Figures) -> str:
    caught = " | ".join(f"{share:.3f}" for share in figures.caught.values())
    return f"| {name} | {figures.auc:.3f} | {figures.average_precision:.3f} | {caught} |"


def _weights(head: Head, forest: Forest) -> list[tuple[str, float]]:
    """How much of all movement in the trees each column makes, largest first."""
    moved = [0.0] * len(head.columns)
    for node, asks in enumerate(forest.column):
        if asks >= 0:
            moved[asks] += abs(forest.value[forest.left[node]] - forest.value[node])
            moved[asks] += abs(forest.value[forest.right[node]] - forest.value[node])
    total = sum(moved) or 1.0
    return sorted(
        ((name, by / total) for name, by in zip(head.columns, moved, strict=True)), key=lambda each: -each[1]
    )
