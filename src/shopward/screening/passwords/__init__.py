"""Passwords: whether one may be chosen, by what is known of stolen and guessable ones (NIST SP 800-63B-4, section 3.1.1).

Promise: no password is stored, logged or put into an error; what leaves for a range service is five digits of a digest.

Not here: hashing passwords for logins, and when a change is demanded: the shop and the policy do that.
"""

from shopward.screening.passwords.building import StoreBuilt, build_store
from shopward.screening.passwords.corpora import Corpora, Corpus, CorpusUnreachable
from shopward.screening.passwords.incidents import IncidentHashes
from shopward.screening.passwords.rules import PasswordVerdict, Rules, screen_password
from shopward.screening.passwords.store import HashStore

__all__ = [
    "Corpora",
    "Corpus",
    "CorpusUnreachable",
    "HashStore",
    "IncidentHashes",
    "PasswordVerdict",
    "Rules",
    "StoreBuilt",
    "build_store",
    "screen_password",
]
