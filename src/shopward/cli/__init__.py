"""The command line: thin entrances that parse options, call a flow and print.

Promise: exit code 0 done, 1 the thing asked about is bad, 2 wrong use; ``--json`` where a person's table would be
printed; a progress bar on a terminal and none in a pipe; errors go to standard error with what was expected, what
was found and what to do.
"""

from shopward.cli.main import main

__all__ = ["main"]
