"""Orders: what somebody wants stopped, for whom, why and until when; as asked for, as kept, and as it stands.

Promise:
- nothing permissive exists: every kind takes something away or demands something, and none gives back;
- an order without an end and without a date of review is refused; so is one that nobody could say the reason of;
- what is kept names no customer: users are keyed tokens; persons of staff are named, since they answer for it.

``OrderRequest`` is the body of ``POST /v1/orders``; ``Order`` is what is kept; ``Standing`` is what decisions see and
what the log keeps: no person stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from shopward.errors import InvalidField
from shopward.events.catalogue import Amount, Currency, Id, Moment, Word
from shopward.protection.attributes import predicate_source
from shopward.protection.operations import Operation, expanded, mask
from shopward.protection.states import State
from shopward.risk.policy.spec import Factor
from shopward.values import DAY_MS, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["freeze", "limit", "step_up", "delay", "reset", "revoke", "unlink", "notify_only"]
ReasonCode = Literal[
    "account_at_risk", "credential_stuffing", "takeover", "linked_identity_breach", "data_breach", "payment_fraud",
    "gift_card_fraud", "lost_device", "insider", "phishing", "legal",
]  # fmt: skip
ReleaseCondition = Literal["password_changed", "passkey_enrolled", "identity_proved", "staff_release"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
REASON_CODES: Final[tuple[ReasonCode, ...]] = get_args(ReasonCode)
RELEASE_CONDITIONS: Final[tuple[ReleaseCondition, ...]] = get_args(ReleaseCondition)

VICTIMS_MAX: Final = 10_000
"""Most users that stand in an order itself; more are a stored set (``sets``) or a predicate."""
SPAN_MAX_MS: Final = 400 * DAY_MS
TARGETS: Final = (
    "user", "victim_set", "victim_set_id", "predicate", "everyone", "channel", "partner", "staff",
)  # fmt: skip
STORED_SET: Final = "victim_set_id"
MASS_TARGETS: Final = frozenset({"victim_set", STORED_SET, "predicate", "everyone"})
IRREVERSIBLE: Final[frozenset[Kind]] = frozenset({"reset", "unlink"})
"""What a release cannot take back; for many users it takes two persons from the start."""
_EVERYTHING_BY_DEFAULT: Final[frozenset[Kind]] = frozenset({"reset", "revoke", "unlink", "notify_only"})
_NARROWED: Final[frozenset[Kind]] = frozenset({"freeze", "limit", "step_up", "delay"})
FACTOR_LEVELS: Final[dict[str, int]] = {
    "passkey": 3, "totp": 2, "recovery_code": 2, "whatsapp": 1, "email": 1, "sms": 1, "captcha": 0,
}  # fmt: skip
"""3: phishing-resistant; 2: something only the customer has; 1: a code that others may read; 0: no proof of anybody."""


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most so much of one currency in a window, for each user; of any other currency nothing."""

    amount_minor: Amount
    currency: Currency
    window_s: Annotated[int, Meta(ge=60, le=31 * 86_400)]


class TargetAsked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whom an order is about; exactly one of these.

    Attributes:
        user: a user's id.
        victim_set: users' ids.
        victim_set_id: a sealed set, for more than these.
        predicate: a condition in CEL over declared attributes.
        everyone: every user.
        channel: a service account of the shop, by its actor id.
        partner: a partner, by its actor id.
        staff: a member of staff, by his actor id.
    """

    user: Word = ""
    victim_set: Annotated[list[Id], Meta(max_length=VICTIMS_MAX)] = []
    victim_set_id: Word = ""
    predicate: str = ""
    everyone: bool = False
    channel: Word = ""
    partner: Word = ""
    staff: Word = ""


class OrderRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An order as it is asked for.

    Attributes:
        kind: what it does.
        scope: operations or their groups; everything for reset, revoke, unlink and notify_only where left out.
        target: for whom.
        reason: why, a word that customers are told in their language.
        incident: the shop's number of what happened.
        starts_at: now where left out.
        ends_at: when it ends by itself.
        review_at: when somebody looks at it again; it stays in force.
        release: which conditions let a single user out.
        limit: of a limit.
        assurance: of a step_up: 1 to 3, the least level of a factor.
        exclude: of a step_up: factors that the threat may own.
        provider: of an unlink: the identity provider; of an order about ``pay_linked`` alone: only what is paid through it.
        supersedes: an order in force whose place this one takes; it must be at least as strong.
        dry_run: count, and activate nothing.
    """

    kind: Kind
    target: TargetAsked
    reason: ReasonCode
    scope: Annotated[list[Word], Meta(max_length=32)] = []
    incident: Word = ""
    starts_at: Moment | UnsetType = UNSET
    ends_at: Moment | UnsetType = UNSET
    review_at: Moment | UnsetType = UNSET
    release: Annotated[list[ReleaseCondition], Meta(max_length=8)] = field(
        default_factory=lambda: ["staff_release"]
    )
    limit: Limit | UnsetType = UNSET
    assurance: Annotated[int, Meta(ge=0, le=3)] = 0
    exclude: Annotated[list[Factor], Meta(max_length=8)] = []
    provider: Word = ""
    supersedes: Word = ""
    dry_run: bool = False


class Target(Struct, frozen=True, omit_defaults=True):
    """Whom, in tokens or by the id of a sealed set, which never changes. A predicate is kept as text and compiled anew: nothing that is kept is ever run."""

    kind: str
    tokens: tuple[str, ...] = ()
    predicate: str = ""
    set_id: str = ""


class Standing(Struct, frozen=True, omit_defaults=True):
    """What decisions and captures see of an order.

    Attributes:
        provider: what is unlinked; of every other kind, only what is paid through it is covered.
        begun: the version of the set of orders that it came in with; 0 before.
        begun_ms: when it came in: the epoch that passwords and sessions are held against.
    """

    id: str
    kind: Kind
    scope: tuple[str, ...]
    target: Target
    reason: str
    limit: Limit | None = None
    assurance: int = 0
    exclude: tuple[str, ...] = ()
    provider: str = ""
    ends_ms: int = 0
    begun: int = 0
    begun_ms: int = 0

    @property
    def mask(self) -> int:
        """The scope as bits."""
        return mask(self.scope)

    def is_through(self, provider: str) -> bool:
        """Whether what is paid through a provider is meant; a payment that does not say through whom always is."""
        return self.kind == "unlink" or not self.provider or provider in ("", self.provider)


class Measured(Struct, frozen=True):
    """How many declared users an order covers; ``exact`` is false where it was estimated from a random sample."""

    count: int
    of: int
    share: float
    exact: bool
    sample: tuple[str, ...] = ()


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as it is kept. ``*_by`` are persons, ``*_key`` the keys that they used.

    Attributes:
        review_told_ms: when it was said that its review is due; 0 before.
        decision: the decision whose consequence it is; empty where somebody placed it.
    """

    standing: Standing
    state: State
    incident: str = ""
    release: tuple[str, ...] = ()
    created_ms: int
    starts_ms: int
    review_ms: int = 0
    author: str
    author_key: str
    approver: str = ""
    approver_key: str = ""
    release_by: str = ""
    release_key: str = ""
    released_by: str = ""
    supersedes: str = ""
    ended_ms: int = 0
    decision: str = ""
    review_told_ms: int = 0
    measured: Measured | None = None

    @property
    def id(self) -> str:
        """Of the order."""
        return self.standing.id

    @property
    def is_mass(self) -> bool:
        """Whether it is about many users."""
        return self.standing.target.kind in MASS_TARGETS

    @property
    def needs_approval(self) -> bool:
        """Whether a second person has to agree before it begins."""
        return self.is_mass and self.standing.kind in IRREVERSIBLE


def order_from(
    request: OrderRequest,
    *,
    order_id: str,
    author: str,
    author_key: str,
    at_ms: int,
    blind: Callable[[str, str], str],
) -> Order:
    """The draft of a request.

    Raises:
        InvalidField: the request contradicts itself or lacks what its kind needs.
    """
    starts_ms, ends_ms, review_ms = _span(request, at_ms)
    scope = expanded(request.scope or (["everything"] if request.kind in _EVERYTHING_BY_DEFAULT else []))
    if not scope:
        raise _wrong("scope", "the operations that are meant, such as stored_value", "nothing")
    _check_kind(request, scope, ends_ms)
    standing = Standing(
        id=order_id,
        kind=request.kind,
        scope=scope,
        target=_target(request.target, blind),
        reason=request.reason,
        limit=None if request.limit is UNSET else request.limit,
        assurance=request.assurance,
        exclude=tuple(sorted(set(request.exclude))),
        provider=request.provider,
        ends_ms=ends_ms,
    )
    return Order(
        standing=standing,
        state="draft",
        incident=request.incident,
        release=tuple(dict.fromkeys(request.release)),
        created_ms=at_ms,
        starts_ms=starts_ms,
        review_ms=review_ms,
        author=author,
        author_key=author_key,
        supersedes=request.supersedes,
    )


def is_at_least(new: Standing, old: Standing) -> bool:
    """Whether one order stops all that another does: only then may it take the other's place."""
    same = (new.kind, new.target, new.provider) == (old.kind, old.target, old.provider)
    return (
        same
        and set(new.scope) >= set(old.scope)
        and (new.ends_ms == 0 or (old.ends_ms != 0 and new.ends_ms >= old.ends_ms))
        and new.assurance >= old.assurance
        and set(new.exclude) >= set(old.exclude)
        and _is_limit_at_least(new.limit, old.limit)
    )


def _is_limit_at_least(new: Limit | None, old: Limit | None) -> bool:
    if new is None or old is None:
        return new is old
    return (
        new.currency == old.currency and new.amount_minor <= old.amount_minor and new.window_s >= old.window_s
    )


def _span(request: OrderRequest, at_ms: int) -> tuple[int, int, int]:
    starts, ends, review = (
        0 if moment is UNSET else to_ms(moment)
        for moment in (request.starts_at, request.ends_at, request.review_at)
    )
    starts = max(starts, at_ms)
    if not ends and not review:
        raise InvalidField(
            "an order needs an end or a date of review", code="order_without_end", path="ends_at",
            expected="ends_at or review_at", found="neither",
            hint="nothing is stopped for ever because somebody forgot it",
        )  # fmt: skip
    for name, moment in (("ends_at", ends), ("review_at", review)):
        if moment and not starts < moment <= starts + SPAN_MAX_MS:
            raise _wrong(name, "after the start, at most 400 days", "another time")
    return starts, ends, review


def _check_kind(request: OrderRequest, scope: tuple[Operation, ...], ends_ms: int) -> None:
    """What a kind needs, and nothing that belongs to another."""
    kind = request.kind
    if (kind == "limit") != (request.limit is not UNSET):
        raise _wrong(
            "limit", "amount_minor, currency and window_s for a limit, nothing for others", "otherwise"
        )
    if kind != "step_up" and (request.assurance or request.exclude):
        raise _wrong("assurance", "assurance and exclude for a step_up alone", f"a {kind}")
    if kind == "unlink" and not request.provider:
        raise _wrong("provider", "the provider for an unlink", "nothing")
    if kind != "unlink" and request.provider and (scope != ("pay_linked",) or kind not in _NARROWED):
        raise _wrong(
            "provider", "an unlink, or a freeze, limit, step_up or delay of pay_linked alone", "another order"
        )
    if kind == "delay" and not ends_ms:
        raise _wrong("ends_at", "until when things are held back", "nothing")
    if kind in ("reset", "revoke", "unlink") and (
        request.target.channel or request.target.partner or request.target.staff
    ):
        raise _wrong("target", f"users for a {kind}", "somebody else")


def _target(asked: TargetAsked, blind: Callable[[str, str], str]) -> Target:
    given = [name for name in TARGETS if getattr(asked, name)]
    if len(given) != 1:
        raise _wrong("target", "exactly one of " + ", ".join(TARGETS), f"{len(given)} of them")
    kind = given[0]
    if kind == "predicate":
        predicate_source(asked.predicate, blind)
        return Target(kind, (), asked.predicate)
    if kind == "everyone":
        return Target(kind)
    if kind == STORED_SET:
        return Target(kind, set_id=asked.victim_set_id)
    if kind == "user":
        return Target(kind, (blind("user", asked.user),))
    if kind == "victim_set":
        return Target(kind, tuple(sorted({blind("user", user) for user in asked.victim_set})))
    actor = {"channel": "service"}.get(kind, kind)
    return Target(kind, (blind("actor", f"{actor}:{getattr(asked, kind)}"),))


def _wrong(path: str, expected: str, found: str) -> InvalidField:
    return InvalidField("the order is not complete", path=path, expected=expected, found=found)


encode: Final = msgspec.json.Encoder(order="deterministic").encode
decode_order: Final = msgspec.json.Decoder(Order).decode
