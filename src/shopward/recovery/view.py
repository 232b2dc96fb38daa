"""A recovery for people: what is stopped, what still works, what comes next, in id, zh and en.

Promise: the texts of a state are the same in number in all three languages (a test holds them against each other), hold no
link and name nobody.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.recovery.cases import PROOF_MS
from shopward.recovery.states import STEPS
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.recovery.cases import Case

LANGUAGES: Final = ("id", "zh", "en")


class ChangeView(Struct, frozen=True, omit_defaults=True):
    """Something about the account that changed since the compromise.

    Attributes:
        event_id: of the event that told of it; it is named in the review.
        kind: device, sign_in, payee, payment_method, address, identity, contact, factor or api_token.
        type: of the event.
        os: the system that it came from; so browser and country.
    """

    event_id: str
    kind: str
    type: str
    at: str
    os: str = ""
    browser: str = ""
    country: str = ""


class RecoveryTexts(Struct, frozen=True):
    """What its owner is told."""

    stopped: str
    works: str
    next: str


class RecoveryView(Struct, frozen=True, kw_only=True):
    """A recovery; every key is always there.

    Attributes:
        next: the step that comes next; empty at the end.
        since: since when something was wrong, as far as it was said.
        until: until when the steps may take the proof that was given.
        orders: what was placed for it.
        released: orders that its owner was let out of.
        changes: what is to be reviewed, newest first.
        complete: false where there are more than could be looked at.
    """

    id: str
    state: str
    next: str
    reason: str
    opened_at: str
    since: str
    until: str = ""
    factor: str = ""
    orders: tuple[str, ...]
    released: tuple[str, ...] = ()
    changes: tuple[ChangeView, ...] = ()
    complete: bool = True
    explanation: RecoveryTexts


def view(
    case: Case, language: str, changes: Sequence[ChangeView] = (), *, complete: bool = True
) -> RecoveryView:
    """A case for the API."""
    is_under_way = case.state not in ("frozen", "released")
    return RecoveryView(
        id=case.id,
        state=case.state,
        next=STEPS.get(case.state, ""),
        reason=case.reason,
        opened_at=to_rfc3339(case.opened_ms),
        since=to_rfc3339(case.since_ms),
        until=to_rfc3339(case.proved_ms + PROOF_MS) if is_under_way else "",
        factor=case.factor,
        orders=case.orders,
        released=case.released,
        changes=tuple(changes),
        complete=complete,
        explanation=RecoveryTexts(**_texts(language)[case.state]),
    )


@cache
def _texts(language: str) -> dict[str, Any]:
    file = resources.files("shopward.recovery") / "texts.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))[language if language in LANGUAGES else "en"]  # type: ignore[no-any-return]
