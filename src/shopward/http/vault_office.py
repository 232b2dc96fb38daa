"""The office of the vault over HTTP: erasures and holds, locks, rotations, what indexes show, who leaked.

Promise: erasing is a dry run unless it is said otherwise; holds and locks are opened by another person; rotating and
destroying keys, and opening locks, takes an admin.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from shopward.http.calls import by_method, decoded, json_answer, needed_id
from shopward.http.vault_shapes import (
    CanariesAsked,
    CanariesPlanted,
    CandidateView,
    Certificates,
    EraseAsked,
    HoldAsked,
    HoldReleased,
    Holds,
    HoldView,
    KeyStateView,
    LeakTraced,
    LockAsked,
    LockReleased,
    Locks,
    LockView,
    PlanAsked,
    PlanView,
    RetireAsked,
    RootView,
    RotateAsked,
    Rotations,
    RotationView,
    TraceAsked,
)
from shopward.values import to_ms, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from shopward.flows.leaked import LeakView
    from shopward.http.beside import Beside
    from shopward.http.calls import Calls
    from shopward.service import Shopward
    from shopward.vault.rows import Hold, Lock


class VaultOffice:
    """The handlers.

    Args:
        shopward: the open engine.
        calls: reads requests.
        beside: does the steps of rotations.
    """

    def __init__(self, shopward: Shopward, calls: Calls, beside: Beside) -> None:
        self._vault = shopward.vault
        self._calls = calls
        self._beside = beside

    def routes(self) -> list[Route]:
        """Where they answer."""
        return [
            Route("/v1/vault/users/{id}/erase", self.erase, methods=["POST"]),
            Route("/v1/vault/users/{id}/erasures", self.erasures, methods=["GET"]),
            Route("/v1/vault/users/{id}/hold", self.hold, methods=["POST"]),
            Route("/v1/vault/users/{id}/release", self.release, methods=["POST"]),
            Route("/v1/vault/locks", by_method(GET=self.locks, POST=self.lock), methods=["GET", "POST"]),
            Route("/v1/vault/locks/release", self.unlock, methods=["POST"]),
            Route(
                "/v1/vault/rotations",
                by_method(GET=self.rotations, POST=self.rotate),
                methods=["GET", "POST"],
            ),
            Route("/v1/vault/rotations/retire", self.retire, methods=["POST"]),
            Route("/v1/vault/indexes", self.plan, methods=["POST"]),
            Route("/v1/vault/trace", self.trace, methods=["POST"]),
            Route("/v1/vault/canaries", self.plant, methods=["POST"]),
        ]

    async def erase(self, request: Request) -> Response:
        """``POST /v1/vault/users/{id}/erase``; a dry run unless ``dry_run`` is false."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), EraseAsked)
        user_id = needed_id(request, "customer")
        return json_answer(
            await run_in_threadpool(
                lambda: self._vault.erasing.erase(
                    caller, user_id, classes=asked.classes, reason=asked.reason, dry_run=asked.dry_run
                )
            )
        )

    async def erasures(self, request: Request) -> Response:
        """``GET /v1/vault/users/{id}/erasures``."""
        self._calls.caller(request, "analyst")
        found = await run_in_threadpool(self._vault.erasing.certificates, needed_id(request, "customer"))
        return json_answer(Certificates(found))

    async def hold(self, request: Request) -> Response:
        """``POST /v1/vault/users/{id}/hold``."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), HoldAsked)
        user_id = needed_id(request, "customer")
        held = await run_in_threadpool(
            lambda: self._vault.erasing.hold(caller, user_id, classes=asked.classes, reason=asked.reason)
        )
        return json_answer(Holds(_holds(held)), 201)

    async def release(self, request: Request) -> Response:
        """``POST /v1/vault/users/{id}/release``: by another person; carries out an erasure that waited."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), HoldReleased)
        user_id = needed_id(request, "customer")
        erased = await run_in_threadpool(
            lambda: self._vault.erasing.release(caller, user_id, classes=asked.classes)
        )
        return json_answer(Holds([], erased))

    async def locks(self, request: Request) -> Response:
        """``GET /v1/vault/locks``."""
        self._calls.caller(request, "analyst")
        found = await run_in_threadpool(self._vault.guard.locks)
        return json_answer(Locks([_lock_view(each) for each in found]))

    async def lock(self, request: Request) -> Response:
        """``POST /v1/vault/locks``: at once."""
        caller = self._calls.caller(request, "analyst")
        asked = decoded(await self._calls.body(request, caller), LockAsked)
        made = await run_in_threadpool(self._vault.guard.lock, caller, asked.kind, asked.target, asked.reason)
        return json_answer(_lock_view(made), 201)

    async def unlock(self, request: Request) -> Response:
        """``POST /v1/vault/locks/release``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), LockReleased)
        await run_in_threadpool(self._vault.guard.unlock, caller, asked.kind, asked.target)
        return json_answer(
            Locks([_lock_view(each) for each in await run_in_threadpool(self._vault.guard.locks)])
        )

    async def rotations(self, request: Request) -> Response:
        """``GET /v1/vault/rotations``: progress, and which keys can be destroyed."""
        self._calls.caller(request, "analyst")
        return json_answer(await run_in_threadpool(self._told))

    async def rotate(self, request: Request) -> Response:
        """``POST /v1/vault/rotations``: begun; the steps are done beside."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), RotateAsked)
        await run_in_threadpool(self._vault.rekeying.rotate, caller, asked.use)
        self._beside.wake()
        return json_answer(await run_in_threadpool(self._told), 202)

    async def retire(self, request: Request) -> Response:
        """``POST /v1/vault/rotations/retire``."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), RetireAsked)
        await run_in_threadpool(
            lambda: self._vault.rekeying.retire(caller, asked.use, asked.version, give_up=asked.give_up)
        )
        return json_answer(await run_in_threadpool(self._told))

    async def plan(self, request: Request) -> Response:
        """``POST /v1/vault/indexes``: what an index shows; with ``switch``, n-grams on or off."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), PlanAsked)
        if asked.switch:
            await run_in_threadpool(
                lambda: self._vault.custody.switch_ngrams(
                    caller, asked.kind, asked.field, on=asked.switch == "on"
                )
            )
            self._beside.wake()
        plan = await run_in_threadpool(self._vault.custody.plan, asked.kind, asked.field, asked.transform)
        return json_answer(PlanView(plan.name, plan.is_on, plan.records, plan.sampled, *plan.leakage))

    async def trace(self, request: Request) -> Response:
        """``POST /v1/vault/trace``: who could have leaked these rows; nothing of them is kept."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), TraceAsked)
        view = await run_in_threadpool(
            lambda: self._vault.leaks.trace(
                caller, asked.rows, since_ms=_ms(asked.since), until_ms=_ms(asked.until)
            )
        )
        return json_answer(_leak_view(view))

    async def plant(self, request: Request) -> Response:
        """``POST /v1/vault/canaries``: records of nobody; the one answer that names them."""
        caller = self._calls.caller(request, "admin")
        asked = decoded(await self._calls.body(request, caller), CanariesAsked)
        planted = await run_in_threadpool(
            lambda: self._vault.canaries.plant(
                caller, count=asked.count, region=asked.region, phones=asked.phones, domain=asked.domain, partner=asked.partner
            )
        )  # fmt: skip
        return json_answer(CanariesPlanted(*planted), 201)

    def _told(self) -> Rotations:
        rotations: list[Any] = [
            RotationView(
                each.use, each.version, each.state, each.done, each.total, each.person, to_rfc3339(each.started_ms),
                to_rfc3339(each.changed_ms),
            )
            for each in self._vault.rekeying.rotations()
        ]  # fmt: skip
        keys = [
            KeyStateView(
                each.key.use, each.key.version, each.key.root, each.key.state, to_rfc3339(each.key.created_ms), each.left,
                each.is_safe_to_retire, each.outside,
            )
            for each in self._vault.rekeying.report()
        ]  # fmt: skip
        roots = [RootView(*name, count) for name, count in sorted(self._vault.rekeying.roots().items())]
        return Rotations(rotations, keys, roots)


def _ms(moment: datetime | UnsetType) -> int:
    return 0 if moment is UNSET else to_ms(moment)


def _leak_view(view: LeakView) -> LeakTraced:
    """JSON knows no infinity: odds of who could not have shown any row are left out."""
    candidates = [
        CandidateView(
            each.recipient, each.standing, each.rows_seen, each.canaries, each.mark_places, each.mark_chance,
            each.log_odds if isfinite(each.log_odds) else None, each.posterior, each.share,
        )
        for each in view.candidates
    ]  # fmt: skip
    return LeakTraced(**view._asdict() | {"candidates": candidates})


def _holds(held: Sequence[Hold]) -> list[HoldView]:
    return [
        HoldView(each.retention, each.reason, each.person, to_rfc3339(each.since_ms), each.erase_after)
        for each in held
    ]


def _lock_view(lock: Lock) -> LockView:
    return LockView(lock.kind, lock.target, lock.reason, lock.person, to_rfc3339(lock.since_ms))
