"""Conversing: what customers write to a line is taken in and sealed, one agent looks after it, reads it under a decision, and answers.

Promise:
- a message told twice is one; one that is told late stands where it was sent;
- what was said lies in the vault under the customer's key, for 90 days, and that it was said is forgotten with it; a number that is no customer's has a key of its own, by its token;
  where the number becomes another's, or a customer's, another conversation begins: one is with one customer;
- each message of a customer is judged by the message screening, and the verdict kept; where nothing can judge it is taken all the same
  (fails open: a customer's question is never lost for want of a profile);
- an agent reads what he looks after, as a reveal: decided, counted against his quota, audited. Anybody else is refused here; who reads the
  records by the vault's own ways is shown beside the conversation as unexplained, and is a finding (``flows.unexplained``);
- an answer is written down with its agent before it is handed to the channel: a crash leaves one whose fate is not known
  (``sending``), never one that nobody wrote. By a condemned line none goes out: fails closed.

The story of a message:
  (1) it is judged, outside of any transaction
  (2) whose number is it; is there an open conversation
  (3) sealed, kept, the shop told, the line of the audit log last; commit
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shopward.conversations.conversation import (
    RECORD,
    Conversation,
    Message,
    check_agent,
    check_window,
    closed,
    ended,
    is_explained,
    taken,
)
from shopward.errors import Conflict, NotFound, Refused, ShopwardError
from shopward.flows.arrows import SYSTEM
from shopward.flows.guard import request_state
from shopward.flows.looks import RevealAsk
from shopward.outbox import Topic
from shopward.ports import Parcel
from shopward.values import DAY_MS
from shopward.vault.rows import RevealRequest, Write
from shopward.vault.search import index_name, matches, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.conversations import Inbound
    from shopward.conversations.store import ConversationStore
    from shopward.flows.looks import Pending
    from shopward.flows.reveal import RevealDesk
    from shopward.flows.strongroom import Strongroom
    from shopward.ports import Correspondent

KEPT_MS: Final = 90 * DAY_MS
"""As long as customer service may see it."""
SHOWN_MAX: Final = 200
OPENED_MAX: Final = 20
"""More records at once take a second person."""
READS_MAX: Final = 500
FORGOTTEN_AT_ONCE: Final = 500
_CANDIDATES_MAX: Final = 20
_BY_PHONE: Final = index_name("customer", "phone", "exact")


class Read(NamedTuple):
    """Somebody read messages of a conversation; ``is_explained`` where he looked after it then."""

    person: str
    at_ms: int
    purpose: str
    record: str
    is_explained: bool


class ConversationDesk:
    """Tells the story; may be called from any thread.

    Args:
        room: the vault.
        reveals: lets agents read.
        store: conversations.
        judge: the verdict on a text of a sender, a word; empty where nothing can judge.
        is_barred: whether nothing goes out by a line.
        correspondents: hand answers in, by line; one that is not there answers nothing.
    """

    def __init__(
        self,
        *,
        room: Strongroom,
        reveals: RevealDesk,
        store: ConversationStore,
        judge: Callable[[str, str], str],
        is_barred: Callable[[Any, str], bool],
        correspondents: dict[str, Correspondent],
    ) -> None:
        self._room = room
        self._reveals = reveals
        self._store = store
        self._judge = judge
        self._is_barred = is_barred
        self._correspondents = correspondents

    def hear(self, told: Sequence[Inbound]) -> int:
        """Take messages in; how many were new. One that cannot be kept spoils no other, and is raised at the end."""
        new, full = 0, None
        for each in told:
            try:
                new += self._room.records.write(partial(self._hear, each, self._judged(each)))
            except Conflict as refused:
                full = refused
        if full is not None:
            raise full
        return new

    def forget(self) -> int:
        """Drop messages of before 90 days that are not held in the vault, and conversations that have none any more; how many messages."""
        before_ms = self._room.clock.now_ms() - KEPT_MS
        gone, after = 0, (0, "")
        while True:
            done, after, is_all = self._room.records.write(partial(self._forgotten, before_ms, after))
            gone += done
            if is_all:
                return gone

    def listed(self, *, state: str, before: str, limit: int) -> list[Conversation]:
        """Newest first; an empty word asks for all."""
        return self._room.records.read(
            lambda each: self._store.listed(each, state=state, before=before, limit=limit)
        )

    def get(self, conversation_id: str) -> tuple[Conversation, list[Message], list[Read]]:
        """One of them, its messages without what they say, and who read them; raises ``NotFound``."""

        def work(connection: Any) -> tuple[Conversation, list[Message], list[Read]]:
            found = self._got(connection, conversation_id)
            messages = self._store.messages(connection, found.id, limit=SHOWN_MAX)
            records = {each.record for each in messages}
            seen = self._room.accesses.of_subject(connection, found.subject, before=None, limit=READS_MAX)
            reads = [
                Read(each.person, each.at_ms, each.purpose, each.record, is_explained(found, each.person, each.at_ms))
                for each in seen
                if each.record in records and each.outcome == "revealed"
            ]  # fmt: skip
            return found, messages, reads

        return self._room.records.read(work)

    def take(self, caller: Caller, conversation_id: str) -> Conversation:
        """Who asks looks after it from now on."""
        return self._step(caller, conversation_id, taken, "taken")

    def close(self, caller: Caller, conversation_id: str) -> Conversation:
        """It is over."""
        return self._step(caller, conversation_id, closed, "closed")

    def prepare(
        self, caller: Caller, conversation_id: str, *, challenge_id: str = ""
    ) -> tuple[list[Message], Pending]:
        """The newest messages that can be read, and what has to be decided first; a proof is of the conversation, whatever came meanwhile.

        Raises:
            NotFound: there is no such conversation, or nothing in it to read.
            Refused: somebody else looks after it, something is locked, or the challenge is not one that this person passed for it.
        """
        since_ms = self._room.clock.now_ms() - KEPT_MS

        def work(connection: Any) -> tuple[Conversation, list[Message]]:
            found = self._got(connection, conversation_id)
            check_agent(found, caller.person)
            messages = self._store.messages(connection, found.id, limit=SHOWN_MAX)
            newest = [each for each in messages if each.record and each.at_ms > since_ms][-OPENED_MAX:]
            rows = self._room.sealed.rows(connection, [each.record for each in newest])
            there = {row.id for row in rows}  # what was erased is gone, and hides nothing that came later
            return found, [each for each in newest if each.record in there]

        found, told = self._room.records.read(work)
        if not told:
            raise NotFound("there is nothing to read", path="id", expected="messages of the last 90 days")
        ask = RevealAsk(tuple(each.record for each in told), ("text",), "customer_service", found.id)
        whole = msgspec.structs.replace(ask, records=()).digest()
        pending = self._reveals.prepare(caller, ask, challenge_id=challenge_id, bound=whole)
        if isinstance(pending, RevealRequest):  # never: so few records of this purpose take one person
            raise request_state()
        return told, pending

    def reply(
        self, caller: Caller, conversation_id: str, *, text: str, template: str = "", language: str = "id"
    ) -> Message:
        """Answer in words of one's own within a day of the customer's last message, else by a template.

        Raises:
            NotFound: there is no such conversation, or the customer was erased.
            Conflict: the day is over, or there is no way to answer by this line.
            Refused: somebody else looks after it, or nobody, as where it is closed; or the platform refuses.
        """
        now_ms = self._room.clock.now_ms()
        new_id = self._room.ids.new("cm", now_ms)

        def begin(connection: Any) -> tuple[Conversation, str, Message]:
            found = self._held(connection, conversation_id)
            self._check_reply(connection, found, caller, now_ms, is_template=bool(template))
            self._room.fenced(connection, [found.subject])
            rows = self._room.sealed.rows(connection, [found.reach])
            if not rows:
                raise NotFound(
                    "the number of this customer is not kept any more", path="id",
                    expected="a conversation of the last 90 days, of a customer who was not erased", found="an older one",
                    hint="it is kept again when the customer writes",
                )  # fmt: skip
            (reach,) = self._room.sealed.open(connection, rows, ("phone",))
            message = Message(new_id, now_ms, "out", RECORD + new_id, by=caller.person, said="sending")
            self._seal(connection, found, message, reach.user, text)
            after = msgspec.structs.replace(found, last_ms=max(found.last_ms, now_ms))
            self._kept(connection, caller.key, after, message, "answered", now_ms)
            return after, reach.values["phone"], message

        found, number, message = self._room.records.write(begin)
        parcel = Parcel(number, "", text, language, message.key, template)
        handed = self._correspondents[found.phone_id].answer(parcel)
        done = msgspec.structs.replace(message, said=handed.said, receipt=handed.receipt)
        self._room.records.write(lambda each: self._store.settle(each, done))
        if handed.said != "taken":
            raise Refused(
                "the platform did not take the answer", code="reply_not_taken", expected="taken", found=handed.why[:64],
                hint="nothing says that it arrived; look at the line, then answer again",
            )  # fmt: skip
        return done

    def _forgotten(
        self, before_ms: int, after: tuple[int, str], connection: Any
    ) -> tuple[int, tuple[int, str], bool]:
        """Some of them: how many, behind which one to go on, and whether that was all."""
        old = self._store.old(connection, before_ms=before_ms, after=after, limit=FORGOTTEN_AT_ONCE)
        rows = self._room.sealed.rows(connection, [each.record for _of, each in old if each.record])
        held = {row.id for row in rows}  # a legal hold, or what was told late
        free = [(of, each) for of, each in old if each.record not in held]
        self._store.drop(connection, [each.key for _of, each in free])
        touched = [self._store.get(connection, of) for of in {of for of, _each in free}]
        for found in sorted((each for each in touched if each is not None), key=lambda each: each.phone):
            self._alone(connection, found.phone)
            now = self._store.get(connection, found.id)
            is_over = now is not None and now.last_ms < before_ms
            if is_over and not self._store.messages(connection, found.id, limit=1):
                self._store.end(connection, found.id)
        last = old[-1][1] if old else None
        return len(free), after if last is None else (last.at_ms, last.key), len(old) < FORGOTTEN_AT_ONCE

    def _hear(self, told: Inbound, verdict: str, connection: Any) -> bool:
        now_ms, phone = self._room.clock.now_ms(), self._room.blind("phone", told.number)
        self._alone(connection, phone)
        if self._store.is_kept(connection, told.key):
            return False
        user, is_known = self._customer(connection, told.number, phone)  # (2)
        subject = self._room.subject(user)
        open_ = self._store.open_with(connection, phone, told.phone_id)
        found = open_ if open_ is not None and open_.subject == subject else None
        self._room.fenced(connection, [subject])
        if found is None:
            found = self._begun(connection, told, subject, phone, is_known=is_known)
        message = Message(told.key, told.at_ms, "in", "" if told.changed else RECORD + told.key, verdict)
        after = msgspec.structs.replace(found, last_ms=max(found.last_ms, told.at_ms))
        reach = Write(
            after.reach, user, after.subject, "contact", {"phone": told.number, "relation": "whatsapp"},
            expires_ms=now_ms + KEPT_MS,
        )  # fmt: skip
        self._room.sealed.put(connection, [reach], now_ms)  # (3) each time: it stays as long as what was said
        if told.changed:
            after = msgspec.structs.replace(after, changed=told.changed, changed_ms=told.at_ms)
        else:
            after = msgspec.structs.replace(after, last_in_ms=max(found.last_in_ms, told.at_ms))
            self._seal(connection, after, message, user, told.text)
        self._room.outbox.owe(
            connection, at_ms=now_ms, topic=Topic.CONVERSATION_MESSAGE, subject=after.id,
            payload={"verdict": verdict or "none", "is_known": after.is_known, "changed": told.changed or "none"},
        )  # fmt: skip
        if open_ is not None and open_.id != found.id:
            over = ended(open_, now_ms=now_ms)
            self._store.put(connection, over)
            self._line(connection, SYSTEM, over, "closed", now_ms)
        self._kept(connection, SYSTEM, after, message, "changed" if told.changed else "received", now_ms)
        return True

    def _judged(self, told: Inbound) -> str:  # (1)
        try:
            return "" if told.changed else self._judge(told.text, told.number)
        except ShopwardError:  # fails open: no profile, or no store to look it up in
            return ""

    def _customer(self, connection: Any, number: str, phone: str) -> tuple[str, bool]:
        """The one customer of a number; a name by its token where there is none, or more than one."""
        ids = self._room.sealed.find(connection, _BY_PHONE, terms("phone", "exact", number), _CANDIDATES_MAX)
        rows = [each for each in self._room.sealed.rows(connection, ids) if not each.canary]
        users = {
            each.user
            for each in self._room.sealed.open(connection, rows, ("phone",))
            if matches("phone", "exact", each.values.get("phone", ""), number, each.row.region)
        }
        return (users.pop(), True) if len(users) == 1 else (f"whatsapp:{phone}", False)

    def _begun(
        self, connection: Any, told: Inbound, subject: str, phone: str, *, is_known: bool
    ) -> Conversation:
        now_ms = self._room.clock.now_ms()
        made = Conversation(
            id=self._room.ids.new("cv", now_ms), subject=subject, is_known=is_known, phone=phone,
            phone_id=told.phone_id, reach=f"{RECORD}{phone}-{told.key}", began_ms=now_ms, last_ms=told.at_ms,
        )  # fmt: skip
        self._store.add(connection, made)
        return made

    def _seal(
        self, connection: Any, conversation: Conversation, message: Message, user: str, text: str
    ) -> None:
        now_ms = self._room.clock.now_ms()
        values = {"channel": "whatsapp", "case_id": conversation.id, "text": text}
        write = Write(
            message.record,
            user,
            self._room.subject(user),
            "conversation",
            values,
            expires_ms=now_ms + KEPT_MS,
        )
        self._room.sealed.put(connection, [write], now_ms)

    def _kept(
        self, connection: Any, actor: str, after: Conversation, message: Message, step: str, now_ms: int
    ) -> None:
        self._store.put(connection, after)
        self._store.keep(connection, after.id, message)
        self._line(connection, actor, after, step, now_ms)

    def _check_reply(
        self, connection: Any, found: Conversation, caller: Caller, now_ms: int, *, is_template: bool
    ) -> None:
        check_agent(found, caller.person)
        if not is_template:
            check_window(found, now_ms=now_ms)
        if self._is_barred(connection, found.phone_id) or found.phone_id not in self._correspondents:
            raise Conflict(
                "nothing goes out by this line", code="line_shut", path="id", expected="a line in use, with a token",
                found="another one", hint="GET /v1/lines says why, and what to do",
            )  # fmt: skip

    def _step(
        self, caller: Caller, conversation_id: str, step: Callable[..., Conversation], word: str
    ) -> Conversation:
        now_ms = self._room.clock.now_ms()

        def work(connection: Any) -> Conversation:
            after = step(self._held(connection, conversation_id), caller.person, now_ms=now_ms)
            self._store.put(connection, after)
            self._line(connection, caller.key, after, word, now_ms)
            return after

        return self._room.records.write(work)

    def _line(self, connection: Any, actor: str, after: Conversation, step: str, now_ms: int) -> None:
        self._room.line(
            connection, actor, "conversation:step", after.id, {"step": step, "state": after.state}, now_ms
        )

    def _alone(self, connection: Any, phone: str) -> None:
        """Let nobody else change the conversations of a number until the transaction ends."""
        self._room.fence.one_user(connection, f"conversation:{phone}")

    def _held(self, connection: Any, conversation_id: str) -> Conversation:
        """One of them, read again once nobody else can change it."""
        self._alone(connection, self._got(connection, conversation_id).phone)
        return self._got(connection, conversation_id)

    def _got(self, connection: Any, conversation_id: str) -> Conversation:
        found = self._store.get(connection, conversation_id)
        if found is None:
            raise NotFound(
                "no such conversation", path="id", expected="the id of a conversation", found="another id"
            )
        return found
