"""The token key: 32 secret bytes under which every keyed token of the log was made.

Promise: it is made once, while the log is empty. Where the log holds entries and the key is missing, nothing starts:
under a new key every known device, network and payee would turn into a stranger, silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.keyring import KeyFile, open_key

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_KEY: Final = KeyFile("token.key", "token key of this log", "the key under which the log was written")


def open_token_key(folder: Path, *, log_is_empty: bool) -> bytes:
    """The key of this data folder.

    Raises:
        Misconfigured: it is missing beside a log that has entries, or is no key.
    """
    return open_key(folder, TOKEN_KEY, in_use=not log_is_empty)
