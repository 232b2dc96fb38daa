"""Telling many: a mailing is filled, started by a second person, sent one message after the other, and resumed where it stood.

Promise:
- filling again changes nothing; nobody is on a mailing twice;
- whoever filled it does not start it: what goes to a million people takes two;
- each message is settled before the next one is handed in, so that a crash leaves at most one whose fate is not known; that one
  is sent again, under the same id;
- a channel that is down delays and loses nothing; one that refuses an address for good, or says later that a message did not
  arrive, moves on to the next route of that person by itself; who has none left is owed the notice still, and is counted.

The story of a message:
  (1) some recipients are leased in one transaction
  (2) one route is opened and handed to its channel with the text
  (3) what the channel said is written down and committed; then the next
  (4) where it did not arrive, the next route is due, and a mailing that was done goes on
  (5) a mailing that reached everybody meets its duty (``acquit``)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.notices.mailing import (
    UNREACHED,
    Mailing,
    Recipient,
    message_id,
    refuse_links,
    refuse_unready,
    routes_of,
    sealed_form,
)
from shopward.outbox import Topic
from shopward.ports import Handed, Parcel
from shopward.values import MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.access import Caller
    from shopward.flows.acquit import Acquittal
    from shopward.flows.arrows import Outbox, Trail
    from shopward.keyring import Entropy, Sealer
    from shopward.notices.mailing import Channel, Language, Letter, RecipientState, Way
    from shopward.notices.store import NoticeStore
    from shopward.ports import Postman, Records
    from shopward.values import Clock, IdSource

LEASE_MS: Final = 10 * MINUTE_MS
TAKEN_MAX: Final = 20
"""So many are handed in within one lease, though the server takes all the time that it has."""
PAUSE_MS: Final = 30 * SECOND_MS
PAUSE_MAX_MS: Final = 60 * MINUTE_MS


class NoticeDesk:
    """Tells the story; fill and start may be called from any thread, ``step`` from one.

    Args:
        records: transactions.
        store: mailings and recipients.
        token_of: an account's token.
        sealer: opens and closes addresses.
        entropy: random bytes.
        postmen: hand messages in, by channel.
        trail: the audit log.
        outbox: what the shop is owed to hear.
        duty: what a mailing means for the duty that it was made for.
        clock: the server's.
        ids: names mailings.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: NoticeStore,
        token_of: Callable[[str], str],
        sealer: Sealer,
        entropy: Entropy,
        postmen: Mapping[Channel, Postman],
        trail: Trail,
        outbox: Outbox,
        duty: Acquittal,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._store = store
        self._token_of = token_of
        self._sealer = sealer
        self._entropy = entropy
        self._postmen = postmen
        self._trail = trail
        self._outbox = outbox
        self._duty = duty
        self._clock = clock
        self._ids = ids
        self._paced: dict[str, tuple[float, int]] = {}

    def make(
        self,
        caller: Caller,
        *,
        incident: str,
        rule: str,
        letters: dict[Language, Letter],
        via: tuple[Channel, ...] = ("email", "whatsapp", "shop"),
        template: str = "",
        per_minute: int = 0,
    ) -> Mailing:
        """A mailing to be filled."""
        refuse_links(letters.values())
        now_ms = self._clock.now_ms()
        made = Mailing(
            id=self._ids.new("ml", now_ms), incident=incident, rule=rule, state="filling", created_ms=now_ms,
            created_by=caller.person, letters=letters, via=via, template=template, per_minute=per_minute,
        )  # fmt: skip

        def work(connection: Any) -> Mailing:
            self._store.add_mailing(connection, made)
            self._line(connection, caller.key, made, now_ms)
            return made

        return self._records.write(work)

    def fill(
        self, caller: Caller, mailing_id: str, people: Sequence[tuple[str, Sequence[Way], Language]]
    ) -> int:
        """Put people on it: the shop's own id, the ways to them, the language; how many were new."""
        now_ms, via = self._clock.now_ms(), self.get(mailing_id)[0].via
        rows: list[Recipient] = []
        channels: set[Channel] = set()
        for user_id, routes, spoken in people:
            token = self._token_of(user_id)
            usable = sorted(
                (each for each in routes if each.channel in via), key=lambda each: via.index(each.channel)
            )
            if not usable:
                raise InvalidField(
                    "there is no way to somebody", path="via", expected="one route or more of " + ", ".join(via),
                    found="none",
                )  # fmt: skip
            channels.update(each.channel for each in usable)
            sealed = self._sealer.seal(
                sealed_form(usable), context=(mailing_id, token), entropy=self._entropy
            )
            rows.append(Recipient(token, spoken, sealed, "queued", now_ms, 0, message_id(mailing_id, token)))

        def work(connection: Any) -> int:
            mailing = self._in(connection, mailing_id, "filling")
            spoken = tuple(sorted({*mailing.languages, *(row.language for row in rows)}))
            used: tuple[Channel, ...] = tuple(sorted({*mailing.channels, *channels}))
            self._store.put_mailing(
                connection, msgspec.structs.replace(mailing, languages=spoken, channels=used)
            )
            added = self._store.add(connection, mailing_id, rows)
            self._trail.append(
                connection, at_ms=now_ms, actor=caller.key, deed="notice:mailing", subject=mailing_id,
                details={"state": mailing.state, "added": added},
            )  # fmt: skip
            return added

        return self._records.write(work)

    def start(self, caller: Caller, mailing_id: str) -> Mailing:
        """Send it; also where it was paused."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Mailing:
            mailing = self._in(connection, mailing_id, "filling", "paused")
            if caller.person == mailing.created_by:
                raise Refused(
                    "another person is needed", code="second_person_needed", found="the same",
                    expected="somebody else than who made the mailing",
                )  # fmt: skip
            refuse_unready(
                mailing, sum(self._store.counts(connection, mailing_id).values()), self._postmen.keys()
            )
            return self._moved(connection, caller.key, mailing, "sending", caller.person, now_ms)

        return self._records.write(work)

    def pause(self, caller: Caller, mailing_id: str) -> Mailing:
        """Send nothing more for now."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Mailing:
            mailing = self._in(connection, mailing_id, "sending")
            return self._moved(connection, caller.key, mailing, "paused", caller.person, now_ms)

        return self._records.write(work)

    def get(self, mailing_id: str) -> tuple[Mailing, dict[str, int]]:
        """A mailing, and how many recipients stand in each state."""

        def work(connection: Any) -> tuple[Mailing, dict[str, int]]:
            mailing = self._store.mailing(connection, mailing_id)
            if mailing is None:
                raise _unknown()
            return mailing, self._store.counts(connection, mailing_id)

        return self._records.read(work)

    def of_incident(self, connection: Any, incident: str) -> list[tuple[Mailing, dict[str, int]]]:
        """The mailings about an incident with their counts, in the caller's transaction."""
        return [
            (each, self._store.counts(connection, each.id))
            for each in self._store.of_incident(connection, incident)
        ]

    def bounced(self, caller: Caller, message: str, reason: str) -> str:
        """A message came back; the mailing that it was of. The next route is due by itself."""
        mailing_id = self._records.write(
            lambda each: self._lost(each, caller.key, {"message": message}, reason)
        )
        if mailing_id is None:
            raise NotFound(
                "no such message", path="message", expected="the id of a message", found="another id"
            )
        return mailing_id

    def heard(self, receipt: str, message: str, status: str, why: str) -> bool:
        """A channel says what became of a message, by its receipt or our id; whether it is one of ours."""
        names = {"message": message} if message else {"receipt": receipt}
        if status == "failed":
            return self._records.write(lambda each: self._lost(each, "shopward", names, why)) is not None

        def work(connection: Any) -> bool:
            found = self._store.named(connection, **names)
            if found is None:
                return False
            mailing_id, recipient = found
            if recipient.state == "sent" and recipient.said != "read":  # read stays, whatever comes late
                told = recipient._replace(said=status[:64], receipt=recipient.receipt or receipt)
                self._store.settle(connection, mailing_id, told, message=recipient.message, states=("sent",))
            return True

        return self._records.write(work)

    def step(self) -> int:
        """Hand in what is due of the oldest mailing under way; how many were tried. Run by the server."""
        mailing = self._records.read(self._store.sending)
        if mailing is None:
            return 0
        now_ms = self._clock.now_ms()
        limit = self._allowed(mailing, now_ms)
        if not limit:
            return 0
        taken = self._records.write(
            lambda each: self._store.take(
                each, mailing.id, at_ms=now_ms, until_ms=now_ms + LEASE_MS, limit=limit
            )
        )  # (1)
        for recipient in taken:
            self._tell(mailing, recipient)
        if mailing.per_minute:
            room, _since = self._paced[mailing.id]
            self._paced[mailing.id] = (room - len(taken), now_ms)
        if not taken:
            self._records.write(lambda each: self._finish(each, mailing.id))
        return len(taken)

    def _allowed(self, mailing: Mailing, now_ms: int) -> int:
        """How many may be told now: room grows with time, up to a tenth of a minute's; it is not kept over a restart."""
        if not mailing.per_minute:
            return TAKEN_MAX
        most = max(1.0, mailing.per_minute / 10)
        room, since_ms = self._paced.get(mailing.id, (1.0, now_ms))
        room = min(most, room + mailing.per_minute * (now_ms - since_ms) / MINUTE_MS)
        self._paced[mailing.id] = (room, now_ms)
        return min(TAKEN_MAX, int(room))

    def _tell(self, mailing: Mailing, recipient: Recipient) -> None:
        letter, routes = mailing.letters[recipient.language], self._routes(mailing.id, recipient)
        route = routes[recipient.route]
        postman = self._postmen.get(route.channel)
        handed = Handed("refused", why="no_channel")
        if postman is not None:
            handed = postman.hand_in(
                Parcel(
                    route.to,
                    letter.subject,
                    letter.text,
                    recipient.language,
                    recipient.message,
                    mailing.template,
                )
            )  # (2)
        wait_ms = self._clock.now_ms() + min(PAUSE_MS << min(recipient.tries, 10), PAUSE_MAX_MS)
        said = handed.why[:64] or handed.said
        after = recipient._replace(
            due_ms=wait_ms, said=said, receipt=handed.receipt, tries=recipient.tries + 1
        )
        if handed.said == "taken":
            after = after._replace(state="sent")
        elif handed.said == "refused":
            after = self._next(mailing.id, after, len(routes), "refused")
        self._records.write(
            lambda each: self._store.settle(
                each, mailing.id, after, message=recipient.message, states=("queued",)
            )
        )  # (3)

    def _routes(self, mailing_id: str, recipient: Recipient) -> list[Way]:
        return routes_of(self._sealer.unseal(recipient.address, context=(mailing_id, recipient.user_token)))

    def _next(
        self, mailing_id: str, recipient: Recipient, routes: int, otherwise: RecipientState
    ) -> Recipient:
        """The next route of somebody, due at once; where none is left, nobody told him."""
        if recipient.route + 1 >= routes:
            return recipient._replace(state=otherwise)
        route = recipient.route + 1
        return recipient._replace(
            state="queued", route=route, tries=0, due_ms=self._clock.now_ms(), receipt="",
            message=message_id(mailing_id, recipient.user_token, route),
        )  # fmt: skip

    def _lost(self, connection: Any, actor: str, names: dict[str, str], why: str) -> str | None:
        """Step 4."""
        found = self._store.named(connection, **names)
        if found is None:
            return None
        mailing_id, recipient = found
        if recipient.state in UNREACHED:  # told already
            return mailing_id
        now_ms = self._clock.now_ms()
        routes = self._routes(mailing_id, recipient)
        after = self._next(mailing_id, recipient._replace(said=why[:64]), len(routes), "bounced")
        if not self._store.settle(
            connection, mailing_id, after, message=recipient.message, states=("queued", "sent")
        ):
            return mailing_id  # told meanwhile
        mailing = self._in(connection, mailing_id)
        if after.state == "queued" and mailing.state == "done":
            self._moved(connection, actor, mailing, "sending", mailing.started_by, now_ms)
        if after.state in UNREACHED:
            self._duty.lost(connection, mailing, now_ms)
        goes_on = {"next": routes[after.route].channel} if after.state == "queued" else {}
        self._trail.append(
            connection, at_ms=now_ms, actor=actor, deed="notice:bounce", subject=mailing_id, details=goes_on
        )
        self._outbox.owe(
            connection, at_ms=now_ms, topic=Topic.NOTICE_BOUNCED, subject=mailing_id,
            payload={"message": recipient.message, **goes_on},
        )  # fmt: skip
        return mailing_id

    def _finish(self, connection: Any, mailing_id: str) -> None:
        """Done, where nobody waits any more."""
        mailing = self._store.mailing(connection, mailing_id, lock=True)
        counts = self._store.counts(connection, mailing_id)
        if mailing is None or mailing.state != "sending" or counts.get("queued"):
            return
        now_ms = self._clock.now_ms()
        done = msgspec.structs.replace(mailing, state="done", done_ms=now_ms)
        self._store.put_mailing(connection, done)
        self._line(connection, "shopward", done, now_ms)
        self._duty.done(connection, done, counts, now_ms)
        self._outbox.owe(
            connection, at_ms=now_ms, topic=Topic.NOTICE_MAILING_DONE, subject=mailing_id,
            payload={"incident": mailing.incident, "sent": counts.get("sent", 0), "refused": counts.get("refused", 0)},
        )  # fmt: skip

    def _moved(
        self, connection: Any, actor: str, mailing: Mailing, state: Any, person: str, now_ms: int
    ) -> Mailing:
        moved = msgspec.structs.replace(
            mailing, state=state, started_ms=mailing.started_ms or now_ms, started_by=person
        )
        self._store.put_mailing(connection, moved)
        self._line(connection, actor, moved, now_ms)
        return moved

    def _line(self, connection: Any, actor: str, mailing: Mailing, now_ms: int) -> None:
        self._trail.append(
            connection, at_ms=now_ms, actor=actor, deed="notice:mailing", subject=mailing.id,
            details={"state": mailing.state},
        )  # fmt: skip

    def _in(self, connection: Any, mailing_id: str, *states: str) -> Mailing:
        mailing = self._store.mailing(connection, mailing_id, lock=True)
        if mailing is None:
            raise _unknown()
        if states and mailing.state not in states:
            raise Conflict(
                "the mailing is in a state from which this cannot be done", code="mailing_state", path="id",
                expected=" or ".join(states), found=mailing.state,
            )  # fmt: skip
        return mailing


def _unknown() -> NotFound:
    return NotFound("no such mailing", path="id", expected="the id of a mailing", found="another id")
