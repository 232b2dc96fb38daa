"""Model bundles in files.

Promise: a file is read at most up to the bound of a bundle and checked whole; what is no sound bundle, or was made for
other features than those of the policy, is refused with its reason, and the policy is as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.errors import NotFound
from shopward.keyring.parts import BYTES_MAX
from shopward.risk.models import Scorer, Scorers, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from shopward.risk.models import Bundle
    from shopward.risk.policy import Policy


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file.

    Raises:
        NotFound: there is no such file, or it cannot be read.
        ModelInvalid: it is no sound bundle.
    """
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError:
        data = None
    if data is None:
        raise NotFound(
            "there is no model bundle",
            path=path.name,
            expected="a file that this user may read",
            found="none",
        )
    return unpack(data)


def put_in_force(policy: Policy, paths: Iterable[Path]) -> None:
    """Let the models of these files score under a policy; none leaves it to its rules.

    Raises:
        NotFound: see ``read_bundle``.
        ModelInvalid: see ``read_bundle``; or the policy has no such model, or declares other features.
    """
    scorers = []
    for path in paths:
        bundle = read_bundle(path)
        scorers.append(Scorer(bundle, policy.inputs.get(bundle.head.name)))
    policy.scorers = Scorers(scorers) if scorers else None
