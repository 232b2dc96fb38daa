"""Redress: from the page about her own account a customer claims what is gone, and does not accept an answer.

Promise:
- the form lists what the platform knows, and is sent in by the desk of claims: its burden of proof, deadlines and persons hold;
- a claim is begun and sent in while the account is frozen and on its way back, and never before: what is paid out then cannot leave
  it until its owner has proved that she is back, so that a thief who holds the shop's session claims nothing for himself;
- the platform counts as told from the freeze on. A report alone does not count here: who reports, goes on buying and then claims
  would be paid for all that came after, whatever the evidence. Staff who know better say so over the API;
- a shop that takes claims by its own pages alone says so when it asks for the visit;
- an appeal asks for another person; nothing is paid or released by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.claims.regimes import DEFAULT
from shopward.errors import BadInput, Conflict, NotFound
from shopward.flows.claim import Filing
from shopward.flows.visit import Told
from shopward.values import from_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.flows.claim import ClaimDesk
    from shopward.flows.complain import ComplaintDesk
    from shopward.flows.overview import Overview, OverviewDesk, OwnClaim
    from shopward.flows.visit import Visit

GONE = Told("gone")


class Redress:
    """May be called from any thread.

    Args:
        overviews: what is the customer's own.
        claims, complaints: the desks.
    """

    def __init__(self, *, overviews: OverviewDesk, claims: ClaimDesk, complaints: ComplaintDesk) -> None:
        self._overviews = overviews
        self._claims = claims
        self._complaints = complaints

    def begin(self, visit: Visit) -> Told:
        """The form, filled in since something was wrong; the one of this freeze where it was not sent in yet."""
        seen = self._overviews.affairs(visit.user)
        refused = _refused(visit, seen)
        if refused is not None or seen.recovery is None:
            return refused or Told("freeze_first")
        frozen_ms = _frozen_ms(seen)  # an older form lacks what is gone since it was made
        if any(each.shown.state == "draft" and each.created_ms >= frozen_ms for each in seen.claims):
            return Told("claim_begun")
        since_ms = from_rfc3339(seen.recovery.since)
        self._claims.draft(visit.caller, visit.user, regime=DEFAULT, since_ms=since_ms)
        return Told("claim_begun")

    def send(self, visit: Visit, claim_id: str, event_ids: Sequence[str]) -> Told:
        """The form comes in with what was ticked."""
        seen = self._overviews.affairs(visit.user)
        refused = _refused(visit, seen)
        if refused is not None:
            return refused
        if self._own(seen.claims, claim_id, "draft") is None:
            return GONE
        if not event_ids:
            return Told("nothing_ticked")
        try:
            self._claims.submit(visit.caller, claim_id, Filing(tuple(event_ids), notice_ms=_frozen_ms(seen)))
        except Conflict:
            return Told("claimed_before")
        except (NotFound, BadInput):
            return GONE
        return Told("claim_sent")

    def appeal(self, visit: Visit, about: str, subject: str) -> Told:
        """The customer does not agree with what became of a claim or a complaint; another person decides."""
        seen = self._overviews.affairs(visit.user)
        try:
            if about == "claim" and self._own(seen.claims, subject) is not None:
                self._claims.appeal(visit.caller, subject)
            elif about == "complaint" and subject in {each.shown.id for each in seen.complaints}:
                self._complaints.appeal(visit.caller, subject)
            else:
                return GONE
        except Conflict:
            return Told("too_late")
        return Told("appealed")

    def _own(self, claims: Sequence[OwnClaim], claim_id: str, state: str = "") -> OwnClaim | None:
        return next(
            (each for each in claims if each.shown.id == claim_id and state in ("", each.shown.state)), None
        )


def _frozen_ms(seen: Overview) -> int:
    """Since when an account that is frozen is."""
    return max(each.standing.begun_ms for each in seen.in_force if each.standing.kind == "freeze")


def _refused(visit: Visit, seen: Overview) -> Told | None:
    """Why nothing is claimed in this visit now; ``None`` where it may be. Fails closed."""
    if not visit.may_claim:
        return GONE
    return None if seen.may_claim else Told("freeze_first")
