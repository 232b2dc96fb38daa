"""What the owner of the example's shop writes, and that Django finds nothing wrong with it."""

from __future__ import annotations

import subprocess
import sys

from e2e.shops import EXAMPLE, environment

LINES_MAX = 10


def test_the_owner_writes_ten_lines_at_most(figures):
    """The guarded shop is the plain one and these lines."""
    lines = [
        line for line in (EXAMPLE / "guarded.py").read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    written = [line for line in lines if not line.startswith(('"""', "#"))]
    figures({"lines_of_the_owner": len(written), "of_them_settings": len(written) - 1})
    assert len(written) <= LINES_MAX


def test_the_checks_find_nothing(tmp_path):
    """``manage.py check`` is silent on the guarded shop."""
    told = environment(
        tmp_path, DJANGO_SETTINGS_MODULE="guarded", SHOPWARD_URL="http://127.0.0.1:1", SHOPWARD_KEY="sw_x"
    )
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=EXAMPLE,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, "no issues" in checked.stdout) == (0, True), checked.stderr
