"""An open Shopward over each database with its own clock, beside another company's server."""

from __future__ import annotations

import msgspec
import pytest

from serving import POLICY
from shopward.access import Caller
from shopward.config import Settings
from shopward.service import Shopward
from shopward.ssf.transmitters import TransmitterAsked
from shopward.values import ManualClock, to_rfc3339
from ssf.peer import TOKEN, Peer
from ssf.tokens import NOW_S, claims, signed
from stores import empty_store

ADMIN = Caller(key="shop", person="ani", roles=("admin",))


class Shop:
    """A shop that is linked to the peer, and what tests ask of it."""

    def __init__(self, shopward, clock, peer):
        self.it, self.clock, self.peer = shopward, clock, peer
        self.authorization = ""

    def registers(self, **changes):
        """The peer as a transmitter."""
        asked = {"id": "idp", "provider": "acme", "issuer": self.peer.issuer, "access_token": TOKEN} | changes
        shown = self.it.shared.transmitters.register(ADMIN, msgspec.convert(asked, TransmitterAsked))
        self.authorization = shown.authorization
        return shown

    def links(self, user, token, provider="acme"):
        """A customer signs in with a foreign account from now on."""
        name = f"l-{user}-{provider}-{self.clock.now_ms()}"
        self.it.decide({
            "id": name, "type": "identity_link", "status": "succeeded", "time": to_rfc3339(self.clock.now_ms()),
            "user": {"id": user}, "transaction": {"identity_provider": provider},
            "changes": [{"field": "identity", "new_token": token}],
        })  # fmt: skip

    def token(self, jti, sub, event="risc/event-type/account-disabled", key=None, header=None, **payload):
        """A token of the peer's about a foreign account, or about any subject."""
        subject = sub if isinstance(sub, dict) else {"format": "iss_sub", "iss": self.peer.issuer, "sub": sub}
        told = claims(
            iss=self.peer.issuer, jti=jti, iat=self.clock.now_ms() // 1000, sub_id=subject,
            events={"https://schemas.openid.net/secevent/" + event: payload},
        )  # fmt: skip
        return signed(told, key or self.peer.keys[-1], **(header or {}))

    def pushed(self, *tokens, to="idp"):
        """Tokens arrive, and what follows is carried out."""
        self.carried()  # what was linked before is known
        for each in tokens:
            self.it.shared.receiver.push(to, self.authorization, each)
        self.carried()

    def carried(self):
        """What is due is done, and decisions see it."""
        self.it.carry_out()
        self.it.desk.look_at_orders()

    def orders(self):
        """Kinds of orders in force by user."""
        found = {}
        for order in self.it.overseer.newest(state="active", before=None, limit=500):
            found.setdefault(self.it.user_of(order), set()).add(order.standing.kind)
        return found

    def alerts(self, user):
        """What stands in the log of a user's alerts."""
        entries = self.it.log.timeline(self.it.maker.user_token(user), before_seq=None, limit=50)
        events = [msgspec.json.decode(each) for each in self.it.vault.history.told(entries[::-1])]
        return [each for each in events if each["type"] == "identity_alert"]

    @property
    def counted(self):
        """What became of the tokens of the peer."""
        return self.it.shared.transmitters.get("idp").received


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request, tmp_path):
    """A shop on an empty store."""
    clock = ManualClock(NOW_S * 1000)
    with Peer() as peer, empty_store(request.param, tmp_path) as url:
        settings = Settings(
            data=str(tmp_path / "data"), policy=str(POLICY), database=url, signals_url="https://shop.example"
        )
        with Shopward.open(settings, clock=clock) as shopward:
            yield Shop(shopward, clock, peer)
