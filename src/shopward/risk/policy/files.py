"""A policy as its files: what is published, kept and compared by digest.

Promise: ``digest`` is the same for the same names and texts, wherever they come from. ``compiled`` and ``tested`` give a
policy that is good to be in force or a ``PolicyInvalid`` with the file, and line and column where they can be told. Only
the names of a policy's files are taken, and no more than they may weigh; nothing in them is executed.
"""

from __future__ import annotations

import io
import re
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct

from shopward.errors import PolicyInvalid
from shopward.risk.policy.compile import Policy
from shopward.risk.policy.load import load_policy
from shopward.risk.policy.locate import place_of
from shopward.risk.policy.selftest import run_tests
from shopward.values import digest16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

BYTES_MAX: Final = 1024 * 1024
FILES_MAX: Final = 200
_FOLDERS: Final = ("rules", "models")
_NAME: Final = re.compile(r"(?:policy|features|campaigns)\.toml|(?:rules|models)/\w[\w.-]{0,63}\.toml")


class PolicyFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """The files of a policy by their paths: ``policy.toml``, ``features.toml``, ``campaigns.toml``, ``rules/*.toml``, ``models/*.toml``."""

    files: dict[str, str]

    @classmethod
    def read(cls, folder: Path | Traversable) -> PolicyFiles:
        """Those of a folder; other files in it are passed over."""
        found: dict[str, str] = {}
        for name in ("policy.toml", "features.toml", "campaigns.toml"):
            found |= _text(folder / name, name)
        for above in _FOLDERS:
            if (folder / above).is_dir():
                for file in (folder / above).iterdir():
                    if file.name.endswith(".toml"):
                        found |= _text(file, f"{above}/{file.name}")
        return cls(found)

    @classmethod
    def shipped(cls) -> PolicyFiles:
        """Those of the default policy."""
        return cls.read(resources.files("shopward.risk") / "default")

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that stand for names and texts."""
        return digest16(msgspec.json.encode(sorted(self.files.items()))).hex()

    def compiled(self) -> Policy:
        """The policy; raises ``PolicyInvalid``."""
        self._check_names()
        return self._placed(lambda: Policy(load_policy(_Folder("", self.files))))

    def tested(self) -> Policy:
        """The policy, whose own tests hold too; raises ``PolicyInvalid``."""
        policy = self.compiled()
        self._placed(lambda: _refuse_failed_tests(policy))
        return policy

    def _placed(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except PolicyInvalid as invalid:
            place = place_of(invalid, self.files)
            if place is not None:
                invalid.file = place.file
                invalid.line, invalid.column = place.line or None, place.column or None
            raise

    def _check_names(self) -> None:
        size = sum(len(name) + len(text) for name, text in self.files.items())
        if len(self.files) > FILES_MAX or size > BYTES_MAX:
            raise PolicyInvalid(
                "the policy is too large",
                path="files",
                expected=f"at most {FILES_MAX} files and {BYTES_MAX:,} characters",
                found=f"{len(self.files)} files and {size:,} characters",
            )
        if not all(_NAME.fullmatch(name) for name in self.files):
            raise PolicyInvalid(
                "a file that no policy has",
                path="files",
                expected="policy.toml, features.toml, campaigns.toml, rules/NAME.toml and models/NAME.toml",
                found="another name",
            )


def _refuse_failed_tests(policy: Policy) -> None:
    for result in run_tests(policy):
        if not result.passed:
            raise PolicyInvalid(
                f"rule {result.rule!r} does not pass its own tests",
                path=f"rule {result.rule}: test {result.number}",
                expected="every test to pass, and one that fires and one that does not",
                found=result.message,
            )


def _text(file: Path | Traversable, name: str) -> dict[str, str]:
    try:
        return {name: file.read_text(encoding="utf-8")}
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise PolicyInvalid("not TOML", path=name, expected="TOML in UTF-8", found="other bytes") from None


class _Folder(Traversable):
    """Files in memory as a folder, as far as a policy is read from one."""

    def __init__(self, path: str, files: dict[str, str]) -> None:
        self._path = path
        self._files = files

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    def iterdir(self) -> Iterator[_Folder]:
        prefix = f"{self._path}/"
        return (_Folder(path, self._files) for path in self._files if path.startswith(prefix))

    def is_dir(self) -> bool:
        return any(path.startswith(f"{self._path}/") for path in self._files)

    def is_file(self) -> bool:
        return self._path in self._files

    def joinpath(self, *descendants: Any) -> _Folder:
        return _Folder(
            "/".join((*((self._path,) if self._path else ()), *map(str, descendants))), self._files
        )

    def __truediv__(self, child: Any) -> _Folder:
        return self.joinpath(child)

    def open(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        if self._path not in self._files:
            raise FileNotFoundError(self._path)
        text = self._files[self._path]
        return io.StringIO(text) if mode == "r" else io.BytesIO(text.encode())

    def read_bytes(self) -> bytes:
        return self.read_text().encode()

    def read_text(self, encoding: str | None = None) -> str:  # noqa: ARG002 -- it is text already
        text: str = self.open().read()
        return text
