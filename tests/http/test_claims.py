"""Claims over HTTP: filed by the shop, decided by people, read in three languages."""

import pytest

from claims.account import past, theft
from shopward.claims.claim import PlatformEvidence, Reason, State, StopReason
from shopward.claims.wording import texts
from shopward.values import SystemClock


async def attacked(client):
    """An account with a past, and what a stranger took."""
    now = SystemClock().now_ms()
    for each in past(now) + theft(now):
        assert (await client.post("/v1/decisions", json=each)).status_code == 200


def test_from_the_form_to_the_payout(world):
    """Drafted, sent in, approved by itself, paid by hand since the shop has no endpoint; the list finds it."""

    async def story(client, _world):
        await attacked(client)
        draft = (await client.post("/v1/claims", json={"user": "anna"})).json()
        events = [item["event_id"] for item in draft["items"] if "stolen" in item["event_id"]]
        path = f"/v1/claims/{draft['id']}"
        made = (await client.post(path + "/submit", json={"events": events})).json()
        assert (made["state"], made["amounts"]) == (
            "approved",
            [{"currency": "IDR", "claimed_minor": 500_000_00, "borne_minor": 500_000_00, "paid_minor": 0}],
        )
        paid = await client.post(
            f"/v1/payouts/{made['payouts'][0]['id']}", json={"state": "paid", "reference": "slip 17"}
        )
        assert (paid.json()["state"], paid.json()["amounts"][0]["paid_minor"]) == ("paid", 500_000_00)
        listed = (await client.get("/v1/claims?state=paid&user=anna")).json()
        assert [(each["id"], each["user"]) for each in listed["claims"]] == [(draft["id"], "anna")]
        spoken = [
            (await client.get(path, headers={"Accept-Language": each})).json()["text"]
            for each in ("id", "zh", "en")
        ]
        assert spoken == ["Sudah dibayar.", "已赔付。", "Paid."]

    world.run(story)


@pytest.mark.parametrize(
    ("step", "body", "code"),
    [
        ("submit", {"events": ["e-none"]}, "invalid_field"),
        ("submit", {"events": []}, "invalid_field"),
        ("submit", {"events": ["anna-own"], "notice_at": "2999-01-01T00:00:00Z"}, "invalid_field"),
        ("submit", {"events": ["anna-own"], "instrument": "cash"}, "unknown_word"),
        ("approve", None, "claim_state"),
        ("confirm", None, "claim_state"),
        ("appeal", None, "claim_state"),
        ("clock", {"stop": "tired"}, "unknown_word"),
        ("decline", {"amounts": {"anna-own": -1}, "reason": "not_disputable"}, "invalid_field"),
        ("evidence", {"event": "anna-own", "kind": "hunch", "reference": "x"}, "unknown_word"),
        ("reopen", {"reason": "x"}, "invalid_field"),
    ],
)
def test_what_cannot_be_done_is_said(world, step, body, code):
    """A draft takes none of these steps, and is a draft after each."""

    async def story(client, _world):
        await attacked(client)
        path = f"/v1/claims/{(await client.post('/v1/claims', json={'user': 'anna'})).json()['id']}"
        answer = await client.post(f"{path}/{step}", **({} if body is None else {"json": body}))
        assert answer.json()["code"] == code
        assert (await client.get(path)).json()["state"] == "draft"
        assert (await client.post("/v1/claims", json={"user": "anna", "regime": "none"})).status_code == 404
        assert (await client.get("/v1/claims?state=lost")).status_code == 422

    world.run(story)


def test_every_word_is_said_in_three_languages():
    """No state, reason or stop without its sentence, and no sentence without its word."""
    from typing import get_args  # noqa: PLC0415 -- only here

    closed = {"states": get_args(State), "reasons": get_args(Reason), "stops": get_args(StopReason)}
    assert {kind: set(words) for kind, words in texts().items()} == {
        kind: set(words) for kind, words in closed.items()
    }
    assert all(set(said) == {"id", "zh", "en"} for words in texts().values() for said in words.values())
    assert set(get_args(PlatformEvidence)) == {
        "strong_authentication_by_owner", "device_binding", "customer_admission", "first_party_pattern",
    }  # fmt: skip
