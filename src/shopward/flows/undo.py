"""Undoing: whoever was reached before a security change can take the account out of other hands.

Promise:
- a token has 256 random bits, is given out once, and is kept as its SHA-256: no table and no message holds it. A newer
  token of the same change makes the older one worthless;
- it can be used for ``UNDO_MS`` after the change, and once: using it freezes the account and opens the way back, from the
  moment of the change on; used again, it hears of the same recovery and changes nothing;
- what ended 30 days ago is deleted: until then a token that was used hears of its recovery;
- it can do nothing else: whoever finds it can freeze an account, and gets no further in.

The shop asks for the token when it reports the change, and sends it to the contact from before, which it alone knows.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import NotFound, Refused
from shopward.events import Facts
from shopward.recovery.cases import UNDO_MS, Case, Undo
from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.flows.ground import Ground
    from shopward.flows.recover import RecoveryDesk
    from shopward.keyring import Entropy
    from shopward.ports import EventLog
    from shopward.recovery.store import RecoveryStore

TOKEN_BYTES: Final = 32
KEPT_MS: Final = 30 * DAY_MS
UNDOABLE: Final = frozenset({
    "password_change", "password_reset", "email_change", "phone_change", "mfa_enroll", "mfa_remove", "identity_link",
    "device_link", "payee_add", "payment_method_add", "address_add", "address_change", "api_token_create",
})  # fmt: skip
_facts: Final = msgspec.json.Decoder(Facts)


class UndoOffer(Struct, frozen=True):
    """A token, in clear for this once, and until when it can be used."""

    token: str
    expires_at: str

    def __repr__(self) -> str:
        """Without the token, so that no log and no traceback shows it."""
        return f"UndoOffer(expires_at={self.expires_at!r})"


class UndoDesk:
    """Tells the two stories; may be called from any thread.

    Args:
        ground: transactions, fence, clock.
        store: the tokens' hashes.
        recoveries: freezes, and opens the way back.
        log: where the change was recorded.
        entropy: makes tokens.
    """

    def __init__(
        self,
        *,
        ground: Ground,
        store: RecoveryStore,
        recoveries: RecoveryDesk,
        log: EventLog,
        entropy: Entropy,
    ) -> None:
        self._on = ground
        self._store = store
        self._recoveries = recoveries
        self._log = log
        self._entropy = entropy

    def offer(self, caller: Caller, event_id: str) -> UndoOffer:
        """A token that takes back a recorded change.

        Raises:
            NotFound: no such change is recorded.
            Refused: it is too old, or was taken back already.
        """
        caller.require("service")
        entry = self._log.find([event_id]).get(event_id)
        facts = None if entry is None or entry.kind != "event" else _facts.decode(entry.facts)
        if entry is None or facts is None or facts.type not in UNDOABLE or facts.status != "succeeded":
            raise NotFound(
                "no such change is recorded", path="event_id", expected="a change that succeeded, of " + ", ".join(sorted(UNDOABLE)),
                found="another id",
            )  # fmt: skip
        now_ms = self._on.clock.now_ms()
        expires_ms = entry.recorded_ms + UNDO_MS
        if now_ms >= expires_ms:
            raise _refused("a change of the last three days", "an older one")
        token = base64.urlsafe_b64encode(self._entropy(TOKEN_BYTES)).rstrip(b"=").decode()
        undo = Undo(event_id, _digest(token), facts.user, entry.at_ms, expires_ms)

        def work(connection: Any) -> None:
            known = self._store.undo_of(connection, event_id)
            if known is not None and known.recovery_id:
                raise _refused("a change that was not taken back", "one that was")
            self._store.put_undo(connection, undo)

        self._on.records.write(work)
        return UndoOffer(token, to_rfc3339(expires_ms))

    def use(self, caller: Caller, token: str) -> Case:
        """Freeze the account, and open the way back from the moment of the change on.

        Raises:
            Refused: the token is none, or its time is over.
        """
        caller.require("service")
        digest = _digest(token)

        def work(connection: Any) -> Case:
            self._on.fence.exclusive(connection)
            undo = self._store.undo_by(connection, digest)
            if undo is None:
                raise _refused("a token that was given out", "another one, or one that a newer replaced")
            if undo.recovery_id and (known := self._store.get(connection, undo.recovery_id)) is not None:
                return known
            if self._on.clock.now_ms() >= undo.expires_ms:
                raise _refused("a token of the last three days", "an older one")
            case = self._recoveries.frozen(
                connection, caller, undo.user, reason="takeover", since_ms=undo.changed_ms
            )
            self._store.put_undo(connection, msgspec.structs.replace(undo, recovery_id=case.id))
            self._on.arrows.line(
                connection, caller.key, "recovery:undo", case.id, {"user": undo.user}, self._on.clock.now_ms()
            )
            return case

        return self._on.records.write(work)

    def forget(self) -> int:
        """Delete what ended 30 days ago; how many."""
        before_ms = self._on.clock.now_ms() - KEPT_MS
        return self._on.records.write(lambda each: self._store.forget_undos(each, before_ms=before_ms))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refused(expected: str, found: str) -> Refused:
    return Refused(
        "this cannot be taken back", code="undo_refused", path="token", expected=expected, found=found,
        hint="freeze the account with POST /v1/users/{id}/freeze",
    )  # fmt: skip
