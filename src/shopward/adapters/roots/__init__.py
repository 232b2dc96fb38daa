"""Roots of the vault: who keeps the key above all others, behind ``ports.KeyRoot``.

``file`` needs nothing else: a key of the data folder, under a passphrase where one is set. ``age`` opens with an identity
file (extra ``age``), ``pkcs11`` with a key that never leaves its token (extra ``pkcs11``).

Not here: AWS, Google and Azure KMS and the Transit engine of Vault and OpenBao. A root is four lines to write and must be
tried against the real thing, which was not at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shopward.adapters.roots.file import FileRoot
from shopward.errors import Misconfigured

if TYPE_CHECKING:
    from shopward.keyring import Entropy
    from shopward.ports import KeyRoot

__all__ = ["FileRoot", "open_root"]


def open_root(
    spec: str, *, folder: Path, passphrase: str, pin: str, in_use: bool, entropy: Entropy
) -> KeyRoot:
    """The root that a setting names.

    Args:
        spec: ``file``, ``age:IDENTITY_FILE``, or ``pkcs11:MODULE?token=LABEL&key=LABEL``.
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
    raise Misconfigured(
        "no such root of the vault",
        path="vault_root",
        expected="file, age:IDENTITY_FILE, or pkcs11:MODULE?token=LABEL&key=LABEL",
        found="another text",
    )
