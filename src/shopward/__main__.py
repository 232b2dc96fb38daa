"""``python -m shopward``."""

from shopward.cli import main

main()
