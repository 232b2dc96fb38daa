from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shopward.adapters.formats import Source, SshdLog
from shopward.errors import InputTooLarge, MalformedInput, Misconfigured
from shopward.events import canonical_bytes, decode_event

HEAD = "Dec 10 06:55:48 shop sshd[24200]: "
FROM = "from 192.0.2.31 port 38926 ssh2"


@pytest.fixture
def events_of(written, split):
    """A function from log lines to their events; every line of the log must be readable."""

    def read(*lines, zone=UTC):
        log = SshdLog(Source(written("auth.log", "\n".join(lines))), zone=zone, year=2016)
        events, _, refused = split(log)
        assert refused == []
        assert all(decode_event(canonical_bytes(event)) == event for event in events)
        return events

    return read


@pytest.mark.parametrize(
    ("message", "status", "user", "known"),
    [
        (f"Failed password for root {FROM}", "failed", "root", True),
        (f"Failed password for invalid user web master {FROM}", "failed", "web master", False),
        (f"Failed password for illegal user guest {FROM}", "failed", "guest", False),
        (f"Failed keyboard-interactive/pam for root {FROM}", "failed", "root", True),
        (f"Accepted password for anna {FROM}", "succeeded", "anna", True),
        (f"Accepted publickey for anna {FROM}: ED25519 SHA256:abc", "succeeded", "anna", True),
    ],
)
def test_a_line_is_a_login(events_of, message, status, user, known):
    """Each form of line gives one login with account, address and whether the account exists."""
    [event] = events_of(HEAD + message)
    assert (event.type, event.status, event.user.id, event.user.known) == ("login", status, user, known)
    assert event.context.ip == "192.0.2.31"
    assert event.time == datetime(2016, 12, 10, 6, 55, 48, tzinfo=UTC)
    assert event.properties["host"] == "shop"


def test_a_login_without_account_name_has_none(events_of):
    """An empty name is a login of an unknown account without id."""
    [event] = events_of(f"{HEAD}Failed password for invalid user  {FROM}")
    assert event.user.id == ""
    assert event.user.known is False


def test_an_account_cannot_put_another_address_into_the_event(events_of):
    """The address is sshd's own, not one inside the name of the account."""
    [event] = events_of(f"{HEAD}Failed password for invalid user root from 203.0.113.1 port 22 ssh2 {FROM}")
    assert event.context.ip == "192.0.2.31"
    assert event.user.id == "root from 203.0.113.1 port 22 ssh2"


def test_a_long_account_name_does_not_evade(events_of):
    """Two names of 4000 characters are two accounts with ids that fit."""
    first, second = events_of(
        *(f"{HEAD}Failed password for invalid user {'x' * 4_000}{n} {FROM}" for n in "ab")
    )
    assert len(first.user.id) <= 128
    assert first.user.id != second.user.id


def test_a_repeated_message_is_as_many_events(events_of):
    """``repeated 5 times`` is five events with ids of their own, besides the line before it."""
    events = events_of(
        f"{HEAD}Failed password for root {FROM}",
        f"{HEAD}message repeated 5 times: [ Failed password for root {FROM}]",
    )
    assert len(events) == 6
    assert len({event.id for event in events}) == 6
    assert {event.user.id for event in events} == {"root"}


def test_a_message_repeated_without_end_is_refused(written, split):
    """A number that would fill the disk is refused."""
    line = f"{HEAD}message repeated 99999999999999 times: [ Failed password for root {FROM}]"
    events, _, [refusal] = split(SshdLog(Source(written("a", line)), zone=UTC, year=2016))
    assert events == []
    assert isinstance(refusal.error, InputTooLarge)


def test_an_invalid_user_is_counted_once(events_of):
    """The notice and the failed password of one connection are one login."""
    events = events_of(
        f"{HEAD}Invalid user test9 from 192.0.2.31 port 38926",
        f"{HEAD}Failed password for invalid user test9 {FROM}",
        f"{HEAD}Connection closed by invalid user test9 192.0.2.31 port 38926 [preauth]",
    )
    assert [event.user.id for event in events] == ["test9"]


def test_an_invalid_user_without_password_is_counted_when_the_connection_ends(events_of):
    """On a server that takes keys alone, guessing names still shows, at the time of the end."""
    [event] = events_of(
        f"{HEAD}Invalid user test9 from 192.0.2.31",
        "Dec 10 06:55:50 shop sshd[24201]: Connection closed by 192.0.2.77 port 1 [preauth]",
        "Dec 10 06:55:51 shop sshd[24200]: Connection closed by invalid user test9 192.0.2.31 port 1 [preauth]",
    )
    assert (event.user.id, event.user.known, event.status) == ("test9", False, "failed")
    assert event.time.second == 51


def test_other_lines_are_passed_over_and_counted(written, split):
    """Lines of other programs, refused keys and notices give no event and no refusal."""
    log = SshdLog(
        Source(
            written(
                "auth.log",
                "Dec 10 06:55:48 shop CRON[1]: pam_unix(cron:session): session opened for user root\n\n"
                f"{HEAD}Failed publickey for anna {FROM}: RSA SHA256:x\r\n"
                "Dec  1 06:55:48 shop sudo: Failed password for root from 192.0.2.1 port 1 ssh2\n"
                f"{HEAD}pam_unix(sshd:auth): check pass; user unknown\n",
            )
        ),
        zone=UTC,
        year=2016,
    )
    assert split(log) == ([], {}, [])
    assert log.passed_over == 4


def test_iso_times_need_no_year(written, split):
    """RFC 3339 stamps keep their offset; without one the zone given counts."""
    lines = (
        f"2026-01-05T00:07:12.345678+07:00 shop sshd-session[1]: Failed password for root {FROM}\n"
        f"2026-01-05T00:07:12 shop sshd[1]: Failed password for root {FROM}\n"
        f"2026-01-05T00:07:12+0700 shop sshd[1]: Failed password for root {FROM}\n"
    )
    log = SshdLog(Source(written("a", lines)), zone=timezone(timedelta(hours=7)))
    events, _, _ = split(log)
    assert [event.time.astimezone(UTC) for event in events] == [
        datetime(2026, 1, 4, 17, 7, 12, 345_678, tzinfo=UTC),
        datetime(2026, 1, 4, 17, 7, 12, tzinfo=UTC),
        datetime(2026, 1, 4, 17, 7, 12, tzinfo=UTC),
    ]


def test_a_log_without_year_asks_for_it(written):
    """Syslog's stamps without ``--year`` stop the import with what to do."""
    with pytest.raises(Misconfigured) as refused:
        list(SshdLog(Source(written("a", f"{HEAD}Failed password for root {FROM}")), zone=UTC))
    assert "--year" in refused.value.hint


def test_a_new_year_begins_after_december(events_of):
    """From December to January the year goes up once; a late line of an earlier month does not move it."""
    stamps = ("Nov 30 10:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01", "Jan  2 00:00:00")
    events = events_of(*(f"{stamp} shop sshd[1]: Failed password for root {FROM}" for stamp in stamps))
    assert [event.time.year for event in events] == [2016, 2016, 2017, 2017]


def test_host_names_get_an_address_of_their_own(events_of):
    """A source that is a name gets a stable unique local address, and the name is kept."""
    names = ("shop.example", "SHOP.example.", "other.example", "fe80::1%eth0")
    events = events_of(*(f"{HEAD}Failed password for root from {name} port 22 ssh2" for name in names))
    first, same, other, real = (event.context.ip for event in events)
    assert first == same != other
    assert first.startswith("fd")
    assert first.split(":")[:3] != other.split(":")[:3], "each name is a network of its own"
    assert events[0].properties["src_host"] == "shop.example"
    assert real == "fe80::1"


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "Feb 30 06:55:48 shop sshd[1]: x",
        "Foo 10 06:55:48 shop sshd[1]: x",
        "\x00",
        "a" * 2_000_000,
    ],
)
def test_what_is_no_log_line_is_refused_and_the_next_goes_on(written, split, line):
    """A line that cannot be read is a refusal with its number."""
    body = f"{line}\n{HEAD}Failed password for root {FROM}\n"
    events, _, [refusal] = split(SshdLog(Source(written("a", body)), zone=UTC, year=2016))
    assert len(events) == 1
    assert refusal.line == 1


def test_bytes_that_are_no_text_are_refused(written, split):
    """Invalid UTF-8 is a refusal."""
    _, _, [refusal] = split(SshdLog(Source(written("a", b"\xff\xfe")), zone=UTC, year=2016))
    assert isinstance(refusal.error, MalformedInput)


def test_two_logs_give_different_ids(events_of):
    """The same line number of two files does not give the same id, the same file does."""
    [one] = events_of(f"{HEAD}Failed password for root {FROM}")
    [other] = events_of(f"{HEAD}Failed password for anna {FROM}")
    [again] = events_of(f"{HEAD}Failed password for root {FROM}")
    assert one.id == again.id != other.id
