"""Campaigns: many accounts under one attack are one thing, found while it happens.

Promise: what a policy declares in ``campaigns.toml`` (which rates to watch, which deeds are suspicious, what two of them
may share) is turned into campaigns with members, evidence and reach, as a pure function of the ordered log and the
recorded decisions: live, replayed and rebuilt give the same. Memory is bounded; what falls out of a bound is counted.

``rates`` notice that something happens more often than usual; ``clusters`` join suspicious accounts over what they share,
and never over what honest people share too; ``retro`` keeps recent successes, so that those of a source condemned later
are found; ``book`` tells the story of one event through all three. No decision is made here and no I/O is done: rules
read campaigns as features, and ``flows`` record them.
"""

from shopward.risk.campaigns.book import CampaignBook, Changes
from shopward.risk.campaigns.campaign import Campaign, Finding, Member, Standing
from shopward.risk.campaigns.plan import CampaignPlans
from shopward.risk.campaigns.spec import CampaignsSpec, check_campaigns

__all__ = [
    "Campaign",
    "CampaignBook",
    "CampaignPlans",
    "CampaignsSpec",
    "Changes",
    "Finding",
    "Member",
    "Standing",
    "check_campaigns",
]
