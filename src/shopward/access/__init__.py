"""Access: who may ask, and the keys that never leave the data folder.

Promise: an API key is kept only as its SHA-256 and compared in constant time; the token key is made once, on an empty
log, and its loss is an error and never a new key. Key files can be read by their owner alone and are replaced in one
step. A key belongs to a person and has roles. Revocation by call is not part of this version: remove a line of
``api-keys.json`` and restart to revoke.
"""

from shopward.access.keys import ApiKeys, Caller, KeyView, Role, open_keys
from shopward.access.token_key import open_token_key

__all__ = ["ApiKeys", "Caller", "KeyView", "Role", "open_keys", "open_token_key"]
