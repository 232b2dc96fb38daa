"""Persons of staff, as the doctor sees them: who of those who may reveal has no second factor.

Promise: the API keys' file and the token key are read as they are, their modes left alone; of a factor nothing but its state is asked.
A key that is a service's alone is no person's: it proves nothing, and a challenged reveal is refused to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.access.keys import FILE_NAME as KEYS_FILE
from shopward.access.keys import Caller, keys_in
from shopward.access.token_key import TOKEN_KEY
from shopward.events import Tokeniser
from shopward.flows.staff import STAFF
from shopward.keyring.keys import KEY_BYTES
from shopward.service.desks import TENANT
from shopward.service.doctor.seen import StaffSeen
from shopward.stepup import Store

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


def look_at_staff(connection: Connection, folder: Path) -> StaffSeen | None:
    """``None`` where there is no key of a person, or no token key under which factors could be found."""
    keys, token_key = folder / KEYS_FILE, folder / TOKEN_KEY.name
    if not keys.exists() or not token_key.exists():
        return None
    secret = token_key.read_bytes()
    if len(secret) != KEY_BYTES:  # the server refuses it at its start
        return None
    callers = (Caller(key.name, key.person or key.name, key.roles) for key in keys_in(keys.read_bytes()))
    persons = sorted({each.person for each in callers if each.is_person})
    token_of, store = Tokeniser(secret).domain(STAFF), Store(TENANT)
    bare = [
        person
        for person in persons
        if not any(each.state == "active" for each in store.factors(connection, token_of[person]))
    ]
    return StaffSeen(len(persons), tuple(bare)) if persons else None
