"""Proofs of looks: what a challenged reveal, export, search or opened conversation is met with (``flows.staff``).

Promise:
- a proof is of one person and of one ask, told by ``bound``: it is checked before anybody decides, and spent once, in the
  transaction of what it lets through; a factor that the decision excludes by then proves nothing;
- what is neither let through nor proved is refused: with a challenge, where this person has a factor to answer it with. Fails
  closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shopward.errors import Refused, RevealChallenged
from shopward.flows.looks import denied
from shopward.stepup.refusals import StepUpRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from shopward.access import Caller
    from shopward.flows.looks import Proved
    from shopward.flows.staff import StaffDesk

OBEYED: Final = frozenset({"allow", "review"})
CHALLENGE: Final = "challenge"


class LookProofs:
    """May be called from any thread.

    Args:
        staff: whose proofs.
    """

    def __init__(self, staff: StaffDesk) -> None:
        self._staff = staff

    def check(self, caller: Caller, proved: Proved) -> None:
        """Raise ``StepUpRefused`` unless the proof that was handed in, if any, could be spent on this now."""
        if proved.challenge_id:
            self._staff.check(caller, proved.operation, bound=proved.bound, challenge_id=proved.challenge_id)

    def is_met(self, proved: Proved, decisions: Sequence[str]) -> bool:
        """Whether decisions let it happen, with the proof that was handed in, if any."""
        return (OBEYED | {CHALLENGE} if proved.challenge_id else OBEYED).issuperset(decisions)

    def spend(
        self, connection: Any, caller: Caller, proved: Proved, excluded: Collection[str]
    ) -> dict[str, str]:
        """What the audit log hears of the proof that is spent, nothing where none was handed in; raises ``StepUpRefused``: roll back."""
        if not proved.challenge_id:
            return {}
        factor = self._staff.spend(
            connection, caller, proved.operation, bound=proved.bound, challenge_id=proved.challenge_id
        ).factor
        if factor in excluded:
            raise StepUpRefused("excluded_factor", expected="another factor", found="an excluded one")
        return {"challenge": proved.challenge_id, "factor": factor}

    def refusal(
        self,
        caller: Caller,
        proved: Proved,
        events: Sequence[dict[str, Any]],
        decisions: Sequence[str],
        excluded: Collection[str] | None,
        **more: str,
    ) -> Refused:
        """What the caller hears of decisions that do not let it happen.

        Args:
            caller: who asked.
            proved: what for.
            events: what was decided.
            decisions: on these, in their order.
            excluded: factors that prove nothing here; ``None`` where nobody could come back with a proof.
            more: stands in the audit log besides.
        """
        is_challenge = {CHALLENGE} <= set(decisions) <= OBEYED | {CHALLENGE}
        if not is_challenge or excluded is None or len(decisions) != len(events):
            return denied(decisions)
        event = events[list(decisions).index(CHALLENGE)]
        challenge_id = self._staff.demand(
            caller, proved.operation, bound=proved.bound, decision=event["id"], excluded=excluded, **more
        )
        return RevealChallenged(challenge_id) if challenge_id else denied(decisions, is_provable=True)
