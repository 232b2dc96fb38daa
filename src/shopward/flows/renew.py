"""Renewing: the keys in files of the data folder, and those of the vault whose use lies outside of it, are replaced.

Promise: what an older key signed still verifies, what it sealed still opens, and what it marked is still traced, until somebody
destroys it; the report counts what needs it. A step that was cut off by a crash is done again by the next one:

signing (``audit.key``):
  (1) the log says in a line, which both keys sign, that the new key follows the old one
  (2) the new key takes the place of the old one in the data folder
  (3) the new key signs where the log stands. Cut off after (1) the old key goes on; after (2) the next checkpoint is (3)
webhooks and Shared Signals (``webhook.key``, ``signals.key``):
  (1) the new key takes the place of the old one, which still opens
  (2) every secret is sealed anew, in one transaction or some; cut off before the last, ``step`` does it after the restart

Not here: the secrets of single webhooks (``flows.webhooks``), the keys that sign our own signals (``flows.receivers``), and ``token.key`` and ``stepup.key``: every token of the log was
made under the first, so another one would make strangers of all customers; factors would have to be enrolled anew under
the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from shopward.keyring import KEY_BYTES
from shopward.vault.rows import KeyState

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.keyring import Entropy, Generation, Generations
    from shopward.ports import Fence, Records
    from shopward.values import Clock

FENCE: Final = "vault:keys"


class KeyReport(NamedTuple):
    """A key, how many rows name it, and whether it can be destroyed.

    Attributes:
        outside: what needs it that no row of ours counts; empty where nothing does. It is destroyed only by who gives that up.
    """

    key: KeyState
    left: int
    is_safe_to_retire: bool
    outside: str = ""


class Renewal(Protocol):
    """A key that is replaced by its own story."""

    def begin(self, caller: Caller) -> None:
        """Replace it."""
        ...

    def step(self) -> None:
        """Do again what was cut off, if anything was."""
        ...

    def report(self, connection: Any) -> list[KeyReport]:
        """Its generations that were not destroyed."""
        ...

    def retire(self, caller: Caller, version: int) -> None:
        """Destroy an older one that the report calls safe."""
        ...


class _FileKey:
    """What both keys in files share."""

    use = ""

    def __init__(
        self,
        *,
        records: Records,
        fence: Fence,
        trail: Trail,
        generations: Generations,
        entropy: Entropy,
        clock: Clock,
    ) -> None:
        self._records, self._fence, self._trail = records, fence, trail
        self._generations, self._entropy, self._clock = generations, entropy, clock

    def retire(self, caller: Caller, version: int) -> None:
        """First the line in the log, then the file: what is destroyed was said."""

        def work(connection: Any) -> None:
            self._line(connection, caller.key, "vault:retire", {"version": version})

        self._records.write(work)
        self._generations.retire(version)

    def _line(self, connection: Any, actor: str, deed: str, details: dict[str, Any]) -> None:
        self._trail.append(
            connection, at_ms=self._clock.now_ms(), actor=actor, deed=deed, subject=self.use, details=details
        )

    def _states(self) -> list[tuple[Generation, KeyState]]:
        found = self._generations.all()
        return [
            (each, KeyState(self.use, each.number, "file", state, each.made_ms, each.made_ms))
            for state, part in (("active", found[:1]), ("retiring", found[1:]))
            for each in part
        ]


class SigningRenewal(_FileKey):
    """The key that signs the audit log.

    Args:
        sign: adds a checkpoint by the key in use, on a connection, for an actor.
        public_of: the public key of a secret one.
        statement: what an old and a new secret key sign of each other.
        signed: how many checkpoints a public key signed.
        options: what ``_FileKey`` takes.
    """

    use = "signing"

    def __init__(
        self, *, sign: Callable[[Any, str, int], object], public_of: Callable[[bytes], bytes],
        statement: Callable[[bytes, bytes], dict[str, str]], signed: Callable[[Any, bytes], int], **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**options)
        self._sign, self._public_of, self._statement, self._signed = sign, public_of, statement, signed

    def begin(self, caller: Caller) -> None:
        """The three steps."""
        new = self._entropy(KEY_BYTES)
        said = self._statement(self._generations.all()[0].key, new)

        def announce(connection: Any) -> None:
            self._fence.one_user(connection, FENCE)
            self._line(connection, caller.key, "audit:rotate", said)

        self._records.write(announce)  # (1)
        self._generations.replace(new)  # (2)
        self._records.write(lambda each: self._sign(each, caller.key, self._clock.now_ms()))  # (3)

    def step(self) -> None:
        """Nothing is left over that the next checkpoint does not do."""

    def report(self, connection: Any) -> list[KeyReport]:
        """``left`` is how many checkpoints a key signed; they hold by its public key, which lies in each of them."""
        return [
            KeyReport(state, self._signed(connection, self._public_of(each.key)), state.state == "retiring")
            for each, state in self._states()
        ]


class SealRenewal(_FileKey):
    """A key that secrets in rows are sealed under.

    Args:
        use: what the key is called.
        reseal: seals by the key in use what an older one sealed, some rows from where it ended before, or from the start; how many, and
            where it ended, or ``None`` where that was all.
        needing: how many secrets need an older key.
        options: what ``_FileKey`` takes.
    """

    def __init__(
        self, *, use: str, reseal: Callable[[Any, Any], tuple[int, Any]], needing: Callable[[Any], int], **options: Any
    ) -> None:  # fmt: skip
        super().__init__(**options)
        self.use, self._reseal, self._needing = use, reseal, needing
        self._was_cut_off = True

    def begin(self, caller: Caller) -> None:
        """Both steps."""
        self._generations.replace(self._entropy(KEY_BYTES))  # (1)
        self._was_cut_off = True
        self._move(caller.key)  # (2)

    def step(self) -> None:
        """(2) where a restart finds secrets under an older key."""
        if not self._was_cut_off:
            return
        needing = self._records.read(self._needing) if self._generations.all()[1:] else 0
        if needing:
            self._move("shopward")
        self._was_cut_off = False

    def report(self, connection: Any) -> list[KeyReport]:
        """``left`` is how many secrets need an older key; which of the older ones is not told apart."""
        states = self._states()
        needing = self._needing(connection) if states[1:] else 0
        return [
            KeyReport(
                state, needing if state.state == "retiring" else 0, state.state == "retiring" and not needing
            )
            for _each, state in states
        ]

    def _move(self, actor: str) -> None:
        """Batch by batch, in a transaction each; the last one has the line."""
        moved, place = 0, None

        def work(connection: Any) -> tuple[int, Any]:
            self._fence.one_user(connection, FENCE)
            more, end = self._reseal(connection, place)
            if end is None:
                self._line(connection, actor, "vault:rotate", {"moved": moved + more})
            return moved + more, end

        while True:
            moved, place = self._records.write(work)
            if place is None:
                break
        self._was_cut_off = False


def outside_of(use: str, shares: int) -> str:
    """What needs a key of the vault that no row of ours counts."""
    if use == "token":
        return "names by which partners call customers"
    if use == "mark" and shares:
        return "copies that partners have: a leak of one could not be traced"
    return ""
