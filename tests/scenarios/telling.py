"""A shop whose whole story is told over HTTP: its application, its mail server, its payout endpoint, its people.

Promise: every deed is a call of the API by a named person's own key, under the policy that ships, on a clock that the story moves;
mail goes to a real mail server, money to a process that pays. What it does not do: no socket to the application itself.
"""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from contextlib import contextmanager
from email import message_from_bytes, policy

import msgspec

from claims import shop as payer
from shopward.values import HOUR_MS, MINUTE_MS, to_rfc3339
from stepup.front import Front

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
PATIENCE = 1_500
PEOPLE = {
    "siti": ("analyst",), "budi": ("analyst",), "dewi": ("analyst",), "ayu": ("admin", "analyst"), "shop": ("service",),
}  # fmt: skip


@contextmanager
def paying(folder):
    """A shop that pays: its settings, and what it paid."""
    file = folder / "paid.db"
    ledger = payer.Ledger(file)
    process = subprocess.Popen([sys.executable, payer.__file__, str(file)], stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().strip()
        yield {"payout_url": f"http://127.0.0.1:{port}/payouts", "payout_secret": SECRET}, ledger
    finally:
        process.kill()
        process.wait(timeout=120)
        process.stdout.close()


class Stage(Front):
    """A shop under the policy that ships, and who works there: ``await stage.does("siti", "POST", path, body)``."""

    def __init__(self, folder, **settings):
        super().__init__(folder, **({"policy": ""} | settings))
        self._keys = {}

    async def does(self, person, method, path, body=None, *, status=0, language="en"):
        """A call by somebody; the answer, once its status is the expected one: any success where none is named."""
        if person not in self._keys:
            self._keys[person] = await self.key_for(person, *PEOPLE[person])
        headers = self._keys[person] | {"Accept-Language": language}
        if isinstance(body, list):
            headers["Content-Type"] = "application/x-ndjson"
            sent = {"content": b"\n".join(map(msgspec.json.encode, body))}
        else:
            sent = {} if body is None else {"json": body}
        answer = await self.client.request(method, path, headers=headers, **sent)
        expected = answer.status_code == status if status else answer.is_success
        assert expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def happen(self, *events):
        """What came to pass, decided event by event in one batch; the decisions."""
        sent = b"\n".join(map(msgspec.json.encode, events))
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self.client.post("/v1/decisions/batch", content=sent, headers=headers)
        made = [msgspec.json.decode(line) for line in answer.content.splitlines()]
        assert all("decision" in each for each in made), made
        return made

    async def step(self, person, incident, word, **fields):
        """One step of an incident; how it stands then."""
        return await self.does(person, "POST", f"/v1/incidents/{incident}/steps", {"step": word, **fields})

    async def until(self, path, done):
        """How something stands once what runs beside the calls is done with it."""
        for _ in range(PATIENCE):
            shown = await self.does("siti", "GET", path)
            if done(shown):
                return shown
            await asyncio.sleep(0.02)
        raise AssertionError(f"{path} stayed {shown}")

    async def tell(self, incident, rule, letters, people):
        """A mailing about an incident, made by one person and started by another; what it counted."""
        made = await self.does(
            "dewi", "POST", "/v1/notices", {"incident": incident, "rule": rule, "letters": letters}
        )
        path = f"/v1/notices/{made['id']}"
        await self.does("shop", "POST", path + "/recipients", people)
        await self.does("budi", "POST", path + "/start")
        return await self.until(path, lambda shown: shown["state"] == "done")

    async def make_whole(self, victims, lost, *, since_ms, until_ms):
        """Claims for all victims of a sealed set, filed twice as somebody does who is not sure; each is paid once."""
        losses = [{"user": user, "events": list(taken)} for user, taken in lost.items()]
        window = {"incident": victims, "since": to_rfc3339(since_ms), "until": to_rfc3339(until_ms)}
        asked = {**window, "instrument": "balance", "losses": losses}
        filed, again = [
            (await self.does("dewi", "POST", "/v1/claims/batch", asked))["filed"] for _ in range(2)
        ]
        assert {each["code"] for each in again} == {"already_claimed"}
        shown = await self.until("/v1/claims?state=paid", lambda shown: len(shown["claims"]) == len(lost))
        assert {each["id"] for each in shown["claims"]} == {each["claim"] for each in filed}
        books = (await self.does("siti", "GET", "/v1/ledger/balances"))["balances"]
        standing = {each["account"]: each["posted_minor"] for each in books}
        assert (sum(standing.values()), standing["fraud_loss:shop"]) == (0, sum(sums(lost).values()))

    def ago(self, *, hours=0, minutes=0):
        """A moment before now, as an API takes it."""
        return to_rfc3339(self.clock.at_ms - hours * HOUR_MS - minutes * MINUTE_MS)

    def letters(self):
        """Each mail that was taken: to whom, and what it says."""
        read = [message_from_bytes(each.content, policy=policy.default) for each in self.letterbox.mails]
        return [(str(each["To"]), each.get_content()) for each in read]


def sums(lost):
    """What each lost."""
    return {user: sum(taken.values()) for user, taken in lost.items()}


def was_paid(paid):
    """Whom the shop paid how much, in how many payments each."""
    assert paid.all("SELECT max(times) FROM paid") == [(1,)]
    return {each["user"]: each["amount_minor"] for each in paid.paid().values()}


def owed(shown):
    """What the law asks of an incident: the status of each rule."""
    return {each["rule"]: each["status"] for each in shown["obligations"]}


def steps_of(shown):
    """The state of each step of an incident's playbook."""
    return {each["id"]: each["state"] for each in shown["playbook"]["steps"]}


def nothing_late(shown):
    """Whether each notice that went out did so in time, and none is overdue."""
    return not [each for each in shown["obligations"] if each["status"] in ("overdue", "sent_late")]


def numbers(scope):
    """Of a scope: how many people by grade."""
    return {each["kind"]: each["users"] for each in scope["numbers"] if each["of"] == "grade"}
