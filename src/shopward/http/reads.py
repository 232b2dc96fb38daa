"""Reading: what the log knows of a user, and how the server is.

Promise: these calls decide and change nothing, and read the log in threads of their own, so that a large history slows
nobody's decision. A user's view looks at the newest ``HISTORY_MAX`` entries and says so where there are more.
``/healthz``, ``/readyz`` and ``/metrics`` take no key: they hold nothing of a customer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shopward.errors import InvalidField, NotFound
from shopward.events import Facts
from shopward.flows.recorded import record_of_entry, recorded_event
from shopward.flows.wording import DEFAULT_LANGUAGE, Decision, ReasonGiven, language_of
from shopward.http.calls import id_of
from shopward.http.hot import authorised
from shopward.http.metrics import CONTENT_TYPE, counter, shadow_text, trial_text, workload_text
from shopward.protection.linkage import Shared
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from shopward.access import ApiKeys
    from shopward.flows.shadow import ShadowBook
    from shopward.http.figures import Figures, Found
    from shopward.http.gate import Gate
    from shopward.http.metrics import Metrics
    from shopward.ports import LogEntry
    from shopward.service import Shopward

HISTORY_MAX: Final = 10_000
_PAGE: Final = 500
_LATEST: Final = 10
LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500

_facts: Final = msgspec.json.Decoder(Facts)


class EventCounts(Struct):
    """How many events are recorded; ``complete`` is false where only the newest were counted."""

    total: int
    by_type: dict[str, int]
    by_decision: dict[str, int]
    complete: bool


class UserView(Struct):
    """What the log knows of a user.

    Attributes:
        id: as asked for.
        first_seen: time of the oldest event looked at.
        last_seen: time of the newest event.
        events: how many, by type and by decision.
        devices: different devices seen.
        orders: protection orders in force that cover the user in anything.
        shared: what the user is reached by or signs in with, by how many other accounts have it too.
        why: reasons of the newest decision that was not allow.
        decisions: the newest decisions, newest first.
    """

    id: str
    first_seen: str
    last_seen: str
    events: EventCounts
    devices: int
    orders: list[str]
    shared: list[Shared]
    why: list[ReasonGiven]
    decisions: list[Decision]


class TimelineEntry(Struct):
    """One recorded event as it was sent, and its decision."""

    seq: int
    at: str
    event: msgspec.Raw
    decision: Decision


class Timeline(Struct):
    """A part of a user's history, newest first; ``next`` is the ``before`` of the part that follows, if any."""

    user: str
    entries: list[TimelineEntry]
    next: Annotated[int, Meta(ge=1)] | None


class Reads:
    """The handlers.

    Args:
        shopward: the open engine; its log is read, nothing else.
        keys: who may call.
        gate: asked whether it is ready.
        metrics: shown at ``/metrics``.
        shadows: shown there too; figures too.
    """

    def __init__(
        self,
        shopward: Shopward,
        keys: ApiKeys,
        gate: Gate,
        metrics: Metrics,
        shadows: ShadowBook,
        figures: Figures,
    ) -> None:
        self._shopward = shopward
        self._keys = keys
        self._gate = gate
        self._metrics = metrics
        self._shadows = shadows
        self._figures = figures

    async def user(self, request: Request) -> Response:
        """``GET /v1/users/{id}``."""
        user_id, language = self._asked(request)
        return _json(await run_in_threadpool(self._view, user_id, language))

    async def timeline(self, request: Request) -> Response:
        """``GET /v1/users/{id}/timeline?before=&limit=``."""
        user_id, language = self._asked(request)
        before = _number(request, "before", None, 2**63 - 1)
        limit = _number(request, "limit", LIMIT_DEFAULT, LIMIT_MAX) or LIMIT_DEFAULT
        return _json(await run_in_threadpool(self._timeline, user_id, language, before, limit))

    async def health(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /healthz``: the process answers."""
        return _json({"status": "ok"})

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /readyz``: the state is rebuilt and the log records."""
        done, of = self._gate.progress
        state = {"status": "ready" if self._gate.is_ready else "not_ready", "seq": self._gate.seq}
        if not self._gate.is_ready:
            state |= {"rebuilt": done, "of": of}
        return _json(state, 200 if self._gate.is_ready else 503)

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002 -- a handler's signature
        """``GET /metrics``."""
        live = self._figures.live(DEFAULT_LANGUAGE)
        found = await run_in_threadpool(self._figures.found)
        waits = await run_in_threadpool(self._figures.waits)
        gauges = {
            "shopward_ready": ("Whether decisions are answered.", float(self._gate.is_ready)),
            "shopward_queue_lines": ("Lines waiting for the next group.", float(self._gate.waiting)),
            "shopward_log_seq": ("Position of the log after the last group.", float(self._gate.seq)),
            "shopward_password_corpus_asked": (
                "Passwords that corpora were asked about.",
                float(self._shopward.passwords.corpora.asked),
            ),
            "shopward_password_corpus_unreachable": (
                "Of these, how many a corpus could not be asked about; they were allowed.",
                float(self._shopward.passwords.corpora.unreachable),
            ),
            "shopward_sim_swaps_asked": (
                "Numbers that the operator was asked about.",
                float(self._shopward.sims.swaps.asked),
            ),
            "shopward_sim_swaps_found": (
                "Of these, how many had another SIM a short while ago.",
                float(self._shopward.sims.swaps.swapped),
            ),
            "shopward_sim_swaps_unheard": (
                "Of these, how many had no answer; codes went out as without it.",
                float(self._shopward.sims.swaps.unheard),
            ),
            "shopward_state_keys": ("Keys that the features hold.", float(self._shopward.state_keys)),
            "shopward_snapshot_pause_seconds": (
                "How long decisions waited for the last snapshot.",
                self._metrics.snapshot_pause_s,
            ),
            "shopward_models_in_force": (
                "Learned scores that decide; fewer than are set where the policy refused one.",
                float(len(self._shopward.models)),
            ),
            "shopward_models_set": (
                "Model bundles that the settings name.",
                float(len(self._shopward.settings.models)),
            ),
            "shopward_screening_bundles_refused": (
                "Bundles of screening that the settings name and that cannot be used; what judged before goes on.",
                float(self._shopward.screening.bundles_refused),
            ),
            "shopward_kernel_compiled": (
                "Whether the compiled kernel keeps the features.",
                float(self._shopward.kernel == "compiled"),
            ),
        } | _found_gauges(len(live), found, is_fresh=found.is_fresh and waits.is_fresh)
        tries = counter(
            "shopward_webhook_tries_total", "Tries to deliver a message, by what came of them.", "outcome",
            self._shopward.courier.outcomes.copy(),
        )  # fmt: skip
        shared = self._shopward.shared
        signals = counter(
            "shopward_signals_received_total", "Tokens that other companies brought, by what came of them.", "outcome",
            shared.receiver.outcomes.copy(),
        ) + counter(
            "shopward_signals_sent_total", "Tokens to other companies, by what came of them.", "outcome",
            shared.teller.outcomes.copy(),
        )  # fmt: skip
        failing = counter(
            "shopward_filters_failing_total", "Events on which a filter of the policy could not be computed.", "filter",
            self._shopward.policy.failing_filters.copy(),
        )  # fmt: skip
        text = (
            self._metrics.text(gauges)
            + "\n".join([*tries, *signals, *failing, ""])
            + shadow_text(self._shadows.counts())
        )
        text += workload_text(waits.workload)
        text += trial_text(self._shopward.screening.trial.all())
        return Response(text, media_type=None, headers={"content-type": CONTENT_TYPE})

    def _asked(self, request: Request) -> tuple[str, str]:
        authorised(self._keys, request.headers.get("authorization", "").encode("latin-1"))
        user_id = id_of(request)
        if user_id is None:
            raise _unknown_user()
        return user_id, language_of(request.headers.get("accept-language", "").encode("latin-1"))

    def _view(self, user_id: str, language: str) -> UserView:
        wording = self._shopward.wording
        types: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        devices: set[str] = set()
        latest: list[Decision] = []
        why: tuple[ReasonGiven, ...] = ()
        newest: LogEntry | None = None
        oldest: LogEntry | None = None
        for entry in self._entries(user_id):
            facts, record = _facts.decode(entry.facts), record_of_entry(entry)
            types[facts.type] += 1
            kinds[record.decision] += 1
            devices.add(facts.device)
            if len(latest) < _LATEST:
                latest.append(wording.decision(record, language))
            if not why and record.decision != "allow":
                why = wording.decision(record, language).reasons
            newest, oldest = newest or entry, entry
        if newest is None or oldest is None:
            raise _unknown_user()
        return UserView(
            user_id,
            to_rfc3339(oldest.at_ms),
            to_rfc3339(newest.at_ms),
            EventCounts(types.total(), dict(types), dict(kinds), types.total() < HISTORY_MAX),
            len(devices - {""}),
            self._shopward.overseer.orders_of(user_id),
            self._shopward.tracer.shared_by(user_id),
            list(why),
            latest,
        )

    def _entries(self, user_id: str) -> Iterator[LogEntry]:
        """A user's newest entries, up to ``HISTORY_MAX``, newest first."""
        token, before, left = self._shopward.maker.user_token(user_id), None, HISTORY_MAX
        while left > 0:
            page = self._shopward.log.timeline(token, before_seq=before, limit=min(_PAGE, left))
            yield from page
            if len(page) < _PAGE:
                return
            left -= len(page)
            before = page[-1].seq

    def _timeline(self, user_id: str, language: str, before: int | None, limit: int) -> Timeline:
        token = self._shopward.maker.user_token(user_id)
        page = self._shopward.log.timeline(token, before_seq=before, limit=limit + 1)
        if not page and before is None:
            raise _unknown_user()
        shown, entries = page[:limit], []
        for entry, told in zip(shown, self._shopward.vault.history.told(shown), strict=True):
            recorded = recorded_event(entry, told)
            decision = self._shopward.wording.decision(recorded.decision, language)
            entries.append(TimelineEntry(entry.seq, to_rfc3339(entry.at_ms), recorded.event, decision))
        return Timeline(user_id, entries, entries[-1].seq if len(page) > limit else None)


def _found_gauges(live: int, found: Found, *, is_fresh: bool) -> dict[str, tuple[str, float]]:
    """What was found of campaigns, how its recording keeps up, and how the telling stands."""
    return {
        f"shopward_{name}": (text, float(value))
        for name, text, value in (
            ("campaigns_live", "Campaigns that are live.", live),
            ("campaigns_unheard", "Of these, how many nobody acknowledged.", found.unheard),
            ("findings_open", "Earlier successes that nobody looked at.", found.findings_open),
            ("recorder_lag_events", "Decided events whose campaigns are not recorded yet.", found.lag_events),
            ("recorder_shed", "Changes of campaigns given up because nobody took them in time.", found.shed),
            ("webhook_queued", "Messages that wait for a receiver.", found.queued),
            ("webhook_failed", "Messages of the last 30 days that were given up.", found.failed),
            ("webhooks_off", "Receivers that are switched off.", found.off),
            (
                "records_readable",
                "Whether these counts could be read now; the last ones stand where not.",
                is_fresh,
            ),
        )
    }


def _number(request: Request, name: str, default: int | None, largest: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 1 <= int(text) <= largest):
        raise InvalidField(
            "not a position or a limit",
            path=name,
            expected=f"a whole number from 1 to {largest}",
            found="another text",
        )
    return int(text)


def _unknown_user() -> NotFound:
    return NotFound(
        "no event of this user is recorded",
        path="id",
        expected="the id of a user in the log",
        found="another id",
    )


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(value),
        status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )
