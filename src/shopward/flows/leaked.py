"""Who leaked: rows that turned up outside, against what the vault itself showed to whom.

The story of a trace:
  (1) columns get the vault's names; what they hold is looked for by blind index, as it is now and as it was before corrections
  (2) the records that are found are opened, compared, and each row is a customer's, nobody's, or of two customers alike
  (3) the vault's log of accesses tells who was shown these records, which fields in clear, in which version; who never was,
      or only otherwise, is ruled out for that row
  (4) marks of partners' copies are read; canaries that leaked are counted
  (5) all of it is judged beside the explanations in which none of the logged leaked (``leaks.judge``)
  (6) the trace is a line of the audit log, and the answer leaves: names of recipients and numbers, no value

A leak is weighed by customers: ten orders of one customer count once, in what leaked and in what somebody was shown.

It does not see what was read past the vault (a copy of the database, memory, what a partner passed on) nor what was shown
masked; both are what "none of the logged" stands for. A file of another shop is told as such (``leak_not_ours``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, NotFound
from shopward.flows.consign import PARTNER
from shopward.flows.parcel import ADDRESS, address_of
from shopward.leaks import Evidence, judge
from shopward.leaks.channels import read
from shopward.leaks.columns import renamed
from shopward.leaks.matching import OWN, normalised
from shopward.vault.kinds import KINDS
from shopward.vault.search import EXACT, matches, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shopward.access import Caller
    from shopward.flows.strongroom import Strongroom
    from shopward.leaks import Candidate, MarkRing
    from shopward.leaks.marks import Score
    from shopward.vault.rows import Access, Had, Opened

ROWS_MAX: Final = 5_000
_REGIONS: Final = ("", "ID", "CN")
_STREET_MIN: Final = 6
"""A shorter text stands in too many addresses."""
_STAFF: Final = "staff:"
_NEEDED: Final = 2
"""A row is a record where one value that is one person's alone agrees, or two others do."""
_SHOWN_TO_ALL: Final = frozenset(
    name for kind in KINDS.values() for name, spec in kind.fields.items() if spec.mask == "plain"
)
"""Who has these was shown nothing that a masked view does not show."""


class LeakView(NamedTuple):
    """The outcome of a trace; probabilities between 0 and 1.

    Attributes:
        matched: rows that are a customer's of this shop, canaries with them.
        ambiguous: rows that fit two customers as well.
        foreign: rows of nobody here.
        customers: whom the matched rows are of, canaries left out.
        known: how many customers the vault knows.
        canaries: how many different canaries leaked.
        traps: those of them that were given to nobody: who has them read the store itself, or a copy of it.
        candidates: the strongest first; ``rows_seen`` counts customers.
        nobody: how likely "none of the logged" is.
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
    candidates: list[Candidate]
    nobody: float
    nobody_how: str


class _Match(NamedTuple):
    """A row as a customer's: for each record that it may be, the fields that agree and the versions that have them."""

    row: Mapping[str, str]
    subject: str
    records: dict[str, dict[str, list[range]]]


class _Met(NamedTuple):
    """What was found: by field and term, and the records, opened."""

    had: dict[tuple[str, str], list[Had]]
    opened: dict[str, Opened]


class LeakDesk:
    """May be called from any thread.

    Args:
        room: the vault.
        marks: under which partners' copies were written.
    """

    def __init__(self, room: Strongroom, marks: MarkRing) -> None:
        self._room = room
        self._marks = marks

    def trace(
        self, caller: Caller, rows: Sequence[Mapping[str, str]], *, since_ms: int = 0, until_ms: int = 0
    ) -> LeakView:
        """Rank who leaked some rows, from what was shown in a span of time (0: until now).

        Raises:
            InvalidField: no row, or too many.
            NotFound: no row is of this shop.
        """
        if not 1 <= len(rows) <= ROWS_MAX:
            raise InvalidField("so many rows are not traced", path="rows", expected=f"1 to {ROWS_MAX}", found=str(len(rows)))  # fmt: skip
        now_ms = self._room.clock.now_ms()
        named = [renamed(row) for row in rows]  # (1)
        until_ms = until_ms or now_ms + 1
        view = self._room.records.read(lambda connection: self._traced(connection, named, since_ms, until_ms))
        details = {"rows": view.rows, "matched": view.matched, "named": sum(each.standing in ("proof", "lead") for each in view.candidates)}  # fmt: skip
        self._room.records.write(  # (6)
            lambda connection: self._room.line(connection, caller.key, "leak:trace", "leak", details, now_ms)
        )
        if not view.matched:
            raise NotFound("no row of the file is of this shop", code="leak_not_ours", path="rows", expected="rows with values that the vault knows", found=f"{view.foreign} foreign rows")  # fmt: skip
        return view

    def _traced(self, connection: Any, rows: list[dict[str, str]], since_ms: int, until_ms: int) -> LeakView:
        met = self._met(connection, rows)
        matched, ambiguous = [], 0
        for row, agreed in zip(rows, self._agreed(rows, met), strict=True):  # (2)
            match = _best(row, agreed, met.opened)
            if match == "ambiguous":
                ambiguous += 1
            elif isinstance(match, _Match):
                matched.append(match)
        canaries = {record for each in matched for record in each.records if met.opened[record].row.canary}
        for_whom = self._room.canaries.recipients(connection, sorted(canaries))
        hits = Counter(recipient for recipient in for_whom.values() if recipient)
        ours = [each for each in matched if canaries.isdisjoint(each.records)]
        by_subject: dict[str, list[_Match]] = {}
        for each in ours:
            by_subject.setdefault(each.subject, []).append(each)
        sources, given = self._sources(connection, by_subject, since_ms, until_ms)  # (3)
        sizes = {_recipient(name): count for name, count in self._room.accesses.reach(connection, since_ms, until_ms).items()}  # fmt: skip
        scores = self._scores(ours, given, sizes)  # (4)
        firsts = self._room.census.firsts(connection)
        came = self._room.census.first_of(connection, list(by_subject))
        positions = [bisect_left(firsts, came[subject]) for subject in by_subject]
        groups = self._groups(connection, by_subject, met.opened)
        evidence = Evidence(sources, sizes, max(1, len(firsts)), positions, groups, hits, scores)
        judged = judge(evidence)  # (5)
        foreign = len(rows) - len(matched) - ambiguous
        return LeakView(
            len(rows),
            len(matched),
            ambiguous,
            foreign,
            len(by_subject),
            len(firsts),
            len(canaries),
            len(canaries) - hits.total(),
            *judged,
        )

    # (1) and (2): which rows are whose.

    def _met(self, connection: Any, rows: Sequence[Mapping[str, str]]) -> _Met:
        """Everything that any value of any row is, or was, found by; and those records opened."""
        wanted: dict[str, set[str]] = {}
        for row in rows:
            for field, term in _terms(row):
                for name in EXACT[field]:
                    wanted.setdefault(name, set()).add(term)
        ring = self._room.keys.ring(connection)
        had: dict[tuple[str, str], list[Had]] = {}
        for each in self._room.sealed.past.had(connection, ring, wanted):
            had.setdefault((each.name.split(".")[1], each.term), []).append(each)
        ids = {each.record for several in had.values() for each in several} | {
            row["id"] for row in rows if "id" in row
        }
        found = self._room.sealed.rows(connection, sorted(ids))
        return _Met(had, {each.row.id: each for each in self._room.sealed.open(connection, found)})

    def _agreed(
        self, rows: Sequence[Mapping[str, str]], met: _Met
    ) -> Iterator[dict[str, dict[str, list[range]]]]:
        """For each row the records of which a value agrees: field, and the versions that had it."""
        for row in rows:
            agreed: dict[str, dict[str, list[range]]] = {}
            for field, term in _terms(row):
                for each in met.had.get((field, term), ()):
                    opened = met.opened.get(each.record)
                    if opened is not None and _holds(each, opened, field, row[field]):
                        last = each.last or opened.row.version
                        agreed.setdefault(each.record, {}).setdefault(field, []).append(
                            range(each.first, last + 1)
                        )
            if row.get("id") in met.opened:
                agreed.setdefault(row["id"], {})["id"] = [range(1, met.opened[row["id"]].row.version + 1)]
            for record, fields in agreed.items():
                if ADDRESS in row and _same_address(row[ADDRESS], met.opened[record]):
                    fields["street"] = [range(1, met.opened[record].row.version + 1)]
            yield agreed

    # (3) to (5): who was shown them.

    def _sources(
        self, connection: Any, by_subject: Mapping[str, Sequence[_Match]], since_ms: int, until_ms: int
    ) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
        """Who could have shown all rows of a customer; and the records that partners were given."""
        able: dict[str, dict[str, set[int]]] = {subject: {} for subject in by_subject}
        given: dict[str, set[str]] = {}
        for access in self._room.accesses.shown(connection, list(by_subject), since_ms, until_ms):
            if access.outcome == "pulled":
                given.setdefault(access.record, set()).add(access.person)
            for number, match in enumerate(by_subject[access.subject]):
                if _could_show(access, match.records.get(access.record)):
                    able[access.subject].setdefault(_recipient(access.person), set()).add(number)
        sources = {
            subject: [name for name, rows in able[subject].items() if len(rows) == len(several)]
            for subject, several in by_subject.items()
        }
        return sources, given

    def _scores(
        self, ours: Sequence[_Match], given: Mapping[str, set[str]], sizes: Mapping[str, int]
    ) -> dict[str, Score]:
        """What the marks say of each partner: of rows that are one record that a partner was given."""
        places: dict[str, bool] = {}
        for match in ours:
            records = [record for record in match.records if record in given]
            if len(records) == 1:
                places |= {f"{records[0]}/{name}": bit for name, bit in read(match.row).items()}
        if not places:
            return {}
        partners = [name for name in sizes if name.startswith(PARTNER)]
        return {name: self._marks.score(places, name.removeprefix(PARTNER)) for name in partners}

    def _groups(
        self, connection: Any, by_subject: Mapping[str, Sequence[_Match]], opened: Mapping[str, Opened]
    ) -> dict[str, tuple[int, int]]:
        """Of each region how many leaked customers lie in it and how many it has."""
        of = {
            subject: opened[next(iter(several[0].records))].row.region
            for subject, several in by_subject.items()
        }
        leaked, sizes = Counter(of.values()), self._room.census.regions(connection)
        return {
            f"an unlogged dump of region {region}": (count, max(count, sizes.get(region, 0)))
            for region, count in leaked.items()
            if region
        }


def _terms(row: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """What a row's values are found by, however a country writes them."""
    return dict.fromkeys(
        (field, term)
        for field, value in row.items()
        if field in EXACT and "*" not in value
        for region in _REGIONS
        for term in terms(field, "exact", value, region)
    )


def _holds(had: Had, opened: Opened, field: str, asked: str) -> bool:
    """Whether a hit of a short index is one: what the record holds now is compared, what it held cannot be."""
    return bool(had.last) or any(
        matches(field, "exact", opened.values.get(field, ""), asked, region)
        for region in (opened.row.region, *_REGIONS)
    )


def _same_address(asked: str, opened: Opened) -> bool:
    leaked = normalised(ADDRESS, asked)
    whole = normalised(ADDRESS, address_of(opened.values, opened.row.region))
    street = normalised(ADDRESS, opened.values.get("street", ""))
    return bool(leaked) and (leaked == whole or (len(street) >= _STREET_MIN and street in leaked))


def _best(
    row: Mapping[str, str], agreed: Mapping[str, Mapping[str, list[range]]], opened: Mapping[str, Opened]
) -> _Match | str:
    """The customer whose records agree best; ``foreign`` for nobody, ``ambiguous`` for two alike."""
    own = OWN | {"order_id", "wechat", "number"}
    weights = {record: sum(2 if field in own else 1 for field in fields) for record, fields in agreed.items()}
    most = max(weights.values(), default=0)
    if most < _NEEDED:
        return "foreign"
    best = [record for record, weight in weights.items() if weight == most]
    subjects = {opened[record].row.subject for record in best}
    if len(subjects) > 1:
        return "ambiguous"
    return _Match(row, subjects.pop(), {record: dict(agreed[record]) for record in best})


def _could_show(access: Access, agreed: Mapping[str, Sequence[range]] | None) -> bool:
    """Whether an access showed what leaked: in clear, in a version that had it."""
    if agreed is None:
        return False
    clear = set(access.fields.split(","))
    return all(
        (field in clear or field in _SHOWN_TO_ALL or field == "id")
        and any(access.version in versions for versions in spans)
        for field, spans in agreed.items()
    )


def _recipient(person: str) -> str:
    return person if person.startswith(PARTNER) else _STAFF + person
