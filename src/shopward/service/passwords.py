"""The desk for passwords: the corpora of the settings, the shop's own incidents, and the rules, put together.

Promise: a store that is named and cannot be used ends the start; a range service that cannot be reached ends nothing.
No password is kept, but for the keyed digests of incidents that an administrator hands over, which is audited.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopward.adapters.ranges import RangeService
from shopward.errors import CorpusSilent, NotFound
from shopward.keyring import open_key
from shopward.screening.passwords import (
    Corpora,
    HashStore,
    IncidentHashes,
    PasswordVerdict,
    Rules,
    screen_password,
)
from shopward.screening.passwords.corpora import CorpusUnreachable
from shopward.screening.passwords.incidents import INCIDENT_FILE, INCIDENT_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shopward.access import Caller
    from shopward.audit import AuditTrail
    from shopward.config import Settings
    from shopward.ports import Records
    from shopward.screening.passwords.corpora import Corpus
    from shopward.screening.passwords.rules import Context
    from shopward.values import Clock


class PasswordDesk:
    """Screens passwords for one server.

    Args:
        settings: where the corpora are.
        records: where the audit log is written.
        trail: the audit log.
        clock: tells when passwords were remembered.

    Raises:
        ModelInvalid: the store or the list of incident passwords is damaged.
        Misconfigured: the range service cannot be asked safely.
    """

    def __init__(self, settings: Settings, records: Records, trail: AuditTrail, clock: Clock) -> None:
        self._store, self.corpora = open_corpora(settings.password_store, settings.password_range_url)
        in_use = (settings.folder / INCIDENT_FILE).exists()
        self.incidents = IncidentHashes(
            settings.folder, open_key(settings.folder, INCIDENT_KEY, in_use=in_use)
        )
        self._rules = Rules(
            length_min=settings.password_length_min, words=(settings.shop_name, settings.shop_domain)
        )
        self._records = records
        self._trail = trail
        self._clock = clock

    def screen(
        self, password: str, *, context: Context | None = None, language: str = "en"
    ) -> PasswordVerdict:
        """Whether a password may be chosen; see ``screen_password``."""
        return screen_password(
            password, rules=self._rules, corpora=self.corpora, incidents=self.incidents, context=context,
            language=language,
        )  # fmt: skip

    def range(self, prefix: str) -> list[tuple[str, int]]:
        """What the corpora know under a prefix.

        Raises:
            NotFound: there are none.
            CorpusSilent: none of them answers now.
        """
        if not self.corpora:
            raise NotFound(
                "no stolen passwords are known here", expected="the setting password_store or password_range_url",
                found="neither", hint="make a store with shopward passwords build",
            )  # fmt: skip
        try:
            return self.corpora.range(prefix)
        except CorpusUnreachable:
            raise CorpusSilent("stolen passwords cannot be asked about now", retry_after_s=30.0) from None

    def remember(self, caller: Caller, passwords: Sequence[str]) -> int:
        """Keep passwords of an incident, as keyed digests; how many were new.

        The digests are written before the line: a line without its deed would promise what is not so, while remembering
        twice does no harm.
        """
        caller.require("admin")
        new = self.incidents.remember(passwords)

        def work(connection: Any) -> None:
            self._trail.append(
                connection, at_ms=self._clock.now_ms(), actor=caller.key, deed="incident_passwords:remember",
                subject="incident_passwords", details={"given": len(passwords), "new": new},
            )  # fmt: skip

        self._records.write(work)
        return new

    def close(self) -> None:
        """Give the store's file back."""
        if self._store is not None:
            self._store.close()


def open_corpora(store: str, range_url: str) -> tuple[HashStore | None, Corpora]:
    """The store, where one is named, and the corpora: the store first, then the range service."""
    service: list[Corpus] = [RangeService(range_url, steady_s=time.monotonic)] if range_url else []
    held = HashStore(Path(store).expanduser()) if store else None
    nearest: Iterable[Corpus] = (held,) if held is not None else ()
    return held, Corpora((*nearest, *service))
