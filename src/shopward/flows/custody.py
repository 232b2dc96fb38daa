"""Custody: records come into the vault, are corrected, and are shown masked.

Promise:
- what is kept is sealed and found by its indexes when the call returns, with one line in the audit log for the call;
- a correction changes what it names and leaves the rest, as a new version that the old one cannot be put in the place of;
- a canary gives way to a record of the shop's that has its id;
- masked is the default: it takes no purpose and no quota, and a canary looks like any other record;
- an index of n-grams is switched on only by who has seen what it would show; without ``yes`` nothing but that is done.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, NotFound
from shopward.vault.kinds import KINDS, checked
from shopward.vault.masks import masked
from shopward.vault.pseudonyms import pseudonym
from shopward.vault.rows import Write
from shopward.vault.search import NGRAM_FIELDS, Leakage, index_name, leakage, terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.vault.masks import Style
    from shopward.vault.rows import Access, Opened, Stored

SAMPLE_MAX: Final = 5_000
"""Records that the planner opens to see how often values come."""


class Shown(NamedTuple):
    """A record as it is shown: ``fields`` masked or, after a reveal, as they are."""

    id: str
    kind: str
    version: int
    region: str
    created_ms: int
    changed_ms: int
    expires_ms: int
    fields: dict[str, str]


class Plan(NamedTuple):
    """What an index would show, told before it is switched on; ``sampled`` of ``records`` were looked at."""

    name: str
    is_on: bool
    records: int
    sampled: int
    leakage: Leakage


class Custody:
    """May be called from any thread.

    Args:
        room: the vault.
    """

    def __init__(self, room: Strongroom) -> None:
        self._room = room

    def put(self, caller: Caller, writes: Sequence[Write]) -> list[Shown]:
        """Keep records, each as its next version; all of them or none. ``subject`` is filled in, and ids that are empty.

        Raises:
            BadInput: one is no record of its kind.
            Conflict: an id is another customer's.
        """
        now_ms = self._room.clock.now_ms()
        whole = [
            each._replace(
                id=each.id or self._room.ids.new("v", now_ms), subject=self._room.subject(each.user)
            )
            for each in writes
        ]

        def work(connection: Any) -> list[Stored]:
            self._room.fenced(connection, [each.subject for each in whole])
            subjects = {each.id: each.subject for each in whole}
            met = self._room.sealed.rows(connection, list(subjects))
            traps = [row for row in met if row.canary and row.subject != subjects[row.id]]
            self._room.sealed.drop(connection, traps)
            standing = [row for row in met if row not in traps]
            rows = self._room.sealed.put(connection, whole, now_ms, standing=standing)
            kinds = Counter(each.kind for each in whole)
            self._room.line(
                connection,
                caller.key,
                "record:put",
                rows[0].id,
                {"records": len(rows), "kinds": dict(kinds)},
                now_ms,
            )
            return rows

        rows = self._room.records.write(work) if whole else []
        return [_shown(row, each.values, "screen") for row, each in zip(rows, whole, strict=True)]

    def rectify(self, caller: Caller, record_id: str, values: Mapping[str, str]) -> Shown:
        """Change some values of a record, an empty one to take a value away; raises ``NotFound`` and ``BadInput``."""
        now_ms = self._room.clock.now_ms()

        def work(connection: Any) -> tuple[Stored, Mapping[str, str]]:
            self._room.fenced(connection, [self._row(connection, record_id).subject])
            row = self._row(connection, record_id)
            checked(row.kind, values)
            (opened,) = self._room.sealed.open(connection, [row])
            merged = {name: value for name, value in (dict(opened.values) | dict(values)).items() if value}
            write = Write(
                row.id, opened.user, row.subject, row.kind, merged, row.region, row.expires_ms, row.canary
            )
            (stored,) = self._room.sealed.put(connection, [write], now_ms)
            details = {"fields": sorted(values), "version": stored.version}
            self._room.line(connection, caller.key, "record:rectify", row.id, details, now_ms)
            return stored, merged

        stored, merged = self._room.records.write(work)
        return _shown(stored, merged, "screen")

    def look(self, record_id: str, style: Style) -> Shown:
        """A record masked; raises ``NotFound``."""

        def work(connection: Any) -> Opened:
            return self._room.sealed.open(connection, [self._row(connection, record_id)])[0]

        opened = self._room.records.read(work)
        return _shown(opened.row, opened.values, style)

    def of_user(self, user_id: str, *, kind: str | None, after: str, limit: int) -> list[Shown]:
        """A customer's records masked, in the order of their ids."""
        subject = self._room.subject(user_id)

        def work(connection: Any) -> list[Opened]:
            rows = self._room.sealed.of_subject(connection, subject, kind=kind, after=after, limit=limit)
            return self._room.sealed.open(connection, rows)

        return [_shown(each.row, each.values, "screen") for each in self._room.records.read(work)]

    def seen(self, user_id: str, *, before: str | None, limit: int) -> list[Access]:
        """Who looked at a customer, newest first: for the customer, too."""
        subject = self._room.subject(user_id)
        return self._room.records.read(
            lambda connection: self._room.accesses.of_subject(connection, subject, before=before, limit=limit)
        )

    def token(self, user_id: str, *, partner: str, purpose: str, epoch: int, version: int = 0) -> str:
        """What a partner is to call a customer, for a purpose; by an older key where its ``version`` is given.

        Raises:
            NotFound: there is no such key, or it was destroyed.
        """
        subject = self._room.subject(user_id)
        ring = self._room.records.read(self._room.keys.ring)
        key = ring.secrets.get(("token", version)) if version else ring.secret("token")
        if key is None:
            raise NotFound(
                "no such key of tokens", path="key_version", expected="one that is in use or retiring"
            )
        return pseudonym(key, partner=partner, purpose=purpose, subject=subject, epoch=epoch)

    def plan(self, kind: str, field: str, transform: str) -> Plan:
        """What an index shows or would show to who has the store; raises ``InvalidField`` where it cannot be kept."""
        _check_index(kind, field, transform)
        name = index_name(kind, field, transform)

        def work(connection: Any) -> Plan:
            rows: list[Stored] = []
            after, total = "", 0
            while part := self._room.sealed.after(connection, after, 500):
                mine = [row for row in part if row.kind == kind]
                total += len(mine)
                rows += mine[: max(0, SAMPLE_MAX - len(rows))]
                after = part[-1].id
            counts: Counter[bytes] = Counter()
            for opened in self._room.sealed.open(connection, rows, (field,)):
                value = opened.values.get(field, "")
                counts.update(term.encode() for term in terms(field, transform, value, opened.row.region))
            is_on = transform != "ngram" or name in self._room.sealed.ngrams(connection)
            return Plan(name, is_on, total, len(rows), leakage(field, transform, counts))

        return self._room.records.read(work)

    def switch_ngrams(self, caller: Caller, kind: str, field: str, *, on: bool) -> None:
        """Switch an index of n-grams on or off; index rows of what is kept already follow in steps."""
        _check_index(kind, field, "ngram")
        name, now_ms = index_name(kind, field, "ngram"), self._room.clock.now_ms()

        def work(connection: Any) -> None:
            if not self._room.sealed.switch_ngrams(
                connection, name, on=on, person=caller.person, now_ms=now_ms
            ):
                return
            self._room.rotations.begin_indexing(connection, caller.person, now_ms)
            self._room.line(connection, caller.key, "vault:index", name, {"on": on}, now_ms)

        self._room.records.write(work)

    def _row(self, connection: Any, record_id: str) -> Stored:
        rows = self._room.sealed.rows(connection, [record_id])
        if not rows:
            raise NotFound("no such record", path="id", expected="the id of a record", found="another id")
        return rows[0]


def revealed(opened: Opened) -> Shown:
    """A record as it is, for who may see it."""
    return _made(opened.row, dict(opened.values))


def masked_view(opened: Opened) -> Shown:
    """A record masked for the pages of staff."""
    return _shown(opened.row, opened.values, "screen")


def _shown(row: Stored, values: Mapping[str, str], style: Style) -> Shown:
    fields = KINDS[row.kind].fields
    return _made(row, {name: masked(fields[name].mask, value, style) for name, value in values.items()})


def _made(row: Stored, values: dict[str, str]) -> Shown:
    return Shown(
        row.id, row.kind, row.version, row.region, row.created_ms, row.changed_ms, row.expires_ms, values
    )


def _check_index(kind: str, field: str, transform: str) -> None:
    spec = KINDS[kind].fields.get(field) if kind in KINDS else None
    if spec is None or not (transform in spec.search or (transform == "ngram" and field in NGRAM_FIELDS)):
        raise InvalidField(
            "no such index can be kept", path="field",
            expected="a field and a transform of docs/vault.md; n-grams of " + " and ".join(sorted(NGRAM_FIELDS)),
            found="another",
        )  # fmt: skip
