"""What was found, as plain rows: campaigns, members and findings, as they are shown and recorded; and all of a replay.

Promise: pure; takes the book's changes as they come, so that a campaign is told once, with its heir where it has one.
No row holds a user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shopward.risk.campaigns import Changes, Finding, Member, Standing


class Found:
    """Gathers the changes of a book."""

    def __init__(self) -> None:
        self.campaigns: dict[str, Standing] = {}
        self.members: dict[str, dict[str, Member]] = {}
        self.findings: list[Finding] = []

    def take(self, changes: Changes) -> None:
        """What changed since the last time."""
        for campaign in changes.campaigns:
            self.campaigns[campaign.id] = campaign
            members = self.members.setdefault(campaign.id, {})
            members.update(campaign.members)
            for user in campaign.left:
                members.pop(user, None)
            if campaign.heir:
                members.clear()
        self.findings += changes.findings

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a campaign: the event that made each account a member stands for the account."""
        for campaign in sorted(self.campaigns.values(), key=lambda each: each.id):
            members = self.members.get(campaign.id, {})
            yield {
                **summary(campaign),
                "members": [
                    {"event_id": member.event_id, "how": member.how, "entered": member.entered}
                    for member in members.values()
                ],
                "findings": [each.event_id for each in self.findings if each.campaign == campaign.id],
            }


def summary(campaign: Standing) -> dict[str, Any]:
    """A campaign without its members."""
    return {
        "id": campaign.id,
        "kind": campaign.kind,
        "state": campaign.state,
        "heir": campaign.heir,
        "first_at": to_rfc3339(campaign.first_ms),
        "opened_at": to_rfc3339(campaign.opened_ms),
        "last_at": to_rfc3339(campaign.last_ms),
        "accounts": campaign.accounts,
        "confidence": campaign.confidence,
        "tried": campaign.tried,
        "entered": campaign.entered,
        "stopped": campaign.stopped,
        "spent": [
            {"currency": currency, "count": count, "amount_minor": amount}
            for currency, (count, amount) in sorted(campaign.spent.items())
        ],
        "sources": {
            name: to_rfc3339(value) if name.startswith("rate.") else value
            for name, value in sorted(campaign.sources.items())
        },
    }


def member_view(member: Member) -> dict[str, Any]:
    """A member by the event that made it one."""
    return {
        "event_id": member.event_id,
        "how": member.how,
        "first_at": to_rfc3339(member.first_ms),
        "last_at": to_rfc3339(member.last_ms),
        "certainty": member.certainty,
        "tried": member.tried,
        "entered": member.entered,
        "stopped": member.stopped,
    }


def finding_view(finding: Finding) -> dict[str, Any]:
    """A finding by its event."""
    return {
        "id": finding.id,
        "event_id": finding.event_id,
        "type": finding.type,
        "at": to_rfc3339(finding.at_ms),
        "found_at": to_rfc3339(finding.found_ms),
        "source": finding.source,
        "campaign": finding.campaign,
        "score": finding.score_centi / 100,
        "rescored": finding.rescored_centi / 100,
    }
