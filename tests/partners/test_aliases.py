"""Virtual contact data: what a partner gets in the place of customers' numbers and addresses, and whom it leads to."""

from __future__ import annotations

import base64
import json
import urllib.request

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from partners.conftest import ADMIN
from partners.test_stories import code_of, partner
from serving import Server
from shopward.access import Caller
from shopward.cli import main
from shopward.errors import InvalidField, NotFound, QuotaReached
from shopward.http.partner_paths import EXAMPLE, partner_paths
from shopward.partners import open_page
from shopward.partners.aliases import QUARANTINE_MS, Alias, state_of
from shopward.partners.audits import DAY_MS
from shopward.vault import Write
from stores import empty_store

KEY = X25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
FIELDS = ("name", "phone_alias", "email_alias")
NUMBERS = ["+6285100000001", "+6285100000002"]
PHONES = ("081299990000", "081299990001", "081299990002")
MISSING = "Shopward-Aliases-Missing"
WHY = {"purpose": "customer_service", "case_id": "c-1"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request, tmp_path_factory):
    """A running server with three orders and a courier; no number of a customer stands in what it says of itself."""
    folder = tmp_path_factory.mktemp("aliases")
    with (
        empty_store(request.param, folder) as url,
        Server(
            folder / "data", "--database", url, policy=None, environment={"SHOPWARD_ALIAS_DOMAIN": "relay.shop.example"}
        ) as running,
    ):  # fmt: skip
        records = [
            {
                "id": f"o-{number}", "user": f"u{number}", "kind": "order", "region": "ID",
                "fields": {"name": "Surya", "phone": phone, "email": f"surya{number}@mail.example"},
            }
            for number, phone in enumerate(PHONES)
        ]  # fmt: skip
        assert running.post("/v1/vault/records", {"records": records})[0] == 201
        made = EXAMPLE | {"public_key": PUBLIC, "scope": {"delivery": list(FIELDS)}}
        assert running.post("/v1/partners", made)[0] == 201
        yield running
        said = "".join(running.out + running.err)
        assert not [value for value in (*PHONES, *NUMBERS, "mail.example") if value in said]


def page_of(server, share):
    """The rows of a pulled page, and how many aliases it says that it lacks."""
    request = urllib.request.Request(  # noqa: S310 -- our own server
        f"{server.url}/v1/partners/fast-courier/shares/{share['id']}/pages/0",
        headers={"Authorization": f"Bearer {share['token']}"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 -- our own server
        sealed, missing = answer.read(), answer.headers[MISSING]
    return open_page(KEY, "fast-courier", share["id"], 0, sealed), missing


def resolved(server, alias, **why):
    """Status and answer of a resolution."""
    status, said = server.post("/v1/partners/aliases/resolve", {"alias": alias, **(why or WHY)})
    return status, json.loads(said)


def test_a_courier_calls_through_an_alias_until_it_is_suspended(server, tmp_path, monkeypatch) -> None:
    """Numbers are imported, two of three rows get one, the relay reaches the customer by them, and each end holds at once."""
    monkeypatch.setenv("SHOPWARD_KEY", server.key)
    file = tmp_path / "numbers.txt"
    file.write_text("\n".join(NUMBERS))
    run = CliRunner().invoke
    done = run(main, ["partner", "alias", "pool", str(file), "--url", server.url])
    assert done.output.strip() == "2 new; 2 of 2 free", done.output
    asked = {"purpose": "delivery", "fields": list(FIELDS), "records": ["o-0", "o-1", "o-2"], "days": 7}
    share = json.loads(server.post("/v1/partners/fast-courier/shares", asked)[1])
    rows, missing = page_of(server, share)
    assert missing == "1"
    said = partner_paths()["/v1/partners/{id}/shares/{share}/pages/{page}"]["get"]["responses"]["200"]
    assert MISSING in said["headers"]
    assert [row.get("phone_alias") for row in rows] == [*NUMBERS, None]
    assert all(row["email_alias"].endswith("@relay.shop.example") for row in rows)
    assert not [value for value in (*PHONES, "mail.example") if value in json.dumps(rows)]
    assert page_of(server, share) == (rows, missing)
    listed = run(main, ["partner", "alias", "list", "--state", "taken", "--url", server.url]).output
    assert len(listed.splitlines()) == 5
    assert run(main, ["partner", "alias", "list", "--state", "free", "--url", server.url]).output == "none\n"
    assert resolved(server, NUMBERS[1]) == (200, {"kind": "phone", "value": PHONES[1]})
    assert resolved(server, rows[2]["email_alias"])[1]["value"] == "surya2@mail.example"
    assert resolved(server, NUMBERS[0], purpose="delivery")[0] == 422  # explained by no order
    assert resolved(server, NUMBERS[0], purpose="legal_request", case_id="c-1")[0] == 422
    assert resolved(server, "+6285100000009")[0] == 404
    counted = server.get("/metrics")[1].decode()
    assert 'shopward_alias_resolutions_total{outcome="given"} 2' in counted
    assert 'shopward_alias_resolutions_total{outcome="not_found"} 1' in counted
    assert server.post("/v1/vault/users/u1/erase", {"reason": "asked", "dry_run": False})[0] == 200
    assert resolved(server, NUMBERS[1])[1]["code"] == "alias_over"
    step = "/v1/partners/fast-courier/steps"
    assert server.post(step, {"step": "suspend", "reason": "rows for sale"})[0] == 200
    assert resolved(server, NUMBERS[0])[1]["code"] == "partner_suspended"
    assert server.post(step, {"step": "resume", "reason": "mended"})[0] == 200
    assert resolved(server, NUMBERS[0])[0] == 200
    assert server.post(f"/v1/partners/fast-courier/shares/{share['id']}/close", {})[0] == 200
    assert resolved(server, NUMBERS[0])[1]["code"] == "share_over"


def test_a_number_is_free_again_after_its_quarantine(office) -> None:
    """It goes to nobody else before; without a domain addresses stay away, and both are counted."""
    aliases = office.shop.aliases
    fields = {"order_id": "1", "name": "Surya", "phone": PHONES[0], "email": "surya@mail.example"}
    office.shop.vault.custody.put(ADMIN, [Write(f"o-{number}", f"u{number}", "", "order", fields, "ID") for number in (1, 2)])  # fmt: skip
    office.desk.register(ADMIN, partner(scope={"delivery": FIELDS}, public_key=PUBLIC))
    assert aliases.add_numbers(ADMIN, NUMBERS[:1]) == aliases.add_numbers(ADMIN, NUMBERS[:1])._replace(
        added=1
    )

    missing = []

    def pulled(record):
        share, token = office.desk.share(
            ADMIN, "courier", purpose="delivery", fields=FIELDS, records=[record], days=7
        )
        page = office.pulled("courier", share.id, 0, token)
        missing.append(page.aliases_missing)
        return open_page(KEY, "courier", share.id, 0, page.sealed)[0], share

    row, share = pulled("o-1")
    assert (row["phone_alias"], "email_alias" in row) == (NUMBERS[0], False)
    assert "phone_alias" not in pulled("o-2")[0]
    office.desk.close(ADMIN, "courier", share.id)
    office.clock.advance(QUARANTINE_MS - 1)
    assert "phone_alias" not in pulled("o-2")[0]
    office.clock.advance(1)
    assert pulled("o-2")[0]["phone_alias"] == NUMBERS[0]
    assert missing == [1, 2, 2, 1]
    office.clock.advance(8 * DAY_MS)
    assert code_of(lambda: aliases.prepare(ADMIN, NUMBERS[0], **WHY)) == "share_over"
    office.clock.advance(QUARANTINE_MS)
    office.desk.remind()
    assert aliases.listed(after="", limit=9) == [Alias(NUMBERS[0], "phone", expires_ms=aliases.listed(after="", limit=9)[0].expires_ms)]  # fmt: skip
    assert code_of(lambda: aliases.prepare(ADMIN, NUMBERS[0], **WHY)) == "alias_over"
    with pytest.raises(NotFound):
        aliases.prepare(ADMIN, NUMBERS[1], **WHY)
    assert ("alias:resolve", "share_over") in [(deed, said.get("outcome")) for deed, said in office.deeds()]


def test_the_relay_has_quotas_of_its_own(office) -> None:
    """Of one alias a day and of a partner a day, in the place of the quota of a person, and written down where they end."""
    aliases, relay = office.shop.aliases, Caller("relay-1", "relay", ("service",))
    orders = [
        Write(f"o-{number}", f"u{number}", "", "order", {"name": "Surya", "phone": phone}, "ID")
        for number, phone in enumerate(PHONES[:2])
    ]
    office.shop.vault.custody.put(ADMIN, orders)
    agreement = msgspec.structs.replace(partner().agreement, relay_day_max=21)
    office.desk.register(ADMIN, partner(scope={"delivery": FIELDS}, public_key=PUBLIC, agreement=agreement))
    aliases.add_numbers(ADMIN, NUMBERS)
    share, token = office.desk.share(
        ADMIN, "courier", purpose="delivery", fields=FIELDS, records=["o-0", "o-1"], days=7
    )
    office.pull("courier", share.id, 0, token)

    def refused(alias):
        with pytest.raises(QuotaReached) as said:
            aliases.prepare(relay, alias, **WHY)
        assert 0 < said.value.retry_after_s <= 86_400
        return said.value.code, said.value.expected

    for _ in range(20):
        resolving = aliases.prepare(relay, NUMBERS[0], **WHY)
    assert aliases.finish(relay, resolving, ["allow"]) == PHONES[0]
    assert refused(NUMBERS[0]) == ("relay_quota_reached", "at most 20 a day (UTC) by an alias")
    assert aliases.prepare(relay, NUMBERS[1], **WHY)
    assert refused(NUMBERS[1]) == ("relay_quota_reached", "at most 21 a day (UTC) by this partner")
    said = [details["outcome"] for deed, details in office.deeds() if deed == "alias:resolve"]
    assert said == ["given", "relay_quota_reached", "relay_quota_reached"]
    office.clock.advance(DAY_MS)
    office.shop.vault.erasing.forget_expired()
    assert aliases.prepare(relay, NUMBERS[0], **WHY)


def test_nobody_is_behind_the_alias_of_a_canary_or_of_an_emptied_field(office) -> None:
    """The relay that asks is refused and goes on, and the log says of neither that a value was given."""
    aliases, custody = office.shop.aliases, office.shop.vault.custody
    order = Write("o-1", "u1", "", "order", {"name": "Surya", "phone": PHONES[0]}, "ID")
    custody.put(ADMIN, [order])
    office.desk.register(ADMIN, partner(scope={"delivery": FIELDS}, public_key=PUBLIC))
    office.shop.vault.canaries.plant(ADMIN, count=1, region="ID", phones="+62851000", domain="toko.example", partner="courier")  # fmt: skip
    aliases.add_numbers(ADMIN, NUMBERS)
    share, token = office.desk.share(
        ADMIN, "courier", purpose="delivery", fields=FIELDS, records=["o-1"], days=7
    )
    rows = open_page(KEY, "courier", share.id, 0, office.pull("courier", share.id, 0, token))
    given = {row["id"] == "o-1": row["phone_alias"] for row in rows}

    def reached(alias):
        resolving = aliases.prepare(ADMIN, alias, **WHY)
        said = [office.shop.decide(event).decision for event in resolving.pending.events]
        return aliases.finish(ADMIN, resolving, said)

    assert code_of(lambda: reached(given[False])) == "alias_over"
    assert office.shop.vault.guard.locks() == []
    assert reached(given[True]) == PHONES[0]
    custody.put(ADMIN, [order._replace(values={"name": "Surya"})])
    assert code_of(lambda: reached(given[True])) == "alias_over"
    said = [details["outcome"] for deed, details in office.deeds() if deed == "alias:resolve"]
    assert said == ["alias_over", "given", "alias_over"]


def test_what_is_no_number_and_no_record_has_no_alias(office) -> None:
    """A pool takes numbers alone; rows of the shop's own have no aliases."""
    office.desk.register(ADMIN, partner(scope={"delivery": FIELDS}, public_key=PUBLIC))
    with pytest.raises(InvalidField):
        office.shop.aliases.add_numbers(ADMIN, ["0851"])
    rows = [{"id": "o-1", "phone_alias": "x"}]
    with pytest.raises(InvalidField):
        office.desk.share(ADMIN, "courier", purpose="delivery", fields=("phone_alias",), rows=rows, days=1)


def test_an_alias_is_taken_kept_back_and_free_by_its_times() -> None:
    """The end of the share begins the quarantine."""
    alias = Alias(NUMBERS[0], "phone", "courier", "sh-1", "o-1", "t", "phone", 10)
    assert [state_of(alias, now) for now in (9, 10, 9 + QUARANTINE_MS, 10 + QUARANTINE_MS)] == ["taken", "quarantine", "quarantine", "free"]  # fmt: skip
    assert state_of(Alias(NUMBERS[0], "phone"), 0) == "free"
