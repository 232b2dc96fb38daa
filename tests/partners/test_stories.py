"""Stories of partners, on both databases."""

from __future__ import annotations

import base64
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from partners.conftest import ADMIN
from shopward.errors import Conflict, InvalidField, NotFound, Refused
from shopward.leaks.channels import read
from shopward.partners import Agreement, AuditPlan, Contact, Partner, open_page
from shopward.partners.audits import DAY_MS

KEY = X25519PrivateKey.generate()
ROWS = [{"id": f"o-{number}", "name": f"Pembeli {number}", "phone": f"0812{number:08}", "address": f"Jl. Melati No. {number}, RT 1/RW 2"} for number in range(450)]  # fmt: skip
FIELDS = ("name", "phone", "address")


def partner(name="courier", **changes):
    """A courier with a scope for delivery."""
    made = {
        "id": name, "name": "Courier", "kind": "courier", "agreement": Agreement("C-1", "2026-01-01", "2026-12-31"),
        "scope": {"delivery": FIELDS}, "duties": ("delete after delivery",), "audit": AuditPlan(180, "2026-05-01"),
        "contact": Contact("security desk", "sec@courier.example"),
        "public_key": base64.b64encode(KEY.public_key().public_bytes_raw()).decode(),
    }  # fmt: skip
    return Partner(**made | changes)


def shared(office, rows=ROWS, days=7):
    """A registered courier's share and its token."""
    office.desk.register(ADMIN, partner())
    return office.desk.share(ADMIN, "courier", purpose="delivery", fields=FIELDS, rows=rows, days=days)


def code_of(call):
    """The code of a refusal."""
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_a_partner_gets_its_rows_marked_and_sealed(office) -> None:
    """All pages open with the private key, say the same, carry the partner's marks, and stand in clear nowhere."""
    share, token = shared(office)
    assert share.pages == 3
    rows = []
    for page in range(share.pages):
        sealed = office.pull("courier", share.id, page, token)
        assert b"Pembeli" not in sealed
        rows += open_page(KEY, "courier", share.id, page, sealed)
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert all(
        bit == office.marks.bit("courier", f"{row['id']}/{name}")
        for row in rows
        for name, bit in read(row).items()
    )
    assert sum(len(read(row)) for row in rows) > 1_000
    assert [details["outcome"] for deed, details in office.deeds() if deed == "share:pull"] == ["given"] * 3


def test_a_suspension_ends_a_download_in_its_middle(office) -> None:
    """Page one is given, the next is refused with a code and audited, and after the resumption it goes on."""
    share, token = shared(office)
    office.pull("courier", share.id, 0, token)
    office.desk.suspend(ADMIN, "courier", "rows found for sale")
    assert code_of(lambda: office.pull("courier", share.id, 1, token)) == "partner_suspended"
    assert ("share:pull", "partner_suspended") in [
        (deed, details.get("outcome")) for deed, details in office.deeds()
    ]
    assert code_of(lambda: office.desk.share(ADMIN, "courier", purpose="delivery", fields=FIELDS, rows=ROWS[:1], days=1)) == "partner_suspended"  # fmt: skip
    office.desk.resume(ADMIN, "courier", "mended")
    assert office.pull("courier", share.id, 1, token)


def test_no_page_leaves_after_a_suspension_was_answered(office) -> None:
    """Whoever pulls as fast as they can while it happens gets pages before it and none after."""
    share, token = shared(office)
    answered, late, go_on = threading.Event(), [], True

    def pull():
        while go_on:
            was_answered = answered.is_set()
            try:
                office.pull("courier", share.id, 0, token)
            except Refused:
                continue
            if was_answered:
                late.append(True)

    pullers = [threading.Thread(target=pull) for _ in range(3)]
    for each in pullers:
        each.start()
    office.desk.suspend(ADMIN, "courier", "now")
    answered.set()
    for _ in range(5):
        assert code_of(lambda: office.pull("courier", share.id, 0, token)) == "partner_suspended"
    go_on = False
    for each in pullers:
        each.join()
    assert late == []


def test_a_share_ends_with_its_days_and_its_pages_go(office) -> None:
    """After its days it is over, and the sealed pages are deleted with the next look."""
    share, token = shared(office, days=2)
    office.clock.advance(2 * DAY_MS)
    assert code_of(lambda: office.pull("courier", share.id, 0, token)) == "share_over"
    office.desk.remind()
    assert office.records.read(lambda each: office.desk._store.page(each, share.id, 0)) is None


def test_a_share_that_was_closed_is_over(office) -> None:
    """Its pages are gone at once."""
    share, token = shared(office)
    office.desk.close(ADMIN, "courier", share.id)
    assert code_of(lambda: office.pull("courier", share.id, 0, token)) == "share_over"


def test_a_wrong_token_and_no_share_look_the_same(office) -> None:
    """Nobody learns which shares exist, and one partner's token opens nothing of another's."""
    share, token = shared(office)
    office.desk.register(ADMIN, partner("other"))
    for partner_id, share_id, given in (("courier", share.id, token + "x"), ("courier", "sh-none", token), ("other", share.id, token), ("nobody", share.id, token)):  # fmt: skip
        with pytest.raises(NotFound) as missing:
            office.pull(partner_id, share_id, 0, given)
        assert missing.value.message == "no such share"


def test_an_audit_that_was_not_passed_suspends(office) -> None:
    """The next audit is counted from that day, and a passed one later does not lift it by itself."""
    office.desk.register(ADMIN, partner())
    held = office.desk.audited(ADMIN, "courier", "2026-06-01", passed=False)
    assert (held.state, held.audit.last_on) == ("suspended", "2026-06-01")
    assert office.desk.audited(ADMIN, "courier", "2026-06-02", passed=True).state == "suspended"


def test_the_shop_is_reminded_of_audits_once(office) -> None:
    """Thirty days before, and not again on the same day; the next comes at seven."""
    office.desk.register(ADMIN, partner())
    assert office.desk.remind() == 0
    told = []
    for _ in range(170):
        office.clock.advance(DAY_MS)
        told.append(office.desk.remind())
        assert office.desk.remind() == 0
    assert sum(told) == 3 + 3


def test_what_is_taken_ended_or_unknown_is_refused(office) -> None:
    """An id is registered once, an end is for good, and a preset binds."""
    office.desk.register(ADMIN, partner())
    with pytest.raises(Conflict):
        office.desk.register(ADMIN, partner())
    office.desk.end(ADMIN, "courier", "over")
    with pytest.raises(Conflict):
        office.desk.resume(ADMIN, "courier", "again")
    with pytest.raises(NotFound):
        office.desk.suspend(ADMIN, "nobody", "x")
    with pytest.raises(InvalidField):
        office.desk.register(ADMIN, partner("other", preset="taobao", scope={"call": FIELDS}))
