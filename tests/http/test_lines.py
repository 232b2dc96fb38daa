"""The shop's own lines over HTTP, from the signed webhook to the line in use again, and on the command line."""

import hmac
import json

from click.testing import CliRunner

from outbox.reading import owed
from persons import keyed
from protection.conftest import NOW_MS, clock, database  # noqa: F401 -- fixtures
from serving import Server
from shopward.cli import main

SECRET = "app-secret"  # noqa: S105 -- of this test
LINE = {"number": "+622150001234", "phone_id": "1122", "account": "9", "title": "Layanan"}


async def webhook(client, *changes):
    """What Meta sends, signed as it signs it."""
    raw = json.dumps({
        "object": "whatsapp_business_account",
        "entry": [{"id": "9", "time": NOW_MS // 1000, "changes": [{"field": field, "value": value} for field, value in changes]}],
    }).encode()  # fmt: skip
    signed = "sha256=" + hmac.digest(SECRET.encode(), raw, "sha256").hex()
    headers = {"content-type": "application/json", "x-hub-signature-256": signed}
    answer = await client.post("/channels/whatsapp", content=raw, headers=headers)
    assert answer.status_code == 200
    return answer.json()


def test_from_the_first_signal_to_the_line_in_use_again(world_in, tmp_path, database, clock):  # noqa: F811
    """Recorded once and told; a change of another shape spoils no other; condemned, explained, restored by two persons."""

    async def story(client, world):
        siti, budi = await keyed(client, "siti", "analyst"), await keyed(client, "budi", "analyst")
        shop = await keyed(client, "shop", "service")
        made = (await client.post("/v1/lines", json=LINE)).json()
        assert (made["state"], made["number"], made["is_declared"]) == ("in_order", "622150001234", True)
        one = f"/v1/lines/{made['id']}"
        assert (await client.post("/v1/lines", json=LINE, headers=siti)).status_code == 403
        pin = ("security", {"display_phone_number": "622150001234", "event": "PIN_CHANGED"})
        told = await webhook(client, ("security", {"event": 7}), pin, ("messages", {"statuses": 3}))
        assert told == {"known": 0, "unknown": 0, "signals": 1, "messages": 0, "unread": 2}
        assert (await webhook(client, pin))["signals"] == 0
        seen = (await client.get(one, headers=shop | {"Accept-Language": "id"})).json()
        assert (seen["state"], seen["two_step"], len(seen["signals"])) == ("condemned", "set_by_others", 1)
        assert seen["do"].startswith("Berurutan: lepaskan semua perangkat")
        (payload,) = [said for topic, _subject, said in owed(world.shopward) if topic == "line.changed"]
        assert payload == {
            "state": "condemned", "why": "pin_changed", "two_step": "set_by_others", "incident": seen["incident"],
        }  # fmt: skip
        incident = (await client.get(f"/v1/incidents/{seen['incident']}", headers=siti)).json()["incident"]
        assert (incident["kind"], incident["severity"]) == ("messaging_account_hijacked", "critical")
        late = {
            "work": "pin",
            "starts": "2020-01-01T00:00:00Z",
            "ends": "2020-01-02T00:00:00Z",
            "reason": "r",
        }
        assert (await client.post(one + "/tickets", json=late, headers=siti)).status_code == 422
        no = await client.post(one + "/restore", json={"reason": "r"}, headers=budi)
        assert (no.status_code, no.json()["code"]) == (409, "line_pin")
        back = await client.post(one + "/restore", json={"reason": "r", "pin_is_new": True}, headers=budi)
        assert (back.json()["state"], "incident" in back.json()) == ("in_order", False)
        shut = await client.post(one + "/condemn", json={"reason": "r"}, headers=siti)
        assert shut.json()["state"] == "condemned"
        again = await client.post(one + "/restore", json={"reason": "r", "pin_is_new": True}, headers=siti)
        assert (again.status_code, again.json()["code"]) == (403, "second_person_needed")
        assert (await client.get("/v1/lines/ln-none")).status_code == 404

    world_in(tmp_path / "data", database=database, clock=clock, whatsapp_app_secret=SECRET).run(story)


def test_a_line_on_the_command_line(tmp_path):
    """Declared, announced, condemned after a dry run, shown with what to do."""
    with Server(tmp_path / "data", policy=None) as server:

        def told(*words):
            asked = ["line", *words, "--url", server.url]
            result = CliRunner().invoke(main, asked, env={"SHOPWARD_KEY": server.key})
            assert result.exit_code == 0, result.output
            return result.output

        assert "in_order" in told("declare", "+622150001234", "--title", "Layanan")
        line_id = told("list").split()[0]
        assert "announced: pin until" in told(
            "announce", line_id, "pin", "--for", "2h", "--reason", "each quarter"
        )
        assert "nothing is changed" in told("condemn", line_id, "--reason", "r")
        assert "condemned" in told("condemn", line_id, "--reason", "r", "--yes")
        assert "Berurutan" in told("show", line_id, "--language", "id")
