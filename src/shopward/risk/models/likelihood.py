"""The named baseline: how much likelier a login is of anybody than of this customer.

Promise: the model of Freeman et al. (NDSS 2016) as Wiefling et al. (TOPS 2022) evaluate it: ``p(x) / p(x | user)`` over
place (address, network, provider, country) and client (browser and system, system, device class), each backing off from
the finer to the coarser, so that a new address in a known network is less strange than a new country. A customer
without history is as likely as anybody: 0. Only logins that succeeded are learnt, whoever made them.

It is there to be compared with, in a training's evaluation. It decides nothing and is kept nowhere.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shopward.events.facts import Facts

PRIOR_WEIGHT: Final = 1.0
"""How many logins the coarser level counts as, at each step of the back-off."""

Path = tuple[str, ...]


class LoginLikelihood:
    """Counts of places and clients, of all and of each user."""

    def __init__(self) -> None:
        self._all: Counter[Path] = Counter()
        self._of_user: defaultdict[str, Counter[Path]] = defaultdict(Counter)
        self._children: defaultdict[Path, set[str]] = defaultdict(set)

    def observe(self, facts: Facts) -> float:
        """The log of the ratio for a login, higher for stranger ones; what succeeded is learnt afterwards."""
        log_ratio = sum(self._log_ratio(facts.user, path) for path in _paths(facts))
        if facts.status == "succeeded":
            for path in _paths(facts):
                for length in range(len(path) + 1):
                    self._all[path[:length]] += 1
                    self._of_user[facts.user][path[:length]] += 1
                    if length:
                        self._children[path[: length - 1]].add(path[length - 1])
        return log_ratio

    def _log_ratio(self, user: str, path: Path) -> float:
        own = self._of_user.get(user)
        if own is None:
            return 0.0
        p_any = p_own = 1.0
        for length in range(
            2, len(path) + 1
        ):  # from the coarsest value on; the first name is the kind of path
            above, here = path[: length - 1], path[:length]
            unseen = 1.0 / (len(self._children[above]) + 1)
            step = (self._all[here] + PRIOR_WEIGHT * unseen) / (self._all[above] + PRIOR_WEIGHT)
            p_own = (own[here] + PRIOR_WEIGHT * p_own * step) / (own[path[:1]] + PRIOR_WEIGHT)
            p_any *= step
        return math.log(p_any) - math.log(p_own)


def _paths(facts: Facts) -> tuple[Path, Path]:
    """Place and client, coarse to fine."""
    return (
        ("place", facts.country, str(facts.asn), facts.net, facts.ip),
        ("client", facts.device_type, facts.os, facts.browser),
    )
