"""The token key: 32 secret bytes under which every keyed token of the log was made.

Promise: it is made once, while the log is empty. Where the log holds entries and the key is missing, nothing starts:
under a new key every known device, network and payee would turn into a stranger, silently.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from shopward.access.files import read_private, write_private
from shopward.errors import Misconfigured
from shopward.events.tokens import KEY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "token.key"


def open_token_key(folder: Path, *, log_is_empty: bool) -> bytes:
    """The key of this data folder.

    Raises:
        Misconfigured: it is missing beside a log that has entries, or is no key.
    """
    path = folder / FILE_NAME
    key = read_private(path)
    if key is None:
        if not log_is_empty:  # fails closed
            raise Misconfigured(
                "the token key of this log is missing",
                path=FILE_NAME,
                expected="the key under which the log was written",
                found="no file",
                hint="restore it from the backup of the data folder, or point --data at the folder that has it",
            )
        key = secrets.token_bytes(KEY_BYTES)
        write_private(path, key)
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            "the token key is no key",
            path=FILE_NAME,
            expected=f"{KEY_BYTES} bytes",
            found=f"{len(key)} bytes",
            hint="restore it from the backup of the data folder",
        )
    return key
