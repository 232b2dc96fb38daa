"""What the law asks, rule by rule: by when, from which clock, under which threshold; a new rule is a case here."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopward.errors import ShopwardError
from shopward.incidents import Facts, Incident, obligations, shipped_rules, steps
from shopward.incidents.drafts import as_html, draft, texts
from shopward.incidents.incident import Task
from shopward.incidents.law import load_rules
from shopward.values import DAY_MS, HOUR_MS, from_ms, to_ms

RULES = shipped_rules()
MONDAY = to_ms(datetime(2026, 3, 2, 2, tzinfo=UTC))
WHO = {"by": "dewi", "now_ms": MONDAY}


def incident(**facts):
    """An incident with these facts, known on Monday."""
    return Incident(
        id="inc-1", title="Leak", kind="data_leak", severity="high", state="open", created_ms=MONDAY, created_by="dewi",
        facts=Facts(**facts),
    )  # fmt: skip


def at(made, **clocks):
    """With clocks set to hours after Monday."""
    for clock, hours in clocks.items():
        made = steps.clock_set(
            made,
            clock,
            at_ms=MONDAY + hours * HOUR_MS,
            reason="moved",
            by="dewi",
            now_ms=MONDAY + 30_000 * HOUR_MS,
        )
    return made


def owed(made, hours=1):
    """By rule, what is owed some hours after Monday."""
    return {each.rule: each for each in obligations(made, RULES, at_ms=MONDAY + hours * HOUR_MS)}


def due(made, rule):
    """When, as a text in UTC."""
    return from_ms(owed(made)[rule].due_ms).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("rule", "clocks", "facts", "when"),
    [
        ("ID-subject", {"aware": 0}, {"subjects": {"ID": 1}}, "03-05 02:00"),
        ("ID-agency", {"aware": 20, "may_have_happened": 10}, {"subjects": {"ID": 1}}, "03-05 12:00"),
        ("CN-incident-4h", {"aware": 0}, {"subjects": {"CN": 1_000_000}}, "03-02 06:00"),
        ("CN-pipl-authority", {"may_have_happened": 0}, {"subjects": {"CN": 1}}, "03-02 02:00"),
        ("EU-authority", {"aware": 0}, {"subjects": {"EU": 9}, "risk": "likely"}, "03-05 02:00"),
        ("SG-pdpc", {"harm_assessed": 0}, {"subjects": {"SG": 500}}, "03-05 15:59"),
        ("MY-commissioner", {"aware": 0}, {"subjects": {"MY": 1_001}, "harm": "none"}, "03-05 02:00"),
        (
            "PH-npc",
            {"reasonable_belief": 0, "aware": 30},
            {"subjects": {"PH": 1}, "data": ("credentials",)},
            "03-05 02:00",
        ),
        ("VN-a05", {"may_have_happened": 0}, {"subjects": {"VN": 1}}, "03-05 02:00"),
        ("TH-pdpc", {"aware": 0}, {"subjects": {"TH": 1}, "risk": "high"}, "03-05 02:00"),
    ],
)
def test_by_when(rule, clocks, facts, when):
    """Each rule from its own clock, the earliest that counts; days end in its own time zone."""
    made = at(incident(**facts), **clocks)
    assert (due(made, rule), owed(made)[rule].status) == (when, "open")


@pytest.mark.parametrize(
    ("rule", "facts", "applies"),
    [
        ("CN-incident-4h", {"subjects": {"CN": 999_999}}, False),
        ("CN-pipl-subject", {"subjects": {"CN": 1}, "avoided": True}, False),
        ("CN-pipl-authority", {"subjects": {"CN": 1}, "avoided": True}, True),
        ("EU-authority", {"subjects": {"EU": 1}, "risk": "unlikely"}, False),
        ("EU-authority", {"subjects": {"EU": 1}}, True),
        ("EU-subject", {"subjects": {"EU": 1}, "risk": "high", "encrypted": True}, False),
        ("SG-pdpc", {"subjects": {"SG": 499}, "harm": "possible"}, False),
        ("SG-pdpc", {"subjects": {"SG": 1}, "harm": "significant"}, True),
        ("MY-subject", {"subjects": {"MY": 5_000}, "harm": "possible"}, False),
        ("PH-npc", {"subjects": {"PH": 1}, "data": ("contact",), "harm": "possible"}, False),
        ("PH-npc", {"subjects": {"PH": 1}}, True),
    ],
)
def test_when_it_applies(rule, facts, applies):
    """By its threshold; what nobody said counts against us, and the inputs are shown."""
    found = owed(at(incident(**facts), aware=0, harm_assessed=0))[rule]
    assert (found.status != "not_applicable", bool(found.inputs)) == (applies, True)


def test_two_jurisdictions_are_asked_and_no_other():
    """A victim in two countries is counted in both; rules of a third are not on the list."""
    found = owed(at(incident(subjects={"ID": 3, "CN": 2}), aware=0))
    assert {each.partition("-")[0] for each in found} == {"ID", "CN"}


def test_the_way_of_a_notice():
    """Incomplete is refused; a first part of a phased one is not; late takes a reason; void opens it again."""
    made = at(incident(subjects={"ID": 1, "EU": 1}, risk="high"), aware=0)
    with pytest.raises(ShopwardError) as refused:
        steps.notice_sent(made, RULES, "ID-agency", receipt="", late_reason="", **WHO)
    assert refused.value.code == "notice_incomplete"
    made = steps.notice_sent(made, RULES, "EU-authority", receipt="r-1", late_reason="", **WHO)
    for content in ("data", "when_and_how", "measures"):
        made = steps.content_said(made, content, "id", "Nama dan alamat.", **WHO)
    late = {"by": "dewi", "now_ms": MONDAY + 73 * HOUR_MS}
    with pytest.raises(ShopwardError) as refused:
        steps.notice_sent(made, RULES, "ID-agency", receipt="r-2", late_reason="", **late)
    assert refused.value.path == "late_reason"
    made = steps.notice_sent(made, RULES, "ID-agency", receipt="r-2", late_reason="the form was down", **late)
    assert (owed(made, 74)["ID-agency"].status, owed(made, 74)["ID-subject"].status) == (
        "sent_late",
        "overdue",
    )
    made = steps.notice_void(made, "ID-agency", reason="bounced", **late)
    assert owed(made, 74)["ID-agency"].status == "overdue"


def test_one_notice_waits_for_another():
    """In Singapore customers are not told before the Commission; in Malaysia their week begins with its notice."""
    made = at(incident(subjects={"SG": 1, "MY": 1}, harm="significant"), aware=0, harm_assessed=0)
    assert (owed(made)["SG-subject"].status, owed(made)["SG-subject"].waits_for) == ("waiting", "SG-pdpc")
    assert owed(made)["MY-subject"].status == "waiting"
    for content in ("nature", "when_and_how", "cause", "subjects", "data", "impact", "measures", "next_steps", "contact",
                    "self_help"):  # fmt: skip
        made = steps.content_said(made, content, "en", "text", **WHO)
    with pytest.raises(ShopwardError) as refused:
        steps.notice_sent(made, RULES, "SG-subject", receipt="", late_reason="", **WHO)
    assert refused.value.code == "notice_too_early"
    for rule in ("SG-pdpc", "SG-subject", "MY-commissioner"):
        made = steps.notice_sent(made, RULES, rule, receipt="", late_reason="", **WHO)
    assert from_ms(owed(made)["MY-subject"].due_ms).strftime("%m-%d %H:%M") == "03-09 15:59"
    assert owed(made)["MY-commissioner"].followup_due_ms > MONDAY + 29 * DAY_MS


def test_a_clock_is_moved_with_a_reason_and_both_times_stay():
    """Who moved it stands in the record."""
    made = steps.clock_set(incident(), "aware", at_ms=MONDAY, reason="", **WHO)
    with pytest.raises(ShopwardError):
        steps.clock_set(made, "aware", at_ms=MONDAY - HOUR_MS, reason="", **WHO)
    moved = steps.clock_set(made, "aware", at_ms=MONDAY - HOUR_MS, reason="the call came earlier", **WHO)
    assert (moved.clock("aware"), len(moved.clocks), moved.clocks[1].by) == (MONDAY - HOUR_MS, 2, "dewi")


def test_it_is_closed_when_nothing_is_left():
    """Notices, tasks, vendors, cause and lessons: what is left is named."""
    made = at(incident(subjects={"TH": 1}, risk="unlikely"), aware=0)
    made = steps.task_added(made, Task("k-1", "change the keys", "analyst"), **WHO)
    made = steps.vendor_asked(made, "courier", "who read it?", next_ms=MONDAY + DAY_MS, **WHO)
    with pytest.raises(ShopwardError) as refused:
        steps.moved(made, "closed", RULES, **WHO)
    assert (
        refused.value.found == "tasks are open; a vendor is to be asked again; cause and lessons are missing"
    )
    made = steps.vendor_answered(steps.task_done(made, "k-1", **WHO), "courier", "nobody", **WHO)
    made = steps.moved(
        steps.learned(made, root_cause="a shared key", lessons="one each", **WHO), "closed", RULES, **WHO
    )
    with pytest.raises(ShopwardError) as refused:
        steps.noted(made, "one more thing", at_ms=MONDAY, **WHO)
    assert refused.value.code == "incident_closed"


def test_a_first_alert_holds_no_link():
    """In whatever form a link comes, the draft to customers is not ready."""
    made = at(incident(subjects={"ID": 1}), aware=0)
    for content in ("data", "when_and_how"):
        made = steps.content_said(made, content, "id", "Alamat pengiriman.", **WHO)
    for link in ("https://toko.example", "www.toko.example", "toko.com/masuk"):
        linked = steps.content_said(made, "measures", "id", f"Buka {link} sekarang.", **WHO)
        shown = draft(linked, RULES, "ID-subject", "id", at_ms=MONDAY)
        assert (shown.is_ready, shown.problems) == (False, ("measures: a link",))
    made = steps.content_said(made, "measures", "id", "Kami <b>menutup</b> celah.", **WHO)
    shown = draft(made, RULES, "ID-subject", "id", at_ms=MONDAY)
    assert (shown.is_ready, shown.note.startswith("Not legal advice")) == (True, True)
    assert "&lt;b&gt;menutup" in as_html(shown)


def test_every_heading_is_said_in_three_languages():
    """No content of a rule without its heading."""
    wanted = {content for rule in RULES.values() for content in rule.contents}
    assert wanted <= set(texts()["headings"])
    assert all(set(each) == {"id", "zh", "en"} for kind in texts().values() for each in kind.values())


@pytest.mark.parametrize(
    "change",
    [
        ('source = "Lembaran', 'sources = "Lembaran'),
        ('clocks = ["harm_assessed"]', 'clocks = ["somehow"]'),
        ('after = "MY-commissioner"', 'after = "MY-nobody"'),
        ('id = "ID-agency"', 'id = "ID-subject"'),
        ('zone = "Asia/Manila"', 'zone = "Asia/Atlantis"'),
        ('{ kind = "days", amount = 3 }', '{ kind = "days" }'),
    ],
)
def test_a_broken_rule_is_refused(change):
    """Without a source, with an unknown word, waiting for nobody: refused with its place."""
    text = files("shopward.incidents.law").joinpath("rules.toml").read_text("utf-8")
    assert load_rules(text) == RULES
    with pytest.raises(ShopwardError) as refused:
        load_rules(text.replace(change[0], change[1], 1))
    assert refused.value.path


@given(hours=st.integers(0, 20_000), rule=st.sampled_from([each for each in RULES.values() if each.clocks]))
def test_a_deadline_never_lies_before_its_start(hours, rule):
    """Over time zones, summer time and ends of months."""
    made = at(incident(subjects={rule.jurisdiction: 5_000_000}), **{rule.clocks[0]: hours})
    found = owed(made)[rule.id]
    assert not found.due_ms or found.due_ms >= found.started_ms
