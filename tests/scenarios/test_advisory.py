"""A hacked identity provider, from the news of it to the end: the story of the payment accounts, over real HTTP.

A wallet learnt that accounts of a provider were stolen and asked each customer to lower the limit of his linked account
by hand. Here one deed does it for all of them, each gets out by his own proof, and two persons end it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ordering import pays
from serving import Server

REVIEW = (datetime.now(UTC) + timedelta(days=1)).isoformat()  # noqa: TID251 -- a real server has a real clock
ADVISORY = {
    "provider": "apple", "incident": "inc-7", "review_at": REVIEW,
    "limit": {"amount_minor": 4_000, "currency": "IDR", "window_s": 86_400},
}  # fmt: skip


class Wallet:
    """A wallet's server, its staff and its customers."""

    def __init__(self, server):
        self.server = server
        self.number = 0
        self.keys = {"anna": server.key, "budi": self.key_of("budi")}

    def key_of(self, person):
        """A new key of an analyst."""
        status, made = self.post("/v1/keys", {"name": f"{person}-1", "person": person, "roles": ["analyst"]})
        assert status == 201
        return made["key"]

    def post(self, path, body, *, by=None, language="en"):
        """Status and answer of a call by somebody."""
        headers = {"Accept-Language": language}
        if by is not None:
            headers["Authorization"] = f"Bearer {self.keys[by]}"
        status, answer = self.server.post(path, body, **headers)
        return status, json.loads(answer)

    def pays(self, user, amount_minor, provider="apple"):
        """A customer pays through a linked account; the decision."""
        self.number += 1
        paid = {
            "id": f"t-{self.number}", "amount_minor": amount_minor, "currency": "IDR", "instrument": "linked",
            "payee_id": "m-1", "identity_provider": provider,
        }  # fmt: skip
        event = pays(self.number, user, transaction=paid, context={"device_id": f"phone-of-{user}"})
        return self.post("/v1/decisions", event)[1]

    def proves(self, user, decision, factor):
        """A customer passes the challenge of a decision."""
        self.number += 1
        proof = {
            "type": "challenge", "status": "succeeded", "transaction": {},
            "challenge": {"decision_id": decision["id"], "factor": factor}, "context": {"device_id": f"phone-of-{user}"},
        }  # fmt: skip
        self.post("/v1/decisions", pays(self.number, user) | proof)


@pytest.fixture
def wallet(tmp_path):
    """Siti and Dewi pay through Apple, Dewi since today and nobody declared it yet; Agus pays through Google."""
    with Server(tmp_path / "data") as server:
        story = Wallet(server)
        lines = (
            {"id": "siti", "identity_providers": ["apple"]}, {"id": "agus", "identity_providers": ["google"]},
            {"id": "dewi"},
        )  # fmt: skip
        for line in lines:
            declared = server.post("/v1/users/batch", json.dumps(line).encode(), "application/x-ndjson")
            assert json.loads(declared[1])["declared"] == 1
        yield story


def test_from_the_advisory_to_its_release(wallet):
    """The news, a dry run, one deed, what each customer sees, a way out for each, and an end by two."""
    assert wallet.pays("siti", 500)["decision"] == "allow"

    # The news. Anna looks whom it would reach; nothing is lowered yet.
    status, looked = wallet.post("/v1/advisories", ADVISORY | {"dry_run": True}, language="id")
    assert (status, looked["measured"]["count"], looked["measured"]["of"]) == (201, 1, 3)
    assert "apple" in looked["orders"][0]["explanation"]["stopped"]
    assert wallet.pays("siti", 500)["decision"] == "allow"

    # One deed: a limit on what is paid through Apple, and more proof that no mailbox of Apple's can give.
    status, placed = wallet.post("/v1/advisories", ADVISORY)
    limit, step_up = (order["id"] for order in placed["orders"])
    assert (status, [order["state"] for order in placed["orders"]]) == (201, ["active", "active"])
    assert wallet.post("/v1/advisories", ADVISORY)[1] == placed  # asking again is hearing again
    other = ADVISORY | {"limit": ADVISORY["limit"] | {"amount_minor": 99}}
    assert wallet.post("/v1/advisories", other)[1]["code"] == "idempotency_key_reused"

    # What customers see.
    assert wallet.pays("agus", 9_000, "google")["decision"] == "allow"
    drained = wallet.pays("siti", 9_000)
    assert (drained["decision"], set(drained["orders"])) == ("deny", {limit, step_up})
    assert wallet.pays("dewi", 9_000)["decision"] == "deny"  # the payment itself says that she is linked
    small = wallet.pays("siti", 2_100)
    asked = next(action for action in small["actions"] if action["type"] == "step_up")
    assert (small["decision"], {"email", "sms"} <= set(asked["exclude"])) == ("challenge", True)
    wallet.proves("siti", small, asked["factor"])
    assert wallet.pays("siti", 2_100)["decision"] == "allow"
    assert wallet.pays("siti", 2_100)["orders"] == [limit]  # the day's limit is used up

    # Siti came by, and Anna saw who she is: out of both orders, and only she.
    out = {"users": ["siti"], "cause": "staff_release", "evidence": "case-12"}
    status, done = wallet.post(f"/v1/advisories/{placed['id']}/exceptions", out)
    assert (status, [each["released"] for each in done["orders"]]) == (200, [1, 1])
    assert wallet.pays("siti", 9_000)["decision"] == "allow"
    assert wallet.pays("dewi", 9_000)["decision"] == "deny"

    # The provider mended it: Anna asks for the end, and it takes Budi to agree.
    release, approve = (f"/v1/advisories/{placed['id']}/{verb}" for verb in ("release", "approve"))
    assert wallet.post(release, {}, by="anna")[0] == 202
    assert wallet.pays("dewi", 9_000)["decision"] == "deny"
    assert wallet.post(approve, {}, by="anna")[1]["code"] == "second_person_needed"
    status, ended = wallet.post(approve, {}, by="budi")
    assert (status, [order["state"] for order in ended["orders"]]) == (200, ["cancelled", "cancelled"])
    assert wallet.pays("dewi", 9_000)["decision"] == "allow"
    assert wallet.post(release, {})[1]["code"] == "order_state"
