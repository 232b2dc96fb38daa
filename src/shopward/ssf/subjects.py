"""Subjects: whom an event is about, as RFC 9493 and the Shared Signals Framework write it.

Promise:
- a subject of a known format has all of its members as text, or is refused; one of a format that is not known here is kept
  by its name alone, and stands for nobody;
- a complex subject is read on all of its members; one that has a member which its transmitter calls critical and which is not
  understood here is to be discarded: acting on a part of it would act on somebody else;
- a member that is absent is a wildcard (all devices, all sessions), never "none of them". A complex subject without a user
  stands for nobody: no event of another company's is about all of our customers;
- the old way of writing (``subject_type``, hyphens: Google's) is read like the new one.

Not here: which customer that is (``flows.receive``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMPLEX: Final = "complex"
ALIASES: Final = "aliases"
TEXT_MAX: Final = 1_024
ALIASES_MAX: Final = 16
FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("uri",),
    "email": ("email",),
    "phone_number": ("phone_number",),
    "iss_sub": ("iss", "sub"),
    "opaque": ("id",),
    "did": ("url",),
    "uri": ("uri",),
    "jwt_id": ("iss", "jti"),
    "saml_assertion_id": ("issuer", "assertion_id"),
    "ip-addresses": (),
}
"""The members that a simple subject has to have."""
UNDERSTOOD: Final = frozenset({"user", "session", "device"})
"""Members of a complex subject. Sessions and devices are widened to all of the user's, which ends more and never less."""
_OLD_NAMES: Final = {"iss-sub": "iss_sub", "id_token_claims": "iss_sub", "id-token-claims": "iss_sub", "phone": "phone_number"}  # fmt: skip


class Subject(Struct, frozen=True):
    """A subject.

    Attributes:
        format: as RFC 9493 names it.
        values: the members of a simple one.
        members: of a complex one, by name.
        aliases: of one that has several names.
    """

    format: str
    values: dict[str, str] = {}
    members: dict[str, Subject] = {}
    aliases: tuple[Subject, ...] = ()

    def users(self) -> Iterator[Subject]:
        """The simple subjects that say which user it is."""
        if self.format == COMPLEX:
            if "user" in self.members:
                yield from self.members["user"].users()
        elif self.format == ALIASES:
            for alias in self.aliases:
                yield from alias.users()
        else:
            yield self

    def is_beyond(self, critical: frozenset[str]) -> bool:
        """Whether a critical member of it is not understood here."""
        return bool(critical & self.members.keys() - UNDERSTOOD)


def read_subject(raw: Any) -> Subject | None:
    """The subject that a JSON value is; none where it is malformed."""
    name = _format(raw)
    return _complex(raw) if name == COMPLEX else _single(name, raw)


def _format(raw: Any) -> str:
    """Its format by its name of today; empty where it has none."""
    named = raw.get("format", raw.get("subject_type")) if isinstance(raw, dict) else None
    return _OLD_NAMES.get(named, named) if isinstance(named, str) and _is_text(named) else ""


def _single(name: str, raw: Any) -> Subject | None:
    """One that is not complex."""
    return _aliases(raw.get("identifiers")) if name == ALIASES else _simple(name, raw)


def _simple(name: str, raw: Any) -> Subject | None:
    if not name or name in (COMPLEX, ALIASES):
        return None
    values = {each: raw.get(each) for each in FORMATS.get(name, ())}
    if not all(map(_is_text, values.values())):
        return None
    return Subject(name, {each: str(value) for each, value in values.items()})


def _complex(raw: Mapping[str, Any]) -> Subject | None:
    members = {name: _single(_format(member), member) for name, member in raw.items() if name not in ("format", "subject_type")}  # fmt: skip
    whole = {name: member for name, member in members.items() if member is not None}
    return Subject(COMPLEX, members=whole) if whole and len(whole) == len(members) else None


def _aliases(raw: Any) -> Subject | None:
    if not isinstance(raw, list) or not 1 <= len(raw) <= ALIASES_MAX:
        return None
    whole = tuple(
        alias
        for each in raw
        if (name := _format(each)) in FORMATS and (alias := _simple(name, each)) is not None
    )
    return Subject(ALIASES, aliases=whole) if len(whole) == len(raw) else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_MAX and "\0" not in value
