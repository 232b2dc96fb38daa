"""Findings: campaigns and findings as records: what was found, who looks after it, what became of it.

Promise: a record is what ``risk.campaigns`` knows, as it stands; writing it again changes nothing. What people did with it
(acknowledged, dismissed, acted, and who) stands beside and is never overwritten by the machine. No user's own id stands
here: accounts are tokens and the events that tell of them.

Not here: what is found (``risk.campaigns``), and when somebody is told (``flows.record``).
"""

from shopward.findings.rows import FINDING_STATES, CampaignRow, FindingRow

__all__ = ["FINDING_STATES", "CampaignRow", "FindingRow"]
