"""WhatsApp's webhook (``/channels/whatsapp``): what became of notices that were sent there, what happens to the shop's own lines, and
what customers write to them.

Promise: nothing is read of a call whose signature (``X-Hub-Signature-256``: HMAC-SHA-256 of the body under the app's secret) is not right; without
the secret every call is refused: fails closed. A status ``failed`` moves its person on to the next route; ``delivered`` and ``read`` are kept
as the receipt. What is told of a line (``lines.signals``), and what customers write (``conversations.inbound``), is recorded before the call
is answered: where it cannot be, the call fails and Meta sends it again. Calls are not looked at. What is not ours is answered with 200,
as Meta wants it, and counted in the answer; so is a change of another shape, which is logged by its field.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shopward.conversations import Inbound, inbound_in
from shopward.http.calls import by_method, json_answer
from shopward.http.problems import HttpRefusal
from shopward.lines.signals import FIELDS, Signal, signal_of
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.beside import Beside
    from shopward.http.calls import Calls
    from shopward.service import Shopward

PATH: Final = "/channels/whatsapp"
_logger = logging.getLogger("shopward")


class _Error(Struct, frozen=True):
    code: int = 0


class _Status(Struct, frozen=True):
    id: str = ""
    status: str = ""
    biz_opaque_callback_data: str = ""
    errors: list[_Error] = []


class _Value(Struct, frozen=True):
    statuses: list[_Status] = []


_value: Final = msgspec.json.Decoder(_Value).decode


class _Change(Struct, frozen=True):
    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Entry(Struct, frozen=True):
    id: str = ""
    time: int = 0
    changes: list[_Change] = []


class _Body(Struct, frozen=True):
    entry: list[_Entry] = []


class Taken(Struct):
    """How many statuses were about notices of ours, how many were not, how many signals of lines and messages of customers were new,
    and how many changes could not be read.
    """

    known: int
    unknown: int
    signals: int
    messages: int
    unread: int


class WhatsAppCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
        beside: tells the shop.
    """

    def __init__(self, shopward: Shopward, calls: Calls, beside: Beside) -> None:
        self._notices = shopward.notices
        self._lines, self._conversations = shopward.lines, shopward.conversations
        self._clock = shopward.clock
        self._beside = beside
        self._settings = shopward.settings
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [Route(PATH, by_method(GET=self.verify, POST=self.take), methods=["GET", "POST"])]

    async def verify(self, request: Request) -> Response:
        """``GET``: the challenge back, to who knows the shop's word."""
        given, word = request.query_params, self._settings.whatsapp_verify_token
        told = given.get("hub.verify_token", "")
        if (
            given.get("hub.mode") != "subscribe"
            or not word
            or not hmac.compare_digest(told.encode(), word.encode())
        ):
            raise HttpRefusal(
                403, "refused", "this is not the word that was set", expected="whatsapp_verify_token"
            )
        return PlainTextResponse(given.get("hub.challenge", "")[:256])

    async def take(self, request: Request) -> Response:
        """``POST``: signed statuses."""
        raw = await self._calls.raw(request)
        secret = self._settings.whatsapp_app_secret
        signed = "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
        given = request.headers.get("x-hub-signature-256", "")
        if not secret or not hmac.compare_digest(signed.encode(), given.encode("latin-1")):
            raise HttpRefusal(
                401, "unauthorized", "the body is not signed by the app", path="X-Hub-Signature-256",
                expected="HMAC-SHA-256 under whatsapp_app_secret", found="another signature" if given else "nothing",
            )  # fmt: skip
        try:
            body = msgspec.json.decode(raw, type=_Body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            body = _Body()
        read = _Read(self._clock.now_ms())
        for entry in body.entry:
            for change in entry.changes:
                read.change(entry, change)
        known = [await run_in_threadpool(self._heard, each) for each in read.statuses]
        signals = await run_in_threadpool(self._lines.hear, read.signals) if read.signals else 0
        messages = await run_in_threadpool(self._conversations.hear, read.messages) if read.messages else 0
        if signals or messages:
            self._beside.wake()
        return json_answer(Taken(sum(known), len(known) - sum(known), signals, messages, read.unread))

    def _heard(self, told: _Status) -> bool:
        why = next((f"whatsapp_{each.code}" for each in told.errors), told.status)
        return self._notices.heard(told.id[:128], told.biz_opaque_callback_data[:64], told.status, why)


class _Read:
    """What a body holds, change by change: one that cannot be read spoils no other."""

    def __init__(self, now_ms: int) -> None:
        self.statuses: list[_Status] = []
        self.signals: list[Signal] = []
        self.messages: list[Inbound] = []
        self.unread = 0
        self._now_ms = now_ms

    def change(self, entry: _Entry, change: _Change) -> None:
        """Sort one change into what it is."""
        try:
            if change.field in FIELDS:
                at_ms = min(entry.time * SECOND_MS, self._now_ms) if entry.time > 0 else self._now_ms
                signal = signal_of(change.field, bytes(change.value), account=entry.id, at_ms=at_ms)
                self.signals += [] if signal is None else [signal]
            elif change.field == "messages":
                self.statuses += _value(change.value).statuses
                self.messages += inbound_in(bytes(change.value), now_ms=self._now_ms)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.unread += 1  # fails open: Meta would send the same body for days
            _logger.warning("WhatsApp: a change of another shape, field %s", change.field)
