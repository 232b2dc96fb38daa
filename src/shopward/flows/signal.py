"""From a signal to an incident in one call: clocks, people, facts and timeline, with nothing typed.

Promise:
- one signal has one incident: asking again hears the same one, also where two ask at once;
- the record, its people, the line of the audit log and what the shop is owed are one transaction;
- what the server finds by itself it proposes, or opens where the setting ``incidents`` says so; a campaign that is over for a day
  when it is found is history, and proposes nothing;
- a campaign that grows proposes to widen, as a line and a task, and never widens: a person calls ``widen``.

The story:
  (1) what the signal tells: its first event, its alarm, and what is known of who did it
  (2) the people of it (``flows.scope``), outside of any writing transaction
  (3) in one transaction: is there an incident of this signal? else the record, its scope, the signal
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.events.facts import FACT_FIELDS
from shopward.flows.stepped import Steps
from shopward.incidents.incident import Signal, Task
from shopward.incidents.scope import Indicator, ScopeQuery
from shopward.incidents.signals import KINDS, Opening, grown, opened, severity_of, widened
from shopward.values import DAY_MS, from_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.findings import CampaignRow, FindingRow
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.casework import CaseDesk
    from shopward.flows.scope import Asked, Found, ScopeDesk
    from shopward.incidents.incident import Incident, Severity
    from shopward.incidents.scope import IndicatorKind
    from shopward.incidents.store import IncidentStore
    from shopward.incidents.words import Kind
    from shopward.ports import EventLog, Records
    from shopward.values import Clock, IdSource

SYSTEM: Final = "shopward"
BEFORE_MS: Final = DAY_MS
"""A finding is scoped from a day before its event."""
WIDEN: Final = "widen the scope: a campaign has grown"
_PATHS: Final = {field.path: field.attribute for field in FACT_FIELDS}
_SOURCES: Final[dict[str, IndicatorKind]] = {
    "context.ip": "ip", "context.net": "network", "context.device_id": "device", "transaction.payee_id": "payee",
    "credential.password_hmac": "password", "session.id": "session", "actor.id": "staff",
}  # fmt: skip


class Words(NamedTuple):
    """What a person may say beside the signal; what is empty is found."""

    title: str = ""
    kind: Kind | None = None
    severity: Severity | None = None
    elsewhere: str = ""


class _Known(NamedTuple):
    signal: Signal
    indicators: tuple[Indicator, ...]
    kind: Kind
    title: str


class SignalDesk:
    """``step`` belongs to one thread; the others may be called from any.

    Args:
        records: transactions.
        store: the incidents and their signals.
        scopes: finds people.
        cases: campaigns and findings.
        log: where a finding's event is.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names incidents and tasks.
        title_of: what a kind of campaign is called.
        mode: ``propose``, ``open`` or ``off``: what is done with what the server finds.
        elsewhere: the jurisdiction of whom nobody declared a region.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: IncidentStore,
        scopes: ScopeDesk,
        cases: CaseDesk,
        log: EventLog,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
        title_of: Callable[[str], str],
        mode: str,
        elsewhere: str,
    ) -> None:
        self._records = records
        self._store = store
        self._scopes = scopes
        self._cases = cases
        self._log = log
        self._steps = Steps(trail, outbox)
        self._clock = clock
        self._ids = ids
        self._title_of = title_of
        self._mode = mode
        self._elsewhere = elsewhere

    def of_campaign(self, caller: Caller, campaign_id: str, words: Words) -> Incident:
        """The incident of a campaign; raises ``NotFound``."""
        row, _members = self._cases.campaign(campaign_id, after="", limit=1)
        return self._made(caller, self._campaign(row), words)

    def of_finding(self, caller: Caller, finding_id: str, words: Words) -> Incident:
        """The incident of a finding, which is that of its campaign where it has one; raises ``NotFound``."""
        row, _user = self._cases.finding(finding_id)
        if row.campaign:
            return self.of_campaign(caller, row.campaign, words)
        return self._made(caller, self._finding(row), words)

    def of_source(
        self, caller: Caller, source: Asked, since_ms: int, until_ms: int, words: Words
    ) -> Incident:
        """The incident of a condemned address or device, or of whom a trace of a leak names."""
        query = self._scopes.query([source], since_ms=since_ms, until_ms=until_ms)
        (indicator,) = query.indicators
        is_leak = indicator.kind in ("staff", "partner")
        signal = Signal("source", f"{indicator.kind}:{indicator.token}", since_ms, self._clock.now_ms())
        kind: Kind = (
            "account_takeover" if not is_leak else "insider" if indicator.kind == "staff" else "partner_leak"
        )
        return self._made(
            caller, _Known(signal, query.indicators, kind, f"What came from one {indicator.kind}"), words
        )

    def propose_in(
        self, connection: Any, signal: Signal, *, title: str, kind: Kind, severity: Severity, now_ms: int
    ) -> str:
        """The incident of a signal that touches no account yet, in the caller's transaction; empty where the mode is ``off``."""
        if self._mode == "off":
            return ""
        opening = Opening(
            self._ids.new("inc", now_ms),
            title,
            kind,
            severity,
            is_proposed=self._mode == "propose",
            by=SYSTEM,
        )
        made = opened(opening, signal, now_ms=now_ms)
        self._store.put_signal(connection, signal.kind, signal.subject, made.id, accounts=0)
        self._store.add(connection, made, at_ms=now_ms)
        self._steps.told(
            connection, SYSTEM, made, made.state if made.state == "proposed" else "opened", now_ms
        )
        return made.id

    def widen(self, caller: Caller, incident_id: str, reason: str) -> Incident:
        """The newest query once more, until now; the next version, and the proposal to widen is met.

        Raises:
            NotFound: there is no such incident.
            Conflict: its scope was not found in the log.
        """
        incident = self._records.read(lambda each: self._store.get(each, incident_id))
        newest = (
            next((each.query for each in reversed(incident.scopes) if each.query), None) if incident else None
        )
        if incident is None:
            raise NotFound(
                "no such incident", path="id", expected="the id of an incident", found="another id"
            )
        if newest is None:
            raise Conflict(
                "there is no query to widen", code="scope_version", path="id", expected="a scope that was found in the log",
                found="none", hint="scope it first: POST /v1/incidents/{id}/scope",
            )  # fmt: skip
        now_ms = self._clock.now_ms()
        query = msgspec.structs.replace(newest, until_ms=now_ms + 1)
        found = self._scopes.find(incident_id, query, by=caller.person, reason=reason)
        sizes = {each.subject: self._accounts(each) for each in incident.signals}

        def work(connection: Any) -> Incident:
            after = self._scopes.freeze_in(connection, caller.key, incident_id, found)
            for signal in after.signals:
                accounts = sizes.get(signal.subject, signal.accounts)
                after = widened(after, signal, accounts, WIDEN, by=caller.person, now_ms=now_ms)
                self._store.put_signal(
                    connection, signal.kind, signal.subject, incident_id, accounts=accounts
                )
            self._store.put(connection, after, at_ms=now_ms)
            return after

        return self._records.write(work)

    def step(self) -> int:
        """Propose or open what the server found, and propose to widen what grew; how many. Run by the server.

        Raises:
            StoreError: call again; what was done is done.
        """
        if self._mode == "off":
            return 0
        done, now_ms = 0, self._clock.now_ms()
        signals = self._records.read(self._store.signals)
        for row in self._cases.live():
            shown = msgspec.json.decode(row.body)
            known = signals.get(("campaign", row.id))
            if known is None and now_ms - from_rfc3339(shown["last_at"]) <= DAY_MS:
                self._made(None, self._campaign(row), Words())
                done += 1
            elif known is not None and shown["accounts"] >= 2 * max(1, known.accounts):
                done += self._grown(known.incident, row.id, shown["accounts"], now_ms)
        return done

    def _grown(self, incident_id: str, campaign_id: str, accounts: int, now_ms: int) -> bool:
        task = Task(self._ids.new("task", now_ms), WIDEN, "analyst")

        def larger(connection: Any, *, lock: bool = False) -> Incident | None:
            before = self._store.get(connection, incident_id, lock=lock)
            signals = before.signals if before is not None else ()
            signal = next((each for each in signals if each.subject == campaign_id), None)
            if before is None or signal is None or accounts < 2 * max(1, signal.accounts, signal.grown):
                return None
            after = grown(before, signal, accounts, task, now_ms=now_ms)
            return None if after is before else after

        def work(connection: Any) -> bool:
            after = larger(connection, lock=True)
            if after is None:
                return False
            self._store.put(connection, after, at_ms=now_ms)
            self._steps.told(connection, SYSTEM, after, "grown", now_ms)
            return True

        # what was proposed already stays large until somebody widens: no turn of the server takes a lock for that
        return self._records.read(larger) is not None and self._records.write(work)

    def _made(self, caller: Caller | None, known: _Known, words: Words) -> Incident:
        """Steps 2 and 3."""
        signal, now_ms = known.signal, self._clock.now_ms()
        standing = self._records.read(lambda each: self._of(each, signal))
        if standing is not None:
            return standing
        by = SYSTEM if caller is None else caller.person
        incident_id = self._ids.new("inc", now_ms)
        query = ScopeQuery(
            since_ms=signal.began_ms, until_ms=now_ms + 1, indicators=known.indicators,
            elsewhere=words.elsewhere or self._elsewhere,
        )  # fmt: skip
        found = self._scopes.find(
            incident_id, query, by=by, reason=f"from {signal.kind} {signal.subject}", version=1
        )
        opening = Opening(
            incident_id, words.title or known.title, words.kind or known.kind,
            words.severity or severity_of(found.scope.counts.get("grade", {})),
            is_proposed=caller is None and self._mode == "propose", by=by,
        )  # fmt: skip
        made = opened(opening, signal, now_ms=now_ms)
        actor = SYSTEM if caller is None else caller.key
        return self._records.write(lambda each: self._kept(each, actor, made, found, now_ms))

    def _kept(self, connection: Any, actor: str, made: Incident, found: Found, now_ms: int) -> Incident:
        signal = made.signals[0]
        is_first = self._store.put_signal(
            connection, signal.kind, signal.subject, made.id, accounts=signal.accounts, only_new=True
        )
        if not is_first and (standing := self._of(connection, signal)) is not None:
            return standing
        self._store.add(connection, made, at_ms=now_ms)
        self._steps.told(
            connection, actor, made, made.state if made.state == "proposed" else "opened", now_ms
        )
        return self._scopes.freeze_in(connection, actor, made.id, found)

    def _of(self, connection: Any, signal: Signal) -> Incident | None:
        found = self._store.signal(connection, signal.kind, signal.subject)
        return None if found is None else self._store.get(connection, found)

    def _campaign(self, row: CampaignRow) -> _Known:  # (1)
        shown = msgspec.json.decode(row.body)
        alarm_ms = from_rfc3339(shown["opened_at"]) or from_rfc3339(shown["last_at"])
        signal = Signal("campaign", row.id, from_rfc3339(shown["first_at"]), alarm_ms, shown["accounts"])
        kind = KINDS.get(shown["kind"], "account_takeover")
        return _Known(signal, (Indicator("campaign", row.id),), kind, self._title_of(shown["kind"]))

    def _finding(self, row: FindingRow) -> _Known:  # (1)
        shown = msgspec.json.decode(row.body)
        entry = self._log.find([shown["event_id"]]).get(shown["event_id"])
        kind, attribute = _SOURCES.get(shown["source"]), _PATHS.get(shown["source"], "")
        token = msgspec.json.decode(entry.facts).get(attribute, "") if entry is not None else ""
        if kind is None or not token:
            raise InvalidField(
                "this finding names no source", path="finding", expected="one whose source is an address or a device",
                found="another", hint="scope it by what you know: POST /v1/incidents/{id}/scope",
            )  # fmt: skip
        at_ms = from_rfc3339(shown["at"])
        signal = Signal("finding", row.id, at_ms - BEFORE_MS, row.found_ms, 1)
        return _Known(
            signal, (Indicator(kind, token),), "account_takeover", "An earlier success of a condemned source"
        )

    def _accounts(self, signal: Signal) -> int:
        if signal.kind != "campaign":
            return signal.accounts
        row, _members = self._cases.campaign(signal.subject, after="", limit=1)
        return int(msgspec.json.decode(row.body)["accounts"])
