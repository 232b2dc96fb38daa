"""Declared attributes: what a shop says of its users, and the predicates over them that orders are aimed with.

Promise:
- the set is closed: ``ATTRIBUTES`` are the only names that a predicate may read, and a name outside it is refused with
  line and column; nothing of what a user did, and nothing that names him, can be asked;
- tokens are blinded once more under the key of this installation, in the table and inside a predicate: what the table
  holds fits nothing outside;
- what is not declared reads as empty: a missing date as 1970, a missing word as ``""``: ``tier != ""`` tells.

Dates are compared and nothing else: ``registered_at < timestamp("2012-03-20T00:00:00Z")``. They are kept and compared
as milliseconds, which is what keeps thirty predicates under 5 us (benchmarks/protection.py).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from shopward.errors import InvalidField
from shopward.events.catalogue import Id, Moment, UserTokens, Word
from shopward.risk import cel
from shopward.risk.cel import ir
from shopward.values import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from shopward.risk.cel.ir import Names

PREDICATE_MAX: Final = 2_000
PREDICATE_COST_MAX: Final = 4_000
PROVIDERS_MAX: Final = 16
_NS: Final = 1_000_000
_COMPARISONS: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})
_EQUALITIES: Final = frozenset({"_==_", "_!=_", "@in"})
TOKEN_NAMES: Final = ("email", "phone", "address", "national_id")


class DeclaredUser(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a shop declares of one user; what is left out is not declared.

    Attributes:
        registered_at: when the account was made.
        password_set_at: when its password was set last: what a reset order is held against.
        identity_providers: providers that can sign in to it.
        region: the shop's word for where the user belongs.
        tier: the shop's word for what kind of customer it is.
        tokens: opaque tokens of what the account is reached by; never clear values.
    """

    registered_at: Moment | UnsetType = UNSET
    password_set_at: Moment | UnsetType = UNSET
    identity_providers: Annotated[list[Id], Meta(max_length=PROVIDERS_MAX)] = []
    region: Word = ""
    tier: Word = ""
    tokens: UserTokens | UnsetType = UNSET


class DeclaredLine(DeclaredUser, forbid_unknown_fields=True, omit_defaults=True):
    """One line of ``/v1/users/batch``: the same with the user's id."""

    id: Id = ""


class Declared(Struct, frozen=True):
    """Declared attributes as predicates read them; tokens are blinded, dates are milliseconds."""

    registered_at_ms: int = 0
    password_set_at_ms: int = 0
    identity_providers: tuple[str, ...] = ()
    region: str = ""
    tier: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    national_id: str = ""


NOTHING_DECLARED: Final = Declared()

ATTRIBUTES: Final[dict[str, cel.Type]] = {
    "registered_at": cel.TIMESTAMP,
    "password_set_at": cel.TIMESTAMP,
    "identity_providers": cel.list_of(cel.STRING, PROVIDERS_MAX),
    "region": cel.STRING,
    "tier": cel.STRING,
    "tokens": cel.record("tokens", dict.fromkeys(TOKEN_NAMES, cel.STRING)),
}
_environment: Final = cel.Environment(ATTRIBUTES, max_cost=PREDICATE_COST_MAX)


def declared(user: DeclaredUser, blind: Callable[[str, str], str]) -> Declared:
    """A declaration as it is kept."""
    tokens = UserTokens() if user.tokens is UNSET else user.tokens
    return Declared(
        0 if user.registered_at is UNSET else to_ms(user.registered_at),
        0 if user.password_set_at is UNSET else to_ms(user.password_set_at),
        tuple(sorted(set(user.identity_providers))),
        user.region,
        user.tier,
        *(blind(name, getattr(tokens, name)) for name in TOKEN_NAMES),
    )


def predicate_source(text: str, blind: Callable[[str, str], str]) -> str:
    """A predicate, checked, as the source of a Python expression over ``u``, a ``Declared``.

    Raises:
        InvalidField: an unknown attribute, a wrong type, a condition that is always or never true, a date used for
            anything but a comparison; the message has line and column and no value.
    """
    if len(text) > PREDICATE_MAX:
        raise InvalidField(
            "the predicate is too long", code="predicate_invalid", path="target.predicate",
            expected=f"at most {PREDICATE_MAX} characters", found=f"{len(text)} characters",
        )  # fmt: skip
    try:
        checked = _environment.check(text, expect=cel.BOOL)
    except cel.CelInvalid as invalid:
        first = invalid.issues[0]
        found, hint = f"{first.line}:{first.column}: {first.message}", first.hint
    else:
        node = _lowered(checked.node, blind)
        return dataclasses.replace(checked, node=node).to_python(_read, _present)
    raise InvalidField(
        "the predicate does not compile",
        code="predicate_invalid",
        path="target.predicate",
        expected="a condition over " + ", ".join(ATTRIBUTES),
        found=found,
        hint=hint,
    )


def compiled_predicate(text: str, blind: Callable[[str, str], str]) -> Callable[[Declared], bool]:
    """A predicate as a function; raises ``InvalidField`` as ``predicate_source`` does."""
    source = predicate_source(text, blind)
    return eval(f"lambda u: {source}", dict(cel.RUNTIME_NAMESPACE))  # type: ignore[no-any-return] # noqa: S307 -- our own


def _lowered(node: ir.Node, blind: Callable[[str, str], str]) -> ir.Node:
    """The same condition over milliseconds and blinded tokens."""
    if isinstance(node, ir.Const) and isinstance(node.value, cel.Timestamp):
        return dataclasses.replace(node, value=node.value.ns // _NS)
    if isinstance(node, ir.Apply):
        _refuse_arithmetic(node)
        domain = next((part.names[1] for part in node.arguments if _is_token(part)), None)  # type: ignore[attr-defined]
        if domain is not None:
            if node.function not in _EQUALITIES:
                raise _unusable("a token can only be equal to another")
            node = dataclasses.replace(
                node, arguments=tuple(_blinded(part, domain, blind) for part in node.arguments)
            )
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, ir.Node):
            changed[field.name] = _lowered(value, blind)
        elif isinstance(value, tuple) and value and isinstance(value[0], ir.Node):
            changed[field.name] = tuple(_lowered(part, blind) for part in value)
    return dataclasses.replace(node, **changed) if changed else node


def _refuse_arithmetic(node: ir.Apply) -> None:
    """Dates are held against dates: everything else would need them as they are in CEL."""
    if node.function not in _COMPARISONS and any(
        part.type.name == cel.TIMESTAMP.name for part in (*node.arguments, node)
    ):
        raise _unusable("a date can only be compared with another")


def _is_token(node: ir.Node) -> bool:
    return isinstance(node, ir.Path) and node.names[0] == "tokens" and len(node.names) == 2


def _blinded(node: ir.Node, domain: str, blind: Callable[[str, str], str]) -> ir.Node:
    if isinstance(node, ir.Const) and isinstance(node.value, str):
        return dataclasses.replace(node, value=blind(domain, node.value))
    if isinstance(node, ir.ListOf):
        items = tuple(_blinded(item, domain, blind) for item in node.items)
        return dataclasses.replace(node, items=items)
    return node


def _unusable(why: str) -> InvalidField:
    return InvalidField(
        "the predicate does not compile", code="predicate_invalid", path="target.predicate", expected=why,
        hint='registered_at < timestamp("2026-01-05T00:00:00Z"), tokens.phone == "..."',
    )  # fmt: skip


def _read(names: Names) -> str:
    name = names[-1]
    return f"u.{name}_ms" if name in ("registered_at", "password_set_at") else f"u.{name}"


def _present(names: Names) -> str:
    return f"bool({_read(names)})"
