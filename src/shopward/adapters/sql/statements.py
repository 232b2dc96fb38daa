"""The statements of the log, written once in SQLAlchemy Core and compiled once for each engine.

Promise: what runs for each append and each lookup is a constant text with positional values, handed to the
driver itself; nothing is built from input. The rows are turned into ``LogEntry`` and back here, so that both
engines keep and refuse the same values.
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

from shopward.adapters.sql.schema import (
    DIGEST_BYTES,
    EVENT_ID_MAX,
    KIND_MAX,
    USER_INDEX,
    USER_TOKEN_MAX,
    log,
    log_head,
)
from shopward.errors import InvalidField
from shopward.ports import LogEntry

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Dialect, Select
    from sqlalchemy.types import TypeEngine

Row = tuple[Any, ...]

INT64_MAX: Final = 2**63 - 1
_ENTRY_COLUMNS: Final[list[Any]] = [column for column in log.columns if column.name != "tenant"]

_NAMES: Final = ", ".join(f"log.{column.name}" for column in _ENTRY_COLUMNS)
# The index of each of these is named by their form, whatever the planner believes. Without statistics, which
# SQLite never collects unasked, it would read the whole log of the only tenant for one id: measured 8 ms against
# 7 us among 20,000 entries. A list of ids travels as one value, so that the text is the same for 1 and for 500.
_FIND: Final = {
    "sqlite": "SELECT {} FROM json_each(:ids) AS ids CROSS JOIN log "
    "WHERE log.tenant = :t AND log.event_id = ids.value",
    "postgresql": "SELECT found.* FROM unnest(:ids) AS ids(id) CROSS JOIN LATERAL (SELECT {} FROM log "
    "WHERE log.tenant = :t AND log.event_id = ids.id LIMIT 1) AS found",
}
_TIMELINE: Final = (
    "SELECT {} FROM log{} WHERE tenant = :t AND user_token = :u AND seq < :s ORDER BY seq DESC LIMIT :n"
)
_TIMELINE_HINT: Final = {"sqlite": f" INDEXED BY {USER_INDEX}", "postgresql": ""}
_ID_LIST: Final[dict[str, TypeEngine[Any]]] = {"sqlite": String(), "postgresql": ARRAY(String)}


class Statement(Struct, frozen=True):
    """A text for the driver, the names of its values in their order, and the values that are always the same."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]

    def values(self, **named: Any) -> list[Any]:
        """The values in the order of the text."""
        return [named[name] if name in named else self.constants[name] for name in self.names]


class Statements(Struct, frozen=True):
    """Everything that is asked of the two tables."""

    add_head: Statement
    raise_epoch: Statement
    head: Statement
    settle: Statement
    advance: Statement
    insert: Statement
    newest: Statement
    find: Statement
    read: Statement
    timeline: Statement


def statements(dialect: Dialect) -> Statements:
    """The statements in the words of one engine."""
    tenant, seq = bindparam("t", type_=String), bindparam("s", type_=BigInteger)
    limit, zero = bindparam("n", type_=BigInteger), literal_column("0", BigInteger)
    mine = bindparam("mine", type_=BigInteger)
    ours = log_head.c.tenant == tenant
    epoch, last_seq = log_head.c.epoch, log_head.c.last_seq
    entries: Select[Any] = select(*_ENTRY_COLUMNS).where(log.c.tenant == tenant)
    core: dict[str, ClauseElement] = {
        "add_head": insert(log_head).from_select(
            ["tenant", "epoch", "last_seq"],
            select(tenant, zero, zero).where(~select(epoch).where(ours).exists()),
        ),
        "raise_epoch": update(log_head).where(ours).values(epoch=epoch + literal_column("1", BigInteger)),
        "head": select(epoch, last_seq).where(ours),
        "settle": select(epoch, last_seq).where(ours).with_for_update(),
        "advance": update(log_head)
        .where(ours, epoch == mine, last_seq == bindparam("old", type_=BigInteger))
        .values(last_seq=bindparam("new", type_=BigInteger)),
        "insert": insert(log),
        "newest": select(func.coalesce(func.max(log.c.seq), zero)).where(log.c.tenant == tenant),
        "find": text(_FIND[dialect.name].format(_NAMES)).bindparams(
            tenant, bindparam("ids", type_=_ID_LIST[dialect.name])
        ),
        "read": entries.where(log.c.seq > seq).order_by(log.c.seq).limit(limit),
        "timeline": text(_TIMELINE.format(_NAMES, _TIMELINE_HINT[dialect.name])).bindparams(
            tenant, seq, limit, bindparam("u", type_=String)
        ),
    }
    return Statements(**{name: _compiled(statement, dialect) for name, statement in core.items()})


def to_row(tenant: str, entry: LogEntry) -> Row:
    """The row of an entry, in the order of the table's columns.

    Raises:
        InvalidField: a value that one of the engines could not keep or would keep changed.
    """
    _check_text(entry.kind, "kind", KIND_MAX)
    _check_text(entry.event_id, "event_id", EVENT_ID_MAX)
    _check_text(entry.user_token, "user_token", USER_TOKEN_MAX)
    _check_int64(entry.at_ms, "at_ms")
    _check_int64(entry.recorded_ms, "recorded_ms")
    if len(entry.digest) != DIGEST_BYTES:
        raise InvalidField(
            "the log cannot keep this digest",
            path="digest",
            expected="16 bytes",
            found=f"{len(entry.digest)} bytes",
        )
    return (
        tenant,
        entry.seq,
        entry.kind,
        entry.event_id,
        entry.at_ms,
        entry.recorded_ms,
        entry.digest,
        entry.user_token,
        _text(entry.facts, "facts"),
        entry.personal,
        _text(entry.decision, "decision"),
    )


def to_entry(row: Row) -> LogEntry:
    """The entry of a row as the statements above select it."""
    seq, kind, event_id, at_ms, recorded_ms, digest, user_token, facts, personal, decision = row
    return LogEntry(
        seq,
        kind,
        event_id,
        at_ms,
        recorded_ms,
        digest,
        user_token,
        facts.encode(),
        personal,
        decision.encode(),
    )


def clamped(number: int) -> int:
    """A number that both engines can compare with a position or take as a limit."""
    return min(max(number, 0), INT64_MAX)


def is_storable(text: str, longest: int) -> bool:
    """Whether both engines can keep a text: no NUL, no half of a surrogate pair, not too long."""
    if len(text) > longest or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _compiled(statement: ClauseElement, dialect: Dialect) -> Statement:
    compiled: Any = statement.compile(dialect=dialect)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(text=str(compiled), names=tuple(compiled.positiontup or ()), constants=constants)


def _check_text(text: str, name: str, longest: int) -> None:
    if not is_storable(text, longest):
        raise InvalidField(
            "the log cannot keep this text",
            path=name,
            expected=f"at most {longest} characters, valid Unicode without NUL",
            found=f"{len(text)} characters",
        )


def _check_int64(number: int, name: str) -> None:
    if not -INT64_MAX <= number <= INT64_MAX:
        raise InvalidField(
            "the log cannot keep this number",
            path=name,
            expected="64 bits",
            found=f"{number.bit_length()} bits",
        )


def _text(data: bytes, name: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidField("the log cannot keep these bytes", path=name, expected="JSON in UTF-8 without NUL")
    return text
