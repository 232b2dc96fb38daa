"""The model card: for people, what a bundle of the learned part was made from and how well it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopward.screening.links.learned.bundle import Head

_WHAT = {"host": "bare hosts", "link": "full links, one a host"}


def card_of(head: Head, words: int) -> str:
    """The card, in Markdown."""
    lines = [
        "# Learned part of link screening",
        "",
        f"Format {head.format}, words {head.schema}, {words:,} weights. Holds no link that it was trained on.",
        f"Links seen until {head.until}." if head.until else "Links of every date.",
        "",
        "| learnt from | links | kind | digest |",
        "|---|---|---|---|",
        *(
            f"| {each.name} | {each.links:,} | {'fraud' if each.fraud else 'ordinary'} | {each.digest} |"
            for each in head.sources
        ),
        "",
        "Held out by registered domain, four folds, one link a host:",
        "",
        "| judged | fraud | ordinary | found at 1 false alarm in 1,000 | in 100 |",
        "|---|---|---|---|---|",
        *(
            f"| {_WHAT[each.what]} | {each.fraud:,} | {each.ordinary:,} | {each.recall_1_in_1000:.1%} | "
            f"{each.recall_1_in_100:.1%} |"
            for each in head.measured
        ),
        "",
        "It knows ordinary sites of the kinds that it was shown, and flags many of any other kind; fraud of later years it finds less of.",
        "Train it on links that your customers visit: `shopward screen train`.",
    ]
    return "\n".join(lines) + "\n"
