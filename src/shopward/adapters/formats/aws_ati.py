"""Login data in the format of Amazon Fraud Detector's Account Takeover Insights as login events.

Promise: one row is one ``login`` event, ``succeeded`` where the credentials were valid, else ``failed``, in the order of
the file and under its own ``EVENT_ID``. The metadata columns have the fixed names of that format; its variables may have
any name, so each is looked for under the usual ones, and an address, a user agent and the validity have to be there.
What the row says about fraud never enters the event: it becomes the label beside it, known from ``LABEL_TIMESTAMP`` on.

Columns that are none of these are passed over. The entity ``unknown`` is a login of no account.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.formats.csv_rows import CsvRows
from shopward.adapters.formats.rows import GENUINE, Imported, Refusal, build_event, clipped, ip_of
from shopward.errors import BadInput, InvalidField, MalformedInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from shopward.adapters.formats.sources import Source

FRAUD_WORDS: Final = ("fraud", "fraudulent", "ato", "1", "true")
LABEL: Final = "fraud"
_TIME, _USER, _ID = "EVENT_TIMESTAMP", "ENTITY_ID", "EVENT_ID"
_LABEL, _LABEL_TIME = "EVENT_LABEL", "LABEL_TIMESTAMP"
_ADDRESS: Final = ("ip", "ip_address", "ipaddress", "source_ip")
_AGENT: Final = ("useragent", "user_agent")
_VALID: Final = (
    "are_credentials_valid",
    "valid_cred",
    "valid_credentials",
    "are_creds_valid",
    "credentials_valid",
)
_DEVICE: Final = ("fp", "fingerprint", "device_fingerprint", "device_id")
_SESSION: Final = ("session_id", "sessionid", "session")
_ABSENT: Final = frozenset({"", "-", "null", "NULL", "None"})
_UNKNOWN: Final = "unknown"
_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_FORMATS: Final = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%y %H:%M:%S")  # fmt: skip
"""The format's own spellings of a time, besides ISO 8601."""


def read_aws_ati(
    source: Source, *, fraud_words: Collection[str] = FRAUD_WORDS
) -> Iterator[Imported | Refusal]:
    """The logins of the CSV, each with its label; a row that is none is a refusal.

    Args:
        source: where its lines come from.
        fraud_words: which values of ``EVENT_LABEL`` mean fraud, in small letters; any other word means genuine.

    Raises:
        MalformedInput: a column that has to be there is not, or the file is damaged (after the rows before the damage).
    """
    rows = CsvRows(source)
    columns = _Columns(rows.positions((_TIME, _USER)), source.name)
    words = frozenset(fraud_words)
    for row in rows:
        if isinstance(row, Refusal):
            yield row
            continue
        line, cells = row
        try:
            yield _imported(columns, cells, line, words)
        except BadInput as refused:
            yield Refusal(line, refused)


class _Columns:
    """Where each value stands in a row; -1 where the file has no such column."""

    def __init__(self, places: dict[str, int], name: str) -> None:
        self._places = places
        self._name = name
        self.time, self.user = places[_TIME], places[_USER]
        self.id, self.label, self.label_time = (places.get(each, -1) for each in (_ID, _LABEL, _LABEL_TIME))
        self.address, self.agent, self.valid = map(self._needed, (_ADDRESS, _AGENT, _VALID))
        self.device, self.session = self._first(_DEVICE), self._first(_SESSION)

    def _first(self, names: Sequence[str]) -> int:
        by_name = {column.lower(): place for column, place in self._places.items()}
        return next((by_name[name] for name in names if name in by_name), -1)

    def _needed(self, names: Sequence[str]) -> int:
        place = self._first(names)
        if place < 0:
            raise MalformedInput(
                f"{self._name} has not the columns that are needed",
                path="line 1",
                expected="one column of " + ", ".join(names),
                found=f"none of {len(self._places)}",
            )
        return place


def _imported(columns: _Columns, cells: list[str], line: int, fraud_words: Collection[str]) -> Imported:
    event_id = _cell(cells, columns.id)
    shape: dict[str, Any] = {
        "id": clipped(event_id) if event_id else f"ati-{line}",
        "type": "login",
        "status": "succeeded" if _truth(cells[columns.valid]) else "failed",
        "time": _moment(cells[columns.time], _TIME),
    }
    context: dict[str, Any] = {}
    if address := _cell(cells, columns.address):
        context["ip"] = ip_of(address)
    if agent := _cell(cells, columns.agent):
        context["user_agent"] = agent
    if device := _cell(cells, columns.device):
        context["device_id"] = clipped(device)
    if context:
        shape["context"] = context
    if session := _cell(cells, columns.session):
        shape["session"] = {"id": clipped(session)}
    user = _cell(cells, columns.user)
    if user and user != _UNKNOWN:
        shape["user"] = {"id": clipped(user)}
    word = _cell(cells, columns.label)
    if not word:
        return Imported(build_event(shape), "", line)
    known_at = _cell(cells, columns.label_time)
    label = LABEL if word.lower() in fraud_words else GENUINE
    return Imported(build_event(shape), label, line, _moment(known_at, _LABEL_TIME) if known_at else None)


def _cell(cells: list[str], at: int) -> str:
    """A cell; empty where the column or its value is absent."""
    text = cells[at].strip() if at >= 0 else ""
    return "" if text in _ABSENT else text


def _truth(text: str) -> bool:
    try:
        return _TRUTHS[text.strip().lower()]
    except KeyError:
        raise InvalidField(
            "not a truth value", path="credentials valid", expected="true or false", found="another text"
        ) from None


def _moment(text: str, column: str) -> datetime:
    """A time, in UTC where it does not say."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = _spelt(text.strip(), column)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _spelt(text: str, column: str) -> datetime:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise InvalidField(
        "not a time",
        path=column,
        expected="ISO 8601 in UTC, such as 2026-02-03T12:43:30Z",
        found="another text",
    )
