"""A shop in front of Shopward's HTTP API: one application on a clock that stands, a client with the first key, a mailbox."""

from __future__ import annotations

import asyncio
import re

import httpx2
from aiosmtpd.controller import Controller

from serving import POLICY
from shopward.access import open_keys
from shopward.config import Settings
from shopward.http import Application
from shopward.service import Shopward
from shopward.values import ManualClock, to_rfc3339

NOW_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
DEVICE = {"device_id": "phone-1"}
WHO = {"user": {"id": "u1"}, "context": DEVICE}


class Letterbox:
    """What a mail server was handed."""

    def __init__(self):
        self.mails = []
        self.is_busy = False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 -- aiosmtpd's name
        """Keep it, or not now."""
        if self.is_busy:
            return "451 busy"
        self.mails.append(envelope)
        return "250 taken"

    def code(self):
        """The newest code, from the origin-bound line."""
        text = self.mails[-1].content.decode()
        return re.search(r"^@shop\.example #([0-9]{8})", text, re.MULTILINE)[1]


class MailServer(Controller):
    """A mail server on a free port of this machine."""

    def __init__(self, letterbox, **more):
        super().__init__(letterbox, hostname="127.0.0.1", port=0, ready_timeout=120, **more)

    def _trigger_server(self):
        """The first connection, on the port that the system gave."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Front:
    """Runs stories: ``front.run(async function of (shop))``; each run opens and closes the data folder."""

    def __init__(self, folder, *, database="", **settings):
        self.letterbox = Letterbox()
        self.mail = MailServer(self.letterbox)
        self.clock = ManualClock(NOW_MS)
        self.folder = folder
        self.more = {"database": database, "policy": str(POLICY), "shop_domain": "shop.example"} | settings
        self.key = None
        self.number = 0
        self.secrets = {}

    def __enter__(self):
        self.mail.start()
        return self

    def __exit__(self, *_):
        self.mail.stop()

    @property
    def settings(self):
        """With the mail server's port of this moment."""
        sender = {"smtp_url": f"smtp://127.0.0.1:{self.mail.port}", "mail_from": "kode@shop.example"}
        return Settings(data=str(self.folder), **(sender | self.more))

    def run(self, story):
        """Open, start, tell, stop, close."""
        return asyncio.run(self._run(story))

    async def _run(self, story):
        with Shopward.open(self.settings, rebuild=False, clock=self.clock) as self.shopward:
            keys, key = open_keys(self.settings.folder, self.clock)
            self.key = key or self.key
            self.application = Application(self.shopward, keys)
            self.application.start()
            while not self.application.gate.is_ready:  # noqa: ASYNC110 -- nothing tells of it in the product
                await asyncio.sleep(0.001)
            transport = httpx2.ASGITransport(app=self.application)
            headers = {"Authorization": f"Bearer {self.key}"}
            try:
                async with httpx2.AsyncClient(
                    transport=transport, base_url="http://shop", headers=headers
                ) as self.client:
                    return await story(self)
            finally:
                await self.application.stop()

    def event(self, type_, status="attempted", **changes):
        """An event of now."""
        self.number += 1
        made = {
            "id": f"e-{self.number}",
            "type": type_,
            "status": status,
            "time": to_rfc3339(self.clock.at_ms),
        }
        return made | WHO | changes

    async def decide(self, type_, status="attempted", **changes):
        """Its decision."""
        answer = await self.client.post("/v1/decisions", json=self.event(type_, status, **changes))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path, body, **headers):
        """Status and body."""
        answer = await self.client.post(path, json=body, headers=headers)
        return answer.status_code, answer.json()

    async def get(self, path):
        """Status and body."""
        answer = await self.client.get(path)
        return answer.status_code, answer.json()

    async def key_for(self, person, *roles):
        """Headers with a new key of a person."""
        _status, made = await self.post(
            "/v1/keys", {"name": f"{person}-1", "person": person, "roles": [*roles]}
        )
        return {"Authorization": f"Bearer {made['key']}"}

    async def challenged_login(self, user="u1"):
        """The decision on a login after four that failed."""
        for _ in range(4):
            await self.decide("login", "failed", user={"id": user})
        decision = await self.decide("login", user={"id": user})
        assert decision["decision"] == "challenge"
        return decision
