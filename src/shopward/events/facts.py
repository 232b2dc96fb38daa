"""Facts: what features and rules see of an event, and nothing more.

Promise:
- ``Facts`` name nobody: identifiers are keyed tokens, places are whole degrees, what remains are amounts, times
  and words of small vocabularies. They are what the log replays, so erasing a person's data changes no feature.
- An unset field reads as the empty value of its type ("" or 0 or false), as in proto3 and CEL; the one exception
  is ``user.known``, which is true unless the shop says that there is no such account.
- ``FACT_FIELDS`` is the one table that maps the names of the policy language onto the struct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import UNSET, Struct, defstruct, json, structs

from shopward.events.catalogue import (
    ACTOR_TYPES,
    EVENT_TYPES,
    INSTRUMENTS,
    STATUSES,
    Actor,
    Context,
    Event,
    Transaction,
    User,
)
from shopward.events.tokens import Tokeniser  # noqa: TC001 -- msgspec-free, but named in a public signature
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Kind = Literal["token", "string", "int", "bool"]


class Facts(Struct, omit_defaults=True, gc=False):
    """One event as the decision engine sees it. Tokens are 22 characters, times are milliseconds."""

    id: str
    type: str
    status: str
    at_ms: int = 0
    time_ms: int = 0
    user: str = ""
    user_known: bool = True
    registered_at_ms: int = 0
    email: str = ""
    phone: str = ""
    address: str = ""
    national_id: str = ""
    actor_type: str = "customer"
    actor: str = ""
    ip: str = ""
    net: str = ""
    asn: int = 0
    country: str = ""
    city: str = ""
    located: bool = False
    lat_deg: int = 0
    lon_deg: int = 0
    os: str = ""
    browser: str = ""
    device: str = ""
    device_type: str = ""
    language: str = ""
    automation: bool = False
    session: str = ""
    password: str = ""
    breached: bool = False
    transaction: str = ""
    amount_minor: int = 0
    currency: str = ""
    instrument: str = ""
    instrument_id: str = ""
    payee: str = ""
    identity_provider: str = ""
    identity: str = ""
    balance_before_minor: int = 0
    changed: str = ""
    challenged_decision: str = ""
    factor: str = ""
    purpose: str = ""
    case_id: str = ""
    order_id: str = ""
    records: int = 0
    labelled: str = ""
    page: str = ""
    page_state: str = ""
    client_signs: int = 0


class FactField(NamedTuple):
    """A name of the policy language: its path, the attribute that holds it, its kind and closed words if any."""

    path: str
    attribute: str
    kind: Kind
    words: tuple[str, ...] = ()


PAGE_STATES: Final = ("fresh", "stale", "forged", "none")
"""What a shop says of the page that a form came from; empty where it says nothing."""
CLIENT_SIGNS: Final = frozenset({"no_language", "no_fetch_metadata", "headless_brand", "webdriver"})
_PROGRAMS: Final = frozenset({"headless_brand", "webdriver"})
"""Signs by which a client names itself a program."""

FACT_FIELDS: Final[tuple[FactField, ...]] = (
    FactField("type", "type", "string", EVENT_TYPES),
    FactField("status", "status", "string", STATUSES),
    FactField("user.id", "user", "token"),
    FactField("user.known", "user_known", "bool"),
    FactField("user.registered_at_ms", "registered_at_ms", "int"),
    FactField("user.tokens.email", "email", "token"),
    FactField("user.tokens.phone", "phone", "token"),
    FactField("user.tokens.address", "address", "token"),
    FactField("user.tokens.national_id", "national_id", "token"),
    FactField("actor.type", "actor_type", "string", ACTOR_TYPES),
    FactField("actor.id", "actor", "token"),
    FactField("context.ip", "ip", "token"),
    FactField("context.net", "net", "token"),
    FactField("context.asn", "asn", "int"),
    FactField("context.country", "country", "string"),
    FactField("context.city", "city", "token"),
    FactField("context.located", "located", "bool"),
    FactField("context.os", "os", "string"),
    FactField("context.browser", "browser", "string"),
    FactField("context.device_id", "device", "token"),
    FactField("context.device_type", "device_type", "string"),
    FactField("context.language", "language", "string"),
    FactField("context.automation", "automation", "bool"),
    FactField("session.id", "session", "token"),
    FactField("credential.password_hmac", "password", "token"),
    FactField("credential.breached", "breached", "bool"),
    FactField("transaction.id", "transaction", "token"),
    FactField("transaction.amount_minor", "amount_minor", "int"),
    FactField("transaction.currency", "currency", "string"),
    FactField("transaction.instrument", "instrument", "string", INSTRUMENTS),
    FactField("transaction.instrument_id", "instrument_id", "token"),
    FactField("transaction.payee_id", "payee", "token"),
    FactField("transaction.identity_provider", "identity_provider", "string"),
    FactField("identity.id", "identity", "token"),
    FactField("transaction.balance_before_minor", "balance_before_minor", "int"),
    FactField("changes", "changed", "string"),
    FactField("challenge.decision_id", "challenged_decision", "string"),
    FactField("challenge.factor", "factor", "string"),
    FactField("access.purpose", "purpose", "string"),
    FactField("access.case_id", "case_id", "token"),
    FactField("access.order_id", "order_id", "token"),
    FactField("access.records", "records", "int"),
    FactField("page.id", "page", "token"),
    FactField("page.state", "page_state", "string", PAGE_STATES),
    FactField("client.signs", "client_signs", "int"),
)

LABEL_TAKES: Final = (
    "user", "email", "phone", "address", "national_id", "actor_type", "actor", "ip", "net", "asn", "country", "city", "language", "os",
    "browser", "device", "device_type", "session", "password", "transaction", "amount_minor", "currency", "instrument",
    "instrument_id", "payee", "identity_provider",
)  # fmt: skip
"""What a label takes over from the event that it names, so that fraud can be counted by any of these keys."""

PROVIDER_MAX: Final = 128
_IDENTITY_TYPES: Final = frozenset({"identity_link", "identity_unlink", "identity_alert"})
_AUTOMATION_MARKS: Final = (
    "headless", "phantomjs", "selenium", "puppeteer", "playwright", "python-requests", "python-httpx", "aiohttp",
    "curl/", "wget/", "go-http-client", "okhttp-bot", "scrapy", "libwww", "java/",
)  # fmt: skip


def reader_of(attributes: Collection[str]) -> Callable[[bytes | str], list[Any]]:
    """What reads a JSON array of facts as objects of type, status, time and these attributes alone: for many at once."""
    wanted = {"type", "status", "at_ms", *attributes}
    fields = [
        (each.name, each.type) if each.required else (each.name, each.type, each.default)
        for each in structs.fields(Facts)
        if each.name in wanted
    ]
    return json.Decoder(list[defstruct("SomeFacts", fields, gc=False)]).decode  # type: ignore[misc] # made here


class FactsMaker:
    """Projects events onto facts under one token key.

    Args:
        tokeniser: makes the keyed tokens.
    """

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokens = tokeniser
        self._users = tokeniser.domain("user")
        self._devices = tokeniser.domain("device")
        self._cities = tokeniser.domain("city")
        self._sessions = tokeniser.domain("session")
        self._transactions = tokeniser.domain("transaction")
        self._payees = tokeniser.domain("payee")
        self._automation: dict[str, bool] = {}

    def make(self, event: Event) -> Facts:
        """The facts of an event; ``at_ms`` is stamped later, when the order of recording is known.

        Raises:
            InvalidField: where ``context.ip`` is no address.
        """
        facts = Facts(event.id, event.type, event.status, 0, to_ms(event.time))
        if event.user is not UNSET:
            self._user(facts, event.user)
        if event.actor is UNSET:
            facts.actor = facts.user
        else:
            self._actor(facts, event.actor)
        if event.context is not UNSET:
            self._context(facts, event.context)
        if event.session is not UNSET:
            facts.session = self._sessions[event.session.id]
        if event.credential is not UNSET:
            facts.password = self._tokens.token("password", event.credential.password_hmac)
            facts.breached = event.credential.breached
        if event.transaction is not UNSET:
            self._transaction(facts, event.transaction)
        if event.type in _IDENTITY_TYPES:
            self._identity(facts, event)
        self._circumstances(facts, event)
        if event.properties is not UNSET:
            self._client(facts, event.properties)
        return facts

    def blind(self, domain: str, value: str) -> str:
        """The token of any value, as facts of that domain hold it."""
        return self._tokens.token(domain, value)

    def user_token(self, user_id: str) -> str:
        """The token under which a user's events stand in the log."""
        return self._users[user_id]

    def _circumstances(self, facts: Facts, event: Event) -> None:
        """Changes, challenge, access and label: what only some events have."""
        token = self._tokens.token
        if event.changes is not UNSET:
            facts.changed = ",".join(sorted({change.field for change in event.changes}))
        if event.challenge is not UNSET:
            facts.challenged_decision, facts.factor = event.challenge.decision_id, event.challenge.factor
        if event.access is not UNSET:
            facts.purpose, facts.records = event.access.purpose, event.access.records
            facts.case_id, facts.order_id = (
                token("case", event.access.case_id),
                token("order", event.access.order_id),
            )
        if event.label is not UNSET:
            facts.labelled = event.label.event_id
            facts.transaction = self._transactions[event.label.transaction_id]

    def _user(self, facts: Facts, user: User) -> None:
        facts.user = self._users[user.id]
        facts.user_known = user.known is not False
        if user.registered_at is not UNSET:
            facts.registered_at_ms = to_ms(user.registered_at)
        if user.tokens is not UNSET:
            token = self._tokens.token
            facts.email, facts.phone = token("email", user.tokens.email), token("phone", user.tokens.phone)
            facts.address = token("address", user.tokens.address)
            facts.national_id = token("national_id", user.tokens.national_id)

    def _actor(self, facts: Facts, actor: Actor) -> None:
        facts.actor_type = actor.type
        if actor.id:
            facts.actor = self._tokens.token("actor", actor.type + ":" + actor.id)
        elif actor.type == "customer":
            facts.actor = facts.user

    def _context(self, facts: Facts, context: Context) -> None:
        facts.ip, facts.net = self._tokens.address(context.ip)
        facts.asn, facts.country, facts.language = context.asn, context.country, context.language
        facts.os, facts.browser, facts.device_type = context.os, context.browser, context.device_type
        facts.device = self._devices[context.device_id]
        if context.city:
            facts.city = self._cities[context.country + ":" + context.city]
        if context.lat is not UNSET and context.lon is not UNSET:
            facts.located, facts.lat_deg, facts.lon_deg = True, round(context.lat), round(context.lon)
        if context.user_agent:
            facts.automation = self._is_automation(context.user_agent)

    def _transaction(self, facts: Facts, money: Transaction) -> None:
        facts.transaction = self._transactions[money.id]
        facts.amount_minor = money.amount_minor
        facts.currency = "" if money.currency is UNSET else money.currency
        facts.instrument = "" if money.instrument is UNSET else money.instrument
        facts.instrument_id = self._tokens.token("instrument", money.instrument_id)
        facts.payee, facts.identity_provider = self._payees[money.payee_id], money.identity_provider
        if money.balance_before_minor is not UNSET:
            facts.balance_before_minor = money.balance_before_minor

    def _identity(self, facts: Facts, event: Event) -> None:
        """Whose foreign account it is about, and its token; the provider stands in the transaction or in properties."""
        named = event.properties.get("identity_provider") if event.properties is not UNSET else None
        if not facts.identity_provider and isinstance(named, str):
            facts.identity_provider = named[:PROVIDER_MAX]
        if event.changes is not UNSET:
            tokens = [change for change in event.changes if change.field == "identity"]
            subject = next((change.new_token or change.old_token for change in tokens), "")
            if subject:
                facts.identity = self._tokens.token("identity", f"{facts.identity_provider}:{subject}")

    def _client(self, facts: Facts, properties: dict[str, Any]) -> None:
        """What the shop saw of the program behind the request; whatever has another shape is the shop's own matter."""
        page, signs = properties.get("page"), properties.get("client_signs")
        if isinstance(page, dict) and page.get("state") in PAGE_STATES:
            facts.page_state = page["state"]
            if isinstance(name := page.get("id"), str):
                facts.page = self._tokens.token("page", name[:PROVIDER_MAX])
        if isinstance(signs, list):
            known = {sign for sign in signs if isinstance(sign, str)} & CLIENT_SIGNS
            facts.client_signs = len(known)
            facts.automation |= bool(known & _PROGRAMS)

    def _is_automation(self, user_agent: str) -> bool:
        known = self._automation.get(user_agent)
        if known is None:
            if len(self._automation) > 10_000:
                self._automation.clear()
            lowered = user_agent.lower()
            known = self._automation[user_agent] = any(mark in lowered for mark in _AUTOMATION_MARKS)
        return known


def take_keys(label: Facts, named: Facts) -> None:
    """Let a label event stand under the keys of the event that it names."""
    for attribute in LABEL_TAKES:
        setattr(label, attribute, getattr(named, attribute))
