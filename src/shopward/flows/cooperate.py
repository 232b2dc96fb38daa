"""Cooperation: what others may learn of a campaign or an incident, as STIX 2.1.

Promise:
- members, tokens and the shop's own ids of users go nowhere; what leaves is counts, kinds and times, and addresses where they are
  asked for;
- an address leaves only if several accounts of the campaign were attacked from it and nobody is at home there: no account did
  well from it but as the campaign's doing. One account in doubt keeps it here (fails closed), as does an address of a local network,
  of a carrier's gateway, or one that an erasure made unreadable. How many stay is said in the bundle;
- every export is a line of the audit log, written before it is answered.

The story:
  (1) the members' first events give the addresses, by their tokens
  (2) one pass over the log finds who is at home there
  (3) what is left is read in clear from the events as they were sent
  (4) a line of the audit log, and the bundle
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import NotFound
from shopward.flows.recorded import EVENT
from shopward.flows.scan import PAGE, first_seq
from shopward.incidents.stix import Address, Attack, Origin, bundle
from shopward.values import DAY_MS, from_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shopward.access import Caller
    from shopward.findings import CampaignRow
    from shopward.flows.arrows import Trail
    from shopward.flows.casework import CaseDesk
    from shopward.flows.history import History
    from shopward.flows.incident import IncidentDesk
    from shopward.incidents import Incident
    from shopward.incidents.stix import Tlp
    from shopward.ports import EventLog, LogEntry, Records
    from shopward.values import Clock

ACCOUNTS_MIN: Final = 4
"""So many accounts of the campaign make an address the attacker's; fewer may be one household."""
HOME_MS: Final = 30 * DAY_MS
"""So long before the campaign it is looked who was at home at an address."""
ADDRESSES_MAX: Final = 1_000
NOBODYS_NAME: Final = "a shop"
_MEMBERS: Final = 500
_LOCAL: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
        "fe80::/10",
    )
)  # fmt: skip


class _Facts(Struct, gc=False):
    ip: str = ""
    status: str = ""


class _Place(Struct):
    """An address by its token: who was attacked from it, when, and an event that may tell it in clear."""

    users: set[str]
    first_ms: int
    last_ms: int
    clear: str = ""
    is_home: bool = False


_facts: Final = msgspec.json.Decoder(_Facts).decode
_decode: Final = msgspec.json.decode


class CooperationDesk:
    """Tells the story; may be called from any thread.

    Args:
        records: transactions.
        cases: campaigns with their members.
        incidents: the incidents.
        log: what happened.
        history: tells addresses in clear.
        trail: the audit log.
        clock: the server's.
        shop: the name that the shop gave itself; raises ``NotFound`` where it gave none.
    """

    def __init__(
        self,
        *,
        records: Records,
        cases: CaseDesk,
        incidents: IncidentDesk,
        log: EventLog,
        history: History,
        trail: Trail,
        clock: Clock,
        shop: Callable[[], str],
    ) -> None:
        self._records = records
        self._cases = cases
        self._incidents = incidents
        self._log = log
        self._history = history
        self._trail = trail
        self._clock = clock
        self._shop = shop

    def campaign(self, caller: Caller, campaign_id: str, *, tlp: Tlp, with_addresses: bool) -> bytes:
        """A campaign as a bundle; raises ``NotFound``."""
        attacks = [self._attack(campaign_id, with_addresses=with_addresses)]
        self._told(caller, "campaign:export", campaign_id, tlp, attacks)
        return bundle(Origin(self._name(), tlp), attacks)

    def incident(self, caller: Caller, incident_id: str, *, tlp: Tlp, with_addresses: bool) -> bytes:
        """An incident as a bundle, with the campaigns that it came from; raises ``NotFound``."""
        incident, _owed, _counts = self._incidents.get(incident_id)
        attacks = [self._attack(each, with_addresses=with_addresses) for each in self._campaigns(incident)]
        self._told(caller, "incident:export", incident_id, tlp, attacks)
        return bundle(Origin(self._name(), tlp), attacks, incident)

    def _campaigns(self, incident: Incident) -> list[str]:
        """The campaigns that it came from, as far as they are recorded: a person may have typed another."""
        named = {each.subject for each in incident.signals if each.kind == "campaign"} | {incident.campaign}
        found = []
        for each in sorted(named - {""}):
            try:
                self._cases.campaign(each, after="", limit=1)
            except NotFound:
                continue
            found.append(each)
        return found

    def _attack(self, campaign_id: str, *, with_addresses: bool) -> Attack:
        row, _members = self._cases.campaign(campaign_id, after="", limit=1)
        shown = _decode(row.body)
        attack = Attack(
            row.id, shown["kind"], from_rfc3339(shown["first_at"]), from_rfc3339(shown["last_at"]), shown["accounts"], shown["confidence"],
            shown["tried"] + shown["entered"] + shown["stopped"],
        )  # fmt: skip
        if not with_addresses:
            return attack
        members, places = self._places(row)  # (1)
        wanted = {token: place for token, place in places.items() if len(place.users) >= ACCOUNTS_MIN}
        left: Counter[str] = Counter(few_accounts=len(places) - len(wanted))
        self._look_who_is_at_home(wanted, members, attack)  # (2)
        addresses = []
        for place in wanted.values():  # (3)
            address = _address(place)
            why = (
                "at_home"
                if place.is_home
                else "erased"
                if not place.clear
                else "local"
                if not address
                else ""
            )
            if address is None or why:
                left[why] += 1
            else:
                addresses.append(address)
        addresses.sort(key=lambda each: (-each.accounts, each.value))
        left["too_many"] = len(addresses[ADDRESSES_MAX:])
        return attack._replace(addresses=addresses[:ADDRESSES_MAX], left_out=dict(+left))

    def _places(self, row: CampaignRow) -> tuple[set[str], dict[str, _Place]]:
        """All members of a campaign, and the addresses of the events that made them members."""
        after, users, places = "", set[str](), dict[str, _Place]()
        while True:
            _row, members = self._cases.campaign(row.id, after=after, limit=_MEMBERS)
            found = self._log.find([each.shown["event_id"] for each in members])
            users |= {each.token for each in members}
            told = dict(zip(found, self._history.told(list(found.values())), strict=True))
            for each in members:
                if (entry := found.get(each.shown["event_id"])) is not None:
                    _take(places, each.token, entry, told[entry.event_id])
            if len(members) < _MEMBERS:
                return users, places
            after = members[-1].token

    def _look_who_is_at_home(self, places: dict[str, _Place], members: set[str], attack: Attack) -> None:
        """Mark the addresses from which anybody did well who is no member, or who did before the campaign began."""
        seq = first_seq(self._log, attack.first_ms - HOME_MS) - 1
        while places and (page := self._log.read(after_seq=seq, limit=PAGE)):
            for entry in page:
                if entry.kind != EVENT or entry.at_ms > attack.last_ms:
                    continue
                facts = _facts(entry.facts)
                place = places.get(facts.ip)
                is_theirs = entry.user_token in members and entry.at_ms >= attack.first_ms
                if place is not None and facts.status == "succeeded" and not is_theirs:
                    place.is_home = True
            seq = page[-1].seq
            if page[-1].at_ms > attack.last_ms:
                return

    def _name(self) -> str:
        try:
            return self._shop()
        except NotFound:
            return NOBODYS_NAME

    def _told(
        self, caller: Caller, deed: str, subject: str, tlp: Tlp, attacks: Sequence[Attack]
    ) -> None:  # (4)
        details: dict[str, Any] = {
            "format": "stix", "tlp": tlp, "addresses": sum(len(each.addresses) for each in attacks),
            "left_out": sum(sum(each.left_out.values()) for each in attacks),
        }  # fmt: skip
        now_ms = self._clock.now_ms()
        self._records.write(
            lambda each: self._trail.append(
                each, at_ms=now_ms, actor=caller.key, deed=deed, subject=subject, details=details
            )
        )


def _take(places: dict[str, _Place], user: str, entry: LogEntry, told: bytes) -> None:
    token = _facts(entry.facts).ip
    if not token:
        return
    place = places.setdefault(token, _Place(set(), entry.at_ms, entry.at_ms))
    place.users.add(user)
    place.first_ms, place.last_ms = min(place.first_ms, entry.at_ms), max(place.last_ms, entry.at_ms)
    if told and not place.clear:
        place.clear = str((_decode(told).get("context") or {}).get("ip", ""))


def _address(place: _Place) -> Address | None:
    """An address as others may know it; ``None`` for one that means nothing outside, or is shared by design."""
    if not place.clear:
        return None
    found = ipaddress.ip_address(place.clear)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in net for net in _LOCAL if net.version == found.version):
        return None
    return Address(str(found), found.version, len(place.users), place.first_ms, place.last_ms)
