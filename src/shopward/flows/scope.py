"""Scoping: what is known of who did it becomes whom it touched, how far, and under whose law.

Promise:
- a value of an indicator is made a token at once and is kept nowhere; the query of each version is kept with it;
- the people of a version are frozen: its rows and its sealed sets never change; more, or others, are the next version;
- each number can be opened: ``people`` lists exactly those whom it counted, and is a line of the audit log;
- who is in another open incident too is counted by that incident's id.

The story:
  (1) indicators become tokens; members of a campaign and whom a person saw in the vault are people already
  (2) one pass over the log between two moments adds whom it touched, with grades and data
  (3) what the shop declared of them gives jurisdiction, language and how they are told
  (4) other open incidents are held against them
  (5) in one transaction: rows, sealed sets, the version, facts, audit log and outbox
A dry run ends after (4) and keeps nothing.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import InputTooLarge, InvalidField, NotFound
from shopward.flows.scan import Scan
from shopward.incidents import steps
from shopward.incidents.incident import Scope
from shopward.incidents.scope import (
    GRADES,
    GROUPS_MAX,
    ROW,
    Group,
    Indicator,
    ScopeQuery,
    counted,
    depth_of,
    jurisdictions_of,
    language_of_home,
    member_grades,
    packed_rows,
    revealed_grades,
    rows_of,
)
from shopward.outbox import Topic
from shopward.protection.attributes import compiled_predicate
from shopward.protection.members import VictimSet, bytes_of, token_of
from shopward.risk.cel import EvalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox
    from shopward.flows.casework import CaseDesk
    from shopward.flows.ground import Ground
    from shopward.flows.history import History
    from shopward.incidents.incident import Incident
    from shopward.incidents.scope import IndicatorKind, Route, Wanted
    from shopward.incidents.store import IncidentStore
    from shopward.ports import EventLog
    from shopward.values import IdSource
    from shopward.vault.accesses import AccessBook

OTHERS_MAX: Final = 100
"""So many of the newest incidents are held against a new scope."""
_MEMBERS: Final = 500
_decode: Final = msgspec.json.decode
_DOMAINS: Final[dict[str, str]] = {
    "device": "device", "payee": "payee", "password": "password", "session": "session",
}  # fmt: skip
_NETWORKS: Final = {4: 24, 6: 48}


class Asked(NamedTuple):
    """An indicator as it was sent; the value goes no further than its token."""

    kind: IndicatorKind
    value: str


class Found(NamedTuple):
    """Whom a query reached: rows sorted by token, the version as it would be, and how many events were looked at."""

    rows: bytes
    scope: Scope
    events: int
    hits: int


class Person(NamedTuple):
    """One of a scope; ``user`` is the shop's own id, empty where the log no longer tells."""

    token: str
    user: str
    bits: int
    group: Group


class ScopeDesk:
    """Tells the story; may be called from any thread.

    Args:
        on: transactions, declared users, sealed sets, tokens, the clock, the audit log.
        store: the incidents.
        log: what happened.
        history: tells the shop's own ids of users.
        cases: members of campaigns.
        accesses: who was seen in the vault.
        outbox: what the shop is owed to hear.
        ids: names sets.
    """

    def __init__(
        self,
        on: Ground,
        *,
        store: IncidentStore,
        log: EventLog,
        history: History,
        cases: CaseDesk,
        accesses: AccessBook,
        outbox: Outbox,
        ids: IdSource,
    ) -> None:
        self._on = on
        self._store = store
        self._log = log
        self._history = history
        self._cases = cases
        self._accesses = accesses
        self._outbox = outbox
        self._ids = ids

    def query(
        self,
        asked: Sequence[Asked],
        *,
        since_ms: int,
        until_ms: int,
        follow: bool = True,
        where: str = "",
        elsewhere: str = "",
    ) -> ScopeQuery:
        """A query over the log from what is known; raises ``InvalidField``."""
        if where:
            compiled_predicate(where, self._on.blind)
        if not asked or since_ms >= until_ms:
            raise InvalidField(
                "this reaches nobody", path="indicators" if since_ms < until_ms else "until",
                expected="one indicator or more, and a span of time", found="none",
            )  # fmt: skip
        return ScopeQuery(
            since_ms=since_ms, until_ms=until_ms, indicators=tuple(self._indicator(each) for each in asked),
            follow=follow, where=where, elsewhere=elsewhere,
        )  # fmt: skip

    def find(self, incident_id: str, query: ScopeQuery, *, by: str, reason: str, version: int = 0) -> Found:
        """Steps 1 to 4; nothing is kept. ``version`` is that of an incident which is not kept yet."""
        now_ms = self._on.clock.now_ms()
        people: dict[bytes, int] = {}
        tokens = [each.token for each in query.indicators if each.kind != "campaign"]
        scan = Scan(tokens, follow=query.follow, people=people)
        for each in query.indicators:  # (1)
            if each.kind == "campaign":
                self._members(each.token, scan)
            elif each.kind in ("staff", "partner"):
                person = (
                    f"partner:{each.name}" if each.kind == "partner" else each.name
                )  # as the vault writes them
                self._seen(person, query, people)
        scan.run(self._log, since_ms=query.since_ms, until_ms=query.until_ms)  # (2)
        groups = self._homes(people, query)  # (3)
        rows = packed_rows(people)
        version, overlaps = self._on.records.read(
            lambda each: (
                version or len(self._got(each, incident_id).scopes) + 1, self._beside(each, incident_id, people),
            )
        )  # (4)  # fmt: skip
        scope = Scope(
            version=version, at_ms=now_ms, by=by, reason=reason, sets={},
            query=msgspec.structs.replace(query, seq=scan.seq), groups=groups,
            counts=counted(Counter(people.values()), groups), overlaps=overlaps,
        )  # fmt: skip
        return Found(rows, scope, scan.events, scan.hits)

    def freeze(self, caller: Caller, incident_id: str, found: Found) -> Incident:
        """Step 5: the next version of an incident's scope.

        Raises:
            Conflict: somebody else scoped it meanwhile, or it is closed.
        """
        return self._on.records.write(lambda each: self.freeze_in(each, caller.key, incident_id, found))

    def freeze_in(self, connection: Any, actor: str, incident_id: str, found: Found) -> Incident:
        """Step 5 in the caller's transaction."""
        before = self._got(connection, incident_id, lock=True)
        steps.refuse_version(before, found.scope.version)
        scope, now_ms = found.scope, found.scope.at_ms
        sets = {
            grade: self._sealed(connection, actor, f"{incident_id}:{grade}", tokens, scope)
            for grade, bit in GRADES.items()
            if (tokens := b"".join(token for token, bits, _group in rows_of(found.rows) if bits & bit))
        }
        after = steps.scope_found(before, msgspec.structs.replace(scope, sets=sets))
        self._store.put_victims(connection, incident_id, scope.version, found.rows)
        self._store.put(connection, after, at_ms=now_ms)
        self._outbox.owe(
            connection, at_ms=now_ms, topic=Topic.INCIDENT_STEPPED, subject=incident_id,
            payload={"step": "scope", "state": after.state, "severity": after.severity},
        )  # fmt: skip
        details = {
            "step": "scope",
            "state": after.state,
            "version": scope.version,
            "users": len(found.rows) // ROW,
        }
        self._on.arrows.line(connection, actor, "incident:step", incident_id, details, now_ms)
        return after

    def people(
        self, caller: Caller, incident_id: str, version: int, wanted: Wanted, *, after: str, limit: int
    ) -> tuple[list[Person], str]:
        """Those of a version whom a number counts, in the order of their tokens; and the ``after`` of the next page."""
        now_ms, begin = self._on.clock.now_ms(), bytes_of(after) if after else b""

        def read(connection: Any) -> list[tuple[bytes, int, Group]]:
            incident = self._got(connection, incident_id)
            scope = next((each for each in incident.scopes if each.version == version), None)
            if scope is None or scope.query is None:
                raise NotFound(
                    "no such scope",
                    path="version",
                    expected="a version that was found in the log",
                    found="another",
                )
            found = []
            for page in self._store.victims(connection, incident_id, version):
                if page[-ROW : -ROW + 16] <= begin:
                    continue
                for token, bits, number in rows_of(page):
                    if token > begin and wanted.holds(bits, scope.groups[number]):
                        found.append((token, bits, scope.groups[number]))
                        if len(found) > limit:
                            return found
            return found

        def line(connection: Any) -> None:
            details = {"version": version, "which": "/".join(filter(None, msgspec.structs.astuple(wanted)))}
            self._on.arrows.line(connection, caller.key, "incident:people", incident_id, details, now_ms)

        found = self._on.records.read(read)  # no writer waits for it: a version never changes
        self._on.records.write(line)  # before anybody is shown; fails closed
        users = self._history.users([token_of(token) for token, _bits, _group in found[:limit]])
        shown = [
            Person(token_of(token), users[token_of(token)], bits, group)
            for token, bits, group in found[:limit]
        ]
        return shown, shown[-1].token if len(found) > limit else ""

    def incidents_of(self, token: str) -> list[tuple[Incident, str]]:
        """Incidents at work that touched a user, by token, with how far it went; by their newest scope that was found in the log."""

        def work(connection: Any) -> list[tuple[Incident, str]]:
            found = []
            for incident in islice(self._store.at_work(connection), OTHERS_MAX):
                version = next((each.version for each in incident.scopes[::-1] if each.query is not None), 0)
                row = (
                    self._store.victim(connection, incident.id, version, bytes_of(token)) if version else b""
                )
                found += [(incident, depth_of(bits)) for _token, bits, _group in rows_of(row)]
            return found

        return self._on.records.read(work)

    def _indicator(self, asked: Asked) -> Indicator:
        kind, value = asked
        if kind == "campaign":
            self._cases.campaign(value, after="", limit=1)
            return Indicator(kind, value)
        if kind in ("staff", "partner"):
            return Indicator(kind, self._on.blind("actor", f"{kind}:{value}"), value)
        if kind in _DOMAINS:
            return Indicator(kind, self._on.blind(_DOMAINS[kind], value))
        return Indicator(kind, self._on.blind("ip" if kind == "ip" else "net", _address(kind, value)))

    def _members(self, campaign_id: str, scan: Scan) -> None:
        """Members of a campaign are people of the scope; what their first event's session did is followed."""
        after = ""
        while True:
            _row, members = self._cases.campaign(campaign_id, after=after, limit=_MEMBERS)
            firsts = self._log.find([each.shown["event_id"] for each in members])
            for each in members:
                shown, token = each.shown, bytes_of(each.token)
                bits = member_grades(tried=shown["tried"], entered=shown["entered"], stopped=shown["stopped"])
                scan.people[token] = scan.people.get(token, 0) | bits
                entry = firsts.get(shown["event_id"])
                if entry is not None:
                    facts = _decode(entry.facts)
                    scan.follow(each.token, session=facts.get("session", ""), device=facts.get("device", ""))
            if len(members) < _MEMBERS:
                return
            after = members[-1].token

    def _seen(self, person: str, query: ScopeQuery, people: dict[bytes, int]) -> None:
        rows = self._on.records.read(
            lambda each: self._accesses.seen_by(each, person, query.since_ms, query.until_ms)
        )
        for subject, fields in rows:
            token = bytes_of(subject)
            people[token] = people.get(token, 0) | revealed_grades(fields)

    def _homes(self, people: dict[bytes, int], query: ScopeQuery) -> tuple[Group, ...]:
        """Give each of them the number of a group; drop whom ``where`` does not cover."""
        unknown = Group(*_home("", query.elsewhere), "none")
        numbers: dict[Group, int] = {unknown: 0}
        by_declared: dict[tuple[str, bool, bool], int] = {}
        tokens = [token_of(token) for token in sorted(people)]

        def work(connection: Any) -> None:
            if query.where:
                self._keep(connection, people, tokens, query.where)
            for token, region, has_email, has_phone in self._on.users.homes(connection, tokens):
                key = (region, bool(has_email), bool(has_phone))
                number = by_declared.get(key)
                if number is None:
                    route: Route = "email" if has_email else "phone" if has_phone else "none"
                    group = Group(*_home(region, query.elsewhere), route)
                    if group not in numbers and len(numbers) > GROUPS_MAX:
                        raise _too_many_groups()
                    number = by_declared[key] = numbers.setdefault(group, len(numbers))
                raw = bytes_of(token)
                if raw in people:
                    people[raw] = people[raw] & 0xFFFF | number << 16

        self._on.records.read(work)
        return tuple(numbers)

    def _keep(self, connection: Any, people: dict[bytes, int], tokens: Sequence[str], where: str) -> None:
        holds = compiled_predicate(where, self._on.blind)
        declared = self._on.users.get(connection, tokens)
        for token in tokens:
            user = declared.get(token)
            try:
                is_kept = user is not None and holds(user)
            except EvalError:  # as orders do: what cannot be computed covers
                is_kept = True
            if not is_kept:
                del people[bytes_of(token)]

    def _beside(self, connection: Any, incident_id: str, people: dict[bytes, int]) -> dict[str, int]:
        """How many of these people other incidents have that are not over."""
        overlaps: dict[str, int] = {}
        for other in self._store.listed(connection, state="", before="", limit=OTHERS_MAX):
            newest = next((each for each in reversed(other.scopes) if each.query is not None), None)
            if other.id == incident_id or newest is None or other.state in ("closed", "dismissed"):
                continue
            pages: Iterator[bytes] = self._store.victims(connection, other.id, newest.version)
            shared = sum(token in people for page in pages for token, _bits, _group in rows_of(page))
            if shared:
                overlaps[other.id] = shared
        return overlaps

    def _sealed(self, connection: Any, actor: str, name: str, tokens: bytes, scope: Scope) -> str:
        """A sealed victim set of a grade, so that an order or claims can be about these people."""
        made = VictimSet(
            id=self._ids.new("vs", scope.at_ms), name=name, version=0, state="open", source="log", users=0, digest=b"",
            author=scope.by, created_ms=scope.at_ms, sealed_ms=0, revision=0,
        )  # fmt: skip
        begun = self._on.sets.add(connection, made)
        sealed = self._on.sets.seal(connection, begun, tokens, scope.at_ms)
        details = {"users": sealed.users, "digest": sealed.digest.hex()}
        self._on.arrows.line(connection, actor, "set:seal", sealed.id, details, scope.at_ms)
        return sealed.id

    def _got(self, connection: Any, incident_id: str, *, lock: bool = False) -> Incident:
        incident = self._store.get(connection, incident_id, lock=lock)
        if incident is None:
            raise NotFound(
                "no such incident", path="id", expected="the id of an incident", found="another id"
            )
        return incident


def _too_many_groups() -> InputTooLarge:
    """Numbered alike, two groups would have each other's law."""
    return InputTooLarge(
        "too many jurisdictions for one scope", path="where", expected=f"at most {GROUPS_MAX} groups of people", found="more",
        hint="declare regions by their codes (ID, CN, SG), or narrow the scope",
    )  # fmt: skip


def _home(region: str, elsewhere: str) -> tuple[tuple[str, ...], Any]:
    places = jurisdictions_of(region, elsewhere)
    return places, language_of_home(places)


def _address(kind: str, value: str) -> str:
    """An address or a network as events' tokens are made of it; raises ``InvalidField``, which repeats no value."""
    try:
        if kind == "ip":
            address = ipaddress.ip_address(value)
            return str(getattr(address, "ipv4_mapped", None) or address)
        network = ipaddress.ip_network(value)
    except ValueError:
        network = None
    if network is None or network.prefixlen != _NETWORKS[network.version]:
        raise InvalidField(
            "not an address" if kind == "ip" else "not a network of events", path="indicators", found="another text",
            expected="an IPv4 or IPv6 address" if kind == "ip" else "a /24 of IPv4 or a /48 of IPv6",
        )  # fmt: skip
    return str(network)
