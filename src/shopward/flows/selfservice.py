"""Self-service: what a customer sets going from the page about her own account.

Promise:
- it is done by the desks that do it for everybody else, under the key that asked for the visit: reports, the freeze, complaints,
  consents. There is no step here that they do not have;
- nothing gets weaker by it. It opens cases, freezes, complains and withdraws; no order ends, no factor changes, no consent is
  given and nothing is revealed. A thief who holds the shop's session gains nothing by it; what he can be is a nuisance: he freezes,
  complains until ten wait, appeals, withdraws a consent. Money is claimed by ``flows.redress``, while the account is frozen;
- what is named is looked up as this customer's own first, and is ``gone`` where it is not.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal, get_args

from shopward.errors import BadInput, Conflict, NotFound
from shopward.events.catalogue import MONEY_TYPES
from shopward.flows.complain import Complained
from shopward.flows.lately import outcome_of
from shopward.flows.processing import ConsentSaid
from shopward.flows.reports import Reported
from shopward.flows.visit import Told
from shopward.values import DAY_MS, from_ms, from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from shopward.flows.complain import ComplaintDesk
    from shopward.flows.overview import OverviewDesk
    from shopward.flows.processing import ProcessingDesk
    from shopward.flows.recover import RecoveryDesk
    from shopward.flows.reports import ReportDesk
    from shopward.flows.visit import Visit

About = Literal["decision", "order", "claim", "privacy", "service"]
ABOUT: Final[tuple[About, ...]] = get_args(About)
Wish = Literal["copy", "correction", "erasure", "objection"]
WISHES: Final[tuple[Wish, ...]] = get_args(Wish)
STATEMENT_MAX: Final = 2_000
WAITING_MAX: Final = 10
"""Complaints of one customer that nobody confirmed yet; more of them are no quicker answered."""
GONE: Final = Told("gone")
AT_RISK: Final = "account_at_risk"
CHANNEL: Final = "self_service"
_NAMED: Final = frozenset({"decision", "order", "claim"})


class SelfService:
    """May be called from any thread.

    Args:
        overviews: what is the customer's own.
        reports, recoveries, complaints, processing: the desks.
    """

    def __init__(
        self,
        *,
        overviews: OverviewDesk,
        reports: ReportDesk,
        recoveries: RecoveryDesk,
        complaints: ComplaintDesk,
        processing: ProcessingDesk,
    ) -> None:
        self._overviews = overviews
        self._reports = reports
        self._recoveries = recoveries
        self._complaints = complaints
        self._processing = processing

    def not_me(self, visit: Visit, event_id: str, language: str) -> Told:
        """This was not me: one case is opened or joined, and a freeze is offered from that moment on."""
        seen = self._overviews.event(visit.user, event_id)
        if seen is None:
            return GONE
        is_loss = seen.facts.type in MONEY_TYPES and outcome_of(seen) in ("done", "let")
        said = Reported(
            kind="loss" if is_loss else "doubt", user=visit.user, channel=CHANNEL, since=from_ms(seen.at_ms),
            said=f"not me: {seen.facts.type}, {to_rfc3339(seen.at_ms)}",
        )  # fmt: skip
        taken = self._reports.take(said, language)
        offer = next((each for each in taken.offers if each.action == "freeze"), None)
        visit.offered_ms = seen.at_ms
        visit.offered_for = AT_RISK if offer is None else offer.body["reason"]
        return Told("reported", said.kind, from_rfc3339(taken.due_at))

    def freeze(self, visit: Visit) -> Told:
        """Everything stops that moves value or changes the account; coming back takes a proof."""
        self._recoveries.freeze(
            visit.caller, visit.user, reason=visit.offered_for or AT_RISK, since_ms=visit.offered_ms
        )
        return Told("frozen")

    def complain(self, visit: Visit, about: str, subject: str, statement: str) -> Told:
        """A complaint in the customer's words; the same words again on one day (UTC) are the same complaint."""
        if about not in ABOUT or not statement:
            return Told("incomplete")
        if about == "order" and not self._covers(visit, subject):
            return GONE
        waiting = self._complaints.listed(state="received", user_id=visit.user, limit=WAITING_MAX)
        if len(waiting) == WAITING_MAX:
            return Told("waiting")
        named, day = subject if about in _NAMED else "", self._complaints.now_ms() // DAY_MS
        said = Complained(
            visit.user, about, statement[:STATEMENT_MAX], named, regime=visit.regime,
            key=_key(visit, day, about, named, statement),
        )  # fmt: skip
        try:
            self._complaints.file(visit.caller, said)
        except (NotFound, Conflict, BadInput):
            return GONE
        return Told("complained")

    def wish(self, visit: Visit, wish: str, statement: str) -> Told:
        """A copy, a correction, an erasure or an objection is asked for: a complaint about privacy, which has dates and persons."""
        if wish not in WISHES:
            return Told("incomplete")
        told = self.complain(visit, "privacy", "", f"The customer asks: {wish}. {statement}".strip())
        return Told("wished") if told.word == "complained" else told

    def withdraw(self, visit: Visit, purpose: str) -> Told:
        """A consent is taken back."""
        newest = {each.purpose: each for each in self._processing.consents(visit.user)}.get(purpose)
        if newest is None or newest.state != "given":
            return GONE
        try:
            self._processing.say(
                visit.caller, visit.user, ConsentSaid(purpose, "withdrawn", newest.text_version, "web")
            )
        except (NotFound, Conflict, BadInput):
            return GONE
        return Told("withdrawn")

    def _covers(self, visit: Visit, order_id: str) -> bool:
        return order_id in {each.id for each in self._overviews.affairs(visit.user).in_force}


def _key(visit: Visit, day: int, about: str, subject: str, statement: str) -> str:
    """Of the day, too: who asks for a copy every year says the same words each time, and is owed an answer each time."""
    said = f"{visit.token}\0{day}\0{visit.regime}\0{about}\0{subject}\0{statement}"
    return "self-" + hashlib.sha256(said.encode()).hexdigest()[:40]
