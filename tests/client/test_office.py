"""What staff's own tools ask through the SDK, of a real server: done, refused, or left open, and never twice."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from client.test_calls import answered
from shopward.client import AsyncClient, Client

ROW = {
    "id": "o-1",
    "user": "u1",
    "kind": "order",
    "region": "ID",
    "fields": {"order_id": "1", "name": "Budi", "city": "Jakarta"},
}


def courier():
    """A partner as the HTTP API shows it."""
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    return {
        "id": "courier", "name": "Courier", "kind": "courier", "duties": ["delete after 30 days"],
        "agreement": {"reference": "C-1", "signed_on": "2026-01-01", "ends_on": "2099-01-01"},
        "scope": {"delivery": ["name", "address"]},
        "audit": {"every_days": 180, "last_on": "2026-01-02"}, "contact": {"role": "desk", "email": "desk@courier.example"},
        "public_key": b64encode(public).decode(),
    }  # fmt: skip


def test_a_share_goes_out_and_ends(server):
    """Registered, shared, closed; a partner that is suspended gets nothing, and the problem says so."""
    with Client(server.url, server.key, timeout_s=10) as client:
        assert not client.keep([ROW]).fault
        made = client.office.register_partner(courier())
        assert made.is_done, made.fault
        shared = client.office.share("courier", purpose="delivery", fields=["name"], days=7, records=["o-1"])
        assert shared.body["token"]
        assert client.office.close_share("courier", shared.body["id"]).is_done
        assert [each["id"] for each in client.office.partners(limit=5).body["partners"]] == ["courier"]
        assert client.office.step_partner("courier", "suspend", reason="leak").is_done
        assert client.office.partner("courier").body["state"] == "suspended"
        again = client.office.share("courier", purpose="delivery", fields=["name"], days=7, records=["o-1"])
        foreign = client.office.trace([{"name": "Nobody Known"}])
    assert (again.is_done, again.fault.code, again.fault.problem) == (False, "not_done", "partner_suspended")
    assert foreign.fault.problem == "leak_not_ours"
    assert "Nobody" not in foreign.fault.detail


def test_incidents_claims_cases_and_complaints_are_reached(server):
    """Each is opened, found in its list, taken a step, and shown."""
    with Client(server.url, server.key, timeout_s=10) as client:
        office = client.office
        client.decide({
            "id": "e-1", "type": "payment", "status": "succeeded", "time": "2026-01-05T00:00:00Z", "user": {"id": "u1"},
            "transaction": {"id": "t-1", "amount_minor": 5_000, "currency": "IDR", "instrument": "balance", "payee_id": "m1"},
        })  # fmt: skip
        opened = office.open_incident("Stuffing", "account_takeover", severity="high")
        assert opened.is_done, opened.fault
        assert len(office.incidents(limit=5).body["incidents"]) == 1
        assert office.incident(opened.body["incident"]["id"]).is_done
        assert (
            office.step_incident(opened.body["incident"]["id"], {"step": "none_such"}).fault.code
            == "not_done"
        )

        draft = office.draft_claim("u1", since="2026-01-01T00:00:00Z")
        assert draft.is_done, draft.fault
        assert office.step_claim(draft.body["id"], "withdraw").is_done
        assert office.claim(draft.body["id"]).body["state"] == "withdrawn"
        assert office.step_claim(draft.body["id"], "approve", {}).fault.problem == "claim_state"

        told = office.report("loss", user="u1", text="uang saya hilang")
        case = told.body["case_id"]
        assert office.note_case(case, "called back").is_done
        assert office.assign_case(case).is_done
        assert office.case(case).is_done
        assert len(office.cases(limit=5).body["cases"]) == 1

        filed = office.complain("u1", "service", "Mengapa ditolak?")
        assert filed.is_done, filed.fault
        assert office.step_complaint(filed.body["id"], "acknowledge").is_done
        assert office.complaint(filed.body["id"]).body["id"] == filed.body["id"]
        assert len(office.complaints(limit=5).body["complaints"]) == 1


def test_the_async_office_says_the_same(server):
    """One set of calls serves both clients."""

    async def story():
        async with AsyncClient(server.url, server.key, timeout_s=10) as client:
            made = await client.office.open_incident("Stuffing", "account_takeover")
            shown = await client.office.incident(made.body["incident"]["id"])
            return made, shown, await client.office.incident("i-none")

    made, shown, missing = asyncio.run(story())
    assert shown.body["incident"]["id"] == made.body["incident"]["id"]
    assert (missing.body, missing.fault.code, missing.fault.problem) == ({}, "not_done", "not_found")


def test_what_makes_something_is_sent_once(listen):
    """A server that says 503 is asked again for what is only looked at, and not for what would make a second one."""
    unready = answered(503, json.dumps({"code": "not_ready"}).encode())
    for ask, times in (
        (lambda office: office.open_incident("x", "leak"), 1),
        (lambda office: office.incidents(), 2),
    ):
        listener = listen(unready)
        with Client(listener.url, "sw_x", timeout_s=5) as client:
            assert ask(client.office).fault.code == "unavailable"
        assert len(listener.seen) == times


def test_what_is_no_json_is_a_fault(nobody):
    """Nothing is sent."""
    with Client(nobody, "sw_x") as client:
        assert client.office.step_incident("i-1", {"step": object()}).fault.code == "event_refused"
