"""What happened in an account, as its owner remembers it, and the advice that fits: pure, from facts."""

import pytest

from shopward.events import Facts
from shopward.flows.counsel import SAID_MAX, Protection, counsel
from shopward.flows.lately import SHOWN_MAX, WINDOW_MS, Seen, is_breached, lately, new_sim_ms
from shopward.values import DAY_MS, HOUR_MS, MINUTE_MS

NOW_MS = 1_767_571_200_000


def seen(name, ago_ms, kind="login", *, status="succeeded", decision="allow", **facts):
    """An event of the log, some time ago."""
    return Seen(name, NOW_MS - ago_ms, Facts(name, kind, status, **{"device": "own", **facts}), decision)


def advised(*happened, protections=(), is_breached=False, is_reached=False, told_ms=0):
    """The advice on these events, newest first."""
    return counsel(
        lately(happened, at_ms=NOW_MS), protections=protections, is_breached=is_breached, is_reached=is_reached, told_ms=told_ms,
        at_ms=NOW_MS
    )  # fmt: skip


def test_what_was_asked_for_and_then_done_is_told_once():
    """A login decided and then told; one that was stopped stands beside the one that worked; an old one was never settled."""
    told = lately(
        [
            seen("in", MINUTE_MS),
            seen("try", 2 * MINUTE_MS, status="attempted"),
            seen("stopped", 3 * MINUTE_MS, status="attempted", decision="deny"),
            seen("open", 3 * HOUR_MS, status="attempted"),
        ],
        at_ms=NOW_MS,
    )
    assert [(each.event_id, each.outcome) for each in told] == [
        ("in", "done"),
        ("stopped", "stopped"),
        ("open", "let"),
    ]


def test_an_attack_is_one_line_and_pushes_nothing_off():
    """Hundreds of guesses from as many devices are one line with their number; payments never fall together."""
    guesses = [
        seen(f"g{number}", number * MINUTE_MS, status="failed", device=f"d{number}") for number in range(400)
    ]
    paid = [
        seen(f"p{number}", 7 * HOUR_MS, "payment", amount_minor=500, currency="IDR") for number in range(2)
    ]
    told = lately([*guesses, *paid], at_ms=NOW_MS)
    assert [(each.event_id, each.times) for each in told] == [("g0", 400), ("p0", 1), ("p1", 1)]
    assert told[0].since_ms == NOW_MS - 399 * MINUTE_MS
    assert [(each.has_moved, each.amount_minor) for each in told] == [(False, 0), (True, 500), (True, 500)]
    many = [seen(f"m{number}", number * MINUTE_MS, "withdrawal") for number in range(100)]
    assert len(lately(many, at_ms=NOW_MS)) == SHOWN_MAX


def test_what_staff_and_programs_did_and_what_is_old_is_not_in_it():
    """Neither a look of staff nor a session's refresh, nor anything from before the window; a first device is not a new one."""
    told = lately(
        [
            seen("look", 1, "pii_view", actor_type="staff"),
            seen("refresh", 2, "session_refresh"),
            seen("by-staff", 3, "email_change", actor_type="staff"),
            seen("new", 4, device="other"),
            seen("own", 5),
            seen("old", WINDOW_MS + 1),
        ],
        at_ms=NOW_MS,
    )
    assert [(each.event_id, each.is_new_device) for each in told] == [("new", True), ("own", False)]
    assert [each.is_new_device for each in lately([seen("first", 1)], at_ms=NOW_MS)] == [False]


@pytest.mark.parametrize(
    "before",
    [
        [seen("try", MINUTE_MS + 9_000, status="attempted", device="other")],
        [seen("try", MINUTE_MS + 9_000, status="attempted", device="other", decision="challenge")],
        [seen(f"guess-{n}", MINUTE_MS + n, status="failed", device="other") for n in range(1, 9)],
        [seen("once", 3 * DAY_MS, status="attempted", device="other", decision="deny")],
    ],
)
def test_a_device_is_new_when_it_first_gets_in_and_not_when_it_first_tries(before):
    """A stranger who was let through, asked, or wrong at first comes from a new device all the same; the second time he does not."""
    again, got_in = seen("again", 1, device="other"), seen("in", MINUTE_MS, device="other")
    own = [seen("own", 5 * DAY_MS), seen("own-try", 5 * DAY_MS + 9_000, status="attempted")]
    told = lately([again, got_in, *before, *own], at_ms=NOW_MS)
    assert [each.event_id for each in told if each.is_new_device] == ["in"]
    assert advised(got_in, *before, *own)[0] in ("asked", "new_device")


def test_a_stolen_password_is_advised_on_until_it_is_changed():
    """The newest word counts."""
    stolen = seen("in", HOUR_MS, breached=True)
    assert is_breached([stolen])
    assert not is_breached([seen("change", MINUTE_MS, "password_change"), stolen])
    assert is_breached([seen("change", MINUTE_MS, "password_change", status="failed"), stolen])


@pytest.mark.parametrize(
    ("events", "protections", "word"),
    [
        ([], [], "calm"),
        ([seen("a", MINUTE_MS)], [], "calm"),
        ([seen("a", MINUTE_MS, device="b"), seen("b", DAY_MS)], [], "new_device"),
        ([seen("a", MINUTE_MS, "payment", status="attempted", decision="challenge")], [], "money_stopped"),
        ([seen("a", MINUTE_MS, status="attempted", decision="challenge")], [], "asked"),
        ([seen("a", MINUTE_MS, "email_change")], [], "way_changed"),
        ([seen("a", 4 * DAY_MS, "email_change")], [], "calm"),
        ([seen(str(n), MINUTE_MS, status="failed") for n in range(3)], [], "guessing"),
        ([], [Protection("freeze", "takeover")], "frozen"),
        ([], [Protection("step_up", "data_breach")], "data_breach"),
        ([], [Protection("notify_only", "phishing")], "impostors"),
        ([], [Protection("unlink", "linked_identity_breach")], "provider"),
    ],
)
def test_the_most_urgent_advice_comes_first(events, protections, word):
    """By what happened and by what is in force."""
    assert advised(*events, protections=protections)[0] == word


def test_advice_is_little():
    """Three pieces, however much happens at once."""
    everything = advised(
        seen("a", 1, "payment", status="attempted", decision="deny"),
        seen("b", 2, "email_change"),
        seen("c", 3, device="x"),
        seen("d", DAY_MS),
        protections=[Protection("freeze", "data_breach")],
        is_breached=True,
        is_reached=True,
    )
    assert everything == ["frozen", "money_stopped", "way_changed"]
    assert len(everything) == SAID_MAX
    assert advised(is_breached=True, is_reached=True) == ["breached", "reached"]
    assert advised(told_ms=NOW_MS - 29 * DAY_MS) == ["noticed"]
    assert advised(told_ms=NOW_MS - 31 * DAY_MS) == ["calm"]


def test_a_number_on_another_sim_is_advised_on_and_told_by_the_server_alone():
    """What the operator said is believed of the actor that asks it, for three days."""
    moved = seen("sim-1", HOUR_MS, "custom", actor_type="service", changed="sim")
    claimed = seen("said", HOUR_MS, "custom", changed="sim")
    assert (new_sim_ms([moved]), new_sim_ms([claimed]), lately([moved], at_ms=NOW_MS)) == (moved.at_ms, 0, [])
    told = {"protections": (), "is_breached": False, "is_reached": False, "at_ms": NOW_MS}
    assert counsel([], new_sim_ms=moved.at_ms, **told) == ["new_sim"]
    assert counsel([], new_sim_ms=NOW_MS - 3 * DAY_MS, **told) == ["calm"]
