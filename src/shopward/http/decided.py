"""Events of our own, decided before something leaves.

Promise: the gate decides on them as on a shop's; where they were not recorded that is raised and nothing leaves. Fails closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shopward.events import decode_event
from shopward.flows.engine import DecisionRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.http.gate import Gate


async def decisions_on(gate: Gate, events: Sequence[dict[str, Any]]) -> list[str]:
    """The decisions on some events, in their order."""
    return [record.decision for record in await records_on(gate, events)]


async def judged_on(gate: Gate, events: Sequence[dict[str, Any]]) -> tuple[list[str], set[str]]:
    """The same, and which factors the decisions say prove nothing here."""
    records = await records_on(gate, events)
    steps = [action for each in records for action in each.actions if action.type == "step_up"]
    return [each.decision for each in records], {word for action in steps for word in action.exclude}


async def records_on(gate: Gate, events: Sequence[dict[str, Any]]) -> list[DecisionRecord]:
    """The decisions on some events as they were recorded, in their order."""
    if not events:
        return []
    heard = await gate.submit([decode_event(msgspec.json.encode(each)) for each in events])
    records = []
    for record in heard if isinstance(heard, list) else [heard]:
        if not isinstance(record, DecisionRecord):
            raise record.with_traceback(None)  # one refusal may be heard by many
        records.append(record)
    return records
