"""The key ring: private files of the data folder, the keys in them, and what is sealed under a key.

Promise: a file is written whole or not at all and is its owner's alone from the first byte; a key is made once, and another
takes its place only where somebody rotates it, with the older ones beside it (``generations``): where two processes make it at once, both get the one that came first, and where it is missing beside what was
made under it, that is an error; what is sealed opens under its key and for its context alone.

Not here: which keys there are and what hangs from them (the contexts say it), hardware that keeps keys.
"""

from shopward.keyring.files import read_private, write_private
from shopward.keyring.generations import Generation, Generations, RenewableSealer
from shopward.keyring.keys import KEY_BYTES, Entropy, KeyFile, open_key, read_key
from shopward.keyring.sealing import BoundSealer, Sealer, derived, joined

__all__ = [
    "KEY_BYTES",
    "BoundSealer",
    "Entropy",
    "Generation",
    "Generations",
    "KeyFile",
    "RenewableSealer",
    "Sealer",
    "derived",
    "joined",
    "open_key",
    "read_key",
    "read_private",
    "write_private",
]
