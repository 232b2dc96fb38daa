"""Playbooks that ship: every call is one that there is, every order a dry run, every text there in three languages."""

import msgspec
import pytest

from shopward.http.reference import document
from shopward.incidents.playbooks import Act, Together, shipped
from shopward.incidents.playbooks.deeds import DEEDS
from shopward.incidents.playbooks.playbook import walked
from shopward.protection.orders import OrderRequest


@pytest.mark.parametrize("name", DEEDS)
def test_every_deed_is_a_call_of_ours(name):
    """Its path and method are in the OpenAPI document; an order is one that is understood, and a dry run."""
    deed = DEEDS[name].of("inc-1", review_at="2026-01-01T00:00:00Z")
    path = deed.path.replace("inc-1", "{id}").replace("<partner>", "{id}")
    assert deed.method.lower() in document()["paths"][path]
    if path == "/v1/orders":
        assert msgspec.convert(deed.body, OrderRequest).dry_run


@pytest.mark.parametrize("name", shipped())
def test_every_text_is_there_in_three_languages(name):
    """Names and texts of the playbook and of each step; each playbook names a deed of ours."""
    playbook = shipped()[name]
    steps = [each for each in walked(playbook.steps) if not isinstance(each, Together)]
    texts = [playbook.name, playbook.text, *(each.name for each in steps)]
    texts += [each.text for each in steps if isinstance(each, Act) and each.text]
    assert all(each.keys() == {"en", "id", "zh"} for each in texts)
    assert any(isinstance(each, Act) and each.deed for each in steps)
