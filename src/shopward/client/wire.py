"""The wire: which requests are made, and what their answers mean; pure, shared by the sync and the async client.

Promise:
- an event that is sent again is the same bytes under the same id, so that it is decided once however often it is sent;
- whatever comes back is an answer or a ``Fault``: no status, body or header of a server makes this raise;
- a fault repeats the server's diagnostics (path, expected, found) and nothing of the event.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from shopward.client.answers import (
    Answer,
    Authorization,
    Captured,
    Challenge,
    OwnPage,
    PasswordScreened,
    Reason,
    Record,
    Records,
    decision_from,
)
from shopward.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.client.answers import Decision
    from shopward.client.fallback import Fallback

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
DECISIONS: Final = "/v1/decisions"
EVENTS: Final = "/v1/events"
AUTHORIZATIONS: Final = "/v1/authorizations"
CHALLENGES: Final = "/v1/challenges"
PASSWORDS: Final = "/v1/screen/passwords"
VAULT: Final = "/v1/vault"
OFFICE_S: Final = 30.0
"""Nobody's customer waits for it, and a trace reads the log of accesses."""
VAULT_S: Final = 5.0
"""A reveal is decided, audited and counted before it is answered."""
SCREENING_S: Final = 3.0
"""The server may ask a range service, which has two seconds."""
PROVING_S: Final = 5.0
"""A recovery code is a slow hash, on purpose."""
_BY_PROBLEM: Final = {
    "event_in_future": "clock_skew",
    "event_id_reused": "event_id_reused",
    "capture_stopped": "not_captured",
    "authorization_expired": "not_captured",
    "authorization_settled": "not_captured",
    "purpose_fields": "not_shown",
    "purpose_window": "not_shown",
    "vault_locked": "not_shown",
    "reveal_denied": "not_shown",
    "reveal_challenged": "not_shown",
    "training_needed": "not_shown",
    "quota_reached": "not_shown",
    "second_person_needed": "not_shown",
    "request_state": "not_shown",
    "record_conflict": "not_shown",
    "not_ready": "unavailable",
    "overloaded": "unavailable",
}
_BY_STATUS: Final = {401: "unauthorized", 403: "unauthorized", 404: "too_old_server", 405: "too_old_server"}
_NOT_OURS: Final = frozenset({"unauthorized", "role_missing", "not_found", "method_not_allowed"})
"""Refusals that are about the caller, not about the answer."""
T = TypeVar("T")
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Request(NamedTuple):
    """One call: where to, what, how long it may take where that is longer than usual, whether twice is as good as once, and further headers."""

    path: str
    body: bytes
    method: str = "POST"
    timeout_s: float = 0.0
    is_repeatable: bool = True
    headers: tuple[tuple[str, str], ...] = ()


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def posting(path: str, event: Mapping[str, Any]) -> Request:
    """A call with an event as its body; raises ``TypeError`` or ``ValueError`` where the event is no JSON."""
    return Request(
        path, json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    )


def settling(authorization_id: str, verb: str) -> Request:
    """``capture`` or ``void`` of an authorisation."""
    return Request(f"{AUTHORIZATIONS}/{authorization_id}/{verb}", b"")


def looking(decision_id: str) -> Request:
    """What a decision's challenge asks for."""
    return Request(f"{CHALLENGES}/{quote(decision_id, safe='')}", b"", "GET")


def answering(decision_id: str, who: Mapping[str, Any], factor: str, answer: str) -> Request:
    """An answer to a challenge; ``who`` is ``user`` and ``context`` as in an event."""
    asked = posting(
        f"{CHALLENGES}/{quote(decision_id, safe='')}/verify", {**who, "factor": factor, "answer": answer}
    )
    return asked._replace(timeout_s=PROVING_S)


def screening(password: str, context: Mapping[str, str | bool]) -> Request:
    """A password to be looked at; it stands in the body alone."""
    return posting(PASSWORDS, {"password": password, "context": context})._replace(timeout_s=SCREENING_S)


def vaulting(verb: str, asked: Mapping[str, Any]) -> Request:
    """A call of the vault: ``records`` to keep, ``reveal`` or ``search``; values stand in the body alone."""
    return posting(f"{VAULT}/{verb}", asked)._replace(timeout_s=VAULT_S)


def visiting(user: str, asked: Mapping[str, str | bool]) -> Request:
    """A link to a customer's own page; what is empty is left to the server."""
    meant = {name: value for name, value in asked.items() if value != ""}
    return posting(f"/v1/users/{quote(user, safe='')}/visits", meant)


def asking(path: str, query: Mapping[str, str | int]) -> Request:
    """What staff look up; parts of the query that are empty are left out."""
    meant = {name: value for name, value in query.items() if value != ""}
    return Request(f"{path}?{urlencode(meant)}" if meant else path, b"", "GET", OFFICE_S)


def doing(path: str, asked: Mapping[str, Any] | None) -> Request:
    """What staff do; it is made once, since a second time could make a second one."""
    request = Request(path, b"") if asked is None else posting(path, asked)
    return request._replace(timeout_s=OFFICE_S, is_repeatable=False)


def read_answer(reply: Reply | Fault) -> Answer:
    """What the server answered, or why it was not done."""
    read = _read(reply, dict)
    if not isinstance(read, Fault):
        return Answer(read)
    is_about_it = read.problem and read.problem not in _NOT_OURS and not is_failure(reply)
    if is_about_it or _is_missing(read):
        read = Fault("not_done", read.detail, read.problem)
    return Answer(fault=read)


def read_own_page(reply: Reply | Fault, server: str) -> OwnPage:
    """Where a customer's own page is: on this server, where it does not know its outward address."""
    read = _read(reply, lambda body: OwnPage(str(body.get("url") or server + body["path"])))
    return OwnPage(fault=read) if isinstance(read, Fault) else read


def read_records(reply: Reply | Fault) -> Records:
    """What the vault gave; nothing where it was not heard, refuses, or waits for a second person. Fails closed."""
    read = _read(
        reply,
        lambda body: (
            Records(waits_for=str(body["id"]))
            if "records" not in body
            else Records(
                tuple(
                    Record(str(each["id"]), str(each["kind"]), int(each["version"]), dict(each["fields"]))
                    for each in body["records"]
                )
            )
        ),
    )
    if not isinstance(read, Fault):
        return read
    if _is_missing(read):
        read = Fault("not_shown", read.detail, read.problem)
    return Records(challenge=_challenge_in(reply), fault=read)


def read_screened(reply: Reply | Fault) -> PasswordScreened:
    """The verdict; a password may be chosen where nobody was heard. Fails open, as a list that is away shall."""
    read = _read(
        reply,
        lambda body: PasswordScreened(
            body["verdict"] != "reject",
            tuple(Reason(str(each["code"]), str(each["text"])) for each in body["reasons"]),
            body.get("breach_count"),
        ),
    )
    return PasswordScreened(may_be_chosen=True, fault=read) if isinstance(read, Fault) else read


def read_challenge(reply: Reply | Fault) -> Challenge:
    """The challenge as it stands; ``refused`` where the server was heard and takes no such answer."""
    read = _read(
        reply,
        lambda body: Challenge(str(body["state"]), tuple(map(str, body["offered"])), int(body["tries_left"])),
    )
    if not isinstance(read, Fault):
        return read
    if is_failure(reply) or read.problem in _NOT_OURS or not read.problem:
        return Challenge("unheard", fault=read)
    return Challenge("refused", fault=Fault("not_proved", read.detail, read.problem))


def read_decision(reply: Reply | Fault, event: Mapping[str, Any], fallback: Fallback) -> Decision:
    """The server's decision, or the shop's own."""
    read = _read(reply, decision_from)
    return fallback.decision(event, read) if isinstance(read, Fault) else read


def read_recorded(reply: Reply | Fault) -> Fault | None:
    """``None`` where the event is recorded."""
    read = _read(reply, lambda body: int(body["recorded"]))
    return read if isinstance(read, Fault) else None


def read_authorization(reply: Reply | Fault, event: Mapping[str, Any], fallback: Fallback) -> Authorization:
    """The authorisation, or one that says that nobody was heard."""
    if_unheard = fallback.verdict(event)
    read = _read(
        reply,
        lambda body: Authorization(
            str(body["id"]), str(body["state"]), decision_from(body["decision"]), if_unheard
        ),
    )
    if isinstance(read, Fault):
        return Authorization("", "unheard", fallback.decision(event, read), if_unheard)
    return read


def read_captured(reply: Reply | Fault, authorization: Authorization) -> Captured:
    """Whether money may move: where the server said ``captured``, or cannot be heard and the shop goes on then.

    Fails closed: a server that is heard and says anything else stops the money, whatever the shop's table says.
    """
    read = _read(reply, lambda body: str(body["state"]))
    if not isinstance(read, Fault):
        return Captured(read == "captured")
    goes_on = is_failure(reply) and authorization.if_unheard in ("allow", "review")
    return Captured(goes_on, read)


def is_passing(reply: Reply | Fault) -> bool:
    """Whether the same call may be answered if it is made once more at once."""
    if isinstance(reply, Fault):
        return reply.code == "unreachable"
    return reply.status in (502, 503, 504)


def is_failure(reply: Reply | Fault) -> bool:
    """Whether the server counts as failing: not what it says of an event, but that it cannot say anything."""
    return isinstance(reply, Fault) or reply.status >= 500


def _read(reply: Reply | Fault, shape: Callable[[Mapping[str, Any]], T]) -> T | Fault:
    if isinstance(reply, Fault):
        return reply
    if 200 <= reply.status < 300:
        try:
            return shape(json.loads(reply.body))
        except _UNREADABLE:
            return Fault("bad_answer", f"status {reply.status}")
    return fault_of(reply)


def _is_missing(fault: Fault) -> bool:
    """Whether what was asked for is not there, and not the call itself."""
    return fault.problem == "not_found" and "path: " in fault.detail


def _challenge_in(reply: Reply | Fault) -> str:
    """The challenge that a reveal was refused with, if it was."""
    found = "" if isinstance(reply, Fault) else _object(reply.body).get("challenge_id", "")
    return found if isinstance(found, str) else ""


def fault_of(reply: Reply) -> Fault:
    """Why the server did not do it."""
    problem = _object(reply.body)
    code = problem.get("code")
    code = code if isinstance(code, str) else ""
    parts = [f"{name}: {problem[name]}" for name in ("path", "expected", "found") if problem.get(name)]
    if code:
        parts.insert(0, f"[{code}]")
    named = _BY_PROBLEM.get(code) or _BY_STATUS.get(reply.status)
    if named is None:
        named = "unavailable" if reply.status >= 500 else "event_refused" if code else "bad_answer"
    if named == "too_old_server" and code not in ("not_found", "method_not_allowed"):
        named = "bad_answer"
    return Fault(named, " ".join(parts) or f"status {reply.status}", code)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except _UNREADABLE:
        return {}
    return value if isinstance(value, dict) else {}
