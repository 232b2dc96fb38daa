"""Publishing: how a policy comes into force, and how the one before comes back.

Promise:
- what does not compile, or fails its own tests, does not publish, and the policy in force stays; the refusal names file,
  line and column where they can be told;
- the files, the publication and the line of the audit log are one transaction; after a crash a policy is published or
  it is not;
- a name and version stands for one set of files for ever, so that a decision's ``policy`` says which rules decided;
- the policy of a folder (``--policy``) is the operator's: while it is in force nothing is published over it.

The story of a publication:
  (1) the caller may do it, and this server takes publications
  (2) the policy compiles and passes its tests
  (3) under the lock: what is in force now; the same files again change nothing
  (4) the first publication notes what was in force before it, so that there is a way back
  (5) files, publication, audit line; commit

From then on every start takes it. When the running server changes over stands in ``succession``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from shopward.errors import Conflict, NotFound
from shopward.publication import Publication
from shopward.risk.policy import Policy, PolicyFiles
from shopward.risk.policy.difference import Difference, differences, same_state

if TYPE_CHECKING:
    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.ports import Fence, Records
    from shopward.publication import Kind, Mark
    from shopward.publication.store import PolicyStore
    from shopward.values import Clock, IdSource

SYSTEM: Final = "shopward"
_LOOK_BACK: Final = 10_000
"""Publications that are looked through for one with other files."""
_DEEDS: Final[dict[Kind, str]] = {
    "publish": "policy:publish",
    "rollback": "policy:rollback",
    "folder": "policy:load",
    "start": "policy:load",
}


class Edition(NamedTuple):
    """A policy that can be in force.

    Attributes:
        policy: compiled.
        files: what it was compiled from.
        mark: of its publication; ``None`` where it was never published.
        is_folder: whether it is the operator's own folder, which nothing is published over.
    """

    policy: Policy
    files: PolicyFiles
    mark: Mark | None = None
    is_folder: bool = False


class Checked(Struct):
    """What a check says of a policy that is good.

    Attributes:
        tests: how many of its own tests pass.
        rebuilds: whether its features differ from those in force, so that the state is rebuilt before it decides.
        differences: from the policy in force.
    """

    policy: str
    digest: str
    rules: int
    features: int
    tests: int
    rebuilds: bool
    differences: list[Difference]


class PolicyDesk:
    """Tells the stories; may be called from any thread.

    Args:
        records: transactions.
        fence: lets one publication be made at a time.
        store: the publications.
        trail: the audit log.
        clock: the server's clock.
        ids: names entries of the log.
    """

    def __init__(
        self, *, records: Records, fence: Fence, store: PolicyStore, trail: Trail, clock: Clock, ids: IdSource
    ) -> None:
        self._records = records
        self._fence = fence
        self._store = store
        self._trail = trail
        self._clock = clock
        self._ids = ids

    def check(self, files: PolicyFiles, in_force: Edition) -> Checked:
        """What would be published; raises ``PolicyInvalid``."""
        policy = files.tested()
        return Checked(
            policy.version,
            files.digest,
            len(policy.rules),
            len(policy.spec.features),
            sum(len(rule.spec.test) for rule in policy.rules),
            not same_state(in_force.policy.spec, policy.spec),
            differences(in_force.policy.spec, policy.spec),
        )

    def publish(
        self, caller: Caller, files: PolicyFiles, in_force: Edition, *, note: str = ""
    ) -> tuple[Publication, Policy]:
        """A policy into force; the newest publication where it has these files already."""
        caller.require("analyst")  # (1)
        _refuse_pinned(in_force)
        policy = files.tested()  # (2)
        return self._records.write(
            lambda connection: self._published(connection, caller, files, policy, in_force, note)
        ), policy

    def roll_back(
        self, caller: Caller, in_force: Edition, *, to: int | None = None, note: str = ""
    ) -> tuple[Publication, Policy, PolicyFiles]:
        """An earlier publication's policy back into force; the last that had other files where ``to`` is left out."""
        caller.require("analyst")  # (1)
        _refuse_pinned(in_force)

        def work(connection: Any) -> tuple[Publication, Policy, PolicyFiles]:
            self._fence.exclusive(connection)  # (3)
            newest = self._store.newest(connection)
            target = self._earlier(connection, newest, to)
            files = self._files(connection, target.digest)
            policy = files.compiled()  # (2), its tests passed when it was published
            if newest is not None and newest.digest == target.digest:
                return newest, policy, files
            made = self._add(connection, files, policy, "rollback", caller.person, caller.key, note)  # (5)
            return made, policy, files

        return self._records.write(work)

    def listed(self, *, before: int | None, limit: int) -> list[Publication]:
        """Publications, newest first."""
        return self._records.read(lambda each: self._store.listed(each, before=before, limit=limit))

    def files_of(self, number: int) -> tuple[Publication, PolicyFiles]:
        """A publication and its files."""

        def work(connection: Any) -> tuple[Publication, PolicyFiles]:
            publication = self._store.numbered(connection, number)
            if publication is None:
                raise _no_publication()
            return publication, self._files(connection, publication.digest)

        return self._records.read(work)

    def at_start(self, by_files: Edition) -> Edition:
        """What is in force when a server starts; noted as a publication where earlier ones said otherwise.

        A folder comes first, then the newest that somebody published, then the policy that ships. Nothing is noted as
        long as nothing was ever published.
        """

        def work(connection: Any) -> Edition:
            newest = self._store.newest(connection)
            if newest is None:
                return by_files
            self._fence.exclusive(connection)
            if by_files.is_folder:
                if newest.digest != by_files.files.digest or newest.kind != "folder":
                    newest = self._add(
                        connection, by_files.files, by_files.policy, "folder", SYSTEM, SYSTEM, ""
                    )
                return by_files._replace(mark=newest.mark)
            chosen = self._chosen(connection, newest)
            files = self._files(connection, chosen.digest)
            policy = files.compiled()
            if newest.kind == "folder":
                newest = self._add(connection, files, policy, "start", SYSTEM, SYSTEM, "")
            return Edition(policy, files, newest.mark)

        return self._records.write(work)

    def _published(
        self,
        connection: Any,
        caller: Caller,
        files: PolicyFiles,
        policy: Policy,
        in_force: Edition,
        note: str,
    ) -> Publication:
        self._fence.exclusive(connection)  # (3)
        newest = self._store.newest(connection)
        if newest is not None and newest.digest == files.digest:
            return newest
        known = self._store.digest_of(connection, policy.version)
        if known is None and in_force.policy.version == policy.version:
            known = in_force.files.digest
        if known not in (None, files.digest):
            raise Conflict(
                "this name and version stands for another policy",
                code="policy_version_taken",
                path="policy.toml: version",
                expected="a version that was not published before",
                found=policy.version,
                hint="raise version in policy.toml with each change",
            )
        if newest is None:
            self._add(connection, in_force.files, in_force.policy, "start", SYSTEM, SYSTEM, "")  # (4)
        return self._add(connection, files, policy, "publish", caller.person, caller.key, note)  # (5)

    def _add(
        self,
        connection: Any,
        files: PolicyFiles,
        policy: Policy,
        kind: Kind,
        person: str,
        key: str,
        note: str,
    ) -> Publication:
        newest = self._store.newest(connection)
        now_ms = self._clock.now_ms()
        made = Publication(
            1 if newest is None else newest.number + 1,
            self._ids.new("policy", now_ms),
            files.digest,
            policy.version,
            kind,
            now_ms,
            person,
            note,
            policy.satisfied_for_ms,
        )
        self._store.add(connection, made, files)
        details = {"policy": made.policy, "digest": made.digest, "number": made.number}
        self._trail.append(
            connection,
            at_ms=now_ms,
            actor=key,
            deed=_DEEDS[kind],
            subject=f"policy:{made.number}",
            details=details,
        )
        return made

    def _earlier(self, connection: Any, newest: Publication | None, to: int | None) -> Publication:
        """The publication to go back to."""
        if to is not None:
            target = self._store.numbered(connection, to)
        else:
            earlier = self._store.listed(connection, before=None, limit=_LOOK_BACK)
            target = next((each for each in earlier if newest and each.digest != newest.digest), None)
        if target is None:
            raise _no_publication()
        return target

    def _chosen(self, connection: Any, newest: Publication) -> Publication:
        """The newest publication that is no folder's; the first of all never is."""
        if newest.kind != "folder":
            return newest
        earlier = self._store.listed(connection, before=newest.number, limit=_LOOK_BACK)
        return next((each for each in earlier if each.kind != "folder"), newest)

    def _files(self, connection: Any, digest: str) -> PolicyFiles:
        files = self._store.files(connection, digest)
        if files is None:
            raise _no_publication()
        return PolicyFiles(files)


def _refuse_pinned(in_force: Edition) -> None:
    if in_force.is_folder:
        raise Conflict(
            "the policy in force is a folder of the operator's",
            code="policy_from_folder",
            expected="a server that was started without --policy",
            found="one started with it",
            hint="change the folder and restart, or restart without --policy to publish",
        )


def _no_publication() -> NotFound:
    return NotFound(
        "no such publication",
        path="number",
        expected="the number of an earlier publication",
        found="none",
        hint="GET /v1/policies lists them",
    )
