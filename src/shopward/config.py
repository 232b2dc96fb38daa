"""Settings: everything about a running Shopward that an operator may choose, in one frozen record.

Promise:
- every setting has a default that is safe on one machine, a description here (docs/reference/settings.md is held
  against it by a test), an environment variable ``SHOPWARD_<NAME>`` and, where a person types it, a flag of ``serve``;
- a value that cannot be read is ``Misconfigured`` before anything is opened, and the message says what to do. No message
  repeats a value: a database URL may hold a password.

Which values are unsafe together stands in ``service/checks.py``. It opens no file, and reads the environment only when it is
handed over.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Misconfigured
from shopward.events import EventLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "SHOPWARD_"
_MIB: Final = 1024 * 1024

Port = Annotated[int, Meta(ge=0, le=65_535)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may choose. ``Settings()`` is a complete, safe default."""

    data: Annotated[
        str, Meta(description="Folder of the keys, the snapshot and, by default, the database.")
    ] = "./shopward-data"
    database: Annotated[
        str,
        Meta(
            description="URL of the log: sqlite:///... or postgresql://...; empty for shopward.db in the data folder."
        ),
    ] = ""
    state: Annotated[
        str,
        Meta(description="Where features live. Only 'memory' exists in this version; any other is refused."),
    ] = "memory"
    kernel: Annotated[
        Literal["auto", "compiled", "reference"],
        Meta(
            description="Which kernel keeps the features, and whether links and messages are scored in machine code: 'compiled' needs the extra [fast], 'reference' is plain Python, 'auto' takes the faster one there is; all decide the same."
        ),
    ] = "auto"
    policy: Annotated[
        str, Meta(description="Folder of the policy; empty for what was published, or the one that ships.")
    ] = ""
    model: Annotated[
        str,
        Meta(
            description="Bundles of shopward train whose scores stand for their event types; several with ':' between."
        ),
    ] = ""
    host: Annotated[
        str, Meta(description="Address to listen on; beyond loopback it takes TLS or a declared proxy.")
    ] = "127.0.0.1"
    port: Annotated[
        Port, Meta(description="Port to listen on; 0 picks a free one, which the start line prints.")
    ] = 8700
    tls_cert: Annotated[
        str, Meta(description="PEM file of the certificate chain; with it, HTTPS is served.")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of the certificate's private key.")] = ""
    behind_proxy: Annotated[
        bool,
        Meta(
            description="Declares that a proxy in front ends TLS; the only other way to listen beyond loopback."
        ),
    ] = False
    group_max: Annotated[
        Positive,
        Meta(description="Most events that one commit of the log records; more wait for the next one."),
    ] = 512
    snapshot_events: Annotated[
        Positive,
        Meta(
            description="Events after which the state is saved, so that a restart replays no more than these."
        ),
    ] = 50_000
    snapshot_s: Annotated[
        Seconds, Meta(description="Seconds after which the state is saved where fewer events came.")
    ] = 300.0
    event_bytes_max: Annotated[Positive, Meta(description="Largest event, in bytes; beyond it 413.")] = 65_536
    batch_bytes_max: Annotated[
        Positive, Meta(description="Largest NDJSON body, in bytes; beyond it 413.")
    ] = 16 * _MIB
    batch_lines_max: Annotated[Positive, Meta(description="Most lines of an NDJSON body; beyond it 413.")] = (
        10_000
    )
    requests_max: Annotated[
        Positive, Meta(description="Most requests under way at once; beyond it 503 with Retry-After.")
    ] = 1_024
    inflight_bytes_max: Annotated[
        Positive,
        Meta(description="Most bytes of request bodies held at once; beyond it 503 with Retry-After."),
    ] = 256 * _MIB
    connections_max: Annotated[
        Positive, Meta(description="Most open connections; beyond it new ones are closed.")
    ] = 4_096
    head_timeout_s: Annotated[
        Seconds,
        Meta(
            description="Seconds for a client to send the head of a request; then the connection is closed."
        ),
    ] = 10.0
    read_timeout_s: Annotated[
        Seconds, Meta(description="Seconds for a client to send a whole body; then 408.")
    ] = 15.0
    write_timeout_s: Annotated[
        Seconds,
        Meta(description="Seconds for a client to take a part of an answer; then the connection is closed."),
    ] = 30.0
    webhook_timeout_s: Annotated[
        Seconds,
        Meta(description="Seconds that a webhook's receiver has to answer; then it is tried again later."),
    ] = 10.0
    shutdown_s: Annotated[
        Seconds,
        Meta(description="Seconds that requests under way have to end when the server is told to stop."),
    ] = 10.0

    profile: Annotated[
        str,
        Meta(
            description="File of the shop's profile for screening; empty: the one that was published over HTTP."
        ),
    ] = ""
    link_lists: Annotated[
        str,
        Meta(
            description="Files of reported links, one JSON object a line, several with ':' between; read again when they change."
        ),
    ] = ""
    link_bundle: Annotated[
        str,
        Meta(
            description="Learned part for links, a file of 'shopward screen train'; empty or refused: the one that ships."
        ),
    ] = ""
    link_bundle_shadow: Annotated[
        str,
        Meta(
            description="Learned part for links on trial: what it would say is counted and changes nothing."
        ),
    ] = ""
    message_bundle: Annotated[
        str,
        Meta(
            description="Learned part for the wording of messages, a file of 'shopward screen train-messages'; empty or refused: the one that ships."
        ),
    ] = ""
    message_bundle_shadow: Annotated[
        str,
        Meta(
            description="Learned part for wording on trial: what it would say is counted and changes nothing."
        ),
    ] = ""
    loss_look_h: Annotated[
        int,
        Meta(
            ge=1,
            le=720,
            description="Hours within which somebody looks at a reported loss; told to who reports it.",
        ),
    ] = 4
    report_look_h: Annotated[
        int,
        Meta(ge=1, le=720, description="The same for a doubt, message, link or sender that was reported."),
    ] = 24
    shop_name: Annotated[
        str, Meta(description="The shop's name, in authenticator apps, on passkeys and in codes; no colon.")
    ] = "Shopward"
    shop_domain: Annotated[
        str,
        Meta(
            description="Domain that passkeys and codes are bound to (shop.example); empty: neither is offered."
        ),
    ] = ""
    shop_origins: Annotated[
        str,
        Meta(
            description="Origins that may ask for passkeys, with commas; empty for https:// and the domain."
        ),
    ] = ""
    smtp_url: Annotated[
        str,
        Meta(
            description="Mail server for codes and alerts: smtps://... or smtp://... with STARTTLS; empty: no e-mail."
        ),
    ] = ""
    mail_from: Annotated[str, Meta(description="Address that codes and alerts come from.")] = ""
    page_url: Annotated[
        str,
        Meta(
            description="Where people open this server's page (https://shopward.shop.example), for links in alerts; empty: no link."
        ),
    ] = ""
    customer_url: Annotated[
        str,
        Meta(
            description="Where customers reach this server (https://safe.shop.example), for links to their own page; empty: the path alone."
        ),
    ] = ""
    code_webhook_url: Annotated[
        str,
        Meta(
            description="Endpoint of the shop that sends codes itself, over https; empty: it is not asked to."
        ),
    ] = ""
    code_webhook_secret: Annotated[
        str, Meta(description="Secret that those calls are signed with: whsec_ and base64.")
    ] = ""
    sim_swap_url: Annotated[
        str,
        Meta(
            description="CAMARA SIM Swap of an operator or aggregator with its version (https://api.operator.example/sim-swap/v2); empty: nobody is asked."
        ),
    ] = ""
    sim_swap_token_url: Annotated[
        str, Meta(description="OAuth server that gives tokens for it, for client credentials.")
    ] = ""
    sim_swap_client_id: Annotated[str, Meta(description="Client id there.")] = ""
    sim_swap_client_secret: Annotated[str, Meta(description="Its secret; set it in the environment.")] = ""
    sim_swap_scope: Annotated[
        str, Meta(description="What the tokens are asked for, as agreed with the operator.")
    ] = "dpv:FraudPreventionAndDetection sim-swap:check"
    sim_swap_within_h: Annotated[
        int, Meta(ge=1, le=2_400, description="How many hours ago a new SIM counts.")
    ] = 72
    password_store: Annotated[
        str, Meta(description="File of stolen passwords, made by shopward passwords build; empty: none.")
    ] = ""
    password_range_url: Annotated[
        str,
        Meta(
            description="Range service for stolen passwords that the file does not know (https://api.pwnedpasswords.com); empty: none."
        ),
    ] = ""
    password_length_min: Annotated[
        int,
        Meta(
            ge=8,
            le=64,
            description="Fewest characters of a password; 15 where it is an account's only factor.",
        ),
    ] = 8
    notice_webhook_url: Annotated[
        str,
        Meta(
            description="Endpoint of the shop that tells its customers by its own means, over https; empty: none."
        ),
    ] = ""
    notice_webhook_secret: Annotated[
        str, Meta(description="Secret that calls for notices are signed with: whsec_ and base64.")
    ] = ""
    whatsapp_url: Annotated[
        str, Meta(description="WhatsApp's Cloud API with its version, or a gateway that speaks it.")
    ] = "https://graph.facebook.com/v23.0"
    whatsapp_phone_id: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{0,32}\Z",
            description="Id of the number that notices are sent from by WhatsApp; empty: none.",
        ),
    ] = ""
    whatsapp_token: Annotated[
        str, Meta(description="Token of the system user that may send; set it in the environment.")
    ] = ""
    whatsapp_app_secret: Annotated[
        str,
        Meta(description="App secret that WhatsApp signs its webhook with; empty: its webhook is refused."),
    ] = ""
    whatsapp_verify_token: Annotated[
        str, Meta(description="Word of the shop's own that WhatsApp repeats when its webhook is set up.")
    ] = ""
    incidents: Annotated[
        Literal["propose", "open", "off"],
        Meta(
            description="What is done with a campaign that the server finds: propose an incident, open one, or neither (off)."
        ),
    ] = "propose"
    shop_jurisdiction: Annotated[
        str,
        Meta(
            pattern=r"^(|[A-Z]{2})\Z",
            description="Whose law counts customers whose region nobody declared (ID, CN, SG, EU); empty: they are counted as unknown.",
        ),
    ] = ""
    payout_url: Annotated[
        str,
        Meta(
            description="Endpoint of the shop that pays customers, over https; empty: people pay and say so."
        ),
    ] = ""
    payout_secret: Annotated[
        str, Meta(description="Secret that calls for payouts are signed with: whsec_ and base64.")
    ] = ""
    signals_url: Annotated[
        str,
        Meta(
            description="Address under which other companies reach this server for Shared Signals (https://shopward.shop.example); empty: they do not."
        ),
    ] = ""
    alias_domain: Annotated[
        str,
        Meta(
            pattern=r"^(|[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?)\Z",
            description="Domain of the shop's mail relay, whose addresses partners get in the place of customers'; empty: no such addresses.",
        ),
    ] = ""
    trained_purposes: Annotated[
        str,
        Meta(
            max_length=2_000,
            description="Purposes of reveals that are for trained persons alone, as purpose=course, separated by commas; empty: none.",
        ),
    ] = ""
    staff_domains: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9., -]{0,500}\Z",
            description="Mail domains of the shop's own staff, separated by commas: mails of exercises go nowhere else; empty: no exercises.",
        ),
    ] = ""
    alias_day_max: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="How often in a day the shop's relay may ask whom one alias stands for.",
        ),
    ] = 20
    relay_day_max: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="How often in a day it may ask so for all aliases of one partner, where the agreement with it does not say.",
        ),
    ] = 2_000
    vault_root: Annotated[
        str,
        Meta(
            description="Who keeps the key above all others of the vault: file, age:, pkcs11:, transit:, aws-kms:, gcp-kms: or azure-kv: and what docs/vault.md says."
        ),
    ] = "file"
    vault_keys: Annotated[
        Literal["customer", "shop"],
        Meta(
            description="Whose keys seal the vault's values: each customer's own, or one of the whole shop. Chosen once, at the first start."
        ),
    ] = "customer"
    vault_root_next: Annotated[
        str, Meta(description="The root that is to follow, for a rotation of the root; empty: none.")
    ] = ""
    vault_passphrase: Annotated[
        str,
        Meta(
            description="Passphrase of the root's file; set it in the environment. Empty: who has the data folder has the key."
        ),
    ] = ""
    vault_pin: Annotated[str, Meta(description="PIN of the PKCS#11 token; set it in the environment.")] = ""
    vault_backup_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3_650,
            description="Days that the shop keeps a backup of the store; certificates of erasure say when the last one lapses.",
        ),
    ] = 30

    @property
    def models(self) -> tuple[Path, ...]:
        """The files of the model bundles."""
        return tuple(Path(each).expanduser() for each in self.model.split(os.pathsep) if each)

    @property
    def lists(self) -> tuple[Path, ...]:
        """The files of reported links."""
        return tuple(Path(each).expanduser() for each in self.link_lists.split(os.pathsep) if each)

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data).expanduser().absolute()

    @property
    def database_url(self) -> str:
        """The log's URL, with its default filled in. May hold a password: never print it."""
        return self.database or f"sqlite:///{self.folder / 'shopward.db'}"

    @property
    def has_tls(self) -> bool:
        """Whether this process serves HTTPS itself."""
        return bool(self.tls_cert)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where passkeys may be asked for."""
        named = tuple(each.strip() for each in self.shop_origins.split(",") if each.strip())
        return named or ((f"https://{self.shop_domain}",) if self.shop_domain else ())

    @property
    def limits(self) -> EventLimits:
        """How much one caller may send."""
        return EventLimits(
            event_bytes_max=self.event_bytes_max,
            batch_bytes_max=self.batch_bytes_max,
            batch_lines_max=self.batch_lines_max,
        )


NAMES: Final = Settings.__struct_fields__


def settings_from(environment: Mapping[str, str], **flags: Any) -> Settings:
    """Defaults, then the environment's ``SHOPWARD_*``, then the flags that are not ``None``; the last word wins.

    Raises:
        Misconfigured: a value of a wrong type or out of its range, named by its setting.
    """
    texts: dict[str, Any] = {
        name: environment[PREFIX + name.upper()] for name in NAMES if environment.get(PREFIX + name.upper())
    }
    texts |= {name: value for name, value in flags.items() if value is not None}
    try:
        return msgspec.convert(texts, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        expected, _, path = str(wrong).partition(" - at `$.")
    # Outside the handler, so that no value is kept as the context.
    raise Misconfigured(
        "a setting cannot be read",
        path=path.removesuffix("`") or None,
        expected=expected.removeprefix("Expected ").partition(", got")[0],
        hint="see docs/reference/settings.md",
    )


def described() -> dict[str, tuple[str, Any]]:
    """Every setting with its description and default, for the reference page and its test."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = Settings()
    described: dict[str, tuple[str, Any]] = {}
    for name in NAMES:
        texts = [
            meta.description
            for meta in get_args(hints[name])[1:]
            if isinstance(meta, Meta) and meta.description
        ]
        described[name] = (texts[-1], getattr(defaults, name))
    return described
