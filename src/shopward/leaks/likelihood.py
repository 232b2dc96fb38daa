"""How well an explanation fits a leak: a leaker draws from what he was shown, some rows come from elsewhere.

Promise: with R rows shown, M rows in all, a share e from elsewhere, n leaked rows of which k were shown, the log likelihood
is k ln((1 - e)/R + e/M) + (n - k) ln(e/M), taken at the best e of a grid, the same for every explanation. Rivals that nobody
logged are weighed beside the recipients: the whole table, the best contiguous window of it (minus 2 ln M for the choice of
its ends), and groups such as a region or a page. Papadimitriou and Garcia-Molina (TKDE 23(1), 2011) weigh neither sizes nor
rivals and name innocents where scopes are nested.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHARES: Final = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_ENDS_MAX: Final = 120
"""So many leaked rows are tried as ends of a window; of more, evenly spread ones."""
FALSE_ACCUSATION_MAX: Final = 1e-6
"""For all recipients together."""
RUNNER_UP_ODDS: Final = 1_000
"""So much likelier than the next recipient is a lead."""


class Rival(NamedTuple):
    """An explanation in which none of the logged leaked."""

    name: str
    log_likelihood: float


def profile_likelihood(leaked: int, shown: int, size: int, total: int) -> float:
    """Of ``leaked`` rows ``shown`` lie in a set of ``size`` among ``total`` rows."""
    if size == 0:
        return -math.inf
    return max(
        shown * math.log((1 - share) / size + share / total) + (leaked - shown) * math.log(share / total)
        for share in _SHARES
    )


def best_window(positions: Sequence[int], total: int) -> Rival:
    """The stretch of the table that explains the leak best, its ends paid for."""
    ordered = sorted(positions)
    step = max(1, -(-len(ordered) // _ENDS_MAX))
    ends = sorted({*range(0, len(ordered), step), len(ordered) - 1})
    best = -math.inf
    for at, first in enumerate(ends):
        for last in ends[at + 1 :]:
            size = ordered[last] - ordered[first] + 1
            best = max(
                best, profile_likelihood(len(ordered), last - first + 1, max(size, last - first + 1), total)
            )
    return Rival("an unlogged window of the table", best - 2 * math.log(total))


def rivals(
    positions: Sequence[int], total: int, groups: Mapping[str, tuple[int, int]] | None = None
) -> list[Rival]:
    """Every explanation without a recipient; a group is how many leaked rows lie in it and how many rows it has."""
    leaked = len(positions)
    found = [Rival("the whole table, unlogged", -leaked * math.log(total))]
    if leaked > 1:
        found.append(best_window(positions, total))
    for name, (shown, size) in (groups or {}).items():
        found.append(
            Rival(name, profile_likelihood(leaked, shown, size, total) - math.log(len(groups or ())))
        )
    return found


class Weighed(NamedTuple):
    """The log of accesses on one leak.

    Attributes:
        likelihood: the log likelihood of each recipient who could have shown any of the rows.
        rival: the best explanation without a recipient.
        lead: who is likelier than every such explanation by the odds for an accusation, and than the next recipient.
    """

    likelihood: dict[str, float]
    rival: Rival
    lead: str | None


def weigh(
    sources: Mapping[str, Sequence[str]], sizes: Mapping[str, int], *, total: int, positions: Sequence[int],
    groups: Mapping[str, tuple[int, int]] | None = None,
) -> Weighed:  # fmt: skip
    """What the log of accesses says.

    Args:
        sources: for each leaked record who could have shown it.
        sizes: how many records each recipient was shown.
        total: how many records there are.
        positions: where the leaked records stand in the table.
        groups: of each region or page how many leaked rows lie in it and how many rows it has.
    """
    count = Counter(name for names in sources.values() for name in names)
    fit = {name: profile_likelihood(len(sources), shown, sizes[name], total) for name, shown in count.items()}
    rival = max(rivals(positions, total, groups), key=_fit)
    ranked = sorted(fit.values(), reverse=True)
    lead = None
    if ranked:
        name = max(fit, key=lambda each: fit[each])
        runner_up = ranked[1] if len(ranked) > 1 else -math.inf
        above_all = ranked[0] - rival.log_likelihood > math.log(len(sizes) / FALSE_ACCUSATION_MAX)
        if above_all and ranked[0] - runner_up > math.log(RUNNER_UP_ODDS):
            lead = name
    return Weighed(fit, rival, lead)


def _fit(rival: Rival) -> float:
    return rival.log_likelihood


def shares(sources: Sequence[Sequence[str]], sizes: Mapping[str, int], total: int) -> dict[str, float]:
    """Which share of the leak each recipient explains where several leaked: the mixture of greatest likelihood.

    The likelihood is concave, so these steps (EM) end at its maximum. ``sources`` are who could have shown each row.
    """
    names = sorted({name for row in sources for name in row})
    weights = dict.fromkeys([*names, ""], 1 / (len(names) + 1))
    for _step in range(200):
        gathered = dict.fromkeys(weights, 0.0)
        for row in sources:
            parts = {name: weights[name] / sizes[name] for name in row} | {"": weights[""] / total}
            whole = math.fsum(parts.values())
            for name, part in parts.items():
                gathered[name] += part / whole
        weights = {name: part / max(1, len(sources)) for name, part in gathered.items()}
    return {name: weight for name, weight in weights.items() if name and weight > 0.01}
