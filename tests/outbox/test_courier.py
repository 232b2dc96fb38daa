"""The bookkeeping of the telling, on both databases, on a clock that is moved: at least once, to each, by one at a time."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec
import pytest
from sqlalchemy import select

from ordering import ANNA, NOW_MS, asked
from shopward.access import Caller
from shopward.errors import Conflict, InvalidField, NotFound, Refused, StoreError
from shopward.flows.courier import KEPT_MS, Courier
from shopward.outbox.endpoints import ENDPOINTS_MAX, URL_MAX, WebhookAsked
from shopward.outbox.schedule import DEAD_AFTER_MS, TRIES
from shopward.outbox.signing import secret_bytes, signed_headers
from shopward.outbox.tables import webhook_endpoint
from shopward.values import DAY_MS, MINUTE_MS, to_ms

ROOT = Caller("first", "first", ("admin",))
LEASE_MS = 30_000
SHOP_URL = "https://shop.example/hooks"


def hears(shop, url=SHOP_URL, *topics):
    """A new endpoint."""
    return shop.webhooks.create(ROOT, msgspec.convert({"url": url, "topics": list(topics)}, WebhookAsked))


def courier_on(shop, seed=1):
    """One process's part."""
    return Courier(shop.webhooks._on, lease_ms=LEASE_MS, random=random.Random(seed))


def told(courier, code="http_204"):
    """Everything that is due, sent with this outcome; endpoint and message of each try."""
    tries = []
    for endpoint_id in courier.due():
        while (parcel := courier.lease(endpoint_id)) is not None:
            tries += [(endpoint_id, letter.message_id) for letter in parcel.letters]
            courier.settle(parcel, [code] * len(parcel.letters))
    return tries


def states(shop, endpoint_id):
    """How many deliveries are in which state."""
    found = shop.webhooks.deliveries(endpoint_id, state=None, before=None, limit=500)
    return Counter(each.state for each in found)


def test_each_endpoint_hears_its_topics_once(shop):
    """All of them, or those that it asked for; what is delivered is not due again."""
    everything, ends = hears(shop), hears(shop, "https://shop.example/ends", "order.ended")
    order = shop.protection.place(ANNA, asked())
    shop.protection.release(ANNA, shop.protection.place(ANNA, asked(target={"user": "u1"})).id)
    courier = courier_on(shop)
    tries = told(courier)
    assert Counter(endpoint_id for endpoint_id, _message in tries) == {everything.id: 3, ends.id: 1}
    assert courier.due() == []
    told_of = shop.webhooks.deliveries(everything.id, state="delivered", before=None, limit=9)
    assert [each.topic for each in told_of].count("order.activated") == 2
    assert order.id in {each.subject for each in told_of}


def test_a_letter_is_signed_thin_and_the_same_in_every_try(shop, clock):
    """Same id and body, the time of the try; both secrets sign while one is being replaced, and then one."""
    made = hears(shop)
    order = shop.protection.place(ANNA, asked())
    courier = courier_on(shop)
    first = courier.lease(courier.due()[0])
    courier.settle(first, ["timeout"])
    clock.advance(MINUTE_MS)
    rotated = shop.webhooks.rotate(ROOT, made.id)
    again = courier.lease(courier.due()[0])
    (letter,), (same,) = first.letters, again.letters
    assert (letter.message_id, letter.body) == (same.message_id, same.body)
    assert msgspec.json.decode(letter.body) == {
        "type": "order.activated",
        "timestamp": "2026-01-05T00:00:00.000Z",
        "data": {
            "id": order.id, "kind": "freeze", "reason": "credential_stuffing", "state": "active", "target": "everyone",
        },
    }  # fmt: skip
    secrets = [secret_bytes(rotated.secret), secret_bytes(made.secret)]
    now_s = clock.now_ms() // 1000
    known = signed_headers(secrets, message_id=same.message_id, timestamp_s=now_s, body=same.body)
    assert again.headers(same, clock.now_ms()) == known
    courier.settle(again, ["timeout"])
    clock.advance(2 * DAY_MS)
    assert courier.lease(made.id).secrets == secrets[:1]


def test_many_couriers_share_the_letters(shop):
    """Two processes' worth of threads lease at once: each letter is leased by one of them."""
    hears(shop)
    for number in range(40):
        shop.records.write(
            lambda connection, number=number: shop.outbox.owe(
                connection, at_ms=NOW_MS, topic="order.ended", subject=f"o-{number}", payload={}
            )
        )

    def work(seed):
        return [message for _endpoint, message in told(courier_on(shop, seed))]

    with ThreadPoolExecutor(4) as pool:
        seen = Counter(message for messages in pool.map(work, range(4)) for message in messages)
    assert len(seen) == 40
    assert set(seen.values()) == {1}


def test_a_process_that_dies_loses_nothing(shop, clock):
    """What it had leased is leased again when its time is over, under the same id; if it lives on, it settles nothing."""
    made = hears(shop)
    shop.protection.place(ANNA, asked())
    dies, lives = courier_on(shop), courier_on(shop, 2)
    lost = dies.lease(dies.due()[0])
    assert lives.due() == []
    clock.advance(LEASE_MS)
    again = lives.lease(lives.due()[0])
    assert [letter.message_id for letter in again.letters] == [letter.message_id for letter in lost.letters]
    dies.settle(lost, ["http_500"])
    assert states(shop, made.id) == {"pending": 1}
    lives.settle(again, ["http_204"])
    assert states(shop, made.id) == {"delivered": 1}


def test_a_receiver_that_fails_is_tried_over_days_then_kept_for_replay(shop, clock):
    """Fifteen tries, then failed, with its last word shown; replay tries it anew."""
    made = hears(shop)
    shop.protection.place(ANNA, asked())
    courier, tries = courier_on(shop), 0
    while states(shop, made.id) != {"failed": 1}:
        tries += len(told(courier, "http_503"))
        clock.advance(MINUTE_MS)
        if shown := shop.webhooks.get(made.id).next_try_at:
            clock.at_ms = max(clock.at_ms, _ms(shown))
    shown = shop.webhooks.get(made.id)
    assert (tries, shown.last_code, shown.failed, shown.state) == (TRIES, "http_503", 1, "active")
    assert clock.now_ms() - NOW_MS > 2 * DAY_MS
    assert shop.webhooks.replay(ROOT, made.id) == 1
    assert len(told(courier)) == 1
    assert (states(shop, made.id), shop.webhooks.get(made.id).failing_since) == ({"delivered": 1}, "")


@pytest.mark.parametrize("why", ["gone", "failing"])
def test_an_endpoint_that_is_gone_is_switched_off_and_said_so(shop, clock, why):
    """It is shown, audited and told to the others; what is owed meanwhile is kept, and replay brings it all back."""
    dead, well = hears(shop), hears(shop, "https://shop.example/well")
    shop.protection.place(ANNA, asked())
    courier = courier_on(shop)
    failing(courier, dead.id, "http_410" if why == "gone" else "no_connection")
    if why == "failing":
        clock.advance(DEAD_AFTER_MS)
        failing(courier, dead.id, "no_connection")
    shown = shop.webhooks.get(dead.id)
    assert (shown.state, shown.why, shown.pending) == ("off", why, 0)
    assert shop.webhooks.get(well.id).state == "active"
    shop.protection.place(ANNA, asked(ends_at="2026-02-08T00:00:00Z"))
    assert {endpoint_id for endpoint_id, _message in told(courier)} == {well.id}
    heard = shop.webhooks.deliveries(well.id, state=None, before=None, limit=9)
    assert [each.subject for each in heard if each.topic == "webhook.switched_off"] == [dead.id]
    kept = shop.webhooks.deliveries(dead.id, state="failed", before=None, limit=9)
    assert len(kept) == 3
    assert "endpoint_off" in {each.last_code for each in kept}
    assert shop.webhooks.replay(ROOT, dead.id) == 3
    assert {endpoint_id for endpoint_id, _message in told(courier)} == {dead.id}
    assert shop.webhooks.get(dead.id).state == "active"
    lines = shop.records.read(lambda connection: shop.trail.read(connection, after_seq=0, limit=99))
    steps = [line.details for line in lines if line.deed == "webhook:change" and line.subject == dead.id]
    assert steps == ['{"step":"create"}', '{"step":"switch_off"}', '{"step":"replay"}']


def failing(courier, endpoint_id, code):
    """One round of this endpoint alone that fails."""
    assert endpoint_id in courier.due()
    parcel = courier.lease(endpoint_id)
    courier.settle(parcel, [code] * len(parcel.letters))


def test_a_test_is_told_to_one(shop):
    """The others hear nothing of it."""
    one, _other = hears(shop), hears(shop, "https://shop.example/other", "order.ended")
    message_id = shop.webhooks.test(ROOT, one.id)
    assert told(courier_on(shop)) == [(one.id, message_id)]


def test_an_endpoint_that_is_removed_is_told_nothing_more(shop):
    """Not even what was on its way; its secret is gone."""
    made = hears(shop)
    shop.protection.place(ANNA, asked())
    courier = courier_on(shop)
    parcel = courier.lease(courier.due()[0])
    shop.webhooks.remove(ROOT, made.id)
    courier.settle(parcel, ["http_500"])
    assert (courier.due(), courier.lease(made.id), shop.webhooks.all()) == ([], None, [])
    for call in (shop.webhooks.get, lambda gone: shop.webhooks.remove(ROOT, gone)):
        with pytest.raises(NotFound):
            call(made.id)


def test_old_messages_are_forgotten(shop, clock):
    """After thirty days, with their deliveries; what is owed still is not."""
    made = hears(shop)
    shop.protection.place(ANNA, asked())
    courier = courier_on(shop)
    told(courier)
    clock.advance(KEPT_MS)
    shop.protection.place(ANNA, asked(ends_at="2026-02-08T00:00:00Z"))
    assert courier.forget() == 0
    clock.advance(1)
    assert courier.forget() == 1
    assert states(shop, made.id) == {}
    assert len(told(courier)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook", "ftp://shop.example/", "https://", "https:///x", "//shop.example", "shop.example",
        "https://user@shop.example/", "https://user:word@shop.example/", "https://shop.example/#a",
        "https://shop.example:0/", "https://shop.example:99999/", "https://shop.example/a b", "https://shop.example/\r\nx: y",
        "https://tōkyō.example/", "http://127.0.0.1.example/", "http://[::2]/", "https://[::1/", "https://a\\b/",
    ],
)  # fmt: skip
def test_a_url_that_must_not_be_called_is_refused(lite, url):
    """Clear text beyond this machine, names and passwords in it, what no parser agrees on; the URL is not repeated."""
    with pytest.raises(InvalidField) as refused:
        hears(lite, url)
    assert refused.value.code == "webhook_url"
    assert url not in str(refused.value)
    assert lite.webhooks.all() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example", "https://10.0.0.8:8443/hook?key=1", "http://localhost:9000/a", "http://127.0.0.1/",
        "http://[::1]:80/", "https://shop.example/" + "a" * (URL_MAX - 21),
    ],
)  # fmt: skip
def test_a_url_that_can_be_called_is_taken(lite, url):
    """Https anywhere, http on this machine."""
    assert hears(lite, url).url == url


def test_secrets_lie_sealed_and_are_shown_once(shop):
    """Neither the store nor any later answer has them; a sealed one that was copied to another endpoint opens nothing."""
    one, other = hears(shop), hears(shop, "https://shop.example/other")
    rows = shop.records.read(lambda connection: connection.execute(select(webhook_endpoint)).mappings().all())
    for row in rows:
        for secret in (one.secret, other.secret):
            assert secret_bytes(secret) not in bytes(row["secret"])
            assert secret not in str(dict(row))
    assert [each.secret for each in shop.webhooks.all()] == ["", ""]
    stolen = next(row["secret"] for row in rows if row["id"] == other.id)
    table = webhook_endpoint
    shop.records.write(
        lambda connection: connection.execute(
            table.update().where(table.c.id == one.id).values(secret=stolen)
        )
    )
    with pytest.raises(StoreError):
        shop.records.read(lambda connection: shop.webhooks._on.endpoints.secrets(connection, one.id, at_ms=0))


def test_who_is_told_is_an_administrators_matter(lite):
    """An analyst and a service change nothing; a second one of a URL, and too many, are a conflict."""
    made = hears(lite)
    with pytest.raises(Conflict):
        hears(lite)
    for call in (lite.webhooks.rotate, lite.webhooks.test, lite.webhooks.replay, lite.webhooks.remove):
        with pytest.raises(Refused):
            call(ANNA, made.id)
    for number in range(ENDPOINTS_MAX - 1):
        hears(lite, f"https://shop.example/{number}")
    with pytest.raises(Conflict):
        hears(lite, "https://shop.example/one-more")


def _ms(text):
    return to_ms(datetime.fromisoformat(text))
