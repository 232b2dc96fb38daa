"""Orders for people: what is stopped, what still works, how it ends, in id, zh and en.

Promise: an explanation is made of the order alone; it names no customer, holds no link (the first word after an attack
must not train anybody to follow one) and says of every order how it ends. The languages have the same texts (a test
holds them against each other).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopward.protection.operations import GROUPS, OPERATIONS
from shopward.protection.orders import KINDS, Limit, Measured
from shopward.values import to_rfc3339, written_amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.protection.orders import Order

LANGUAGES: Final = ("id", "zh", "en")
REASON_PREFIX: Final = "order_"
"""Reasons of a decision that an order made: ``order_freeze`` and so on."""
_HOUR_S: Final = 3_600
_OTHERS: Final = frozenset(GROUPS["personal_data"])
"""What customers do not do themselves is not told them as still working."""


class Explanation(Struct, frozen=True):
    """What customers may be told."""

    why: str
    stopped: str
    works: str
    ends: str


class TargetView(Struct, frozen=True, omit_defaults=True):
    """Whom an order is about: its kind, how many tokens, the predicate, or the id of a victim set."""

    kind: str
    tokens: int = 0
    predicate: str = ""
    victim_set_id: str = ""


class Progress(Struct, frozen=True):
    """How far a reset or a release is: of how many covered users it is done."""

    done: int
    of: int
    share: float
    exact: bool


class OrderView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as the API shows it; moments that are not set are left out.

    Attributes:
        decision_id: the decision whose consequence it is, where nobody placed it.
        review_due: whether its review date has passed; it stays in force.
        release_requested_by: who asked for the release of a mass order, which a second person has to approve.
        exceptions: how many users were released one by one.
        progress: asked for with ``?progress=true``.
        user: the shop's id of the one user that it is about, where one order is asked for and the log has heard of the user.
    """

    id: str
    kind: str
    state: str
    scope: tuple[str, ...]
    target: TargetView
    reason: str
    incident: str = ""
    decision_id: str = ""
    author: str
    approver: str = ""
    created_at: str
    starts_at: str
    ends_at: str = ""
    review_at: str = ""
    review_due: bool = False
    ended_at: str = ""
    release: tuple[str, ...] = ()
    release_requested_by: str = ""
    released_by: str = ""
    limit: Limit | None = None
    assurance: int = 0
    exclude: tuple[str, ...] = ()
    provider: str = ""
    supersedes: str = ""
    version: int = 0
    measured: Measured | None = None
    exceptions: int = 0
    progress: Progress | None = None
    user: str = ""
    explanation: Explanation


def view(
    order: Order,
    *,
    language: str,
    at_ms: int,
    exceptions: int = 0,
    progress: Progress | None = None,
    user: str = "",
) -> OrderView:
    """An order for the API."""
    standing = order.standing
    target = standing.target
    return OrderView(
        id=order.id,
        kind=standing.kind,
        state=order.state,
        scope=standing.scope,
        target=TargetView(target.kind, len(target.tokens), target.predicate, target.set_id),
        reason=standing.reason,
        incident=order.incident,
        decision_id=order.decision,
        author=order.author,
        approver=order.approver,
        created_at=to_rfc3339(order.created_ms),
        starts_at=to_rfc3339(standing.begun_ms or order.starts_ms),
        ends_at=_moment(standing.ends_ms),
        review_at=_moment(order.review_ms),
        review_due=order.state == "active" and 0 < order.review_ms <= at_ms,
        ended_at=_moment(order.ended_ms),
        release=order.release,
        release_requested_by=order.release_by,
        released_by=order.released_by,
        limit=standing.limit,
        assurance=standing.assurance,
        exclude=standing.exclude,
        provider=standing.provider,
        supersedes=order.supersedes,
        version=standing.begun,
        measured=order.measured,
        exceptions=exceptions,
        progress=progress,
        user=user,
        explanation=explain(order, language),
    )


def explain(order: Order, language: str, *, moment: Callable[[int], str] | None = None) -> Explanation:
    """The four sentences of an order; ``moment`` writes times where RFC 3339 is not for the reader."""
    at = moment or _moment
    texts, gap = _texts(language), "" if language == "zh" else " "
    standing = order.standing
    names = texts["operation"]
    limit = standing.limit
    stopped = texts["stopped"][standing.kind].format(
        what=_listed((names[operation] for operation in standing.scope), language),
        until=at(standing.ends_ms) if standing.ends_ms else "",
        provider=standing.provider,
        amount="" if limit is None else written_amount(limit.amount_minor, limit.currency, language),
        hours="" if limit is None else f"{limit.window_s / _HOUR_S:g}",
    )
    if standing.provider and standing.kind != "unlink":
        stopped += gap + texts["narrowed"]["provider"].format(provider=standing.provider)
    left = [each for each in OPERATIONS if each not in standing.scope and each not in _OTHERS]
    works = "all" if standing.kind not in ("freeze", "delay") else "some" if left else "none"
    ends = []
    if standing.ends_ms:
        ends.append(texts["ends"]["at"].format(until=at(standing.ends_ms)))
    if order.review_ms:
        ends.append(texts["ends"]["review"].format(until=at(order.review_ms)))
    ends += [texts["ends"][condition] for condition in order.release]
    return Explanation(
        texts["reason"][standing.reason],
        stopped,
        texts["works"][works].format(what=_listed((names[operation] for operation in left), language)),
        gap.join(ends),
    )


def decision_texts(language: str) -> dict[str, str]:
    """The texts of the reasons that orders give decisions, by code."""
    texts = _texts(language)["decision"]
    return {REASON_PREFIX + kind: texts[kind] for kind in KINDS}


@cache
def _texts(language: str) -> dict[str, Any]:
    file = resources.files("shopward.protection") / "texts.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))[language if language in LANGUAGES else "en"]  # type: ignore[no-any-return]


def _listed(names: Any, language: str) -> str:
    return ("\uff0c" if language == "zh" else ", ").join(names)


def _moment(at_ms: int) -> str:
    return to_rfc3339(at_ms) if at_ms else ""
