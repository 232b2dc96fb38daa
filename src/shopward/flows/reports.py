"""Reports: somebody presses the button, one case opens or grows, and hears what happens next and by when.

Promise:
- a report is answered with its verdict and its case in one transaction; reports of the same thing share one open case, and
  so do losses and doubts of one customer: pressed twice, the button makes one case;
- a loss or a doubt is answered with what the customer can do at once, each as the one request that does it. Nothing is
  frozen or claimed by a report itself;
- nothing that a customer sends puts anything on a list; what people make of a case is ``flows/report_cases.py``;
- of a message only the evidence is kept (``screening.reports.clusters``), of a customer only a token, and of what was said
  only the text with its personal values masked.

The story of a report:
  (1) it is judged as a question would be; where no profile is in force, it is taken all the same
  (2) under the lock: the open case of its customer or of its cluster, or a new one
  (3) report, case, and for a new case what the shop is owed to hear; commit
  (4) what happens next, by when, and what can be done at once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.errors import InvalidField, NotFound
from shopward.events.catalogue import Moment
from shopward.flows.screen import LinkAsked, MessageAsked, SenderAsked
from shopward.outbox import Topic
from shopward.screening import Screened, screened
from shopward.screening.links.address import read_address
from shopward.screening.messages.clusters import cluster_keys
from shopward.screening.messages.extract import links_in
from shopward.screening.messages.normalise import MESSAGE_MAX
from shopward.screening.reports import OF_A_CUSTOMER, CaseRow, ReportRow, cluster_of, evidence_of, wording
from shopward.screening.reports.clusters import CLUSTER_MAX
from shopward.screening.reports.rows import NOTHING_SAID, NOTHING_SHOWN
from shopward.scrubber import scrub
from shopward.values import HOUR_MS, to_ms, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.flows.arrows import Outbox
    from shopward.flows.screen import ScreeningDesk
    from shopward.flows.words import Words
    from shopward.ports import Fence, Records
    from shopward.screening import Verdict
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock, IdSource

KIND: Final = "report"
CASE: Final = "case"
"""What the words of both are called."""
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
        said: what happened, in their own words; personal values are masked before it is kept.
        since: since when something is wrong, as far as they know.
    """

    kind: Literal["message", "link", "sender", "loss", "doubt"]
    text: Annotated[str, Meta(max_length=65_536)] = ""
    url: Annotated[str, Meta(max_length=65_536)] = ""
    sender: Short = ""
    channel: Annotated[str, Meta(max_length=32)] = ""
    user: Annotated[str, Meta(max_length=128)] = ""
    reporter: Literal["customer", "staff"] = "customer"
    said: Annotated[str, Meta(max_length=4_000)] = ""
    since: Moment | UnsetType = UNSET


class Offer(Struct, omit_defaults=True):
    """Something that can be done at once, and the request that does it, with a key of the service."""

    action: Literal["freeze", "claim"]
    text: str
    method: str
    path: str
    body: dict[str, str]


class ReportTaken(Struct, omit_defaults=True):
    """The answer: the case, how many reports it has by now, what happens next, and the verdict for the one who asked.

    Attributes:
        due_at: by when a member of staff has looked.
        offers: what the customer can do at once; for a loss or doubt of a customer who was named.
    """

    id: str
    case_id: str
    state: str
    reports: int
    text: str
    due_at: str
    offers: list[Offer] = []
    verdict: Screened | None = None


class _Judged(NamedTuple):
    verdict: Verdict | None
    given: str
    shown: Screened | None


class ReportDesk:
    """Tells the stories; may be called from any thread.

    Args:
        records: transactions.
        fence: lets one case be opened or joined at a time.
        store: the rows.
        words: keeps what they say.
        screening: judges.
        outbox: what the shop is owed to hear.
        clock: the server's.
        ids: names reports and cases.
        token_of: makes a token of the shop's id of a user.
        within_ms: by kind, how soon somebody looks.
    """

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        store: ReportStore,
        words: Words,
        screening: ScreeningDesk,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
        token_of: Callable[[str], str],
        within_ms: Callable[[str], int],
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._words = words
        self._screening = screening
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._token_of = token_of
        self._within_ms = within_ms

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
        user_token = self._token_of(said.user) if said.user else ""
        url = said.url or self._led_to(said.text)
        cluster, keys = cluster_of(url=url, sender="" if said.text else said.sender), cluster_keys(said.text)
        if keys:  # the same link or nearly the same wording: campaigns change the one and keep the other
            near = (f"{cluster} text", *keys) if cluster else keys
            cluster = f"{cluster} text {' '.join(keys)}".strip()[:CLUSTER_MAX]
        if user_token and said.kind in OF_A_CUSTOMER:
            cluster, keys = f"customer {user_token}", ()
        evidence = evidence_of(judged.verdict, judged.given) if judged.verdict else []
        body = {
            "channel": said.channel,
            "verdict": judged.verdict.level if judged.verdict else "",
            "evidence": evidence,
            "said": scrub(said.said).text,
        }
        due_ms = at_ms + self._within_ms(said.kind)

        def work(connection: Any) -> CaseRow:
            self._fence.exclusive(connection)  # (2)
            case = self._store.open_case_of(connection, cluster) if cluster else None
            if case is None and keys:
                case = self._store.open_case_near(connection, near)
            is_new = case is None
            if case is None:
                shown = {"link": _plain(url), "verdict": body["verdict"], "evidence": evidence}
                case = CaseRow(
                    self._ids.new("rc", at_ms), cluster, "open", said.kind, 0, at_ms, at_ms, "", 0, "",
                    user_token if said.kind in OF_A_CUSTOMER else "", due_ms,
                )  # fmt: skip
                self._words.keep(
                    connection, CASE, case.id, _json(shown), subject=case.user_token, user=said.user
                )
            case = _joined(case, said.kind, at_ms, due_ms)
            self._store.put_case(connection, case)  # (3)
            report = ReportRow(report_id, case.id, said.kind, said.reporter, user_token, at_ms)
            self._store.add(connection, report)
            self._words.keep(connection, KIND, report_id, _json(body), subject=user_token, user=said.user)
            if is_new:
                self._outbox.owe(
                    connection, at_ms=at_ms, topic=Topic.REPORT_OPENED, subject=case.id,
                    payload={"case_id": case.id, "kind": case.kind, "verdict": body["verdict"] or NOT_JUDGED},
                )  # fmt: skip
            return case

        report_id = self._ids.new("rp", at_ms)
        case = self._records.write(work)
        left = max(1, -(-(case.due_ms - at_ms) // HOUR_MS))
        return ReportTaken(
            report_id, case.id, case.state, case.reports, wording.said("next", said.kind, language, hours=left),
            to_rfc3339(case.due_ms), offers_of(said.kind, said.user, language, since=said.since), judged.shown,
        )  # fmt: skip

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


def with_bodies(words: Words, connection: Any, reports: Sequence[ReportRow]) -> list[ReportRow]:
    """Reports with what they say; nothing where it was erased."""
    told = words.of(connection, KIND, [each.id for each in reports])
    return [each._replace(body=told.get(each.id, each.body) or NOTHING_SAID) for each in reports]


def with_shown(words: Words, connection: Any, cases: Sequence[CaseRow]) -> list[CaseRow]:
    """Cases with what is shown of them; nothing where it was erased."""
    told = words.of(connection, CASE, [each.id for each in cases])
    return [each._replace(body=told.get(each.id, each.body) or NOTHING_SHOWN) for each in cases]


def why_frozen(kind: str) -> str:
    """The reason under which an account is frozen for a report of this kind."""
    return "payment_fraud" if kind == "loss" else "account_at_risk"


def offers_of(kind: str, user: str, language: str, *, since: Moment | UnsetType = UNSET) -> list[Offer]:
    """What a customer can do at once about a loss or a doubt; nothing for who was not named."""
    if not user or kind not in OF_A_CUSTOMER:
        return []
    began = {} if since is UNSET else {"since": to_rfc3339(to_ms(since))}
    path = f"/v1/users/{quote(user, safe='')}/freeze"
    offers = [
        Offer(
            "freeze",
            wording.said("offers", "freeze", language),
            "POST",
            path,
            {"reason": why_frozen(kind), **began},
        )
    ]
    if kind == "loss":
        body = {"user": user, **began}
        offers.append(Offer("claim", wording.said("offers", "claim", language), "POST", "/v1/claims", body))
    return offers


def _joined(case: CaseRow, kind: str, at_ms: int, due_ms: int) -> CaseRow:
    """A case with one report more: the graver kind names it, and the sooner date holds."""
    is_graver = case.kind == "doubt" and kind == "loss"
    return case._replace(
        reports=case.reports + 1, last_ms=max(at_ms, case.last_ms), kind=kind if is_graver else case.kind,
        due_ms=min(case.due_ms or due_ms, due_ms),
    )  # fmt: skip


def _plain(url: str) -> str:
    """A link without what could be somebody's: no user name, no query."""
    address = read_address(url)
    return f"{address.host}{address.path}"[:1_000] if address.host else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
