"""Which files machine code is made from."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path


def taken_from(file: Path) -> set[Path]:
    """The files of the project that a module imports something of when it runs."""
    names = [
        each.module for each in ast.parse(file.read_text("utf-8")).body if isinstance(each, ast.ImportFrom)
    ]
    specs = [find_spec(name) for name in names if name and name.startswith("shopward.")]
    return {Path(spec.origin) for spec in specs if spec is not None and spec.origin}
