"""What one policy says that another does not: a difference of meaning, not of bytes.

Promise: order of files, spacing and comments make no difference; a condition is another one only where its checked tree
is. The order of rules counts only as far as it is seen: not here. Texts, descriptions and tests are named too, since an
analyst changed them, and marked as words: they change no decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopward.errors import ShopwardError
from shopward.risk.vocabulary import CelFilters, decision_environment, event_environment, rule_environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopward.risk import cel
    from shopward.risk.cel import ir
    from shopward.risk.policy.spec import PolicySpec

WORDS: Final = frozenset({"description", "text", "title", "test", "score_text", "version"})
"""Fields that change what people read and nothing else."""
_CONDITIONS: Final = frozenset({"when", "weight", "where", "value"})


class Difference(Struct, frozen=True):
    """One thing that differs.

    Attributes:
        part: ``rule``, ``feature``, ``model``, ``rate``, ``campaign``, ``found`` or ``policy`` (its head).
        change: ``added``, ``removed`` or ``changed``.
        words_only: whether no decision can follow from it.
        fields: of what changed, the value before and after.
    """

    part: str
    name: str
    change: str
    words_only: bool
    fields: dict[str, tuple[Any, Any]] = {}


def differences(before: PolicySpec, after: PolicySpec) -> list[Difference]:
    """Everything that differs between two policies that compile: head, features, models, campaigns, rules."""
    meanings = _Meanings(before), _Meanings(after)
    found = _changed("policy", {"": before.head}, {"": after.head}, meanings)
    found += _changed("feature", _named(before.features), _named(after.features), meanings)
    found += _changed("model", _named(before.models), _named(after.models), meanings)
    watched = before.campaigns, after.campaigns
    found += _changed("rate", watched[0].rate, watched[1].rate, meanings)
    found += _changed("campaign", watched[0].campaign, watched[1].campaign, meanings)
    found += _changed("found", {"": watched[0].found}, {"": watched[1].found}, meanings)
    found += _changed("alert", {"": watched[0].alert}, {"": watched[1].alert}, meanings)
    return found + _changed("rule", _named(before.rules), _named(after.rules), meanings)


def same_state(before: PolicySpec, after: PolicySpec) -> bool:
    """Whether the state that one policy's features and campaigns keep serves the other as it is."""
    condemned = [{rule.condemn.keys for rule in spec.rules if rule.condemn} for spec in (before, after)]
    paths = [{path for keys in each for path in keys} for each in condemned]
    same_watch = before.campaigns == after.campaigns
    return same_watch and before.features == after.features and paths[0] == paths[1]


def _named(parts: Iterable[Any]) -> dict[str, Any]:
    return {part.name: part for part in parts}


def _changed(
    part: str, before: dict[str, Any], after: dict[str, Any], meanings: tuple[_Meanings, _Meanings]
) -> list[Difference]:
    found = [Difference(part, name, "removed", words_only=False) for name in before if name not in after]
    for name, now in after.items():
        was = before.get(name)
        if was is None:
            found.append(Difference(part, name, "added", words_only=False))
            continue
        fields = {
            field: (_plain(getattr(was, field)), _plain(getattr(now, field)))
            for field in now.__struct_fields__
            if getattr(was, field) != getattr(now, field)
            and meanings[0].of(was, field) != meanings[1].of(now, field)
        }
        if fields:
            found.append(Difference(part, name, "changed", words_only=fields.keys() <= WORDS, fields=fields))
    return found


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


class _Meanings:
    """What a field says: a condition's tree without its places in the source, any other field's value."""

    def __init__(self, spec: PolicySpec) -> None:
        types = CelFilters(spec.features).types
        models = tuple(model.name for model in spec.models)
        rule, decision = rule_environment(types, models), decision_environment(types)
        self._environments = {"when": rule, "weight": rule, "value": rule}
        self._filters = {"event": event_environment(), "decision": decision}

    def of(self, part: Any, field: str) -> Any:
        value = getattr(part, field)
        if field not in _CONDITIONS or not isinstance(value, str) or not value:
            return value
        environment: cel.Environment = (
            self._filters[getattr(part, "phase", "decision")]
            if field == "where"
            else self._environments[field]
        )
        try:
            return _shape(environment.check(value).node)
        except ShopwardError:  # compares as text: what does not compile is refused elsewhere
            return value


def _shape(node: ir.Node) -> tuple[Any, ...]:
    """A tree without its places in the source."""
    own = tuple(
        getattr(node, name)
        for name in (
            "value",
            "names",
            "name",
            "field",
            "function",
            "operator",
            "macro",
            "variables",
            "variable",
        )
        if hasattr(node, name)
    )
    return (type(node).__name__, *own, *(_shape(child) for child in node.children()))
