"""Factors of a user over HTTP: list, add, confirm, remove.

Promise: what is secret is in the answer of the call that made it, once, and nowhere else. A change is answered after it is
committed, audited and in the ordered log. A service changes factors for its user, on a decision; an analyst may remove
one that was lost, and nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField
from shopward.events.catalogue import Context, Id, Session, User, Word
from shopward.flows.asked import Who
from shopward.http.calls import decoded, id_of, json_answer, user_id
from shopward.http.challenges import ANSWER_MAX, tell
from shopward.stepup.refusals import StepUpRefused
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.service import Shopward


class FactorView(Struct, omit_defaults=True):
    """A factor as its owner may see it; of recovery codes the state says how many are left."""

    id: str
    kind: str
    state: str
    since: str = ""


class Factors(Struct):
    """A user's factors."""

    factors: list[FactorView]


class OnDevice(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Where the user is now; ``device_id`` has to be that of the decision."""

    context: Context | UnsetType = UNSET
    session: Session | UnsetType = UNSET


class EnrolAsked(OnDevice, forbid_unknown_fields=True, omit_defaults=True):
    """A factor to be added.

    Attributes:
        kind: what kind.
        decision_id: of a decision on ``mfa_enroll`` of this user and device.
        name: how the app or the authenticator shall call the account; not kept.
    """

    kind: Literal["totp", "passkey", "recovery_code"] = "totp"
    decision_id: Word = ""
    name: Annotated[str, Meta(min_length=1, max_length=64)] = "account"


class ConfirmAsked(OnDevice, forbid_unknown_fields=True, omit_defaults=True):
    """The first code of an app, or the new credential as JSON."""

    answer: Annotated[str, Meta(max_length=ANSWER_MAX)] = ""


class RemoveAsked(OnDevice, forbid_unknown_fields=True, omit_defaults=True):
    """A factor to be removed: by its owner with ``decision_id``, by staff with ``evidence``; one of the two.

    Attributes:
        decision_id: of a decision on ``mfa_remove`` of this user and device.
        evidence: the number of the case that shows the loss.
    """

    decision_id: Word = ""
    evidence: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{0,64}\Z")] = ""


class Removed(Struct):
    """The id of the factor that counts no more."""

    id: Id


class FactorCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: records what was changed.
        calls: reads requests.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls) -> None:
        self._desk = shopward.factors
        self._gate = gate
        self._calls = calls

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/users/{id}/factors", self.of_user, methods=["GET", "POST"]),
            Route("/v1/users/{id}/factors/{factor}/confirm", self.confirm, methods=["POST"]),
            Route("/v1/users/{id}/factors/{factor}/remove", self.remove, methods=["POST"]),
        ]

    async def of_user(self, request: Request) -> Response:
        """One route with two methods, so that a wrong one is told both."""
        return await (self.start(request) if request.method == "POST" else self.listed(request))

    async def listed(self, request: Request) -> Response:
        """``GET /v1/users/{id}/factors``."""
        self._calls.caller(request)
        found = await run_in_threadpool(self._desk.listed, _user(request).id)
        return json_answer(
            Factors(
                [
                    FactorView(
                        each.factor_id,
                        each.kind,
                        each.state,
                        to_rfc3339(each.created_ms) if each.created_ms else "",
                    )
                    for each in found
                ]
            )
        )

    async def start(self, request: Request) -> Response:
        """``POST /v1/users/{id}/factors``."""
        caller = self._calls.caller(request, "service")
        asked = decoded(await self._calls.body(request, caller), EnrolAsked)
        who = _who(request, asked)
        started, event = await run_in_threadpool(
            lambda: self._desk.start(caller, asked.decision_id, who, kind=asked.kind, name=asked.name)
        )
        await tell(self._gate, event)
        return json_answer(started, 201)

    async def confirm(self, request: Request) -> Response:
        """``POST /v1/users/{id}/factors/{factor}/confirm``."""
        caller = self._calls.caller(request, "service")
        asked = decoded(await self._calls.body(request, caller), ConfirmAsked)
        who, factor_id = _who(request, asked), _factor_id(request)
        event = await run_in_threadpool(
            lambda: self._desk.confirm(caller, who, factor_id, answer=asked.answer)
        )
        await tell(self._gate, event)
        return await self.listed(request)

    async def remove(self, request: Request) -> Response:
        """``POST /v1/users/{id}/factors/{factor}/remove``."""
        caller = self._calls.caller(request, "service", "analyst")
        asked = decoded(await self._calls.body(request, caller), RemoveAsked)
        who, factor_id = _who(request, asked), _factor_id(request)
        if bool(asked.decision_id) == bool(asked.evidence):
            raise InvalidField(
                "who removes it has to be said", path="decision_id",
                expected="decision_id of its owner's decision, or evidence of staff", found="both or neither",
            )  # fmt: skip
        if asked.evidence:
            event = await run_in_threadpool(
                lambda: self._desk.remove_lost(caller, who.user.id, factor_id, evidence=asked.evidence)
            )
        else:
            caller.require("service")
            event = await run_in_threadpool(self._desk.remove, caller, asked.decision_id, who, factor_id)
        await tell(self._gate, event)
        return json_answer(Removed(factor_id))


def _user(request: Request) -> User:
    return User(user_id(id_of(request)))


def _who(request: Request, asked: OnDevice) -> Who:
    return Who(_user(request), asked.context, asked.session)


def _factor_id(request: Request) -> str:
    factor_id = id_of(request, "factor")
    if factor_id is None:
        raise StepUpRefused("unknown_factor", expected="a factor of this user", found="another text")
    return factor_id
