"""OpenID Shared Signals: what other companies tell of accounts that are linked to ours, and what we tell them.

Promise: pure values and the rows that they are kept in. A token is believed only where ``verify`` gave it; of what it says,
nothing that names a person is kept.

Not here: what is done about it (``flows.receive``), and the network.
"""

from shopward.ssf.keys import KeySet, read_keys
from shopward.ssf.sets import Expected, KeyUnknown, SecurityEvent, SetRefused, verify
from shopward.ssf.subjects import Subject, read_subject

__all__ = [
    "Expected",
    "KeySet",
    "KeyUnknown",
    "SecurityEvent",
    "SetRefused",
    "Subject",
    "read_keys",
    "read_subject",
    "verify",
]
