"""What is wrong in ``campaigns.toml`` is found before it is in force, and named."""

from __future__ import annotations

import pytest

from campaigns.conftest import TITLE, kind_spec, plans_of
from shopward.errors import PolicyInvalid
from shopward.risk.campaigns.plan import CampaignPlans
from shopward.risk.campaigns.spec import CampaignsSpec, LinkSpec, RateSpec
from shopward.risk.features import FeatureSpec
from shopward.risk.policy import Policy, PolicySpec, Texts, load_default_policy
from shopward.risk.policy.spec import PolicyHead
from shopward.risk.vocabulary import CelFilters

HEAD = PolicyHead(name="policy", version=1, score_text=Texts(id="a", zh="b", en="c"))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"traces": ()}, "traces"),
        ({"traces": ('type == "lgoin"',)}, "traces"),
        ({"deeds": "f.no_such_feature"}, "deeds"),
        ({"entries": "1 + 1"}, "entries"),
        ({"links": (LinkSpec("context.divice"),)}, "links"),
        ({"links": (), "rates": ()}, "stuffing"),
        ({"rates": ("no_such_rate",)}, "rates"),
        ({"quiet": "soon"}, "quiet"),
        ({"traces": ('context.country == "ID"',)}, "traces"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_place(changes, where):
    """Unknown words, wrong types, empty lists, odd durations and origin as a risk do not compile."""
    with pytest.raises(PolicyInvalid) as refused:
        plans_of(**changes)
    assert where in str(refused.value.path)


@pytest.mark.parametrize(
    "feature",
    [
        FeatureSpec(name="a", measure="campaign", of="size", key=("user.id",)),
        FeatureSpec(name="a", measure="campaign", of="id"),
        FeatureSpec(name="a", measure="campaign", of="id", key=("session.id",)),
        FeatureSpec(name="a", measure="alarm", of="no_such_rate"),
        FeatureSpec(name="a", measure="alarm", of="failures", key=("context.asn",)),
    ],
)
def test_a_feature_reads_only_what_is_watched(feature):
    """A part that campaigns do not have, a key that no kind links, an undeclared rate or another key than its own."""
    rate = RateSpec(where='type == "login"')
    spec = CampaignsSpec(rate={"failures": rate}, campaign={"stuffing": kind_spec()})
    with pytest.raises(PolicyInvalid):
        Policy(PolicySpec(HEAD, (feature,), (), campaigns=spec))


def test_a_policy_without_campaigns_watches_nothing():
    """The file may be left out."""
    policy = Policy(PolicySpec(HEAD, (), ()))
    assert policy.campaigns.kinds == ()
    assert CampaignPlans(CampaignsSpec(), CelFilters(())).rates() == {}


def test_every_kind_that_ships_has_a_title_in_three_languages():
    """And none is another's by mistake."""
    kinds = load_default_policy().campaigns.campaign
    for language in ("id", "zh", "en"):
        titles = [kind.title.in_language(language) for kind in kinds.values()]
        assert all(titles)
        assert len(set(titles)) == len(titles)
    assert TITLE.in_language("fr") == TITLE.en
