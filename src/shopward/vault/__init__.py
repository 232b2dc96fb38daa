"""The vault: customer and order data that is sealed for its place, shown for a purpose, and gone when it is erased.

Promise: what names anybody lies sealed under a key of that customer (``envelope``, ``keys``, ``records``); it is found by keyed
indexes (``search``), shown masked (``masks``) unless a purpose says more (``purposes``); who saw it stands written
(``accesses``); erasing destroys the key (``erasures``); keys are replaced while everything goes on (``rotations``).

Not here: the stories, which are ``flows.custody``, ``flows.reveal``, ``flows.erase`` and ``flows.rekey``; who partners are.
"""

from shopward.vault.kinds import CLASSES, KINDS
from shopward.vault.purposes import PURPOSES
from shopward.vault.rows import Access, Hold, Lock, Opened, RevealRequest, Rotation, Stored, Write

__all__ = [
    "CLASSES",
    "KINDS",
    "PURPOSES",
    "Access",
    "Hold",
    "Lock",
    "Opened",
    "RevealRequest",
    "Rotation",
    "Stored",
    "Write",
]
