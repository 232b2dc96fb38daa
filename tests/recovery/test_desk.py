"""Customer service and recoveries: a list of those under way, and the commands, on a real server."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from protection.conftest import database  # noqa: F401 -- a fixture
from serving import Server
from shopward.cli import main
from stepup.front import Front


@pytest.fixture
def front(database, tmp_path):  # noqa: F811 -- the fixture
    """A shop on each database."""
    with Front(tmp_path / "data", database=database) as shop:
        yield shop


def test_those_under_way_are_listed_in_pages(front):
    """Newest first, each once; one customer's alone; no changes, which only the case itself shows."""

    async def story(shop):
        begun = []
        for number in range(5):
            shop.clock.advance(1_000)
            status, case = await shop.post(f"/v1/users/u{number}/freeze", {"reason": "takeover"})
            assert status == 201
            begun.append(case["id"])
        seen, before = [], ""
        while before is not None:
            page = (await shop.client.get(f"/v1/recoveries?limit=2&before={before}")).json()
            seen += [each["id"] for each in page["recoveries"]]
            before = page["next"]
        assert seen == begun[::-1]
        only = (await shop.client.get("/v1/recoveries?user=u3")).json()["recoveries"]
        assert [(each["id"], each["state"], each["next"]) for each in only] == [
            (begun[3], "frozen", "identity")
        ]
        assert (await shop.client.get("/v1/recoveries?user=nobody")).json() == {
            "recoveries": [],
            "next": None,
        }
        assert (await shop.client.get(f"/v1/recoveries?user={'u' * 129}")).status_code == 422

    front.run(story)


def test_customer_service_begins_and_looks(tmp_path, monkeypatch):
    """A dry run first; then open recoveries, listed over all pages and shown with what works and what is next."""
    monkeypatch.setattr("shopward.cli.talk.PAGE", 2)
    with Server(tmp_path / "data") as server:

        def recovery(*words):
            ended = CliRunner().invoke(
                main, ["recovery", *words, "--url", server.url], env={"SHOPWARD_KEY": server.key}
            )
            assert ended.exit_code == 0, ended.output
            return ended.output

        assert "repeat it with --yes" in recovery("begin", "u1", "--reason", "lost_device")
        assert json.loads(recovery("list", "--json")) == {"recoveries": [], "next": None}
        begun = json.loads(recovery("begin", "u1", "--reason", "lost_device", "--yes", "--json"))
        assert recovery("list", "--user", "u1").startswith(f"{begun['id']}  frozen    next identity")
        others = {
            json.loads(recovery("begin", f"u{number}", "--yes", "--json"))["id"] for number in range(2, 6)
        }
        listed = [each["id"] for each in json.loads(recovery("list", "--json"))["recoveries"]]
        assert (len(listed), set(listed)) == (5, {begun["id"], *others})
        shown = recovery("show", begun["id"], "--language", "id")
        assert "lost_device" in shown
        assert len(shown.splitlines()) == 4
