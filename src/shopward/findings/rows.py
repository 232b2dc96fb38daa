"""What is kept of a campaign and of a finding.

Promise: plain values, so that the stories can speak of them and import no database.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FINDING_STATES: Final = ("open", "acknowledged", "dismissed", "acted")
"""A finding is open until a person says what became of it, and may say it anew."""


class CampaignRow(NamedTuple):
    """A campaign as it is recorded.

    Attributes:
        body: what is shown of it, as JSON.
        told: how many accounts it had when the shop was last told of it; 0 where it never was.
        told_ms: when the shop was last told.
        escalations: how often it was told again because nobody acknowledged it.
        acknowledged_by: who looks after it; empty for nobody.
    """

    id: str
    state: str
    body: str
    told: int = 0
    told_ms: int = 0
    escalations: int = 0
    acknowledged_by: str = ""
    acknowledged_ms: int = 0


class FindingRow(NamedTuple):
    """A finding as it is recorded.

    Attributes:
        body: what is shown of it, as JSON.
        told_ms: when the shop was told; 0 where it was not.
        changed_by: who said last what became of it; empty for nobody.
    """

    id: str
    user_token: str
    found_ms: int
    campaign: str
    body: str
    state: str = "open"
    told_ms: int = 0
    changed_by: str = ""
    changed_ms: int = 0
