"""Linked identities: who signs in through which foreign account, and what happens when its provider says it was stolen.

Promise:
- a foreign account that was linked, or unlinked, is known by its token from then on (``protection.links``);
- an ``identity_alert`` acts by itself, once, as what is said of the identity asks for (``RESPONSES``). That it was stolen, which
  is also meant where nothing is said: the linked user's orders of the system ask for more proof of what a thief of
  the identity would do, end the sessions of before, and have the shop unlink the provider; the customer gets out by their
  own proof, and a new password alone is none, since it is not the password that was stolen;
- accounts that the same foreign account signs in to are named by an order that tells and stops nothing; where they are
  more than a household has, it is a hub and says nothing of any of them;
- as for every order of the system: none while one of its kind stands, not too many an hour, and history has none.

The story of an alert:
  (1) is it news, about an account that exists?
  (2) what is done about the user
  (3) who else has the identity, and is told
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from shopward.flows.consequences import NEWS_MS
from shopward.protection.linkage import HUB_ACCOUNTS, Identifier, Linkage
from shopward.protection.operations import expanded
from shopward.protection.orders import RELEASE_CONDITIONS, Kind, Order, ReleaseCondition, Standing, Target
from shopward.values import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shopward.events import Facts
    from shopward.flows.follow import Heard
    from shopward.flows.ground import Ground
    from shopward.flows.system import SystemOrders

LASTS_MS: Final = 7 * DAY_MS
OWN_PROOF: Final[tuple[ReleaseCondition, ...]] = ("identity_proved", "passkey_enrolled", "staff_release")
_IDENTITY_EVENT: Final = b'"type":"identity_'


class Response(NamedTuple):
    """What an alert becomes: an order of this kind over these operations.

    Attributes:
        exclude: factors that who has the identity has too.
        of_provider: whether it is about the provider alone.
    """

    kind: Kind
    scope: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    of_provider: bool = False
    release: tuple[ReleaseCondition, ...] = OWN_PROOF
    lasts_ms: int = LASTS_MS


PROVES: Final = Response("step_up", ("pay_linked", "account_changes"), exclude=("email", "sms"))
UNLINKS: Final = Response("unlink", ("everything",), of_provider=True)
ENDS_SESSIONS: Final = Response("revoke", ("everything",), release=RELEASE_CONDITIONS)
RESETS: Final = Response("reset", ("everything",), release=RELEASE_CONDITIONS)
COOLS: Final = Response("delay", ("pay_linked",), of_provider=True, lasts_ms=DAY_MS)
TELLS: Final = Response("notify_only", ("everything",))
STOLEN: Final = (PROVES, UNLINKS, ENDS_SESSIONS)
RESPONSES: Final[Mapping[str, tuple[Response, ...]]] = {
    "hijacked": STOLEN,
    "disabled": (PROVES,),
    "password_compromised": (PROVES, RESETS, ENDS_SESSIONS),
    "credential_compromised": (PROVES,),
    "change_required": (PROVES,),
    "identifier_changed": (TELLS,),
    "identifier_recycled": (PROVES, UNLINKS),
    "recovery_changed": (COOLS,),
    "purged": (UNLINKS,),
    "sessions_revoked": (ENDS_SESSIONS,),
    "credential_changed": (TELLS,),
    "risk_high": (PROVES,),
}
"""By what is said of the identity, as a field of the alert's ``changes``; docs/shared-signals.md has it as a table."""


class Links(Linkage, Protocol):
    """``protection.links.AccountLinks``, as far as it is used here."""

    def put(self, account: str, provider: str, identity: str, at_ms: int) -> None:
        """An account signs in through a provider."""
        ...

    def remove(self, account: str, provider: str, identity: str) -> None:
        """It does so no longer."""
        ...


class IdentityWatch:
    """Listens to the log.

    Args:
        ground: what the stories of protection stand on.
        system: places the orders.
        links: the links as a transaction sees them.
    """

    def __init__(self, ground: Ground, system: SystemOrders, links: Callable[[Any], Links]) -> None:
        self._on = ground
        self._system = system
        self._links = links

    def hears(self, facts: bytes, decisions: bytes) -> bool:  # noqa: ARG002 -- the port's signature
        """Whether any may be about a linked identity."""
        return _IDENTITY_EVENT in facts

    def act(self, connection: Any, heard: Heard) -> bool:
        """Keep the link, or answer the alert; whether an order began."""
        facts, links = heard.facts, self._links(connection)
        if facts.type == "identity_alert":
            return self._answer(connection, heard, links)
        if facts.status == "succeeded" and facts.user and facts.identity_provider:
            if facts.type == "identity_link":
                links.put(facts.user, facts.identity_provider, facts.identity, facts.at_ms)
            elif facts.type == "identity_unlink":
                links.remove(facts.user, facts.identity_provider, facts.identity)
        return False

    def _answer(self, connection: Any, heard: Heard, links: Links) -> bool:
        facts, now_ms = heard.facts, self._on.clock.now_ms()
        is_news = heard.recorded_ms - facts.time_ms <= NEWS_MS
        if not is_news or facts.status == "failed" or not facts.user or not facts.user_known:  # (1)
            return False
        orders = [
            self._order(response, facts.user, heard, now_ms)  # (2)
            for response in _responses(facts)
            if facts.identity_provider or not response.of_provider
        ]
        orders += [self._order(TELLS, other, heard, now_ms) for other in _others(facts, links)]  # (3)
        placed = [self._system.place(connection, order, now_ms) for order in orders]
        return any(placed)

    def _order(self, response: Response, user: str, heard: Heard, now_ms: int) -> Order:
        standing = Standing(
            id="",
            kind=response.kind,
            scope=expanded(response.scope),
            target=Target("user", (user,)),
            reason="linked_identity_breach",
            assurance=1 if response.kind == "step_up" else 0,
            exclude=response.exclude,
            provider=heard.facts.identity_provider if response.of_provider else "",
            ends_ms=now_ms + response.lasts_ms,
        )
        return self._system.draft(standing, decision=heard.record.id, now_ms=now_ms, release=response.release)


def _responses(facts: Facts) -> tuple[Response, ...]:
    """What is to be done; about an identity of which nothing is said, as if it was stolen."""
    said = [RESPONSES[word] for word in facts.changed.split(",") if word in RESPONSES]
    return tuple(dict.fromkeys(each for some in said for each in some)) if said else STOLEN


def _others(facts: Facts, links: Linkage) -> list[str]:
    """Other accounts of the same foreign account; none of a hub's, and none where it was not told."""
    if not facts.identity:
        return []
    identity: Identifier = ("identity", facts.identity)
    accounts = links.accounts_of([identity], HUB_ACCOUNTS + 1)[identity]
    return [account for account in accounts if account != facts.user] if len(accounts) <= HUB_ACCOUNTS else []
