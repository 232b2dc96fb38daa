"""What waits for people, counted over both stores: open, late, and gone again when it is done."""

from claims.account import ADMIN, SERVICE, SITI, past, payment
from protection.conftest import clock, database, shop  # noqa: F401 -- fixtures
from shopward.flows.claim import Filing
from shopward.flows.complain import Complained
from shopward.flows.reports import Reported
from shopward.flows.workload import NOTHING, Standing
from shopward.incidents import Facts, steps
from shopward.values import DAY_MS, HOUR_MS


def an_incident(desk, severity):
    """An incident of that severity, which touched two people in Indonesia: the agency and they have to be told."""
    made = desk.open(SITI, title="x", kind="other", severity=severity, campaign="", began_ms=0, ended_ms=0)

    def said(incident, by, now_ms):
        known = steps.clock_set(incident, "confirmed", at_ms=now_ms, reason="seen", by=by, now_ms=now_ms)
        return steps.facts_said(known, Facts(subjects={"ID": 2}), by=by, now_ms=now_ms)

    desk.step(SITI, made.id, "facts", said)
    return made.id


def reviewed(desk, event_id):
    """A claim that a person has to decide."""
    draft = desk.draft(SERVICE, "anna", regime="full")
    return desk.submit(SERVICE, draft.id, Filing((event_id,)))


def test_what_waits_is_counted_and_what_is_late_of_it(shop, clock):  # noqa: F811
    """Incidents with their duties, claims, a complaint and a case: in time at first, late in a month, fewer when done."""
    assert shop.workload.now() == NOTHING
    paid = [payment(each, clock.now_ms() - HOUR_MS, 900_000_00) for each in ("hers", "hers-too")]
    for each in [*past(clock.now_ms()), *paid]:
        shop.decide(each)
    first, _other = an_incident(shop.incidents, "high"), an_incident(shop.incidents, "low")
    claim, waits = reviewed(shop.claims, "hers"), reviewed(shop.claims, "hers-too")
    shop.claims.stop_clock(SITI, waits.id, "waiting_for_customer")
    shop.complaints.file(SERVICE, Complained("anna", "service", "nobody answers"))
    shop.reports.take(Reported(kind="doubt", user="anna", said="not me"), "en")
    today = shop.workload.now()
    assert today.incidents == {"low": 1, "medium": 0, "high": 1, "critical": 0}
    assert (today.duties, today.claims) == (Standing(6, 0), Standing(2, 0))
    assert (today.complaints, today.cases) == (Standing(1, 0),) * 2
    clock.advance(claim.due_ms - clock.now_ms() + 1)
    assert shop.workload.now().claims == Standing(2, 1)  # the clock of the other stands
    clock.advance(60 * DAY_MS)
    late = shop.workload.now()
    assert (late.duties, late.claims) == (Standing(6, 4), Standing(2, 2))  # two duties have no deadline
    assert (late.complaints, late.cases) == (Standing(1, 1),) * 2
    shop.report_cases.sweep()
    shop.complaints.sweep()
    assert shop.workload.now() == late  # what was told to be late is late still
    shop.claims.sweep()
    shop.incidents.step(
        ADMIN, first, "exempt", lambda each, by, now: steps.exempted(each, "ID-agency", reason="told", by=by, now_ms=now)
    )  # fmt: skip
    done = shop.workload.now()
    assert (done.claims, done.duties) == (Standing(), Standing(5, 3))
