"""An incident or a campaign as a STIX 2.1 bundle (OASIS Standard, 10 June 2021), for those who defend other shops.

Promise: pure. The same facts give the same bundle, byte for byte: ids are UUIDv5 of a namespace of ours, order is fixed, times are
the campaign's and the incident's own. Under another TLP they are other objects with other ids, since one id and one ``modified``
must not have two markings. Nothing of a customer goes in: counts, kinds, times, and addresses that the caller names.
Titles and lines that people wrote stay out, since a name may stand in them.

Every relationship is one that the standard names for its two ends: an indicator ``indicates`` a campaign, which ``uses`` an attack
pattern and ``targets`` the shop; an incident is ``related-to`` its campaigns. Nothing is ``attributed-to`` anybody: we see deeds and
never who did them.

It says nothing of devices, payees and passwords: what we hold of them are tokens, which mean nothing elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shopward.values import DAY_MS, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shopward.incidents.incident import Incident

Tlp = Literal["clear", "green", "amber", "amber_strict", "red"]
VALID_MS: Final = 30 * DAY_MS
"""How long after its last deed an address stands for a campaign: addresses change hands."""
MEDIA: Final = "application/stix+json;version=2.1"
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://shopward.dev/stix")
_TLP_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_TLP_SINCE: Final = "2022-10-01T00:00:00.000Z"
_TLP_IDS: Final[Mapping[Tlp, str]] = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber_strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""TLP 2.0 as OASIS numbers it (stix-extensions, extension-definition 60a3c5c5)."""


class Technique(NamedTuple):
    """A technique of MITRE ATT&CK, by its own number and name."""

    id: str
    name: str


TECHNIQUES: Final[Mapping[str, Technique]] = {
    "stuffing": Technique("T1110.004", "Credential Stuffing"),
    "phished_codes": Technique("T1111", "Multi-Factor Authentication Interception"),
    "linked_drain": Technique("T1657", "Financial Theft"),
    "insider_reads": Technique("T1213", "Data from Information Repositories"),
    "code_pumping": Technique("T1496.003", "SMS Pumping"),
}
"""By kind of campaign of the policy that ships. A shop's own kinds have none: what they are nobody has told us."""


class Address(NamedTuple):
    """An address of the attacker: on how many accounts of the campaign it was seen, and when."""

    value: str
    version: int
    accounts: int
    first_ms: int
    last_ms: int


class Attack(NamedTuple):
    """A campaign as it leaves: no member is in it.

    Attributes:
        confidence: in a hundred.
        deeds: events on its accounts that failed, went through or were stopped.
        left_out: how many addresses stay here, by why.
    """

    id: str
    kind: str
    first_ms: int
    last_ms: int
    accounts: int
    confidence: int
    deeds: int
    addresses: Sequence[Address] = ()
    left_out: Mapping[str, int] = {}


class Origin(NamedTuple):
    """Who tells it, and how far it may go."""

    shop: str
    tlp: Tlp


def bundle(origin: Origin, attacks: Sequence[Attack], incident: Incident | None = None) -> bytes:
    """The bundle as JSON: marking, identity, what each campaign did, and the report of an incident."""
    made = _Maker(origin)
    objects = [made.marking(), made.identity()]
    objects += [
        made.pattern(each)
        for each in sorted({TECHNIQUES[attack.kind] for attack in attacks if attack.kind in TECHNIQUES})
    ]
    for attack in attacks:
        objects += made.campaign(attack)
    if incident is not None:
        objects += made.incident(incident, attacks)
        objects.append(
            made.report(incident, [each["id"] for each in objects[1:]], has_campaign=bool(attacks))
        )
    body = msgspec.json.encode(objects)
    return msgspec.json.encode({"type": "bundle", "id": _id("bundle", body.decode()), "objects": objects})


class _Maker:
    def __init__(self, origin: Origin) -> None:
        self._tlp = origin.tlp
        self._whose = f"{origin.tlp} {origin.shop}"
        self._shop = origin.shop
        self._identity = _id("identity", self._whose)

    def marking(self) -> dict[str, Any]:
        """The one of OASIS, whole, since not everybody knows it by heart."""
        word = self._tlp.replace("_", "+")
        return {
            "type": "marking-definition", "spec_version": "2.1", "id": _TLP_IDS[self._tlp], "created": _TLP_SINCE,
            "name": f"TLP:{word.upper()}",
            "extensions": {_TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": word}},
        }  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """The shop; its name is its identity, so that its times never change."""
        made = self._object("identity", self._shop, 0, 0)
        del made["created_by_ref"]
        return made | {"name": self._shop, "identity_class": "organization", "sectors": ["retail"]}

    def pattern(self, technique: Technique) -> dict[str, Any]:
        """A technique as others number it; its times never change, as the shop's do not."""
        known = {"source_name": "mitre-attack", "external_id": technique.id}
        return self._object("attack-pattern", technique.id, 0, 0) | {
            "name": technique.name, "external_references": [known],
        }  # fmt: skip

    def campaign(self, attack: Attack) -> list[dict[str, Any]]:
        """A campaign, how often it was seen, how and whom it attacked, its addresses, and how many of these were left out."""
        span = (attack.first_ms, max(attack.first_ms, attack.last_ms))
        seen = {"first_seen": to_rfc3339(span[0]), "last_seen": to_rfc3339(span[1])}
        head = self._object("campaign", attack.id, *span) | seen
        head |= {
            "name": f"{attack.kind} {attack.id}", "confidence": attack.confidence,
            "description": f"{attack.accounts} accounts, {attack.deeds} deeds",
        }  # fmt: skip
        objects = [head, self._sighting(head["id"], attack.id, span, attack.deeds)]
        objects.append(self._relation(head["id"], "targets", self._identity, attack.id, span))
        if technique := TECHNIQUES.get(attack.kind):
            pattern = self._named("attack-pattern", technique.id)
            objects.append(self._relation(head["id"], "uses", pattern, f"{attack.id} {technique.id}", span))
        for each in attack.addresses:
            objects += self._indicator(head["id"], attack, each)
        if attack.left_out:
            said = "; ".join(f"{why}: {count}" for why, count in sorted(attack.left_out.items()))
            note = self._object("note", f"{attack.id} {said}", *span)
            objects.append(
                note | {"content": f"addresses that were left out: {said}", "object_refs": [head["id"]]}
            )
        return objects

    def incident(self, incident: Incident, attacks: Sequence[Attack]) -> list[dict[str, Any]]:
        """The incident, without the words of those who work on it, and which campaigns it came from."""
        span = _span(incident)
        made = self._object("incident", incident.id, *span) | _described(incident)
        return [
            made,
            *(
                self._relation(made["id"], "related-to", self._named("campaign", each.id), f"{incident.id} {each.id}", span)
                for each in attacks
            ),
        ]  # fmt: skip

    def report(self, incident: Incident, refs: Sequence[str], *, has_campaign: bool) -> dict[str, Any]:
        """All that is told of the incident, as one thing to read."""
        made = self._object("report", incident.id, *_span(incident)) | _described(incident)
        return made | {
            "report_types": ["campaign" if has_campaign else "threat-report"], "published": made["created"],
            "object_refs": list(refs),
        }  # fmt: skip

    def _indicator(self, campaign: str, attack: Attack, each: Address) -> list[dict[str, Any]]:
        name, span = f"{attack.id} {each.value}", (each.first_ms, each.last_ms)
        indicator = self._object("indicator", name, *span) | {
            "name": each.value, "indicator_types": ["malicious-activity"], "pattern_type": "stix",
            "pattern": f"[ipv{each.version}-addr:value = '{each.value}']", "confidence": attack.confidence,
            "valid_from": to_rfc3339(each.first_ms), "valid_until": to_rfc3339(each.last_ms + VALID_MS),
        }  # fmt: skip
        indicates = self._relation(indicator["id"], "indicates", campaign, name, span)
        return [indicator, indicates, self._sighting(indicator["id"], name, span, each.accounts)]

    def _sighting(self, of: str, name: str, span: tuple[int, int], count: int) -> dict[str, Any]:
        return self._object("sighting", name, *span) | {
            "first_seen": to_rfc3339(span[0]), "last_seen": to_rfc3339(span[1]), "count": min(count, 999_999_999),
            "sighting_of_ref": of, "where_sighted_refs": [self._identity],
        }  # fmt: skip

    def _relation(
        self, source: str, how: str, target: str, name: str, span: tuple[int, int]
    ) -> dict[str, Any]:
        return self._object("relationship", f"{name} {how}", *span) | {
            "relationship_type": how, "source_ref": source, "target_ref": target,
        }  # fmt: skip

    def _named(self, kind: str, name: str) -> str:
        """The id of an object of ours."""
        return _id(kind, f"{self._whose} {name}")

    def _object(self, kind: str, name: str, created_ms: int, modified_ms: int) -> dict[str, Any]:
        return {
            "type": kind, "spec_version": "2.1", "id": self._named(kind, name), "created_by_ref": self._identity,
            "created": to_rfc3339(created_ms), "modified": to_rfc3339(modified_ms), "object_marking_refs": [_TLP_IDS[self._tlp]],
        } | ({"id": self._identity} if kind == "identity" else {})  # fmt: skip


def _span(incident: Incident) -> tuple[int, int]:
    """When it was opened, and when somebody wrote into it last."""
    return incident.created_ms, max([incident.created_ms, *(each.written_ms for each in incident.timeline)])


def _described(incident: Incident) -> dict[str, str]:
    return {
        "name": f"{incident.kind} {incident.id}", "description": f"severity {incident.severity}, state {incident.state}",
    }  # fmt: skip


def _id(kind: str, name: str) -> str:
    return f"{kind}--{uuid5(_NAMESPACE, f'{kind} {name}')}"
