"""Clusters: suspicious accounts of one kind, joined over what they share.

Promise:
- A *trace* is a suspicious deed on an account. A *source* is one value of a declared link: a device, a network, a payee.
  A source joins its accounts once enough of those seen there are suspicious; what honest people use joins nobody.
- While a watched rate alarms, the traces since its rise began belong together, whatever they share.
- A trace is taken back where it is explained: its device was let in within the declared time, as happens to people who
  mistype. Devices that already belong to a campaign explain nothing.
- Two campaigns that turn out to share a source become one: the older is the heir of the younger. None is ever split.
- What is idle for the declared window is forgotten; each table has its bound, and beyond it the oldest goes.

Identity and membership depend on nothing but the order of the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from shopward.risk.campaigns.campaign import Campaign, Member, campaign_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.risk.campaigns.plan import Kind

SOURCES_MAX: Final = 100_000
LOOSE_MAX: Final = 50_000
MEMBERS_MAX: Final = 50_000
ACCOUNTS_PER_SOURCE_MAX: Final = 256
REMEMBERED_MS: Final = 14 * 24 * 3_600_000
"""How long after its end a campaign's accounts are watched for what is still done to them."""
OVERLAP: Final = 3
"""A campaign that holds a third of the accounts of a source is merged with the others there."""


class Trace(Struct, array_like=True, frozen=True):
    """A suspicious deed: on which account, from which sources (by link), and what could explain it."""

    user: str
    event_id: str
    at_ms: int
    tokens: tuple[str, ...]
    explained_by: str = ""


class Source(Struct, array_like=True):
    """One value of a link: the accounts that were suspicious here and those that were not, each by its last time."""

    suspicious: dict[str, int] = {}
    honest: dict[str, int] = {}
    campaign: str = ""

    def did_well(self, user: str, at_ms: int) -> None:
        """Somebody did well here: a source with many such accounts joins nobody."""
        if user not in self.suspicious:
            honest = self.honest  # as ``_mark`` does: this is asked of nearly every event
            honest.pop(user, None)
            honest[user] = at_ms
            if len(honest) > ACCOUNTS_PER_SOURCE_MAX:
                del honest[next(iter(honest))]


class Joined(Struct, array_like=True, frozen=True):
    """What a call changed: the campaign, the accounts and sources that belong to it now, the campaigns that it took over."""

    campaign: Campaign
    users: list[str] = []
    sources: list[tuple[str, str]] = []
    merged: list[Campaign] = []


class Clusters(Struct):
    """State of one kind of campaign.

    Attributes:
        sources: by link, by token.
        loose: the last trace of each account that belongs to no campaign.
        waiting: traces by what could explain them.
        member_of: campaign by account.
        by_rate: campaign by the rate and key whose alarm gathers it.
    """

    sources: list[dict[str, Source]]
    loose: dict[str, Trace] = {}
    waiting: dict[str, list[Trace]] = {}
    member_of: dict[str, str] = {}
    campaigns: dict[str, Campaign] = {}
    by_rate: dict[str, str] = {}

    def find(self, campaign_id: str) -> Campaign | None:
        """The campaign of an id that still grows, or its heir; ``None`` where it has ended."""
        campaign = self.campaigns.get(campaign_id)
        while campaign is not None and campaign.heir:
            campaign = self.campaigns.get(campaign.heir)
        return campaign if campaign is not None and campaign.state in ("forming", "live") else None

    def add(self, kind: Kind, trace: Trace) -> Joined | None:
        """Take a trace; what it joined, ``None`` where it stays loose."""
        joining = []
        for link, sources, token in zip(kind.links, self.sources, trace.tokens, strict=True):
            if not token:
                continue
            source = _touched(sources, token)
            _mark(source.suspicious, trace.user, trace.at_ms)
            source.honest.pop(trace.user, None)
            if (link.same_hand and self.find(source.campaign)) or _joins(
                source, link.accounts, link.share, trace.at_ms - link.within_ms
            ):
                joining.append((link.path, token, source))
        if trace.explained_by:
            self.waiting.setdefault(trace.explained_by, []).append(trace)
        if trace.user not in self.member_of or self.find(self.member_of[trace.user]) is None:
            self.loose.pop(trace.user, None)
            self.loose[trace.user] = trace
            if len(self.loose) > LOOSE_MAX:
                del self.loose[next(iter(self.loose))]
        return self._join_over(kind, trace, joining) if joining else None

    def gather(self, kind: Kind, rate: str, trace: Trace, *, onset_ms: int, certainty: int) -> Joined:
        """Take a trace while a rate alarms: with it belongs every loose trace since the rise began."""
        campaign = self.find(self.by_rate.get(rate, "")) or self.find(self.member_of.get(trace.user, ""))
        campaign = campaign or self._new(kind, trace)
        self.by_rate[rate] = campaign.id
        name = "rate." + rate.partition("\x1f")[0]
        campaign.sources.setdefault(name, onset_ms)
        since = []
        for each in reversed(self.loose.values()):  # the last trace of all stands last
            if each.at_ms < onset_ms:
                break
            since.append(each.user)
        users = [user for user in reversed(since) if self._enter(campaign, user, name, certainty)]
        return self._grown(kind, Joined(campaign, users), trace.at_ms)

    def explain(self, kind: Kind, token: str, at_ms: int) -> list[tuple[Campaign, str]]:
        """Take back the traces that a success under this token explains; the accounts that left a campaign."""
        traces = self.waiting.pop(token, None)
        if traces is None:
            return []
        gone = []
        for trace in traces:
            if at_ms - trace.at_ms > kind.settles_ms or self.belongs(kind, trace.tokens):
                continue
            for sources, each in zip(self.sources, trace.tokens, strict=True):
                if (source := sources.get(each)) is not None:
                    source.suspicious.pop(trace.user, None)
                    _mark(source.honest, trace.user, at_ms)
            loose = self.loose.get(trace.user)
            if loose is not None and loose.event_id == trace.event_id:
                del self.loose[trace.user]
            campaign = self.find(self.member_of.get(trace.user, ""))
            if campaign is not None and campaign.members[trace.user].event_id == trace.event_id:
                member = campaign.members.pop(trace.user)
                campaign.tried -= member.tried
                campaign.certain -= member.certainty
                del self.member_of[trace.user]
                gone.append((campaign, trace.user))
        return gone

    def enter(self, kind: Kind, campaign: Campaign, trace: Trace, how: str) -> bool:
        """Make an account a member because of a success that was found; whether it was none before."""
        if self.find(self.member_of.get(trace.user, "")) is not None:
            return False
        self.loose[trace.user] = trace
        entered = self._enter(campaign, trace.user, how, 100)
        self._grown(kind, Joined(campaign), campaign.last_ms)
        return entered

    def sweep(self, kind: Kind, at_ms: int) -> list[Campaign]:
        """Forget what is idle and end what is quiet; the campaigns that ended."""
        before_ms = at_ms - kind.window_ms
        for sources in self.sources:
            for token in _idle(sources, before_ms):
                del sources[token]
        for user in _before(self.loose, before_ms):
            del self.loose[user]
        late_ms = at_ms - kind.settles_ms
        for token in [token for token, traces in self.waiting.items() if traces[-1].at_ms < late_ms]:
            del self.waiting[token]
        ended = []
        for campaign in list(self.campaigns.values()):
            if campaign.state in ("forming", "live") and campaign.last_ms < at_ms - kind.quiet_ms:
                if campaign.state == "live":
                    ended.append(campaign)
                    campaign.state, campaign.ended_ms = "ended", at_ms
                else:
                    self._drop(campaign)
            elif campaign.ended_ms and campaign.ended_ms < at_ms - REMEMBERED_MS:
                self._drop(campaign)
        return ended

    def belongs(self, kind: Kind, tokens: Iterable[str]) -> Campaign | None:
        """The campaign whose hand one of these sources is."""
        for link, sources, token in zip(kind.links, self.sources, tokens, strict=True):
            if link.same_hand and (source := sources.get(token)) is not None:
                campaign = self.find(source.campaign)
                if campaign is not None:
                    return campaign
        return None

    def share(self, kind: Kind, position: int, token: str) -> float:
        """The part of the accounts seen at a source that is suspicious; 0.0 where it is too few or too small to join them."""
        source = self.sources[position].get(token)
        link = kind.links[position]
        if source is None or len(source.suspicious) < link.accounts:
            return 0.0
        share = len(source.suspicious) / (len(source.suspicious) + len(source.honest))
        return share if share >= link.share else 0.0

    def _join_over(self, kind: Kind, trace: Trace, joining: list[tuple[str, str, Source]]) -> Joined:
        """Join the accounts of sources, and the campaigns that these lead to."""
        found = [campaign for _path, _token, source in joining for campaign in self._led_to(source)]
        campaign = min(found, key=lambda each: each.id, default=None) or self._new(kind, trace)
        merged = list({each.id: each for each in found if each is not campaign}.values())
        users = [user for other in merged for user in other.members]
        for other in merged:
            self._merge(campaign, other)
        attached = []
        for path, token, source in joining:
            if self.find(source.campaign) is not campaign or not source.campaign:
                campaign.sources[path] = campaign.sources.get(path, 0) + 1
                attached.append((path, token))
            source.campaign = campaign.id
            accounts = len(source.suspicious)
            certainty = 100 * accounts // (accounts + len(source.honest))
            loose = [user for user in source.suspicious if user in self.loose]  # most are members already
            users += [user for user in loose if self._enter(campaign, user, path, certainty)]
        return self._grown(kind, Joined(campaign, users, attached, merged), trace.at_ms)

    def _led_to(self, source: Source) -> list[Campaign]:
        """The campaigns that a source leads to: its own, and those that hold a good part of its accounts."""
        own = self.find(source.campaign)
        if own is not None:
            return [own]
        votes: dict[str, int] = {}
        for user in source.suspicious:
            campaign = self.find(self.member_of.get(user, ""))
            if campaign is not None:
                votes[campaign.id] = votes.get(campaign.id, 0) + 1
        return [
            self.campaigns[each] for each, count in votes.items() if count * OVERLAP >= len(source.suspicious)
        ]

    def _new(self, kind: Kind, trace: Trace) -> Campaign:
        campaign = Campaign(
            campaign_id(kind.name, trace.event_id, trace.at_ms), kind.name, trace.at_ms, trace.at_ms
        )
        self.campaigns[campaign.id] = campaign
        return campaign

    def _enter(self, campaign: Campaign, user: str, how: str, certainty: int) -> bool:
        """Make a loose account a member; whether it became one."""
        trace = self.loose.pop(user, None)
        if trace is None:
            return False
        self.member_of[user] = campaign.id
        campaign.first_ms = min(campaign.first_ms, trace.at_ms)
        if len(campaign.members) >= MEMBERS_MAX:
            campaign.unlisted += 1
            return False
        campaign.certain += certainty
        campaign.members[user] = Member(trace.event_id, how, trace.at_ms, trace.at_ms, certainty)
        return True

    def _grown(self, kind: Kind, joined: Joined, at_ms: int) -> Joined:
        campaign = joined.campaign
        campaign.last_ms = max(campaign.last_ms, at_ms)
        if campaign.state == "forming" and campaign.accounts >= kind.accounts:
            campaign.state, campaign.opened_ms = "live", at_ms
        return joined

    def _merge(self, heir: Campaign, other: Campaign) -> None:
        for user, member in other.members.items():
            self.member_of[user] = heir.id
            heir.members.setdefault(user, member)
        for name, count in other.sources.items():
            heir.sources[name] = (
                min(count, heir.sources.get(name, count))
                if name.startswith("rate.")
                else heir.sources.get(name, 0) + count
            )
        heir.first_ms, heir.last_ms = min(heir.first_ms, other.first_ms), max(heir.last_ms, other.last_ms)
        heir.tried += other.tried
        heir.entered += other.entered
        heir.stopped += other.stopped
        heir.unlisted += other.unlisted
        heir.certain += other.certain
        for currency, (count, amount) in other.spent.items():
            had = heir.spent.get(currency, (0, 0))
            heir.spent[currency] = (had[0] + count, had[1] + amount)
        other.certain, other.unlisted = 0, 0
        other.members, other.heir, other.state, other.ended_ms = {}, heir.id, "merged", heir.last_ms

    def _drop(self, campaign: Campaign) -> None:
        for user in campaign.members:
            if self.member_of.get(user) == campaign.id:
                del self.member_of[user]
        del self.campaigns[campaign.id]
        for rate in [rate for rate, each in self.by_rate.items() if each == campaign.id]:
            del self.by_rate[rate]


def _touched(sources: dict[str, Source], token: str) -> Source:
    """The source of a token, moved behind all others."""
    source = sources.pop(token, None)
    if source is None:
        source = Source()
        if len(sources) >= SOURCES_MAX:
            del sources[next(iter(sources))]
    sources[token] = source
    return source


def _mark(accounts: dict[str, int], user: str, at_ms: int) -> None:
    """Note an account as the last of its list, which holds the newest only."""
    accounts.pop(user, None)
    accounts[user] = at_ms
    if len(accounts) > ACCOUNTS_PER_SOURCE_MAX:
        del accounts[next(iter(accounts))]


def _joins(source: Source, accounts: int, share: float, since_ms: int) -> bool:
    """Whether a source has enough suspicious accounts of late, among those that were seen there."""
    if len(source.suspicious) < accounts:
        return False
    for seen in (source.suspicious, source.honest):
        while seen and (first := next(iter(seen))) and seen[first] < since_ms:
            del seen[first]
    suspicious = len(source.suspicious)
    return suspicious >= accounts and suspicious >= share * (suspicious + len(source.honest))


def _before(loose: dict[str, Trace], at_ms: int) -> list[str]:
    """Accounts whose last trace is older; they stand in its order."""
    users = []
    for user, trace in loose.items():
        if trace.at_ms >= at_ms:
            break
        users.append(user)
    return users


def _idle(sources: dict[str, Source], before_ms: int) -> list[str]:
    """Sources without a trace since a time; they stand in the order of their last trace."""
    idle = []
    for token, source in sources.items():
        if source.suspicious and next(reversed(source.suspicious.values())) >= before_ms:
            break
        idle.append(token)
    return idle
