"""What the doctor saw: plain values, so that judging them needs nothing else. Lengths are bytes, modes as ``stat`` has them."""

from __future__ import annotations

from msgspec import Struct


class Failure(Struct, frozen=True):
    """Why something could not be looked at, in words of ours, and what helps; ``is_down`` where nothing can be decided."""

    says: str
    mend: str = ""
    is_down: bool = False


class FileSeen(Struct, frozen=True):
    """A file or folder: its name, its mode, and whether it belongs to whoever asks."""

    name: str
    mode: int
    is_ours: bool


class KeySeen(Struct, frozen=True):
    """An API key: its name, whether it is an administrator's, when it was made."""

    name: str
    is_admin: bool
    made_ms: int


class HookSeen(Struct, frozen=True):
    """A webhook: its id, whether it is off, since when it fails (0: it does not), and of what it is told."""

    id: str
    is_off: bool
    failing_since_ms: int
    topics: tuple[str, ...]


class StoreSeen(Struct, frozen=True):
    """The database: what it is, settings of its durability that are unsafe, and what stands in it.

    Attributes:
        checkpoint_ms: when the audit log was signed last; 0 for never.
        newest_ms: the newest moment at which the server recorded an event, by its clock then; 0 for none.
    """

    backend: str
    is_remote: bool
    is_encrypted: bool
    unsafe: tuple[str, ...]
    last_seq: int
    audit_lines: int
    checkpoint_ms: int
    newest_ms: int
    hooks: tuple[HookSeen, ...]


class Advisory(Struct, frozen=True):
    """A known vulnerability of an installed package: ``fixed`` is the first version without it, empty where none is named."""

    id: str
    package: str
    version: str
    fixed: str
    is_grave: bool


class AdvisoriesSeen(Struct, frozen=True):
    """A list of advisories: how many records, how many could not be read, its newest day (ISO), and what concerns us."""

    records: int
    broken: int
    newest: str
    found: tuple[Advisory, ...]


class RootSeen(Struct, frozen=True):
    """The vault's root: its name, how many keys of the tenant hang from it, why it does not open them (empty: it does).

    Attributes:
        is_bare: whether who has the data folder has the root.
    """

    name: str
    keys: int
    fault: str = ""
    hint: str = ""
    is_bare: bool = False


class EventsSeen(Struct, frozen=True):
    """Events as they were sent: how many lie in clear, how many days wait to be settled, when the oldest of them ended (0: none)."""

    clear: int = 0
    waiting: int = 0
    oldest_ended_ms: int = 0


class StaffSeen(Struct, frozen=True):
    """Persons whose key may reveal: how many, and who of them has no factor that counts."""

    persons: int
    bare: tuple[str, ...] = ()


class Seen(Struct, frozen=True, kw_only=True):
    """Everything that was looked at; ``None`` for what could not be, with the reason in ``failed`` under its check.

    Attributes:
        settings_fault: what ``check_settings`` refuses, and its hint; empty where nothing.
        certificate_until_ms: until when the TLS certificate is valid; 0 where there is none.
        tls_key: the file of the TLS key.
        files: the data folder first, then what lies in it.
        missing_keys: key files without which what the store holds cannot be read or verified.
        is_root: whether the process has all rights.
        policy_faults: what is wrong with the policy that would be in force; its failed tests too.
        advisories: what a list of known vulnerabilities says of the packages here; ``None`` where none was given.
        root: the vault's root; ``None`` where nothing hangs from one.
        staff: who may reveal; ``None`` where nobody may, or nobody can tell.
        events: how the log keeps what it was sent; ``None`` where there is no log.
        is_synchronised: whether the kernel says that its clock is; ``None`` where it says nothing.
    """

    now_ms: int
    host: str
    is_loopback: bool
    has_tls: bool
    behind_proxy: bool
    settings_fault: str = ""
    settings_hint: str = ""
    certificate_until_ms: int = 0
    tls_key: FileSeen | None = None
    files: tuple[FileSeen, ...] = ()
    missing_keys: tuple[str, ...] = ()
    is_root: bool = False
    keys: tuple[KeySeen, ...] | None = None
    store: StoreSeen | None = None
    root: RootSeen | None = None
    events: EventsSeen | None = None
    staff: StaffSeen | None = None
    policy: str = ""
    policy_faults: tuple[str, ...] = ()
    is_compiled: bool = False
    disk_free: int = 0
    disk_total: int = 0
    is_synchronised: bool | None = None
    advisories: AdvisoriesSeen | None = None
    failed: dict[str, Failure] = {}
