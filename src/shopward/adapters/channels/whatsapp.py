"""``ports.Postman`` and ``ports.Correspondent`` over WhatsApp's Cloud API: a notice as an approved template, an answer as text
(``POST /{phone-number-id}/messages``).

Promise: a shop may begin a conversation with a template alone, so that a notice is nothing else; the letter's text is the
template's one body parameter, in one line. The message's id goes along as ``biz_opaque_callback_data`` and comes back with each
status; the API's own id is the receipt. A number that cannot be reached (131026, 131021, 131030, 130472, 131050) is ``refused``; a limit,
a fault of theirs and one of ours (token, template) are ``later``: no customer is given up for them.

https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopward.adapters.endpoint import Endpoint
from shopward.ports import Handed

if TYPE_CHECKING:
    from shopward.ports import Parcel

LANGUAGES: Final = {"id": "id", "zh": "zh_CN", "en": "en"}
UNREACHABLE: Final = frozenset({131026, 131021, 131030, 130472, 131050})
"""Undeliverable, to oneself, not on the list, in an experiment, opted out."""
_SPACE: Final = re.compile(r"\s+")


class _Message(msgspec.Struct, frozen=True):
    id: str = ""


class _Error(msgspec.Struct, frozen=True):
    code: int = 0


class _Answer(msgspec.Struct, frozen=True):
    messages: list[_Message] = []
    error: _Error = _Error()


_answer: Final = msgspec.json.Decoder(_Answer).decode


class WhatsAppPostman:
    """Sends templates from one number of the shop.

    Args:
        url: of the API with its version.
        phone_id: of the number that sends.
        token: what calls are authorised with.
    """

    def __init__(self, url: str, *, phone_id: str, token: str) -> None:
        self._endpoint = Endpoint(url, setting="whatsapp_url", is_asked=True)
        self._path = f"/{phone_id}/messages"
        self._headers = {"authorization": f"Bearer {token}"}

    def hand_in(self, parcel: Parcel) -> Handed:
        """One template to one number."""
        text = _SPACE.sub(" ", parcel.text).strip()  # a parameter holds no line break
        return self._sent(parcel, "template", {
            "name": parcel.template, "language": {"code": LANGUAGES[parcel.language]},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": text}]}],
        })  # fmt: skip

    def answer(self, parcel: Parcel) -> Handed:
        """One answer within a conversation that the customer began: its text as it is, or a template where one is named."""
        if parcel.template:
            return self.hand_in(parcel)
        return self._sent(parcel, "text", {"preview_url": False, "body": parcel.text})

    def _sent(self, parcel: Parcel, kind: str, content: dict[str, Any]) -> Handed:
        body = msgspec.json.encode({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": parcel.to.lstrip("+"), "type": kind,
            kind: content, "biz_opaque_callback_data": parcel.message,
        })  # fmt: skip
        status, raw, _lacks = self._endpoint.ask("POST", self._path, headers=self._headers, body=body)
        try:
            answer = _answer(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            answer = _Answer()
        if 200 <= status < 300:
            return Handed("taken", receipt=next((each.id for each in answer.messages), "")[:128])
        is_final = answer.error.code in UNREACHABLE
        why = f"whatsapp_{answer.error.code}" if answer.error.code else f"http_{status}"
        return Handed("refused" if is_final else "later", why=why)
