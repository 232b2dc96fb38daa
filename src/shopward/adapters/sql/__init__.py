"""The ordered log in SQLite or PostgreSQL, chosen by URL; the same promises on both.

``SqlEventLog.open(url)`` is the whole of it: it opens or creates the store, brings its schema up to date and
reads; ``claim()`` makes it the one that appends. ``open_engine`` is there for tables of other contexts.
"""

from shopward.adapters.sql.engine import open_engine
from shopward.adapters.sql.log import SqlEventLog
from shopward.adapters.sql.migrate import bring_up_to_date

__all__ = ["SqlEventLog", "bring_up_to_date", "open_engine"]
