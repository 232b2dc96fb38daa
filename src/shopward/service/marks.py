"""The key of marks: under it the copies that partners get differ, and a leaked one is traced.

Promise: it is made once; where partners are registered and it is missing, the start is refused, since copies that are out
could not be traced any more. Fails closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shopward.keyring import KeyFile, open_key
from shopward.leaks import Marks
from shopward.partners.store import PartnerStore
from shopward.service.desks import TENANT

if TYPE_CHECKING:
    from shopward.config import Settings
    from shopward.ports import Records

MARKS_KEY: Final = KeyFile(
    "marks.key", "key of marks of this store", "the key under which the copies of partners were marked"
)


def open_marks(settings: Settings, records: Records) -> Marks:
    """The marks of this store; raises ``Misconfigured``."""
    in_use = bool(records.read(lambda each: PartnerStore(TENANT).listed(each, after="", limit=1)))
    return Marks(open_key(settings.folder, MARKS_KEY, in_use=in_use))
