"""Challenges over HTTP: what a decision asks for, codes, passkey options, the answer, and "that was not me".

Promise: the id is the decision's, which is what a shop has in hand. ``passed`` is answered only after the pass is committed
and in the ordered log; a wrong answer is a problem, and in the log too. Addresses and answers are handed on and kept
nowhere.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import Conflict
from shopward.events.catalogue import Context, Session, User, Word
from shopward.flows.asked import Who
from shopward.flows.engine import DecisionRecord
from shopward.http.calls import decoded, id_of, json_answer, language
from shopward.stepup.code_channel import LANGUAGES
from shopward.stepup.refusals import StepUpRefused
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.events import Event
    from shopward.flows.prove import ChallengeView, Heard
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward

ANSWER_MAX: Final = 32_768
_Asked = TypeVar("_Asked", bound="WhoAsked")


class WhoAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Who answers, as the shop sees them now; the same shapes as in an event.

    Attributes:
        user: whose account it is.
        context: network and device; ``device_id`` has to be the one that was decided.
        session: the shop's session.
    """

    user: User
    context: Context | UnsetType = UNSET
    session: Session | UnsetType = UNSET

    @property
    def who(self) -> Who:
        """For the flows."""
        return Who(self.user, self.context, self.session)


class CodeAsked(WhoAsked, forbid_unknown_fields=True, omit_defaults=True):
    """Where a code is sent: ``email`` or ``whatsapp``, and the address that the shop trusts. It is not kept."""

    channel: Word = "email"
    to: Annotated[str, Meta(max_length=254)] = ""


class ProofAsked(WhoAsked, forbid_unknown_fields=True, omit_defaults=True):
    """An answer: the factor, and what was typed or, of a passkey, the browser's credential as JSON."""

    factor: Word = ""
    answer: Annotated[str, Meta(max_length=ANSWER_MAX)] = ""


class CodeSent(Struct):
    """Until when the code holds."""

    expires_at: str


class PasskeyOptions(Struct):
    """JSON for ``navigator.credentials.get()``, as a text."""

    options: str


class ChallengeCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: records what was proved and what was not.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.proofs
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/challenges/{id}", self.look, methods=["GET"]),
            Route("/v1/challenges/{id}/codes", self.code, methods=["POST"]),
            Route("/v1/challenges/{id}/passkey", self.passkey, methods=["POST"]),
            Route("/v1/challenges/{id}/verify", self.verify, methods=["POST"]),
            Route("/v1/challenges/{id}/cancel", self.cancel, methods=["POST"]),
        ]

    async def look(self, request: Request) -> Response:
        """``GET /v1/challenges/{id}``."""
        self._calls.caller(request)
        return json_answer(await run_in_threadpool(self._desk.look, _decision_id(request)))

    async def code(self, request: Request) -> Response:
        """``POST /v1/challenges/{id}/codes``."""
        caller, asked = await self._read(request, CodeAsked)
        decision_id = _decision_id(request)
        spoken = next(each for each in LANGUAGES if each == language(request))
        sent = await run_in_threadpool(
            lambda: self._desk.send_code(
                caller, decision_id, asked.who, channel=asked.channel, to=asked.to, language=spoken
            )
        )
        await tell_once(self._gate, sent.event)
        if sent.refused is not None:
            raise sent.refused
        return json_answer(CodeSent(to_rfc3339(sent.expires_ms)))

    async def passkey(self, request: Request) -> Response:
        """``POST /v1/challenges/{id}/passkey``."""
        caller, asked = await self._read(request, WhoAsked)
        decision_id = _decision_id(request)
        return json_answer(
            PasskeyOptions(
                await run_in_threadpool(self._desk.passkey_options, caller, decision_id, asked.who)
            )
        )

    async def verify(self, request: Request) -> Response:
        """``POST /v1/challenges/{id}/verify``."""
        caller, asked = await self._read(request, ProofAsked)
        decision_id = _decision_id(request)
        heard = await run_in_threadpool(
            lambda: self._desk.verify(
                caller, decision_id, asked.who, factor=asked.factor, answer=asked.answer
            )
        )
        return json_answer(await self._told(heard))

    async def cancel(self, request: Request) -> Response:
        """``POST /v1/challenges/{id}/cancel``."""
        caller, asked = await self._read(request, WhoAsked)
        heard = await run_in_threadpool(self._desk.cancel, caller, _decision_id(request), asked.who)
        return json_answer(await self._told(heard))

    async def _read(self, request: Request, shape: type[_Asked]) -> tuple[Caller, _Asked]:
        caller = self._calls.caller(request, "service")
        return caller, decoded(await self._calls.body(request, caller), shape)

    async def _told(self, heard: Heard) -> ChallengeView | None:
        """What the caller hears, once the log has heard it."""
        await tell(self._gate, heard.event)
        if heard.refused is not None:
            raise heard.refused
        return heard.view


async def tell(gate: Gate, event: Event | None) -> None:
    """Have an event of ours recorded; raises where it was not."""
    if event is None:
        return
    heard = await gate.submit([event])
    record = heard[0] if isinstance(heard, list) else heard
    if not isinstance(record, DecisionRecord):
        raise record.with_traceback(None)  # one refusal may be heard by many


async def tell_once(gate: Gate, event: Event | None) -> None:
    """The same of an event that another request may have told under its id a moment ago, which is as good."""
    with suppress(Conflict):
        await tell(gate, event)


def _decision_id(request: Request) -> str:
    decision_id = id_of(request)
    if decision_id is None:
        raise StepUpRefused(
            "unknown_challenge", expected="the id of a recorded decision", found="another text"
        )
    return decision_id
