"""Kill -9 under load, again and again: no answered decision is lost, none is answered twice differently.

A real ``serve`` process takes single decisions and batches from several clients at once and is killed at a random
moment; the next round starts it on the same store. After each restart every event that was answered is sent again and
must hear the same bytes. Events that were sent and not answered may be recorded or not; they are sent again too, and
what they hear then holds from there on. At the end the state must be that of a fresh engine fed the log in its order:
the recorded decisions, and those of a probe that reads much of the state, are the same.

On SQLite always; on PostgreSQL where ``SHOPWARD_TEST_POSTGRES`` gives a scratch database.
"""

import http.client
import json
import os
import random
import threading
import time
import uuid

import pytest

from serving import POLICY, Server, event
from shopward.access import open_token_key
from shopward.adapters.snapshots import NoSnapshots
from shopward.adapters.sql import SqlEventLog
from shopward.config import Settings
from shopward.events import FactsMaker, Tokeniser
from shopward.flows.decide import DecisionDesk
from shopward.flows.engine import Engine
from shopward.risk.policy import Policy, load_policy
from shopward.service import Shopward
from shopward.values import SystemClock

ROUNDS = int(os.environ.get("SHOPWARD_TEST_KILLS", "15"))
POSTGRES = os.environ.get("SHOPWARD_TEST_POSTGRES", "")
SINGLES, BATCHES, BATCH_LINES = 4, 1, 60


def story_event(rng, number):
    """Failed logins and payments of few users, so that counters and sums matter at once."""
    user = {"id": f"u{rng.randrange(5)}"}
    if rng.random() < 0.5:
        return event(
            number,
            status=rng.choice(("failed", "succeeded")),
            user=user,
            context={"device_id": f"d{rng.randrange(4)}"},
        )
    money = {"id": f"t{number}", "amount_minor": rng.randrange(900_000), "currency": "IDR"}
    return event(number, type="payment", status="attempted", user=user, transaction=money)


class Load:
    """Clients that send until the server is gone; knows what was sent and what was answered."""

    def __init__(self, rng, first):
        self._rng = rng
        self._lock = threading.Lock()
        self._next = first
        self.sent = {}
        self.answered = {}
        self.wrong = []

    def take(self, count):
        """The next events."""
        with self._lock:
            numbers = range(self._next, self._next + count)
            self._next += count
            made = [story_event(self._rng, number) for number in numbers]
            for each in made:
                self.sent[each["id"]] = each
            return made

    @property
    def next(self):
        """The number of the next event."""
        return self._next

    def heard(self, events, lines):
        """What came back for these events."""
        for each, line in zip(events, lines, strict=False):
            answer = json.loads(line)
            if answer.get("event_id") == each["id"]:
                self.answered[each["id"]] = line
            elif answer.get("status") != 503:
                self.wrong.append(answer)

    def client(self, server, lines):
        """One client's life: single decisions, or batches of so many lines."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        path, kind = (
            ("/v1/decisions/batch", "application/x-ndjson")
            if lines
            else ("/v1/decisions", "application/json")
        )
        head = {"Authorization": f"Bearer {server.key}", "Content-Type": kind}
        try:
            while True:
                events = self.take(lines or 1)
                body = "\n".join(map(json.dumps, events)).encode()
                connection.request("POST", path, body, head)
                answer = connection.getresponse()
                self._read(answer, events)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def _read(self, answer, events):
        """Whole lines count as answered, those of a cut answer too; a line without its end does not."""
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut:
            self.heard(events, cut.partial.split(b"\n")[:-1])
            raise
        self.heard(events, body.splitlines())


def killed_round(server, load, rng):
    """Load, and a kill somewhere in it."""
    clients = [threading.Thread(target=load.client, args=(server, 0)) for _ in range(SINGLES)]
    clients += [threading.Thread(target=load.client, args=(server, BATCH_LINES)) for _ in range(BATCHES)]
    for client in clients:
        client.start()
    time.sleep(rng.uniform(0.02, 0.4))
    server.kill()
    for client in clients:
        client.join(timeout=120)
        assert not client.is_alive()


def resent(server, events):
    """The answers to events sent again, by id."""
    heard = {}
    for start in range(0, len(events), 1000):
        part = events[start : start + 1000]
        status, body = server.post(
            "/v1/decisions/batch", "\n".join(map(json.dumps, part)).encode(), "application/x-ndjson"
        )
        assert status == 200
        for each, line in zip(part, body.splitlines(), strict=True):
            heard[each["id"]] = line
    return heard


def desk_of(log, data, tmp_path, *, sent=()):
    """An uninterrupted desk: on ``log`` as it is, or on a fresh log fed what was sent in order, each beside its entry."""
    policy = Policy(load_policy(POLICY))
    maker = FactsMaker(Tokeniser(open_token_key(data, log_is_empty=False)))
    if sent:
        log = SqlEventLog.open(f"sqlite:///{tmp_path / 'fresh.db'}")
        log.claim()
    desk = DecisionDesk(
        log=log,
        engine_of=lambda recall: Engine(policy, maker, recall),
        snapshots=NoSnapshots(),
        clock=SystemClock(),
    )
    desk.rebuild()
    for start in range(0, len(sent), 100):
        part = sent[start : start + 100]
        answers = desk.decide([told for _entry, told in part])
        for (entry, _told), record in zip(part, answers, strict=True):
            assert json.loads(entry.decision) == json.loads(_encoded(record)), entry.seq
    return desk


def _encoded(record):
    import msgspec  # noqa: PLC0415

    return msgspec.json.encode(record)


STORES = [
    pytest.param("sqlite"),
    pytest.param(
        "postgres", marks=pytest.mark.skipif(not POSTGRES, reason="SHOPWARD_TEST_POSTGRES is not set")
    ),
]


def database_of(store, request):
    """A fresh store's URL; in PostgreSQL a schema of its own."""
    if store == "sqlite":
        return ""
    import psycopg  # noqa: PLC0415

    schema = "kill_" + uuid.uuid4().hex[:12]  # noqa: TID251 -- a name that no other run has
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")

    def drop():
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")

    request.addfinalizer(drop)
    return f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}options=-csearch_path%3D{schema}"


@pytest.mark.parametrize("store", STORES)
def test_no_kill_loses_or_changes_an_answer(tmp_path, request, store):
    """Fifteen kills under load, with a snapshot now and then."""
    rng = random.Random(20_260_105)
    data = tmp_path / "data"
    url = database_of(store, request)
    flags = ["--database", url] if url else []
    quick = {"SHOPWARD_SNAPSHOT_EVENTS": "200", "SHOPWARD_GROUP_MAX": "64"}
    known, everything, key, first = {}, {}, "", 1
    for _round in range(ROUNDS):
        server = Server(data, *flags, environment=quick, key=key).start()
        key = server.key
        load = Load(rng, first)
        killed_round(server, load, rng)
        assert not load.wrong
        first = load.next
        everything |= load.sent
        known |= load.answered

        server = Server(data, *flags, environment=quick, key=key).start()
        heard = resent(server, [everything[name] for name in sorted(known)])
        assert heard == known  # byte for byte
        known |= resent(server, [each for name, each in sorted(load.sent.items()) if name not in known])
        server.kill()
    assert len(known) == len(everything)
    assert len(known) > 20 * ROUNDS

    with Server(data, *flags, environment=quick, key=key) as server:
        probe = [story_event(random.Random(7), first + index) for index in range(200)]
        after = resent(server, probe)
    entries, told = [], []
    with Shopward.open(Settings(data=str(data), database=url, policy=str(POLICY)), rebuild=False) as shop:
        while page := shop.log.read(after_seq=len(entries), limit=1000):
            entries += page
            told += shop.vault.history.told(page)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) == len({entry.event_id for entry in entries}) == len(everything) + len(probe)

    sent = list(zip(entries, told, strict=True))
    desk = desk_of(None, data, tmp_path, sent=sent[: -len(probe)])
    answers = desk.decide(told[-len(probe) :])
    assert {record.event_id: record.decision for record in answers} == {
        name: json.loads(line)["decision"] for name, line in after.items()
    }
    assert [round(record.score, 6) for record in answers] == [
        round(json.loads(after[record.event_id])["score"], 6) for record in answers
    ]
    desk.log.close()
