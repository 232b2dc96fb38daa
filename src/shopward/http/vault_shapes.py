"""What the calls of the vault take and give.

Promise: unknown fields are refused with their path; every list and text has its limit here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.events.catalogue import Id, Moment
from shopward.flows.canary import PLANTED_MAX
from shopward.flows.dossier import Dossier
from shopward.flows.erase import Certificate
from shopward.flows.leaked import ROWS_MAX
from shopward.vault.kinds import TEXT_CHARS_MAX

RECORDS_MAX = 500
"""Of one call."""
Name = Annotated[str, Meta(min_length=1, max_length=32)]
Value = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Reason = Annotated[str, Meta(max_length=500)]
Classes = Annotated[tuple[Name, ...], Meta(max_length=8)]
LockKind = Literal["person", "subject", "record", "vault"]


class RecordAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A record to keep.

    Attributes:
        id: yours; one is made where it is left out. The same id again is the next version.
        user: your id of the customer.
        region: country of ISO 3166-1 for how numbers are read; may be left out.
        expires_at: when it is forgotten by itself.
        canary: nobody has a reason to read it; who does is locked.
    """

    user: Id
    kind: Name
    fields: dict[Name, Value]
    id: Annotated[str, Meta(max_length=128)] = ""
    region: Annotated[str, Meta(pattern=r"^([A-Z]{2})?\Z")] = ""
    expires_at: Moment | UnsetType = UNSET
    canary: bool = False


class RecordsAsked(Struct, forbid_unknown_fields=True):
    """Records to keep, all of them or none."""

    records: Annotated[list[RecordAsked], Meta(min_length=1, max_length=RECORDS_MAX)]


class RecordView(Struct, omit_defaults=True):
    """A record; ``fields`` masked, except in a reveal or an export."""

    id: str
    kind: str
    version: int
    region: str
    created_at: str
    changed_at: str
    fields: dict[str, str]
    expires_at: str = ""


class Records(Struct):
    """Records; ``next`` is the ``after`` of the page that follows, if any."""

    records: list[RecordView]
    next: str | None = None


class Exported(Struct):
    """Everything of a customer: the records of the vault with their values, and what is kept beside them."""

    records: list[RecordView]
    dossier: Dossier


class RectifyAsked(Struct, forbid_unknown_fields=True):
    """Values to change; an empty one takes a value away."""

    fields: Annotated[dict[Name, Value], Meta(min_length=1)]


class RevealAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What to see, and why.

    Attributes:
        request_id: the request that a second person agreed to.
        challenge_id: the challenge that the caller has passed for exactly this.
    """

    records: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=200)]
    fields: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=32)]
    purpose: Name
    case_id: Annotated[str, Meta(max_length=128)] = ""
    order_id: Annotated[str, Meta(max_length=128)] = ""
    request_id: Annotated[str, Meta(max_length=128)] = ""
    challenge_id: Annotated[str, Meta(max_length=64)] = ""


class RequestView(Struct):
    """A reveal that waits for a second person, or has his word."""

    id: str
    state: str
    person: str
    asked: RevealAsked
    ends_at: str
    approved_by: str


class Requests(Struct):
    """Reveals that wait, oldest first."""

    requests: list[RequestView]


class SearchAsked(Struct, forbid_unknown_fields=True):
    """What to look for. It is a body and no query, so that values stand in no log of a proxy.

    Attributes:
        challenge_id: the challenge that the caller has passed for exactly this.
    """

    kind: Name
    field: Name
    value: Annotated[str, Meta(min_length=1, max_length=1_024)]
    transform: Literal["exact", "last4", "ngram"] = "exact"
    limit: Annotated[int, Meta(ge=1, le=50)] = 20
    challenge_id: Annotated[str, Meta(max_length=64)] = ""


class AccessView(Struct):
    """Who saw what, or tried to."""

    id: str
    at: str
    person: str
    purpose: str
    case_id: str
    order_id: str
    record: str
    version: int
    fields: list[str]
    outcome: str


class Accesses(Struct):
    """Accesses, newest first; ``next`` is the ``before`` of the page that follows, if any."""

    accesses: list[AccessView]
    next: str | None


class ExportAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Everything of a customer, for a case; with a challenge that the caller has passed for exactly this, where one was asked for."""

    case_id: Id
    challenge_id: Annotated[str, Meta(max_length=64)] = ""


class EraseAsked(Struct, forbid_unknown_fields=True):
    """What to erase, all where ``classes`` is empty; nothing is, unless ``dry_run`` is false."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    classes: Classes = ()
    dry_run: bool = True


class HoldAsked(Struct, forbid_unknown_fields=True):
    """What to hold, all where ``classes`` is empty, and by which law or suit."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    classes: Classes = ()


class HoldReleased(Struct, forbid_unknown_fields=True):
    """Which holds to end, all where ``classes`` is empty."""

    classes: Classes = ()


class HoldView(Struct):
    """A legal hold; ``erase_after`` where an erasure waits for its end."""

    retention: str
    reason: str
    person: str
    since: str
    erase_after: bool


class Holds(Struct):
    """What is held of a customer; ``erased``, what an end of holds erased."""

    holds: list[HoldView]
    erased: Certificate | None = None


class Certificates(Struct):
    """Certificates of a customer's erasures, oldest first."""

    erasures: list[Certificate]


class LockAsked(Struct, forbid_unknown_fields=True):
    """What to shut: a person by name, a customer by your id, a record, or everything (``vault``)."""

    kind: LockKind
    reason: Reason
    target: Annotated[str, Meta(max_length=128)] = ""


class LockReleased(Struct, forbid_unknown_fields=True):
    """What to open again."""

    kind: LockKind
    target: Annotated[str, Meta(max_length=128)] = ""


class LockView(Struct):
    """Something that is shut; a customer by token."""

    kind: str
    target: str
    reason: str
    person: str
    since: str


class Locks(Struct):
    """Everything that is shut."""

    locks: list[LockView]


class TokenAsked(Struct, forbid_unknown_fields=True):
    """What a partner is to call a customer; by an older key of tokens where ``key_version`` names it."""

    user: Id
    partner: Id
    purpose: Name
    epoch: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    key_version: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class TokenView(Struct):
    """A pseudonym."""

    token: str


class RotateAsked(Struct, forbid_unknown_fields=True):
    """Which key to replace."""

    use: Literal["root", "kek", "data", "index", "token", "mark", "signing", "webhook", "signals"]


class RetireAsked(Struct, forbid_unknown_fields=True):
    """Which key to destroy; refused while a row needs it, and while something outside does that ``give_up`` does not give up."""

    use: Name
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    give_up: bool = False


class RotationView(Struct):
    """A rotation: how many of how many rows are done."""

    use: str
    version: int
    state: str
    done: int
    total: int
    person: str
    started_at: str
    changed_at: str


class KeyStateView(Struct):
    """A key: how many rows need it, what needs it outside of our rows, and whether it can be destroyed."""

    use: str
    version: int
    root: str
    state: str
    created_at: str
    rows: int
    safe_to_retire: bool
    outside: str = ""


class RootView(Struct):
    """How many keys of the tenant hang from a version of a root; ``version`` is empty where the root names none."""

    root: str
    version: str
    keys: int


class Rotations(Struct):
    """Rotations, the running ones first, every key that is not destroyed, and what they hang from."""

    rotations: list[RotationView]
    keys: list[KeyStateView]
    roots: list[RootView]


class PlanAsked(Struct, forbid_unknown_fields=True):
    """An index to plan; ``switch`` turns n-grams on or off, where the plan was read."""

    kind: Name
    field: Name
    transform: Literal["exact", "last4", "ngram"] = "ngram"
    switch: Literal["", "on", "off"] = ""


class PlanView(Struct):
    """What an index shows, or would show, to who has the store and no key.

    Attributes:
        largest: how many records share the most frequent value.
        entropy_bits: of the frequencies; who knows how frequent values are in public guesses by them.
        guess_minutes: to try the whole domain with a stolen index key; 0 where the domain is open.
    """

    name: str
    on: bool
    records: int
    sampled: int
    rows: int
    values: int
    largest: int
    unique_share: float
    entropy_bits: float
    guess_minutes: float


class TraceAsked(Struct, forbid_unknown_fields=True):
    """Leaked rows, by whatever columns; partial, shuffled, edited.

    Attributes:
        since: what was shown before is left out.
        until: what was shown from then on is left out.
    """

    rows: Annotated[
        list[
            Annotated[
                dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=1_024)]],
                Meta(max_length=64),
            ]
        ],
        Meta(min_length=1, max_length=ROWS_MAX),
    ]
    since: Moment | UnsetType = UNSET
    until: Moment | UnsetType = UNSET


class CandidateView(Struct):
    """What is known of one recipient, ``staff:`` or ``partner:`` and a name.

    Attributes:
        standing: ``proof``, ``lead``, ``possible`` or ``ruled_out``.
        rows_seen: leaked customers whom the recipient could have shown as they leaked.
        canaries: different canaries of the recipient that leaked.
        mark_places: places at which marks could be read.
        mark_chance: that an innocent's marks agree so well; a bound.
        log_odds: against the best explanation without a recipient; null for who could have shown none.
        posterior: how likely it is this recipient alone.
        share: of the leak, where several leaked.
    """

    recipient: str
    standing: Literal["proof", "lead", "possible", "ruled_out"]
    rows_seen: int
    canaries: int
    mark_places: int
    mark_chance: float
    log_odds: float | None
    posterior: float
    share: float


class LeakTraced(Struct):
    """Who could have leaked.

    Attributes:
        matched: rows of this shop's customers and canaries.
        ambiguous: rows that fit two customers as well.
        foreign: rows of nobody here.
        customers: whom the matched rows are of.
        known: how many customers the vault knows.
        canaries: how many different canaries leaked.
        traps: those of them that were given to nobody: read in the store itself, or in a copy of it.
        nobody: how likely it is that none of the logged leaked.
        nobody_how: the best explanation of that kind.
    """

    rows: int
    matched: int
    ambiguous: int
    foreign: int
    customers: int
    known: int
    canaries: int
    traps: int
    candidates: list[CandidateView]
    nobody: float
    nobody_how: str


class CanariesAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Canaries to plant.

    Attributes:
        region: of which country their orders look.
        phones: how the numbers of your own pool begin.
        domain: of yours, whose mailbox takes every address.
        partner: for whom; traps for everybody where it is left out.
    """

    count: Annotated[int, Meta(ge=1, le=PLANTED_MAX)]
    region: Literal["ID", "CN", "SG"]
    phones: Annotated[str, Meta(max_length=16)]
    domain: Annotated[str, Meta(max_length=128)]
    partner: Annotated[str, Meta(max_length=64)] = ""


class CanariesPlanted(Struct):
    """Ids of records; no other answer tells that they are canaries."""

    records: tuple[str, ...]
    recipient: str
