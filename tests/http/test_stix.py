"""Campaigns and incidents as STIX 2.1, over HTTP and from the terminal, read by OASIS's own library."""

import json

import pytest
import stix2
from click.testing import CliRunner

from http_attack import attacked, login
from serving import Server
from shopward.cli import main
from shopward.config import Settings
from shopward.http.cooperation import MEDIA

ADDRESS = "203.0.113.7"
SECRETS = ("victim", "target1", "target3", '"dx"', '"e-2"', "Budi")


RELATIONS = {
    ("indicator", "indicates", "campaign"), ("campaign", "uses", "attack-pattern"), ("campaign", "targets", "identity"),
    ("incident", "related-to", "campaign"),
}  # fmt: skip
"""Of the standard's tables, those that we use; ``related-to`` is for any two."""


def of_kind(raw, kind):
    """The objects of a kind, after the library has refused what the standard does not know."""
    bundle = stix2.parse(raw, allow_custom=False)
    ids = [each["id"] for each in bundle.objects]
    assert len(ids) == len(set(ids))
    assert not {ref for each in bundle.objects for ref in refs_of(each)} - set(ids)
    return [each for each in bundle.objects if each["type"] == kind]


def refs_of(made):
    """Every id that an object names."""
    found = []
    for name, value in made.items():
        found += [value] if name.endswith("_ref") else value if name.endswith("_refs") else []
    return found


def relations(raw):
    """Each relationship as the kinds that it joins, and how; all of them the standard's."""
    found = [
        (each.source_ref.partition("--")[0], each.relationship_type, each.target_ref.partition("--")[0])
        for each in of_kind(raw, "relationship")
    ]
    assert set(found) <= RELATIONS
    return found


@pytest.fixture
def attack_world(world):
    """A shop with the policy that ships."""
    world.settings = Settings(data=world.settings.data)
    return world


async def campaign_of(client):
    """The path of the only campaign."""
    (campaign,) = (await client.get("/v1/campaigns")).json()["campaigns"]
    return f"/v1/campaigns/{campaign['id']}"


def test_a_campaign_leaves_without_anything_of_a_customer(attack_world):
    """Counts, times and kinds leave under TLP:AMBER; the same export is the same bundle, and each is audited."""

    async def story(client, world):
        await attacked(client)
        path = await campaign_of(client) + "/stix"
        first, again = await client.get(path), await client.get(path)
        assert (first.status_code, first.headers["content-type"], first.text) == (200, MEDIA, again.text)
        (campaign,) = of_kind(first.text, "campaign")
        (seen,) = of_kind(first.text, "sighting")
        assert (seen.sighting_of_ref, campaign.first_seen <= campaign.last_seen) == (campaign.id, True)
        assert of_kind(first.text, "indicator") == []
        assert sorted(how for _source, how, _target in relations(first.text)) == ["targets", "uses"]
        (pattern,) = of_kind(first.text, "attack-pattern")
        assert pattern.external_references[0].external_id == "T1110.004"
        (marking,) = of_kind(first.text, "marking-definition")
        assert (marking.name, campaign.object_marking_refs) == ("TLP:AMBER", [marking.id])
        green = json.loads((await client.get(path + "?tlp=green")).text)["objects"]
        both = {each["id"] for each in json.loads(first.text)["objects"]} & {each["id"] for each in green}
        assert both == set()  # an object under another marking is another object
        assert not [each for each in (*SECRETS, ADDRESS) if each in first.text]
        deeds = world.shopward.records.read(
            lambda each: world.shopward.trail.read(each, after_seq=0, limit=500)
        )
        assert [each.deed for each in deeds].count("campaign:export") == 3

    attack_world.run(story)


def test_an_address_where_a_customer_is_at_home_stays_here(attack_world):
    """One calm customer who logs in from it keeps an address here, and the bundle says how many stayed."""

    async def story(client, _world):
        await attacked(client)
        said = (await client.get(await campaign_of(client) + "/stix?indicators=ip")).text
        assert (of_kind(said, "indicator"), ADDRESS in said) == ([], False)
        assert of_kind(said, "note")[0].content == "addresses that were left out: at_home: 1"

    attack_world.run(story)


@pytest.mark.parametrize(
    ("ip", "pattern"),
    [
        ("198.51.100.9", "[ipv4-addr:value = '198.51.100.9']"),
        ("2001:DB8::9", "[ipv6-addr:value = '2001:db8::9']"),
        ("100.64.0.9", ""),
    ],
)
def test_an_address_of_the_attacker_leaves_where_it_is_asked_for(attack_world, ip, pattern):
    """It indicates its campaign, for a time, with a sighting; one of a carrier's own network tells nobody anything."""

    async def story(client, _world):
        events = [login(10 + n, 9, 1 + n, f"target{n}") for n in range(12)]
        events.insert(
            -1, login(40, 9, 12, "target3", "succeeded")
        )  # of the campaign: nobody is at home there
        for each in events:
            each["context"]["ip"] = ip
        await attacked_by(client, events)
        said = (await client.get(await campaign_of(client) + "/stix?indicators=ip&tlp=amber_strict")).text
        indicators = of_kind(said, "indicator")
        assert [each.pattern for each in indicators] == ([pattern] if pattern else [])
        for each in indicators:
            assert each.valid_from < each.valid_until
            assert ("indicator", "indicates", "campaign") in relations(said)
            assert each.id in [seen.sighting_of_ref for seen in of_kind(said, "sighting")]
        assert of_kind(said, "marking-definition")[0].name == "TLP:AMBER+STRICT"
        assert not [each for each in SECRETS if each in said]

    attack_world.run(story)


async def attacked_by(client, events):
    """Decide these and wait until the record has all that the memory has."""
    for event in events:
        assert (await client.post("/v1/decisions", json=event)).status_code == 200
    path = await campaign_of(client)
    (known,) = (await client.get("/v1/campaigns")).json()["campaigns"]
    for _ in range(20_000):
        said = await client.get(path)
        if said.json().get("campaign") == known:
            return
    raise AssertionError("not recorded")


def test_an_incident_is_a_report_of_its_campaigns(attack_world):
    """The report names kind, severity and state, and not what people wrote; wrong words are refused."""

    async def story(client, _world):
        await attacked(client)
        campaign = (await campaign_of(client)).rpartition("/")[2]
        body = {"title": "Budi was called", "kind": "credential_stuffing", "campaign": campaign}
        made = (await client.post("/v1/incidents", json=body)).json()["incident"]["id"]
        said = (await client.get(f"/v1/incidents/{made}/stix")).text
        (report,) = of_kind(said, "report")
        assert of_kind(said, "campaign")[0].id in report.object_refs
        assert sorted(how for _source, how, _target in relations(said)) == ["related-to", "targets", "uses"]
        assert said == (await client.get(f"/v1/incidents/{made}/stix")).text
        assert (report.name, "Budi" in said) == (f"credential_stuffing {made}", False)
        for path, status in (
            (f"/v1/incidents/{made}/stix?tlp=white", 422),
            (f"/v1/incidents/{made}/stix?indicators=device", 422),
            ("/v1/incidents/inc-none/stix", 404),
            ("/v1/campaigns/c-none/stix", 404),
        ):
            assert (await client.get(path)).status_code == status

    attack_world.run(story)


def test_it_is_written_from_the_terminal(tmp_path):
    """The command writes the bundle into a file, or says why it cannot."""
    with Server(tmp_path / "data") as server:
        environment = {"SHOPWARD_KEY": server.key, "SHOPWARD_URL": server.url}

        def run(*words):
            return CliRunner().invoke(main, ["incident", *words], env=environment)

        made = json.loads(run("open", "x", "--kind", "other", "--json").output)["incident"]["id"]
        out = tmp_path / "incident.json"
        assert run("stix", made, "--tlp", "green", "--out", str(out)).exit_code == 0
        assert of_kind(out.read_text(), "report")
        assert of_kind(run("stix", made).output, "identity")[0].name
        assert run("stix", made, "--out", str(tmp_path / "none" / "x")).exit_code == 1
