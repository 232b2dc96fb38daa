"""``ports.Payer`` over HTTP: the shop's own endpoint for paying customers.

Promise: each call is signed as Standard Webhooks says, goes over TLS or stays on this machine, follows no redirect and ends in
time. ``POST URL`` carries the payout with its key in ``Idempotency-Key``; ``GET URL/KEY`` asks what became of it.
The shop answers with 2xx and ``{"state":"paid"}``, ``"pending"`` or ``"failed"``; 404 to the question means that it never
heard of the key. Everything else, a lost answer too, is ``no_answer``: it may have been paid, so it is asked about again.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from shopward.adapters.endpoint import Endpoint
from shopward.outbox.signing import signed_headers
from shopward.values import SECOND_MS

if TYPE_CHECKING:
    from shopward.ports import PayoutAnswer, PayoutAsked
    from shopward.values import Clock

_OK: Final = range(200, 300)


class _Answer(msgspec.Struct):
    state: str


_answer: Final = msgspec.json.Decoder(_Answer).decode


class HttpPayer:
    """Asks the shop to pay.

    Args:
        url: of its endpoint.
        key: what calls are signed with.
        clock: dates them.

    Raises:
        Misconfigured: the URL is none, or money would be asked for in clear.
    """

    def __init__(self, url: str, *, key: bytes, clock: Clock) -> None:
        self._endpoint = Endpoint(url, setting="payout_url", is_asked=True)
        self._key = key
        self._clock = clock

    def pay(self, payout: PayoutAsked, *, user_id: str) -> PayoutAnswer:
        """Pay under the payout's key."""
        body = msgspec.json.encode({
            "payout": payout.id, "claim": payout.claim, "user": user_id, "amount_minor": payout.amount_minor,
            "currency": payout.currency, "instrument": payout.instrument,
        })  # fmt: skip
        answer = self._asked("POST", "", payout.id, body)
        return "no_answer" if answer == "unknown" else answer

    def status(self, key: str) -> PayoutAnswer:
        """What the shop knows of a key."""
        return self._asked("GET", f"/{quote(key, safe='')}", key, b"")

    def _asked(self, method: str, path: str, key: str, body: bytes) -> PayoutAnswer:
        headers = signed_headers(
            [self._key], message_id=key, timestamp_s=self._clock.now_ms() // SECOND_MS, body=body
        )
        headers |= {"idempotency-key": key, "accept": "application/json"}
        heard = self._endpoint.ask(method, path, headers=headers, body=body or None)
        return _read(heard.status, b"" if heard.lacks else heard.body)  # a part of an answer is none


def _read(status: int, raw: bytes) -> PayoutAnswer:
    if status == HTTPStatus.NOT_FOUND:
        return "unknown"
    if status not in _OK:
        return "no_answer"
    try:
        state = _answer(raw).state
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "no_answer"
    match state:
        case "paid" | "pending" | "failed":
            return state
        case _:
            return "no_answer"
