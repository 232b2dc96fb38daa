"""Playbooks that ship: every call is one that there is, every order a dry run, every text there in three languages."""

import msgspec
import pytest

from shopward.http.reference import document
from shopward.incidents.incident import Facts, Incident
from shopward.incidents.playbooks import Act, Branch, Playbook, Run, Together, shipped, standings
from shopward.incidents.playbooks.deeds import DEEDS
from shopward.incidents.playbooks.playbook import walked
from shopward.incidents.playbooks.run import Tick
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


def test_a_fact_that_turns_a_question_leaves_who_did_what():
    """What was done behind the first answer is not taken by the second, and still says by whom and why."""
    reset, tell = (Act(id=each, name={"en": each}, role="analyst") for each in ("reset", "tell"))
    asked = Branch(id="asked", name={"en": "?"}, fact="credentials", then=(reset,), otherwise=(tell,))
    playbook = Playbook(
        id="p", version=1, name={"en": "P"}, steps=(asked,), created="2026-01-01T00:00:00.000Z",
        changed="2026-01-01T00:00:00.000Z", created_by="identity--5d5e5f0f-57a1-5c3f-8a29-0f6a1f0c5a11",
    )  # fmt: skip
    tick = Tick("reset", 5, "siti", note="all of them")
    incident = Incident(
        id="inc-1", title="x", kind="other", severity="low", state="open", created_ms=1, created_by="siti",
        facts=Facts(data=("credentials",)), run=Run(playbook, 1, "siti", (tick,)),
    )  # fmt: skip
    turned = msgspec.structs.replace(incident, facts=Facts(data=("address",)))
    for each, states in ((incident, ["done", "done", "not_taken"]), (turned, ["done", "not_taken", "open"])):
        found = standings(each)
        assert ([at.state for at in found], found[1].tick) == (states, tick)
