"""Factors of persons of staff over HTTP, and the challenges that their reveals are answered with.

Promise: who acts is told by the key. What is secret is in the answer of the call that made it, once; an answer to a challenge
is compared and kept nowhere. A change is answered after it is committed and audited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.events.catalogue import Word
from shopward.http.calls import by_method, decoded, id_of, json_answer, needed_id
from shopward.http.challenges import ANSWER_MAX, PasskeyOptions
from shopward.http.factors import Factors, FactorView, Removed
from shopward.stepup.refusals import StepUpRefused
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.access import Caller
    from shopward.http.calls import Calls
    from shopward.service import Shopward

ChallengeId = Annotated[str, Meta(max_length=64)]


class StaffEnrolAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A factor to be added.

    Attributes:
        kind: what kind.
        challenge_id: a challenge for ``enrol`` that was passed, of whoever has a factor already.
    """

    kind: Literal["totp", "passkey"] = "totp"
    challenge_id: ChallengeId = ""


class StaffConfirmAsked(Struct, forbid_unknown_fields=True):
    """The first code of an app, or the new credential as JSON."""

    answer: Annotated[str, Meta(max_length=ANSWER_MAX)]


class StaffRemoveAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A factor to be removed: by its owner with ``challenge_id``, by an admin with ``evidence``; one of the two.

    Attributes:
        challenge_id: a challenge for ``remove`` that was passed.
        evidence: the number of what shows the loss.
    """

    challenge_id: ChallengeId = ""
    evidence: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{0,64}\Z")] = ""


class StaffChallengeAsked(Struct, forbid_unknown_fields=True, rename={"change": "for"}):
    """What a person wants to change of his own factors."""

    change: Literal["enrol", "remove"]


class StaffProofAsked(Struct, forbid_unknown_fields=True):
    """An answer: the factor, and what was typed or, of a passkey, the browser's credential as JSON."""

    factor: Word
    answer: Annotated[str, Meta(max_length=ANSWER_MAX)]


class StaffCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, calls: Calls) -> None:
        self._desk = shopward.vault.staff
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/staff/challenges", self.open, methods=["POST"]),
            Route("/v1/staff/challenges/{id}", self.look, methods=["GET"]),
            Route("/v1/staff/challenges/{id}/passkey", self.passkey, methods=["POST"]),
            Route("/v1/staff/challenges/{id}/verify", self.verify, methods=["POST"]),
            Route(
                "/v1/staff/{id}/factors", by_method(GET=self.listed, POST=self.start), methods=["GET", "POST"]
            ),
            Route("/v1/staff/{id}/factors/{factor}/confirm", self.confirm, methods=["POST"]),
            Route("/v1/staff/{id}/factors/{factor}/remove", self.remove, methods=["POST"]),
        ]

    async def listed(self, request: Request) -> Response:
        """``GET /v1/staff/{id}/factors``."""
        return await self._factors(self._calls.caller(request), needed_id(request, "person"))

    async def start(self, request: Request) -> Response:
        """``POST /v1/staff/{id}/factors``."""
        caller, person = self._calls.caller(request), needed_id(request, "person")
        asked = decoded(await self._calls.body(request, caller), StaffEnrolAsked)
        started = await run_in_threadpool(
            lambda: self._desk.start(caller, person, kind=asked.kind, challenge_id=asked.challenge_id)
        )
        return json_answer(started, 201)

    async def confirm(self, request: Request) -> Response:
        """``POST /v1/staff/{id}/factors/{factor}/confirm``."""
        caller, person, factor_id = (
            self._calls.caller(request),
            needed_id(request, "person"),
            _factor_id(request),
        )
        asked = decoded(await self._calls.body(request, caller), StaffConfirmAsked)
        await run_in_threadpool(lambda: self._desk.confirm(caller, person, factor_id, answer=asked.answer))
        return await self._factors(caller, person)

    async def remove(self, request: Request) -> Response:
        """``POST /v1/staff/{id}/factors/{factor}/remove``."""
        caller, person, factor_id = (
            self._calls.caller(request),
            needed_id(request, "person"),
            _factor_id(request),
        )
        asked = decoded(await self._calls.body(request, caller), StaffRemoveAsked)
        if bool(asked.challenge_id) == bool(asked.evidence):
            raise InvalidField(
                "who removes it has to be said", path="challenge_id",
                expected="challenge_id of its owner's proof, or evidence of an admin", found="both or neither",
            )  # fmt: skip
        if asked.evidence:
            await run_in_threadpool(
                lambda: self._desk.remove_lost(caller, person, factor_id, evidence=asked.evidence)
            )
        else:
            await run_in_threadpool(
                lambda: self._desk.remove(caller, person, factor_id, challenge_id=asked.challenge_id)
            )
        return json_answer(Removed(factor_id))

    async def open(self, request: Request) -> Response:
        """``POST /v1/staff/challenges``."""
        caller = self._calls.caller(request)
        asked = decoded(await self._calls.body(request, caller), StaffChallengeAsked)
        return json_answer(await run_in_threadpool(self._desk.open, caller, asked.change), 201)

    async def look(self, request: Request) -> Response:
        """``GET /v1/staff/challenges/{id}``."""
        caller = self._calls.caller(request)
        return json_answer(await run_in_threadpool(self._desk.look, caller, _challenge_id(request)))

    async def passkey(self, request: Request) -> Response:
        """``POST /v1/staff/challenges/{id}/passkey``; no body."""
        caller = self._calls.caller(request)
        return json_answer(
            PasskeyOptions(
                await run_in_threadpool(self._desk.passkey_options, caller, _challenge_id(request))
            )
        )

    async def verify(self, request: Request) -> Response:
        """``POST /v1/staff/challenges/{id}/verify``."""
        caller, challenge_id = self._calls.caller(request), _challenge_id(request)
        asked = decoded(await self._calls.body(request, caller), StaffProofAsked)
        return json_answer(
            await run_in_threadpool(
                lambda: self._desk.verify(caller, challenge_id, factor=asked.factor, answer=asked.answer)
            )
        )

    async def _factors(self, caller: Caller, person: str) -> Response:
        found = await run_in_threadpool(self._desk.listed, caller, person)
        return json_answer(
            Factors(
                [
                    FactorView(each.factor_id, each.kind, each.state, to_rfc3339(each.created_ms))
                    for each in found
                ]
            )
        )


def _factor_id(request: Request) -> str:
    factor_id = id_of(request, "factor")
    if factor_id is None:
        raise StepUpRefused("unknown_factor", expected="a factor of this person", found="another text")
    return factor_id


def _challenge_id(request: Request) -> str:
    challenge_id = id_of(request)
    if challenge_id is None:
        raise StepUpRefused("unknown_challenge", expected="the id of a challenge", found="another text")
    return challenge_id
