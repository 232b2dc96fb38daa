from __future__ import annotations

from types import SimpleNamespace

import pytest

from shopward.risk.campaigns.clusters import Clusters, Trace
from shopward.risk.campaigns.plan import CampaignPlans
from shopward.risk.campaigns.spec import CampaignsSpec, KindSpec, LinkSpec, RateSpec, Titles
from shopward.risk.vocabulary import CelFilters

START_MS = 1_767_571_200_000
TITLE = Titles(id="a", zh="b", en="c")


def kind_spec(**changes):
    """A kind over devices and networks, small enough for a test."""
    fields = {
        "title": TITLE,
        "traces": ('type == "login" && status == "failed"',),
        "deeds": 'type in ["login", "payment"]',
        "entries": 'type == "login" && status == "succeeded"',
        "links": (
            LinkSpec("context.device_id", 3),
            LinkSpec("context.net", 4, 0.6, "6h", same_hand=False),
        ),
        "rates": ("failures",),
        "explained_by": "context.device_id",
        "accounts": 4,
    }
    return KindSpec(**fields | changes)


def plans_of(**changes):
    """The plans of one kind and one rate."""
    rate = RateSpec(where='type == "login" && status == "failed"')
    return CampaignPlans(
        CampaignsSpec(rate={"failures": rate}, campaign={"stuffing": kind_spec(**changes)}), CelFilters(())
    )


@pytest.fixture
def world():
    """One kind, its clusters, and a hand that makes traces."""
    kind = plans_of().kinds[0]
    clusters = Clusters([{} for _ in kind.links])
    count = iter(range(1_000_000))

    def add(user, device="", net="", minute=0):
        trace = Trace(user, f"e-{next(count)}", START_MS + minute * 60_000, (device, net), device)
        return trace, clusters.add(kind, trace)

    return SimpleNamespace(kind=kind, clusters=clusters, add=add, live=lambda: live(clusters))


def live(clusters):
    """The campaigns that are under way."""
    return [each for each in clusters.campaigns.values() if each.state == "live"]
