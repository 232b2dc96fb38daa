"""The process: what Python itself is told before it holds millions of small objects.

Promise: changes how often the garbage collector looks, nothing else. Feature state is lists in dicts without cycles:
counting references frees it, and walking all of it again and again costs a replay dearly: leave the call out of
benchmarks/replay.py to see it.
"""

from __future__ import annotations

import gc


def tune_collector() -> None:
    """Look for cycles a hundred times less often, and never at what exists already."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
