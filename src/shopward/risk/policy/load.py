"""Loading: a folder of TOML becomes a ``PolicySpec`` or an error that names the file and the line's field.

Promise: nothing is executed; files are read in the order of their names; an unknown field is refused, because a
misspelt field would silently switch something off.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from shopward.errors import PolicyInvalid
from shopward.risk.campaigns.spec import CampaignsSpec
from shopward.risk.features import FeatureSpec
from shopward.risk.policy.spec import ModelSpec, PolicyHead, PolicySpec, RuleSpec

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

Shape = TypeVar("Shape")


def load_policy(folder: Path | Traversable) -> PolicySpec:
    """The policy in a folder.

    Raises:
        PolicyInvalid: a file is missing, is no TOML, or has a field of the wrong name or type.
    """
    head = _convert(_toml(folder / "policy.toml"), PolicyHead, "policy.toml")
    declared = _toml(folder / "features.toml").get("feature", {})
    if not isinstance(declared, dict):
        raise PolicyInvalid(
            "features.toml is not a table of features", path="features.toml", expected="[feature.NAME]"
        )
    features = tuple(
        _convert({"name": name, **fields}, FeatureSpec, f"features.toml: feature.{name}")
        for name, fields in declared.items()
    )
    rules: list[RuleSpec] = []
    for file in _toml_files(folder / "rules"):
        for position, rule in enumerate(_toml(file).get("rule", []), start=1):
            where = f"rules/{file.name}: rule {position} ({str(rule.get('name', '?'))[:64]})"
            rules.append(_convert(rule, RuleSpec, where))
    models = tuple(
        _convert({"name": file.name.removesuffix(".toml"), **_toml(file)}, ModelSpec, f"models/{file.name}")
        for file in _toml_files(folder / "models")
    )
    watched = folder / "campaigns.toml"
    campaigns = (
        _convert(_toml(watched), CampaignsSpec, "campaigns.toml") if watched.is_file() else CampaignsSpec()
    )
    return PolicySpec(head, features, tuple(rules), models, campaigns)


def load_default_policy() -> PolicySpec:
    """The policy that ships with Shopward."""
    return load_policy(resources.files("shopward.risk") / "default")


def _toml_files(folder: Path | Traversable) -> list[Path | Traversable]:
    """The TOML files of a folder by name; none where there is no folder."""
    if not folder.is_dir():
        return []
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    return sorted(files, key=lambda file: file.name)


def _toml(file: Path | Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PolicyInvalid(
            "a file of the policy is missing", path=file.name, expected="the file", found="nothing"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise PolicyInvalid("not TOML", path=file.name, expected="TOML", found=str(broken)) from None


def _convert(data: Any, shape: type[Shape], where: str) -> Shape:
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as wrong:
        raise PolicyInvalid("a field of the policy is wrong", path=where, found=str(wrong)) from None
