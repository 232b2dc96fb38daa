"""Virtual contact data: a partner's page has a number or an address of ours in the place of the customer's.

The story of a resolution, which the shop's relay asks for with each call or mail; it fails closed at every step:
  (1) the alias stands for a record: the share, the partner and its scope still allow it, and the record is the same customer's;
      one of the alias's day and one of the partner's is taken, also where the rest is refused
  (2) from here on it is a reveal of that field (``flows.reveal``): locks, purpose, consent, decision, audit; a person's quota is taken
      where a person asks, and not where the relay does, whose quotas are those of (1)
  (3) (1) is asked again with the partner's row held; it is written down and the value leaves

What a share gives aliases of comes when a page of it is pulled: the same for the same record and share. Where the pool is
empty or no domain is set the field stays away and is counted; the customer's own value never takes its place.

A canary that a share carries has an alias too; nobody is behind it, and the relay that asks is refused, not locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shopward.errors import InvalidField, NotFound, QuotaReached, Refused
from shopward.flows.looks import RevealAsk
from shopward.partners import refusal_of
from shopward.partners.aliases import SUFFIX, Alias, alias_fields, check_numbers, email_alias
from shopward.values import DAY_MS
from shopward.vault.purposes import purpose_of
from shopward.vault.rows import RevealRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from shopward.access import Caller
    from shopward.flows.arrows import Trail
    from shopward.flows.looks import Pending
    from shopward.flows.reveal import RevealDesk
    from shopward.flows.strongroom import Strongroom
    from shopward.partners import Share
    from shopward.partners.alias_store import AliasStore
    from shopward.partners.store import PartnerStore
    from shopward.ports import Records
    from shopward.values import Clock
    from shopward.vault.rows import Opened

OVER: Final = "alias_over"
RATIONED: Final = "relay_quota_reached"


class Given(NamedTuple):
    """The aliases of a page: by record, fields of the share; and how many fields stayed away."""

    fields: dict[str, dict[str, str]]
    missing: int


class Resolving(NamedTuple):
    """A resolution between (1) and (3)."""

    alias: Alias
    pending: Pending


class Rations(NamedTuple):
    """How often in a day (UTC) somebody may be reached: by one alias, and by all of a partner whose agreement does not say."""

    alias_day_max: int
    partner_day_max: int


class PoolCount(NamedTuple):
    """The pool after an import."""

    added: int
    numbers: int
    free: int


class AliasDesk:
    """May be called from any thread.

    Args:
        records: transactions.
        store: partners and shares.
        aliases: rows of aliases.
        room: the vault.
        reveals: how a value is shown.
        trail: the audit log.
        clock: the server's.
        domain: of the relay for mail; empty: no addresses.
        rations: how often aliases are resolved.
        entropy: makes addresses.
    """

    def __init__(
        self, *, records: Records, store: PartnerStore, aliases: AliasStore, room: Strongroom, reveals: RevealDesk,
        trail: Trail, clock: Clock, domain: str, rations: Rations, entropy: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self._records, self._store, self._aliases, self._room, self._reveals = (
            records, store, aliases, room, reveals,
        )  # fmt: skip
        self._trail, self._clock, self._domain, self._entropy = trail, clock, domain, entropy
        self._rations = rations

    def add_numbers(self, caller: Caller, numbers: Sequence[str]) -> PoolCount:
        """Import numbers of the shop's relay into the pool; those that are there stay as they are."""
        check_numbers(numbers)
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> PoolCount:
            added = self._aliases.import_numbers(connection, numbers)
            count = PoolCount(added, *self._aliases.count(connection, now_ms=now_ms))
            details = {"added": added, "numbers": count.numbers}
            self._trail.append(connection, at_ms=now_ms, actor=caller.key, deed="alias:pool", subject="pool", details=details)  # fmt: skip
            return count

        return self._records.write(work)

    def now_ms(self) -> int:
        """The moment that states of aliases are told for."""
        return self._clock.now_ms()

    def listed(self, *, after: str, limit: int) -> list[Alias]:
        """By alias."""
        return self._records.read(
            lambda connection: self._aliases.listed(connection, after=after, limit=limit)
        )

    def given(self, connection: Any, share: Share, opened: Sequence[Opened], now_ms: int) -> Given:
        """The aliases of a page's records, in the transaction that gives it, under the partner's row."""
        kinds = alias_fields(share.fields)
        wanted = [(each, kind) for each in opened for kind in kinds if each.values.get(kind)]
        if not wanted:
            return Given({}, 0)
        records = [each.row.id for each in opened]
        there = {
            (each.record, each.subject, each.field): each.alias
            for each in self._aliases.of_share(connection, share.id, records)
        }
        new = [(each, kind) for each, kind in wanted if (each.row.id, each.row.subject, kind) not in there]
        numbers = iter(self._numbers(connection, sum(kind == "phone" for _each, kind in new), now_ms))
        made: list[Alias] = []
        for each, kind in new:
            text = next(numbers, "") if kind == "phone" else self._address()
            if not text:
                continue
            row = each.row
            made.append(
                Alias(text, kind, share.partner, share.id, row.id, row.subject, kind, share.expires_ms)
            )
            there[row.id, row.subject, kind] = text
        self._aliases.take(connection, [each for each in made if each.kind == "phone"])
        self._aliases.add(connection, [each for each in made if each.kind == "email"])
        fields: dict[str, dict[str, str]] = {}
        for each, kind in wanted:
            if known := there.get((each.row.id, each.row.subject, kind)):
                fields.setdefault(each.row.id, {})[kind + SUFFIX] = known
        return Given(fields, len(wanted) - sum(map(len, fields.values())))

    def prepare(
        self,
        caller: Caller,
        alias: str,
        *,
        purpose: str,
        case_id: str = "",
        order_id: str = "",
        challenge_id: str = "",
    ) -> Resolving:
        """(1) and the first half of (2).

        Raises:
            NotFound: no such alias.
            QuotaReached: the alias or the partner was resolved as often today as may be.
            Refused: it is over, or the reveal is refused.
            InvalidField: a purpose that takes two persons each time: a relay does not wait.
        """
        if purpose_of(purpose).is_dual:
            raise _waits()
        found = self._alive(caller, alias, outcome="")
        ask = RevealAsk((found.record,), (found.field,), purpose, case_id, order_id)
        pending = self._reveals.prepare(caller, ask, challenge_id=challenge_id)
        if isinstance(pending, RevealRequest):  # for one record of such a purpose there is none
            raise _waits()
        return Resolving(found, pending._replace(is_metered=caller.is_person))

    def finish(
        self,
        caller: Caller,
        resolving: Resolving,
        decisions: Sequence[str],
        *,
        excluded: Collection[str] | None = None,
    ) -> str:
        """The second half of (2), and (3): the customer's number or address; ``excluded`` as in ``RevealDesk.finish``."""
        opened = self._reveals.finish(caller, resolving.pending, decisions, excluded=excluded)
        value = opened[0].values.get(resolving.alias.field, "")
        outcome = "given" if value else OVER  # a correction took it away since
        self._alive(caller, resolving.alias.alias, outcome=outcome, was=resolving.alias)
        if not value:
            raise _over()
        return value

    # The steps.

    def _alive(self, caller: Caller, text: str, *, outcome: str, was: Alias | None = None) -> Alias:
        """(1) and (3), with the partner's row held; a refusal is raised after the commit, so that its line is kept."""
        now_ms = self._clock.now_ms()

        def work(connection: Any) -> Alias | Refused:
            alias = self._aliases.get(connection, text)
            if alias is None:
                raise NotFound("no such alias", path="alias", expected="an alias that was given to a partner")
            refusal = self._refusal(connection, alias, was, now_ms)
            if refusal is None and was is None:
                refusal = self._rationed(connection, alias, now_ms)
            if refusal is not None or outcome:
                details = {"partner": alias.partner, "field": alias.kind, "outcome": refusal.code if refusal else outcome}  # fmt: skip
                self._trail.append(
                    connection, at_ms=now_ms, actor=caller.key, deed="alias:resolve",
                    subject=alias.share or "pool", details=details,
                )  # fmt: skip
            return refusal or alias

        done = self._records.write(work)
        if isinstance(done, Refused):
            raise done
        return done

    def _refusal(self, connection: Any, alias: Alias, was: Alias | None, now_ms: int) -> Refused | None:
        """Why nothing is behind an alias now. Fails closed."""
        partner = self._store.get(connection, alias.partner, lock=True)
        share = self._store.share(connection, alias.partner, alias.share)
        if partner is None or share is None or (was is not None and was != alias):
            return _over()
        refusal = refusal_of(partner, share, page=0, now_ms=now_ms)
        if refusal is not None:
            return Refused(refusal.message, code=refusal.code)
        rows = self._room.sealed.rows(connection, [alias.record])
        is_there = bool(rows) and rows[0].subject == alias.subject and not rows[0].canary
        return None if is_there and now_ms < alias.expires_ms else _over()

    def _rationed(self, connection: Any, alias: Alias, now_ms: int) -> QuotaReached | None:
        """(1) Take one of the alias's day and one of its partner's, whose row is held; the refusal where there is none left."""
        partner, day = self._store.get(connection, alias.partner), now_ms // DAY_MS
        most = partner.agreement.relay_day_max if partner is not None else 0
        # No person has such a name: names of persons have no colon.
        for whose, name, limit in (
            ("an alias", f"alias:{self._room.blind('alias', alias.alias)}", self._rations.alias_day_max),
            ("this partner", f"relay:{alias.partner}", most or self._rations.partner_day_max),
        ):
            if not self._room.accesses.take(connection, name, day=day, records=1, most=limit):
                return QuotaReached(
                    "customers were reached by aliases as often today as they may be", code=RATIONED,
                    expected=f"at most {limit} a day (UTC) by {whose}", found="more",
                    hint="let the call or mail end here", retry_after_s=(DAY_MS - now_ms % DAY_MS) / 1000,
                )  # fmt: skip
        return None

    def _numbers(self, connection: Any, count: int, now_ms: int) -> list[str]:
        return self._aliases.free_numbers(connection, count=count, now_ms=now_ms) if count else []

    def _address(self) -> str:
        return email_alias(self._domain, self._entropy) if self._domain else ""


def _waits() -> InvalidField:
    return InvalidField(
        "a relay does not wait for a second person", path="purpose", expected="a purpose that one person may use",
        found="another",
    )  # fmt: skip


def _over() -> Refused:
    return Refused(
        "nobody is behind this alias any more", code=OVER, expected="an alias of an open share, of a record that is there",
        hint="let the call or mail end here",
    )  # fmt: skip
