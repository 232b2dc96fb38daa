"""Screening for those who ask over HTTP: with the shop's profile in force, in the reader's language.

Promise:
- a profile that is published is in force for every worker on the same store within ``LOOK_S``; one that would judge the
  shop's own wrongly is refused, and the one in force stays;
- publication and audit line are one transaction;
- a profile from a file (``--profile``) is the operator's: nothing is published over it;
- what was confirmed of reports is on the list of every worker as soon, and so is a learned part whose file was replaced;
- what was asked is answered and not kept.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Conflict, NotFound, StoreError
from shopward.flows.screen_trial import OnTrial, TrialCounts
from shopward.screening import LinkLists, ListEntry, Profile, check_link, check_sender, profile_of, screened
from shopward.screening.messages import check_message
from shopward.screening.profile import refuse_faults, warnings_of
from shopward.screening.profile.rows import ProfileRow
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.flows.screen_trial import Learned, What
    from shopward.ports import Records
    from shopward.screening import Screened, Verdict
    from shopward.screening.profile.store import ProfileStore
    from shopward.screening.reports.rows import ListedRow
    from shopward.screening.reports.store import ReportStore
    from shopward.values import Clock

LOOK_S: Final = 0.5
"""How old the knowledge of the newest publication may be."""
LINK_MAX: Final = 65_536
SOURCE: Final = "reports"
"""Of the entries that people confirmed."""
MESSAGE_BYTES_MAX: Final = 1_048_576
Id = Annotated[str, Meta(max_length=128)]


class LinkAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A link as it was pasted; ``id`` comes back."""

    url: Annotated[str, Meta(max_length=LINK_MAX)]
    id: Id | None = None


class SenderAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A number, address or account as it was shown, and the channel where it was met."""

    sender: Annotated[str, Meta(max_length=2_048)]
    channel: Annotated[str, Meta(max_length=32)] = ""
    id: Id | None = None


class MessageAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A message as it was received, the channel and the sender that were shown, and its language where somebody knows it.

    All three languages are looked for in every message, since customers get them mixed; ``lang`` is taken and changes nothing.
    """

    text: Annotated[str, Meta(max_length=MESSAGE_BYTES_MAX)]
    channel: Annotated[str, Meta(max_length=32)] = ""
    sender: Annotated[str, Meta(max_length=2_048)] = ""
    lang: Annotated[str, Meta(max_length=35)] = ""
    id: Id | None = None


class InForce(NamedTuple):
    """The profile that judges, and its number; 0 for one from a file."""

    profile: Profile
    number: int


class ProfileView(Struct):
    """The profile in force.

    Attributes:
        number: of its publication; 0 for one from a file.
        warnings: what is legal and unwise about it.
        profile: what the shop says.
    """

    number: int
    version: str
    published_by: str
    published_at: str
    warnings: list[str]
    profile: Any


def _nothing() -> tuple[ListEntry, ...]:
    return ()


class ScreeningDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: the published profiles.
        reports: of which those that were confirmed are a list.
        learned: the learned parts in force.
        trail: the audit log.
        clock: the server's.
        steady_s: seconds that never jump.
        pinned: the profile of a file, over which nothing is published.
        on_trial: learned parts that are counted and decide nothing.
        feeds: lists of others; gives the same object for as long as they are the same.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: ProfileStore,
        reports: ReportStore,
        trail: Trail,
        clock: Clock,
        steady_s: Callable[[], float],
        learned: Callable[[], Learned],
        on_trial: Callable[[], OnTrial] = OnTrial,
        pinned: Profile | None = None,
        feeds: Callable[[], Sequence[ListEntry]] = _nothing,
    ) -> None:
        self._records = records
        self._store = store
        self._reports = reports
        self._learn, self._try = learned, on_trial
        self._learned, self._on_trial = learned(), on_trial()
        self.trial = TrialCounts()
        self._trail = trail
        self._clock = clock
        self._steady_s = steady_s
        self._pinned = pinned
        self._in_force: InForce | None = InForce(pinned, 0) if pinned is not None else None
        self._looked_s = float("-inf")
        self._looking = threading.Lock()
        self._list_version = (0, 0)
        self._feeds = feeds
        self._fed: Sequence[ListEntry] = _nothing()
        self.lists = LinkLists()

    def link(self, asked: LinkAsked, language: str) -> Screened:
        """The verdict on a link; raises ``NotFound`` where no profile is in force."""
        verdict = self.judge_link(asked)
        scorer = self._learned.links
        model = "" if scorer is None else scorer.version
        return screened(
            verdict, asked.url, language, profile=self.profile().version, model=model, id_=asked.id
        )

    def message(self, asked: MessageAsked, language: str) -> Screened:
        """The verdict on a message; raises ``NotFound`` where no profile is in force."""
        verdict = self.judge_message(asked)
        return screened(
            verdict,
            asked.text,
            language,
            profile=self.profile().version,
            model=self._learned.messages.version,
            id_=asked.id,
        )

    def sender(self, asked: SenderAsked, language: str) -> Screened:
        """The verdict on a sender; raises ``NotFound`` where no profile is in force."""
        verdict = self.judge_sender(asked)
        return screened(verdict, asked.sender, language, profile=self.profile().version, id_=asked.id)

    def judge_link(self, asked: LinkAsked) -> Verdict:
        """The verdict on a link, without its texts."""
        profile = self.profile()
        return self._tried("link", lambda learned: self._of_link(asked, profile, learned))

    def judge_message(self, asked: MessageAsked) -> Verdict:
        """The verdict on a message, without its texts."""
        profile = self.profile()
        return self._tried("message", lambda learned: self._of_message(asked, profile, learned))

    def judge_sender(self, asked: SenderAsked) -> Verdict:
        """The verdict on a sender, without its texts."""
        return check_sender(asked.sender, self.profile(), channel=asked.channel)

    def profile(self) -> Profile:
        """The profile in force; raises ``NotFound`` where there is none."""
        if self._steady_s() - self._looked_s >= LOOK_S:
            self._look()
        if self._in_force is None:
            raise NotFound(
                "the shop has no profile yet", code="no_profile", expected="a published profile",
                hint="PUT /v1/screen/profile, or start the server with --profile FILE",
            )  # fmt: skip
        return self._in_force.profile

    def look_again(self) -> None:
        """Something was settled here: the next question looks for it."""
        self._looked_s = float("-inf")

    def publish(self, caller: Caller, said: Any) -> ProfileView:
        """A profile into force; the one in force where it says the same already.

        Raises:
            InvalidField: it cannot be used, or would judge the shop's own wrongly.
            Conflict: the profile of a file is in force.
        """
        caller.require("analyst")
        if self._pinned is not None:
            raise Conflict(
                "the profile of a file is in force",
                code="profile_pinned",
                expected="a server without --profile",
            )
        profile = profile_of(said)
        refuse_faults(profile)
        body = msgspec.json.encode(profile.spec).decode()

        def work(connection: Any) -> ProfileRow:
            before = self._store.newest(connection)
            if before is not None and before.version == profile.version:
                return before
            at_ms = self._clock.now_ms()
            row = ProfileRow(
                (before.number if before else 0) + 1, profile.version, body, caller.person, at_ms
            )
            self._store.add(connection, row)
            self._trail.append(
                connection, deed="profile:publish", subject=f"profile {row.number}", actor=caller.person, at_ms=at_ms,
                details={"version": row.version},
            )  # fmt: skip
            return row

        row = self._records.write(work)
        self._in_force = InForce(profile, row.number)
        return _view(row, profile)

    def shown(self) -> ProfileView:
        """The profile in force, with its warnings; raises ``NotFound`` where there is none."""
        profile = self.profile()
        row = None if self._pinned is not None else self._records.read(self._store.newest)
        if row is None or row.version != profile.version:
            row = ProfileRow(0, profile.version, "", "", 0)
        return _view(row, profile)

    def _tried(self, what: What, judge: Callable[[Learned], Verdict]) -> Verdict:
        """The verdict in force; what is on trial is asked, too, and counted."""
        verdict = judge(self._learned)
        on_trial = self._on_trial.beside(self._learned, what)
        if on_trial is not None:
            self.trial.count(what, verdict, judge(on_trial))
        return verdict

    def _of_link(self, asked: LinkAsked, profile: Profile, learned: Learned) -> Verdict:
        findings = None if learned.links is None else learned.links.findings
        return check_link(asked.url, profile, lists=self.lists, learned=findings, at_ms=self._clock.now_ms())

    def _of_message(self, asked: MessageAsked, profile: Profile, learned: Learned) -> Verdict:
        findings = None if learned.links is None else learned.links.findings
        return check_message(
            asked.text, profile, channel=asked.channel, sender=asked.sender, model=learned.messages,
            lists=self.lists, learned=findings, at_ms=self._clock.now_ms(),
        )  # fmt: skip

    @property
    def bundles_refused(self) -> int:
        """How many bundles of the settings are not used as they stand."""
        return self._learned.refused + self._on_trial.refused

    def _look(self) -> None:
        """Take what was published meanwhile, here or by another process; one thread looks, the others go on.

        Fails open: where the store cannot be read, the profile and the list in force go on judging.
        """
        if not self._looking.acquire(blocking=self._in_force is None):
            return
        try:
            self._learned, self._on_trial = self._learn(), self._try()
            self._take_profile()
            self._take_lists()
        except StoreError:
            if self._in_force is None:
                raise
        finally:
            self._looked_s = self._steady_s()
            self._looking.release()

    def _take_profile(self) -> None:
        if self._pinned is not None:
            return
        number = self._records.read(self._store.newest_number)
        if number and (self._in_force is None or self._in_force.number != number):
            row = self._records.read(self._store.newest)
            if row is not None:
                self._in_force = InForce(profile_of(msgspec.json.decode(row.body)), row.number)

    def _take_lists(self) -> None:
        version, feeds = self._records.read(self._reports.list_version), self._feeds()
        if version == self._list_version and feeds is self._fed:
            return
        at_ms = self._clock.now_ms()
        rows = self._records.read(lambda connection: self._reports.listed(connection, at_ms=at_ms))
        self.lists = LinkLists((*feeds, *map(_entry, rows)))
        self._list_version, self._fed = version, feeds


def entries_of(rows: Iterable[ListedRow]) -> LinkLists:
    """The shop's own list, as links are looked up in it."""
    return LinkLists(map(_entry, rows))


def _entry(row: ListedRow) -> ListEntry:
    return ListEntry(link=row.link, scope=row.scope, source=SOURCE, seen_ms=row.seen_ms, ends_ms=row.ends_ms)


def _view(row: ProfileRow, profile: Profile) -> ProfileView:
    return ProfileView(
        row.number, row.version, row.published_by, to_rfc3339(row.published_ms) if row.published_ms else "",
        warnings_of(profile), msgspec.to_builtins(profile.spec),
    )  # fmt: skip
