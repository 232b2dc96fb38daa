"""The server itself killed at each step of a message, on each channel: nobody is missed, and what was in flight alone comes twice."""

import base64
import threading
from collections import Counter
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller

from notices.channels import serving
from notices.telling import BUDI, LETTERS, SITI
from serving import Server
from shopward.config import Settings
from shopward.flows.notify import LEASE_MS
from shopward.notices.mailing import Way
from shopward.service import Shopward
from shopward.values import ManualClock, SystemClock

PEOPLE = 6
FATAL = 3
"""The message, counted from one, at which the server dies."""
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Killer:
    """Kills the server once, at one moment of its third message; ``taken`` is who was told, in order."""

    def __init__(self, moment):
        self.moment, self.server, self.taken, self.dead = moment, None, [], threading.Event()

    def at(self, moment, to):
        """A message to somebody is at this moment; whether the server died of it."""
        if moment == "handed in":
            self.taken.append(to)
        reached = len(self.taken) + (moment == "asked")
        if moment != self.moment or reached != FATAL or self.dead.is_set():
            return False
        self.server.kill()
        self.dead.set()
        return True


class Letters:
    """A mail server's side."""

    def __init__(self, killer):
        self.killer = killer

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 -- aiosmtpd's name
        """Before anything of it is taken."""
        self.killer.at("asked", address)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 -- aiosmtpd's name
        """Taken; the answer comes after it."""
        self.killer.at("handed in", envelope.rcpt_tos[0])
        return "250 taken"


class FreePort(Controller):
    """On a free port of this machine."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail(killer):
    """Settings and a way, over a mail server."""
    controller = FreePort(Letters(killer), hostname="127.0.0.1", port=0, ready_timeout=120)
    controller.start()
    try:
        url = f"smtp://127.0.0.1:{controller.port}"
        told = {"smtp_url": url, "mail_from": "aman@shop.example", "shop_domain": "shop.example"}
        yield told, lambda user: Way("email", f"{user}@a.example")
    finally:
        controller.stop()


@contextmanager
def whatsapp(killer):
    """Settings and a way, over WhatsApp's calls."""
    with serving() as channel:
        channel.watch = killer.at
        told = {"whatsapp_url": f"{channel.url}/v23.0", "whatsapp_phone_id": "1122", "whatsapp_token": "t-1"}
        yield told, lambda user: Way("whatsapp", f"+6281200000{user.removeprefix('u'):0>3}")


@contextmanager
def endpoint(killer):
    """Settings and a way, over the shop's own endpoint."""
    with serving() as channel:
        channel.watch = killer.at
        told = {"notice_webhook_url": f"{channel.url}/notices", "notice_webhook_secret": SECRET}
        yield told, lambda user: Way("shop", user)


@pytest.mark.parametrize("moment", ["asked", "handed in"])
@pytest.mark.parametrize("channel", [mail, whatsapp, endpoint])
def test_nobody_is_missed(tmp_path, channel, moment):
    """Six people; the server dies when the third is asked for or handed in; whoever comes after it finishes."""
    killer = Killer(moment)
    with channel(killer) as (told, way):
        settings = Settings(data=str(tmp_path / "data"), **told)
        with Shopward.open(settings) as shop:
            made = shop.notices.make(SITI, incident="inc-1", rule="", letters=LETTERS, template="notice").id
            people = [(f"u{number}", [way(f"u{number}")], "id") for number in range(PEOPLE)]
            shop.notices.fill(SITI, made, people)
            shop.notices.start(BUDI, made)
        environment = {f"SHOPWARD_{name.upper()}": value for name, value in told.items()}
        killer.server = Server(tmp_path / "data", policy=None, environment=environment)
        killer.server.launch()
        assert killer.dead.wait(timeout=120)
        clock = ManualClock(SystemClock().now_ms() + LEASE_MS)
        with Shopward.open(settings, clock=clock) as shop:
            while shop.notices.step():
                clock.advance(LEASE_MS)
            assert shop.notices.get(made)[1] == {"sent": PEOPLE}
    times = Counter(killer.taken)
    assert len(times) == PEOPLE
    assert sum(times.values()) == PEOPLE + (moment == "handed in")
