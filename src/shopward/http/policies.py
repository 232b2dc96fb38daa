"""Policies over HTTP: check, publish, list, look at, roll back.

Promise: an answer to a publication leaves after it is committed. It says ``in_force`` where the policy has taken over,
which it does between two groups, and ``preparing`` (202) where its state is still being rebuilt beside the one that
decides; ``GET /v1/policies`` tells how far that is. What does not compile is refused with file, line and column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.errors import InvalidField, NotFound
from shopward.flows.publish import Edition
from shopward.flows.shadow import ShadowCounts
from shopward.http.calls import decoded, json_answer
from shopward.publication import Kind
from shopward.risk.policy import PolicyFiles
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.flows.shadow import ShadowBook
    from shopward.http.calls import Calls
    from shopward.http.gate import Gate
    from shopward.publication import Publication
    from shopward.risk.policy import Policy
    from shopward.service import Shopward

LIST_DEFAULT: Final = 50
LIST_MAX: Final = 200
NOTE_MAX: Final = 500
SWITCH_WAIT_S: Final = 2.0
"""How long an answer waits for the hand-over before it says that it is under way."""

Note = Annotated[str, Meta(max_length=NOTE_MAX)]
Source = Literal["published", "folder", "shipped"]
State = Literal["in_force", "preparing", "past"]


class PolicyAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A policy to check or to publish: its files by their paths, and why."""

    files: dict[str, str]
    note: Note = ""


class RollbackAsked(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which publication to go back to, and why; the last with another policy where ``to`` is left out."""

    to: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    note: Note = ""


class PublicationView(Struct):
    """One publication; ``state`` says whether it decides, will, or did."""

    number: int
    policy: str
    digest: str
    kind: Kind
    at: str
    person: str
    note: str
    state: State


class Preparing(Struct):
    """A publication whose state is being rebuilt from the log."""

    number: int
    done: int
    of: int


class InForce(Struct):
    """The policy that decides, and where it comes from."""

    policy: str
    digest: str
    number: int | None
    source: Source


class Policies(Struct):
    """What decides, what gets ready, and the publications, newest first; ``next`` is the ``before`` of the next part."""

    in_force: InForce
    preparing: Preparing | None
    publications: list[PublicationView]
    next: int | None


class PolicyView(Struct):
    """A publication with its files."""

    publication: PublicationView
    files: dict[str, str]


class Shadows(Struct):
    """Rules on trial, those of the policy in force first; counted since the process began."""

    rules: list[ShadowCounts]


class PolicyCalls:
    """The handlers.

    Args:
        shopward: the open engine.
        gate: hands over.
        calls: reads requests.
        shadows: counts of the rules on trial.
    """

    def __init__(self, shopward: Shopward, gate: Gate, calls: Calls, shadows: ShadowBook) -> None:
        self._shopward = shopward
        self._gate = gate
        self._calls = calls
        self._shadows = shadows

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/policies", self.all, methods=["GET", "POST"]),
            Route("/v1/policies/check", self.check, methods=["POST"]),
            Route("/v1/policies/rollback", self.roll_back, methods=["POST"]),
            Route("/v1/policies/shadow", self.shadow, methods=["GET"]),
            Route("/v1/policies/{number}", self.one, methods=["GET"]),
        ]

    async def all(self, request: Request) -> Response:
        """``GET`` and ``POST /v1/policies``."""
        return await (self.publish(request) if request.method == "POST" else self.listed(request))

    async def check(self, request: Request) -> Response:
        """``POST /v1/policies/check``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), PolicyAsked)
        files = PolicyFiles(asked.files)
        return json_answer(
            await run_in_threadpool(self._shopward.policies.check, files, self._shopward.edition)
        )

    async def publish(self, request: Request) -> Response:
        """``POST /v1/policies``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), PolicyAsked)
        files, in_force = PolicyFiles(asked.files), self._shopward.edition
        made, policy = await run_in_threadpool(
            lambda: self._shopward.policies.publish(caller, files, in_force, note=asked.note)
        )
        return await self._handed_over(made, policy, files)

    async def roll_back(self, request: Request) -> Response:
        """``POST /v1/policies/rollback``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), RollbackAsked)
        in_force = self._shopward.edition
        made, policy, files = await run_in_threadpool(
            lambda: self._shopward.policies.roll_back(caller, in_force, to=asked.to, note=asked.note)
        )
        return await self._handed_over(made, policy, files)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/policies?before=&limit=``."""
        self._calls.caller(request)
        before = _number(request, "before", None, 2**53)
        limit = _number(request, "limit", LIST_DEFAULT, LIST_MAX) or LIST_DEFAULT
        found = await run_in_threadpool(
            lambda: self._shopward.policies.listed(before=before, limit=limit + 1)
        )
        preparing, edition = self._gate.handover.preparing, self._shopward.edition
        source: Source = "folder" if edition.is_folder else "published" if edition.mark else "shipped"
        number = edition.mark.number if edition.mark else None
        return json_answer(
            Policies(
                InForce(edition.policy.version, edition.files.digest, number, source),
                Preparing(*preparing) if preparing else None,
                [self._view(each) for each in found[:limit]],
                found[limit - 1].number if len(found) > limit else None,
            )
        )

    async def shadow(self, request: Request) -> Response:
        """``GET /v1/policies/shadow``."""
        self._calls.caller(request)
        return json_answer(Shadows(self._shadows.counts()))

    async def one(self, request: Request) -> Response:
        """``GET /v1/policies/{number}``."""
        self._calls.caller(request, "analyst")
        text = request.path_params["number"]
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise NotFound(
                "no such publication",
                path="number",
                expected="the number of a publication",
                found="another text",
            )
        publication, files = await run_in_threadpool(self._shopward.policies.files_of, int(text))
        return json_answer(PolicyView(self._view(publication), files.files))

    async def _handed_over(self, made: Publication, policy: Policy, files: PolicyFiles) -> Response:
        """The publication, once it has taken over or has been given its time for that."""
        shopward, handover = self._shopward, self._gate.handover
        now = shopward.edition.mark
        if now is None or now.number < made.number:
            edition = Edition(policy, files, made.mark)
            handover.take(await run_in_threadpool(shopward.successor, edition), shopward.succeeded)
            await handover.over_within(SWITCH_WAIT_S)
        shown = self._view(made)
        return json_answer(shown, 202 if shown.state == "preparing" else 201)

    def _view(self, each: Publication) -> PublicationView:
        mark, preparing = self._shopward.edition.mark, self._gate.handover.preparing
        state: State = "past"
        if mark is not None and mark.number == each.number:
            state = "in_force"
        elif preparing is not None and preparing[0] == each.number:
            state = "preparing"
        return PublicationView(
            each.number,
            each.policy,
            each.digest,
            each.kind,
            to_rfc3339(each.at_ms),
            each.person,
            each.note,
            state,
        )


def _number(request: Request, name: str, default: int | None, largest: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 17 and 1 <= int(text) <= largest):
        raise InvalidField(
            "not a number of a publication or a limit",
            path=name,
            expected=f"a whole number from 1 to {largest}",
            found="another text",
        )
    return int(text)
