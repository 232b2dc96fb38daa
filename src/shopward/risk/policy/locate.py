"""Where in a policy's files something is wrong: file, line and column.

Promise: a place is the one that a person would put the cursor on, counted from 1; where it cannot be told, the file alone
or nothing is. Files are read line by line, as people write TOML: a table's header and a key each begin a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from shopward.risk import cel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shopward.errors import PolicyInvalid

_RULE: Final = re.compile(r"rule ([a-z][a-z0-9_]*): ([a-z_]+)(?: (\d+))?")
_FEATURE: Final = re.compile(r"(?:features\.toml: )?feature\.([A-Za-z0-9_]+)(?:\.([a-z_]+))?")
_WATCHED: Final = re.compile(r"campaigns\.toml: (rate|campaign)\.([A-Za-z0-9_]+)(?:\.([a-z_]+))?")
_FILE: Final = re.compile(r"((?:rules/|models/)?[\w.-]+\.toml)(?:: rule (\d+))?")
_TOML_AT: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_WRONG_KEY: Final = re.compile(r"(?:at `\$\.|unknown field `)([a-z_]+)")
_OPENING: Final = re.compile(r"'''|\"\"\"|'|\"")


class Place(NamedTuple):
    """A place in a file; line and column are 0 where only the file is known."""

    file: str
    line: int = 0
    column: int = 0


class _Block(NamedTuple):
    """Lines of a file from one on."""

    file: str
    first: int
    lines: list[str]


def place_of(error: PolicyInvalid, files: Mapping[str, str]) -> Place | None:
    """Where an error of loading, compiling or testing a policy lies."""
    path = error.path or ""
    if (rule := _RULE.match(path)) is not None:
        return _in_rule(error, files, rule[1], rule[2], int(rule[3] or 1))
    if (feature := _FEATURE.match(path)) is not None:
        block = _table(_whole("features.toml", files), rf"\[feature\.{feature[1]}\]")
        return _value(error, block, feature[2] or _wrong_key(error)) if block else Place("features.toml")
    if (watched := _WATCHED.match(path)) is not None:
        block = _table(_whole("campaigns.toml", files), rf"\[{watched[1]}\.{watched[2]}\]")
        return _value(error, block, watched[3] or _wrong_key(error)) if block else Place("campaigns.toml")
    if (named := _FILE.match(path)) is not None and named[1] in files:
        whole = _whole(named[1], files)
        if (toml := _TOML_AT.search(error.found or "")) is not None:
            return Place(named[1], int(toml[1]), int(toml[2]))
        block = _rules(whole)[int(named[2]) - 1] if named[2] else whole
        return _value(error, block, _wrong_key(error))
    return None


def _in_rule(
    error: PolicyInvalid, files: Mapping[str, str], name: str, part: str, number: int
) -> Place | None:
    for file in sorted(files):
        for block in _rules(_whole(file, files)) if file.startswith("rules/") else ():
            if any(re.match(rf"\s*name\s*=\s*[\"']{name}[\"']", line) for line in block.lines):
                if part == "test":
                    headers = [at for at, line in enumerate(block.lines) if line.strip() == "[[rule.test]]"]
                    at = headers[number - 1] if 0 < number <= len(headers) else 0
                    return Place(file, block.first + at, 1)
                return _value(error, block, part)
    return None


def _value(error: PolicyInvalid, block: _Block, key: str) -> Place:
    """The value of a key, and inside it where its expression is wrong; the block's beginning where it has no such key."""
    for at, line in enumerate(block.lines):
        if (begins := re.match(rf"\s*{re.escape(key)}\s*=\s*", line)) is not None and key:
            cause = error.__cause__
            if not isinstance(cause, cel.CelInvalid):
                return Place(block.file, block.first + at, begins.end() + 1)
            return _inside(block.file, block.first + at, line, begins.end(), cause.issues[0])
    return Place(block.file, block.first, 1)


def _inside(file: str, line_number: int, line: str, at: int, issue: cel.Issue) -> Place:
    """An issue's place in the file, from its place in a text that begins at ``at``."""
    opening = _OPENING.match(line, at)
    start = opening.end() if opening else at
    trimmed = (
        opening is not None and len(opening[0]) == 3 and not line[start:].strip()
    )  # TOML drops this newline
    down = issue.line - 1 + trimmed
    return Place(file, line_number + down, issue.column if down else start + issue.column)


def _whole(file: str, files: Mapping[str, str]) -> _Block:
    return _Block(file, 1, files.get(file, "").splitlines())


def _rules(whole: _Block) -> list[_Block]:
    """The lines of each rule of a file."""
    starts = [at for at, line in enumerate(whole.lines) if line.strip().startswith("[[rule]]")]
    ends = [*starts[1:], len(whole.lines)]
    return [_Block(whole.file, at + 1, whole.lines[at:end]) for at, end in zip(starts, ends, strict=True)]


def _table(whole: _Block, header: str) -> _Block | None:
    """The lines of a table, from its header to the next one."""
    start = next((at for at, line in enumerate(whole.lines) if re.match(rf"\s*{header}", line)), None)
    if start is None:
        return None
    rest = whole.lines[start + 1 :]
    length = next((at for at, line in enumerate(rest) if line.lstrip().startswith("[")), len(rest))
    return _Block(whole.file, start + 1, whole.lines[start : start + 1 + length])


def _wrong_key(error: PolicyInvalid) -> str:
    """The key that a wrong shape names, if it does."""
    found = _WRONG_KEY.search(error.found or "")
    return found[1] if found else ""
