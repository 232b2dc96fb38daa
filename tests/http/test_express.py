"""The short way of a plain decision: the same answers as the long way, and nothing else takes it."""

import json
import re
import socket

import pytest

from serving import Server, event, failed_login
from shopward.flows.engine import DecisionRecord

PLAIN = b"application/json"
LONG = b"application/json; charset=utf-8"
"""Another way of writing the same content type: it sends a request the long way."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all that is said over a socket."""
    with Server(tmp_path_factory.mktemp("express") / "data") as running:
        yield running


def request(server, body, content_type=PLAIN, *, version=b"1.1", path=b"/v1/decisions", more=b""):
    """The bytes of a POST; ``more`` is header lines."""
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    return (
        b"POST %b HTTP/%b\r\nHost: shop\r\nAuthorization: Bearer %b\r\nContent-Type: %b\r\nX-Request-Id: mine\r\n"
        b"%bContent-Length: %d\r\n\r\n%b"
    ) % (path, version, server.key.encode(), content_type, more, len(body), body)  # fmt: skip


def connected(server):
    """A connection."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def answers(client, count):
    """So many whole answers of a connection, without the date that each was given at."""
    held, found = b"", []
    while len(found) < count:
        head, end, rest = held.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if not end or len(rest) < int(length[1]):
            part = client.recv(65_536)
            assert part, f"the connection ended after {len(found)} answers"
            held += part
            continue
        size = int(length[1])
        found.append(re.sub(rb"date: [^\r]*\r\n", b"", head) + end + rest[:size])
        held = rest[size:]
    assert held == b""
    return found


def test_both_ways_give_the_same_bytes(server):
    """Allowed, challenged, repeated, refused by the gate, refused before it: head and body are equal but for the date."""
    for number in range(1, 4):
        server.decide(failed_login(number))
    bodies = [
        event(1_000),
        failed_login(4),
        event(1_000, user={"id": "another"}),
        event(1_001, time="2999-01-01T00:00:00Z"),
        event(1_002, type="nonsense"),
        b"{",
    ]
    with connected(server) as client:
        for body in bodies:
            for more in (b"", b"Accept-Language: zh\r\n", b"Connection: keep-alive\r\n"):
                client.sendall(request(server, body, more=more))
                (short,) = answers(client, 1)
                client.sendall(request(server, body, LONG, more=more))
                (long,) = answers(client, 1)
                assert short == long
                assert b"x-request-id: mine" in short


def test_a_body_in_pieces_and_requests_behind_each_other_are_answered_in_order(server):
    """A head alone first, a body cut in two, and a dozen requests in one packet, short and long ones mixed."""
    with connected(server) as client:
        whole = request(server, event(2_000))
        for at in (10, whole.index(b"\r\n\r\n") + 4, len(whole) - 5):
            client.sendall(whole[:at])
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(60)
            client.sendall(whole[at:])
            assert b'"event_id":"e-2000"' in answers(client, 1)[0]
        client.sendall(
            b"".join(
                request(server, event(2_001 + number), LONG if number % 3 == 1 else PLAIN)
                for number in range(12)
            )
        )
        for number, answer in enumerate(answers(client, 12)):
            assert b'"event_id":"e-%d"' % (2_001 + number) in answer


def test_a_connection_ends_when_the_client_asked_for_it(server):
    """``Connection: close`` and HTTP/1.0: one answer, then the end."""
    for number, said in enumerate((
        request(server, event(3_000), more=b"Connection: close\r\n"),
        request(server, event(3_001), version=b"1.0"),
    )):  # fmt: skip
        with connected(server) as client:
            client.sendall(said)
            (answer,) = answers(client, 1)
            assert b'"event_id":"e-%d"' % (3_000 + number) in answer
            assert client.recv(1) == b""


def test_who_leaves_before_the_answer_spoils_nothing(server):
    """The event is recorded all the same, and the server answers others."""
    for number in range(20):
        client = connected(server)
        client.sendall(request(server, event(4_000 + number)))
        client.close()
    assert server.decide(event(4_100))[0] == 200
    assert all(server.decide(event(4_000 + number))[0] == 200 for number in range(20))
    assert server.get("/healthz")[0] == 200


def test_a_fault_of_ours_is_answered(small_world):
    """Where the texts of a decision cannot be made the client hears so, and nothing stays under way."""

    async def story(_client, world):
        express = world.application.express
        headers = [(b"authorization", f"Bearer {world.key}".encode()), (b"content-type", PLAIN)]
        express._wording = None
        for number in range(2 * world.settings.requests_max):
            taken = express.take(headers, json.dumps(event(number)).encode())
            await taken.heard
            assert isinstance(express.settle(taken), AttributeError)

    small_world.run(story)


def test_what_is_not_plain_is_not_taken(small_world):
    """Another key, type or size, an idempotency key, a bad event, no room: none of it reaches the gate by the short way."""

    async def story(_client, world):
        express, gate = world.application.express, world.application.gate
        key, body = f"Bearer {world.key}".encode(), json.dumps(event(1)).encode()
        plain = [(b"authorization", key), (b"content-type", PLAIN)]
        taken = express.take(plain, body)
        assert isinstance((await taken.heard)[0], DecisionRecord)
        assert b'"event_id":"e-1"' in express.settle(taken)
        before = gate.seq
        for headers, said in (
            ([(b"content-type", PLAIN)], body),
            ([(b"authorization", key + b"x"), (b"content-type", PLAIN)], body),
            ([(b"authorization", key), (b"content-type", LONG)], body),
            ([*plain, (b"idempotency-key", b"k")], body),
            (plain, b"{"),
            (plain, body + b" " * 2_000),
        ):
            assert express.take(headers, said) is None
        full = [
            express.take(plain, json.dumps(event(number)).encode())
            for number in range(2, 3 + world.settings.requests_max)
        ]
        assert full[-1] is None
        for each in full[:-1]:
            await each.heard
            express.settle(each)
        assert gate.seq == before + world.settings.requests_max
        assert express.take(plain, body) is not None

    small_world.run(story)
