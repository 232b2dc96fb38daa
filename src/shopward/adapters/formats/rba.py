"""The login data set for risk-based authentication (Wiefling et al., 33 million rows) as login events.

Promise: one row is one ``login`` event, ``succeeded`` or ``failed``, in the order of the file, with the id
``rba-<index>``; times are read as UTC; empty cells and ``-`` are absent. The data set has no device id and none is
made up. What the rows say about attackers never enters the events: ``Is Account Takeover`` becomes the label ``ato``
beside the event, ``Is Attack IP`` (a judgement on an address, not on a login) is left out.

The columns are found by name, so an extract with other columns beside them imports too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shopward.adapters.formats.csv_rows import CsvRows
from shopward.adapters.formats.rows import Imported, Refusal, build_event, ip_of
from shopward.errors import BadInput, InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shopward.adapters.formats.sources import Source

LABEL: Final = "ato"
_TIME, _USER, _IP, _ASN = "Login Timestamp", "User ID", "IP Address", "ASN"
_SUCCESS, _TAKEOVER, _ROUND_TRIP, _REGION = (
    "Login Successful",
    "Is Account Takeover",
    "Round-Trip Time",
    "Region",
)
_CONTEXT: Final = {
    "country": "Country",
    "city": "City",
    "user_agent": "User Agent String",
    "browser": "Browser Name and Version",
    "os": "OS Name and Version",
    "device_type": "Device Type",
}
_NEEDED: Final = (_TIME, _USER, _IP, _ASN, _SUCCESS, _TAKEOVER, _REGION, *_CONTEXT.values())
_ABSENT: Final = frozenset({"", "-"})
_TRUTHS: Final = {"True": True, "False": False, "true": True, "false": False, "1": True, "0": False}


def read_rba(source: Source) -> Iterator[Imported | Refusal]:
    """The logins of the CSV, each with its label; a row that is none is a refusal.

    Raises:
        MalformedInput: the header is another one, or the file is damaged (after the rows before the damage).
    """
    rows = CsvRows(source)
    places = rows.positions(_NEEDED)
    index_at = places.get("index")
    made = _maker(places, _round_trip_column(rows.header))
    for number, row in enumerate(rows):
        if isinstance(row, Refusal):
            yield row
            continue
        line, cells = row
        try:
            yield made(cells, str(number) if index_at is None else cells[index_at], line)
        except BadInput as refused:
            yield Refusal(line, refused)


def _maker(places: dict[str, int], round_trip: str | None) -> Callable[[list[str], str, int], Imported]:
    """A function from a row's cells and index to the event; the columns are looked up once, here."""
    time_at, user_at, ip_at, asn_at = places[_TIME], places[_USER], places[_IP], places[_ASN]
    success_at, takeover_at, region_at = places[_SUCCESS], places[_TAKEOVER], places[_REGION]
    round_trip_at = None if round_trip is None else places[round_trip]
    texts = [(name, places[column]) for name, column in _CONTEXT.items()]

    def make(cells: list[str], index: str, line: int) -> Imported:
        context: dict[str, Any] = {name: cells[at] for name, at in texts if cells[at] not in _ABSENT}
        if (ip := cells[ip_at]) not in _ABSENT:
            context["ip"] = ip_of(ip)
        if (asn := cells[asn_at]) not in _ABSENT:
            context["asn"] = _number(asn, _ASN)
        shape: dict[str, Any] = {
            "id": f"rba-{index}",
            "type": "login",
            "status": "succeeded" if _truth(cells[success_at], _SUCCESS) else "failed",
            "time": _moment(cells[time_at]),
            "context": context,
        }
        if (user := cells[user_at]) not in _ABSENT:
            shape["user"] = {"id": user}
        properties: dict[str, Any] = {}
        if (region := cells[region_at]) not in _ABSENT:
            properties["region"] = region
        if round_trip_at is not None and (millis := cells[round_trip_at]) not in _ABSENT:
            properties["round_trip_ms"] = _number(millis, _ROUND_TRIP)
        if properties:
            shape["properties"] = properties
        takeover = _truth(cells[takeover_at], _TAKEOVER)
        return Imported(build_event(shape), LABEL if takeover else "", line)

    return make


def _round_trip_column(header: list[str]) -> str | None:
    """``Round-Trip Time [ms]`` in the published file, without the unit in its description."""
    return next((name for name in header if name.startswith(_ROUND_TRIP)), None)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidField(
            "not a time", path=_TIME, expected="a time like 2020-02-03 12:43:30.772", found="another text"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _truth(text: str, column: str) -> bool:
    try:
        return _TRUTHS[text]
    except KeyError:
        raise InvalidField(
            "not a truth value", path=column, expected="True or False", found="another text"
        ) from None


def _number(text: str, column: str) -> int:
    """A whole number; the published file writes some of them as ``1123.0``."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise InvalidField("not a number", path=column, expected="a whole number", found="another text")
    return int(digits)
