"""Campaigns and findings as they stand: plain data, so that a snapshot is the state itself.

A campaign *forms* from the first accounts that share something, is *live* from its declared size on, and has *ended* when
it was quiet for the declared time or was *merged* into an older one, which is then its heir. Ids come from the first trace:
the same log gives the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 -- named in a signature of a Struct
from copy import copy
from typing import Literal

from msgspec import Struct

from shopward.values import digest16

State = Literal["forming", "live", "ended", "merged"]


class Member(Struct, array_like=True):
    """An account under attack.

    Attributes:
        event_id: the event that made it a member.
        how: what joined it: the path of a link, or ``rate.NAME``.
        first_ms, last_ms: of what was done to it.
        certainty: part in a hundred of the suspicious among those who share what joined it.
        tried, entered, stopped: how often it was tried in vain, entered, and entered but stopped.
    """

    event_id: str
    how: str
    first_ms: int
    last_ms: int
    certainty: int
    tried: int = 0
    entered: int = 0
    stopped: int = 0


class Campaign(Struct):
    """One attack on many accounts.

    Attributes:
        first_ms, last_ms: of its traces.
        opened_ms: when it became live, 0 for never.
        members: by the token of the user.
        sources: by link, how many different values joined its members; by ``rate.NAME``, when that rise began.
        tried, entered, stopped: events.
        spent: by currency, how often and how many minor units left.
        certain: sum of the certainty of its members.
        unlisted: members beyond the most that are kept by name.
    """

    id: str
    kind: str
    first_ms: int
    last_ms: int
    state: State = "forming"
    opened_ms: int = 0
    ended_ms: int = 0
    heir: str = ""
    members: dict[str, Member] = {}
    sources: dict[str, int] = {}
    tried: int = 0
    entered: int = 0
    stopped: int = 0
    spent: dict[str, tuple[int, int]] = {}
    certain: int = 0
    unlisted: int = 0

    @property
    def accounts(self) -> int:
        """How many accounts it reached."""
        return len(self.members) + self.unlisted

    @property
    def confidence(self) -> int:
        """The estimated part of its accounts, in a hundred, that is there for no innocent reason."""
        return self.certain // len(self.members) if self.members else 0

    def standing(self, users: Iterable[str]) -> Standing:
        """How it stands now, with these members."""
        members = {user: copy(member) for user in users if (member := self.members.get(user)) is not None}
        left = [user for user in users if user not in members]
        return Standing(
            self.id, self.kind, self.state, self.heir, self.first_ms, self.opened_ms, self.last_ms, self.accounts,
            self.confidence, self.tried, self.entered, self.stopped, dict(self.spent), dict(self.sources), members, left,
        )  # fmt: skip


class Standing(Struct, frozen=True):
    """A campaign as it stands now, apart from the state that goes on: for who records and shows it.

    Attributes:
        members: those that changed since the last time; ``left`` were taken back.
    """

    id: str
    kind: str
    state: State
    heir: str
    first_ms: int
    opened_ms: int
    last_ms: int
    accounts: int
    confidence: int
    tried: int
    entered: int
    stopped: int
    spent: dict[str, tuple[int, int]]
    sources: dict[str, int]
    members: dict[str, Member]
    left: list[str]


class Finding(Struct, frozen=True):
    """An earlier success of a source that was condemned since, or turned out to belong to a campaign.

    Attributes:
        id: made of the event's.
        user: token.
        source: path of what condemned it.
        score_centi: what the event scored when it was decided; ``rescored_centi`` with what is known now.
    """

    id: str
    event_id: str
    user: str
    at_ms: int
    found_ms: int
    type: str
    source: str
    campaign: str
    score_centi: int
    rescored_centi: int


def campaign_id(kind: str, event_id: str, at_ms: int) -> str:
    """The id of a campaign that begins with an event; it sorts by time and tells nothing of the event."""
    return f"c-{at_ms:012x}{digest16(f'{kind} {event_id}'.encode()).hex()[:12]}"
