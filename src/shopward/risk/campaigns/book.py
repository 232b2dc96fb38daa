"""The book of campaigns: what one event, with its decision, tells of campaigns.

Promise: a pure function of the order of facts, readings and recorded outcomes; ``dump`` and ``load`` keep it whole. An event
that concerns no campaign costs a few look-ups. It never changes a decision: rules read it (``reading``) before the event is
settled here.

The story of one event, once it is decided (``ask`` before the features settle, so that all filters see the same state;
``settle`` after them):
  (0) the filters are asked
  (1) what is idle or quiet is swept, once in a while
  (2) watched rates count it
  (3) a success explains what was taken for a trace, and makes hubs of honest places
  (4) a trace joins what it shares sources with, or what a rate that alarms gathers
  (5) deeds on members count: tried, entered, stopped, spent
  (6) a success is remembered for its sources
  (7) sources that were condemned, or joined a campaign, give up their earlier successes as findings

Whoever records campaigns takes what changed with ``take``: campaigns as they stand, not their history, so that a recorder
that falls behind has no more to do than one that keeps up. Beyond ``CHANGED_MAX`` changed members the oldest changes are
shed, and counted.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from shopward.errors import SnapshotInvalid
from shopward.events.catalogue import MONEY_TYPES
from shopward.risk.campaigns.campaign import Campaign, Finding, Standing
from shopward.risk.campaigns.clusters import Clusters, Joined, Trace
from shopward.risk.campaigns.plan import finder_of
from shopward.risk.campaigns.rates import Watched
from shopward.risk.campaigns.retro import Recent, Success
from shopward.values import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopward.events.facts import Facts
    from shopward.risk.campaigns.plan import CampaignPlans, Plan
    from shopward.risk.features import Outcome, Readings

SWEEP_MS: Final = HOUR_MS
CHANGED_MAX: Final = 200_000
FINDINGS_MAX: Final = 20_000


class Changes(Struct, frozen=True):
    """What changed since the last time: campaigns as they stand, with the accounts that changed, and new findings."""

    campaigns: list[Standing]
    findings: list[Finding]
    at_ms: int


class Meaning(NamedTuple):
    """What an event means: rates that count it with their keys, kinds of which it is a trace, a deed, an entry."""

    rates: list[tuple[str, str]]
    traces: set[int]
    deeds: list[int]
    entries: list[int]


NOTHING: Final = Meaning([], set(), [], [])


class CampaignBook:
    """Campaigns of one shop, in memory.

    Args:
        plans: the compiled declarations.
    """

    def __init__(self, plans: CampaignPlans) -> None:
        self._plans = plans
        self._kinds = plans.kinds
        self._rates = plans.rates()
        self._clusters = [Clusters([{} for _ in kind.links]) for kind in plans.kinds]
        self._recent = Recent()
        self._changed: dict[str, dict[str, None]] = {}
        self._findings: list[Finding] = []
        self._swept_ms = 0
        self._at_ms = 0
        self.shed = 0
        self._links = {
            path: [
                (number, position)
                for number, kind in enumerate(plans.kinds)
                for position, link in enumerate(kind.links)
                if link.path == path
            ]
            for path in {link.path for kind in plans.kinds for link in kind.links}
        }
        self._find_tables()
        self._is_calm = True
        self._points = plans.spec.found.points
        self._longest = max(range(len(plans.kinds)), key=lambda each: plans.kinds[each].window_ms, default=0)
        self._least_centi = round(plans.spec.found.score * 100)

    def campaign_of(self, path: str, token: str) -> Campaign | None:
        """The live campaign that a value of a path belongs to; the largest where there are several."""
        found: list[Campaign | None] = []
        if path == "user.id":
            found = [each.find(each.member_of[token]) for each in self._clusters if token in each.member_of]
        else:
            for clusters, sources in self._tables.get(path, ()):
                if token in sources and (id_ := sources[token].campaign):
                    found.append(clusters.find(id_))
        if not found:  # the usual case
            return None
        live = [campaign for campaign in found if campaign is not None and campaign.state == "live"]
        return max(live, key=lambda each: each.accounts, default=None)

    def part_of(self, path: str, token: str, part: str) -> Any:
        """A part of the live campaign that a value belongs to; its empty value where there is none."""
        campaign = None if self._is_calm else self.campaign_of(path, token)
        if campaign is None:
            return "" if part in ("id", "kind") else 0
        return getattr(campaign, part)

    def alarm_s(self, rate: str, key: str, at_ms: int) -> int:
        """For how many seconds a rate has been above its usual level, at least 1; 0 where it is not."""
        watched = self._rates[rate].alarm(key, at_ms)
        return 0 if watched is None else max(1, (at_ms - watched.onset_ms) // 1000)

    def live(self) -> list[Campaign]:
        """Campaigns that are under way, the newest last."""
        return [
            campaign
            for clusters in self._clusters
            for campaign in clusters.campaigns.values()
            if campaign.state == "live"
        ]

    def ask(self, facts: Facts, readings: Readings, outcome: Outcome) -> Meaning:
        """What an event with its decision means for campaigns; changes nothing."""
        kind = (facts.type, facts.status)
        asked = self._asked.get(kind)
        if asked is None:
            asked = self._asked[kind] = self._asks(*kind)
        plan, members = asked
        user = facts.user
        held = plan.holds(facts, readings, outcome) if plan.holds is not None else 0  # (0)
        done = 0
        for bit, of_kind in members:
            if user in of_kind:
                done |= bit
        if done and plan.does is not None:
            done &= plan.does(facts, readings, outcome)
        if not held | done:
            return NOTHING
        return Meaning(
            [(name, key) for bit, name, key_of in plan.rates if held & bit and (key := key_of(facts))],
            {number for bit, number in plan.traces if held & bit and user},
            [number for bit, number in plan.deeds if done & bit],
            [number for bit, number in plan.entries if held & bit and user and outcome.passed],
        )

    def remembered(self) -> list[Standing]:
        """Every campaign that ever was live and is not forgotten yet, without its members."""
        return [
            campaign.standing(())
            for clusters in self._clusters
            for campaign in clusters.campaigns.values()
            if campaign.opened_ms
        ]

    def findings(self) -> list[Finding]:
        """Every finding that is not forgotten yet."""
        return list(self._recent.found.values())

    def settle(self, facts: Facts, outcome: Outcome, meaning: Meaning) -> None:
        """Take an event with its decision."""
        self._at_ms = at_ms = facts.at_ms
        if at_ms - self._swept_ms >= SWEEP_MS:  # (1)
            self._sweep(at_ms)
        for name, key in meaning.rates:  # (2)
            self._rates[name].count(key, at_ms)
        if facts.user and facts.status == "succeeded" and outcome.passed:  # (3)
            self._went_well(facts)
        if meaning is NOTHING and not outcome.condemned:
            return
        for number in meaning.traces:  # (4)
            self._trace(number, facts, outcome)
        for number in meaning.deeds:
            if number not in meaning.traces:  # (5)
                self._deed(number, facts, outcome)
        for number in meaning.entries:  # (6)
            self._remember(number, facts, outcome)
        for path, token, _until_ms in outcome.condemned if self._kinds else ():  # (7)
            self._find(path, token, self._longest)

    def let_pass(self, events: Sequence[Facts]) -> None:
        """Settle events in a book of no kinds and no rates, which keeps the time and nothing else."""
        if events[-1].at_ms - self._swept_ms >= SWEEP_MS:
            for each in events:
                self._at_ms = each.at_ms
                if each.at_ms - self._swept_ms >= SWEEP_MS:
                    self._sweep(each.at_ms)
        self._at_ms = events[-1].at_ms

    def take(self, *, most: int = CHANGED_MAX) -> Changes:
        """What changed since the last call, of at most so many members and findings; the rest is for the next call."""
        campaigns: list[Standing] = []
        rest: dict[str, dict[str, None]] = {}
        room = most
        for id_, users in self._changed.items():
            campaign = self._known(id_)
            if campaign is None:
                continue
            if not campaign.opened_ms or room <= 0:
                rest[id_] = users
                continue
            part = list(islice(users, room))
            room -= max(1, len(part))
            campaigns.append(campaign.standing(part))
            if len(part) < len(users):
                rest[id_] = dict.fromkeys(islice(users, len(part), None))
        self._changed = rest
        findings, self._findings = self._findings[:most], self._findings[most:]
        return Changes(campaigns, findings, self._at_ms)

    def tell_all(self) -> None:
        """Take everything that is remembered for changed: for somebody who sees this book for the first time."""
        for clusters in self._clusters:
            for campaign in clusters.campaigns.values():
                if campaign.opened_ms:
                    self._note(campaign, *campaign.members)
        self._findings = self.findings()

    def _known(self, id_: str) -> Campaign | None:
        return next((each.campaigns[id_] for each in self._clusters if id_ in each.campaigns), None)

    def dump(self) -> bytes:
        """The whole state."""
        return _encoder.encode(
            _Saved(
                {name: rate.keys for name, rate in self._rates.items()},
                self._clusters,
                self._recent,
                {id_: list(users) for id_, users in self._changed.items()},
                self._findings,
                self._swept_ms,
                self._at_ms,
                self.shed,
            )
        )

    def load(self, state: bytes) -> None:
        """Take over a dumped state of the same declarations; raises ``SnapshotInvalid``."""
        try:
            saved = _decoder.decode(state)
        except msgspec.MsgspecError as broken:
            raise SnapshotInvalid(
                "the saved campaigns cannot be read", expected="MessagePack of a book of campaigns"
            ) from broken
        if set(saved.rates) != set(self._rates) or len(saved.clusters) != len(self._clusters):
            raise SnapshotInvalid(
                "the saved campaigns are of other declarations", expected="the policy's own"
            )
        for name, keys in saved.rates.items():
            self._rates[name].keys = keys
        self._clusters, self._recent = saved.clusters, saved.recent
        self._find_tables()
        self._look_for_calm()
        self._changed = {id_: dict.fromkeys(users) for id_, users in saved.changed.items()}
        self._findings, self._swept_ms = saved.findings, saved.swept_ms
        self._at_ms, self.shed = saved.at_ms, saved.shed

    def _sweep(self, at_ms: int) -> None:
        self._swept_ms = at_ms
        for kind, clusters in zip(self._kinds, self._clusters, strict=True):
            for campaign in clusters.sweep(kind, at_ms):
                self._note(campaign)
        self._look_for_calm()
        known = {each for clusters in self._clusters for each in clusters.campaigns}
        for forgotten in self._changed.keys() - known:
            del self._changed[forgotten]
        self._recent.forget(at_ms - max((kind.window_ms for kind in self._kinds), default=0))

    def _went_well(self, facts: Facts) -> None:
        for number, explained_by, waiting in self._explainers:
            if waiting and (token := explained_by(facts)) in waiting:
                for campaign, each in self._clusters[number].explain(self._kinds[number], token, facts.at_ms):
                    self._note(campaign, each)
        if found := self._sources(facts):
            user, at_ms = facts.user, facts.at_ms
            for source in found:
                source.did_well(user, at_ms)

    def _find_tables(self) -> None:
        """What is asked of every event, where it stands, over all kinds."""
        self._tables = {
            path: [
                (self._clusters[number], self._clusters[number].sources[position])
                for number, position in places
            ]
            for path, places in self._links.items()
        }
        self._sources = finder_of(
            [(path, table) for path, of in self._tables.items() for _clusters, table in of]
        )
        self._asked: dict[tuple[str, str], tuple[Plan, list[tuple[int, dict[str, str]]]]] = {}
        self._explainers = [
            (number, kind.explained_by, self._clusters[number].waiting)
            for number, kind in enumerate(self._kinds)
            if kind.explained_by
        ]

    def _asks(self, type_: str, status: str) -> tuple[Plan, list[tuple[int, dict[str, str]]]]:
        """The plan of a kind of event, and for each bit of its deeds whose members they may be done on."""
        plan = self._plans.plan(type_, status)
        return plan, [(bit, self._clusters[number].member_of) for bit, number in plan.deeds]

    def _look_for_calm(self) -> None:
        """Whether nothing is live, so that whoever reads campaigns need not look."""
        self._is_calm = not self.live()

    def _trace(self, number: int, facts: Facts, outcome: Outcome) -> None:
        kind, clusters = self._kinds[number], self._clusters[number]
        explained_by = kind.explained_by(facts) if kind.explained_by and facts.status == "failed" else ""
        trace = Trace(facts.user, facts.id, facts.at_ms, kind.tokens(facts), explained_by)
        joined = clusters.add(kind, trace)
        if joined is not None:
            self._joined(number, joined)
        for name, key_of in kind.rates:
            watched = self._rates[name].alarm(key_of(facts), facts.at_ms)
            if watched is not None:
                self._gather(number, name + "\x1f" + key_of(facts), trace, watched)
        campaign = clusters.find(clusters.member_of.get(facts.user, ""))
        if campaign is not None:
            self._count(campaign, facts, outcome)

    def _gather(self, number: int, rate: str, trace: Trace, watched: Watched) -> None:
        name = rate.partition("\x1f")[0]
        usual = self._rates[name].usual_per_hour(watched) * (trace.at_ms - watched.onset_ms) / 3_600_000
        certainty = max(0, round(100 * (1 - usual / max(watched.seen, 1))))
        joined = self._clusters[number].gather(
            self._kinds[number], rate, trace, onset_ms=watched.onset_ms, certainty=certainty
        )
        self._joined(number, joined)

    def _joined(self, number: int, joined: Joined) -> None:
        self._note(joined.campaign, *joined.users)
        self._is_calm = self._is_calm and joined.campaign.state != "live"
        for campaign in joined.merged:
            self._note(campaign)
        for path, token in joined.sources:
            self._find(path, token, number, joined.campaign.id)

    def _deed(self, number: int, facts: Facts, outcome: Outcome) -> None:
        """Something done on a member: the campaign's doing where it comes from its sources, or after it got in."""
        clusters, kind = self._clusters[number], self._kinds[number]
        campaign = clusters.campaigns.get(clusters.member_of.get(facts.user, ""))
        member = campaign.members.get(facts.user) if campaign is not None else None
        if campaign is None or member is None:
            return
        got_in = member.entered + member.stopped > 0
        if got_in or outcome.kind != "allow" or clusters.belongs(kind, kind.tokens(facts)) is campaign:
            self._count(campaign, facts, outcome)

    def _count(self, campaign: Campaign, facts: Facts, outcome: Outcome) -> None:
        member = campaign.members.get(facts.user)
        if member is None:
            return
        member.last_ms = facts.at_ms
        if facts.status == "failed":
            member.tried += 1
            campaign.tried += 1
        elif facts.status == "succeeded" and not outcome.passed:
            member.stopped += 1
            campaign.stopped += 1
        elif facts.status == "succeeded" and facts.type in MONEY_TYPES:
            count, amount = campaign.spent.get(facts.currency, (0, 0))
            campaign.spent[facts.currency] = (count + 1, amount + facts.amount_minor)
        elif facts.status == "succeeded":
            member.entered += 1
            campaign.entered += 1
        self._note(campaign, facts.user)

    def _remember(self, number: int, facts: Facts, outcome: Outcome) -> None:
        kind, clusters = self._kinds[number], self._clusters[number]
        success = Success(facts.id, facts.user, facts.at_ms, facts.type, outcome.score_centi)
        for position, link in enumerate(kind.links):
            if link.same_hand and (token := link.value_of(facts)):
                self._recent.keep(link.path, token, success)
                source = clusters.sources[position].get(token)
                if source is not None and (campaign := clusters.find(source.campaign)):
                    self._find(link.path, token, number, campaign.id)

    def _find(self, path: str, token: str, number: int, campaign_id: str = "") -> None:
        """The earlier successes of a source become findings, and their accounts members where a campaign is behind it."""
        share = max(
            (
                self._clusters[each].share(self._kinds[each], position, token)
                for each, position in self._links.get(path, ())
            ),
            default=1.0,
        )
        findings = self._recent.findings(
            path,
            token,
            since_ms=self._at_ms - self._kinds[number].window_ms,
            now_ms=self._at_ms,
            campaign=campaign_id,
            points=self._points * share,
            least_centi=self._least_centi,
        )
        self._findings += findings
        if len(self._findings) > FINDINGS_MAX:
            self.shed += len(self._findings) - FINDINGS_MAX
            del self._findings[:-FINDINGS_MAX]
        clusters = self._clusters[number]
        campaign = clusters.find(campaign_id)
        if campaign is not None:
            self._take_in(number, campaign, findings)

    def _take_in(self, number: int, campaign: Campaign, findings: list[Finding]) -> None:
        kind, clusters = self._kinds[number], self._clusters[number]
        for finding in findings:
            trace = Trace(finding.user, finding.event_id, finding.at_ms, ("",) * len(kind.links))
            if clusters.enter(kind, campaign, trace, finding.source):
                campaign.members[finding.user].entered += 1
                campaign.entered += 1
                self._note(campaign, finding.user)

    def _note(self, campaign: Campaign, *users: str) -> None:
        changed = self._changed.setdefault(campaign.id, {})
        changed.update(dict.fromkeys(users))
        if len(changed) > CHANGED_MAX:
            self.shed += 1
            del changed[next(iter(changed))]


class _Saved(Struct):
    rates: dict[str, dict[str, Watched]]
    clusters: list[Clusters]
    recent: Recent
    changed: dict[str, list[str]]
    findings: list[Finding]
    swept_ms: int
    at_ms: int
    shed: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Saved)
