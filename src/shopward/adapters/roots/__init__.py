"""Roots of the vault: who keeps the key above all others, behind ``ports.KeyRoot``.

``file`` needs nothing else: a key of the data folder, under a passphrase where one is set. ``age`` opens with an identity
file (extra ``age``), ``pkcs11`` with a key that never leaves its token (extra ``pkcs11``). ``transit`` asks OpenBao or
HashiCorp Vault, ``aws-kms``, ``gcp-kms`` and ``azure-kv`` the services of these names (extras ``aws``, ``gcp``, ``azure``).

All but ``file`` and ``age`` are asked for each key of the tenant, at the start and in a rotation, and never for a value. Where
nobody answers nothing is opened or sealed (``KeysUnavailable``); keys that a running process has unwrapped stay with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from shopward.adapters.roots.aws import AwsRoot
from shopward.adapters.roots.azure import AzureRoot
from shopward.adapters.roots.file import FileRoot
from shopward.adapters.roots.gcp import GcpRoot
from shopward.adapters.roots.transit import TransitRoot
from shopward.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.keyring import Entropy
    from shopward.ports import KeyRoot

__all__ = ["FileRoot", "open_root"]


def open_root(
    spec: str, *, folder: Path, passphrase: str, pin: str, in_use: bool, entropy: Entropy
) -> KeyRoot:
    """The root that a setting names.

    Args:
        spec: as ``docs/vault.md`` has it: ``file``, ``age:IDENTITY_FILE``, ``pkcs11:...``, ``transit:...``.
        folder: the data folder.
        passphrase: of the file; empty where it has none.
        pin: of the PKCS#11 token.
        in_use: whether keys were wrapped already, so that none must be made in the place of a lost one.
        entropy: makes a new key.

    Raises:
        Misconfigured: the setting, the file, the library or the token cannot be used.
    """
    kind, _, rest = spec.partition(":")
    if kind == "file" and not rest:
        return FileRoot.open(folder, passphrase=passphrase, in_use=in_use, entropy=entropy)
    if kind == "age" and rest:
        from shopward.adapters.roots.age import AgeRoot  # noqa: PLC0415 -- an extra

        return AgeRoot.open(Path(rest).expanduser())
    if kind == "pkcs11" and rest:
        from shopward.adapters.roots.pkcs11 import Pkcs11Root  # noqa: PLC0415 -- an extra

        return Pkcs11Root.open(rest, pin=pin)
    if kind in _ASKED and rest:
        return _ASKED[kind](rest)
    raise Misconfigured(
        "no such root of the vault",
        path="vault_root",
        expected="file, or age:, pkcs11:, transit:, aws-kms:, gcp-kms: or azure-kv: and what docs/vault.md says",
        found="another text",
    )


_ASKED: Final[dict[str, Callable[[str], KeyRoot]]] = {
    "transit": TransitRoot.open,
    "aws-kms": AwsRoot.open,
    "gcp-kms": GcpRoot.open,
    "azure-kv": AzureRoot.open,
}
"""Roots behind a network; each imports its library when it is opened."""
