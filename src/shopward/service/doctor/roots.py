"""The vault's root, as the doctor sees it: whether it answers and opens the keys that hang from it.

Promise: what hangs from the root is unwrapped and thrown away; nothing is wrapped or made, in the data folder or at a service.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from shopward.adapters.roots import open_root
from shopward.errors import Misconfigured, StoreError
from shopward.service.desks import TENANT
from shopward.service.doctor.seen import RootSeen
from shopward.vault.keys import TenantKeys, states_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shopward.config import Settings


def look_at_root(connection: Connection, settings: Settings) -> RootSeen | None:
    """``None`` where no key of a tenant was made yet."""
    if not inspect(connection).has_table("vault_key"):  # a store from before the vault
        return None
    standing = [each for each in states_of(connection, TENANT) if each.state != "retired"]
    if not standing:
        return None
    try:
        root = open_root(
            settings.vault_root, folder=settings.folder, passphrase=settings.vault_passphrase, pin=settings.vault_pin,
            in_use=True, entropy=secrets.token_bytes,
        )  # fmt: skip
        TenantKeys(TENANT, root, secrets.token_bytes).ring(connection)
    except (Misconfigured, StoreError) as refused:
        return RootSeen(standing[0].root, len(standing), refused.message, refused.hint or "see docs/vault.md")
    is_bare = settings.vault_root == "file" and not settings.vault_passphrase
    return RootSeen(root.name, len(standing), is_bare=is_bare)
