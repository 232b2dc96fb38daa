"""Claims of an incident's victims, filed for them: whoever was touched is made whole without asking for it.

Promise:
- only for accounts of a sealed victim set, and events inside its window; each claim is assessed as if its owner had filed it,
  with the decision and the orders of each event as the log has them;
- all of a call is one transaction, and each claim has its own answer: filed, or why not; one that is refused spoils no other;
- filing again changes nothing: an event that a claim has is refused with that claim's id.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.claims import states
from shopward.claims.assess import assess
from shopward.claims.claim import Claim, Happened, borne
from shopward.claims.regimes import regime_of
from shopward.errors import Conflict, InvalidField, ShopwardError
from shopward.flows import debts
from shopward.flows.claim import item_of, seen
from shopward.ledger.transfers import AMOUNT_MAX
from shopward.outbox import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.access import Caller
    from shopward.claims.payouts import Instrument
    from shopward.flows.claiming import Claiming
    from shopward.ports import LogEntry
    from shopward.protection.members import Members

CLAIMS_MAX: Final = 500


class Loss(NamedTuple):
    """What a victim lost: the shop's own id, and the events."""

    user_id: str
    event_ids: tuple[str, ...]


class Incident(NamedTuple):
    """What the claims are about: a sealed victim set, its window, the regime, how it is paid back."""

    victims: str
    since_ms: int
    until_ms: int
    regime: str
    instrument: Instrument


class VictimClaims:
    """Files them; may be called from any thread.

    Args:
        on: what the story stands on.
    """

    def __init__(self, on: Claiming) -> None:
        self._on = on
        self._members = lru_cache(maxsize=4)(on.members)  # a sealed set never changes

    def file(self, caller: Caller, about: Incident, losses: Sequence[Loss]) -> list[Claim | ShopwardError]:
        """File up to ``CLAIMS_MAX`` claims; for each the claim, or why not."""
        now_ms, members = self._on.clock.now_ms(), self._members(about.victims)
        regime_of(about.regime)
        entries = self._on.log.find([event for loss in losses for event in loss.event_ids])
        told = dict(zip(entries, self._on.history.told(list(entries.values())), strict=True))
        drafts: list[Claim | ShopwardError] = []
        for loss in losses:
            try:
                drafts.append(self._decided(about, loss, entries, told, members, caller, now_ms))
            except ShopwardError as refusal:
                drafts.append(refusal)

        def work(connection: Any) -> list[Claim | ShopwardError]:
            return self._filed(connection, drafts, about, caller, now_ms)

        return self._on.records.write(work)

    def _decided(
        self,
        about: Incident,
        loss: Loss,
        entries: dict[str, LogEntry],
        told: dict[str, bytes],
        members: Members,
        caller: Caller,
        now_ms: int,
    ) -> Claim:
        """A claim, received and assessed, of nothing but what the log says."""
        user = self._on.maker.user_token(loss.user_id)
        if user not in members:
            raise InvalidField(
                "not a victim", path="user", expected="a user of the victim set", found="another user"
            )
        items = []
        for event_id in dict.fromkeys(loss.event_ids):
            entry = entries.get(event_id)
            item = None
            if entry is not None and entry.user_token == user:
                item = item_of(entry, told[event_id], [seen(entry)])
            if item is None or not about.since_ms <= item.at_ms <= about.until_ms:
                raise InvalidField(
                    "not a loss of this incident", path="events", found="another event",
                    expected="a movement of value of this user that succeeded, inside the window",
                )  # fmt: skip
            items.append(item)
        draft = Claim(
            id=self._on.ids.new("c", now_ms), user=user, state="draft", regime=about.regime, created_ms=now_ms,
            items=tuple(items), incident=about.victims, window_from_ms=about.since_ms, window_until_ms=about.until_ms,
            history=(Happened(now_ms, "drafted", caller.person),),
        )  # fmt: skip
        regime = regime_of(about.regime)
        claim = states.received(draft, regime, items, notice_ms=0, at_ms=now_ms, by=caller.person)
        claim = states.assessed(claim, assess(claim, regime, is_victim=True), at_ms=now_ms)
        if any(amount > AMOUNT_MAX for amount in borne(claim).values()):
            raise InvalidField(
                "more than the books take", path="events", expected=f"at most {AMOUNT_MAX} of a currency in minor units",
                found="a larger sum",
            )  # fmt: skip
        return claim

    def _filed(
        self,
        connection: Any,
        drafts: list[Claim | ShopwardError],
        about: Incident,
        caller: Caller,
        now_ms: int,
    ) -> list[Claim | ShopwardError]:
        owners = self._on.store.owners(
            connection, [item.event_id for each in drafts if isinstance(each, Claim) for item in each.items]
        )
        answers: list[Claim | ShopwardError] = []
        for draft in drafts:
            answers.append(_free(draft, owners) if isinstance(draft, Claim) else draft)
            if isinstance(answers[-1], Claim):
                owners |= {item.event_id: answers[-1].id for item in answers[-1].items}
        fresh = [each for each in answers if isinstance(each, Claim)]
        if not fresh:
            return answers
        self._on.store.give(connection, {item.event_id: each.id for each in fresh for item in each.items})
        approved = [each for each in fresh if each.state == "approved"]
        owed = {each.id: msgspec.structs.replace(each, accrued_minor=borne(each)) for each in approved}
        debts.owe_many(
            connection, self._on.store, self._on.book, list(owed.values()), about.instrument, now_ms
        )
        kept = [owed.get(each.id, each) for each in fresh]
        self._on.store.add(connection, kept)
        self._on.trail.append(
            connection, at_ms=now_ms, actor=caller.key, deed="claim:file_many", subject=about.victims,
            details={"filed": len(kept), "approved": len(approved)},
        )  # fmt: skip
        self._on.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.CLAIM_FILED_FOR_VICTIMS, subject=about.victims,
            payload={"filed": len(kept), "approved": len(approved)},
        )  # fmt: skip
        return [owed.get(each.id, each) if isinstance(each, Claim) else each for each in answers]


def _free(draft: Claim, owners: dict[str, str]) -> Claim | Conflict:
    """The claim, unless another one has an event of it."""
    for item in draft.items:
        if (owner := owners.get(item.event_id)) is not None:
            return Conflict(
                "this event is disputed by another claim", code="already_claimed", path=item.event_id,
                expected="an event that no claim has", found=f"claim {owner}",
            )  # fmt: skip
    return draft
