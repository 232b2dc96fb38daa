"""``ports.Postman`` over the shop's own endpoint: the shop knows how to reach its customer, and does.

Promise: each call is signed as Standard Webhooks says, under the id of the message, which is the same over all tries: a shop that
knows the id sends nothing twice. 2xx is ``taken``, 4xx is ``refused`` (408, 425 and 429 are not), all else ``later``. What the shop
answers is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shopward.adapters.endpoint import Endpoint
from shopward.outbox.signing import signed_headers
from shopward.ports import Handed
from shopward.values import SECOND_MS, to_rfc3339

if TYPE_CHECKING:
    from shopward.ports import Parcel
    from shopward.values import Clock

TYPE: Final = "notice.send"
_NOT_YET: Final = frozenset({408, 425, 429})


class ShopPostman:
    """Hands notices to the shop.

    Args:
        url: of its endpoint.
        key: what calls are signed with.
        clock: dates them.
    """

    def __init__(self, url: str, *, key: bytes, clock: Clock) -> None:
        self._endpoint = Endpoint(url, setting="notice_webhook_url", is_asked=False)
        self._key = key
        self._clock = clock

    def hand_in(self, parcel: Parcel) -> Handed:
        """One message for one user; ``to`` is the shop's own id."""
        now_ms = self._clock.now_ms()
        body = msgspec.json.encode({
            "type": TYPE, "timestamp": to_rfc3339(now_ms),
            "data": {
                "message": parcel.message, "user": parcel.to, "language": parcel.language, "subject": parcel.subject,
                "text": parcel.text,
            },
        })  # fmt: skip
        headers = signed_headers(
            [self._key], message_id=parcel.message, timestamp_s=now_ms // SECOND_MS, body=body
        )
        status = self._endpoint.ask("POST", "", headers=headers, body=body).status
        if 200 <= status < 300:
            return Handed("taken")
        is_final = 400 <= status < 500 and status not in _NOT_YET
        return Handed("refused" if is_final else "later", why=f"http_{status}" if status else "no_answer")
