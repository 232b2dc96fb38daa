"""Raw log lines of OpenSSH as login events.

Promise, line by line:
- ``Failed password for [invalid user] X from A port N`` (keyboard-interactive too) is a ``failed`` login, ``Accepted
  ... for X from A`` a ``succeeded`` one; ``message repeated N times: [ ... ]`` is N more of the same;
- ``Invalid user X from A`` is no event of its own where a failed password of the same connection follows; where the
  connection ends without one (as on servers that take keys alone), it is a ``failed`` login at that moment;
- an account that sshd calls invalid has ``user.known`` false, any other true; a name longer than an id may be keeps
  its beginning and a hash; a host name in the place of the address is given a stand-in (see ``rows``) and kept as
  ``properties.src_host``;
- the address is the last one that the line names, where sshd itself writes it: an account called
  ``root from 10.0.0.1 port 22`` puts no other address into the event.

Refused keys are no tries of a password and give no event; other lines of sshd and of other programs are passed over
and counted. Times: RFC 3339, or syslog's ``Dec 10 06:55:48``, which has neither year nor zone: both are arguments,
and a step from December back to January begins the next year.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from shopward.adapters.formats.csv_rows import text_of
from shopward.adapters.formats.rows import (
    Imported,
    Refusal,
    address_of_host,
    build_event,
    clipped,
    parsed_ip,
    repeats_of,
)
from shopward.adapters.formats.times import ISO, moment_of
from shopward.errors import BadInput, MalformedInput, Misconfigured
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from shopward.adapters.formats.sources import Source
    from shopward.events import Event

_LINE: Final = re.compile(
    r"(?:(?P<iso>\d{4}-\d\d-\d\dT\S{8,32})|(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)) "
    r"(?P<host>\S{1,255}) (?P<program>[^\s\[:]{1,64})(?:\[(?P<pid>\d{1,20})\])?: ?(?P<message>.*)",
    re.DOTALL,
)
_REPEATED: Final = re.compile(r"message repeated (?P<times>\d+) times: \[ ?(?P<message>.*)\]", re.DOTALL)
_FAILED: Final = re.compile(
    r"Failed (?P<method>password|keyboard-interactive(?:/\w+)?) for (?P<invalid>(?:invalid|illegal) user )?"
    r"(?P<user>.*) from (?P<ip>\S+) port \d+(?: ssh\d)?",
    re.DOTALL,
)
_ACCEPTED: Final = re.compile(
    r"Accepted (?P<method>[\w/-]+) for (?P<user>\S+) from (?P<ip>\S+) port \d+(?: ssh\d)?(?:: .*)?", re.DOTALL
)
_INVALID: Final = re.compile(
    r"(?:Invalid|Illegal) user (?P<user>.*) from (?P<ip>\S+?)(?: port \d+)?", re.DOTALL
)
_ENDED: Final = re.compile(
    r"Connection (?:closed|reset)|Received disconnect|Disconnect(?:ed|ing)|error: maximum auth|(?:fatal: )?Timeout before"
)
_PROGRAMS: Final = frozenset({"sshd", "sshd-session", "sshd-auth"})
_WAITING_MAX: Final = 10_000
_MONTHS: Final = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)  # noqa: SIM905
}


class SshdLog:
    """The logins of one log, once through.

    Args:
        source: its lines.
        zone: of times that name none.
        year: of the first line, for syslog's times.

    Attributes:
        passed_over: how many log lines were no logins.
    """

    def __init__(self, source: Source, *, zone: tzinfo, year: int | None = None) -> None:
        self.passed_over = 0
        self._source = source
        self._zone = zone
        self._year = year
        self._month = 0
        self._waiting: dict[tuple[str, str], dict[str, Any]] = {}

    def __iter__(self) -> Iterator[Imported | Refusal]:
        """Events and refusals in the order of the log.

        Raises:
            Misconfigured: a time without year, and no year was given.
            MalformedInput: a damaged archive, after the lines before the damage.
        """
        for raw in self._source.lines():
            line = self._source.line
            if not raw.strip():
                continue
            try:
                event, times = self._read(raw, line)
            except BadInput as refused:
                yield Refusal(line, refused)
                continue
            if event is None:
                self.passed_over += 1
                continue
            yield Imported(event, line=line)
            for number in range(1, times):
                yield Imported(replace(event, id=f"{event.id}.{number}"), line=line)

    def _read(self, raw: bytes, line: int) -> tuple[Event | None, int]:
        """The event of one line and how often it stands for it; None where it is no login."""
        parts = _LINE.fullmatch(text_of(raw).rstrip("\r"))
        if parts is None:
            raise MalformedInput(
                "not a log line",
                expected="time, host, program and message, as sshd writes them",
                found="another text",
            )
        time = self._time_of(parts["iso"], parts["syslog"])
        if parts["program"] not in _PROGRAMS:
            return None, 0
        message, times = parts["message"], 1
        if (repeated := _REPEATED.fullmatch(message)) is not None:
            message, times = repeated["message"], repeats_of(repeated["times"])
        shape = self._login(message, parts["host"], parts["pid"] or "")
        if shape is None:
            return None, 0
        shape["id"] = f"sshd-{line}-{digest16(raw).hex()[:16]}"
        shape["time"] = time
        return build_event(shape), times

    def _login(self, message: str, host: str, pid: str) -> dict[str, Any] | None:
        connection = (host, pid)
        if (match := _FAILED.fullmatch(message)) is not None:
            self._waiting.pop(connection, None)
            return _shape(match, "failed", match["method"], host, known=match["invalid"] is None)
        if (match := _ACCEPTED.fullmatch(message)) is not None:
            self._waiting.pop(connection, None)
            return _shape(match, "succeeded", match["method"], host, known=True)
        if (match := _INVALID.fullmatch(message)) is not None:
            if len(self._waiting) >= _WAITING_MAX:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[connection] = _shape(match, "failed", "none", host, known=False)
            return None
        return self._waiting.pop(connection, None) if _ENDED.match(message) else None

    def _time_of(self, iso: str | None, syslog: str | None) -> datetime:
        if iso is not None:
            return moment_of(iso, (ISO,), self._zone)
        text = syslog or ""
        if self._year is None:
            raise Misconfigured(
                "the log's times have no year",
                expected="the year of its first line",
                hint="give it with --year",
            )
        month = _MONTHS.get(text[:3], 0)
        year = self._year + 1 if month == 1 and self._month == 12 else self._year
        moment = moment_of(
            f"{year:04d}-{month:02d}-{text[4:6].replace(' ', '0')} {text[7:]}", (ISO,), self._zone
        )
        self._year, self._month = year, month
        return moment


def _shape(match: re.Match[str], status: str, method: str, host: str, *, known: bool) -> dict[str, Any]:
    user: dict[str, Any] = {"known": known}
    if match["user"]:
        user["id"] = clipped(match["user"])
    properties = {"service": "sshd", "host": host, "method": method}
    address = parsed_ip(match["ip"])
    if address is None:
        address = address_of_host(match["ip"])
        properties["src_host"] = match["ip"][:1024]
    return {
        "type": "login",
        "status": status,
        "user": user,
        "context": {"ip": address},
        "properties": properties,
    }
