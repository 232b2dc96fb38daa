"""The key that secrets of Shared Signals are sealed under.

Promise: ``signals.key`` is made once, and replaced where somebody rotates it; one that is missing beside secrets that it sealed is
refused (``Misconfigured``) before anything is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from shopward.keyring import Generations, KeyFile, RenewableSealer, open_key
from shopward.ssf.tables import ssf_receiver, ssf_transmitter

if TYPE_CHECKING:
    from pathlib import Path

    from shopward.ports import Records

SIGNALS_KEY: Final = KeyFile(
    "signals.key", "key of Shared Signals of this store", "the key under which their secrets were sealed"
)


def signals_sealer(folder: Path, records: Records) -> RenewableSealer:
    """What seals by the key in use, and opens by every one that was not destroyed."""
    in_use = records.read(
        lambda each: any(
            each.execute(select(column).limit(1)).first() is not None
            for column in (ssf_transmitter.c.id, ssf_receiver.c.partner)
        )
    )
    open_key(folder, SIGNALS_KEY, in_use=in_use)
    return RenewableSealer(
        Generations(folder, SIGNALS_KEY), use=b"shopward/signals/1/seal", what="a secret of Shared Signals",
        hint="restore signals.key and the store from one backup; otherwise register those companies anew",
    )  # fmt: skip
