"""Reports: somebody presses the button, one case opens or grows, a person settles it, and the list follows.

Promise:
- a report is answered with its verdict and its case in one transaction; reports of the same thing share one open case;
- nothing that a customer sends puts anything on a list: a person of staff confirms the case, and the entry names its scope
  and its end; a shared host is never listed as a whole;
- dismissing a case takes its entry off again; the audit log keeps who said what;
- of a message only the evidence is kept (``screening.reports.clusters``), of a customer only a token.

The story of a report:
  (1) it is judged as a question would be; where no profile is in force, it is taken all the same
  (2) under the lock: the open case of its cluster, or a new one
  (3) report, case, and for a new case what the shop is owed to hear; commit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Conflict, InvalidField, NotFound
from shopward.flows.screen import LinkAsked, MessageAsked, SenderAsked, entries_of
from shopward.outbox import Topic
from shopward.screening import Screened, screened
from shopward.screening.links.address import read_address
from shopward.screening.links.lists import TTL_MS
from shopward.screening.messages.clusters import cluster_keys
from shopward.screening.messages.extract import links_in
from shopward.screening.messages.normalise import MESSAGE_MAX
from shopward.screening.reports import CaseRow, ReportRow, cluster_of, evidence_of
from shopward.screening.reports.clusters import CLUSTER_MAX
from shopward.screening.reports.rows import ListedRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.flows.screen import ScreeningDesk
    from shopward.ports import Fence, Records
    from shopward.screening import Verdict
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock, IdSource

NOT_JUDGED: Final = "none"
Short = Annotated[str, Meta(max_length=2_048)]


class Reported(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody found suspicious.

    Attributes:
        kind: a message, a link, a sender, a loss, or a doubt that is none of these.
        text: the message, as it was received; it is judged and not kept.
        url, sender, channel: the link, who sent it, and where it was met.
        user: the shop's id of the customer whom it is about.
        reporter: who pressed the button.
    """

    kind: Literal["message", "link", "sender", "loss", "doubt"]
    text: Annotated[str, Meta(max_length=65_536)] = ""
    url: Annotated[str, Meta(max_length=65_536)] = ""
    sender: Short = ""
    channel: Annotated[str, Meta(max_length=32)] = ""
    user: Annotated[str, Meta(max_length=128)] = ""
    reporter: Literal["customer", "staff"] = "customer"


class ReportTaken(Struct, omit_defaults=True):
    """The answer: the case, how many reports it has by now, and the verdict for the one who asked."""

    id: str
    case_id: str
    state: str
    reports: int
    verdict: Screened | None = None


class Settling(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says a case is.

    Attributes:
        state: confirmed puts its link on the list; dismissed takes it off.
        scope: of the entry: this url, what is below its path, its host, or its registered domain.
    """

    state: Literal["confirmed", "dismissed"]
    scope: Literal["url", "path", "host", "domain"] = "host"


class _Judged(NamedTuple):
    verdict: Verdict | None
    given: str
    shown: Screened | None


class ReportDesk:
    """Tells the stories; may be called from any thread.

    Args:
        records: transactions.
        fence: lets one case be opened or settled at a time.
        store: the rows.
        screening: judges, and takes the list.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names reports and cases.
        token_of: makes a token of the shop's id of a user.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: ReportStore,
        screening: ScreeningDesk,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
        token_of: Callable[[str], str],
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._screening = screening
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._token_of = token_of

    def take(self, said: Reported, language: str) -> ReportTaken:
        """A report; raises ``InvalidField`` where it says nothing about what its kind is of."""
        needed = {"link": said.url, "sender": said.sender, "message": said.text}.get(said.kind, "-")
        if not needed:
            raise InvalidField(
                "the report lacks what it is about", expected="text for a message, url for a link, sender for a sender",
                found="nothing",
            )  # fmt: skip
        judged = self._judged(said, language)  # (1)
        at_ms = self._clock.now_ms()
        near: tuple[str, ...] = ()
        url = said.url or self._led_to(said.text)
        cluster, keys = cluster_of(url=url, sender="" if said.text else said.sender), cluster_keys(said.text)
        if keys:  # the same link or nearly the same wording: campaigns change the one and keep the other
            near = (f"{cluster} text", *keys) if cluster else keys
            cluster = f"{cluster} text {' '.join(keys)}".strip()[:CLUSTER_MAX]
        evidence = evidence_of(judged.verdict, judged.given) if judged.verdict else []
        body = {
            "channel": said.channel,
            "verdict": judged.verdict.level if judged.verdict else "",
            "evidence": evidence,
        }
        user_token = self._token_of(said.user) if said.user else ""

        def work(connection: Any) -> CaseRow:
            self._fence.exclusive(connection)  # (2)
            case = self._store.open_case_of(connection, cluster) if cluster else None
            if case is None and keys:
                case = self._store.open_case_near(connection, near)
            is_new = case is None
            if case is None:
                shown = {"link": _plain(url), "verdict": body["verdict"], "evidence": evidence}
                case = CaseRow(
                    self._ids.new("rc", at_ms),
                    cluster,
                    "open",
                    said.kind,
                    0,
                    at_ms,
                    at_ms,
                    "",
                    0,
                    _json(shown),
                )
            case = case._replace(reports=case.reports + 1, last_ms=max(at_ms, case.last_ms))
            self._store.put_case(connection, case)  # (3)
            report = ReportRow(report_id, case.id, said.kind, said.reporter, user_token, at_ms, _json(body))
            self._store.add(connection, report)
            if is_new:
                self._outbox.owe(
                    connection, at_ms=at_ms, topic=Topic.REPORT_OPENED, subject=case.id,
                    payload={"case_id": case.id, "kind": case.kind, "verdict": body["verdict"] or NOT_JUDGED},
                )  # fmt: skip
            return case

        report_id = self._ids.new("rp", at_ms)
        case = self._records.write(work)
        return ReportTaken(report_id, case.id, case.state, case.reports, judged.shown)

    def cases(self, *, state: str | None, before: str | None, limit: int) -> list[CaseRow]:
        """Cases, newest first."""
        return self._records.read(
            lambda connection: self._store.cases(connection, state=state, before=before, limit=limit)
        )

    def case(self, case_id: str, *, after: str, limit: int) -> tuple[CaseRow, list[ReportRow]]:
        """A case and its reports; raises ``NotFound``."""

        def work(connection: Any) -> tuple[CaseRow, list[ReportRow]]:
            return self._case(connection, case_id), self._store.reports(
                connection, case_id, after=after, limit=limit
            )

        return self._records.read(work)

    def settle(self, caller: Caller, case_id: str, said: Settling) -> CaseRow:
        """What a person says a case is, and the list with it; said anew, the last word counts.

        Raises:
            NotFound: there is no such case.
            Conflict: its link cannot be listed so, since pages of others stand on its host.
        """
        caller.require("analyst")
        at_ms = self._clock.now_ms()

        def work(connection: Any) -> CaseRow:
            self._fence.exclusive(connection)
            case = self._case(connection, case_id)
            link = msgspec.json.decode(case.body)["link"]
            self._store.drop_listed(connection, case_id)
            if said.state == "confirmed" and link:
                entry = ListedRow(case_id, link, said.scope, at_ms, at_ms + TTL_MS)
                _refuse_unlistable(entry)
                self._store.put_listed(connection, entry)
            case = case._replace(state=said.state, settled_by=caller.person, settled_ms=at_ms)
            self._store.put_case(connection, case)
            self._trail.append(
                connection, at_ms=at_ms, actor=caller.person, deed="report:settle", subject=case_id,
                details={"state": said.state, "scope": said.scope if link else "", "reports": case.reports},
            )  # fmt: skip
            return case

        case = self._records.write(work)
        self._screening.look_again()
        return case

    def _judged(self, said: Reported, language: str) -> _Judged:
        """The verdict on what the report is about; none where nothing can be judged. Fails open."""
        try:
            if said.text:
                asked_of = MessageAsked(said.text, said.channel, said.sender)
                return self._of(self._screening.judge_message(asked_of), said.text, language)
            if said.url:
                return self._of(self._screening.judge_link(LinkAsked(said.url)), said.url, language)
            if said.sender:
                asked = SenderAsked(said.sender, said.channel)
                return self._of(self._screening.judge_sender(asked), said.sender, language)
        except NotFound:
            pass
        return _Judged(None, "", None)

    def _led_to(self, text: str) -> str:
        """The first link of a message that is nobody's whom the shop knows; empty where there is none, or no profile."""
        try:
            for link in links_in(text[:MESSAGE_MAX]):
                if self._screening.judge_link(LinkAsked(link)).level not in ("official", "known_good"):
                    return link
        except NotFound:  # nobody can say whose a link is without a profile
            pass
        return ""

    def _of(self, verdict: Verdict, given: str, language: str) -> _Judged:
        profile = self._screening.profile()
        return _Judged(verdict, given, screened(verdict, given, language, profile=profile.version))

    def _case(self, connection: Any, case_id: str) -> CaseRow:
        case = self._store.case(connection, case_id)
        if case is None:
            raise NotFound("there is no such case", path="id", expected="the id of a case", found="another")
        return case


def _refuse_unlistable(row: ListedRow) -> None:
    refused = entries_of([row]).refused
    if refused:
        raise Conflict(
            "pages of others stand on this host", code="shared_host", expected="a link with a path, or another scope",
            found=refused[0][1],
        )  # fmt: skip


def _plain(url: str) -> str:
    """A link without what could be somebody's: no user name, no query."""
    address = read_address(url)
    return f"{address.host}{address.path}"[:1_000] if address.host else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
