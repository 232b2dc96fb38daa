"""Events as they were sent, as the doctor sees them: whether any lies in clear, and whether days wait to be settled.

Promise: counts and times alone; no key is opened and no event read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from shopward.adapters.sql.personal import PersonalColumn
from shopward.service.desks import TENANT
from shopward.service.doctor.seen import EventsSeen
from shopward.vault.keys import states_of
from shopward.vault.periods import living_of
from shopward.vault.rows import BEFORE

if TYPE_CHECKING:
    from sqlalchemy import Connection


def look_at_events(connection: Connection, last_seq: int) -> EventsSeen:
    """How the log keeps what it was sent."""
    has_table = inspect(connection).has_table("vault_period")  # a store from before has not
    column = PersonalColumn(TENANT)
    living = living_of(connection, TENANT) if has_table else []
    if not living:
        return EventsSeen(clear=column.count(connection, 0, last_seq))
    over = list(pairwise(living))
    clear = sum(
        column.count(connection, each.settled_seq, after.after_seq)
        for each, after in over
        if each.number == BEFORE
    )
    is_by_customer = any(each.use == "kek" for each in states_of(connection, TENANT))
    ended = [after.begun_ms for each, after in over if each.number != BEFORE and is_by_customer]
    return EventsSeen(clear, len(ended), min(ended, default=0))
