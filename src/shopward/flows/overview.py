"""Overview: what a customer may see of her own account, in one answer.

Promise:
- it is read at the moment of asking, changes nothing and opens nothing that is sealed: no address, no device's id, no word that
  somebody wrote. Whoever holds the shop's session may be a thief, and learns here nothing that would help him;
- reasons of decisions and names of staff are not in it: the first would teach an attacker the rules, the second are theirs;
- looks into the vault are told by purpose and day. Those of ``QUIET`` purposes are left out: whom an investigation is about must
  not read here that there is one. The page says that these are not listed;
- only the newest ``LOOKED_AT_MAX`` events are looked at, and ``EACH_MAX`` of anything else, a freeze before other orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.claims.view import ClaimView
from shopward.claims.view import view as claim_view
from shopward.complaints.complaint import date_of
from shopward.complaints.view import ComplaintView
from shopward.complaints.view import view as complaint_view
from shopward.events import Facts
from shopward.flows.consign import PARTNER
from shopward.flows.counsel import Protection, counsel
from shopward.flows.lately import Seen, is_breached, lately, new_sim_ms
from shopward.flows.recorded import EVENT
from shopward.screening.reports.wording import said
from shopward.values import DAY_MS
from shopward.vault.rows import SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.claims.claim import Claim, Item
    from shopward.claims.store import ClaimStore
    from shopward.complaints.store import ComplaintStore
    from shopward.findings.store import FindingStore
    from shopward.flows.counsel import Word
    from shopward.flows.enrol import FactorDesk
    from shopward.flows.lately import Happened
    from shopward.flows.oversee import Overseer
    from shopward.flows.recover import RecoveryDesk
    from shopward.notices.mailing import Letter, Mailing
    from shopward.notices.store import NoticeStore
    from shopward.partners.store import PartnerStore
    from shopward.ports import EventLog, LogEntry, Records
    from shopward.processing.store import ProcessingStore
    from shopward.protection.links import AccountLinks
    from shopward.protection.orders import Order
    from shopward.recovery.view import RecoveryView
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock
    from shopward.vault.accesses import AccessBook
    from shopward.vault.rows import Access

LOOKED_AT_MAX: Final = 500
EACH_MAX: Final = 20
LOOKS_MAX: Final = 200
FORM_MAX: Final = 60
QUIET: Final = frozenset({"fraud_investigation", "legal_request"})
_facts: Final = msgspec.json.Decoder(Facts).decode


class _Decided(msgspec.Struct):
    """What is read of a recorded decision."""

    decision: str = ""


_decided: Final = msgspec.json.Decoder(_Decided).decode


class OwnCase(NamedTuple):
    """A case about the account; ``text`` says why it was settled, and is empty before."""

    id: str
    kind: str
    state: str
    opened_ms: int
    due_ms: int
    text: str


class OwnComplaint(NamedTuple):
    """A complaint, and by when its state is left; 0 where nothing is due."""

    shown: ComplaintView
    received_ms: int
    due_ms: int


class OwnClaim(NamedTuple):
    """A claim, by when it is decided (0 where nothing is due), what may be ticked on its form, and whether it may be appealed."""

    shown: ClaimView
    created_ms: int
    due_ms: int
    form: tuple[Item, ...] = ()
    may_appeal: bool = False


class Looked(NamedTuple):
    """Looks into the vault on one day (UTC) for one purpose: how many records, and who.

    Attributes:
        who: ``staff``, ``partner``, or ``export`` for a copy that was made for the customer.
        name: of the partner; persons of staff have none here.
    """

    day_ms: int
    purpose: str
    title: str
    who: str
    records: int
    name: str = ""


class Agreed(NamedTuple):
    """A consent that stands."""

    purpose: str
    title: str
    at_ms: int
    text_version: str


class Way(NamedTuple):
    """A way into the account beside the password.

    Attributes:
        kind: ``passkey``, ``totp``, ``recovery_code`` or ``provider``.
        name: of the provider; empty for the others.
        since_ms: 0 where it is not known.
    """

    kind: str
    name: str
    since_ms: int


class Noticed(NamedTuple):
    """What the shop told this customer of an incident, whether it reached her or not."""

    at_ms: int
    subject: str
    text: str


class Matters(NamedTuple):
    """What stands in the records about a customer.

    Attributes:
        is_reached: whether a campaign that is live reached the account.
    """

    is_reached: bool
    cases: list[OwnCase]
    complaints: list[OwnComplaint]
    claims: list[OwnClaim]
    looks: list[Looked]
    consents: list[Agreed]
    notices: list[Noticed]
    providers: list[tuple[str, int]]


class Overview(NamedTuple):
    """All of it, newest first.

    Attributes:
        in_force: the orders that cover the account.
        recovery: the way back, where the account is on it.
        is_frozen: whether a freeze is in force.
    """

    happened: list[Happened]
    in_force: list[Order]
    recovery: RecoveryView | None
    is_frozen: bool
    advice: list[Word]
    cases: list[OwnCase]
    complaints: list[OwnComplaint]
    claims: list[OwnClaim]
    looks: list[Looked]
    consents: list[Agreed]
    notices: list[Noticed]
    ways: list[Way]

    @property
    def may_claim(self) -> bool:
        """Whether nothing that is paid out now can leave before its owner has proved that she is back (``flows.redress``)."""
        return self.is_frozen and self.recovery is not None and self.recovery.state != "released"


class OverviewDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        log: what happened.
        overseer: orders in force.
        recoveries: the way back.
        reports, complaints, claims, processing, findings, notices, partners: the rows.
        accesses: the log of looks into the vault.
        links: which foreign accounts sign in, inside a transaction.
        factors: what the customer proves with.
        token_of: makes a token of the shop's id of a user.
        clock: the server's.
    """

    def __init__(
        self,
        *,
        records: Records,
        log: EventLog,
        overseer: Overseer,
        recoveries: RecoveryDesk,
        reports: ReportStore,
        complaints: ComplaintStore,
        claims: ClaimStore,
        processing: ProcessingStore,
        findings: FindingStore,
        notices: NoticeStore,
        partners: PartnerStore,
        accesses: AccessBook,
        links: Callable[[Any], AccountLinks],
        factors: FactorDesk,
        token_of: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._records = records
        self._log = log
        self._overseer = overseer
        self._recoveries = recoveries
        self._reports = reports
        self._complaints = complaints
        self._claims = claims
        self._processing = processing
        self._findings = findings
        self._notices = notices
        self._partners = partners
        self._accesses = accesses
        self._links = links
        self._factors = factors
        self._token_of = token_of
        self._clock = clock

    def of(self, user_id: str, language: str) -> Overview:
        """What is shown to a customer, in ``id``, ``zh`` or ``en``."""
        page = self._log.timeline(self._token_of(user_id), before_seq=None, limit=LOOKED_AT_MAX)
        seen = sorted((_seen(entry) for entry in page if entry.kind == EVENT), key=lambda each: -each.at_ms)
        return self._with(user_id, language, seen)

    def affairs(self, user_id: str) -> Overview:
        """The same for who acts on it, in English and without events, which take long to read, and advice on them."""
        return self._with(user_id, "en", [])

    def _with(self, user_id: str, language: str, seen: Sequence[Seen]) -> Overview:
        now_ms, token = self._clock.now_ms(), self._token_of(user_id)
        happened = lately(seen, at_ms=now_ms)
        covering = sorted(
            self._overseer.in_force_for(token), key=lambda each: (each.kind != "freeze", -each.begun_ms)
        )
        standing = covering[:EACH_MAX]
        orders = [self._overseer.get(each.id)[0] for each in standing]
        under_way = self._recoveries.under_way(user_id=user_id, before="", limit=1, language=language)
        matters = self._records.read(lambda connection: self._matters(connection, token, language, now_ms))
        advice = counsel(
            happened, protections=[Protection(each.kind, each.reason) for each in standing],
            is_breached=is_breached(seen), is_reached=matters.is_reached,
            new_sim_ms=new_sim_ms(seen), told_ms=max((each.at_ms for each in matters.notices), default=0), at_ms=now_ms,
        )  # fmt: skip
        return Overview(
            happened, orders, under_way[0] if under_way else None, any(each.kind == "freeze" for each in standing), advice,
            matters.cases, matters.complaints, matters.claims, matters.looks, matters.consents, matters.notices,
            self._ways(user_id, matters.providers),
        )  # fmt: skip

    def event(self, user_id: str, event_id: str) -> Seen | None:
        """An event of this very customer; ``None`` for anybody else's, and for none."""
        entry = self._log.find([event_id]).get(event_id)
        is_own = entry is not None and entry.kind == EVENT and entry.user_token == self._token_of(user_id)
        return _seen(entry) if entry is not None and is_own else None

    def _matters(self, connection: Any, token: str, language: str, now_ms: int) -> Matters:
        titles = {
            each.name: str(getattr(each.activity.title, language))
            for each in self._processing.activities(connection)
        }
        complaints = self._complaints.listed(
            connection, state="", user=token, is_overdue=False, before="", limit=EACH_MAX
        )
        claims = self._claims.listed(connection, state="", user=token, incident="", before="", limit=EACH_MAX)
        looks = self._accesses.of_subject(connection, token, before=None, limit=LOOKS_MAX)
        newest = {each.purpose: each for each in self._processing.of_subject(connection, token)}
        return Matters(
            bool(self._findings.live_of(connection, token)),
            [
                OwnCase(each.id, each.kind, each.state, each.opened_ms, each.due_ms, said("reasons", each.reason, language))
                for each in self._reports.cases(connection, user=token, limit=EACH_MAX)
            ],
            [
                OwnComplaint(
                    complaint_view(each, language=language, at_ms=now_ms, for_staff=False), each.received_ms, date_of(each)
                )
                for each in complaints
            ],
            [
                _claim(each, claim_view(each, self._claims.payouts_of(connection, each.id), language=language))
                for each in claims
            ],
            looked(looks, titles, self._named(connection, looks)),
            [
                Agreed(each.purpose, titles.get(each.purpose, each.purpose), each.at_ms, each.text_version)
                for each in newest.values()
                if each.state == "given"
            ],
            [_noticed(*each, language) for each in self._notices.of_user(connection, token, limit=EACH_MAX)],
            self._links(connection).providers_of(token)[:EACH_MAX],
        )  # fmt: skip

    def _ways(self, user_id: str, providers: Sequence[tuple[str, int]]) -> list[Way]:
        own = [Way(each.kind, "", each.created_ms) for each in self._factors.listed(user_id)[:EACH_MAX]]
        return own + [Way("provider", name, since_ms) for name, since_ms in providers]

    def _named(self, connection: Any, looks: Sequence[Access]) -> dict[str, str]:
        """Partners by what stands for them in the log of accesses: a company has a name that its customers may know."""
        keys = {each.person for each in looks if each.outcome == "pulled"}
        found = {key: self._partners.get(connection, key.removeprefix(PARTNER)) for key in keys}
        return {key: each.name for key, each in found.items() if each is not None}


def _noticed(mailing: Mailing, meant: str, language: str) -> Noticed:
    """In the language of the page where there is such a letter, else in the one that it was meant in."""
    letters: dict[str, Letter] = dict(mailing.letters.items())
    letter = letters.get(language) or letters[meant]
    return Noticed(mailing.started_ms, letter.subject, letter.text)


def _claim(claim: Claim, shown: ClaimView) -> OwnClaim:
    form = claim.items[::-1][:FORM_MAX] if claim.state == "draft" else ()
    is_less = any(each.borne_minor < each.claimed_minor for each in shown.amounts)
    may_appeal = claim.state == "declined" or (claim.state in ("approved", "paid") and is_less)
    return OwnClaim(shown, claim.created_ms, claim.due_ms, form, may_appeal)


def looked(accesses: Sequence[Access], titles: dict[str, str], partners: Mapping[str, str]) -> list[Looked]:
    """Looks by day, purpose and who; refused ones showed nobody anything and are not told."""
    found: dict[tuple[int, str, str, str], set[str]] = {}
    for each in accesses:
        if each.outcome not in SHOWN or each.purpose in QUIET:
            continue
        who = {"pulled": "partner", "exported": "export"}.get(each.outcome, "staff")
        name = partners.get(each.person, "") if who == "partner" else ""
        day_ms = each.at_ms - each.at_ms % DAY_MS
        found.setdefault((day_ms, each.purpose, who, name), set()).add(each.record)
    return [
        Looked(day_ms, purpose, titles.get(purpose, ""), who, len(records), name)
        for (day_ms, purpose, who, name), records in found.items()
    ][:EACH_MAX]


def _seen(entry: LogEntry) -> Seen:
    """Its own time counts here and not the order of the log: a customer knows when she signed in."""
    decision = _decided(entry.decision).decision if entry.decision else ""
    facts = _facts(entry.facts)
    return Seen(entry.event_id, facts.time_ms or entry.at_ms, facts, decision)
