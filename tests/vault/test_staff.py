"""A person of staff proves that it is them before a challenged reveal is shown: over HTTP, with real factors, on a clock that stands."""

from __future__ import annotations

import base64
import random
import shutil

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from serving import POLICY
from shopward.access.keys import Caller
from shopward.conversations import Inbound
from shopward.errors import Refused
from shopward.flows.looks import RevealAsk
from shopward.http.partner_paths import EXAMPLE
from shopward.partners import open_page
from shopward.values import MINUTE_MS
from stepup.authenticator import Authenticator
from stepup.front import Front
from stepup.world import wrong
from vault.conftest import ORDER, deeds

RULES = """
[[rule]]
name = "after_sales_challenged"
description = "Looking after a sale takes a proof."
on = ["pii_view", "pii_export", "pii_search"]
when = 'access.purpose in ["after_sales", "subject_access", "customer_service", "search"]'
weight = 60
decision = "challenge"
exclude = ["sms"]
[rule.text]
id = "Perlu bukti."
zh = "需要验证。"
en = "A proof is needed."

[[rule]]
name = "fraud_denied"
description = "Nobody looks into frauds here."
on = ["pii_view"]
when = 'access.purpose == "fraud_investigation"'
weight = 90
decision = "deny"
[rule.text]
id = "Ditolak."
zh = "已拒绝。"
en = "Denied."
"""
ASK = {"records": ["o-1"], "fields": ["name", "phone"], "purpose": "after_sales", "order_id": "1001"}


class Office(Front):
    """A shop whose policy asks for a proof, with an order in its vault, an analyst and two admins."""

    def run(self, story):
        """With the persons' keys and the order made first."""

        async def told(shop):
            self.ani, self.budi = await shop.key_for("ani", "analyst"), await shop.key_for("budi", "admin")
            record = {"id": "o-1", "user": "u1", "kind": "order", "region": "ID", "fields": ORDER}
            other = record | {"id": "o-2"}
            status, _ = await shop.post("/v1/vault/records", {"records": [record, other]})
            assert status == 201
            await story(shop)

        return super().run(told)

    async def ask(self, path, body, status=200, *, key=None):
        """The JSON of an answer to a call of ani's, which has to have this status."""
        found, said = await self.post(path, body, **(key or self.ani))
        assert found == status, said
        return said

    async def app(self, person="ani"):
        """An app of ani's that an admin has confirmed."""
        begun = await self.ask(f"/v1/staff/{person}/factors", {"kind": "totp"}, 201)
        app = pyotp.TOTP(begun["secret_base32"])
        path = f"/v1/staff/{person}/factors/{begun['id']}/confirm"
        await self.ask(path, {"answer": self.code(app)}, key=self.budi)
        self.clock.advance(MINUTE_MS)
        return app, begun["id"]

    def code(self, app):
        """What the app shows now."""
        return app.at(self.clock.at_ms // 1000)

    async def passed(self, app, challenge):
        """A challenge, answered."""
        body = {"factor": "totp", "answer": self.code(app)}
        said = await self.ask(f"/v1/staff/challenges/{challenge}/verify", body)
        self.clock.advance(MINUTE_MS)
        return said


@pytest.fixture
def rules(tmp_path):
    """The test policy, with rules about reveals."""
    shutil.copytree(POLICY, tmp_path / "policy")
    (tmp_path / "policy/rules/staff.toml").write_text(RULES)
    return str(tmp_path / "policy")


@pytest.fixture
def office(rules, tmp_path):
    """On SQLite, where the database makes no difference."""
    with Office(tmp_path / "data", policy=rules) as shop:
        yield shop


def test_a_challenged_reveal_goes_through_once_for_who_proves_it(office):
    """Refused with a challenge, let through by the passed one and by nothing else, spent by it, and each step is written down."""

    async def story(shop):
        said = await shop.ask("/v1/vault/reveal", ASK, 403)  # nothing to prove it with
        assert (said["code"], "who has a factor" in said["hint"]) == ("reveal_denied", True)
        app, _ = await shop.app()
        challenged = await shop.ask("/v1/vault/reveal", ASK, 403)
        assert (challenged["code"], "Santoso" in str(challenged)) == ("reveal_challenged", False)
        proof = challenged["challenge_id"]
        asked = ASK | {"challenge_id": proof}
        assert (await shop.ask("/v1/vault/reveal", asked, 403))["code"] == "no_proof"
        path = f"/v1/staff/challenges/{proof}"
        body = {"factor": "totp", "answer": wrong(shop.code(app))}
        assert (await shop.ask(path + "/verify", body, 403))["code"] == "wrong_answer"
        right = {"factor": "totp", "answer": shop.code(app)}
        assert (await shop.ask(path + "/verify", right, 404, key=shop.budi))["code"] == "unknown_challenge"
        said = await shop.passed(app, proof)
        assert (said["state"], said["operation"], said["offered"]) == ("passed", "pii_view", ["totp"])
        (shown,) = (await shop.ask("/v1/vault/reveal", asked))["records"]
        assert shown["fields"]["name"] == ORDER["name"]
        assert (await shop.ask("/v1/vault/reveal", asked, 403))["code"] == "replayed"
        assert (await shop.ask("/v1/vault/reveal", ASK, 403))["code"] == "reveal_challenged"
        steps = ("challenge", "factor", "personal")
        assert [each for each in deeds(shop.shopward) if each.startswith(steps)] == [
            "personal:refuse", "factor:enrol", "challenge:create", "personal:refuse", "personal:refuse",
            "challenge:fail", "challenge:pass", "personal:reveal", "personal:refuse", "challenge:create",
            "personal:refuse",
        ]  # fmt: skip
        path, body = "/v1/vault/users/u1/export", {"case_id": "c-1"}
        proof = (await shop.ask(path, body, 403))["challenge_id"]
        await shop.passed(app, proof)
        assert len((await shop.ask(path, body | {"challenge_id": proof}))["records"]) == 2
        assert (await shop.ask(path, body | {"challenge_id": proof}, 403))["code"] == "replayed"

    office.run(story)


def test_a_proof_holds_for_that_very_ask_and_not_for_long(office):
    """Another purpose, case, record, list of fields or person hears no, an expired proof too, and a denial stands."""

    async def story(shop):
        app, _ = await shop.app()
        proof = (await shop.ask("/v1/vault/reveal", ASK, 403))["challenge_id"]
        await shop.passed(app, proof)
        asked = ASK | {"challenge_id": proof}
        for change in (
            {"purpose": "delivery"}, {"order_id": "1002"}, {"case_id": "c-1"}, {"records": ["o-2"]},
            {"records": ["o-1", "o-2"]}, {"fields": ["name"]},
        ):  # fmt: skip
            assert (await shop.ask("/v1/vault/reveal", asked | change, 403))["code"] == "wrong_subject"
        assert (await shop.ask("/v1/vault/reveal", asked, 404, key=shop.budi))["code"] == "unknown_challenge"
        path = "/v1/vault/users/u1/export"
        body = {"case_id": "c-1", "challenge_id": proof}
        assert (await shop.ask(path, body, 403))["code"] == "wrong_subject"
        reveals, ani = shop.shopward.vault.reveals, Caller("ani-1", "ani", ("analyst",))
        ask = RevealAsk(("o-1",), ("name", "phone"), "after_sales", "", "1001")
        pending = reveals.prepare(ani, ask, challenge_id=proof)
        with pytest.raises(Refused, match="decision engine"):
            reveals.finish(ani, pending, ["deny"], excluded=())
        with pytest.raises(Refused) as refused:  # the threat owns her telephone by now
            reveals.finish(ani, pending, ["challenge"], excluded={"totp"})
        assert refused.value.code == "excluded_factor"
        shop.clock.advance(10 * MINUTE_MS)
        assert (await shop.ask("/v1/vault/reveal", asked, 403))["code"] == "expired"
        denied = ASK | {"purpose": "fraud_investigation", "case_id": "c-1"}
        said = await shop.ask("/v1/vault/reveal", denied, 403)
        assert (said["code"], "who has a factor" in said["hint"]) == ("reveal_denied", False)

    office.run(story)


def test_a_challenged_search_goes_through_once_for_who_proves_it(office):
    """For that very value and kind of index, shown masked, and the audit log says by which proof."""
    path, body = "/v1/vault/search", {"kind": "order", "field": "phone", "value": ORDER["phone"]}

    async def story(shop):
        assert (await shop.ask(path, body, 403))["code"] == "reveal_denied"
        app, _ = await shop.app()
        challenged = await shop.ask(path, body, 403)
        assert (challenged["code"], "o-1" in str(challenged)) == ("reveal_challenged", False)
        proof = challenged["challenge_id"]
        asked = body | {"challenge_id": proof}
        assert (await shop.ask(path, asked, 403))["code"] == "no_proof"
        assert (await shop.passed(app, proof))["operation"] == "pii_search"
        for change in ({"value": "0812-0000-0000"}, {"transform": "last4"}, {"limit": 3}):
            assert (await shop.ask(path, asked | change, 403))["code"] == "wrong_subject"
        found = (await shop.ask(path, asked))["records"]
        assert [each["fields"]["phone"] for each in found] == ["****7890", "****7890"]
        assert (await shop.ask(path, asked, 403))["code"] == "replayed"
        assert (
            deeds(shop.shopward).count("personal:search") == 4
        )  # two refused, and two lines of the one that was proved

    office.run(story)


def test_a_challenged_conversation_opens_once_for_who_proves_it(office):
    """The proof is of the conversation: what the customer writes meanwhile does not spoil it; another conversation it does not open."""

    async def story(shop):
        app, _ = await shop.app()
        hear, said = shop.shopward.conversations.hear, ("Paketnya di mana?", "Halo?", "Ada orang?")
        at_ms = shop.clock.at_ms
        assert hear([Inbound("m-0", "+6281300000000", "1122", at_ms, said[0])]) == 1
        shop.clock.advance(1_000)
        assert hear([Inbound("m-1", "+6281300000001", "1122", at_ms, said[1])]) == 1
        other, mine = (
            f"/v1/conversations/{each.id}"
            for each in shop.shopward.conversations.listed(state="", before="", limit=9)[::-1]
        )
        for each in (mine, other):
            await shop.ask(f"{each}/take", {})
        challenged = await shop.ask(f"{mine}/open", {}, 403)
        assert challenged["code"] == "reveal_challenged"
        await shop.passed(app, challenged["challenge_id"])
        proof = {"challenge_id": challenged["challenge_id"]}
        assert hear([Inbound("m-2", "+6281300000001", "1122", shop.clock.at_ms, said[2])]) == 1
        assert (await shop.ask(f"{other}/open", proof, 403))["code"] == "wrong_subject"
        opened = await shop.ask(f"{mine}/open", proof)
        assert [each["text"] for each in opened["messages"]] == [said[1], said[2]]
        assert (await shop.ask(f"{mine}/open", proof, 403))["code"] == "replayed"

    office.run(story)


def test_a_challenged_alias_leads_to_the_customer_once_for_who_proves_it(rules, tmp_path):
    """A person who calls in the place of the relay; a service has no factor, and hears no."""
    secret = X25519PrivateKey.generate()
    public = base64.b64encode(secret.public_key().public_bytes_raw()).decode()

    async def story(shop):
        app, _ = await shop.app()
        partner = EXAMPLE | {"public_key": public, "scope": {"delivery": ["name", "email_alias"]}}
        assert (await shop.post("/v1/partners", partner))[0] == 201
        wanted = {"purpose": "delivery", "fields": ["name", "email_alias"], "records": ["o-1"], "days": 7}
        _status, share = await shop.post("/v1/partners/fast-courier/shares", wanted)
        page = await shop.client.get(
            f"/v1/partners/fast-courier/shares/{share['id']}/pages/0", headers={"Authorization": f"Bearer {share['token']}"}
        )  # fmt: skip
        (row,) = open_page(secret, "fast-courier", share["id"], 0, page.content)
        path = "/v1/partners/aliases/resolve"
        body = {"alias": row["email_alias"], "purpose": "customer_service", "case_id": "c-1"}
        service = await shop.key_for("relay", "service")
        assert (await shop.ask(path, body, 403, key=service))["code"] == "reveal_denied"
        proof = (await shop.ask(path, body, 403))["challenge_id"]
        await shop.passed(app, proof)
        asked = body | {"challenge_id": proof}
        assert (await shop.ask(path, asked | {"case_id": "c-2"}, 403))["code"] == "wrong_subject"
        assert (await shop.ask(path, asked))["value"] == ORDER["email"]
        assert (await shop.ask(path, asked, 403))["code"] == "replayed"

    with Office(tmp_path / "data", policy=rules, alias_domain="relay.shop.example") as shop:
        shop.run(story)


def test_a_first_factor_takes_somebody_else_and_the_next_ones_a_proof(office):
    """A stolen key enrols nothing, not even beside a factor that comes later; what was lost an admin takes away."""
    device = Authenticator(random.Random(3))

    async def story(shop):
        path = "/v1/staff/ani/factors"
        stolen = await shop.ask(path, {"kind": "totp"}, 201)
        code = {"answer": shop.code(pyotp.TOTP(stolen["secret_base32"]))}
        assert (await shop.ask(f"{path}/{stolen['id']}/confirm", code, 403))["code"] == "role_missing"
        assert (await shop.ask("/v1/staff/budi/factors", {"kind": "totp"}, 403))["code"] == "refused"
        own = await shop.ask("/v1/staff/budi/factors", {"kind": "totp"}, 201, key=shop.budi)
        said = await shop.ask(f"/v1/staff/budi/factors/{own['id']}/confirm", code, 403, key=shop.budi)
        assert said["code"] == "second_person_needed"

        begun = await shop.ask(path, {"kind": "passkey"}, 201)
        created = {"answer": device.create(begun["options"])}
        said = await shop.ask(f"{path}/{begun['id']}/confirm", created, key=shop.budi)
        assert [each["kind"] for each in said["factors"]] == ["passkey"]
        assert (await shop.ask(f"{path}/{stolen['id']}/confirm", code, 403))["code"] == "role_missing"

        assert (await shop.ask(path, {"kind": "totp"}, 403))["code"] == "no_proof"
        asked = await shop.ask("/v1/staff/challenges", {"for": "enrol"}, 201)
        proving = f"/v1/staff/challenges/{asked['id']}"
        status, options = await shop.post(proving + "/passkey", {}, **shop.ani)
        assert status == 200
        signed = {"factor": "passkey", "answer": device.get(options["options"])}
        assert (await shop.ask(proving + "/verify", signed))["state"] == "passed"
        shop.clock.advance(MINUTE_MS)
        body = {"kind": "totp", "challenge_id": asked["id"]}
        begun = await shop.ask(path, body, 201)
        assert (await shop.ask(path, body, 403))["code"] == "replayed"
        code = {"answer": shop.code(pyotp.TOTP(begun["secret_base32"]))}
        said = await shop.ask(f"{path}/{begun['id']}/confirm", code)
        assert sorted(each["kind"] for each in said["factors"]) == ["passkey", "totp"]

        lost = {"evidence": "hr-7"}
        assert (await shop.ask(f"{path}/{begun['id']}/remove", lost, 403))["code"] == "role_missing"
        assert await shop.ask(f"{path}/{begun['id']}/remove", lost, key=shop.budi) == {"id": begun["id"]}
        assert (await shop.ask(f"{path}/{begun['id']}/remove", lost, 404, key=shop.budi))[
            "code"
        ] == "unknown_factor"
        assert (await shop.ask(f"{path}/{begun['id']}/remove", {}, 422))["path"] == "challenge_id"

    office.run(story)
