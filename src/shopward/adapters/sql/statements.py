"""The statements of the log, written once in SQLAlchemy Core and compiled once for each engine.

Promise: what runs for each append and each lookup is a constant text with positional values, handed to the
driver itself; nothing is built from input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    BigInteger,
    String,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from shopward.adapters.sql.pages import INT64_MAX
from shopward.adapters.sql.schema import log_event, log_head, log_page, log_user

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Dialect, Select
    from sqlalchemy.types import TypeEngine

Row = tuple[Any, ...]

_PAGE: Final = "log_page.first_seq, log_page.heads, log_page.facts, log_page.personal, log_page.decisions"
# The index of each of these is named by their form, whatever the planner believes. Without statistics, which
# SQLite never collects unasked, it would read the whole log of the only tenant for one id. A list of keys travels as
# one value, so that the text is the same for 1 and for 500, and so that one step of the database does all of it: each
# step gives Python's lock away, and a busy event loop is slow to give it back.
_FIND: Final = {
    "sqlite": "SELECT log_event.event_id, log_event.first_seq FROM json_each(:keys) AS keys CROSS JOIN log_event "
    "WHERE log_event.tenant = :t AND log_event.event_id = keys.value",
    "postgresql": "SELECT found.* FROM unnest(:keys) AS keys(id) CROSS JOIN LATERAL (SELECT event_id, first_seq "
    "FROM log_event WHERE tenant = :t AND event_id = keys.id LIMIT 1) AS found",
}
_PAGES: Final = {
    "sqlite": "SELECT {} FROM json_each(:keys) AS keys CROSS JOIN log_page "
    "WHERE log_page.tenant = :t AND log_page.first_seq = keys.value",
    "postgresql": "SELECT found.* FROM unnest(:keys) AS keys(seq) CROSS JOIN LATERAL (SELECT {} "
    "FROM log_page WHERE tenant = :t AND first_seq = keys.seq LIMIT 1) AS found",
}
_INDEX: Final = {
    "sqlite": "INSERT OR IGNORE INTO {} SELECT :t, substr(value, 20), CAST(substr(value, 1, 19) AS INTEGER) "
    "FROM json_each(:keys)",
    "postgresql": "INSERT INTO {} SELECT :t, keys.* FROM unnest(:keys, :pages) AS keys ON CONFLICT DO NOTHING",
}
_TEXTS: Final[dict[str, TypeEngine[Any]]] = {"sqlite": String(), "postgresql": ARRAY(String)}
_NUMBERS: Final[dict[str, TypeEngine[Any]]] = {"sqlite": String(), "postgresql": ARRAY(BigInteger)}


class Statement(Struct, frozen=True):
    """A text for the driver, the names of its values in their order, and the values that are always the same."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]

    def values(self, **named: Any) -> list[Any]:
        """The values in the order of the text."""
        return [named[name] if name in named else self.constants[name] for name in self.names]


class Statements(Struct, frozen=True):
    """Everything that is asked of the tables."""

    add_head: Statement
    raise_epoch: Statement
    head: Statement
    settle: Statement
    advance: Statement
    insert: Statement
    index_events: Statement
    index_users: Statement
    newest: Statement
    find: Statement
    pages: Statement
    read: Statement
    spans: Statement
    heads: Statement
    timeline: Statement


def statements(dialect: Dialect) -> Statements:
    """The statements in the words of one engine."""
    core = _of_head() | _of_pages(dialect.name)
    return Statements(**{name: _compiled(statement, dialect) for name, statement in core.items()})


def clamped(number: int) -> int:
    """A number that both engines can compare with a position or take as a limit."""
    return min(max(number, 0), INT64_MAX)


def _of_head() -> dict[str, ClauseElement]:
    tenant, zero = bindparam("t", type_=String), literal_column("0", BigInteger)
    ours = log_head.c.tenant == tenant
    epoch, last_seq, indexed_seq = log_head.c.epoch, log_head.c.last_seq, log_head.c.indexed_seq
    mine, old = bindparam("mine", type_=BigInteger), bindparam("old", type_=BigInteger)
    return {
        "add_head": insert(log_head).from_select(
            ["tenant", "epoch", "last_seq", "indexed_seq"],
            select(tenant, zero, zero, zero).where(~select(epoch).where(ours).exists()),
        ),
        "raise_epoch": update(log_head).where(ours).values(epoch=epoch + literal_column("1", BigInteger)),
        "head": select(epoch, last_seq, indexed_seq).where(ours),
        "settle": select(epoch, last_seq).where(ours).with_for_update(),
        "advance": update(log_head)
        .where(ours, epoch == mine, last_seq == old)
        .values(
            last_seq=bindparam("new", type_=BigInteger), indexed_seq=bindparam("indexed", type_=BigInteger)
        ),
    }


def _of_pages(engine: str) -> dict[str, ClauseElement]:
    tenant, seq = bindparam("t", type_=String), bindparam("s", type_=BigInteger)
    limit, until = bindparam("n", type_=BigInteger), bindparam("until", type_=BigInteger)
    first_seq, last_seq = log_page.c.first_seq, log_page.c.last_seq
    ours = log_page.c.tenant == tenant
    pages: Select[Any] = select(
        first_seq, log_page.c.heads, log_page.c.facts, log_page.c.personal, log_page.c.decisions
    )
    newest = select(last_seq).where(ours).order_by(first_seq.desc()).limit(literal_column("1", BigInteger))
    keys, numbers = bindparam("keys", type_=_TEXTS[engine]), bindparam("keys", type_=_NUMBERS[engine])
    index = [tenant, keys]
    if engine == "postgresql":
        index.append(bindparam("pages", type_=_NUMBERS[engine]))
    return {
        "insert": insert(log_page),
        "index_events": text(_INDEX[engine].format(log_event.name)).bindparams(*index),
        "index_users": text(_INDEX[engine].format(log_user.name)).bindparams(*index),
        "newest": select(func.coalesce(newest.scalar_subquery(), literal_column("0", BigInteger))),
        "find": text(_FIND[engine]).bindparams(tenant, keys),
        "pages": text(_PAGES[engine].format(_PAGE)).bindparams(tenant, numbers),
        "read": pages.where(ours, first_seq > seq, first_seq <= until).order_by(first_seq),
        "spans": select(first_seq, last_seq, log_page.c.heads, log_page.c.facts, log_page.c.decisions)
        .where(ours, first_seq > seq, first_seq <= until)
        .order_by(first_seq),
        "heads": select(first_seq, log_page.c.heads).where(ours, first_seq > seq).order_by(first_seq),
        "timeline": select(log_user.c.first_seq)
        .where(
            log_user.c.tenant == tenant,
            log_user.c.user_token == bindparam("u", type_=String),
            log_user.c.first_seq < seq,
        )
        .order_by(log_user.c.first_seq.desc())
        .limit(limit),
    }


def _compiled(statement: ClauseElement, dialect: Dialect) -> Statement:
    compiled: Any = statement.compile(dialect=dialect)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(text=str(compiled), names=tuple(compiled.positiontup or ()), constants=constants)
