"""The office: what staff's own tools ask of Shopward, for code that waits and for code that awaits.

Promise: each call is one call of the HTTP API (docs/reference/http-api.md), which is the reference of what goes in and comes
out; it returns an ``Answer`` and never raises for anything that a server or a network does. What makes something is sent once
and not tried again: an answer that did not come leaves open whether it was done, so look before you do it again.

It takes the key of a person of staff, not the shop's: roles, quotas and second persons are by person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar
from urllib.parse import quote

from shopward.client import wire
from shopward.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shopward.client.wire import Request

A = TypeVar("A")
"""An ``Answer``, or what is awaited for one."""
_NO_JSON: Final = Fault(
    "event_refused", "what is asked is no JSON: expected text, numbers, lists and objects"
)


class Office(Generic[A]):
    """``office`` of a client.

    Args:
        send: makes a call.
        allowed: gives the call back, or why the server is left alone for now.
    """

    def __init__(
        self, send: Callable[[Request | Fault], A], allowed: Callable[[Request], Request | Fault]
    ) -> None:
        self._send = send
        self._allowed = allowed

    # Leaks and partners.

    def trace(self, rows: Sequence[Mapping[str, str]], *, since: str = "", until: str = "") -> A:
        """Who could have leaked these rows, from what was shown between two moments."""
        times = {name: each for name, each in (("since", since), ("until", until)) if each}
        return self._do("vault/trace", {"rows": list(rows), **times})

    def partners(self, *, after: str = "", limit: int = 50) -> A:
        """A page of partners."""
        return self._look("partners", after=after, limit=limit)

    def partner(self, partner: str) -> A:
        """A partner with its agreement, scope and audits."""
        return self._look(f"partners/{_id(partner)}")

    def register_partner(self, asked: Mapping[str, Any]) -> A:
        """A new partner; ``asked`` as the HTTP API shows it."""
        return self._do("partners", asked)

    def step_partner(self, partner: str, step: str, *, reason: str) -> A:
        """``suspend`` at once, ``resume`` or ``end``."""
        return self._do(f"partners/{_id(partner)}/steps", {"step": step, "reason": reason})

    def share(
        self, partner: str, *, purpose: str, fields: Sequence[str], days: int, records: Sequence[str]
    ) -> A:
        """Fields of records of the vault for a partner; the answer has the share's token, for this once."""
        asked = {"purpose": purpose, "fields": list(fields), "days": days, "records": list(records)}
        return self._do(f"partners/{_id(partner)}/shares", asked)

    def close_share(self, partner: str, share: str) -> A:
        """End a share before its time."""
        return self._do(f"partners/{_id(partner)}/shares/{_id(share)}/close")

    # Proving that it is you.

    def prove(self, challenge: str, factor: str, answer: str) -> A:
        """Answer the challenge that a reveal was refused with: ``totp`` with its six digits, ``passkey`` with the credential as JSON."""
        return self._do(f"staff/challenges/{_id(challenge)}/verify", {"factor": factor, "answer": answer})

    # Incidents.

    def open_incident(self, title: str, kind: str, **more: str) -> A:
        """A new incident; ``more`` is ``severity``, ``campaign``, ``began``, ``ended`` or ``playbook``."""
        return self._do("incidents", {"title": title, "kind": kind, **more})

    def incidents(self, **query: str | int) -> A:
        """A page of incidents."""
        return self._look("incidents", **query)

    def incident(self, incident: str) -> A:
        """An incident with what is owed by when."""
        return self._look(f"incidents/{_id(incident)}")

    def step_incident(self, incident: str, step: Mapping[str, Any]) -> A:
        """Something that was done or learnt; ``step`` as the HTTP API shows it."""
        return self._do(f"incidents/{_id(incident)}/steps", step)

    # Claims.

    def draft_claim(self, user: str, **more: str) -> A:
        """A claim with the evidence that is known; ``more`` is ``regime``, ``incident``, ``since`` or ``until``."""
        return self._do("claims", {"user": user, **more})

    def claims(self, **query: str | int) -> A:
        """A page of claims."""
        return self._look("claims", **query)

    def claim(self, claim: str) -> A:
        """A claim as it stands."""
        return self._look(f"claims/{_id(claim)}")

    def step_claim(
        self,
        claim: str,
        step: Literal[
            "submit", "approve", "decline", "confirm", "reject", "evidence", "clock", "appeal", "reopen", "withdraw", "payouts"
        ],
        asked: Mapping[str, Any] | None = None,
    ) -> A:  # fmt: skip
        """A step of a claim; ``asked`` as the HTTP API shows it, ``None`` where the step has no body."""
        return self._do(f"claims/{_id(claim)}/{step}", asked)

    # Cases and complaints.

    def report(self, kind: str, **said: str) -> A:
        """What a customer or somebody of staff reports; ``said`` is ``user``, ``text``, ``url``, ``sender``, ``channel`` and so on."""
        return self._do("reports", {"kind": kind, **said})

    def cases(self, **query: str | int) -> A:
        """A page of cases."""
        return self._look("reports", **query)

    def case(self, case: str) -> A:
        """A case with its reports and notes."""
        return self._look(f"reports/{_id(case)}")

    def settle_case(self, case: str, state: str, **more: str) -> A:
        """What came of a case; ``more`` is ``scope`` or ``reason``."""
        return self._do(f"reports/{_id(case)}", {"state": state, **more})

    def assign_case(self, case: str, person: str = "") -> A:
        """Who looks after a case; the caller where nobody is named."""
        return self._do(f"reports/{_id(case)}/assign", {"person": person} if person else {})

    def note_case(self, case: str, text: str) -> A:
        """What staff learnt; values in it are masked before it is kept."""
        return self._do(f"reports/{_id(case)}/notes", {"text": text})

    def complain(self, user: str, about: str, statement: str, **more: str) -> A:
        """A customer's complaint; ``more`` is ``subject``, ``against``, ``regime`` or ``key``."""
        return self._do("complaints", {"user": user, "about": about, "statement": statement, **more})

    def complaints(self, **query: str | int) -> A:
        """A page of complaints."""
        return self._look("complaints", **query)

    def complaint(self, complaint: str) -> A:
        """A complaint with its dates."""
        return self._look(f"complaints/{_id(complaint)}")

    def step_complaint(
        self,
        complaint: str,
        step: Literal["acknowledge", "take", "extend", "decide", "appeal", "withdraw"],
        asked: Mapping[str, Any] | None = None,
    ) -> A:
        """A step of a complaint; ``extend`` and ``decide`` have a body."""
        return self._do(f"complaints/{_id(complaint)}/{step}", asked)

    def _look(self, path: str, **query: str | int) -> A:
        return self._send(self._allowed(wire.asking(f"/v1/{path}", query)))

    def _do(self, path: str, asked: Mapping[str, Any] | None = None) -> A:
        try:
            request = wire.doing(f"/v1/{path}", asked)
        except (TypeError, ValueError, RecursionError):
            return self._send(_NO_JSON)
        return self._send(self._allowed(request))


def _id(value: str) -> str:
    return quote(value, safe="")
