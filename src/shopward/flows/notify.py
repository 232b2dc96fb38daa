"""Telling many: a mailing is filled, started by a second person, sent one message after the other, and resumed where it stood.

Promise:
- filling again changes nothing; nobody is on a mailing twice;
- whoever filled it does not start it: what goes to a million people takes two;
- each message is settled before the next one is handed in, so that a crash leaves at most one whose fate is not known; that one
  is sent again, under the same id;
- a mail server that is down delays and loses nothing; one that refuses an address is written down with it.

The story of a message:
  (1) some recipients are leased in one transaction
  (2) one address is opened and handed to the mail server with its text
  (3) what the server said is written down and committed; then the next
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.errors import Conflict, NotFound, Refused
from shopward.notices.mailing import Mailing, Recipient, message_id, refuse_links, refuse_unready
from shopward.outbox import Topic
from shopward.values import MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.keyring import Entropy, Sealer
    from shopward.notices.mailing import Language, Letter
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
        postman: hands mail in; ``None`` where there is no mail server.
        trail: the audit log.
        outbox: what the shop is owed to hear.
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
        postman: Postman | None,
        trail: Trail,
        outbox: Outbox,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records = records
        self._store = store
        self._token_of = token_of
        self._sealer = sealer
        self._entropy = entropy
        self._postman = postman
        self._trail = trail
        self._outbox = outbox
        self._clock = clock
        self._ids = ids

    def make(self, caller: Caller, *, incident: str, rule: str, letters: dict[Language, Letter]) -> Mailing:
        """A mailing to be filled."""
        refuse_links(letters.values())
        now_ms = self._clock.now_ms()
        made = Mailing(
            id=self._ids.new("ml", now_ms), incident=incident, rule=rule, state="filling", created_ms=now_ms,
            created_by=caller.person, letters=letters,
        )  # fmt: skip

        def work(connection: Any) -> Mailing:
            self._store.add_mailing(connection, made)
            self._line(connection, caller.key, made, now_ms)
            return made

        return self._records.write(work)

    def fill(self, caller: Caller, mailing_id: str, people: Sequence[tuple[str, str, Language]]) -> int:
        """Put people on it: the shop's own id, the address, the language; how many were new."""
        now_ms = self._clock.now_ms()
        rows = []
        for user_id, address, spoken in people:
            token = self._token_of(user_id)
            sealed = self._sealer.seal(address.encode(), context=(mailing_id, token), entropy=self._entropy)
            rows.append(Recipient(token, spoken, sealed, "queued", now_ms, 0, message_id(mailing_id, token)))

        def work(connection: Any) -> int:
            mailing = self._in(connection, mailing_id, "filling")
            spoken = tuple(sorted({*mailing.languages, *(row.language for row in rows)}))
            self._store.put_mailing(connection, msgspec.structs.replace(mailing, languages=spoken))
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
            refuse_unready(mailing, sum(self._store.counts(connection, mailing_id).values()))
            if self._postman is None:
                raise Conflict(
                    "there is no mail server", code="mailing_state", path="smtp_url", expected="SHOPWARD_SMTP_URL",
                    found="nothing",
                )  # fmt: skip
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

    def bounced(self, caller: Caller, message: str, reason: str) -> str:
        """A message came back; the mailing that it was of."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> str:
            mailing_id = self._store.bounce(connection, message, said=reason)
            if mailing_id is None:
                raise NotFound(
                    "no such message", path="message", expected="the id of a message", found="another id"
                )
            self._trail.append(
                connection,
                at_ms=now_ms,
                actor=caller.key,
                deed="notice:bounce",
                subject=mailing_id,
                details={},
            )
            self._outbox.owe(
                connection,
                at_ms=now_ms,
                topic=Topic.NOTICE_BOUNCED,
                subject=mailing_id,
                payload={"message": message},
            )
            return mailing_id

        return self._records.write(work)

    def step(self) -> int:
        """Hand in what is due of the oldest mailing under way; how many were tried. Run by the server."""
        postman = self._postman
        mailing = None if postman is None else self._records.read(self._store.sending)
        if postman is None or mailing is None:
            return 0
        now_ms = self._clock.now_ms()
        taken = self._records.write(
            lambda each: self._store.take(
                each, mailing.id, at_ms=now_ms, until_ms=now_ms + LEASE_MS, limit=TAKEN_MAX
            )
        )  # (1)
        for recipient in taken:
            self._tell(mailing, recipient, postman)
        if not taken:
            self._records.write(lambda each: self._finish(each, mailing.id))
        return len(taken)

    def _tell(self, mailing: Mailing, recipient: Recipient, postman: Postman) -> None:
        letter = mailing.letters[recipient.language]
        address = self._sealer.unseal(recipient.address, context=(mailing.id, recipient.user_token)).decode()
        said = postman.hand_in(
            to=address,
            subject=letter.subject,
            text=letter.text,
            language=recipient.language,
            message=recipient.message,
        )  # (2)
        wait_ms = self._clock.now_ms() + min(PAUSE_MS << min(recipient.tries, 10), PAUSE_MAX_MS)
        state = {"taken": "sent", "refused": "refused"}.get(said, "queued")
        self._records.write(
            lambda each: self._store.settle(
                each, mailing.id, recipient.user_token, state=state, due_ms=wait_ms, said=said
            )
        )  # (3)

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
        if mailing.state not in states:
            raise Conflict(
                "the mailing is in a state from which this cannot be done", code="mailing_state", path="id",
                expected=" or ".join(states), found=mailing.state,
            )  # fmt: skip
        return mailing


def _unknown() -> NotFound:
    return NotFound("no such mailing", path="id", expected="the id of a mailing", found="another id")
