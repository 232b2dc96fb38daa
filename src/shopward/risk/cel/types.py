"""The static types of CEL as used here, and how two of them are reconciled.

The promise: ``unify`` succeeds only if a value of one type may stand where the other is expected, and it leaves
no trace when its caller rolls back the trail. Records and enumerations are ours: a record is a path prefix and
never a value, an enumeration is a ``string`` with a closed vocabulary. There are no protobuf message types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Type:
    """A type by its name in CEL, with its parameters."""

    name: str
    params: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if not self.params:
            return self.name
        return f"{self.name}({', '.join(str(resolve(param)) for param in self.params)})"


@dataclass(frozen=True)
class Enumeration(Type):
    """A string whose values are known beforehand."""

    label: str = ""
    vocabulary: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Record(Type):
    """A group of named fields; an unset field reads as the default of its type."""

    fields: tuple[tuple[str, Type], ...] = ()

    def field(self, name: str) -> Type | None:
        """The type of one field, or None when there is no such field."""
        return dict(self.fields).get(name)


@dataclass(frozen=True)
class BoundedList(Type):
    """A list of which the longest length is declared, so that a walk over it has a cost."""

    max_items: int = 0


@dataclass(frozen=True)
class Param(Type):
    """A type parameter in a function's signature, for example the A of ``A == A``."""


@dataclass(frozen=True, eq=False)
class Variable(Type):
    """A type that is not known yet; ``bound`` holds at most one type."""

    name: str = "dyn"
    bound: list[Type] = field(default_factory=list)


BOOL = Type("bool")
INT = Type("int")
UINT = Type("uint")
DOUBLE = Type("double")
STRING = Type("string")
BYTES = Type("bytes")
NULL = Type("null_type")
DYN = Type("dyn")
TIMESTAMP = Type("google.protobuf.Timestamp")
DURATION = Type("google.protobuf.Duration")
TYPE = Type("type")
NUMERIC = frozenset({"int", "uint", "double"})
SCALARS = frozenset(t.name for t in (BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, TIMESTAMP, DURATION, TYPE))
DENOTATIONS = (
    BOOL,
    INT,
    UINT,
    DOUBLE,
    STRING,
    BYTES,
    NULL,
    TIMESTAMP,
    DURATION,
    TYPE,
    Type("list"),
    Type("map"),
)


def list_of(item: Type, max_items: int | None = None) -> Type:
    """A list type; only one with ``max_items`` may be walked by ``exists`` and its like in a rule."""
    return Type("list", (item,)) if max_items is None else BoundedList("list", (item,), max_items)


def map_of(key: Type, value: Type) -> Type:
    """A map type."""
    return Type("map", (key, value))


def enum(label: str, values: Iterable[str]) -> Enumeration:
    """A string type with a closed vocabulary; the unset value ``""`` always belongs to it."""
    return Enumeration("string", (), label, frozenset(values) | {""})


def record(name: str, fields: Mapping[str, Type]) -> Record:
    """A record type from its fields."""
    return Record(name, (), tuple(fields.items()))


def resolve(kind: Type) -> Type:
    """The type itself, or what its variable is bound to so far."""
    while isinstance(kind, Variable) and kind.bound:
        kind = kind.bound[0]
    return kind


def settle(kind: Type) -> Type:
    """The type with every variable replaced: by what it is bound to, or by ``dyn``."""
    kind = resolve(kind)
    if isinstance(kind, Variable):
        return DYN
    if not kind.params or isinstance(kind, BoundedList):
        return kind
    return Type(kind.name, tuple(settle(param) for param in kind.params))


def is_dynamic(kind: Type) -> bool:
    """Whether only the evaluation can tell the type."""
    kind = resolve(kind)
    return kind.name == "dyn"


def is_static_scalar(kind: Type) -> bool:
    """Whether a value of this type is one known Python scalar."""
    return resolve(kind).name in SCALARS


def unify(left: Type, right: Type, trail: list[Variable]) -> bool:
    """Make both types the same if that is possible, noting each bound variable on the trail."""
    left, right = resolve(left), resolve(right)
    if left is right:
        return True
    for variable, other in ((left, right), (right, left)):
        if isinstance(variable, Variable):
            if _occurs(variable, other):
                return False
            variable.bound.append(other)
            trail.append(variable)
            return True
    if DYN in (left, right):
        return True
    if left.name != right.name or isinstance(left, Record) or isinstance(right, Record):
        return False
    return all(unify(a, b, trail) for a, b in zip(left.params, right.params, strict=True))


def roll_back(trail: list[Variable]) -> None:
    """Unbind what a failed attempt has bound."""
    for variable in trail:
        variable.bound.clear()
    trail.clear()


def join(left: Type, right: Type) -> Type:
    """The narrowest type that holds values of both; ``dyn`` if there is none."""
    trail: list[Variable] = []
    if not unify(left, right, trail):
        roll_back(trail)
        return DYN
    return _wider(resolve(left), resolve(right))


def instantiate(kind: Type, fresh: dict[str, Variable]) -> Type:
    """A signature's type with each of its parameters replaced by a fresh variable."""
    if isinstance(kind, Param):
        return fresh.setdefault(kind.name, Variable())
    if not kind.params or isinstance(kind, BoundedList):
        return kind
    return Type(kind.name, tuple(instantiate(param, fresh) for param in kind.params))


def _wider(left: Type, right: Type) -> Type:
    if left == right:
        return left
    if DYN in (left, right):
        return DYN
    if not left.params or len(left.params) != len(right.params):
        return Type(left.name)
    pairs = zip(left.params, right.params, strict=True)
    return Type(left.name, tuple(_wider(resolve(a), resolve(b)) for a, b in pairs))


def _occurs(variable: Variable, kind: Type) -> bool:
    kind = resolve(kind)
    return kind is variable or any(_occurs(variable, param) for param in kind.params)
