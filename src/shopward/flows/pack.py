"""The evidence pack of an incident: gathered from the store, and sealed.

Promise, in this order:

1. the line of the audit log that the pack was asked for, and a signed checkpoint after it, in one transaction;
2. everything in it is read after that, in one state of a SQLite store; on PostgreSQL each part is as it was committed when it was
   read. The excerpt of the log ends with that checkpoint;
3. free text is scrubbed before anything is made of it; customers, addresses, members of sets and owners of accounts are never read
   into it;
4. the archive is sealed by the key that signed the checkpoint (``audit.packs``).

What is left off because there is too much is named in the index; an excerpt of the log that is too long is refused, since one with a
gap proves nothing. Fails closed: where the key cannot be had nothing leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from shopward.claims.claim import claimed
from shopward.errors import NotFound
from shopward.flows.arrows import Trail
from shopward.incidents.law import shipped_rules
from shopward.incidents.pack import as_file, incident_files, index_files, scope_shown, scrubbed
from shopward.scrubber import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.access import Caller
    from shopward.claims.claim import Claim
    from shopward.claims.store import ClaimStore
    from shopward.flows.notary import Signed
    from shopward.incidents.incident import Incident
    from shopward.incidents.store import IncidentStore
    from shopward.ledger import Reading, Recorded
    from shopward.notices import Mailing
    from shopward.ports import Records
    from shopward.protection.members import VictimSet
    from shopward.protection.orders import Order
    from shopward.protection.store import OrderStore
    from shopward.values import Clock

ENTRIES_MAX: Final = 100_000
"""Entries of the log in a pack: about 30 MB."""
CLAIMS_MAX: Final = 2_000
TRANSFERS_MAX: Final = 10_000
_PAGE: Final = 500


class PackTrail(Trail, Protocol):
    """``audit.AuditTrail``, as far as it is used here."""

    def checkpoint(self, connection: Any, *, at_ms: int, actor: str) -> Signed:
        """Sign now."""
        ...

    def excerpt(self, connection: Any, *, subject: str, until_seq: int, limit: int) -> Any:
        """The log from the first line about a subject to an entry."""
        ...


class PackStores(NamedTuple):
    """Where the parts are."""

    incidents: IncidentStore
    sets: Callable[[Any, str], VictimSet]
    told: Callable[[Any, str], Sequence[tuple[Mailing, dict[str, int]]]]
    orders: OrderStore
    claims: ClaimStore
    reading: Reading


class PackDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        stores: where the parts are.
        trail: the audit log, with its key.
        seal: ``audit.sealed_pack`` with the key: ``seal(files, subject=, excerpt=, checkpoint=)``.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        stores: PackStores,
        trail: PackTrail,
        seal: Callable[..., bytes],
        clock: Clock,
    ) -> None:
        self._records = records
        self._stores = stores
        self._trail = trail
        self._seal = seal
        self._clock = clock

    def pack(self, caller: Caller, incident_id: str, *, spoken: str) -> bytes:
        """The archive, with its index in a language.

        Raises:
            NotFound: there is no such incident.
            Conflict: the excerpt of the log is too long (``pack_too_large``).
        """
        now_ms = self._clock.now_ms()

        def sign(connection: Any) -> Signed:
            self._got(connection, incident_id)
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="incident:pack", subject=incident_id,
                details={"language": spoken},
            )  # fmt: skip
            return self._trail.checkpoint(connection, at_ms=now_ms, actor=caller.key)

        checkpoint = self._records.write(sign)  # 1

        def gather(connection: Any) -> tuple[dict[str, bytes], Any]:
            excerpt = self._trail.excerpt(
                connection, subject=incident_id, until_seq=checkpoint.seq, limit=ENTRIES_MAX
            )
            return self._files(connection, incident_id, spoken, now_ms), excerpt

        files, excerpt = self._records.read(gather)  # 2
        return self._seal(files, subject=incident_id, excerpt=excerpt, checkpoint=checkpoint)  # 4

    def _files(self, connection: Any, incident_id: str, spoken: str, now_ms: int) -> dict[str, bytes]:
        incident, masked = scrubbed(self._got(connection, incident_id))  # 3
        claims = self._stores.claims.listed(
            connection, state="", user="", incident=incident.id, before="", limit=CLAIMS_MAX + 1
        )
        transfers = self._transfers(connection, incident.id, claims[:CLAIMS_MAX])
        left_off = [
            name
            for name, found, most in (
                ("claims.json", claims, CLAIMS_MAX),
                ("transfers.json", transfers, TRANSFERS_MAX),
            )
            if len(found) > most
        ]
        if "claims.json" in left_off and "transfers.json" not in left_off:
            left_off.append("transfers.json")
        files = {
            **incident_files(incident, shipped_rules(), at_ms=now_ms),
            "mailings.json": as_file({"mailings": self._mailings(connection, incident.id)}),
            "scopes.json": as_file({"scopes": self._scopes(connection, incident)}),
            "orders.json": as_file(
                {"orders": [order_shown(each) for each in self._orders(connection, incident)]}
            ),
            "claims.json": as_file({"claims": [claim_shown(each) for each in claims[:CLAIMS_MAX]]}),
            "transfers.json": as_file(
                {"transfers": [transfer_shown(each) for each in transfers[:TRANSFERS_MAX]]}
            ),
        }
        return files | index_files(
            incident, files, spoken=spoken, at_ms=now_ms, masked=masked, left_off=left_off
        )

    def _mailings(self, connection: Any, incident_id: str) -> list[dict[str, Any]]:
        return [mailing_shown(each, counts) for each, counts in self._stores.told(connection, incident_id)]

    def _scopes(self, connection: Any, incident: Incident) -> list[dict[str, Any]]:
        return [
            scope_shown(
                scope,
                {depth: set_shown(self._stores.sets(connection, name)) for depth, name in scope.sets.items()},
            )
            for scope in incident.scopes
        ]

    def _orders(self, connection: Any, incident: Incident) -> list[Order]:
        """Orders that name the incident or a set of it, newest first; every order is looked at, a page at a time."""
        sets = {name for scope in incident.scopes for name in scope.sets.values()}
        found: list[Order] = []
        before: str | None = None
        while True:
            page = self._stores.orders.newest(connection, state=None, before=before, limit=_PAGE)
            found += [
                each for each in page if each.incident == incident.id or each.standing.target.set_id in sets
            ]
            if len(page) < _PAGE:
                return found
            before = page[-1].id

    def _transfers(self, connection: Any, incident_id: str, claims: Sequence[Claim]) -> list[Recorded]:
        """Each once, in the order of recording, one more than fit where there are too many."""
        found: dict[int, Recorded] = {}
        for kind, ref in (("incident", incident_id), *(("claim", each.id) for each in claims)):
            before: int | None = None
            while len(found) <= TRANSFERS_MAX:
                page = self._stores.reading.about(connection, kind=kind, ref=ref, before=before, limit=_PAGE)
                found |= {each.seq: each for each in page}
                if len(page) < _PAGE:
                    break
                before = page[-1].seq
        return [found[seq] for seq in sorted(found)][: TRANSFERS_MAX + 1]

    def _got(self, connection: Any, incident_id: str) -> Incident:
        found = self._stores.incidents.get(connection, incident_id)
        if found is None:
            raise NotFound(
                "no such incident", path="id", expected="the id of an incident", found="another id"
            )
        return found


def set_shown(kept: VictimSet) -> dict[str, Any]:
    """A sealed set as a number and a digest."""
    return {"id": kept.id, "users": kept.users, "digest": kept.digest.hex(), "sealed_ms": kept.sealed_ms}


def mailing_shown(mailing: Mailing, counts: Mapping[str, int]) -> dict[str, Any]:
    """A mailing with its letters, scrubbed, and how many recipients stand in each state."""
    letters = {
        language: {"subject": scrub(each.subject).text, "text": scrub(each.text).text}
        for language, each in sorted(mailing.letters.items())
    }
    return {
        "id": mailing.id, "rule": mailing.rule, "state": mailing.state, "created_ms": mailing.created_ms,
        "created_by": mailing.created_by, "started_ms": mailing.started_ms, "started_by": mailing.started_by,
        "done_ms": mailing.done_ms, "channels": mailing.channels, "languages": mailing.languages, "letters": letters,
        "counts": dict(sorted(counts.items())),
    }  # fmt: skip


def order_shown(order: Order) -> dict[str, Any]:
    """An order without whom it is about: of those the kind, and the id of a set or how many tokens."""
    standing = order.standing
    return {
        "id": order.id, "kind": standing.kind, "state": order.state, "reason": standing.reason, "scope": standing.scope,
        "target": {
            "kind": standing.target.kind, "set": standing.target.set_id, "tokens": len(standing.target.tokens),
        },
        "incident": order.incident, "author": order.author, "approver": order.approver, "released_by": order.released_by,
        "created_ms": order.created_ms, "starts_ms": order.starts_ms, "begun_ms": standing.begun_ms,
        "ends_ms": standing.ends_ms, "ended_ms": order.ended_ms,
    }  # fmt: skip


def claim_shown(claim: Claim) -> dict[str, Any]:
    """A claim without whose it is: where it stands, amounts in minor units by currency, its steps without what people wrote."""
    return {
        "id": claim.id, "state": claim.state, "regime": claim.regime, "round": claim.round, "created_ms": claim.created_ms,
        "notice_ms": claim.notice_ms, "received_ms": claim.received_ms, "due_ms": claim.due_ms, "items": len(claim.items),
        "claimed_minor": claimed(claim), "accrued_minor": claim.accrued_minor, "provisional_minor": claim.provisional_minor,
        "paid_minor": claim.paid_minor,
        "steps": [{"at_ms": each.at_ms, "step": each.step, "by": each.by} for each in claim.history],
    }  # fmt: skip


def transfer_shown(made: Recorded) -> dict[str, Any]:
    """A transfer without whose accounts they are: the kind of each, and its place in the ledger's chain."""
    return {
        "id": made.id, "seq": made.seq, "at_ms": made.at_ms, "word": made.word, "stage": made.stage.value, "ends": made.ends,
        "refs": {name: ref for name, ref in sorted(made.refs.items()) if name in ("claim", "incident", "order")},
        "entries": [
            {"account": each.account.kind.value, "currency": each.currency, "amount_minor": each.amount_minor}
            for each in made.entries
        ],
        "chain": made.chain.hex(),
    }  # fmt: skip
