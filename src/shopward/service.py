"""The composition root: the one place that picks adapters, clocks and sources of ids, and puts the parts together.

Promise:
- ``Shopward.open`` either returns an engine that owns its store and may decide, or raises and leaves nothing open;
- a second one on the same store is refused (``StoreLocked``), whatever the process;
- an answer of ``decide`` is recorded durably before it is returned;
- ``close`` saves a snapshot, gives up the store, and may be called twice.

The story of opening:
  (1) settings are checked
  (2) the policy is read and compiled
  (3) the store is opened and claimed
  (4) the token key is read, or made beside an empty log
  (5) the state is rebuilt from snapshot and log

It speaks no HTTP: ``http`` puts a server around it, and a Python shop may call it as it is. ``decide`` may be called
from any thread; calls are answered one after the other.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from shopward.access import open_token_key
from shopward.adapters.snapshots import FileSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.config import Settings, check_settings
from shopward.errors import Misconfigured, StoreError
from shopward.events import Event, FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import DecisionRecord, Engine
from shopward.flows.wording import Decision, Wording
from shopward.risk.policy import Policy, load_default_policy, load_policy
from shopward.values import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from shopward.errors import ShopwardError
    from shopward.ports import EventLog
    from shopward.values import Clock

SNAPSHOT_FILE = "state.snapshot"
_logger = logging.getLogger("shopward")


class Shopward:
    """An open Shopward: a claimed log, a policy in force, and the desk that decides.

    Made by ``Shopward.open``; closed by ``close`` or as a context manager.
    """

    def __init__(
        self, *, settings: Settings, log: EventLog, policy: Policy, maker: FactsMaker, clock: Clock
    ) -> None:
        self.settings = settings
        self.log = log
        self.policy = policy
        self.maker = maker
        self.clock = clock
        self.wording = Wording(policy.spec)
        self.desk = DecisionDesk(
            log=log,
            engine_of=lambda recall: Engine(policy, maker, recall),
            snapshots=FileSnapshots(settings.folder / SNAPSHOT_FILE),
            clock=clock,
            limits=settings.limits,
        )
        self._one_at_a_time = threading.Lock()
        self._open = True

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        rebuild: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Open the store of ``settings`` and become the one that decides on it.

        Args:
            settings: where everything is; defaults where ``None``.
            clock: the machine's where ``None``.
            rebuild: whether to rebuild the state now; a server does it later, while it already answers ``/healthz``.
            progress: told ``(done, of)`` now and then while the state is rebuilt.

        Raises:
            Misconfigured: a setting is unsafe or a key file is missing or broken.
            PolicyInvalid: the policy does not compile.
            StoreLocked: another decision server owns the store.
            StoreUnavailable: the store cannot be opened or read.
        """
        settings = settings or Settings()
        check_settings(settings)  # (1)
        policy = compiled_policy(settings)  # (2)
        log = open_log(settings)  # (3)
        try:
            log.claim()
            key = open_token_key(settings.folder, log_is_empty=log.last_seq() == 0)  # (4)
            opened = cls(
                settings=settings,
                log=log,
                policy=policy,
                maker=FactsMaker(Tokeniser(key)),
                clock=clock or SystemClock(),
            )
            if rebuild:
                opened.desk.rebuild(progress)  # (5)
        except BaseException:
            log.close()
            raise
        return opened

    def decide(self, event: bytes | dict[str, Any] | Event, *, language: str = "en") -> Decision:
        """The recorded decision on one event.

        Args:
            event: the contract's event, as JSON bytes or as a dictionary.
            language: of the reasons' texts: ``id``, ``zh`` or ``en``.

        Raises:
            BadInput: the event is refused; nothing was recorded.
            Conflict: the id was used for another event.
            StoreUnavailable: nothing was recorded; ask again.
        """
        raw = event if isinstance(event, bytes | Event) else msgspec.json.encode(event)
        with self._one_at_a_time:
            answer = self.desk.decide([raw])[0]
        if isinstance(answer, DecisionRecord):
            return self.wording.decision(answer, language)
        raise answer

    @property
    def state_keys(self) -> int:
        """How many keys the features hold."""
        return self.desk.engine.kernel.keys()

    def close(self, *, snapshot: bool = True) -> None:
        """Save the state, give up the store. A state that cannot be saved costs time at the next start, never data."""
        with self._one_at_a_time:
            if not self._open:
                return
            self._open = False
            try:
                if snapshot:
                    self.desk.save_snapshot()
            except StoreError as failed:
                _logger.warning("no snapshot at the end: %s; the next start replays the log", failed.code)
            finally:
                self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def compiled_policy(settings: Settings) -> Policy:
    """The policy of the settings, compiled; raises ``PolicyInvalid``."""
    if not settings.policy:
        return Policy(load_default_policy())
    folder = Path(settings.policy).expanduser()
    if not folder.is_dir():
        raise Misconfigured(
            "the policy's folder is missing",
            path="policy",
            expected="a folder with policy.toml",
            found="no folder",
        )
    return Policy(load_policy(folder))


def open_log(settings: Settings) -> SqlEventLog:
    """The log of the settings, not yet claimed."""
    failure: ShopwardError | None = None
    with suppress(FileExistsError):
        try:
            settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except PermissionError:
            failure = Misconfigured(
                "the data folder cannot be made",
                path="data",
                expected="a folder that this user may write",
                found="no right",
            )
    if failure is not None:
        raise failure
    if not settings.folder.is_dir():
        raise Misconfigured(
            "the data folder is no folder", path="data", expected="a folder", found="something else"
        )
    return SqlEventLog.open(settings.database_url)
