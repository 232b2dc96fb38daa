"""No personal value leaves by a side door: not in logs, metrics, problems, nor in what the page shows."""

import json

from receiver import Receiver
from serving import Server, event
from walking import Walk

MARK = "zq7marked"


def marked(number, **changes):
    """An event in which every free text is marked."""
    return event(
        number,
        user={"id": f"{MARK}-user", "tokens": {"email": f"{MARK}-mail", "phone": f"{MARK}-phone"}},
        context={"ip": "203.0.113.77", "city": f"{MARK}-city", "device_id": f"{MARK}-device",
                 "user_agent": f"{MARK}-agent", "os": f"{MARK}-os", "browser": f"{MARK}-browser"},
        session={"id": f"{MARK}-session"},
        transaction={"id": f"{MARK}-t", "amount_minor": 9_999_999, "currency": "IDR", "payee_id": f"{MARK}-payee"},
        properties={"note": f"{MARK}-note"},
    ) | changes  # fmt: skip


def test_marked_values_are_in_no_log_metric_problem_or_page(tmp_path):
    """Good and bad events full of marks: everything a server writes or tells others is free of them."""
    seen = []
    with Server(tmp_path / "data") as server:
        once = next(line for line in server.out if line.startswith("page: ")).split("once=")[1].strip()
        for number, status in enumerate(("succeeded", "failed", "attempted") * 3, start=1):
            assert server.decide(marked(number, type="payment", status=status))[0] == 200
        bad = [
            marked(1, status="failed"),
            marked(90, type=f"{MARK}-type"),
            marked(91, time=f"{MARK}-time"),
            marked(92, status=f"{MARK}-status"),
            marked(93, user={"id": MARK * 40}),
            marked(94, context={"ip": f"{MARK}-ip"}),
            marked(95, context={"country": f"{MARK}"}),
            marked(96, actor={"type": f"{MARK}"}),
            marked(97, transaction={"amount_minor": f"{MARK}"}),
            marked(98, properties={"note": MARK * 200}),
            marked(99, time="2999-01-01T00:00:00Z"),
        ]
        for each in bad:
            status, body = server.decide(each)
            assert 400 <= status < 500
            seen.append(body)
        lines = b"\n".join(json.dumps(each).encode() for each in bad) + f'\n{{"{MARK}'.encode()
        seen.append(server.post("/v1/decisions/batch", lines, "application/x-ndjson")[1])
        seen.append(server.post("/v1/decisions", json.dumps(marked(100)).encode(), f"{MARK}/x")[1])
        seen.append(server.post("/v1/decisions", {}, **{"Idempotency-Key": MARK + " " + MARK})[1])
        seen.append(server.post("/v1/decisions", {}, Authorization=f"Bearer {MARK}")[1])
        seen += [
            server.get(path)[1]
            for path in (f"/{MARK}", f"/v1/users/{MARK}", f"/v1/users/{MARK}-user/timeline?before={MARK}")
        ]
        seen += [
            server.get(path)[1] for path in ("/metrics", "/healthz", "/readyz", "/openapi.json", "/docs")
        ]
        seen.append(page_data(server, once))
    text = b"\n".join(seen).decode() + "".join(server.out + server.err)
    assert MARK not in text
    assert "203.0.113.77" not in text
    assert server.key not in "".join(server.out[2:] + server.err)


def test_no_call_of_the_document_lets_a_word_of_a_person_out(tmp_path):
    """Each as its examples show it, as its schema allows it, and spoiled: nothing in logs, problems, metrics or webhooks."""
    with Receiver() as receiver, Server(tmp_path / "data", policy=None) as server:
        assert server.post("/v1/webhooks", {"url": receiver.url + "/ok"})[0] == 201
        walk = Walk(server)
        walk.walk()
        metrics = server.get("/metrics")[1]
        last = json.loads(server.post("/v1/users/last-one/freeze", {"reason": "takeover"})[1])["id"]
        heard = receiver.heard(lambda got: any(last in each["body"] for each in got))
    assert len(walk.answered) == sum(map(len, walk.document["paths"].values()))
    assert sum(min(each) < 300 for each in walk.answered.values()) > len(walk.answered) // 2
    assert all(max(each) < 500 for each in walk.answered.values())
    refused = [(call, body) for call, status, body in walk.said if status >= 400]
    assert [call for call, body in refused if walk.names(body)] == []
    assert not walk.names("".join(server.out + server.err).encode())
    assert not walk.names(metrics + json.dumps(heard).encode())


def page_data(server, once):
    """What the page shows, through the link that works once."""
    import http.client  # noqa: PLC0415

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", f"/login?once={once}")
    answer = connection.getresponse()
    answer.read()
    cookie = answer.headers["set-cookie"].split(";")[0]
    connection.request("GET", "/now.json", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    body = answer.read()
    connection.close()
    assert json.loads(body)["latest"]
    return body


def test_the_log_keeps_names_only_in_the_personal_column_and_sealed(world):
    """What features replay from holds tokens alone, and what was sent is opened for a reader alone."""

    async def story(client, world):
        await client.post("/v1/decisions", json=marked(1, type="payment"))
        entry = world.shopward.log.read(after_seq=0, limit=1)[0]
        assert MARK.encode() in world.shopward.vault.history.told([entry])[0]
        for part in (entry.user_token.encode(), entry.personal, entry.decision):
            assert MARK.encode() not in part
        assert f"{MARK}-user".encode() not in entry.facts
        assert f"{MARK}-device".encode() not in entry.facts

    world.run(story)
