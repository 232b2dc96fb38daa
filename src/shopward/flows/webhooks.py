"""Webhooks: who is told, and every change of it audited.

Promise: an endpoint, its secret and the line of the audit log are one transaction; the secret is shown once, when it is
made or replaced. A URL is in no line of the audit log, since it may hold a secret of the receiver's.

Not here: the telling (``courier``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shopward.errors import Conflict, NotFound
from shopward.outbox import Topic
from shopward.outbox.endpoints import (
    ENDPOINTS_MAX,
    OLD_SECRET_MS,
    Backlog,
    Endpoint,
    WebhookAsked,
    WebhookView,
    check_url,
    mailbox_of,
    topics_of,
    view,
)
from shopward.outbox.signing import SECRET_BYTES, secret_text

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.flows.arrows import Outbox, Trail
    from shopward.keyring import Entropy
    from shopward.outbox.deliveries import Deliveries
    from shopward.outbox.endpoints import Delivery
    from shopward.outbox.registry import Endpoints
    from shopward.ports import Records
    from shopward.values import Clock, IdSource


class Telling(NamedTuple):
    """What webhooks stand on."""

    records: Records
    endpoints: Endpoints
    deliveries: Deliveries
    outbox: Outbox
    trail: Trail
    clock: Clock
    ids: IdSource


class Waiting(NamedTuple):
    """How the telling stands: messages that wait, those that were given up, and receivers that are switched off."""

    queued: int
    failed: int
    off: int


class WebhookDesk:
    """Tells who is told; may be called from any thread.

    Args:
        telling: what it stands on.
        entropy: makes secrets.
        has_mail: whether a mail server is set.
    """

    def __init__(self, telling: Telling, entropy: Entropy, *, has_mail: bool) -> None:
        self._on = telling
        self._entropy = entropy
        self._has_mail = has_mail

    def create(self, caller: Caller, asked: WebhookAsked) -> WebhookView:
        """A new endpoint, with its secret in clear for this once."""
        caller.require("admin")
        check_url(asked.url, has_mail=self._has_mail)
        now_ms = self._on.clock.now_ms()
        secret = self._entropy(SECRET_BYTES)
        made = Endpoint(
            id=self._on.ids.new("w", now_ms),
            url=asked.url,
            topics=topics_of(asked),
            state="active",
            why="",
            created_ms=now_ms,
            failing_since_ms=0,
            last_code="",
            last_ms=0,
            old_until_ms=0,
        )

        def work(connection: Any) -> None:
            known = self._on.endpoints.all(connection)
            if len(known) >= ENDPOINTS_MAX or any(each.url == made.url for each in known):
                raise Conflict(
                    "no second webhook of this URL can be made", code="webhook_exists", path="url",
                    expected=f"another URL, and at most {ENDPOINTS_MAX} webhooks", found=f"{len(known)} webhooks",
                )  # fmt: skip
            self._on.endpoints.add(connection, made, secret)
            self._audit(connection, caller.key, made.id, "create", now_ms)

        self._on.records.write(work)
        shown = "" if mailbox_of(made.url) else secret_text(secret)  # nothing signs a mail
        return view(made, Backlog(), at_ms=now_ms, secret=shown)

    def all(self) -> list[WebhookView]:
        """All endpoints, oldest first."""

        def work(connection: Any) -> list[WebhookView]:
            backlogs = self._on.endpoints.backlogs(connection)
            now_ms = self._on.clock.now_ms()
            return [
                view(endpoint, backlogs.get(endpoint.id, Backlog()), at_ms=now_ms)
                for endpoint in self._on.endpoints.all(connection)
            ]

        return self._on.records.read(work)

    def waiting(self) -> Waiting:
        """How the telling stands."""

        def work(connection: Any) -> Waiting:
            endpoints = self._on.endpoints.all(connection)
            queued, failed = self._on.deliveries.waiting(connection, endpoints)
            return Waiting(queued, failed, sum(each.state == "off" for each in endpoints))

        return self._on.records.read(work)

    def get(self, endpoint_id: str) -> WebhookView:
        """One of them; raises ``NotFound``."""
        found = next((each for each in self.all() if each.id == endpoint_id), None)
        if found is None:
            raise _not_found()
        return found

    def remove(self, caller: Caller, endpoint_id: str) -> None:
        """Tell it nothing more, and forget its secret."""
        caller.require("admin")

        def work(connection: Any) -> None:
            self._got(connection, endpoint_id)
            self._on.endpoints.remove(connection, endpoint_id)
            self._audit(connection, caller.key, endpoint_id, "remove", self._on.clock.now_ms())

        self._on.records.write(work)

    def rotate(self, caller: Caller, endpoint_id: str) -> WebhookView:
        """Another secret, in clear for this once; the one before signs beside it for a day."""
        caller.require("admin")
        now_ms = self._on.clock.now_ms()
        secret = self._entropy(SECRET_BYTES)

        def work(connection: Any) -> Endpoint:
            self._got(connection, endpoint_id)
            self._on.endpoints.rotate(connection, endpoint_id, secret, old_until_ms=now_ms + OLD_SECRET_MS)
            self._audit(connection, caller.key, endpoint_id, "rotate", now_ms)
            return self._got(connection, endpoint_id)

        return view(self._on.records.write(work), Backlog(), at_ms=now_ms, secret=secret_text(secret))

    def test(self, caller: Caller, endpoint_id: str) -> str:
        """Send a test message to this endpoint alone; its id."""
        caller.require("admin")
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> str:
            endpoint = self._got(connection, endpoint_id)
            message_id = self._on.outbox.owe(
                connection, at_ms=now_ms, topic=Topic.WEBHOOK_TEST, subject=endpoint_id, payload={}
            )
            self._on.deliveries.assign_one(connection, message_id, endpoint, at_ms=now_ms)
            return str(message_id)

        return self._on.records.write(work)

    def replay(self, caller: Caller, endpoint_id: str) -> int:
        """Try everything that failed anew, and switch the endpoint on where it is off; how many."""
        caller.require("admin")
        now_ms = self._on.clock.now_ms()

        def work(connection: Any) -> int:
            endpoint = self._got(connection, endpoint_id)
            on = msgspec.structs.replace(endpoint, state="active", why="", failing_since_ms=0)
            self._on.endpoints.put(connection, on)
            count = self._on.deliveries.replay(connection, endpoint_id, at_ms=now_ms)
            self._audit(connection, caller.key, endpoint_id, "replay", now_ms)
            return count

        return self._on.records.write(work)

    def deliveries(
        self, endpoint_id: str, *, state: str | None, before: str | None, limit: int
    ) -> list[Delivery]:
        """What became of each message, newest first."""
        self.get(endpoint_id)
        return self._on.records.read(
            lambda connection: self._on.deliveries.newest(
                connection, endpoint_id, state=state, before=before, limit=limit
            )
        )

    def _got(self, connection: Any, endpoint_id: str) -> Endpoint:
        endpoint = self._on.endpoints.get(connection, endpoint_id)
        if endpoint is None:
            raise _not_found()
        return endpoint

    def _audit(self, connection: Any, actor: str, endpoint_id: str, step: str, at_ms: int) -> None:
        changed(self._on.trail, connection, actor=actor, endpoint_id=endpoint_id, step=step, at_ms=at_ms)


def changed(trail: Trail, connection: Any, *, actor: str, endpoint_id: str, step: str, at_ms: int) -> None:
    """The line of the audit log."""
    trail.append(
        connection,
        at_ms=at_ms,
        actor=actor,
        deed="webhook:change",
        subject=endpoint_id,
        details={"step": step},
    )


def _not_found() -> NotFound:
    return NotFound("no such webhook", path="id", expected="the id of a webhook", found="another id")
