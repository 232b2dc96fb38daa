"""Playbooks as CACAO 2.0: held against OASIS's schemas, there and back, and what others wrote."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cacao_schemas import judge
from shopward.errors import BadInput
from shopward.incidents.cacao import read, written
from shopward.incidents.cacao.shapes import shaped
from shopward.incidents.playbooks import Act, Branch, Due, Playbook, Together, shipped
from shopward.incidents.playbooks.deeds import DEEDS
from shopward.incidents.words import ROLES

FACTS = ("", "data_read", "money_spent", "credentials", "payment_data", "encrypted", "avoided", "high_risk")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
NAMES = st.fixed_dictionaries({"en": WORDS}, optional={"id": WORDS, "zh": WORDS})
DUES = st.none() | st.builds(Due, clock=st.sampled_from(["opened", "aware"]), minutes=st.integers(1, 9_999))


@pytest.fixture(scope="module")
def oasis():
    """OASIS's schemas."""
    return judge()


@st.composite
def playbooks(draw):
    """Any playbook of ours, with steps inside steps."""
    keys = iter(range(10_000))

    def act():
        return Act(
            id=f"s{next(keys)}", name=draw(NAMES), role=draw(st.sampled_from(ROLES)), due=draw(DUES),
            deed=draw(st.sampled_from(["", *DEEDS])), text=draw(st.just({}) | NAMES),
        )  # fmt: skip

    def sequence(depth):
        return tuple(step(depth) for _ in range(draw(st.integers(1, 2))))

    def step(depth):
        kind = draw(st.sampled_from(["act", "branch", "together"])) if depth < 2 else "act"
        if kind == "act":
            return act()
        if kind == "together":
            parts = tuple(sequence(depth + 1) for _ in range(2))
            return Together(id=f"s{next(keys)}", parts=parts)
        return Branch(
            id=f"s{next(keys)}", name=draw(NAMES), fact=draw(st.sampled_from(FACTS)), then=(act(), *sequence(depth + 1)),
            otherwise=draw(st.just(())) or (sequence(depth + 1) if draw(st.booleans()) else ()),
        )  # fmt: skip

    return Playbook(
        id="p", version=draw(st.integers(1, 9)), name=draw(NAMES), text=draw(st.just({}) | NAMES), steps=(act(), *sequence(0)),
        created="2026-01-01T00:00:00.000Z", changed="2026-01-02T00:00:00.000Z",
        created_by="identity--5d5e5f0f-57a1-5c3f-8a29-0f6a1f0c5a11",
    )  # fmt: skip


def test_what_ships_validates_and_comes_back(oasis):
    """Each playbook that ships is valid for OASIS's schemas, read back it is itself, and its bytes are always the same."""
    for playbook in shipped().values():
        made = written(playbook)
        assert oasis.faults(json.loads(made)) == []
        assert (read(made), written(playbook)) == (playbook, made)


@settings(max_examples=25, deadline=None)
@given(playbook=playbooks())
def test_any_playbook_comes_back(oasis, playbook):
    """Read back it is itself, and what is written is valid."""
    made = written(playbook)
    assert (read(made), oasis.faults(json.loads(made))) == (playbook, [])


def foreign():
    """A document as somebody else might write it."""
    ids = {name: f"{name.split('/')[0]}--{number:08x}-0000-4000-8000-000000000000" for number, name in enumerate(
        ("start", "end/1", "end/2", "end/3", "action/block", "action/ask", "if-condition", "parallel", "individual",
         "linux", "playbook", "identity"), start=1
    )}  # fmt: skip
    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": ids["playbook"], "name": "Block a host",
        "description": "From elsewhere.", "created_by": ids["identity"], "created": "2025-01-01T00:00:00Z",
        "modified": "2025-02-01T00:00:00.5Z", "priority": 3, "labels": ["host"], "workflow_start": ids["start"],
        "playbook_variables": {"__host__": {"type": "ipv4-addr", "value": None, "external": True}},
        "external_references": [{"name": "A page", "url": "https://example.test/"}],
        "workflow": {
            ids["start"]: {"type": "start", "on_completion": ids["parallel"]},
            ids["parallel"]: {
                "type": "parallel", "name": "Both", "next_steps": [ids["action/block"], ids["if-condition"]],
                "on_completion": ids["end/1"],
            },
            ids["action/block"]: {
                "type": "action", "name": "Block it", "timeout": 60000, "agent": ids["linux"], "on_success": ids["end/2"],
                "commands": [{"type": "bash", "command": "iptables -A INPUT -s __host__:value -j DROP"}],
            },
            ids["if-condition"]: {
                "type": "if-condition", "condition": "__host__:value = '10.0.0.1'", "on_true": ids["action/ask"],
                "on_completion": ids["end/3"],
            },
            ids["action/ask"]: {
                "type": "action", "agent": ids["individual"], "on_completion": "end--0000000d-0000-4000-8000-000000000000",
                "commands": [
                    {"type": "manual", "command_b64": "Q2FsbCB0aGVt", "description": "By phone"},
                    {"type": "http-api", "command": "POST /v1/orders HTTP/1.1", "content": "{}", "headers": {"A": ["b"]}},
                ],
            },
            **{ids[name]: {"type": "end"} for name in ("end/1", "end/2", "end/3")},
            "end--0000000d-0000-4000-8000-000000000000": {"type": "end"},
        },
        "agent_definitions": {
            ids["individual"]: {"type": "individual", "name": "Duty officer", "contact": {"phone": {"work": "1"}}},
            ids["linux"]: {"type": "linux", "name": "Gateway", "address": {"ipv4": ["192.0.2.1"]}},
        },
    }  # fmt: skip


def raw(document):
    """As bytes."""
    return json.dumps(document).encode()


def test_what_others_wrote_becomes_tasks_for_people(oasis):
    """No command of it is a deed; each is a text in a task, with who was to do it; read again it is the same."""
    document = foreign()
    assert oasis.faults(document) == []
    playbook = read(raw(document))
    both = playbook.steps[0]
    block, asked = both.parts[0][0], both.parts[1][0]
    assert "iptables -A INPUT" in block.text["en"]
    assert "Gateway" in block.text["en"]
    assert "Within 60000 ms" in block.text["en"]
    assert "10.0.0.1" in asked.name["en"]
    assert {"Call them", "By phone"} <= set(
        "\n".join((asked.then[0].name["en"], asked.then[0].text["en"])).split("\n")
    )
    assert not any(each.deed for each in (block, asked.then[0]))
    assert (playbook.cacao_id, playbook.kinds) == (document["id"], ())
    assert (read(written(playbook)), oasis.faults(json.loads(written(playbook)))) == (playbook, [])


def test_a_deed_of_ours_cannot_be_forged():
    """A step that calls itself a deed of ours and holds another command is a manual task that shows that command."""
    document = json.loads(written(shipped()["credential_stuffing"]))
    name = next(key for key, step in document["workflow"].items() if "Freeze stored" in step.get("name", ""))
    document["workflow"][name]["commands"][0]["content"] = '{"kind":"reset","target":{"everyone":true}}'
    forged = read(raw(document)).steps[0].parts[0][0]
    assert (forged.deed, '"everyone":true' in forged.text["en"]) == ("", True)


@pytest.mark.parametrize("kind", ["while-condition", "switch-condition", "playbook-action"])
def test_steps_that_nobody_can_follow_are_refused_with_their_place(kind):
    """The refusal names the step."""
    document = foreign()
    name = f"{kind}--00000001-0000-4000-8000-000000000000"
    document["workflow"][name] = {"type": kind}
    with pytest.raises(BadInput) as refused:
        read(raw(document))
    assert (refused.value.code, refused.value.path) == ("playbook_unsupported", f"workflow.{name}")


def leads(document, kind, **changes):
    """The document with a step of a kind changed; ``None`` takes a field out."""
    name = next(key for key, step in document["workflow"].items() if step["type"] == kind)
    changed = {**document["workflow"][name], **changes}
    document["workflow"][name] = {key: value for key, value in changed.items() if value is not None}
    return document


def _cycle(document):
    return leads(document, "action", on_success=None, on_completion=document["workflow_start"])


def _lonely(document):
    document["workflow"]["end--0000000e-0000-4000-8000-000000000000"] = {"type": "end"}
    return document


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_cycle, "playbook_invalid"),
        (_lonely, "playbook_invalid"),
        (lambda each: leads(each, "start", on_completion=None), "playbook_invalid"),
        (lambda each: leads(each, "parallel", on_completion=None), "playbook_invalid"),
        (lambda each: leads(each, "action", on_failure=each["workflow_start"]), "playbook_unsupported"),
        (
            lambda each: leads(each, "action", agent="group--00000001-0000-4000-8000-000000000000"),
            "playbook_invalid",
        ),
        (lambda each: {**each, "workflow_start": each["id"]}, "playbook_invalid"),
        (lambda each: {**each, "workflow_exception": each["workflow_start"]}, "playbook_unsupported"),
    ],
)
def test_a_workflow_that_leads_nowhere_is_refused(oasis, damage, code):
    """Valid for the schemas, and still nothing that a person could follow to an end."""
    document = damage(foreign())
    assert oasis.faults(document) == []
    with pytest.raises(BadInput) as refused:
        read(raw(document))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b"{", b'{"type":"playbook"}', b" " * 1_100_000, b"[" * 5_000]
)
def test_what_is_no_playbook_is_refused(text):
    """With a code of ours."""
    with pytest.raises(BadInput):
        read(text)


def places(value, path=()):
    """Every place of a document."""
    yield path
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in below:
        yield from places(each, (*path, key))


def damaged(document, path, how):
    """The document with one place damaged in one way."""
    if not path:
        return document
    *before, last = path
    holder = document
    for key in before:
        holder = holder[key]
    match how:
        case "out":
            del holder[last]
        case "rename" if isinstance(holder, dict):
            holder[f"{last}x"] = holder.pop(last)
        case "number":
            holder[last] = 7
        case "list":
            holder[last] = []
        case "text":
            holder[last] = "x"
        case "nothing":
            holder[last] = None
    return document


PLACES = sorted(places(foreign()), key=str)
LAX = ("linux--", "agent_target_extensions")
"""What is read over here and looked at by the schemas."""


def is_shaped(document):
    """Whether our check takes it."""
    try:
        shaped(raw(document))
    except BadInput:
        return False
    return True


@pytest.mark.parametrize("how", ["out", "rename", "number", "list", "text", "nothing"])
def test_damage_is_found_where_the_schemas_find_it(oasis, how):
    """At every place of a document: our check refuses exactly what OASIS's schemas refuse."""
    apart = []
    for path in PLACES:
        document = damaged(foreign(), path, how)
        ours, faults = is_shaped(document), oasis.faults(document)
        if ours == bool(faults) and not any(part in str(path) for part in LAX):
            apart.append((path, faults))
    assert apart == []
