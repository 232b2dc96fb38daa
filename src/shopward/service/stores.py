"""The log and the policies of the settings, opened for who owns them or for reading alone.

Promise: a folder that cannot be made or is none, and a policy that is missing or does not compile, is an error of ours
with what to do; reading beside a running server changes nothing and waits for nobody.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shopward.adapters.codes.webhook import webhook_key
from shopward.adapters.payouts import HttpPayer
from shopward.adapters.sql import SqlEventLog, open_engine
from shopward.adapters.sql.records import SqlRecords
from shopward.errors import Misconfigured
from shopward.flows.publish import Edition
from shopward.publication.store import PolicyStore
from shopward.risk.policy import PolicyFiles
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.errors import ShopwardError
    from shopward.values import Clock


def edition_of_files(settings: Settings) -> Edition:
    """The policy of the settings' folder, or the one that ships, compiled; raises ``PolicyInvalid``."""
    if not settings.policy:
        files = PolicyFiles.shipped()
        return Edition(files.compiled(), files)
    folder = Path(settings.policy).expanduser()
    if not folder.is_dir():
        raise Misconfigured(
            "the policy's folder is missing",
            path="policy",
            expected="a folder with policy.toml",
            found="no folder",
        )
    files = PolicyFiles.read(folder)
    return Edition(files.compiled(), files, is_folder=True)


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


def open_log_to_read(settings: Settings) -> SqlEventLog:
    """The log of the settings for reading alone, beside the server that owns it; raises where there is none."""
    return SqlEventLog.open_to_read(settings.database_url)


def published_policies(settings: Settings) -> dict[str, PolicyFiles]:
    """Every policy that was published in the store of the settings, by digest, the first one first; for reading alone."""
    SqlEventLog.open_to_read(settings.database_url).close()
    records, store = SqlRecords(open_engine(settings.database_url)), PolicyStore(TENANT)
    try:
        return records.read(store.all_files)
    finally:
        records.close()


def payer_of(settings: Settings, clock: Clock) -> HttpPayer | None:
    """How customers are paid; ``None`` where people pay and say so."""
    if not settings.payout_url:
        return None
    return HttpPayer(
        settings.payout_url, key=webhook_key(settings.payout_secret, setting="payout_secret"), clock=clock
    )
