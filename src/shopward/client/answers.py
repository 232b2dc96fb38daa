"""Answers as a shop reads them: small frozen records, read leniently.

Promise: a field or a word that a newer server adds breaks nothing: unknown fields are passed over, and a decision that is
none of the four counts as ``deny``, since what is not understood must not let anybody through. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.client.faults import Fault

Verdict = Literal["allow", "review", "challenge", "deny"]
VERDICTS: Final[tuple[Verdict, ...]] = ("allow", "review", "challenge", "deny")


@dataclass(frozen=True)
class Reason:
    """Why: a stable code, a text in the language asked for, and the values that the rule saw."""

    code: str
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """The answer to one event.

    Attributes:
        event_id: of the event.
        decision: allow, review, challenge or deny.
        score: 0 to 100; 0 where the server was not heard.
        reasons: strongest first.
        actions: what the shop is asked to do, as the contract writes them.
        orders: protection orders that had a say.
        id: of the decision; a challenge's proof names it. Empty where the server was not heard.
        fault: why the server was not heard; ``None`` where it was.
    """

    event_id: str
    decision: Verdict
    score: float = 0.0
    reasons: tuple[Reason, ...] = ()
    actions: tuple[Mapping[str, Any], ...] = ()
    orders: tuple[str, ...] = ()
    id: str = ""
    fault: Fault | None = None

    @property
    def may_proceed(self) -> bool:
        """Whether the action goes ahead now: allowed, or allowed and looked at later."""
        return self.decision in ("allow", "review")

    @property
    def is_fallback(self) -> bool:
        """Whether this is the shop's own setting because the server was not heard."""
        return self.fault is not None

    def action(self, type_: str) -> Mapping[str, Any] | None:
        """The first action of a type (``step_up``, ``hold``, ``limit``, ...), if it is asked for."""
        return next((each for each in self.actions if each.get("type") == type_), None)


@dataclass(frozen=True)
class Authorization:
    """The first step of a movement of money: a decision, and an id to capture within ten seconds.

    Attributes:
        id: to capture or void; empty where the server was not heard or refused.
        state: ``authorized``, ``refused``, ``expired``, ``captured``, ``voided``, ``stopped`` or ``unheard``.
        decision: why.
        if_unheard: what the shop said of such an event for when the server cannot be heard.
    """

    id: str
    state: str
    decision: Decision
    if_unheard: Verdict

    @property
    def may_capture(self) -> bool:
        """Whether to go on to the second step."""
        return self.state == "authorized" or (self.state == "unheard" and self.decision.may_proceed)


@dataclass(frozen=True)
class Captured:
    """The second step.

    Attributes:
        may_move_money: the one thing to look at before money moves.
        fault: why the server was not heard, or would not capture: ``fault.problem`` is then ``capture_stopped`` (a
            protection order covers it), ``authorization_expired`` or ``authorization_settled``.
    """

    may_move_money: bool
    fault: Fault | None = None


@dataclass(frozen=True)
class Challenge:
    """What a challenged decision asks for, and how far its answer has come.

    Attributes:
        state: ``open``, ``passed``, ``spent``, ``expired``, ``locked``, ``cancelled``; ``refused`` where an answer did not
            prove it, ``unheard`` where the server was not heard.
        offered: factors that may answer, in order of preference.
        tries_left: answers that are still looked at.
        fault: why it was not proved, with the server's word (``wrong_answer``, ``no_factor_left``, ...) in ``problem``.
    """

    state: str
    offered: tuple[str, ...] = ()
    tries_left: int = 0
    fault: Fault | None = None

    @property
    def is_passed(self) -> bool:
        """Whether the same operation may now be asked about again, under a new event id."""
        return self.state in ("passed", "spent")


def decision_from(body: Mapping[str, Any]) -> Decision:
    """A decision as the server wrote it; raises ``KeyError``, ``TypeError`` or ``ValueError`` where it is none."""
    said = body["decision"]
    return Decision(
        event_id=str(body["event_id"]),
        decision=said if said in VERDICTS else "deny",  # fails closed
        score=float(body.get("score", 0.0)),
        reasons=tuple(
            Reason(str(each["code"]), str(each.get("text", each["code"])), dict(each.get("evidence", {})))
            for each in body.get("reasons", ())
        ),
        actions=tuple(dict(each) for each in body.get("actions", ())),
        orders=tuple(str(each) for each in body.get("orders", ())),
        id=str(body["id"]),
    )


@dataclass(frozen=True)
class PasswordScreened:
    """Whether a password may be chosen.

    Attributes:
        may_be_chosen: also where the server was not heard: a list that is away keeps nobody out (fails open).
        reasons: what refuses it, or what is worth saying.
        breach_count: how often it was seen among stolen passwords; ``None`` where nobody could say.
        fault: why the server was not heard.
    """

    may_be_chosen: bool
    reasons: tuple[Reason, ...] = ()
    breach_count: int | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Record:
    """A record of the vault; ``fields`` are masked, except where they were revealed."""

    id: str
    kind: str
    version: int
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Records:
    """What the vault gave.

    Attributes:
        records: none where nothing was given (fails closed).
        waits_for: the id of the request that a second person has to agree to; pass it on with the same reveal then.
        challenge: the id of the challenge that the person has to pass (``office.prove``); pass it on with the same reveal then.
        fault: why nothing was given; ``fault.problem`` is the vault's own word.
    """

    records: tuple[Record, ...] = ()
    waits_for: str = ""
    challenge: str = ""
    fault: Fault | None = None


@dataclass(frozen=True)
class OwnPage:
    """A customer's own page.

    Attributes:
        url: where to lead this customer now, once; empty where there is none.
        fault: why there is none.
    """

    url: str = ""
    fault: Fault | None = None


@dataclass(frozen=True)
class Answer:
    """What a call of the office came to.

    Attributes:
        body: as docs/reference/http-api.md shows it; empty where nothing was answered (fails closed).
        fault: why it was not done; ``fault.problem`` is the server's own word.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def is_done(self) -> bool:
        """Whether the server did it, or showed it."""
        return self.fault is None
