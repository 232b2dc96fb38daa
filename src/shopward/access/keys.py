"""API keys: ``sw_`` and 43 URL-safe characters of 256 random bits; only their SHA-256 is kept.

Promise: who reads ``api-keys.json`` cannot call the API with it; a presented key is hashed and held against every
kept digest in constant time, so that neither its bytes nor the position of a match shows in the answer's time. A key
of 256 random bits needs no slow hash and no limit on tries.

A key belongs to a person and has roles. Two keys of one person are one person: where a second person has to agree, the
credential tells, never a field of a body. The first key, and keys of a file from before there were roles, are admin.

| role | may |
|---|---|
| admin | everything, keys too |
| analyst | read, order, release, approve |
| service | send events, declare users, authorise and capture money, read |
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from shopward.errors import Conflict, Misconfigured, Refused
from shopward.keyring import read_private, write_private
from shopward.values import to_rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from shopward.values import Clock

FILE_NAME: Final = "api-keys.json"
PREFIX: Final = "sw_"
KEYS_MAX: Final = 200
"""Each call is held against every key; so many cost 20 us."""

Role = Literal["admin", "analyst", "service"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
KeyName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.@-]{1,64}\Z")]


class KeptKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it is kept: its name for people, its digest, since when it holds, whose it is and what it may do.

    Attributes:
        person: who answers for what is done with it; its name where empty.
        share_max: the largest share of all users that its holder may approve a mass order for.
    """

    name: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    created: str
    person: str = ""
    roles: tuple[Role, ...] = ("admin",)
    share_max: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Caller(Struct, frozen=True):
    """Who asks: the key's name, the person whose key it is, what it may do, and how large a share it may approve."""

    key: str
    person: str
    roles: tuple[Role, ...] = ()
    share_max: float = 1.0

    def require(self, *roles: Role) -> None:
        """Raise ``Refused`` unless the key has one of these roles; admin has them all. Fails closed."""
        if "admin" not in self.roles and not set(roles) & set(self.roles):
            raise Refused(
                "this key may not do this",
                code="role_missing",
                expected="a key with the role " + " or ".join(dict.fromkeys((*roles, "admin"))),
                found="a key with " + (" and ".join(self.roles) or "no role"),
            )

    @property
    def is_person(self) -> bool:
        """Whether a person asks by it, and not a service alone."""
        return "service" not in self.roles or len(self.roles) > 1

    def is_other_than(self, person: str, key: str) -> bool:
        """Whether this is another person with another key."""
        return self.person != person and self.key != key


class KeyView(Struct, frozen=True):
    """A key as ``GET /v1/keys`` shows it: nothing of the key itself."""

    name: str
    person: str
    roles: tuple[Role, ...]
    created: str
    share_max: float


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    keys: list[KeptKey]


class ApiKeys:
    """The keys that may call.

    Args:
        kept: from ``api-keys.json``.
        path: that file, where keys can be made.
    """

    def __init__(self, kept: list[KeptKey], path: Path | None = None) -> None:
        self._path = path
        self._list = list(kept)
        self._kept = [(_caller(key), bytes.fromhex(key.sha256)) for key in kept]
        self._making = threading.Lock()

    def caller_of(self, presented: bytes) -> Caller | None:
        """Whose key was presented; ``None`` where it is none of ours. Fails closed."""
        digest = hashlib.sha256(presented).digest()
        found = None
        for caller, kept in self._kept:
            if hmac.compare_digest(kept, digest):
                found = caller
        return found

    def name_of(self, presented: bytes) -> str | None:
        """The name of the key that was presented; ``None`` where it is none of ours. Fails closed."""
        caller = self.caller_of(presented)
        return None if caller is None else caller.key

    def listed(self) -> list[KeyView]:
        """All keys, oldest first."""
        return [
            KeyView(key.name, key.person or key.name, key.roles, key.created, key.share_max)
            for key in self._list
        ]

    def make(self, *, name: str, person: str, roles: tuple[Role, ...], share_max: float, clock: Clock) -> str:
        """A new key, in clear for this once; it holds from now on and is kept before it is given.

        Raises:
            Conflict: the name is taken, or there are too many keys.
            Misconfigured: the file cannot be written.
        """
        with self._making:
            if any(key.name == name for key in self._list):
                raise Conflict(
                    "a key of this name exists", code="key_exists", path="name", expected="another name"
                )
            if len(self._list) >= KEYS_MAX or self._path is None:
                raise Conflict(
                    "no more keys can be made", code="key_exists", expected=f"at most {KEYS_MAX} keys"
                )
            key = PREFIX + secrets.token_urlsafe(32)
            digest = hashlib.sha256(key.encode()).hexdigest()
            kept = KeptKey(name, digest, to_rfc3339(clock.now_ms()), person, roles, share_max)
            _write(self._path, [*self._list, kept])
            self._list.append(kept)
            self._kept = [*self._kept, (_caller(kept), bytes.fromhex(digest))]
        return key


def open_keys(folder: Path, clock: Clock) -> tuple[ApiKeys, str | None]:
    """The kept keys; on the very first start a new one, in clear for this once.

    Raises:
        Misconfigured: the file is there and is no list of keys, or cannot be read or written.
    """
    path = folder / FILE_NAME
    raw = read_private(path)
    if raw is not None:
        return ApiKeys(keys_in(raw), path), None
    key = PREFIX + secrets.token_urlsafe(32)
    kept = KeptKey("first", hashlib.sha256(key.encode()).hexdigest(), to_rfc3339(clock.now_ms()))
    _write(path, [kept])
    return ApiKeys([kept], path), key


def _caller(key: KeptKey) -> Caller:
    return Caller(key.name, key.person or key.name, key.roles, key.share_max)


def _write(path: Path, keys: list[KeptKey]) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(_File(1, keys)), indent=2) + b"\n")


def keys_in(raw: bytes) -> list[KeptKey]:
    """The keys of a file; raises ``Misconfigured`` where it is no list of keys."""
    try:
        return msgspec.json.decode(raw, type=_File).keys
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    raise Misconfigured(  # fails closed: no new key beside a file that may be the operator's
        "the file of API keys cannot be read",
        path=FILE_NAME,
        expected="the JSON that Shopward wrote",
        found="something else",
        hint="restore it, or remove it to get a new key at the next start",
    )
