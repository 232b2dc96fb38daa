"""WhatsApp's webhook (``/channels/whatsapp``): what became of notices that were sent there.

Promise: nothing is read of a call whose signature (``X-Hub-Signature-256``: HMAC-SHA-256 of the body under the app's secret) is not right; without
the secret every call is refused: fails closed. A status ``failed`` moves its person on to the next route; ``delivered`` and ``read`` are kept
as the receipt. Messages of customers, calls and templates are not looked at yet. What is not ours is answered with 200, as Meta wants it, and
counted in the answer.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shopward.http.calls import by_method, json_answer
from shopward.http.problems import HttpRefusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.service import Shopward

PATH: Final = "/channels/whatsapp"


class _Error(Struct, frozen=True):
    code: int = 0


class _Status(Struct, frozen=True):
    id: str = ""
    status: str = ""
    biz_opaque_callback_data: str = ""
    errors: list[_Error] = []


class _Value(Struct, frozen=True):
    statuses: list[_Status] = []


class _Change(Struct, frozen=True):
    field: str = ""
    value: _Value = _Value()


class _Entry(Struct, frozen=True):
    changes: list[_Change] = []


class _Body(Struct, frozen=True):
    entry: list[_Entry] = []


class Taken(Struct):
    """How many statuses were about notices of ours, and how many were not."""

    known: int
    unknown: int


class WhatsAppCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._notices = shopward.notices
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
        statuses = [
            each for entry in body.entry for change in entry.changes for each in change.value.statuses
        ]
        known = [await run_in_threadpool(self._heard, each) for each in statuses]
        return json_answer(Taken(sum(known), len(known) - sum(known)))

    def _heard(self, told: _Status) -> bool:
        why = next((f"whatsapp_{each.code}" for each in told.errors), told.status)
        return self._notices.heard(told.id[:128], told.biz_opaque_callback_data[:64], told.status, why)
